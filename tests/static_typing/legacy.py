"""What the earlier API promises to type checkers. Checked, never run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, BinaryIO, assert_type

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Router
from starlette.testclient import TestClient
from starlette.types import ASGIApp
from starlette.websockets import WebSocket


class Page(HTTPEndpoint): ...


class Echo(WebSocketEndpoint): ...


def blocking(request: Request) -> Response: ...  # type: ignore[empty-body]


async def socket(websocket: WebSocket) -> None: ...


def start() -> None: ...


async def stop() -> None: ...


async def around(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    return await call_next(request)


async def on_error(request: Request, exc: ValueError) -> Response: ...  # type: ignore[empty-body]


def decorators(app: Starlette, router: Router) -> None:
    assert_type(app.route("/", methods=["GET"])(blocking)(Request({})), Response)
    assert_type(router.route("/")(Page), type[Page])
    assert_type(app.websocket_route("/ws", name="live")(Echo), type[Echo])
    router.websocket_route("/ws")(socket)
    app.add_websocket_route("/ws", Echo)
    app.middleware("http")(around)
    app.exception_handler(ValueError)(on_error)
    assert_type(app.on_event("startup")(start), Callable[[], None])
    router.on_event("shutdown")(stop)
    app.add_event_handler("startup", start)
    assert_type(router.on_startup, list[Callable[[], Any]])


def constructors() -> None:
    Starlette(on_startup=[start], on_shutdown=(stop,))
    Router(on_startup=[start, stop])
    Starlette(on_startup=[around])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]


def names(app: ASGIApp, client: TestClient, file: BinaryIO) -> None:
    ExceptionMiddleware(app)
    UploadFile("cat.png", file, "image/png")
    UploadFile(filename="cat.png")
    client.request("GET", "/", allow_redirects=False)
