"""Routes, mounts, hosts and routers, rule by rule (the numbers are those of the routing specification)."""

from __future__ import annotations

import copy
import functools
import pickle
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from starlette.applications import Starlette
from starlette.datastructures import URL, URLPath
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import (
    BaseRoute,
    Host,
    Match,
    Mount,
    NoMatchFound,
    Route,
    Router,
    WebSocketRoute,
    compile_path,
    get_name,
    replace_params,
    request_response,
    websocket_session,
)
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket
from tests.asgi import Record, Script, call, http_scope, websocket_scope

pytestmark = pytest.mark.anyio


async def page(request: Request) -> Response:
    return PlainTextResponse(f"page {request.path_params}")


async def chat(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close()


async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("asgi")(scope, receive, send)


class Class:
    def method(self, request: Request) -> Response:
        return PlainTextResponse("method")

    @classmethod
    def of_class(cls, request: Request) -> Response:
        return PlainTextResponse("class")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asgi(scope, receive, send)


# -- helpers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        (page, "page"),
        (Class, "Class"),
        (Class(), "Class"),
        (Class().method, "method"),
        (Class.of_class, "of_class"),
        (lambda request: None, "<lambda>"),
        (functools.partial(page), "partial"),
    ],
)
def test_the_name_of_an_endpoint(endpoint: Callable[..., Any], expected: str) -> None:  # R16
    assert get_name(endpoint) == expected


def test_replace_params_takes_used_values_out_of_the_same_dict() -> None:  # R17
    _, template, convertors = compile_path("/{a}/{b:int}/{c}")
    values = {"a": "x", "b": 5, "other": 1}
    filled, rest = replace_params(template, convertors, values)
    assert filled == "/x/5/{c}"
    assert rest is values
    assert rest == {"other": 1}
    empty: dict[str, Any] = {}
    assert replace_params(template, convertors, empty) == (template, empty)


def test_a_value_is_not_searched_for_placeholders() -> None:  # R18, T24.1
    _, template, convertors = compile_path("/{category}/{id}")
    assert replace_params(template, convertors, {"category": "{id}", "id": "42"})[0] == "/{id}/42"


def test_no_match_found_tells_name_and_parameters() -> None:  # R19
    assert str(NoMatchFound("x", {"b": 1, "a": 2})) == 'No route exists for name "x" and params "b, a".'
    assert str(NoMatchFound("x", {})) == 'No route exists for name "x" and params "".'


def test_match_has_three_truthy_members() -> None:  # R20
    assert [(match.name, match.value, bool(match)) for match in Match] == [
        ("NONE", 0, True),
        ("PARTIAL", 1, True),
        ("FULL", 2, True),
    ]


async def test_request_response_runs_async_functions_and_plain_ones() -> None:  # R21
    def plain(request: Request) -> Response:
        return PlainTextResponse("plain")

    async def anything(request: Request) -> ASGIApp:
        return asgi

    assert (await call(request_response(page))).body == b"page {}"
    assert (await call(request_response(plain))).body == b"plain"
    assert (await call(request_response(anything))).body == b"asgi"  # type: ignore[arg-type]  # any ASGI app will do


async def test_an_endpoint_that_returns_nothing_is_an_error() -> None:  # R21, threats R04.5
    async def nothing(request: Request) -> None: ...

    with pytest.raises(TypeError, match="'NoneType' object is not callable"):
        await call(request_response(nothing))  # type: ignore[arg-type]


async def test_request_response_is_for_http_only() -> None:  # R21
    with pytest.raises(AssertionError):
        await call(request_response(page), websocket_scope())


async def test_websocket_session_runs_the_function() -> None:  # R22
    sent = await call(websocket_session(chat), websocket_scope(), Script({"type": "websocket.connect"}))
    assert sent.types == ["websocket.accept", "websocket.close"]


# -- BaseRoute ---------------------------------------------------------------------------------------------------------


async def test_a_base_route_leaves_everything_to_its_subclass() -> None:  # R25
    route = BaseRoute()
    with pytest.raises(NotImplementedError):
        route.matches({})
    with pytest.raises(NotImplementedError):
        route.url_path_for("x")
    with pytest.raises(NotImplementedError):
        await route.handle({}, Script(), Record())
    with pytest.raises(NotImplementedError):
        Router([route]).url_path_for("x")


async def test_a_route_is_an_application_by_itself() -> None:  # R26
    route = Route("/a", page)
    found = await call(route, http_scope("/a"))
    assert (found.status, found.body) == (200, b"page {}")
    missing = await call(route, http_scope("/b"))
    assert (missing.status, missing.body) == (404, b"Not Found")
    assert missing.header("content-type") == "text/plain; charset=utf-8"
    refused = await call(route, http_scope("/a", method="POST"))
    assert (refused.status, refused.body) == (405, b"Method Not Allowed")
    closed = await call(WebSocketRoute("/a", chat), websocket_scope("/b"))
    assert closed.messages == [{"type": "websocket.close", "code": 1000, "reason": ""}]
    assert (await call(route, {"type": "lifespan"})).messages == []


async def test_a_route_by_itself_offers_no_url_for() -> None:  # R26
    async def endpoint(request: Request) -> Response:
        request.url_for("x")
        raise NotImplementedError

    with pytest.raises(RuntimeError, match="can only be used inside a Starlette application or with a router"):
        await call(Route("/", endpoint))


