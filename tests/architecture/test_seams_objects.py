"""Applications, routers and routes as objects: copied, pickled, weakly referenced, hashed, extended."""

from __future__ import annotations

import copy
import weakref
from typing import Any

import pytest

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from starlette.websockets import WebSocket
from tests.architecture.seams import by_cloudpickle, get

pytestmark = pytest.mark.anyio


async def item(request: Request) -> Response:
    return PlainTextResponse(f"item {request.path_params['n']}")


async def refuse(websocket: WebSocket) -> None:
    await websocket.close()


async def other(request: Request) -> Response:
    return PlainTextResponse("other")


def make_router() -> Router:
    routes = [
        Route("/items/{n:int}", item, name="item"),
        WebSocketRoute("/ws", refuse),
        Mount("/m/{tenant}", routes=[Route("/{n:uuid}", item), Route("/{n}", item)], name="m"),
        Host("{sub}.example", Router([Route("/{n}", item)])),
        *(Route(f"/static/{number}", other) for number in range(40)),
    ]
    return Router(routes, middleware=[Middleware(RequestBodyLimitMiddleware, max_body_size=9)])


async def serves(app: Any) -> None:
    assert (await get(app, "/items/1")).body == b"item 1"
    assert (await get(app, "/m/t/x")).body == b"item x"
    assert (await get(app, "/static/39")).body == b"other"
    assert (await get(app, "/static/39/", headers=[(b"host", b"h")])).status == 307
    assert (await get(app, "/y", headers=[(b"host", b"a.example")])).body == b"item y"


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, by_cloudpickle])
@pytest.mark.parametrize("served", [False, True], ids=["before-serving", "after-serving"])
async def test_routers_can_be_copied(copied: Any, served: bool) -> None:
    router = make_router()
    if served:
        await serves(router)
    twin = copied(router)
    await serves(twin)
    if copied is not copy.copy:
        assert twin.routes is not router.routes
        twin.routes.insert(0, Route("/items/{n}", other))
        assert (await get(twin, "/items/1")).body == b"other"
        assert (await get(router, "/items/1")).body == b"item 1"


@pytest.mark.parametrize("served", [False, True], ids=["before-serving", "after-serving"])
async def test_applications_can_be_copied(served: bool) -> None:
    app = Starlette(routes=make_router().routes, middleware=[Middleware(RequestBodyLimitMiddleware, max_body_size=9)])
    app.state.value = 1
    if served:
        await serves(app)
    twin = copy.deepcopy({**vars(app), "state": None})
    restored = Starlette.__new__(Starlette)
    vars(restored).update(twin, middleware_stack=None)
    await serves(restored)
    await serves(app)


@pytest.mark.parametrize("index", range(4), ids=["route", "websocket-route", "mount", "host"])
async def test_single_routes_can_be_copied_and_used_elsewhere(index: int) -> None:
    router = make_router()
    await serves(router)
    for twin in (
        copy.copy(router.routes[index]),
        copy.deepcopy(router.routes[index]),
        by_cloudpickle(router.routes[index]),
    ):
        assert type(twin) is type(router.routes[index])
        again = Router([twin, *make_router().routes[index + 1 :], *make_router().routes[:index]])
        await serves(again)


async def test_a_copied_mount_may_get_another_application() -> None:
    mount = Mount("/m", routes=[Route("/x", item)])
    app = Starlette(routes=[mount])
    await get(app, "/m/absent")
    twin = copy.copy(mount)
    twin.app = Router([Route("/x", other)])
    assert (await get(Starlette(routes=[twin]), "/m/x")).body == b"other"
    assert twin.routes is twin.app.routes or twin.routes == mount.routes


async def test_applications_are_keys_of_weak_dictionaries_and_take_attributes() -> None:
    app = Starlette(routes=[Route("/{n}", item)])
    known: weakref.WeakKeyDictionary[Starlette, int] = weakref.WeakKeyDictionary({app: 1})
    app.anything = 1  # type: ignore[attr-defined]
    await get(app, "/x")
    assert known[app] == 1
    assert {app} == {app}


@pytest.mark.parametrize("index", range(4), ids=["route", "websocket-route", "mount", "host"])
def test_routes_take_attributes_and_weak_references(index: int) -> None:
    route: Any = make_router().routes[index]
    route.anything = 1
    assert weakref.ref(route)() is route
    with pytest.raises(TypeError, match="unhashable"):
        hash(route)


async def test_serving_keeps_nothing_alive() -> None:
    import gc

    app = Starlette(routes=[Route("/{n}", item)])
    await get(app, "/x")
    gone = weakref.ref(app)
    del app
    gc.collect()
    assert gone() is None
