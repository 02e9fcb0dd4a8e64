"""What idle connections cost: memory for each, framework and task together, and none of it when they are over."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from anyio import wait_all_tasks_blocked

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Message, Receive, Scope
from starlette.websockets import WebSocket
from tests.asgi import Script, http_scope, websocket_scope

KILOBYTE = 1024

# The smaller number and the larger one of connections that are open at the same time.
FEW, MANY = 125, 500


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)


async def events(request: Request) -> StreamingResponse:
    """Send one event and then none, as most event streams do most of the time."""

    async def feed() -> AsyncIterator[bytes]:
        yield b"data: hello\n\n"
        await anyio.sleep_forever()

    return StreamingResponse(feed(), media_type="text/event-stream")


class Passing(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        return await call_next(request)


ROUTES = [WebSocketRoute("/echo", echo), Route("/events", events)]
PLAIN = Starlette(routes=ROUTES)
LAYERED = Starlette(routes=ROUTES, middleware=[Middleware(Passing)])


def socket_ends() -> tuple[Scope, Receive]:
    return websocket_scope("/echo", state={}), Script({"type": "websocket.connect"})


def stream_ends(version: str) -> tuple[Scope, Receive]:
    scope = http_scope("/events", state={}, asgi={"version": "3.0", "spec_version": version})
    return scope, Script({"type": "http.request", "body": b"", "more_body": False})


# The application, what a server makes for each connection, and the most bytes that one may hold.
CASES = [
    pytest.param(PLAIN, socket_ends, 16 * KILOBYTE, id="websocket"),
    # Before ASGI 2.4 somebody has to listen for the disconnect, which takes two tasks more.
    pytest.param(PLAIN, lambda: stream_ends("2.3"), 25 * KILOBYTE, id="event-stream"),
    pytest.param(PLAIN, lambda: stream_ends("2.4"), 25 * KILOBYTE, id="event-stream-asgi-2.4"),
    pytest.param(LAYERED, lambda: stream_ends("2.3"), 52 * KILOBYTE, id="event-stream-behind-base"),
    pytest.param(LAYERED, lambda: stream_ends("2.4"), 52 * KILOBYTE, id="event-stream-behind-base-asgi-2.4"),
]


@pytest.fixture
def traced() -> Iterator[None]:
    """Trace allocations during the test."""
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


def held() -> int:
    """Return the bytes in use, garbage collected."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@asynccontextmanager
async def idle(app: Starlette, ends: Callable[[], tuple[Any, Receive]], number: int) -> AsyncIterator[None]:
    """Hold `number` connections open that have got their first message; cancel them afterwards, as a server does."""
    begun = 0

    async def send(message: Message) -> None:
        nonlocal begun
        begun += message["type"] in ("websocket.accept", "http.response.body")

    async with anyio.create_task_group() as group:
        for _ in range(number):
            group.start_soon(app, *ends(), send)
        await wait_all_tasks_blocked()
        assert begun == number
        yield
        group.cancel_scope.cancel()


@pytest.mark.anyio
@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize(("app", "ends", "limit"), CASES)
async def test_an_idle_connection_costs_little_and_gives_it_back(
    app: Starlette, ends: Callable[[], tuple[Any, Receive]], limit: int
) -> None:  # threats R09.1
    async def cost(number: int) -> tuple[float, float]:
        before = held()
        async with idle(app, ends, number):
            during = held()
        await wait_all_tasks_blocked()
        return (during - before) / number, (held() - before) / number

    await cost(MANY)  # what is made once
    of_few, _ = await cost(FEW)
    of_many, left = await cost(MANY)
    assert of_many < limit
    # Linear: each of many costs what each of few does.
    assert of_many < 1.1 * of_few
    # Nothing stays of a connection. Tables of tasks grow in some rounds and shrink in others; a leak shows in all.
    rounds = [left]
    while rounds[-1] >= 16 and len(rounds) < 6:
        rounds.append((await cost(MANY))[1])
    assert min(rounds) < 16