# -- Route -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "message", "note"),
    [
        (lambda: Route("x", page), "Routed paths must start with '/'", "the path is 'x'; write '/x'"),
        (lambda: WebSocketRoute("", chat), "Routed paths must start with '/'", "the path is ''; write '/'"),
        (lambda: Mount("x", app=asgi), "Routed paths must start with '/'", "the path is 'x'; write '/x'"),
        (lambda: Host("/x", app=asgi), "Host must not start with '/'", "the host is '/x'"),
    ],
)
def test_a_wrong_path_is_refused_and_shown(build: Callable[[], BaseRoute], message: str, note: str) -> None:  # R27, R39
    # T21
    with pytest.raises(AssertionError) as caught:
        build()
    assert str(caught.value) == message
    assert caught.value.__notes__ == [note]


def test_an_endpoint_that_cannot_be_called_is_refused() -> None:
    with pytest.raises(TypeError, match=r"the endpoint of '/x' must be a function of a request.*got 'page'"):
        Route("/x", "page")  # type: ignore[arg-type]


def test_the_attributes_of_a_route() -> None:  # R28
    route = Route("/u/{id:int}", page, methods=["post"], name="n", include_in_schema=False)
    assert (route.path, route.endpoint, route.name, route.include_in_schema) == ("/u/{id:int}", page, "n", False)
    assert route.methods == {"POST"}
    assert route.path_regex.pattern == "^/u/(?P<id>[0-9]+)$"
    assert route.path_format == "/u/{id}"
    assert list(route.param_convertors) == ["id"]
    assert Route("/", page).name == "page"


@pytest.mark.parametrize(
    ("endpoint", "methods"),
    [
        pytest.param(page, {"GET", "HEAD"}, id="function"),
        pytest.param(Class().method, {"GET", "HEAD"}, id="bound-method"),
        pytest.param(functools.partial(functools.partial(page)), {"GET", "HEAD"}, id="partial-of-function"),
        pytest.param(Class, None, id="class"),
        pytest.param(Class(), None, id="instance"),
        pytest.param(functools.partial(Class), None, id="partial-of-class"),
    ],
)
def test_what_counts_as_an_endpoint_function(endpoint: Callable[..., Any], methods: set[str] | None) -> None:  # R29
    assert Route("/", endpoint).methods == methods


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["get"], {"GET", "HEAD"}),
        (("POST", "put"), {"POST", "PUT"}),
        ([], set()),
        ("GET", {"G", "E", "T"}),
    ],
)
def test_methods_become_a_set_in_upper_case(given: Any, expected: set[str]) -> None:  # R30
    assert Route("/", page, methods=given).methods == expected


async def test_an_empty_list_of_methods_allows_every_method() -> None:  # R30
    assert (await call(Route("/", page, methods=[]), http_scope(method="BREW"))).status == 200


class Mark:
    """Adds a header, so that a test sees which middleware ran and in which order."""

    def __init__(self, app: ASGIApp, name: str = "m") -> None:
        self.app = app
        self.name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def marked(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-mark", self.name.encode())]
            await send(message)

        await self.app(scope, receive, marked)


def marks(sent: Record) -> list[bytes]:
    return [value for name, value in sent.headers if name == b"x-mark"]


TWO_MARKS = [Middleware(Mark, name="outer"), Middleware(Mark, name="inner")]


@pytest.mark.parametrize(
    "app",
    [
        pytest.param(Route("/", page, middleware=TWO_MARKS), id="route"),
        pytest.param(Mount("", routes=[Route("/", page)], middleware=TWO_MARKS), id="mount"),
        pytest.param(Router([Route("/", page)], middleware=TWO_MARKS), id="router"),
    ],
)
async def test_middleware_runs_with_the_first_outermost(app: ASGIApp) -> None:  # R31, R55
    assert marks(await call(app)) == [b"inner", b"outer"]


async def test_a_refused_method_does_not_reach_the_middleware_of_its_route() -> None:  # R31
    sent = await call(Route("/", page, middleware=TWO_MARKS, max_body_size=0), http_scope(method="POST"))
    assert (sent.status, marks(sent)) == (405, [])


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda: Router([Route("/", reads, methods=["POST"], max_body_size=3)]), id="route"),
        pytest.param(lambda: Mount("", routes=[Route("/", reads, methods=["POST"])], max_body_size=3), id="mount"),
        pytest.param(lambda: Router([Route("/", reads, methods=["POST"])], max_body_size=3), id="router"),
    ],
)
async def test_the_body_limit_of_each_level_is_enforced(build: Callable[[], ASGIApp]) -> None:  # R31
    request = Script({"type": "http.request", "body": b"four", "more_body": False})
    sent = await call(build(), http_scope(method="POST"), request)
    assert (sent.status, sent.body) == (413, b"Content Too Large")


async def reads(request: Request) -> Response:
    return PlainTextResponse(await request.body())


def test_matching_gives_a_child_scope_and_changes_nothing() -> None:  # R32, R76
    route = Route("/u/{id:int}", page)
    outer = {"tenant": "t", "id": "outer"}
    scope = {"type": "http", "method": "GET", "path": "/root/u/5", "root_path": "/root", "path_params": outer}
    before = copy.deepcopy(scope)
    assert route.matches(scope) == (
        Match.FULL,
        {"endpoint": page, "path_params": {"tenant": "t", "id": 5}},
    )
    assert scope == before
    for method, expected in {"HEAD": Match.FULL, "POST": Match.PARTIAL, "get": Match.PARTIAL}.items():
        assert route.matches({**scope, "method": method})[0] is expected
    assert route.matches({**scope, "path": "/root/u/x"}) == (Match.NONE, {})
    assert route.matches({**scope, "type": "websocket"}) == (Match.NONE, {})


