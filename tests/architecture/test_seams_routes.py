"""The list of routes and the routes in it are open: edits take effect while serving, and any object may be a route.

Each test serves before and after the change: a shortcut that was prepared by the first request must not outlive it.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable
from typing import Any

import pytest

import starlette.routing
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Host, Match, Mount, Route, Router, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from tests.architecture.seams import get, says
from tests.asgi import Script, call, http_scope, websocket_scope

pytestmark = pytest.mark.anyio


# -- the live list ----------------------------------------------------------------------------------------------------


def edits() -> list[Any]:
    first, second = Route("/{rest:path}", says("first")), Route("/a", says("second"))

    def swap(routes: list[BaseRoute]) -> None:
        routes[0], routes[1] = routes[1], routes[0]

    def replace(routes: list[BaseRoute]) -> None:
        routes[0] = second

    def cut(routes: list[BaseRoute]) -> None:
        routes[:] = [second]

    return [
        pytest.param(lambda routes: routes.insert(0, second), b"second", id="insert"),
        pytest.param(lambda routes: routes.reverse(), b"second", id="reverse"),
        pytest.param(
            lambda routes: routes.sort(key=lambda route: len(getattr(route, "path", ""))), b"second", id="sort"
        ),
        pytest.param(swap, b"second", id="swap-same-length"),
        pytest.param(replace, b"second", id="replace-one"),
        pytest.param(cut, b"second", id="slice"),
        pytest.param(lambda routes: routes.pop(0), b"second", id="pop"),
        pytest.param(lambda routes: routes.clear(), b"Not Found", id="clear"),
        pytest.param(lambda routes: routes.append(first), b"first", id="append-behind"),
    ]


@pytest.mark.parametrize(("edit", "expected"), edits())
@pytest.mark.parametrize("extra", [0, 60], ids=["few", "many"])
@pytest.mark.parametrize("inner", [False, True], ids=["outer", "mounted"])
async def test_the_list_of_routes_may_be_edited_while_serving(
    edit: Callable[[list[BaseRoute]], object], expected: bytes, extra: int, inner: bool
) -> None:
    more = [Route(f"/much/longer/path/{n}", says("no")) for n in range(extra)]
    routes: list[BaseRoute] = [Route("/{rest:path}", says("first")), Route("/a", says("second")), *more]
    mount = Mount("/m", routes=routes)
    app = Starlette(routes=[mount] if inner else routes)
    live = mount.routes if inner else app.routes
    path = "/m/a" if inner else "/a"
    assert (await get(app, path)).body == b"first"
    edit(live)
    assert (await get(app, path)).body == expected


async def test_the_list_of_routes_may_be_replaced_while_serving() -> None:
    app = Starlette(routes=[Route("/a", says("old"))])
    assert (await get(app, "/a")).body == b"old"
    app.router.routes = [Route("/a", says("new"))]
    assert (await get(app, "/a")).body == b"new"
    assert app.routes is app.router.routes


async def test_a_route_added_by_a_request_is_there_for_the_next_one() -> None:
    async def install(request: Request) -> Response:
        request.app.router.routes.append(Route("/added", says("added")))
        return PlainTextResponse("installed")

    app = Starlette(routes=[Route("/install", install)])
    assert (await get(app, "/added")).status == 404
    await get(app, "/install")
    assert (await get(app, "/added")).body == b"added"


@pytest.mark.parametrize("extra", [0, 60], ids=["few", "many"])
async def test_attributes_of_routes_may_be_reassigned_while_serving(extra: int) -> None:
    async def replaced(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("app")(scope, receive, send)

    route = Route("/a", says("a"))
    app = Starlette(routes=[*(Route(f"/{n}", says("no")) for n in range(extra)), route])
    assert (await get(app, "/a")).body == b"a"

    route.path_regex = re.compile("^/b$")
    assert ((await get(app, "/a")).status, (await get(app, "/b")).status) == (404, 200)

    route.methods = {"PUT"}
    assert (await get(app, "/b")).status == 405
    assert (await get(app, "/b", method="PUT")).status == 200
    route.methods.add("GET")
    assert (await get(app, "/b")).status == 200
    route.methods = None
    assert (await get(app, "/b", method="ANY")).status == 200

    route.app = replaced
    assert (await get(app, "/b")).body == b"app"

    route.endpoint = replaced
    scope = http_scope("/b")
    await call(app, scope)
    assert scope["endpoint"] is replaced

    route.path_regex, _, route.param_convertors = starlette.routing.compile_path("/c/{n:int}")
    scope = http_scope("/c/7")
    await call(app, scope)
    assert scope["path_params"] == {"n": 7}

    route.path_format, route.name = "/d/{n}", "renamed"
    assert app.url_path_for("renamed", n=3) == "/d/3"


def test_the_pattern_of_a_route_is_a_compiled_expression() -> None:
    # Others call match, fullmatch and groupindex on it, and ask for its text.
    async def ws(websocket: WebSocket) -> None: ...

    route, mount = Route("/a/{n:int}", says("a")), Mount("/m/{t}", routes=[])
    patterns = [route.path_regex, mount.path_regex, WebSocketRoute("/w", ws).path_regex, Host("h", Router()).host_regex]
    assert [isinstance(pattern, re.Pattern) for pattern in patterns] == [True] * 4
    found = route.path_regex.fullmatch("/a/7")
    assert found is not None
    assert found.groupdict() == {"n": "7"}


async def test_attributes_of_mounts_and_hosts_may_be_reassigned_while_serving() -> None:
    mount = Mount("/m", routes=[Route("/x", says("old"))])
    host = Host("h.example", Router([Route("/x", says("old host"))]))
    app = Starlette(routes=[host, mount])
    headers = [(b"host", b"h.example")]
    assert (await get(app, "/m/x")).body == b"old"
    assert (await get(app, "/x", headers=headers)).body == b"old host"
    mount.app = Router([Route("/x", says("new"))])
    host.app = Router([Route("/x", says("new host"))])
    assert (await get(app, "/m/x")).body == b"new"
    assert (await get(app, "/x", headers=headers)).body == b"new host"
    mount.path_regex = re.compile("^/n/(?P<path>.*)$")
    host.host_regex = re.compile("^other$")
    assert (await get(app, "/n/x")).body == b"new"
    assert (await get(app, "/m/x")).status == 404
    assert (await get(app, "/x", headers=headers)).status == 404


async def test_attributes_of_websocket_routes_may_be_reassigned_while_serving() -> None:
    async def one(websocket: WebSocket) -> None:
        await websocket.close(4001)

    async def two(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.close", "code": 4002})

    async def code(path: str) -> int:
        sent = await call(app, websocket_scope(path), Script({"type": "websocket.connect"}))
        return int(sent.messages[0]["code"])

    route = WebSocketRoute("/a", one)
    app = Starlette(routes=[route])
    assert await code("/a") == 4001
    route.app = two
    assert await code("/a") == 4002
    route.path_regex = re.compile("^/b$")
    assert (await code("/a"), await code("/b")) == (1000, 4002)


async def test_redirect_slashes_default_and_lifespan_context_are_read_when_used() -> None:
    router = Router([Route("/a", says("a"))])
    assert (await get(router, "/a/")).status == 307
    router.redirect_slashes = False
    assert (await get(router, "/a/")).status == 404
    router.default = PlainTextResponse("default", 418)
    assert (await get(router, "/a/")).status == 418

    entered: list[Any] = []

    class Context:
        def __init__(self, app: Any) -> None:
            entered.append(app)

        async def __aenter__(self) -> None: ...

        async def __aexit__(self, *error: object) -> None: ...

    for _ in range(2):
        sent = await call(router, {"type": "lifespan", "app": "A"}, Script({"type": "a"}, {"type": "b"}))
        assert sent.types == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
        router.lifespan_context = Context
    assert entered == ["A"]


# -- routes of other classes ------------------------------------------------------------------------------------------


class Fallback(BaseRoute):
    """Has neither path nor name nor methods, and cannot be hashed."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return False

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return Match.FULL, {"mine": True}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(f"fallback {scope['mine']}")(scope, receive, send)


