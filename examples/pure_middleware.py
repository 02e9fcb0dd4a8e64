"""A middleware in plain ASGI: no request object, no buffering. Run: `uvicorn examples.pure_middleware:app`."""

import time
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class ServerTiming:
    """Tell the client how long it took until the response began, in milliseconds.

    Other scope types than HTTP pass through; the body is not touched, so streams stay streams.
    """

    def __init__(self, app: ASGIApp, clock: Callable[[], float] = time.perf_counter) -> None:
        self.app = app
        self.clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begin = self.clock()

        async def send_timed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Server-Timing"] = f"app;dur={(self.clock() - begin) * 1000:.1f}"
            await send(message)

        await self.app(scope, receive, send_timed)


async def homepage(request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


app = Starlette(routes=[Route("/", homepage)], middleware=[Middleware(ServerTiming)])


def check(client: TestClient) -> None:
    name, _, value = client.get("/").headers["server-timing"].partition(";dur=")
    assert name == "app"
    assert float(value) >= 0
    assert "server-timing" in client.get("/nowhere").headers

    ticks = iter([1.0, 1.5])
    exact = TestClient(ServerTiming(app.router, clock=lambda: next(ticks)))
    assert exact.get("/").headers["server-timing"] == "app;dur=500.0"
