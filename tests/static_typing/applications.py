"""Types of applications, routes, middleware and lifespans. Checked by mypy and pyright, never run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypedDict, assert_type

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.datastructures import URLPath
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Host, Mount, Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send
from starlette.websockets import WebSocket


class Shared(TypedDict):
    count: int


class Labelling:
    def __init__(self, app: ASGIApp, label: str, *, times: int = 1) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def made(app: ASGIApp, label: str) -> ASGIApp:
    return app


def middleware(app: Starlette) -> None:
    Middleware(Labelling, "a")
    Middleware(Labelling, label="a", times=2)
    Middleware(made, "a")
    Middleware(Labelling)  # type: ignore[call-arg]
    Middleware(Labelling, 1)  # type: ignore[arg-type]
    Middleware(Labelling, "a", size=2)  # type: ignore[call-arg]
    Middleware(made, label=1)  # type: ignore[arg-type]
    app.add_middleware(Labelling, "a", times=3)
    app.add_middleware(Labelling, times="3")  # type: ignore[call-arg, arg-type]


async def page(request: Request) -> Response:
    return PlainTextResponse("x")


def blocking(request: Request) -> JSONResponse:
    return JSONResponse({})


async def socket(websocket: WebSocket) -> None: ...


async def plain_handler(request: Request, exc: Exception) -> Response:
    return PlainTextResponse("x")


def blocking_handler(request: Request, exc: Exception) -> Response:
    return PlainTextResponse("x")


async def socket_handler(websocket: WebSocket, exc: Exception) -> None: ...


def routes() -> Starlette:
    found: list[BaseRoute] = [
        Route("/", page, methods=["GET"]),
        Route("/sync", blocking, name="sync"),
        WebSocketRoute("/ws", socket),
        Mount("/m", routes=[Route("/", page)], middleware=[Middleware(Labelling, "a")]),
        Mount("/app", Labelling(Router(), "a")),
        Host("h.example", Router([Route("/", page)])),
    ]
    app = Starlette(
        debug=True,
        routes=found,
        exception_handlers={404: plain_handler, HTTPException: blocking_handler, KeyError: socket_handler},
        max_body_size=10,
    )
    assert_type(app.routes, list[BaseRoute])
    assert_type(app.url_path_for("name", name=1), URLPath)
    assert_type(app.router, Router)
    app.add_exception_handler(500, plain_handler)
    Route(1, page)  # type: ignore[arg-type]
    Starlette(routes=[page])  # type: ignore[list-item]
    asgi: ASGIApp = app
    asgi = PlainTextResponse("a response is an application")
    asgi = page  # type: ignore[assignment]
    del asgi
    return app


def parts(route: Route, mount: Mount) -> None:
    assert_type(route.path_regex, re.Pattern[str])
    assert_type(mount.path_regex, re.Pattern[str])
    assert_type(route.methods, set[str] | None)
    assert_type(route.name, str)
    route.path_regex = re.compile("^/$")


class Special(Starlette):
    extra: int = 1


@asynccontextmanager
async def stateless(app: Starlette) -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def stateful(app: Starlette) -> AsyncIterator[Shared]:
    yield {"count": 1}


@asynccontextmanager
async def mapping(app: Starlette) -> AsyncIterator[Mapping[str, Any]]:
    yield {"count": 1}


@asynccontextmanager
async def of_subclass(app: Special) -> AsyncIterator[None]:
    assert_type(app.extra, int)
    yield


def lifespans() -> None:
    Starlette(lifespan=stateless)
    Starlette(lifespan=stateful)
    Starlette(lifespan=mapping)
    Special(lifespan=of_subclass)
    Special(lifespan=stateless)
    Router(lifespan=stateless)
    named: Lifespan[Starlette] = stateful
    Starlette(lifespan=named)
    Starlette(lifespan=42)  # type: ignore[arg-type]


async def work(number: int, *, text: str) -> None: ...


def background() -> None:
    BackgroundTask(work, 1, text="a")
    BackgroundTask(work, "a", text="a")  # type: ignore[arg-type]
    BackgroundTask(work, 1)  # type: ignore[call-arg]
    response = PlainTextResponse("x", 201, {"a": "b"}, background=BackgroundTask(work, 1, text="a"))
    assert_type(response.headers.get("a"), str | None)
    assert_type(response.status_code, int)
    response.set_cookie("a", samesite="other")  # type: ignore[arg-type]