def test_matching_needs_type_method_and_path_only() -> None:
    scope = {"type": "http", "method": "GET", "path": "/u/5"}
    assert Route("/u/{id}", page).matches(scope)[0] is Match.FULL
    assert Mount("/u", app=asgi).matches(scope)[0] is Match.FULL


async def test_a_refused_method_is_a_response_or_inside_of_an_application_an_exception() -> None:  # R33
    route = Route("/", page, methods=["GET", "PUT"])
    sent = await call(route, http_scope(method="POST"))
    assert (sent.status, sent.body, sent.header("allow")) == (405, b"Method Not Allowed", "GET, HEAD, PUT")
    with pytest.raises(HTTPException) as caught:
        await call(route, http_scope(method="POST", app=object()))
    assert (caught.value.status_code, caught.value.headers) == (405, {"Allow": "GET, HEAD, PUT"})
    single = await call(Route("/", page, methods=["QUERY"]), http_scope())
    assert single.header("allow") == "QUERY"


def test_reverse_look_up_needs_the_name_and_exactly_the_parameters() -> None:  # R34
    route = Route("/u/{id:int}/{rest:path}", page, name="u")
    found = route.url_path_for("u", id=5, rest="a/b")
    assert (found, found.protocol, type(found)) == ("/u/5/a/b", "http", URLPath)
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("v", {"id": 5, "rest": ""}),
        ("u", {"id": 5}),
        ("u", {"id": 5, "rest": "", "x": 1}),
    ]
    for name, params in wrong:
        with pytest.raises(NoMatchFound):
            route.url_path_for(name, **params)
    with pytest.raises(AssertionError, match="Negative integers are not supported"):
        route.url_path_for("u", id=-1, rest="")


@pytest.mark.parametrize(
    ("value", "expected"),
    [("/example.org/a", "/%2Fexample.org/a"), ("\\example.org/a", "/%5Cexample.org/a"), ("x y?#é", "/x y?#é")],
)
def test_a_reverse_path_is_never_an_authority(value: str, expected: str) -> None:  # R34, T24.1
    assert Route("/{path:path}", page, name="all").url_path_for("all", path=value) == expected


def test_routes_compare_by_path_endpoint_and_methods() -> None:  # R35
    assert Route("/", page) == Route("/", page, name="other", middleware=TWO_MARKS, include_in_schema=False)
    for other in [Route("/a", page), Route("/", asgi), Route("/", page, methods=["POST"]), WebSocketRoute("/", page)]:
        assert Route("/", page) != other
    for route in [Route("/", page), WebSocketRoute("/", chat), Mount("", app=asgi), Host("x", asgi), Router()]:
        with pytest.raises(TypeError, match="unhashable"):
            hash(route)


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        (Route("/welcome", page, name="homepage"), "Route(path='/welcome', name='homepage', methods=['GET', 'HEAD'])"),
        (Route("/welcome", Class), "Route(path='/welcome', name='Class', methods=[])"),
        (WebSocketRoute("/ws", chat), "WebSocketRoute(path='/ws', name='chat')"),
        (Mount("/app", app=asgi, name=None), f"Mount(path='/app', name='', app={asgi!r})"),
        (Host("example.com", app=asgi, name="n"), f"Host(host='example.com', name='n', app={asgi!r})"),
    ],
    ids=["route", "class", "websocket", "mount", "host"],
)
def test_repr_shows_what_identifies_a_route(route: BaseRoute, expected: str) -> None:  # R36, R37, R48, R53
    assert repr(route) == expected


# -- WebSocketRoute ----------------------------------------------------------------------------------------------------


async def test_a_websocket_route_takes_functions_and_applications() -> None:  # R37
    connect = {"type": "websocket.connect"}
    for endpoint in (chat, functools.partial(chat)):
        sent = await call(WebSocketRoute("/ws", endpoint), websocket_scope("/ws"), Script(connect))
        assert sent.types == ["websocket.accept", "websocket.close"]

    class Closes:
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "websocket.close"})

    route = WebSocketRoute("/ws", Closes(), middleware=[Middleware(Mark)])
    assert (await call(route, websocket_scope("/ws"))).types == ["websocket.close"]


def test_a_websocket_route_matches_websockets_wholly_or_not() -> None:  # R37
    route = WebSocketRoute("/ws/{room}", chat)
    assert route.matches(websocket_scope("/ws/a", path_params={"x": 1})) == (
        Match.FULL,
        {"endpoint": chat, "path_params": {"x": 1, "room": "a"}},
    )
    assert route.matches(websocket_scope("/ws")) == (Match.NONE, {})
    assert route.matches(http_scope("/ws/a")) == (Match.NONE, {})
    found = route.url_path_for("chat", room="a")
    assert (found, found.protocol) == ("/ws/a", "websocket")
    with pytest.raises(NoMatchFound):
        route.url_path_for("chat")
    assert route == WebSocketRoute("/ws/{room}", chat, name="other")
    assert route != WebSocketRoute("/ws", chat)


