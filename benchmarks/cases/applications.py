"""Whole requests through an application: routing, mounts, middleware, errors."""

from __future__ import annotations

import importlib
from typing import Any

from benchmarks.case import App, Case, Repeat, Work, answer, get


async def bare_asgi(scope: Any, receive: Any, send: Any) -> None:
    """The floor: what no framework can be faster than."""
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


class Passing:
    """The least that a middleware can do."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


def hello_app() -> App:
    """Answer `{"hello":"world"}` at `/`."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def hello(request: Request) -> JSONResponse:
        return JSONResponse({"hello": "world"})

    return Starlette(routes=[Route("/", hello)])


def parameters_app() -> App:
    """Answer with one value each of the path, the query and the headers."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def item(request: Request) -> JSONResponse:
        found = [request.path_params["id"], request.query_params.get("q"), request.headers.get("x-token")]
        return JSONResponse(found)

    return Starlette(routes=[Route("/items/{id:int}", item)])


PARAMETERS = {"query_string": b"q=search&page=2", "headers": [(b"x-token", b"secret")]}


def text_app(*routes: Any, **options: Any) -> App:
    """Return an application of these routes, given as (path, answer) or as route objects."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    made = [Route(route[0], _says(route[1])) if isinstance(route, tuple) else route for route in routes]
    return Starlette(routes=made, **options)


def _says(text: str) -> Any:
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse

    async def endpoint(request: Request) -> PlainTextResponse:
        return PlainTextResponse(text)

    return endpoint


def _table(number: int, path: str, *more: tuple[str, str]) -> Work:
    routes = [(f"/section/{index}/page", str(index)) for index in range(number)]
    app = text_app(*routes, *more)
    wanted = {**dict(routes), "/users/tom/posts": "post"}.get(path)
    return get(app, path, answer(200, wanted.encode()) if wanted else answer(404))


def _mounts() -> Work:
    from starlette.routing import Mount, Route

    inner = Mount("/inner", routes=[Route("/page/{id:int}", _says("page"))])
    return get(text_app(Mount("/outer", routes=[inner])), "/outer/inner/page/7", answer(200, b"page"))


def _middleware() -> Work:
    from starlette.middleware import Middleware

    return get(text_app(("/", "x"), middleware=[Middleware(Passing)] * 5), "/", answer(200, b"x"))


def layered_app(number: int = 3) -> App:
    """Answer `x` at `/` through some `BaseHTTPMiddleware`, each of which adds a field."""
    from starlette.middleware import Middleware

    base = importlib.import_module("starlette.middleware.base")

    async def dispatch(request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["x-by"] = "dispatch"
        return response

    return text_app(("/", "x"), middleware=[Middleware(base.BaseHTTPMiddleware, dispatch=dispatch)] * number)


def _base_middleware(number: int) -> Work:
    return get(layered_app(number), "/", answer(200, b"x"))


def _handled() -> Work:
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    async def forbidden(request: Request) -> Response:
        raise HTTPException(403, "no")

    return get(Starlette(routes=[Route("/", forbidden)]), "/", answer(403, b"no"))


def _thread() -> Work:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse, Response
    from starlette.routing import Route

    def blocking(request: Request) -> Response:
        return PlainTextResponse("x")

    return get(Starlette(routes=[Route("/", blocking)]), "/", answer(200, b"x"))


def _build() -> Work:
    from starlette.applications import Starlette
    from starlette.routing import Route

    endpoint = _says("x")
    paths = [f"/section/{index}/{{name}}" for index in range(1000)]

    def build() -> int:
        return len(Starlette(routes=[Route(path, endpoint) for path in paths]).routes)

    def check(result: int) -> None:
        if result != 1000:
            raise AssertionError(f"{result} routes were built")

    return Repeat(build, check)


PARAM = ("/users/{name}/posts", "post")

CASES = (
    Case("bare ASGI (the floor)", lambda: get(bare_asgi, "/", answer(200, b"hello"))),
    Case("hello JSON", lambda: get(hello_app(), "/", answer(200, b'{"hello":"world"}'))),
    Case(
        "path, query and header parameters",
        lambda: get(parameters_app(), "/items/42", answer(200, b'[42,"search","secret"]'), **PARAMETERS),
    ),
    Case("120 routes: first", lambda: _table(120, "/section/0/page")),
    Case("120 routes: last", lambda: _table(120, "/section/119/page")),
    Case("120 routes: none", lambda: _table(120, "/section/absent")),
    Case("1,000 routes: first", lambda: _table(1000, "/section/0/page")),
    Case("1,000 routes: last", lambda: _table(1000, "/section/999/page")),
    Case("1,000 routes: none", lambda: _table(1000, "/section/absent")),
    Case("1,000 routes: a parameter, behind them", lambda: _table(1000, "/users/tom/posts", PARAM)),
    Case("two nested mounts", _mounts),
    Case("five ASGI middlewares", _middleware),
    Case("BaseHTTPMiddleware", lambda: _base_middleware(1)),
    Case("three BaseHTTPMiddlewares", lambda: _base_middleware(3)),
    Case("handled exception", _handled),
    Case("404", lambda: get(text_app(("/", "x")), "/absent", answer(404, b"Not Found"))),
    Case("405", lambda: get(text_app(("/", "x")), "/", answer(405), method="DELETE")),
    Case("slash redirect", lambda: get(text_app(("/page", "x")), "/page/", answer(307))),
    Case("sync endpoint (worker thread)", _thread),
    Case("build 1,000 routes", _build),
)
