"""The application and its middleware stack: what others replace there takes effect, before and while serving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

import starlette._exception_handler
import starlette.applications
import starlette.concurrency
from starlette._exception_handler import wrap_app_handling_exceptions
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.architecture.seams import get, note_calls, says
from tests.asgi import Record, call, http_scope

pytestmark = pytest.mark.anyio


class Passing:
    """A pure ASGI middleware; `label` is put into the scope's list `passed`."""

    def __init__(self, app: ASGIApp, label: str = "passing") -> None:
        self.app = app
        self.label = label

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("passed", []).append(self.label)
        await self.app(scope, receive, send)


async def fails(request: Request) -> Response:
    raise ZeroDivisionError("on purpose")


async def refuses(request: Request) -> Response:
    raise HTTPException(403, "refused")


def layers(app: Any) -> list[Any]:
    """Return the objects of the stack, from the outermost to the router."""
    found = [app.middleware_stack]
    while not isinstance(found[-1], Router):
        found.append(found[-1].app)
    return found


async def test_the_stack_is_a_chain_of_objects_down_to_the_router() -> None:
    app = Starlette(routes=[Route("/", says("x"))], middleware=[Middleware(Passing, label="a")], max_body_size=9)
    app.add_middleware(Passing, label="b")
    assert app.middleware_stack is None
    await get(app)
    kinds = [type(layer) for layer in layers(app)]
    assert kinds == [ServerErrorMiddleware, RequestBodyLimitMiddleware, Passing, Passing, ExceptionMiddleware, Router]
    assert layers(app)[-1] is app.router
    assert [layer.label for layer in layers(app)[2:4]] == ["b", "a"]


