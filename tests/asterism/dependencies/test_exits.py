"""Cleaning up: when, in which order, and what the generators see of an error."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, Any

import pytest

from asterism.dependencies import Depends, inject
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket
from tests.asgi import Record, body, call, http_scope
from tests.asterism.dependencies.providers import JOURNAL, blocking, journal, session

Session = Annotated[str, Depends(session)]
Early = Annotated[str, Depends(session, scope="endpoint")]
Blocking = Annotated[str, Depends(blocking)]


class Noted(Response):
    """A response that notes when it is sent."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        JOURNAL.append("sent")
        await super().__call__(scope, receive, send)


def serving(function: Any) -> Starlette:
    return Starlette(routes=[Route("/", inject(function))])


@asynccontextmanager
async def managed(session: Session) -> AsyncIterator[str]:
    JOURNAL.append("open managed")
    yield f"managed {session}"
    JOURNAL.append("close managed")


@contextmanager
def managed_blocking(thread: Annotated[int, Depends(threading.get_ident, thread=False)]) -> Iterator[bool]:
    yield thread != threading.get_ident()
    JOURNAL.append("close blocking")


Managed = Annotated[str, Depends(managed)]
ManagedBlocking = Annotated[bool, Depends(managed_blocking)]


async def endpoint(session: Session) -> Response:
    JOURNAL.append("endpoint")
    return Noted("text", headers={"x-a": "b"})


async def early(session: Early) -> Response:
    return Noted()


async def nested(first: Session, second: Blocking) -> Response:
    return Noted()


async def both(late: Blocking, soon: Early) -> Response:
    return Noted()


async def failing(first: Blocking, second: Session) -> Response:
    raise HTTPException(409)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        pytest.param(endpoint, ["open session", "endpoint", "sent", "close session"], id="after-the-response"),
        pytest.param(early, ["open session", "close session", "sent"], id="before-it"),
        pytest.param(
            nested,
            ["open session", "open blocking", "sent", "close blocking", "close session"],
            id="last-opened-first-closed",
        ),
        pytest.param(
            both, ["open blocking", "open session", "close session", "sent", "close blocking"], id="both-scopes"
        ),
    ],
)
@pytest.mark.anyio
async def test_when_dependencies_are_closed(function: Any, expected: list[str]) -> None:
    with journal() as found:
        assert (await call(serving(function))).status == 200
        assert found == expected


@pytest.mark.anyio
async def test_functions_that_are_context_managers_already() -> None:
    async def show(managed: Managed, in_thread: ManagedBlocking) -> Response:
        return PlainTextResponse(f"{managed} {in_thread}")

    with journal() as found:
        assert (await call(serving(show))).body == b"managed session True"
        assert found == ["open session", "open managed", "close blocking", "close managed", "close session"]


@pytest.mark.anyio
async def test_generators_see_the_error_of_the_endpoint_before_it_is_answered() -> None:
    with journal() as found:
        assert (await call(serving(failing))).status == 409
        assert found == [
            "open blocking",
            "open session",
            "session sees HTTPException",
            "close session",
            "blocking sees HTTPException",
            "close blocking",
        ]


@pytest.mark.anyio
async def test_generators_see_the_error_of_sending() -> None:
    async def broken(message: Any) -> None:
        raise OSError("gone")

    with journal() as found:
        with pytest.raises(OSError, match="gone"):
            await serving(endpoint)(http_scope(), body(), broken)
        assert found[-2:] == ["session sees OSError", "close session"]


@pytest.mark.anyio
async def test_an_error_of_cleaning_up_early_becomes_the_answer() -> None:
    async def commit() -> AsyncIterator[int]:
        yield 1
        raise HTTPException(503)

    async def show(late: Session, value: Annotated[int, Depends(commit, scope="endpoint")]) -> Response:
        return Noted()

    show.__annotations__["value"] = Annotated[int, Depends(commit, scope="endpoint")]
    with journal() as found:
        assert (await call(serving(show))).status == 503
        assert found == ["open session", "session sees HTTPException", "close session"]


async def swallow() -> AsyncIterator[int]:
    try:
        yield 1
    except HTTPException:
        JOURNAL.append("swallowed")


async def replace() -> AsyncIterator[int]:
    try:
        yield 1
    except HTTPException:
        raise HTTPException(410) from None


async def swallowing(late: Session, value: Annotated[int, Depends(swallow)]) -> Response:
    raise HTTPException(409)


async def replacing(late: Session, value: Annotated[int, Depends(replace, scope="endpoint")]) -> Response:
    raise HTTPException(409)


@pytest.mark.parametrize(
    ("function", "status", "seen"),
    [
        pytest.param(swallowing, 409, ["swallowed", "session sees"], id="swallowed"),
        pytest.param(replacing, 410, ["session sees HTTPException"], id="replaced"),
    ],
)
@pytest.mark.anyio
async def test_what_generators_do_with_an_error(function: Any, status: int, seen: list[str]) -> None:
    with journal() as found:
        assert (await call(serving(function))).status == status
        assert seen[0] in found


@pytest.mark.anyio
async def test_a_stream_is_over_before_its_dependencies_close() -> None:
    async def pieces(name: str) -> AsyncIterator[str]:
        yield name
        JOURNAL.append("streamed")

    async def show(session: Session) -> Response:
        return StreamingResponse(pieces(session))

    with journal() as found:
        assert (await call(serving(show))).body == b"session"
        assert found == ["open session", "streamed", "close session"]


def test_blocking_generators_run_in_worker_threads() -> None:
    seen: list[bool] = []

    def opened() -> Iterator[int]:
        seen.append(threading.current_thread() is threading.main_thread())
        yield threading.get_ident()
        seen.append(threading.current_thread() is threading.main_thread())

    async def show(value: int, here: int) -> Response:
        return PlainTextResponse(str(here == threading.get_ident()))

    show.__annotations__["value"] = Annotated[int, Depends(opened)]
    show.__annotations__["here"] = Annotated[int, Depends(opened, thread=False, cache=False)]
    assert TestClient(serving(show)).get("/").text == "True"
    assert len(seen) == 4


@pytest.mark.anyio
async def test_what_the_response_is_can_still_be_seen() -> None:
    response = await inject(endpoint)(Request(http_scope()))
    assert (response.status_code, response.headers["x-a"]) == (200, "b")
    response.status_code = 202
    with journal() as found:
        sent = Record()
        await response(http_scope(), body(), sent)
        assert sent.status == 202
        assert found == ["sent", "close session"]


@pytest.mark.parametrize("fails", [False, True])
def test_dependencies_of_a_websocket_close_at_its_end(fails: bool) -> None:
    async def talk(websocket: WebSocket, first: Session, second: Annotated[str, Depends(blocking)]) -> None:
        await websocket.accept()
        if fails:
            raise LookupError
        await websocket.close()

    app = Starlette(routes=[WebSocketRoute("/", inject(talk))])
    with journal() as found:
        try:
            with TestClient(app).websocket_connect("/"):
                pass
        except LookupError:
            found.append("failed")
        closed = ["close blocking", "close session"]
        assert [line for line in found if line.startswith("close")] == closed
        assert ("failed" in found, "session sees LookupError" in found) == (fails, fails)
