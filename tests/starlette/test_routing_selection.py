"""The selection chooses what asking every route in order would choose, whatever happens to the list meanwhile."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette.convertors import StringConvertor
from starlette.datastructures import URL
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Host, Match, Mount, Route, Router, WebSocketRoute
from starlette.types import Receive, Scope, Send
from tests.asgi import Record, Script, http_scope, websocket_scope

KEYS = ("route", "endpoint", "path_params", "root_path", "app_root_path")


def run(coroutine: Any) -> None:
    """Run a coroutine that waits for nothing."""
    with pytest.raises(StopIteration):
        coroutine.send(None)


class Endpoint:
    """An ASGI endpoint that notes itself and what it sees."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "seen", "by": self.name, **{key: scope.get(key) for key in KEYS}})

    def __repr__(self) -> str:
        return self.name


class Late(Route):
    """A subclass that matches by its own rule."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and scope["path"].startswith("/a"):
            return Match.FULL, {"endpoint": self.endpoint, "path_params": {"late": True}}
        return Match.NONE, {}


def expected_by_asking(router: Router, scope: Scope) -> tuple[str, dict[str, Any]]:
    """The naive reference: every route in order, at every level."""
    chosen: tuple[Any, Scope] | None = None
    for route in router.routes:
        match, child_scope = route.matches(scope)
        if match is Match.FULL:
            chosen = (route, child_scope)
            break
        if match is Match.PARTIAL and chosen is None:
            chosen = (route, child_scope)
    if chosen is None:
        return _unmatched(router, scope)
    route, child_scope = chosen
    scope["route"] = route
    scope.update(child_scope)
    if isinstance(route, Route) and route.methods and scope["method"] not in route.methods:
        return "405", {}
    app: Any = route.app
    if isinstance(app, Router):
        return expected_by_asking(app, scope)
    return app.name, {key: scope.get(key) for key in KEYS}


def _unmatched(router: Router, scope: Scope) -> tuple[str, dict[str, Any]]:
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    inner = path[len(root) :] if path.startswith(root) and path[len(root) : len(root) + 1] in ("", "/") else path
    if scope["type"] == "http" and router.redirect_slashes and inner != "/":
        other = {**scope, "path": path.rstrip("/") if inner.endswith("/") else path + "/"}
        if any(route.matches(other)[0] is not Match.NONE for route in router.routes):
            return f"307 {RedirectResponse(URL(scope=other)).headers['location']}", {}
    return "404", {}


def actual(router: Router, scope: Scope) -> tuple[str, dict[str, Any]]:
    sent = Record()
    run(router(scope, Script(), sent))
    first = sent.messages[0]
    if first["type"] == "seen":
        return first["by"], {key: first[key] for key in KEYS}
    if first["type"] == "websocket.close":
        return "404", {}
    location = dict(first["headers"]).get(b"location", b"").decode("latin-1")
    return f"{first['status']} {location}".strip(), {}


PARTS = ["", "a", "b", "ab", "{p}", "{i:int}", "{f:float}", "a{p}", "{p}.a", "{p}-{i:int}", "{u:uuid}", "{r:path}", "1"]
TEXTS = ["", "a", "b", "ab", "1", "01", "1.5", "a-1", "x.a", "00000000-0000-0000-0000-000000000007", "-", "a\n", "é"]
HOSTS = ["{p}.org", "a.org", "{p}.{i:int}.org"]


class Tables:
    """Random route tables; every route gets an endpoint of its own name."""

    def __init__(self, random: random.Random) -> None:
        self.random = random
        self.names = 0

    def path(self, parts: int = 4) -> str:
        chosen = [self.random.choice(PARTS) for _ in range(self.random.randint(1, parts))]
        return "/" + "/".join(chosen)

    def route(self, depth: int = 0) -> BaseRoute:
        self.names += 1
        endpoint = Endpoint(f"e{self.names}")
        kind = self.random.random()
        if kind < 0.15 and depth < 2:
            return Mount(self.path(2), app=Router(self.routes(depth + 1, 4)))
        if kind < 0.2:
            return Mount(self.path(2), app=endpoint)
        if kind < 0.25:
            return Host(self.random.choice(HOSTS), endpoint)
        if kind < 0.35:
            return WebSocketRoute(self.path(), endpoint)
        if kind < 0.4:
            return Late(self.path(), endpoint)
        methods = self.random.choice([None, ["GET"], ["POST"], ["GET", "POST"]])
        return Route(self.path(), endpoint, methods=methods)

    def routes(self, depth: int = 0, most: int = 12) -> list[BaseRoute]:
        found: list[BaseRoute] = []
        for _ in range(self.random.randint(0, most)):
            try:
                found.append(self.route(depth))
            except ValueError:  # a name stands twice in the path
                continue
        return found

    def scope(self) -> dict[str, Any]:
        path = "/" + "/".join(self.random.choice(TEXTS) for _ in range(self.random.randint(0, 4)))
        host = self.random.choice(["a.org", "x.org", "x.5.org", "bad host", "[::1]"])
        keys: dict[str, Any] = {"headers": [(b"host", host.encode())]}
        if self.random.random() < 0.1:
            keys["root_path"] = self.random.choice(["/a", "/a/", "/"])
        if self.random.random() < 0.1:
            keys["path_params"] = {"p": "outer", "given": 1}
        if self.random.random() < 0.15:
            return websocket_scope(path, **keys)
        return http_scope(path, method=self.random.choice(["GET", "POST", "PUT", "HEAD"]), **keys)

    def edit(self, router: Router) -> None:
        """Change the live list, or a route in it, in one of the ways that programs do."""
        routes = router.routes
        match self.random.randrange(8):
            case 0:
                routes += self.routes(most=2)
            case 1:
                routes[:0] = self.routes(most=2)
            case 2:
                routes.reverse()
            case 3 if routes:
                del routes[self.random.randrange(len(routes))]
            case 4:
                router.routes = list(routes)  # a list of the program's own, from now on
            case 5 if routes:
                changed = self.random.choice(routes)
                other = Route(self.path(1).replace("{", "").replace("}", ""), Endpoint("other"))
                if type(changed) is Route:
                    changed.path_regex, changed.param_convertors = other.path_regex, other.param_convertors
            case 6 if routes:
                changed = self.random.choice(routes)
                if type(changed) is Route:
                    changed.methods = {"PUT"}
            case _:
                router.routes = copy.copy(routes)


@given(seed=st.integers(0, 2**48))
@settings(max_examples=400, deadline=None)
def test_the_selection_equals_asking_every_route_in_order(seed: int) -> None:  # T13.1
    # Each example serves some 60 random scopes before, between and after edits of the list.
    tables = Tables(random.Random(seed))
    router = Router(tables.routes(), redirect_slashes=tables.random.random() < 0.8)
    for _ in range(5):
        for _ in range(12):
            scope = tables.scope()
            assert actual(router, copy.copy(scope)) == expected_by_asking(router, copy.copy(scope)), scope
        tables.edit(router)


class Slotted:
    """A route of a class of its own, without a `__dict__`."""

    __slots__ = ()

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return (Match.PARTIAL if scope["path"] == "/partial" else Match.NONE), {"endpoint": "slotted"}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "seen", "by": scope["endpoint"], **dict.fromkeys(KEYS)})


def test_objects_that_only_match_and_handle_are_routes() -> None:
    router = Router([Slotted(), Slotted(), Route("/other", Endpoint("other"))])  # type: ignore[list-item]
    for _ in range(4):
        assert actual(router, http_scope("/partial"))[0] == "slotted"
        assert actual(router, http_scope("/other"))[0] == "other"


@pytest.mark.parametrize("changed", [Route, Mount, WebSocketRoute])
def test_a_replaced_match_on_a_class_is_asked_while_serving(
    changed: type[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(self: BaseRoute, scope: Scope) -> tuple[Match, Scope]:
        return Match.NONE, {}

    routes = {Route: Route("/a", Endpoint("first")), Mount: Mount("/a", app=Endpoint("first"))}
    first = routes.get(changed, WebSocketRoute("/a/", Endpoint("first")))
    router = Router([first, Host("{any}", Endpoint("last"))])
    scope = websocket_scope if changed is WebSocketRoute else http_scope
    path = "/a" if changed is Route else "/a/"
    for _ in range(4):
        assert actual(router, scope(path))[0] == "first"
    monkeypatch.setattr(changed, "matches", refuses)
    for _ in range(4):
        assert actual(router, scope(path))[0] == "last"


def test_a_match_or_a_handler_of_one_object_is_asked_while_serving() -> None:
    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        await Endpoint("replaced")(scope, receive, send)

    route, mount = Route("/a", Endpoint("route")), Mount("/m", app=Endpoint("mount"))
    router = Router([route, mount, Route("/{any:path}", Endpoint("last"))])
    for _ in range(4):
        assert [actual(router, http_scope(path))[0] for path in ("/a", "/m/")] == ["route", "mount"]
    route.handle = mount.handle = handle  # type: ignore[method-assign]
    for _ in range(4):
        assert [actual(router, http_scope(path))[0] for path in ("/a", "/m/")] == ["replaced", "replaced"]
    route.matches = lambda scope: (Match.NONE, {})  # type: ignore[method-assign]
    for _ in range(4):
        assert actual(router, http_scope("/a"))[0] == "last"
    del route.matches
    for _ in range(4):
        assert actual(router, http_scope("/a"))[0] == "replaced"


@pytest.mark.parametrize(
    ("outer", "path"),
    [
        pytest.param(lambda inner: Mount("/m", app=inner), "/m/x", id="mounted"),
        pytest.param(lambda inner: Mount("/{p}", app=inner), "/m/x", id="mounted-by-parameter"),
        pytest.param(lambda inner: Route("/x", inner), "/x", id="the-endpoint-of-a-route"),
    ],
)
def test_a_router_with_something_around_it_is_called_as_it_is(outer: Any, path: str) -> None:
    seen: list[str] = []

    def around(app: Any) -> Any:
        async def noted(scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(scope["path"])
            await app(scope, receive, send)

        return noted

    inner = Router([Route("/x", Endpoint("inner"))], middleware=[Middleware(around)])
    router = Router([outer(inner)])
    for count in range(1, 4):
        assert actual(router, http_scope(path))[0] == "inner"
        assert seen == [path] * count


def test_an_error_of_a_custom_convertor_is_one_of_the_application() -> None:
    class Picky(StringConvertor):
        def convert(self, value: str) -> str:
            raise ValueError("not this one")

    route = Route("/{name}", Endpoint("route"))
    router = Router([route])
    route.param_convertors = {"name": Picky()}
    for _ in range(3):
        with pytest.raises(ValueError, match="not this one"):
            actual(router, http_scope("/a"))
    route.param_convertors = {}
    for _ in range(3):
        assert actual(router, http_scope("/a"))[1]["path_params"] == {}
