"""Errors of every kind, raised at every place, with handlers of every kind around."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import anyio
import anyio.lowlevel

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException, WebSocketException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from tests.differential.transcript import described, note


class Teapot(HTTPException):
    """A subclass."""


class Missing(LookupError):
    """An error of the user with a status that means nothing."""

    status_code = 404


ERRORS: dict[str, Callable[[], BaseException]] = {
    "404": lambda: HTTPException(404),
    "404 text": lambda: HTTPException(404, "gone <b>"),
    "401 headers": lambda: HTTPException(401, headers={"WWW-Authenticate": "Basic", "X": "1"}),
    "204": lambda: HTTPException(204, headers={"x": "1"}),
    "304": lambda: HTTPException(304, "not shown"),
    "200": lambda: HTTPException(200, headers={"content-type": "text/x"}),
    "205": lambda: HTTPException(205),
    "413": lambda: HTTPException(413),
    "422": lambda: HTTPException(422),
    "499": lambda: HTTPException(499),
    "500": lambda: HTTPException(500),
    "empty": lambda: HTTPException(400, ""),
    "teapot": lambda: Teapot(418, detail="short"),
    "websocket": lambda: WebSocketException(1008, "policy"),
    "websocket plain": lambda: WebSocketException(code=1003),
    "disconnect": lambda: WebSocketDisconnect(1001, "left"),
    "value": lambda: ValueError("a value"),
    "key": lambda: KeyError("k"),
    "missing": lambda: Missing("m"),
    "group": lambda: ExceptionGroup("several", [ValueError("1"), HTTPException(404)]),
    "cause": lambda: _with_cause(),
}


def _with_cause() -> Exception:
    error = ValueError("an effect")
    error.__cause__ = OSError("a cause")
    return error


KEYS: dict[str, Any] = {
    "404": 404,
    "405": 405,
    "418": 418,
    "500": 500,
    "413": 413,
    "HTTPException": HTTPException,
    "Teapot": Teapot,
    "Exception": Exception,
    "LookupError": LookupError,
    "ValueError": ValueError,
    "WebSocketException": WebSocketException,
    "ExceptionGroup": ExceptionGroup,
    "RuntimeError": RuntimeError,
    "WebSocketDisconnect": WebSocketDisconnect,
    "OSError": OSError,
}


def handler(key: str, kind: str) -> Any:
    """Return a handler of a kind that notes what it was given."""

    def told(connection: Any, error: Exception) -> None:
        note("handler", key, kind, type(connection).__name__, connection.url.path, described(error))

    async def answers(connection: Any, error: Exception) -> Response:
        told(connection, error)
        return JSONResponse(
            {"handler": key}, status_code=getattr(error, "status_code", 500), headers={"x-handler": kind}
        )

    def in_thread(connection: Any, error: Exception) -> Response:
        told(connection, error)
        return PlainTextResponse(
            f"thread {key}", status_code=599, background=BackgroundTask(note, "handler's background")
        )

    async def nothing(connection: Any, error: Exception) -> None:
        told(connection, error)

    async def raises(connection: Any, error: Exception) -> None:
        told(connection, error)
        raise RuntimeError("the handler failed")

    async def again(connection: Any, error: Exception) -> None:
        told(connection, error)
        raise error

    async def other(connection: Any, error: Exception) -> None:
        told(connection, error)
        raise HTTPException(418, "from the handler")

    async def reads(connection: Any, error: Exception) -> Response:
        told(connection, error)
        return PlainTextResponse(b"read " + await connection.body())

    async def closes(connection: Any, error: Exception) -> None:
        told(connection, error)
        await connection.close(4000, "by the handler")

    def closes_in_thread(connection: Any, error: Exception) -> None:
        told(connection, error)
        anyio.from_thread.run(connection.close, 1013)

    kinds = [answers, in_thread, nothing, raises, again, other, reads, closes, closes_in_thread]
    return {function.__name__: function for function in kinds}[kind]


class Raising:
    """A middleware that raises on the way in."""

    def __init__(self, app: ASGIApp, error: str) -> None:
        self.app = app
        self.error = error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        else:
            raise ERRORS[self.error]()


def routes(error: str) -> list[Any]:
    """Routes that raise the error at different places; each path names its place."""

    async def function(request: Request) -> Response:
        raise ERRORS[error]()

    def thread(request: Request) -> Response:
        raise ERRORS[error]()

    async def body(request: Request) -> Response:
        note("body", await request.body())
        raise ERRORS[error]()

    class View(HTTPEndpoint):
        async def get(self, request: Request) -> Response:
            raise ERRORS[error]()

        async def post(self, request: Request) -> Response:
            note("body", await request.body())
            raise ERRORS[error]()

    async def raw(scope: Scope, receive: Receive, send: Send) -> None:
        raise ERRORS[error]()

    async def started(request: Request) -> Response:
        async def response(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise ERRORS[error]()

        return response  # type: ignore[return-value]  # any application will do

    async def complete(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("complete")(scope, receive, send)
        raise ERRORS[error]()

    async def background(request: Request) -> Response:
        def fails() -> None:
            raise ERRORS[error]()

        return PlainTextResponse("before", background=BackgroundTask(fails))

    async def nothing(request: Request) -> Any:
        return None

    async def before(websocket: WebSocket) -> None:
        raise ERRORS[error]()

    async def after(websocket: WebSocket) -> None:
        await websocket.accept()
        raise ERRORS[error]()

    async def closed(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()
        raise ERRORS[error]()

    methods = ["GET", "POST"]
    inner = [Route("/function", function), Route("/view", View), WebSocketRoute("/before", before)]
    return [
        Route("/function", function, methods=methods),
        Route("/thread", thread, methods=methods),
        Route("/body", body, methods=methods),
        Route("/view", View),
        Mount("/raw", raw),
        Route("/started", started, methods=methods),
        Mount("/complete", complete),
        Route("/background", background, methods=methods),
        Route("/nothing", nothing),
        Route("/middleware", nothing, middleware=[Middleware(Raising, error=error)]),
        WebSocketRoute("/before", before),
        WebSocketRoute("/after", after),
        WebSocketRoute("/closed", closed),
        Mount("/router", Router(inner)),
        Mount("/application", Starlette(routes=inner)),
    ]


def application(
    error: str, handlers: Sequence[tuple[str, str]] = (), debug: bool = False, outside: bool = False
) -> ASGIApp:
    """An application with the routes, handlers as pairs of key and kind, and maybe a middleware that raises."""
    return Starlette(
        debug=debug,
        routes=routes(error),
        exception_handlers={KEYS[key]: handler(key, kind) for key, kind in handlers},
        middleware=[Middleware(Raising, error=error)] if outside else [],
    )


def bare(error: str) -> ASGIApp:
    """A router without any error layer."""
    return Router(routes(error))


def described_exceptions() -> ASGIApp:
    """Tells the texts of exceptions."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await anyio.lowlevel.checkpoint()
        for name, make in ERRORS.items():
            error = make()
            note(name, type(error).__mro__[1].__name__, str(error), [str(item) for item in error.args])
            note([getattr(error, key, None) for key in ("status_code", "detail", "headers", "code", "reason")])
            if name not in {"group"}:
                note(repr(error))

    return application