async def test_http_and_websocket_routes_may_share_a_path() -> None:  # R38, T13.7
    router = Router([WebSocketRoute("/", chat), Route("/", page)])
    for _ in range(3):
        assert (await call(router)).body == b"page {}"
        sent = await call(router, websocket_scope(), Script({"type": "websocket.connect"}))
        assert sent.types == ["websocket.accept", "websocket.close"]


# -- Mount -------------------------------------------------------------------------------------------------------------


def test_a_mount_needs_an_application_or_routes() -> None:  # R39
    with pytest.raises(AssertionError, match=r"^Either 'app=\.\.\.', or 'routes=' must be specified$"):
        Mount("/a")
    assert Mount("/a", routes=[]).routes == []
    assert Mount("/a", app=asgi, routes=[Route("/", page)]).app is asgi


@pytest.mark.parametrize(("given", "expected"), [("/", ""), ("", ""), ("/a//", "/a"), ("/a/{b}", "/a/{b}")])
def test_a_mount_path_has_no_final_slash(given: str, expected: str) -> None:  # R40
    mount = Mount(given, app=asgi)
    assert (mount.path, mount.path_format, mount.name) == (expected, expected + "/{path}", None)


def test_a_mount_parameter_cannot_be_called_path() -> None:  # R40
    with pytest.raises(ValueError, match=re.escape("Duplicated param name path at path /{path}/{path:path}")):
        Mount("/{path}", app=asgi)


def test_the_routes_of_a_mount_are_those_of_its_unwrapped_application() -> None:  # R41
    inner = Router()
    mount = Mount("/a", app=inner, middleware=TWO_MARKS, max_body_size=5)
    assert mount.routes is inner.routes
    inner.add_route("/x", page, name="x")
    assert mount.url_path_for("x") == "/a/x"
    assert Mount("/a", app=asgi).routes == []
    assert Mount("/a", app=Route("/", page)).routes == []
    assert Host("a", app=inner).routes is inner.routes
    assert Host("a", app=asgi).routes == []


def test_the_child_scope_of_a_mount() -> None:  # R42, R43
    mount = Mount("/sub/{a}", app=asgi)
    scope = http_scope("/root/sub/x/path", root_path="/root", path_params={"a": "outer", "b": 1})
    assert mount.matches(scope) == (
        Match.FULL,
        {
            "path_params": {"a": "x", "b": 1},
            "app_root_path": "/root",
            "root_path": "/root/sub/x",
            "endpoint": asgi,
        },
    )
    child = mount.matches({**scope, "app_root_path": "/first"})[1]
    assert child["app_root_path"] == "/first"


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/users/", True), ("/users/a", True), ("/users", False), ("/usersa", False), ("/users/\n", False)],
)
async def test_a_mount_needs_a_slash_behind_its_prefix(path: str, expected: bool) -> None:  # R42, T13.2
    mount = Mount("/users", app=asgi)
    assert (mount.matches(http_scope(path))[0] is Match.FULL) is expected
    assert (mount.matches(websocket_scope(path))[0] is Match.FULL) is expected
    assert mount.matches({"type": "lifespan"}) == (Match.NONE, {})
    router = Router([mount], redirect_slashes=False)
    for _ in range(3):
        assert (await call(router, http_scope(path))).status == (200 if expected else 404)


async def test_once_a_mount_matches_nothing_behind_it_is_tried() -> None:  # R44, R45
    router = Router([Mount("/a", routes=[]), Route("/a/b", page), Mount("", app=asgi), Route("/c", page)])
    for _ in range(3):
        assert (await call(router, http_scope("/a/b"))).status == 404
        assert (await call(router, http_scope("/c", method="BREW"))).body == b"asgi"


NAMED = Mount("/{subpath}/users", name="users", routes=[Route("/{username}", page, name="user")])


@pytest.mark.parametrize(
    ("route", "name", "params", "expected"),
    [
        pytest.param(Mount("/users", app=asgi, name="users"), "users", {"path": "/a"}, "/users/a", id="R47a"),
        pytest.param(Mount("/users", app=asgi, name="users"), "users", {"path": "//a"}, "/users/a", id="R47a-slashes"),
        pytest.param(Mount("/users", app=asgi, name="users"), "users", {"path": ""}, "/users/", id="R47a-empty"),
        pytest.param(NAMED, "users:user", {"subpath": "test", "username": "tom"}, "/test/users/tom", id="R47b"),
        pytest.param(
            Mount("/mount", name="mount", routes=[Mount("/static", app=asgi, name="static")]),
            "mount:static",
            {"path": "123"},
            "/mount/static/123",
            id="R47b-path-for-the-children",
        ),
        pytest.param(Mount("/a", routes=[Route("/b", page, name="b")]), "b", {}, "/a/b", id="R47b-unnamed"),
        pytest.param(
            Mount("/{tenant}", routes=[Route("/users", page, name="users")]),
            "users",
            {},
            "/{tenant}/users",
            id="R47c-placeholders-stay",
        ),
        pytest.param(Mount("/a", name="", routes=[Route("/b", page, name="b")]), ":b", {}, "/a/b", id="R47f"),
        pytest.param(Mount("/a", routes=[Host("h", Router([Route("/b", page)]))]), "page", {}, "/a/b", id="host-lost"),
    ],
)
def test_reverse_look_up_through_a_mount(route: Mount, name: str, params: dict[str, Any], expected: str) -> None:
    given = dict(params)
    found = route.url_path_for(name, **given)
    assert (found, found.host) == (expected, "")
    assert given == params


