"""Route tables as data, with endpoints that tell what reached them; and reverse lookup."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Host, Mount, NoMatchFound, Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket
from tests.differential.transcript import described, note

Row = Sequence[Any]


class YearConvertor(Convertor[int]):
    """Four digits; 0000 cannot be converted."""

    regex = "[0-9]{4}"

    def convert(self, value: str) -> int:
        if value == "0000":
            raise LookupError("there is no year 0")
        return int(value)

    def to_string(self, value: int) -> str:
        return f"{value:04d}"


class HexConvertor(Convertor[int]):
    """Hexadecimal, with groups inside its pattern."""

    regex = "(0x)?([0-9a-f]+)"

    def convert(self, value: str) -> int:
        return int(value, 16)

    def to_string(self, value: int) -> str:
        return hex(value)


def register() -> None:
    """Make the convertors known; again for each application, as registering is idempotent."""
    register_url_convertor("year", YearConvertor())
    register_url_convertor("hex", HexConvertor())


def seen(scope: Scope, name: str) -> dict[str, Any]:
    """What an endpoint can see of the routing."""
    route = scope.get("route")
    return {
        "endpoint": name,
        "params": {key: repr(value) for key, value in scope.get("path_params", {}).items()},
        "root_path": scope.get("root_path"),
        "app_root_path": scope.get("app_root_path"),
        "path": scope["path"],
        "route": getattr(route, "path", None) or getattr(route, "host", None),
        "kinds": [type(scope.get(key)).__name__ for key in ("app", "router", "route")],
    }


def function(name: str) -> Callable[..., Any]:
    """Return an endpoint function with a name of its own."""

    async def endpoint(request: Request) -> Response:
        return JSONResponse(seen(request.scope, name))

    endpoint.__name__ = name
    return endpoint


def session(name: str) -> Callable[..., Any]:
    """Return a WebSocket endpoint function."""

    async def endpoint(websocket: WebSocket) -> None:
        note(seen(websocket.scope, name))
        await websocket.close()

    endpoint.__name__ = name
    return endpoint


def view(name: str, methods: Sequence[str]) -> type[HTTPEndpoint]:
    """Return an `HTTPEndpoint` class with these methods."""

    async def answer(self: HTTPEndpoint, request: Request) -> Response:
        return JSONResponse(seen(request.scope, name))

    return type(name, (HTTPEndpoint,), dict.fromkeys(methods, answer))


def raw(name: str) -> ASGIApp:
    """Return an application that is no function, for mounts."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        note(seen(scope, name))
        if scope["type"] == "http":
            await PlainTextResponse(name)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 4000, "reason": name})

    return application


class Stamp:
    """A pure middleware that notes that it was passed, and adds a header."""

    def __init__(self, app: ASGIApp, name: str) -> None:
        self.app = app
        self.name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        note("through", self.name, scope["type"])

        async def stamped(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-through", self.name.encode()))
            await send(message)

        await self.app(scope, receive, stamped)


def stamps(names: Sequence[str]) -> list[Middleware]:
    """Return middlewares of these names, the first one outermost."""
    return [Middleware(Stamp, name=name) for name in names]


def made(row: Row) -> Any:
    """Return the route that a row of data describes."""
    kind, path, *rest = row
    options = dict(rest.pop()) if rest and isinstance(rest[-1], dict) else {}
    if "middleware" in options:
        options["middleware"] = stamps(options["middleware"])
    name = options.get("name") or f"{kind} {path}"
    if kind == "route":
        return Route(path, function(name), **options)
    if kind == "class":
        return Route(path, view("View", rest[0]), **options)
    if kind == "ws":
        return WebSocketRoute(path, session(name), **options)
    if kind == "wsclass":
        return WebSocketRoute(path, type("Socket", (WebSocketEndpoint,), {}), **options)
    if kind == "mount":
        return Mount(path, routes=[made(inner) for inner in rest[0]], **options)
    if kind == "application":
        return Mount(path, app=Starlette(routes=[made(inner) for inner in rest[0]]), **options)
    if kind == "raw":
        return Mount(path, app=raw(name), **options)
    if kind == "host":
        return Host(path, app=Router([made(inner) for inner in rest[0]]), **options)
    raise LookupError(kind)


def table(rows: Sequence[Row], bare: bool = False, middleware: Sequence[str] = (), **options: Any) -> ASGIApp:
    """An application, or a bare router, with the routes of a table."""
    register()
    routes = [made(row) for row in rows]
    if bare:
        return Router(routes, middleware=stamps(middleware), **options)
    app = Starlette(routes=routes, middleware=stamps(middleware))
    for name, value in options.items():
        setattr(app.router, name, value)
    return app


def standalone(row: Row) -> ASGIApp:
    """A route that is called as an application itself."""
    register()
    application: ASGIApp = made(row)
    return application


async def _default(scope: Scope, receive: Receive, send: Send) -> None:
    note("default", scope["type"])
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 4404, "reason": ""})
    else:
        await PlainTextResponse("default", status_code=410)(scope, receive, send)


def with_default(rows: Sequence[Row]) -> ASGIApp:
    """A router with a default of its own."""
    return Router([made(row) for row in rows], default=_default)


def reverse(rows: Sequence[Row], lookups: Sequence[tuple[str, dict[str, Any]]], at: str = "/at") -> ASGIApp:
    """An application that looks names up, as paths and as URLs."""
    register()
    routes = [made(row) for row in rows]

    async def endpoint(request: Request) -> Response:
        for name, params in lookups:
            try:
                path = request.app.url_path_for(name, **params)
                note(name, params, "path", str(path), path.protocol, path.host)
            except Exception as error:
                note(name, params, "raised", described(error))
                if isinstance(error, NoMatchFound):
                    continue
            try:
                note("url", str(request.url_for(name, **params)))
            except Exception as error:
                note("url raised", described(error))
        return PlainTextResponse("done")

    return Starlette(routes=[Route(at, endpoint), *routes])


def changing(rows: Sequence[Row], added: Sequence[Row]) -> ASGIApp:
    """An application whose first request adds routes, and is then routed again."""
    app = Starlette(routes=[made(row) for row in rows])

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        async def unheard(message: Any) -> None:
            note("first", message["type"])

        await app(dict(scope), receive, unheard)
        app.router.routes.extend(made(row) for row in added)
        await app(scope, receive, send)

    return application


def handled(rows: Sequence[Row], statuses: Sequence[int]) -> ASGIApp:
    """An application with handlers for the statuses that routing raises."""

    async def handler(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return JSONResponse({"handled": str(error), "path": request.url.path}, error.status_code, error.headers)

    return Starlette(routes=[made(row) for row in rows], exception_handlers=dict.fromkeys(statuses, handler))


def description(rows: Sequence[Row]) -> ASGIApp:
    """Tells the text and equality of routes."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        register()
        for row in rows:
            try:
                route = made(row)
            except Exception as error:
                note(row, "raised", described(error))
                continue
            again = made(row)
            note(repr(route) if row[0] in {"route", "ws", "class"} else type(route).__name__, route == again)
            for name in ("path", "host", "name", "methods", "path_format", "host_format"):
                value = getattr(route, name, None)
                note(name, sorted(value) if isinstance(value, set) else value)
            note("convertors", {key: type(value).__name__ for key, value in route.param_convertors.items()})

    return application
