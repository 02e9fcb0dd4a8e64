"""How many Python calls a request costs: the price list of the hot paths.

A number that rises is a slower path; find what was added. A number that drops is a gain; write it down, and say so in
the commit. `python -m tests.architecture.test_ledger` prints the table anew.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest

import asterism
import starlette
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from tests.asgi import http_scope, websocket_scope

# Calls of functions of ours, as CPython 3.11 counts them: each resumption of a coroutine is one.
LEDGER: Final[dict[str, int]] = {
    "hello, JSON": 10,
    "path, query and header parameters": 20,
    "no route": 13,
    "wrong method": 15,
    "slash redirect": 30,
    "handled HTTPException": 10,
    "two mounts": 12,
    "last of 1,000 static routes": 9,
    "request body": 11,
    "five middlewares": 12,
    "plain router": 9,
    "websocket, one echo": 33,
}

# What other versions count otherwise.
OTHERWISE: Final[dict[tuple[int, int], dict[str, int]]] = {(3, 13): {"slash redirect": 28}}
COUNTED: Final = [(3, 11), (3, 12), (3, 13)]

PACKAGES: Final = tuple(str(Path(str(package.__file__)).parent) for package in (starlette, asterism))


class Passing:
    """The least that a middleware can do."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


async def hello(request: Request) -> Response:
    return PlainTextResponse("hello")


async def hello_json(request: Request) -> Response:
    return JSONResponse({"hello": "world"})


async def parameters(request: Request) -> Response:
    text = f"{request.path_params['n']} {request.query_params['q']} {request.headers['x-token']}"
    return PlainTextResponse(text)


async def forbidden(request: Request) -> Response:
    raise HTTPException(403)


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())
    await websocket.close()


async def read_body(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


def application() -> Starlette:
    static = [Route(f"/static/{number}", hello) for number in range(1000)]
    routes = [
        Route("/json", hello_json),
        Route("/item/{n:int}", parameters),
        Route("/forbidden", forbidden),
        Route("/body", read_body, methods=["POST"]),
        WebSocketRoute("/echo", echo),
        Mount("/outer", routes=[Mount("/inner", routes=[Route("/{name}", hello)])]),
        *static,
    ]
    return Starlette(routes=routes)


def layered() -> Starlette:
    return Starlette(routes=[Route("/", hello)], middleware=[Middleware(Passing)] * 5)


# Name: application, scope, and the status that shows the right thing was counted (101: a websocket).
REQUESTS: Final[dict[str, tuple[Callable[[], ASGIApp], Callable[[], Any], int]]] = {
    "hello, JSON": (application, lambda: http_scope("/json"), 200),
    "path, query and header parameters": (
        application,
        lambda: http_scope("/item/7", query_string=b"q=1", headers=[(b"host", b"h"), (b"x-token", b"t")]),
        200,
    ),
    "no route": (application, lambda: http_scope("/absent"), 404),
    "wrong method": (application, lambda: http_scope("/json", method="DELETE"), 405),
    "slash redirect": (application, lambda: http_scope("/json/"), 307),
    "handled HTTPException": (application, lambda: http_scope("/forbidden"), 403),
    "two mounts": (application, lambda: http_scope("/outer/inner/x"), 200),
    "last of 1,000 static routes": (application, lambda: http_scope("/static/999"), 200),
    "request body": (application, lambda: http_scope("/body", method="POST"), 200),
    "five middlewares": (layered, http_scope, 200),
    "plain router": (lambda: Router([Route("/", hello)]), http_scope, 200),
    "websocket, one echo": (application, lambda: websocket_scope("/echo"), 101),
}


def drive(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never has to wait, without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("the request waited for something; it cannot be counted")


def exchange(app: ASGIApp, scope: Scope) -> list[Message]:
    sent: list[Message] = []
    if scope["type"] == "http":
        waiting: list[Message] = [{"type": "http.request", "body": b"data", "more_body": False}]
    else:
        waiting = [{"type": "websocket.receive", "text": "hi"}, {"type": "websocket.connect"}]

    async def receive() -> Message:
        return waiting.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    drive(app(scope, receive, send))  # type: ignore[arg-type]
    return sent


def count(name: str) -> int:
    """Return the calls of one request, after two that let everything be built that is built once."""
    make, scope, status = REQUESTS[name]
    app = make()
    calls = 0

    def profile(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGES):
            calls += 1

    for _ in range(2):
        exchange(app, scope())
    measured = scope()
    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        sent = exchange(app, measured)
    finally:
        sys.setprofile(before)
    assert sent[0].get("status", 101) == status
    return calls


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_costs_what_the_ledger_says(name: str) -> None:
    calls = count(name)
    version = sys.version_info[:2]
    if version in COUNTED:
        told = OTHERWISE.get(version, {}).get(name, LEDGER[name])
        assert calls == told, "update LEDGER: python -m tests.architecture.test_ledger"
    else:
        assert calls <= LEDGER[name]


def main() -> None:
    """Print the table, to be pasted over the one above."""
    print("LEDGER: Final[dict[str, int]] = {")
    for name in REQUESTS:
        print(f'    "{name}": {count(name)},')
    print("}")


if __name__ == "__main__":
    main()
