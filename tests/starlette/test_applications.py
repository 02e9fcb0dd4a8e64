"""The application, rule by rule (the numbers are those of the application specification)."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

import anyio.from_thread
import pytest

import starlette
from starlette.applications import Starlette
from starlette.datastructures import State
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient
from starlette.types import ASGIApp, ExceptionHandler, Receive, Scope, Send
from starlette.websockets import WebSocket
from tests.asgi import Record, Script, body, call, http_scope, websocket_scope

pytestmark = pytest.mark.anyio


async def hello(request: Request) -> Response:
    return PlainTextResponse("hello")


async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("asgi")(scope, receive, send)


class Layer:
    """Counts its instances and notes the scopes that it sees."""

    made: list[str]
    seen: list[str]

    def __init__(self, app: ASGIApp, name: str = "layer") -> None:
        self.app = app
        self.name = name
        type(self).made.append(name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        type(self).seen.append(self.name)
        await self.app(scope, receive, send)


@pytest.fixture(autouse=True)
def _fresh_layers() -> None:
    Layer.made, Layer.seen = [], []


def chain(app: Any) -> list[Any]:
    found = [app]
    while not isinstance(found[-1], Router):
        found.append(found[-1].app)
    return found


def test_version_and_dependencies_are_those_of_the_release() -> None:  # R0
    about = metadata("starlette")
    assert starlette.__version__ == "1.10.0"
    assert about["Version"].startswith("1.10.0+")
    assert about["Requires-Python"] == ">=3.11"
    plain = [need for need in about.get_all("Requires-Dist", []) if "extra ==" not in need]
    assert sorted(need.partition(">")[0].partition("<")[0] for need in plain) == ["anyio", "typing-extensions"]


def test_the_arguments_of_the_constructor() -> None:  # R1
    parameters = inspect.signature(Starlette).parameters
    positional = [name for name, one in parameters.items() if one.kind is one.POSITIONAL_OR_KEYWORD]
    assert positional == ["debug", "routes", "middleware", "exception_handlers", "lifespan"]
    by_keyword = [name for name, one in parameters.items() if one.kind is one.KEYWORD_ONLY]
    # COMPAT: the last two are of the earlier API, legacy R17.
    assert by_keyword == ["max_body_size", "on_startup", "on_shutdown"]


def test_a_subclass_takes_a_lifespan_of_its_own_type() -> None:  # R11
    class Service(Starlette):
        name = "service"

    @asynccontextmanager
    async def lifespan(app: Service) -> AsyncIterator[dict[str, str]]:
        yield {"name": app.name}

    def page(request: Request) -> Response:
        return PlainTextResponse(request.state.name)

    with TestClient(Service(routes=[Route("/", page)], lifespan=lifespan)) as client:
        assert client.get("/").text == "service"


async def test_a_subclass_builds_its_own_stack() -> None:  # R20
    class Custom(Starlette):
        def build_middleware_stack(self) -> ASGIApp:
            return Layer(super().build_middleware_stack(), "outermost")

    app = Custom(routes=[Route("/", hello)])
    for _ in range(2):
        assert (await call(app)).body == b"hello"
    assert (Layer.made, Layer.seen) == (["outermost"], ["outermost", "outermost"])


def test_the_attributes_of_a_fresh_application() -> None:  # R4 to R10
    app = Starlette(debug=True, max_body_size=-1)
    assert (app.debug, app.max_body_size, app.middleware_stack) == (True, -1, None)
    assert (app.exception_handlers, app.user_middleware, app.routes) == ({}, [], [])
    assert isinstance(app.state, State)
    app.state.anything = 1
    assert app.router.redirect_slashes
    assert app.routes is app.router.routes
    assert weakref.ref(app)() is app
    assert app in {app}


def test_what_is_passed_in_is_copied() -> None:  # R7, R8
    routes: list[Any] = [Route("/", hello)]
    handlers: dict[Any, ExceptionHandler] = {404: lambda request, exc: Response()}
    middleware = [Middleware(Layer)]
    app = Starlette(routes=routes, exception_handlers=handlers, middleware=middleware)
    routes.clear()
    middleware.clear()
    handlers.clear()
    assert (len(app.routes), len(app.user_middleware), len(app.exception_handlers)) == (1, 1, 1)
    assert Layer.made == []


async def test_the_stack_is_built_once_at_the_first_scope_of_any_type() -> None:  # R12, R13, threats R16
    app = Starlette(routes=[Route("/", hello)], middleware=[Middleware(Layer)])
    scopes = [http_scope(app="other"), websocket_scope("/none"), http_scope()]
    for scope in scopes:
        await call(app, scope, Script({"type": "websocket.connect"}))
        assert scope["app"] is app
    assert Layer.made == ["layer"]


async def test_the_layers_stand_in_order() -> None:  # R15, R16
    def factory(app: ASGIApp, name: str) -> ASGIApp:
        return Layer(app, name)

    app = Starlette(max_body_size=0, middleware=[Middleware(Layer, "first"), Middleware(factory, name="second")])
    kinds = [type(layer) for layer in chain(app.build_middleware_stack())]
    assert kinds == [
        ServerErrorMiddleware,
        RequestBodyLimitMiddleware,
        Layer,
        Layer,
        ExceptionMiddleware,
        Router,
    ]
    assert Layer.made == ["second", "first"]
    assert chain(app.build_middleware_stack())[-1] is app.router


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ([500], 500),
        ([Exception], Exception),
        ([500, Exception], Exception),
        ([Exception, 500], 500),
        ([HTTPStatus.INTERNAL_SERVER_ERROR], HTTPStatus.INTERNAL_SERVER_ERROR),
        ([404, ValueError], None),
    ],
)
def test_handlers_for_500_and_exception_go_to_the_outer_layer(keys: list[Any], expected: Any) -> None:  # R17
    handlers: dict[Any, Any] = {key: object() for key in keys}
    layers = chain(Starlette(exception_handlers=handlers).build_middleware_stack())
    assert layers[0].handler is (None if expected is None else handlers[expected])
    rest = {**layers[1]._exception_handlers, **layers[1]._status_handlers}
    assert [key for key in rest if key in keys] == ([404, ValueError][::-1] if expected is None else [])


async def test_settings_are_read_when_the_stack_is_built() -> None:  # R18
    async def fails(request: Request) -> Response:
        raise ValueError("shown")

    app = Starlette(routes=[Route("/", fails)])
    app.debug = True
    sent = Record()
    with pytest.raises(ValueError, match="shown"):
        await app(http_scope(), body(), sent)
    assert b"ValueError: shown" in sent.body


async def test_added_middleware_runs_before_what_was_there() -> None:  # R21
    app = Starlette(routes=[Route("/", hello)], middleware=[Middleware(Layer, "given")])
    app.add_middleware(Layer, "foo")
    app.add_middleware(Layer, name="bar")
    await call(app)
    assert Layer.seen == ["bar", "foo", "given"]
    with pytest.raises(RuntimeError, match=r"^Cannot add middleware after an application has started$"):
        app.add_middleware(Layer)


async def test_exception_handlers_can_be_added() -> None:  # R22
    app = Starlette()
    app.add_exception_handler(404, lambda request, exc: PlainTextResponse("custom", status_code=404))
    assert (await call(app, http_scope("/x"))).body == b"custom"


async def test_routes_are_added_to_the_live_list_also_while_serving() -> None:  # R23
    app = Starlette()
    for _ in range(3):
        assert (await call(app, http_scope("/a"))).status == 404
    app.add_route("/a", route=hello, methods=["GET"], name="a", include_in_schema=False)
    app.mount("/m", app=asgi, name="m")
    app.host("example.org", app=asgi, name="h")
    assert app.routes == [Route("/a", hello), Mount("/m", app=asgi), Host("example.org", asgi)]  # R35
    for _ in range(3):
        assert (await call(app, http_scope("/a"))).body == b"hello"
        assert (await call(app, http_scope("/m/"))).body == b"asgi"
    assert app.url_path_for("a") == "/a"
    assert app.url_path_for("m", path="x") == "/m/x"


def test_a_path_parameter_may_be_called_name() -> None:  # R24
    app = Starlette(routes=[Route("/{name}", hello)])
    assert app.url_path_for("hello", name="x") == "/x"


async def test_inside_of_a_mounted_application_app_is_the_inner_one() -> None:  # R14
    async def endpoint(request: Request) -> Response:
        return PlainTextResponse(str(request.app is inner))

    inner = Starlette(routes=[Route("/x", endpoint)])
    outer = Starlette(routes=[Mount("/in", app=inner)])
    for _ in range(3):
        scope = http_scope("/in/x")
        assert (await call(outer, scope)).body == b"True"
        assert (scope["app"], scope["router"]) == (inner, outer.router)


class Endpoint(HTTPEndpoint):
    async def get(self, request: Request) -> Response:
        return PlainTextResponse("class")


def plain(request: Request) -> Response:
    return PlainTextResponse("plain")


@pytest.mark.parametrize(("endpoint", "text"), [(hello, b"hello"), (plain, b"plain"), (Endpoint, b"class")])
async def test_get_and_head_are_answered_by_every_kind_of_endpoint(
    endpoint: Callable[..., Any], text: bytes
) -> None:  # R29
    app = Starlette(routes=[Route("/", endpoint)])
    for _ in range(3):
        assert (await call(app)).body == text
        assert (await call(app, http_scope(method="HEAD"))).status == 200


async def test_handlers_render_what_routing_refuses() -> None:  # R30, R31
    async def shows(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, HTTPException)
        return JSONResponse({"detail": exc.detail}, status_code=exc.status_code, headers=exc.headers)

    app = Starlette(
        routes=[Route("/f", hello), Route("/c", Endpoint)],
        exception_handlers={HTTPException: shows, 405: lambda request, exc: PlainTextResponse("custom 405")},
    )
    for _ in range(3):
        missed = await call(app, http_scope("/x"))
        assert (missed.status, missed.body) == (404, b'{"detail":"Not Found"}')
        for path in ("/f", "/c"):
            assert (await call(app, http_scope(path, method="POST"))).body == b"custom 405"


async def test_the_500_handler_answers_and_the_error_is_still_raised() -> None:  # R32
    async def fails(request: Request) -> Response:
        raise RuntimeError("broken")

    app = Starlette(
        routes=[Route("/", fails)],
        exception_handlers={500: lambda request, exc: JSONResponse({"detail": "Server Error"}, status_code=500)},
    )
    for _ in range(3):
        sent = Record()
        with pytest.raises(RuntimeError, match="broken"):
            await app(http_scope(), body(), sent)
        assert (sent.status, sent.body) == (500, b'{"detail":"Server Error"}')


async def test_middleware_may_answer_before_routing() -> None:  # R36
    def refuses(app: ASGIApp) -> ASGIApp:
        return PlainTextResponse("refused", status_code=400)

    app = Starlette(routes=[Route("/", hello)], middleware=[Middleware(refuses)])
    scope = http_scope()
    assert (await call(app, scope)).body == b"refused"
    assert "router" not in scope


async def test_a_router_with_middleware_of_its_own_is_served() -> None:
    app = Starlette()
    app.router = Router([Route("/", hello)], middleware=[Middleware(Layer)])
    for _ in range(3):
        assert (await call(app)).body == b"hello"
    assert Layer.seen == ["layer"] * 3


async def test_a_subclass_that_sets_the_attributes_itself_is_served() -> None:
    class Bare(Starlette):
        def __init__(self) -> None:
            self.debug = False
            self.state = State()
            self.router = Router([Route("/", hello)])
            self.max_body_size = None
            self.exception_handlers = {}
            self.user_middleware = []
            self.middleware_stack = None

    app = Bare()
    app.add_middleware(Layer)
    app.mount("/m", asgi)
    for _ in range(3):
        assert (await call(app)).body == b"hello"
        assert (await call(app, http_scope("/m/"))).body == b"asgi"
    assert Layer.seen == ["layer"] * 6


async def test_a_sync_handler_of_a_websocket_may_call_into_the_loop() -> None:  # R33
    class Full(Exception):
        pass

    def show_out(websocket: WebSocket, exc: Exception) -> None:
        anyio.from_thread.run(websocket.close, 1013)

    async def chat(websocket: WebSocket) -> None:
        await websocket.accept()
        raise Full

    handlers: dict[Any, Any] = {Full: show_out}
    app = Starlette(routes=[WebSocketRoute("/", chat)], exception_handlers=handlers)
    sent = await call(app, websocket_scope(), Script({"type": "websocket.connect"}))
    assert sent.messages[1:] == [{"type": "websocket.close", "code": 1013, "reason": ""}]


async def test_static_files_are_mounted(tmp_path: Path) -> None:  # R34
    (tmp_path / "a.txt").write_text("text")
    app = Starlette(routes=[Mount("/static", StaticFiles(directory=tmp_path), name="static")])
    assert (await call(app, http_scope("/static/a.txt"))).body == b"text"
    refused = await call(app, http_scope("/static/a.txt", method="POST"))
    assert (refused.status, refused.body) == (405, b"Method Not Allowed")