def test_reverse_look_up_through_a_mount_keeps_the_protocol() -> None:  # R47b
    assert Mount("/a", app=asgi, name="a").url_path_for("a", path="x").protocol == ""
    assert Mount("/a", routes=[WebSocketRoute("/b", chat)]).url_path_for("chat").protocol == "websocket"


@pytest.mark.parametrize(
    ("route", "name", "params"),
    [
        pytest.param(Mount("/users", app=asgi, name="users"), "users", {}, id="R47a-without-path"),
        pytest.param(Mount("/users", app=asgi, name="users"), "users", {"path": "/a", "foo": "b"}, id="R47a-too-many"),
        pytest.param(Mount("/users", app=asgi), "users", {"path": "/a"}, id="R47d-no-children"),
        pytest.param(Mount("/a", app=Route("/", page)), "page", {}, id="R47d-a-route-as-application"),
        pytest.param(NAMED, "user", {"subpath": "a", "username": "b"}, id="without-prefix"),
        pytest.param(Mount("/{id}", routes=[Route("/{id}", page)]), "page", {"id": "1"}, id="R47e-consumed"),
        pytest.param(Host("{s}.org", asgi, name="h"), "h", {"path": "/", "s": "a", "x": 1}, id="R52-too-many"),
        pytest.param(Host("{s}.org", Router(), name="h"), "h:x", {"s": "a"}, id="R52-no-such-child"),
        pytest.param(Host("{s}.org", Router(), name="h"), "x", {"s": "a"}, id="R52-without-prefix"),
    ],
)
def test_reverse_look_up_that_finds_nothing(route: BaseRoute, name: str, params: dict[str, Any]) -> None:
    with pytest.raises(NoMatchFound) as caught:
        route.url_path_for(name, **params)
    assert str(caught.value) == str(NoMatchFound(name, params))


def test_mounts_and_hosts_compare_by_place_and_application() -> None:  # R48, R53
    assert Mount("/a", routes=[]) == Mount("/a/", routes=[], name="n")
    assert Mount("/a", app=asgi) != Mount("/b", app=asgi)
    assert Mount("/a", app=asgi, middleware=TWO_MARKS) != Mount("/a", app=asgi, middleware=TWO_MARKS)
    assert Host("a", asgi) == Host("a", asgi, name="n")
    assert Host("a", asgi) != Host("A", asgi)
    assert Router([Route("/", page)]) == Router([Route("/", page)], redirect_slashes=False)
    assert Router() != object()


# -- Host --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "header", "expected"),
    [
        ("ex.org", "ex.org", {}),
        ("port.ex.org:3600", "port.ex.org", {}),
        ("port.ex.org:3600", "port.ex.org:000080", {}),
        ("ex.org", "ex.org:65536", {}),
        ("{sub}.Ex.org", "Sub.eX.ORG", {"sub": "sub"}),
        ("{s}.ex.org", "a.b.ex.org", {"s": "a.b"}),
        ("[::1]:80", "[::1]", {}),
        ("[v1.foo]", "[v1.foo]:80", {}),
        ("[::1]", "[0:0:0:0:0:0:0:1]", None),
        ("ex.org", "ex.org.", None),
        ("ex.org", "api.ex.org", None),
        ("{h}", "ex.org:evil", None),
        ("{h}", "[:::]", None),
        ("{h}", "", None),
    ],
)
def test_a_host_is_compared_without_case_and_port(
    pattern: str, header: str, expected: dict[str, str] | None
) -> None:  # R50, T13.7
    host = Host(pattern, asgi)
    for scope in (
        http_scope(headers=[(b"host", header.encode())]),
        websocket_scope(headers=[(b"host", header.encode())]),
    ):
        if expected is None:
            assert host.matches(scope) == (Match.NONE, {})
        else:
            assert host.matches(scope) == (Match.FULL, {"path_params": expected, "endpoint": asgi})  # R51
    assert host.matches(http_scope(headers=[])) == (Match.NONE, {})
    assert host.matches({"type": "lifespan"}) == (Match.NONE, {})


async def test_a_host_changes_no_path_and_a_malformed_one_is_passed_by() -> None:  # R50, R51, T13.7
    router = Router([Host("{s}.org", Router([Route("/x", page)])), Route("/x", page)])
    for _ in range(3):
        sent = await call(router, http_scope("/x", headers=[(b"host", b"a.org")]))
        assert sent.body == b"page {'s': 'a'}"
        assert (await call(router, http_scope("/x", headers=[(b"host", b"a.org:evil")]))).body == b"page {}"


def test_the_attributes_of_a_host() -> None:  # R49
    inner = Router([Route("/x", page)])
    host = Host("{s:str}.example.org", inner, name="h")
    assert (host.host, host.app, host.name, host.host_format) == ("{s:str}.example.org", inner, "h", "{s}.example.org")
    assert host.host_regex.match("a.example.org")
    assert list(host.param_convertors) == ["s"]
    assert host.routes == inner.routes
    assert Host("example.org", asgi).routes == []
    with pytest.raises(AssertionError, match=r"^Host must not start with '/'"):
        Host("/example.org", asgi)


