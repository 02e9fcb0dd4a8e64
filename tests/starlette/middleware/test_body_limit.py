"""`starlette.middleware.body_limit` (body_limit R1-R22, threats T20)."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import body_limit
from starlette.middleware.body_limit import (
    MAX_BODY_SIZE_SCOPE_KEY,
    RequestBodyLimitMiddleware,
    RequestBodyLimitResponder,
)
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from tests.asgi import Record, Script, body, http_scope, websocket_scope

RESPONDER_KEY = "starlette._body_limit_responder"
START: Message = {"type": "http.response.start", "status": 200, "headers": []}

TooLarge: Any = body_limit._RequestBodyTooLarge
Sent: Any = body_limit._RequestBodyLimitResponseSent


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the body."""
    await Response(await Request(scope, receive).body())(scope, receive, send)


async def unread(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer without reading."""
    await PlainTextResponse("unread")(scope, receive, send)


async def forgiving(scope: Scope, receive: Receive, send: Send) -> None:
    """Read, and answer normally whatever happens."""
    try:
        await receive()
    except HTTPException as exc:
        await PlainTextResponse(f"caught {exc.status_code}")(scope, receive, send)


def declared(size: object) -> list[tuple[bytes, bytes]]:
    return [(b"host", b"h"), (b"content-length", str(size).encode("latin-1"))]


async def exchange(
    app: ASGIApp, *chunks: bytes, headers: list[tuple[bytes, bytes]] | None = None
) -> tuple[Record, Script, dict[str, Any]]:
    sent, receive, scope = Record(), body(*chunks), http_scope(method="POST", headers=headers or [])
    await app(scope, receive, sent)
    return sent, receive, scope


def refused(sent: Record) -> bool:
    """Tell whether the plain 413 is what was sent (R6)."""
    return sent.types == ["http.response.start", "http.response.body"] and (
        sent.status,
        sent.body,
        sent.header("content-type"),
        sent.header("content-length"),
    ) == (413, b"Content Too Large", "text/plain; charset=utf-8", "17")


# --- counting


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("limit", "chunks", "fits"),
    [
        pytest.param(5, [b"12345"], True, id="R4-exactly-the-limit"),
        pytest.param(5, [b"123456"], False, id="R4-one-more"),
        pytest.param(5, [b"123", b"45"], True, id="R4-sum-of-chunks"),
        pytest.param(5, [b"123", b"456"], False, id="R4-sum-exceeds"),
        pytest.param(0, [b""], True, id="R1-zero-allows-nothing"),
        pytest.param(0, [b"1"], False, id="R1-zero-is-a-limit"),
        pytest.param(-1, [b""], False, id="R2-negative"),
    ],
)
async def test_what_arrives_is_counted(limit: int, chunks: list[bytes], fits: bool) -> None:  # threats T20.1
    sent, _, scope = await exchange(RequestBodyLimitMiddleware(echo, limit), *chunks)
    assert refused(sent) is not fits
    if fits:
        assert sent.body == b"".join(chunks)
    assert MAX_BODY_SIZE_SCOPE_KEY not in scope


@pytest.mark.anyio
async def test_reading_stops_at_the_chunk_that_exceeds() -> None:  # body_limit R7, threats T20.1
    sent, receive, _ = await exchange(RequestBodyLimitMiddleware(echo, 3), b"12", b"34", b"56")
    assert refused(sent)
    assert receive.calls == 2


@pytest.mark.anyio
async def test_messages_pass_as_they_are() -> None:  # body_limit R4
    messages: list[Message] = [{"type": "http.request", "more_body": True}, {"type": "http.disconnect"}]
    seen: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend([await receive(), await receive()])

    await RequestBodyLimitMiddleware(app, 0)(http_scope(), Script(*messages), Record())
    assert all(found is given for found, given in zip(seen, messages, strict=True))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=4), min_size=1, max_size=6), st.integers(0, 12))
def test_chunking_does_not_matter(chunks: list[bytes], limit: int) -> None:  # threats T20.1
    async def run() -> bool:
        return refused((await exchange(RequestBodyLimitMiddleware(echo, limit), *chunks))[0])

    assert anyio.run(run) is (sum(map(len, chunks)) > limit)


@pytest.mark.anyio
async def test_the_exception_is_an_http_exception() -> None:  # body_limit R7
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with pytest.raises(HTTPException) as caught:
            await receive()
        assert type(caught.value) is TooLarge
        assert (caught.value.status_code, caught.value.detail, caught.value.headers) == (413, "Content Too Large", None)

    sent, _, _ = await exchange(RequestBodyLimitMiddleware(app, 1), b"12")
    assert sent.messages == []
    assert TooLarge().args == ()


@pytest.mark.anyio
async def test_an_excess_after_the_start_is_raised() -> None:  # body_limit R8, threats R04.2
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await receive()

    sent = Record()
    with pytest.raises(HTTPException, match="413: Content Too Large"):
        await RequestBodyLimitMiddleware(app, 1)(http_scope(), body(b"12"), sent)
    assert sent.messages == [START]


@pytest.mark.anyio
async def test_a_413_of_the_user_is_not_ours() -> None:  # body_limit R8
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise HTTPException(413)

    with pytest.raises(HTTPException):
        await exchange(RequestBodyLimitMiddleware(app, 1))


@pytest.mark.anyio
async def test_an_excess_inside_of_a_task_group_is_a_413() -> None:  # threats T20.2
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def child() -> None:
            await receive()

        async with anyio.create_task_group() as group:
            group.start_soon(child)

    assert refused((await exchange(RequestBodyLimitMiddleware(app, 1), b"12"))[0])


@pytest.mark.anyio
async def test_an_error_beside_the_excess_is_raised() -> None:  # body_limit R12
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await receive()
        except HTTPException as exc:
            raise ExceptionGroup("both", [exc, ValueError("x")])

    with pytest.raises(ExceptionGroup):
        await exchange(RequestBodyLimitMiddleware(app, 1), b"12")


@pytest.mark.anyio
async def test_an_application_may_forgive_a_counted_excess() -> None:  # body_limit R10
    sent, _, _ = await exchange(RequestBodyLimitMiddleware(forgiving, 1), b"12")
    assert (sent.status, sent.body) == (200, b"caught 413")


@pytest.mark.anyio
async def test_a_body_that_is_not_read_is_not_counted() -> None:  # body_limit R11
    sent, receive, _ = await exchange(RequestBodyLimitMiddleware(unread, 1), b"12")
    assert (sent.status, receive.calls) == (200, 0)


# --- the declared length


@pytest.mark.anyio
@pytest.mark.parametrize("app", [echo, unread, forgiving])
async def test_a_declared_excess_is_a_413_whatever_happens(app: ASGIApp) -> None:  # R5a, R5b, R10, threats T20.3
    sent, receive, _ = await exchange(RequestBodyLimitMiddleware(app, 5), b"123456", headers=declared(6))
    assert refused(sent)
    assert receive.calls == 0


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("value", "too_large"),
    [
        pytest.param("5", False, id="R5-exactly-the-limit"),
        pytest.param("6", True, id="R5-one-more"),
        pytest.param("0006", True, id="R5-leading-zeros"),
        pytest.param("0" * 5000 + "5", False, id="T12.3-any-number-of-zeros"),
        pytest.param("9" * 5000, True, id="T12.3-any-number-of-digits"),
        pytest.param("0", False, id="R5-zero"),
        pytest.param("", False, id="R5-empty"),
        pytest.param("abc", False, id="R5-no-number"),
        pytest.param("-6", False, id="R5-negative"),
        pytest.param("+6", False, id="D2-sign"),
        pytest.param("6_0", False, id="D2-underscore"),
        pytest.param(" 6 ", False, id="D2-blanks"),
        pytest.param("6.0", False, id="D2-fraction"),
        pytest.param("\xb2\xb3", False, id="D2-other-digits"),
    ],
)
async def test_only_ascii_digits_declare_a_length(value: str, too_large: bool) -> None:
    sent, _, _ = await exchange(RequestBodyLimitMiddleware(unread, 5), headers=declared(value))
    assert refused(sent) is too_large


@pytest.mark.anyio
@pytest.mark.parametrize("value", ["1", "-1", "abc"])
async def test_a_wrong_length_does_not_help(value: str) -> None:  # body_limit R5, threats T20.1
    sent, _, _ = await exchange(RequestBodyLimitMiddleware(echo, 5), b"123456", headers=declared(value))
    assert refused(sent)


@pytest.mark.anyio
async def test_the_first_of_several_lengths_counts() -> None:  # body_limit D7
    sent, _, _ = await exchange(RequestBodyLimitMiddleware(unread, 5), headers=[*declared(1), *declared(9)])
    assert sent.status == 200


@pytest.mark.anyio
async def test_the_application_ends_where_its_response_is_replaced() -> None:  # body_limit R5b
    ran: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.debug", "info": {}})
        try:
            await send(START)
        except Exception as exc:
            ran.append(type(exc).__name__)
            raise
        ran.append("not reached")

    sent, _, _ = await exchange(RequestBodyLimitMiddleware(app, 5), headers=declared(6))
    assert sent.types == ["http.response.debug", "http.response.start", "http.response.body"]
    assert sent.status == 413
    assert ran == ["_RequestBodyLimitResponseSent"]


@pytest.mark.anyio
async def test_an_application_that_goes_on_sends_nothing_more() -> None:  # body_limit R5b, threats R04.2
    failures: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in (START, START, {"type": "http.response.body", "body": b"x"}):
            try:
                await send(message)
            except Exception as exc:
                failures.append(type(exc).__name__)
        await receive()

    sent, _, _ = await exchange(RequestBodyLimitMiddleware(app, 5), headers=declared(6))
    assert refused(sent)
    assert failures == ["_RequestBodyLimitResponseSent"] * 3


@pytest.mark.anyio
async def test_a_replacement_inside_of_a_task_group_ends_quietly() -> None:  # body_limit R5b, threats T20.2
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def child() -> None:
            await send(START)

        async with anyio.create_task_group() as group:
            group.start_soon(child)

    assert refused((await exchange(RequestBodyLimitMiddleware(app, 5), headers=declared(6)))[0])


@pytest.mark.anyio
async def test_an_error_after_the_replacement_is_raised() -> None:  # body_limit R12
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send(START)
        except Exception:
            raise ValueError("of the application")

    sent = Record()
    with pytest.raises(ValueError, match="of the application"):
        await RequestBodyLimitMiddleware(app, 5)(http_scope(headers=declared(6)), body(), sent)
    assert refused(sent)


@pytest.mark.anyio
async def test_without_a_response_nothing_is_sent() -> None:  # body_limit R5c
    async def app(scope: Scope, receive: Receive, send: Send) -> None: ...

    sent, _, _ = await exchange(RequestBodyLimitMiddleware(app, 5), headers=declared(6))
    assert sent.messages == []


@pytest.mark.anyio
async def test_error_handlers_further_in_do_not_see_the_replacement() -> None:  # body_limit D1
    called: list[Exception] = []

    def handler(request: Request, exc: Exception) -> Response:
        called.append(exc)
        return Response(status_code=500)

    app = RequestBodyLimitMiddleware(ServerErrorMiddleware(unread, handler=handler), 5)
    sent, _, _ = await exchange(app, headers=declared(6))
    assert refused(sent)
    assert called == []
    assert Sent.__bases__[0].__bases__ == (Exception,)


@pytest.mark.anyio
async def test_errors_of_the_application_pass() -> None:  # body_limit R12
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("x")

    scope = http_scope()
    with pytest.raises(ValueError, match="x"):
        await RequestBodyLimitMiddleware(app, 5)(scope, body(), Record())
    assert MAX_BODY_SIZE_SCOPE_KEY not in scope
    assert RESPONDER_KEY not in scope


# --- scopes and nesting


@pytest.mark.anyio
@pytest.mark.parametrize("scope", [websocket_scope(), {"type": "lifespan"}], ids=["websocket", "lifespan"])
async def test_other_scopes_pass_untouched(scope: dict[str, Any]) -> None:  # body_limit R3
    before = dict(scope)
    calls: list[Any] = []

    async def app(*connection: Any) -> None:
        calls.append(connection)

    receive, send = Script(), Record()
    await RequestBodyLimitMiddleware(app, 0)(scope, receive, send)
    assert [tuple(map(id, call)) for call in calls] == [(id(scope), id(receive), id(send))]
    assert scope == before


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("outer", "inner", "size", "fits"),
    [
        pytest.param(5, 10, 8, True, id="R13-raised"),
        pytest.param(5, 10, 11, False, id="R13-raised-limit-holds"),
        pytest.param(10, 3, 4, False, id="R13-lowered"),
        pytest.param(10, 3, 3, True, id="R13-lowered-limit-holds"),
    ],
)
@pytest.mark.parametrize("with_length", [True, False])
async def test_an_inner_limit_replaces_the_outer(
    outer: int, inner: int, size: int, fits: bool, with_length: bool
) -> None:  # T20.1
    app = RequestBodyLimitMiddleware(RequestBodyLimitMiddleware(echo, inner), outer)
    headers = declared(size) if with_length else None
    sent, _, _ = await exchange(app, b"x" * size, headers=headers)
    assert refused(sent) is not fits


@pytest.mark.anyio
async def test_entering_a_smaller_limit_too_late_is_an_excess() -> None:  # body_limit R14
    inner = RequestBodyLimitMiddleware(unread, 2)

    async def reading(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["body"] == b"123"
        await inner(scope, receive, send)

    assert refused((await exchange(RequestBodyLimitMiddleware(reading, 5), b"123"))[0])


@pytest.mark.anyio
async def test_reading_before_the_route_is_under_the_outer_limit() -> None:  # body_limit R15
    inner = RequestBodyLimitMiddleware(unread, 10)

    async def reading(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await inner(scope, receive, send)

    assert refused((await exchange(RequestBodyLimitMiddleware(reading, 5), b"123456"))[0])


@pytest.mark.anyio
async def test_the_length_is_compared_with_the_limit_then_in_force() -> None:  # body_limit R16
    sent, _, _ = await exchange(
        RequestBodyLimitMiddleware(RequestBodyLimitMiddleware(unread, 10), 5), headers=declared(8)
    )
    assert sent.status == 200


@pytest.mark.anyio
async def test_the_limit_survives_a_copied_scope() -> None:  # body_limit R17
    inner = RequestBodyLimitMiddleware(echo, 10)

    async def copying(scope: Scope, receive: Receive, send: Send) -> None:
        await inner(dict(scope), receive, send)

    sent, _, _ = await exchange(RequestBodyLimitMiddleware(copying, 5), b"12345678")
    assert sent.body == b"12345678"


@pytest.mark.anyio
@pytest.mark.parametrize("before", [{}, {MAX_BODY_SIZE_SCOPE_KEY: 99}], ids=["absent", "present"])
@pytest.mark.parametrize("fails", [True, False])
async def test_the_scope_names_the_limit_while_it_holds(before: dict[str, int], fails: bool) -> None:  # body_limit R18
    seen: list[Any] = []

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope[MAX_BODY_SIZE_SCOPE_KEY])
        if fails:
            raise ValueError("x")

    inner = RequestBodyLimitMiddleware(noting, 3)

    async def between(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope[MAX_BODY_SIZE_SCOPE_KEY])
        try:
            await inner(scope, receive, send)
        finally:
            seen.append(scope[MAX_BODY_SIZE_SCOPE_KEY])
            assert isinstance(scope[RESPONDER_KEY], RequestBodyLimitResponder)

    scope = {**http_scope(), **before}
    try:
        await RequestBodyLimitMiddleware(between, 5)(scope, body(), Record())
    except ValueError:
        assert fails
    assert seen == [5, 3, 3]
    assert {key: scope[key] for key in scope if key.startswith("starlette.")} == before


@pytest.mark.anyio
async def test_requests_at_the_same_time_share_nothing() -> None:  # body_limit R22, threats R16
    app = RequestBodyLimitMiddleware(echo, 5)
    results: dict[bytes, Record] = {}

    async def one(chunk: bytes) -> None:
        results[chunk] = (await exchange(app, chunk, b""))[0]

    async with anyio.create_task_group() as group:
        for chunk in (b"123456", b"12345", b"1"):
            group.start_soon(one, chunk)
    assert {chunk: refused(sent) for chunk, sent in results.items()} == {b"123456": True, b"12345": False, b"1": False}


@pytest.mark.anyio
async def test_a_responder_knows_its_exchange() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        responder = scope[RESPONDER_KEY]
        assert (responder.scope, responder.receive, responder.send) == (scope, given, sent)
        assert (responder.total_size, responder.content_length, responder.max_body_size) == (2, 2, 5)
        assert responder.response_started is False
        await send(START)
        assert responder.response_started is True

    given, sent = body(b"12"), Record()
    await RequestBodyLimitResponder(app, 5)(http_scope(headers=declared(2)), given, sent)
    assert sent.messages == [START]


@pytest.mark.anyio
async def test_streams_are_not_gathered() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        message = await receive()
        await send({"type": "http.response.body", "body": message["body"], "more_body": True})
        assert sent.messages[-1]["body"] == b"1"
        await receive()

    sent, receive = Record(), body(b"1", b"2", b"3")
    await RequestBodyLimitMiddleware(app, 5)(http_scope(), receive, sent)
    assert receive.calls == 2


# --- in applications


async def count(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


@pytest.mark.anyio
@pytest.mark.parametrize("key", [413, HTTPException], ids=["status", "class"])
async def test_a_handler_answers_what_was_counted_but_not_what_was_declared(key: Any) -> None:  # body_limit R9, R5b
    async def custom(request: Request, exc: Exception) -> Response:
        return PlainTextResponse("custom", status_code=413)

    app = Starlette(routes=[Route("/", count, methods=["POST"])], exception_handlers={key: custom}, max_body_size=3)
    assert (await exchange(app, b"12", b"34"))[0].body == b"custom"
    assert (await exchange(app, b"1234", headers=declared(4)))[0].body == b"Content Too Large"
    assert (await exchange(app, b"123"))[0].body == b"3"


@pytest.mark.anyio
async def test_a_limit_of_one_route_is_complete_by_itself() -> None:  # body_limit R19
    app = Starlette(
        routes=[
            Route("/small", count, methods=["POST"], max_body_size=3),
            Route("/", count, methods=["POST"]),
        ]
    )
    for headers in (None, declared(4)):
        sent, scope = Record(), http_scope("/small", method="POST", headers=headers or [])
        await app(scope, body(b"1234"), sent)
        assert (sent.status, sent.body) == (413, b"Content Too Large")
        assert MAX_BODY_SIZE_SCOPE_KEY not in scope
        assert RESPONDER_KEY not in scope
    assert (await exchange(app, b"1234", headers=declared(4)))[0].body == b"4"


@pytest.mark.anyio
async def test_what_routing_refuses_is_not_under_the_limit_of_a_route() -> None:  # body_limit R20
    def routes() -> list[Route]:
        return [Route("/", count, methods=["POST"], max_body_size=3)]

    for app, statuses in (
        (Starlette(routes=routes()), [405, 404]),
        (Starlette(routes=routes(), max_body_size=3), [413] * 2),
    ):
        found = []
        for scope in (http_scope("/", method="PUT"), http_scope("/nowhere", method="POST")):
            scope["headers"] = declared(4)
            sent = Record()
            await app(scope, body(b"1234"), sent)
            found.append(sent.status)
        assert found == statuses
