"""Routers, routes and mounts: what others replace on them, and edit in them, takes effect while they serve.

Each test serves before and after the change: a shortcut that was prepared by the first request must not outlive it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

import starlette.convertors
import starlette.routing
from starlette.applications import Starlette
from starlette.convertors import Convertor, StringConvertor
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Host, Match, Mount, Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket
from tests.architecture.seams import get, note_calls, says
from tests.asgi import Script, call, http_scope, websocket_scope

pytestmark = pytest.mark.anyio


def applications() -> list[Any]:
    """The same route reached in each way that a shortcut might take."""
    return [
        pytest.param(lambda route: Starlette(routes=[route]), "/item/1", id="application"),
        pytest.param(lambda route: Router([route]), "/item/1", id="router"),
        pytest.param(lambda route: Starlette(routes=[Mount("/in", routes=[route])]), "/in/item/1", id="mount"),
        pytest.param(
            lambda route: Starlette(routes=[*(Route(f"/{n}", says("no")) for n in range(50)), route]),
            "/item/1",
            id="after-static-routes",
        ),
    ]


WAYS = pytest.mark.parametrize(("make", "path"), applications())
Make = Callable[[BaseRoute], Any]


# -- patch points -----------------------------------------------------------------------------------------------------


@WAYS
async def test_handle_replaced_on_the_route_class_is_called(
    make: Make, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make(route := Route("/item/{n:int}", says("item")))
    assert (await get(app, path)).body == b"item"
    calls = note_calls(monkeypatch, Route, "handle")
    assert (await get(app, path)).body == b"item"
    assert calls == [route]
    monkeypatch.undo()
    assert (await get(app, path)).body == b"item"
    assert calls == [route]


@WAYS
async def test_handle_replaced_on_the_instance_is_called(make: Make, path: str) -> None:
    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("instance")(scope, receive, send)

    app = make(route := Route("/item/{n:int}", says("item")))
    assert (await get(app, path)).body == b"item"
    route.handle = handle  # type: ignore[method-assign]
    assert (await get(app, path)).body == b"instance"
    del route.handle
    assert (await get(app, path)).body == b"item"


@WAYS
async def test_matches_replaced_on_the_route_class_is_asked(
    make: Make, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make(route := Route("/item/{n:int}", says("item")))
    assert (await get(app, path)).body == b"item"
    original = Route.matches

    def matches(self: Route, scope: Scope) -> tuple[Match, Scope]:
        if self is route:
            return Match.FULL, {"endpoint": self.endpoint, "path_params": {"n": "replaced"}}
        return original(self, scope)

    monkeypatch.setattr(Route, "matches", matches)
    scope = http_scope(path)
    assert (await call(app, scope)).body == b"item"
    assert scope["path_params"] == {"n": "replaced"}
    monkeypatch.undo()
    scope = http_scope(path)
    assert (await call(app, scope)).body == b"item"
    assert scope["path_params"] == {"n": 1}


@WAYS
async def test_matches_replaced_on_the_instance_is_asked(make: Make, path: str) -> None:
    app = make(route := Route("/item/{n:int}", says("item")))
    assert (await get(app, path)).body == b"item"
    route.matches = lambda scope: (Match.FULL, {"path_params": {"n": 2}})  # type: ignore[method-assign]
    scope = http_scope(path)
    await call(app, scope)
    assert scope["path_params"] == {"n": 2}
    del route.matches
    scope = http_scope(path)
    await call(app, scope)
    assert scope["path_params"] == {"n": 1}


@pytest.mark.parametrize("kind", [Mount, Host])
async def test_handle_replaced_on_mounts_and_hosts_is_called(kind: type[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    inner = Router([Route("/x", says("inner"))])
    route = Mount("/in", inner) if kind is Mount else Host("testserver", inner)
    path = "/in/x" if kind is Mount else "/x"
    app = Starlette(routes=[route])
    assert (await get(app, path)).body == b"inner"
    calls = note_calls(monkeypatch, kind, "handle")
    assert (await get(app, path)).body == b"inner"
    assert calls == [route]


async def test_matches_replaced_on_mounts_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Starlette(routes=[mount := Mount("/in", routes=[Route("/x", says("inner"))])])
    assert (await get(app, "/in/x")).body == b"inner"
    calls = note_calls(monkeypatch, Mount, "matches", is_async=False)
    assert (await get(app, "/in/x")).body == b"inner"
    assert calls == [mount]


async def test_handle_replaced_on_websocket_routes_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    async def close(websocket: WebSocket) -> None:
        await websocket.close()

    app = Starlette(routes=[route := WebSocketRoute("/ws", close)])
    assert (await call(app, websocket_scope("/ws"), Script({"type": "websocket.connect"}))).types == ["websocket.close"]
    calls = note_calls(monkeypatch, WebSocketRoute, "handle")
    assert (await call(app, websocket_scope("/ws"), Script({"type": "websocket.connect"}))).types == ["websocket.close"]
    assert calls == [route]


@pytest.mark.parametrize("name", ["app", "__call__", "not_found"])
async def test_methods_replaced_on_the_router_class_before_construction_are_called(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = note_calls(monkeypatch, Router, name)
    app = Starlette(routes=[Route("/", says("root"))])
    await get(app)
    assert (await get(app, "/absent")).status == 404
    assert app.router in calls


async def test_request_response_replaced_in_the_module_wraps_new_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    original = starlette.routing.request_response
    seen: list[Any] = []

    def replacement(func: Callable[[Request], Any]) -> ASGIApp:
        seen.append(func)
        inner = original(func)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            scope["patched"] = True
            await inner(scope, receive, send)

        return app

    old = Route("/old", says("old"))
    app = Starlette(routes=[old])
    assert (await get(app, "/old")).body == b"old"
    monkeypatch.setattr(starlette.routing, "request_response", replacement)
    app.router.routes.append(Route("/new", endpoint := says("new")))
    assert seen == [endpoint]
    for path, patched in (("/old", False), ("/new", True)):
        scope = http_scope(path)
        await call(app, scope)
        assert scope.get("patched", False) is patched


def test_the_app_of_a_function_is_a_function_and_of_a_class_the_class() -> None:
    class Page(HTTPEndpoint):
        pass

    async def ws(websocket: WebSocket) -> None: ...

    assert inspect.isfunction(Route("/", says("x")).app)
    assert inspect.isfunction(WebSocketRoute("/", ws).app)
    assert Route("/", Page).app is Page


async def test_the_regex_of_a_convertor_is_read_when_a_path_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Starlette(routes=[Route("/a/{name}", says("old"))])
    assert (await get(app, "/a/x.y")).body == b"old"
    monkeypatch.setattr(StringConvertor, "regex", "[^/.]+")
    app.router.routes.insert(0, Route("/a/{name}", says("new")))
    assert (await get(app, "/a/x.y")).body == b"old"
    assert (await get(app, "/a/x")).body == b"new"


async def test_a_convertor_registered_as_str_serves_new_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Upper(Convertor[str]):
        regex = "[A-Z]+"

        def convert(self, value: str) -> str:
            return value.lower()

        def to_string(self, value: str) -> str:
            return value.upper()

    monkeypatch.setitem(starlette.convertors.CONVERTOR_TYPES, "str", Upper())
    app = Starlette(routes=[Route("/{name}", says("upper"), name="n")])
    scope = http_scope("/ABC")
    await call(app, scope)
    assert scope["path_params"] == {"name": "abc"}
    assert (await get(app, "/abc")).status == 404
    assert app.url_path_for("n", name="x") == "/X"


@pytest.mark.parametrize("name", ["convert", "to_string"])
async def test_methods_of_convertors_are_looked_up_when_used(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = Starlette(routes=[Route("/{name}", says("x"), name="n")])
    await get(app, "/a")
    assert app.url_path_for("n", name="a") == "/a"
    monkeypatch.setattr(StringConvertor, name, lambda self, value: f"patched-{value}")
    scope = http_scope("/a")
    await call(app, scope)
    found = scope["path_params"]["name"] if name == "convert" else app.url_path_for("n", name="a")[1:]
    assert found == "patched-a"