@pytest.mark.parametrize("layer", [ServerErrorMiddleware, Passing, ExceptionMiddleware, RequestBodyLimitMiddleware])
async def test_call_replaced_on_the_class_of_a_layer_is_called(
    layer: type[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Starlette(routes=[Route("/", says("x"))], middleware=[Middleware(Passing)], max_body_size=100)
    assert (await get(app)).body == b"x"
    calls = note_calls(monkeypatch, layer, "__call__")
    assert (await get(app)).body == b"x"
    (found,) = [object_ for object_ in layers(app) if type(object_) is layer]
    assert calls == [found]
    monkeypatch.undo()
    assert (await get(app)).body == b"x"
    assert calls == [found]


async def test_each_layer_is_made_through_middleware_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    original = Middleware.__init__

    def patched(self: Any, cls: Any, *args: Any, **kwargs: Any) -> None:
        made.append(cls)
        original(self, cls, *args, **kwargs)

    monkeypatch.setattr(Middleware, "__init__", patched)
    app = Starlette(routes=[Route("/", says("x"))], middleware=[Middleware(Passing)])
    await get(app)
    assert set(made) == {ServerErrorMiddleware, Passing, ExceptionMiddleware}


async def test_a_middleware_object_may_name_another_class_before_the_stack_is_built() -> None:
    class Other(Passing):
        pass

    app = Starlette(routes=[Route("/", says("x"))], middleware=[Middleware(Passing)])
    descriptor: Any = app.user_middleware[0]
    descriptor.cls = Other
    app.user_middleware.insert(0, Middleware(Passing, "first"))
    scope = http_scope()
    await call(app, scope)
    assert [type(layer) for layer in layers(app)[1:3]] == [Passing, Other]
    assert scope["passed"] == ["first", "passing"]


async def test_functions_may_stand_for_middleware_classes() -> None:
    def factory(app: ASGIApp, *, label: str) -> ASGIApp:
        return Passing(app, label)

    app = Starlette(routes=[Route("/", says("x"))], middleware=[Middleware(factory, label="made")])
    scope = http_scope()
    await call(app, scope)
    assert scope["passed"] == ["made"]


async def test_the_stack_may_be_replaced_wrapped_and_dropped_while_serving() -> None:
    app = Starlette(routes=[Route("/", says("x"))])
    await get(app)
    built = app.middleware_stack
    assert built is not None
    app.middleware_stack = Passing(built, "around")
    scope = http_scope()
    await call(app, scope)
    assert scope["passed"] == ["around"]
    app.user_middleware.append(Middleware(Passing, "again"))
    app.middleware_stack = None
    scope = http_scope()
    await call(app, scope)
    assert scope["passed"] == ["again"]
    assert app.middleware_stack is not built


async def test_layers_may_be_put_between_built_ones() -> None:
    app = Starlette(routes=[Route("/", says("x"))])
    await get(app)
    outer: Any = app.middleware_stack
    outer.app = Passing(outer.app, "outer")
    inner: Any = outer.app.app
    inner.app = Passing(inner.app, "inner")
    scope = http_scope()
    await call(app, scope)
    assert scope["passed"] == ["outer", "inner"]


async def test_build_middleware_stack_on_the_instance_is_called() -> None:
    app = Starlette(routes=[Route("/", says("x"))])
    original = app.build_middleware_stack
    built = []

    def build() -> ASGIApp:
        built.append(True)
        return Passing(original(), "instance")

    app.build_middleware_stack = build  # type: ignore[method-assign]
    for _ in range(2):
        scope = http_scope()
        await call(app, scope)
        assert scope["passed"] == ["instance"]
    assert built == [True]


@pytest.mark.parametrize("name", ["__init__", "build_middleware_stack", "add_middleware"])
def test_methods_replaced_on_the_application_class_are_called(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = note_calls(monkeypatch, Starlette, name, is_async=False)
    app = Starlette(middleware=[Middleware(Passing)])
    app.add_middleware(Passing)
    app.build_middleware_stack()
    assert calls == [app]


async def test_call_replaced_on_the_application_class_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = Starlette(routes=[Route("/", says("inner"))])
    app = Starlette(routes=[Mount("/m", inner), Route("/", says("x"))])
    assert (await get(app, "/m/")).body == b"inner"
    calls = note_calls(monkeypatch, Starlette, "__call__")
    assert (await get(app, "/m/")).body == b"inner"
    assert calls == [app, inner]


@pytest.mark.parametrize("mounted", [False, True])
async def test_call_replaced_on_the_router_class_is_called(mounted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    mount = Mount("/m", routes=[Route("/", says("x"))])
    app = Starlette(routes=[mount])
    assert (await get(app, "/m/")).body == b"x"
    calls = note_calls(monkeypatch, Router, "app" if mounted else "__call__")
    # `app` was bound when the routers were made; whoever replaces it does so before. `__call__` is looked up each time.
    fresh = Starlette(routes=[mount2 := Mount("/m", routes=[Route("/", says("x"))])])
    assert (await get(fresh, "/m/")).body == b"x"
    assert calls == [fresh.router, mount2.app]


async def test_the_application_class_may_be_replaced_by_a_subclass(monkeypatch: pytest.MonkeyPatch) -> None:
    class Traced(Starlette):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            scope["traced"] = True
            await super().__call__(scope, receive, send)

    monkeypatch.setattr(starlette.applications, "Starlette", Traced)
    app = starlette.applications.Starlette(routes=[Route("/", says("x"))])
    scope = http_scope()
    assert (await call(app, scope)).body == b"x"
    assert scope["traced"] is True


# -- error layers -----------------------------------------------------------------------------------------------------


async def attempt(app: ASGIApp, path: str) -> Record:
    """GET a path whose error is raised after the response."""
    sent = Record()

    async def receive() -> Mapping[str, Any]:
        return {"type": "http.request"}

    with pytest.raises(ZeroDivisionError):
        await app(http_scope(path), receive, sent)  # type: ignore[arg-type]
    return sent


@pytest.mark.parametrize(("name", "debug"), [("error_response", False), ("debug_response", True)])
async def test_the_responses_of_the_server_error_layer_may_be_replaced(
    name: str, debug: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Starlette(routes=[Route("/", fails)], debug=debug)
    assert (await attempt(app, "/")).status == 500
    calls: list[Any] = []

    def respond(self: Any, request: Request, exc: Exception) -> Response:
        calls.append((request.url.path, type(exc)))
        return PlainTextResponse("replaced", 503)

    monkeypatch.setattr(ServerErrorMiddleware, name, respond)
    sent = await attempt(app, "/")
    assert (sent.status, sent.body, calls) == (503, b"replaced", [("/", ZeroDivisionError)])


async def test_handler_and_debug_of_the_server_error_layer_are_read_when_it_fails() -> None:
    app = Starlette(routes=[Route("/", fails)])
    assert (await attempt(app, "/")).body == b"Internal Server Error"
    layer = layers(app)[0]

    async def handler(request: Request, exc: Exception) -> Response:
        return PlainTextResponse("handler", 500)

    layer.handler = handler
    assert (await attempt(app, "/")).body == b"handler"
    layer.debug = True
    assert b"ZeroDivisionError: on purpose" in (await attempt(app, "/")).body


async def test_http_exception_replaced_on_the_class_serves_new_stacks(monkeypatch: pytest.MonkeyPatch) -> None:
    async def http_exception(self: Any, request: Request, exc: Exception) -> Response:
        return PlainTextResponse("replaced", 418)

    app = Starlette(routes=[Route("/", refuses)])
    assert (await get(app)).status == 403
    monkeypatch.setattr(ExceptionMiddleware, "http_exception", http_exception)
    app.middleware_stack = None
    assert (await get(app)).status == 418


async def test_handlers_are_added_through_add_exception_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Starlette(routes=[Route("/", refuses)], exception_handlers={403: says_handler, KeyError: says_handler})
    calls = note_calls(monkeypatch, ExceptionMiddleware, "add_exception_handler", is_async=False)
    app.build_middleware_stack()
    assert [type(layer) for layer in calls] == [ExceptionMiddleware] * 2


@pytest.mark.parametrize("path", ["/", "/absent"], ids=["endpoint", "routing"])
async def test_the_handler_tables_are_asked_at_request_time(path: str) -> None:
    async def handler(request: Request, exc: Exception) -> Response:
        return PlainTextResponse("table", 418)

    app = Starlette(routes=[Route("/", refuses)])
    assert (await get(app, path)).status in {403, 404}
    layer = layers(app)[1]
    scope = http_scope(path)
    await call(app, scope)
    exception_handlers, status_handlers = scope["starlette.exception_handlers"]
    assert exception_handlers is layer._exception_handlers
    assert status_handlers is layer._status_handlers
    original = exception_handlers[HTTPException]
    exception_handlers[HTTPException] = handler
    assert (await get(app, path)).status == 418
    exception_handlers[HTTPException] = original
    assert (await get(app, path)).status in {403, 404}
    status_handlers[403] = status_handlers[404] = handler
    assert (await get(app, path)).status == 418


async def test_a_middleware_may_exchange_the_handler_tables_in_the_scope() -> None:
    async def handler(request: Request, exc: Exception) -> Response:
        return PlainTextResponse("scope", 418)

    async def endpoint_layer(scope: Scope, receive: Receive, send: Send) -> None:
        scope["starlette.exception_handlers"] = ({HTTPException: handler}, {})
        await inner(scope, receive, send)

    inner = Router([Route("/", refuses)])
    app = Starlette(routes=[Mount("/m", endpoint_layer), Mount("/n", inner)])
    assert (await get(app, "/n/")).status == 403
    assert (await get(app, "/m/")).status == 418


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_wrap_app_handling_exceptions_reads_the_scope_when_called(kind: str) -> None:
    scope: Scope = http_scope()
    conn = Request(scope)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise HTTPException(403)

    async def slow(request: Request, exc: Exception) -> Response:
        assert request is conn
        return PlainTextResponse("handled", 418)

    def quick(request: Request, exc: Exception) -> Response:
        return PlainTextResponse("handled", 418)

    with pytest.raises(HTTPException):
        await call(wrap_app_handling_exceptions(app, conn), scope)
    scope["starlette.exception_handlers"] = ({HTTPException: slow if kind == "async" else quick}, {})
    assert (await call(wrap_app_handling_exceptions(app, conn), scope)).status == 418


async def test_run_in_threadpool_of_the_handler_module_runs_sync_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    def handler(request: Request, exc: Exception) -> Response:
        return PlainTextResponse("sync", 418)

    app = Starlette(routes=[Route("/", refuses), Route("/none", says("x"))], exception_handlers={403: handler})
    assert (await get(app)).status == 418
    calls = note_calls(monkeypatch, starlette._exception_handler, "run_in_threadpool")
    assert (await get(app)).status == 418
    assert calls == [handler]
    assert (await get(app, "/absent")).status == 404
    assert calls == [handler]


# -- subclasses that set everything up by themselves ------------------------------------------------------------------


class Bare(Starlette):
    """Does what FastAPI does: sets the attributes itself and never calls `Starlette.__init__`."""

    def __init__(self, routes: list[Any]) -> None:
        from starlette.datastructures import State

        self.debug = False
        self.state = State()
        self._state = {"mine": 1}
        self.lifespan = self.before = self.after = self.title = "mine"
        self.router = Router(routes)
        self.max_body_size = None
        self.exception_handlers: dict[Any, Any] = {}
        self.user_middleware: list[Any] = []
        self.middleware_stack: ASGIApp | None = None

    def build_middleware_stack(self) -> ASGIApp:
        return Passing(super().build_middleware_stack(), "bare")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["bare"] = True
        await super().__call__(scope, receive, send)


async def test_an_application_works_without_its_constructor() -> None:
    app = Bare([Route("/", says("root"))])
    app.add_middleware(Passing, label="added")
    app.add_exception_handler(404, says_handler)
    app.add_route("/added", says("added"))
    app.mount("/m", Starlette(routes=[Route("/", says("mounted"))]), name="m")
    app.host("h.example", Router([Route("/", says("host"))]))
    for _ in range(2):
        scope = http_scope()
        assert (await call(app, scope)).body == b"root"
        assert (scope["passed"], scope["bare"], scope["app"]) == (["bare", "added"], True, app)
        assert (await get(app, "/added")).body == b"added"
        assert (await get(app, "/m/")).body == b"mounted"
        assert (await get(app, "/absent")).body == b"handled"
    assert app.url_path_for("m", path="/x") == "/m/x"
    assert app._state == {"mine": 1}
    assert (app.lifespan, app.before, app.after, app.title) == ("mine",) * 4


async def says_handler(request: Request, exc: Exception) -> Response:
    return PlainTextResponse("handled", 404)


async def test_a_router_subclass_may_set_its_lifespan_before_the_constructor() -> None:
    class Api(Router):
        def __init__(self) -> None:
            self.lifespan_context = "early"  # type: ignore[assignment]
            super().__init__(routes=[Route("/", says("x"))], redirect_slashes=False, middleware=[Middleware(Passing)])
            self.endpoint = self.prefix = self.tags = "mine"

    api = Api()
    assert callable(api.lifespan_context)
    scope = http_scope()
    assert (await call(api, scope)).body == b"x"
    assert scope["passed"] == ["passing"]


async def test_attributes_read_when_the_stack_is_built_may_be_replaced_before() -> None:
    app = Starlette(routes=[Route("/", refuses)])
    app.exception_handlers = {403: says_handler}
    app.router = Router([Route("/", refuses), WebSocketRoute("/ws", says("x"))])
    app.debug = True
    assert (await get(app)).body == b"handled"
    assert layers(app)[0].debug is True
    assert layers(app)[-1] is app.router
