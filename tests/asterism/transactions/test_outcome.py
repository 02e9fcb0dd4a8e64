"""What is stored after a request, and what its client was told: the two never contradict one another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio
import msgspec
import pytest
from sqlalchemy import null, text
from sqlalchemy.exc import IntegrityError, InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncEngine

from asterism.api import endpoint
from asterism.dependencies import DependencyError, Depends, inject
from asterism.problems import Problem
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.websockets import WebSocket
from tests.asgi import Record, Script, body, call, http_scope
from tests.asterism.transactions.support import (
    ACCOUNTS,
    Account,
    Reading,
    Session,
    count,
    listening,
    serving,
    stored,
)

pytestmark = pytest.mark.anyio


async def add(session: Session) -> Response:
    session.add(Account(id=1))
    return PlainTextResponse("added")


async def test_the_commit_comes_before_the_first_byte(engine: AsyncEngine) -> None:
    seen: list[tuple[str, int]] = []

    async def send(message: Any) -> None:
        seen.append((message["type"], len(await stored(engine))))

    with serving(engine, add) as app:
        await app(http_scope(), body(), send)
    assert seen == [("http.response.start", 1), ("http.response.body", 1)]


async def typed(session: Session, fails: bool = False) -> int:
    session.add(Account(id=1))
    await session.flush()
    if fails:
        raise Problem(418)
    return await count(session)


async def test_typed_endpoints_have_the_same_transactions(engine: AsyncEngine) -> None:
    with serving(engine, endpoint(typed)) as app:
        assert (await call(app, http_scope(query_string=b"fails=true"))).status == 418
        assert await stored(engine) == []
        assert (await call(app)).body == b"1"
        assert await stored(engine) == [(1, 0)]


async def raises_http(session: Session) -> Response:
    session.add(Account(id=1))
    await session.flush()
    raise HTTPException(404)


async def raises_anything(session: Session) -> Response:
    session.add(Account(id=1))
    await session.flush()
    raise LookupError


async def raises_os_error(session: Session) -> Response:
    session.add(Account(id=1))
    await session.flush()
    raise FileNotFoundError  # not the database's, though drivers raise such errors as well


async def rolls_back(session: Session) -> Response:
    session.add(Account(id=1))
    await session.flush()
    await session.rollback()
    return Response(status_code=400)


class Number(msgspec.Struct):
    number: int


async def returns_something_else(session: Session) -> Number:
    session.add(Account(id=1))
    await session.flush()
    return "nothing like it"  # type: ignore[return-value]  # the mistake


async def fails_after(session: Session) -> AsyncIterator[int]:
    yield 1
    raise HTTPException(410)


async def has_a_dependency_that_fails(
    session: Session, value: Annotated[int, Depends(fails_after, scope="endpoint")]
) -> Response:
    session.add(Account(id=1))
    return Response()


@pytest.mark.parametrize(
    ("function", "status"),
    [
        pytest.param(raises_http, 404, id="http-exception"),
        pytest.param(raises_anything, 500, id="unhandled"),
        pytest.param(raises_os_error, 500, id="os-error-of-the-program"),
        pytest.param(rolls_back, 400, id="by-hand"),
        pytest.param(endpoint(returns_something_else), 500, id="result-that-cannot-be-sent"),
        pytest.param(has_a_dependency_that_fails, 410, id="dependency-that-ends-first"),
    ],
)
async def test_errors_roll_back(engine: AsyncEngine, function: Any, status: int) -> None:
    sent = Record()
    with serving(engine, function) as app:
        try:
            await app(http_scope(), body(), sent)
        except (LookupError, OSError, TypeError):
            assert status == 500
    assert sent.status == status
    assert await stored(engine) == []


async def refuses(session: Session) -> Response:
    session.add(Account(id=1))
    return Response(status_code=401)


async def test_a_response_that_was_returned_is_no_error_whatever_its_status(engine: AsyncEngine) -> None:
    with serving(engine, refuses) as app:
        assert (await call(app)).status == 401
    assert await stored(engine) == [(1, 0)]


async def is_late(session: Session) -> Response:
    session.add(Account(id=1))

    async def look() -> None:
        with pytest.raises(InvalidRequestError, match="permanently closed"):
            await count(session)

    return Response(background=BackgroundTask(look))


async def test_a_session_ends_with_its_transaction(engine: AsyncEngine) -> None:
    with serving(engine, is_late) as app:
        assert (await call(app)).status == 200
    assert await stored(engine) == [(1, 0)]


async def streams(session: Session) -> Response:
    async def numbers() -> AsyncIterator[str]:
        yield str(await count(session))

    return StreamingResponse(numbers())


async def test_a_stream_cannot_use_what_has_ended(engine: AsyncEngine) -> None:
    with serving(engine, streams) as app:
        with pytest.raises(InvalidRequestError, match="permanently closed"):
            await call(app)


# What the client left behind: a body that was never read, or one that was.
LEFT = [
    pytest.param([{"type": "http.disconnect"}], id="no-body"),
    pytest.param([{"type": "http.request", "body": b"x"}, {"type": "http.disconnect"}], id="unread-body"),
]


@pytest.mark.parametrize("messages", LEFT)
async def test_what_nobody_waits_for_is_rolled_back(engine: AsyncEngine, messages: list[Any]) -> None:
    with serving(engine, add) as app:
        assert (await call(app, http_scope(method="POST"), Script(*messages))).status == 499
    assert await stored(engine) == []


async def reads_body(request: Request, session: Session) -> Response:
    session.add(Account(id=1))
    await session.flush()
    return Response(await request.body())


async def test_a_client_that_leaves_in_the_middle_of_its_body_changes_nothing(engine: AsyncEngine) -> None:
    receive = Script({"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"})
    with serving(engine, reads_body) as app:
        with pytest.raises(ClientDisconnect):
            await app(http_scope(), receive, Record())
    assert await stored(engine) == []


async def waits(session: Session) -> Response:
    session.add(Account(id=1))
    await session.flush()
    await anyio.sleep_forever()
    raise NotImplementedError


async def test_a_request_that_is_cancelled_rolls_back_and_gives_its_connection_back(engine: AsyncEngine) -> None:
    with serving(engine, waits) as app:
        with anyio.move_on_after(0.2):
            await app(http_scope(), body(), Record())
    assert await stored(engine) == []
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # pools of this kind know


async def test_a_commit_that_has_begun_is_finished(engine: AsyncEngine) -> None:
    with anyio.CancelScope() as scope, serving(engine, add) as app:
        with listening(engine, "commit", lambda _: scope.cancel()):
            await app(http_scope(), body(), Record())
    assert await stored(engine) == [(1, 0)]


# -- Errors of the database ------------------------------------------------------------------------------------------


async def breaks_reference_at_commit(session: Session) -> Response:
    session.add(Account(id=1, patron=7))
    await session.flush()
    return Response()


async def breaks_unique_at_commit(session: Session) -> Response:
    session.add_all([Account(id=1, balance=5), Account(id=1)])
    return Response()


async def breaks_check(session: Session) -> Response:
    session.add(Account(id=1, balance=-1))
    await session.flush()
    return Response()


@pytest.mark.filterwarnings("ignore:New instance:sqlalchemy.exc.SAWarning")
@pytest.mark.parametrize("function", [breaks_reference_at_commit, breaks_unique_at_commit, breaks_check])
async def test_a_contradiction_is_a_conflict_even_when_the_commit_finds_it(engine: AsyncEngine, function: Any) -> None:
    with serving(engine, function) as app:
        answer = await call(app)
    assert (answer.status, answer.header("content-type")) == (409, "application/problem+json")
    assert b"contradicts" in answer.body
    assert await stored(engine) == []


async def forgets_a_value(session: Session) -> Response:
    session.add(Account(id=1, owner=null()))
    return Response()


async def test_a_missing_value_is_a_mistake_of_the_program(engine: AsyncEngine) -> None:
    with serving(engine, forgets_a_value) as app, pytest.raises(IntegrityError):
        await call(app)
    assert await stored(engine) == []


async def changes_what_changed(session: Session) -> Response:
    account = Account(id=1)
    session.add(account)
    await session.flush()
    # As if somebody else had changed the row in between.
    await session.execute(ACCOUNTS.update().values(version=5))
    account.balance = 7
    return Response()


async def test_a_version_that_somebody_has_raised_is_a_conflict(engine: AsyncEngine) -> None:
    with serving(engine, changes_what_changed) as app:
        answer = await call(app)
    assert (answer.status, b"in the meantime" in answer.body) == (409, True)
    assert await stored(engine) == []


async def swallows(session: Session) -> Response:
    """Catch an error and go on, as if the transaction were still what it was."""
    dialect = session.get_bind().dialect.name
    await session.execute(ACCOUNTS.insert().values(id=1, balance=0, owner="a", version=1))
    with pytest.raises(IntegrityError):
        verb = "INSERT OR ROLLBACK" if dialect == "sqlite" else "INSERT"
        await session.execute(text(f"{verb} INTO accounts (id, balance, owner, version) VALUES (1, 0, 'a', 1)"))
    return Response()


async def test_a_transaction_that_has_ended_is_not_taken_for_one_that_was_committed(engine: AsyncEngine) -> None:
    with serving(engine, swallows) as app:
        with pytest.raises(Exception, match=r"rolled the transaction back|current transaction is aborted") as caught:
            await call(app)
    assert "begin_nested" in str(caught.value.__notes__)
    assert await stored(engine) == []


async def expects(session: Session) -> Response:
    session.add(Account(id=1))
    await session.flush()
    try:
        async with session.begin_nested():
            await session.execute(ACCOUNTS.insert().values(id=1, balance=0, owner="a", version=1))
    except IntegrityError:
        session.add(Account(id=2))
    return Response()


async def test_an_error_within_a_savepoint_leaves_the_rest(engine: AsyncEngine) -> None:
    with serving(engine, expects) as app:
        assert (await call(app)).status == 200
    assert await stored(engine) == [(1, 0), (2, 0)]


async def writes_while_reading(session: Reading) -> Response:
    session.add(Account(id=1))
    return Response()


async def test_what_only_reads_cannot_write(engine: AsyncEngine) -> None:
    with serving(engine, writes_while_reading) as app:
        with pytest.raises(Exception, match=r"readonly|read-only"):
            await call(app)
    with serving(engine, add) as app:
        assert (await call(app)).status == 200, "the connection writes again"


async def one(session: Session) -> int:
    return id(session)


async def shares_with_a_provider(number: Annotated[int, Depends(one, scope="endpoint")], session: Session) -> Response:
    return PlainTextResponse(str(number == id(session)))


async def test_all_who_ask_for_a_session_share_it(engine: AsyncEngine) -> None:
    with serving(engine, shares_with_a_provider) as app:
        assert (await call(app)).body == b"True"


async def talks(websocket: WebSocket, session: Session) -> None:
    raise NotImplementedError


def test_a_websocket_has_no_such_transaction() -> None:
    with pytest.raises(DependencyError, match="this is an endpoint of a WebSocket"):
        inject(talks)