async def test_routes_of_other_classes_stand_in_the_order_of_the_list() -> None:
    app = Starlette(routes=[Route("/a", says("a")), Fallback(), Route("/b", says("b"))])
    assert (await get(app, "/a")).body == b"a"
    assert (await get(app, "/b")).body == b"fallback True"


async def test_plain_objects_with_matches_and_handle_are_routes() -> None:
    route: Any = types.SimpleNamespace(matches=Fallback().matches, handle=Fallback().handle)
    app = Starlette(routes=[route])
    assert (await get(app)).body == b"fallback True"


async def test_matches_and_handle_of_a_subclass_are_used() -> None:
    class Special(Route):
        def matches(self, scope: Scope) -> tuple[Match, Scope]:
            match, child = super().matches(scope)
            return match, {**child, "route": "mine"} if match is not Match.NONE else child

        async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
            scope["handled"] = True
            await super().handle(scope, receive, send)

    app = Starlette(routes=[*(Route(f"/{n}", says("no")) for n in range(60)), Special("/a", says("a"))])
    scope = http_scope("/a")
    assert (await call(app, scope)).body == b"a"
    # The child scope is merged over `route`, which was set first.
    assert (scope["route"], scope["handled"]) == ("mine", True)


@pytest.mark.parametrize("value", [Match.FULL, Match.PARTIAL, Match.NONE])
async def test_matches_is_asked_in_order_until_one_is_full(value: Match) -> None:
    asked: list[str] = []

    class Counted(Route):
        def matches(self, scope: Scope) -> tuple[Match, Scope]:
            asked.append(self.name)
            return (value, {}) if self.name == "second" else (Match.NONE, {})

    names = ["first", "second", "third"]
    app = Router([Counted("/x", says(name), name=name) for name in names], redirect_slashes=False)
    sent = await get(app, "/any")
    assert asked == (["first", "second"] if value is Match.FULL else names)
    assert sent.status == (404 if value is Match.NONE else 200)