def test_reverse_look_up_through_a_host() -> None:  # R52, R73
    inner = Router([Route("/", page, name="homepage"), WebSocketRoute("/ws", chat)])
    host = Host("{s}.example.org:3600", inner, name="port")
    found = host.url_path_for("port:homepage", s="a")
    assert (found, found.host, found.protocol) == ("/", "a.example.org:3600", "http")
    assert found.make_absolute_url("https://whatever") == "https://a.example.org:3600/"
    assert host.url_path_for("port:chat").make_absolute_url("https://x/rp") == "wss://{s}.example.org:3600/rp/ws"
    own = host.url_path_for("port", s="a", path="verbatim")
    assert (own, own.host) == ("verbatim", "a.example.org:3600")
    assert Host("h.org", inner).url_path_for("homepage").host == "h.org"


# -- Router ------------------------------------------------------------------------------------------------------------


def test_the_attributes_of_a_router() -> None:  # R54
    routes: list[BaseRoute] = [Route("/", page)]
    router = Router(routes, redirect_slashes=False, default=asgi)
    routes.clear()
    assert len(router.routes) == 1
    assert (router.redirect_slashes, router.default) == (False, asgi)
    assert Router().default == Router.not_found.__get__(router) or callable(Router().default)


async def test_a_router_serves_three_kinds_of_scopes() -> None:  # R56
    with pytest.raises(AssertionError):
        await call(Router(), {"type": "email"})


async def test_the_outermost_router_is_the_one_in_the_scope() -> None:  # R56, R58
    inner = Router([Route("/x", page)])
    outer = Router([Mount("/in", app=inner)])
    for _ in range(3):
        scope = http_scope("/in/x")
        await call(outer, scope)
        assert scope["router"] is outer
        assert scope["route"] is inner.routes[0]
        missed = http_scope("/in/y")
        await call(outer, missed)
        assert missed["route"] is outer.routes[0]
        assert missed["endpoint"] is inner
        unmatched = http_scope("/elsewhere")
        await call(outer, unmatched)
        assert "route" not in unmatched
        assert "endpoint" not in unmatched


async def test_the_first_full_match_wins_then_the_first_partial() -> None:  # R57, T13.1
    def named(name: str) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            return PlainTextResponse(name)

        return endpoint

    router = Router(
        [
            Route("/a", named("get")),
            Route("/a", named("post"), methods=["POST"]),
            Route("/b", named("get")),
            Mount("/b", app=asgi),
            Mount("", routes=[Route("/b", named("mounted"), methods=["PUT"])]),
        ]
    )
    for _ in range(3):
        assert (await call(router, http_scope("/a"))).body == b"get"
        assert (await call(router, http_scope("/a", method="POST"))).body == b"post"
        assert (await call(router, http_scope("/b", method="PUT"))).body == b"mounted"
    only_partial = Router(router.routes[:2])
    for _ in range(3):
        sent = await call(only_partial, http_scope("/a", method="PUT"))
        assert (sent.status, sent.header("allow")) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("path", "keys", "location"),
    [
        pytest.param("/only", {"query_string": b"a=1"}, "http://testserver/only/?a=1", id="adds"),
        pytest.param("/u/x///", {}, "http://testserver/u/x", id="removes-all"),
        pytest.param("/only", {"method": "DELETE"}, "http://testserver/only/", id="any-method"),
        pytest.param("/only", {"headers": []}, "http://testserver/only/", id="server-for-host"),
        pytest.param("/only", {"headers": [], "server": None}, "/only/", id="no-authority"),
        pytest.param("/root/only", {"root_path": "/root"}, "http://testserver/root/only/", id="keeps-the-root"),
        pytest.param("/root", {"root_path": "/root"}, "http://testserver/root/", id="root-itself"),
        pytest.param("", {}, "http://testserver/", id="empty"),
        pytest.param("/sub_path/", {"root_path": "/sub_path/"}, "http://testserver/sub_path//", id="R60"),
        pytest.param("/in/x/", {}, "http://testserver/in/x", id="inside-of-a-mount"),
        pytest.param("/p/é", {}, "http://testserver/p/%C3%A9/", id="quoted"),
    ],
)
async def test_slashes_are_redirected_to_a_route_that_exists(path: str, keys: dict[str, Any], location: str) -> None:
    # R59, R60, T05
    router = Router(
        [
            Route("/", page),
            Route("/only/", page),
            Route("/u/{name}", page),
            Route("/p/{name}/", page),
            Mount("/in", routes=[Route("/x", page)]),
        ]
    )
    for _ in range(3):
        sent = await call(router, http_scope(path, **keys))
        assert (sent.status, sent.header("location"), sent.body) == (307, location, b"")
        assert sent.header("content-length") == "0"


async def test_slashes_are_redirected_on_request_and_for_http_only() -> None:  # R59, R61
    routes = [Route("/only/", page), WebSocketRoute("/only/", chat)]
    for router in (Router(routes, redirect_slashes=False), Router([]), Router([Route("/other", page)])):
        for _ in range(3):
            assert (await call(router, http_scope("/only"))).status == 404
            assert (await call(router, http_scope("/"))).status == 404
    for _ in range(3):
        sent = await call(Router(routes), websocket_scope("/only"))
        assert sent.messages == [{"type": "websocket.close", "code": 1000, "reason": ""}]


async def test_what_nothing_matches_goes_to_the_default() -> None:  # R61, R62
    router = Router(default=asgi)
    assert (await call(router)).body == b"asgi"
    assert (await call(router, websocket_scope())).types == [
        "websocket.http.response.start",
        "websocket.http.response.body",
    ]
    plain = await call(Router())
    assert (plain.status, plain.body, plain.header("content-type")) == (404, b"Not Found", "text/plain; charset=utf-8")
    with pytest.raises(HTTPException) as caught:
        await call(Router(), http_scope(app=None))
    assert caught.value.status_code == 404

    class Custom(Router):
        async def not_found(self, scope: Scope, receive: Receive, send: Send) -> None:
            await asgi(scope, receive, send)

    assert (await call(Custom())).body == b"asgi"


async def test_not_found_raises_inside_of_an_application() -> None:  # R62
    with pytest.raises(HTTPException):
        await Router().not_found(http_scope(app=None), Script(), Record())


async def test_a_list_that_changes_while_it_is_asked_is_asked_in_order() -> None:  # R59
    class Appends(BaseRoute):
        def matches(self, scope: Scope) -> tuple[Match, Scope]:
            router.routes.append(Mount("/other", app=asgi))
            return Match.NONE, {}

    router = Router([Appends(), Route("/only/", page)])
    for _ in range(3):
        sent = await call(router, http_scope("/only"))
        assert (sent.status, sent.header("location")) == (307, "http://testserver/only/")


def test_a_route_takes_and_gives_back_further_attributes() -> None:
    route: Any = Route("/", page)
    route.further = 1
    del route.further
    assert not hasattr(route, "further")


def test_a_route_that_was_never_set_up_has_no_pattern() -> None:
    assert not hasattr(Route.__new__(Route), "path_regex")
    assert isinstance(Route("/", page).path_regex, re.Pattern)


def test_reverse_look_up_takes_the_first_route_that_fits() -> None:  # R63
    router = Router([Route("/a", page, name="n"), Route("/a/{id}", page, name="n"), Route("/b", page, name="n")])
    assert router.url_path_for("n") == "/a"
    assert router.url_path_for("n", id="1") == "/a/1"
    with pytest.raises(NoMatchFound, match=r'No route exists for name "n" and params "x"\.'):
        router.url_path_for("n", x=1)


async def test_routes_are_appended_by_methods() -> None:  # R64
    router = Router()
    router.add_route("/a", page, methods=["PUT"], name="a", include_in_schema=False)
    router.add_websocket_route("/ws", chat, name="w")
    router.mount("/m", asgi, name="m")
    router.host("h", asgi, name="h")
    assert router.routes == [
        Route("/a", page, methods=["PUT"]),
        WebSocketRoute("/ws", chat),
        Mount("/m", app=asgi),
        Host("h", asgi),
    ]
    assert [route.name for route in router.routes] == ["a", "w", "m", "h"]  # type: ignore[attr-defined]
    assert isinstance(router.routes[0], Route)
    assert router.routes[0].include_in_schema is False


async def test_a_plain_router_handles_no_exceptions() -> None:  # R65
    async def fails(request: Request) -> Response:
        raise HTTPException(418)

    with pytest.raises(HTTPException):
        await call(Router([Route("/", fails)]))


# -- matching what a client sends --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/{x:int}", "/05", {"x": 5}),
        ("/{x:int}", "/-5", None),
        ("/{x:int}", "/5.0", None),
        ("/{x:int}", "/٥", None),
        ("/{x:int}", "/" + "9" * 5000, None),
        ("/{x:float}", "/1", {"x": 1.0}),
        ("/{x:float}", "/01.50", {"x": 1.5}),
        ("/{x:float}", "/1.", None),
        ("/{x:float}", "/.5", None),
        ("/{x:float}", "/" + "9" * 400, None),
        ("/{x:uuid}", "/00000000000000000000000000000007", {"x": uuid.UUID(int=7)}),
        ("/{x:uuid}", "/00000000-0000000000000000-0000000A", None),
        ("/{x:uuid}", "/not-a-uuid", None),
        ("/{x:path}", "/", {"x": ""}),
        ("/{x:path}", "/a/b/", {"x": "a/b/"}),
        ("/{x}", "/", None),
        ("/{x}", "/a:disable", {"x": "a:disable"}),
        ("/{x}:disable", "/a:disable", {"x": "a"}),
        ("/a({x:int})", "/a(7)", {"x": 7}),
        ("/a{b}c{d:int}.json", "/a1c2c3.json", {"b": "1c2", "d": 3}),
        ("/admin", "/admin\n", None),
        ("/{x:int}", "/5\n", None),
        ("/x", "//x", None),
        ("/x", "/./x", None),
        ("/x", "/X", None),
        ("/x", "/x;a", None),
    ],
)
async def test_what_a_path_matches(pattern: str, path: str, expected: dict[str, Any] | None) -> None:  # T13.3
    # R3, R15, T13.2 to T13.5
    seen: list[dict[str, Any]] = []

    async def endpoint(request: Request) -> Response:
        seen.append(request.path_params)
        return Response()

    route = Route(pattern, endpoint)
    match, child_scope = route.matches(http_scope(path))
    assert (match, child_scope.get("path_params")) == (
        (Match.NONE, None) if expected is None else (Match.FULL, expected)
    )
    router = Router([route], redirect_slashes=False)
    for _ in range(3):
        assert (await call(router, http_scope(path))).status == (404 if expected is None else 200)
    assert seen == [] if expected is None else seen == [expected] * 3