async def test_a_subclass_may_bring_its_own_dispatch_loop() -> None:
    class Loop(Router):
        async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("router", self)
            for route in reversed(self.routes):
                match, child = route.matches(scope)
                if match is Match.FULL:
                    scope.update(child)
                    await route.handle(scope, receive, send)
                    return
            await self.default(scope, receive, send)

    routes = [Route("/a", says("first")), Route("/a", says("last"))]
    assert (await get(Loop(routes), "/a")).body == b"last"
    assert (await get(Starlette(routes=[Mount("/m", Loop(routes))]), "/m/a")).body == b"last"


async def test_route_subclasses_need_not_call_the_constructor() -> None:
    """FastAPI's routes set what `matches`, `handle` and `url_path_for` need and nothing else."""

    class Api(Route):
        def __init__(self, path: str, endpoint: Callable[[Request], Any]) -> None:
            self.path, self.endpoint, self.name = path, endpoint, "api"
            self.methods = {"GET"}
            self.include_in_schema = True
            self.path_regex, self.path_format, self.param_convertors = starlette.routing.compile_path(path)
            self.app = starlette.routing.request_response(endpoint)

    class ApiSocket(WebSocketRoute):
        def __init__(self, path: str, endpoint: Callable[[WebSocket], Any]) -> None:
            self.path, self.endpoint, self.name = path, endpoint, "socket"
            self.path_regex, self.path_format, self.param_convertors = starlette.routing.compile_path(path)
            self.app = starlette.routing.websocket_session(endpoint)

    async def refuse(websocket: WebSocket) -> None:
        await websocket.close(4000)

    endpoint = says("api")
    app = Starlette(routes=[Api("/api/{n:int}", endpoint), ApiSocket("/ws/{n:int}", refuse)])
    for _ in range(2):
        assert (await get(app, "/api/1")).body == b"api"
        assert (await get(app, "/api/1", method="HEAD")).status == 405
        sent = await call(app, websocket_scope("/ws/1"), Script({"type": "websocket.connect"}))
        assert sent.messages[0]["code"] == 4000
    assert app.url_path_for("api", n=1) == "/api/1"
    assert app.url_path_for("socket", n=1) == "/ws/1"
    assert app.routes[0] == Api("/api/{n:int}", endpoint)
    assert repr(app.routes[0]) == "Api(path='/api/{n:int}', name='api', methods=['GET'])"


@pytest.mark.parametrize(
    "route", [Route("/a/{x}", says("a")), Mount("/a", routes=[]), WebSocketRoute("/a/{x}", says("x"))]
)
def test_matches_needs_only_type_method_and_path_and_changes_nothing(route: BaseRoute) -> None:
    kind = "websocket" if isinstance(route, WebSocketRoute) else "http"
    scope = {"type": kind, "method": "GET", "path": "/a/b"}
    for _ in range(2):
        match, child = route.matches(scope)
        assert match is Match.FULL
        assert child["endpoint"] is (route.app if isinstance(route, Mount) else getattr(route, "endpoint", None))
        assert scope == {"type": kind, "method": "GET", "path": "/a/b"}
    assert route.matches({"type": kind, "method": "GET", "path": "/b"}) == (Match.NONE, {})


async def test_what_routing_finds_stands_in_the_scope_that_the_caller_holds() -> None:
    app = Starlette(routes=[Mount("/m/{a}", routes=[route := Route("/{b:int}", endpoint := says("x"))])])
    scope = http_scope("/m/one/2", root_path="/root") | {"path": "/root/m/one/2"}
    await call(app, scope)
    assert scope["app"] is app
    assert scope["router"] is app.router
    assert scope["route"] is route
    assert scope["endpoint"] is endpoint
    assert scope["path_params"] == {"a": "one", "b": 2}
    assert (scope["root_path"], scope["app_root_path"], scope["path"]) == ("/root/m/one", "/root", "/root/m/one/2")