async def test_a_group_that_a_convertor_names_is_no_parameter(monkeypatch: pytest.MonkeyPatch) -> None:  # D8
    from starlette.convertors import CONVERTOR_TYPES, StringConvertor

    class Named(StringConvertor):
        regex = "(?P<inner>[a-c])+"

    monkeypatch.setitem(CONVERTOR_TYPES, "named", Named())
    assert Route("/{x:named}", page).matches(http_scope("/ab"))[1]["path_params"] == {"x": "ab"}


async def test_an_error_of_a_custom_convertor_is_the_applications(monkeypatch: pytest.MonkeyPatch) -> None:  # R8, R9
    from starlette.convertors import CONVERTOR_TYPES, Convertor, register_url_convertor

    class Refuses(Convertor[str]):
        regex = "(a|b)+"

        def convert(self, value: str) -> str:
            raise ValueError("refused")

        def to_string(self, value: str) -> str:
            return value

    monkeypatch.setitem(CONVERTOR_TYPES, "refuses", None)  # restored afterwards
    register_url_convertor("refuses", Refuses())
    router = Router([Route("/{x:refuses}", page)])
    for _ in range(3):
        with pytest.raises(ValueError, match="refused"):
            await call(router, http_scope("/ab"))
    assert (await call(router, http_scope("/c"))).status == 404
    assert router.url_path_for("page", x="a") == "/a"


# -- lifespan ----------------------------------------------------------------------------------------------------------


async def test_routers_survive_copies_and_pickles_before_and_after_they_served() -> None:
    endpoint = Class()
    router = Router([Route("/{x:int}", endpoint), Mount("/m", app=Router([Route("/y-{z}-{a}", endpoint)]))])
    for _ in range(3):
        for twin in (router, copy.deepcopy(router), copy.copy(router), pickle.loads(pickle.dumps(router))):
            assert (await call(twin, http_scope("/5"))).body == b"asgi"
            assert (await call(twin, http_scope("/m/y-1-2"))).body == b"asgi"


async def test_a_copied_mount_matches_by_its_new_pattern() -> None:  # R74
    mount = Mount("/a", app=asgi)
    router = Router([mount])
    for _ in range(3):
        await call(router, http_scope("/a/"))
    twin = copy.copy(mount)
    twin.path = "/pre/{x}"
    twin.path_regex, twin.path_format, twin.param_convertors = compile_path("/pre/{x}/{path:path}")
    assert twin.matches(http_scope("/pre/5/rest"))[1]["root_path"] == "/pre/5"
    assert mount.matches(http_scope("/pre/5/rest"))[0] is Match.NONE
    router.routes.append(twin)
    for _ in range(3):
        assert (await call(router, http_scope("/pre/5/rest"))).status == 200


async def test_reversed_names_end_to_end() -> None:  # R71, R72, R73
    async def urls(request: Request) -> Response:
        return PlainTextResponse(f"{request.url_for('index')} {request.url_for('mount:submount')}")

    app = Starlette(
        routes=[
            Route("/", urls, name="index"),
            Mount("/submount", name="mount", routes=[Route("/", urls, name="submount")]),
        ]
    )
    headers = [(b"host", b"www.example.org")]
    for path in ("/sub_path/", "/sub_path/submount/"):
        scope = http_scope(path, root_path="/sub_path", scheme="https", headers=headers)
        sent = await call(app, scope)
        assert sent.body == b"https://www.example.org/sub_path/ https://www.example.org/sub_path/submount/"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a?b#c", "http://testserver/p/a%3Fb%23c"),
        ("a\n\tb", "http://testserver/p/a%0A%09b"),
        ("é x", "http://testserver/p/é x"),
    ],
)
async def test_a_parameter_never_ends_the_path_of_an_absolute_url(value: str, expected: str) -> None:  # T24.2
    seen: list[URL] = []

    async def endpoint(request: Request) -> Response:
        seen.append(request.url_for("p", x=value))
        return Response()

    await call(Router([Route("/", endpoint), Route("/p/{x}", page, name="p")]))
    assert (str(seen[0]), seen[0].query, seen[0].fragment) == (expected, "", "")


async def test_what_a_subclass_of_a_router_may_override() -> None:  # R75
    seen: list[str] = []

    class Anything:
        """A route by its methods alone."""

        def matches(self, scope: Scope) -> tuple[Match, Scope]:
            return (Match.FULL if scope["path"] == "/any" else Match.NONE), {}

        async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
            await PlainTextResponse("anything")(scope, receive, send)

        def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
            if name != "anything":
                raise NoMatchFound(name, path_params)
            return URLPath("/any")

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        seen.append("lifespan")
        yield

    class Custom(Router):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.lifespan_context = lifespan
            super().__init__(*args, **kwargs)

        async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
            seen.append("app")
            await super().app(scope, receive, send)

        async def not_found(self, scope: Scope, receive: Receive, send: Send) -> None:
            await PlainTextResponse("not here", status_code=404)(scope, receive, send)

        def add_route(self, path: str, *args: Any, **kwargs: Any) -> None:
            super().add_route(f"/v1{path}", *args, **kwargs)

    anything: Any = Anything()
    router = Custom([anything])
    router.add_route("/page", page)
    for _ in range(3):
        assert (await call(router, http_scope("/any"))).body == b"anything"
        assert (await call(router, http_scope("/v1/page"))).body == b"page {}"
        missing = await call(router, http_scope("/page"))
        assert (missing.status, missing.body) == (404, b"not here")
    assert seen == ["app"] * 9
    assert (router.url_path_for("anything"), router.url_path_for("page")) == ("/any", "/v1/page")
