"""Applications in two steps (ASGI 2), and responses called with (receive, send) or served by themselves."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import pytest

from starlette._legacy.calls import SingleCallable, single_callable
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
    UJSONResponse,
)
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from starlette.templating import Jinja2Templates
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from tests.asgi import Record, Script, body, call, http_scope

# It is written in C, and not installed where nothing can compile it.
NEEDS_UJSON = pytest.mark.skipif(find_spec("ujson") is None, reason="ujson is not installed")

# -- responses: legacy R63 --------------------------------------------------------------------------------------------

RESPONSES: list[Any] = [
    pytest.param(lambda path: Response(b"hello"), id="bytes"),
    pytest.param(lambda path: PlainTextResponse("hello", 201), id="text"),
    pytest.param(lambda path: HTMLResponse("hello", headers={"x-a": "b"}), id="html"),
    pytest.param(lambda path: JSONResponse({"a": 1}), id="json"),
    pytest.param(lambda path: UJSONResponse({"a": 1}), id="ujson", marks=NEEDS_UJSON),
    pytest.param(lambda path: RedirectResponse("/there"), id="redirect"),
    pytest.param(lambda path: StreamingResponse(iter(["hel", "lo"])), id="stream"),
    pytest.param(lambda path: FileResponse(path), id="file"),
    pytest.param(lambda path: FileResponse(path, method="HEAD"), id="head-of-a-file"),
    pytest.param(
        lambda path: Jinja2Templates(path.parent).TemplateResponse(Request(http_scope()), "file.txt"),
        id="template",
    ),
]


@pytest.mark.parametrize("make", RESPONSES)
@pytest.mark.anyio
async def test_a_response_is_sent_with_and_without_a_scope(make: Callable[[Path], Any], tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("hello", encoding="utf-8")
    whole = await call(make(path))
    sent = Record()
    await make(path)(body(), sent)
    assert sent.messages == whole.messages


@pytest.mark.parametrize("make", RESPONSES)
def test_a_response_is_a_whole_application(make: Callable[[Path], Any], tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("hello", encoding="utf-8")
    response = TestClient(make(path)).get("/anywhere", follow_redirects=False)
    assert response.status_code in (200, 201, 307)


@pytest.mark.anyio
async def test_the_background_task_runs_without_a_scope() -> None:
    ran: list[str] = []
    response: Any = PlainTextResponse("hello", background=BackgroundTask(ran.append, "task"))
    await response(body(), Record())
    assert ran == ["task"]


@pytest.mark.anyio
async def test_what_is_no_scope_fails_as_before() -> None:
    response: Any = PlainTextResponse("hello")
    with pytest.raises(TypeError, match="not subscriptable"):
        await response(None, body(), Record())
    with pytest.raises(TypeError):
        await response(http_scope())


# -- ASGI 2 applications: legacy R63 ----------------------------------------------------------------------------------


class App:
    """The class-based application of the oldest documents."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    async def __call__(self, receive: Receive, send: Send) -> None:
        response: Any = PlainTextResponse(f"{self.scope['root_path']} {self.scope['path']}")
        await response(receive, send)


class WithScope(App):
    """It may give the response its scope."""

    async def __call__(self, receive: Receive, send: Send) -> None:
        await PlainTextResponse(f"{self.scope['root_path']} {self.scope['path']}")(self.scope, receive, send)


def function(scope: Scope) -> App:
    return App(scope)


class Middle:
    """An instance that is called with the scope."""

    def __init__(self, app: Callable[[Scope], App]) -> None:
        self.app = app

    def __call__(self, scope: Scope) -> App:
        return self.app(scope)


class Modern:
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("modern")(scope, receive, send)

    async def method(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self(scope, receive, send)

    def plain(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        return self(scope, receive, send)


async def modern(scope: Scope, receive: Receive, send: Send) -> None:
    raise NotImplementedError


class Wrapped:
    def __call__(self, *args: Any) -> Any:
        raise NotImplementedError


class Awaited(HTTPEndpoint):
    pass


DOUBLE = [App, WithScope, function, lambda scope: App(scope), Middle(App)]
SINGLE = [
    Modern(),
    Modern().method,
    Modern().plain,
    modern,
    functools.partial(modern),
    lambda *args: modern(*args),
    lambda scope, receive, send: modern(scope, receive, send),
    Wrapped(),
    Awaited,
    Starlette(),
    Router(),
    PlainTextResponse("x"),
    None,
]


@pytest.mark.parametrize("app", DOUBLE)
def test_an_application_in_two_steps_is_served_mounted_and_hosted(app: Any) -> None:
    outer = Starlette()
    outer.mount("/mounted", app)
    outer.host("old.example.org", app)
    assert TestClient(app).get("/path").text == " /path"
    assert TestClient(outer).get("/mounted/path").text == "/mounted /mounted/path"
    assert TestClient(outer, base_url="http://old.example.org").get("/path").text == " /path"


@pytest.mark.parametrize("app", SINGLE)
def test_an_application_in_one_step_is_left_as_it_is(app: Any) -> None:
    assert single_callable(app) is app


def test_routes_to_the_same_application_in_two_steps_are_equal() -> None:
    app: Any = App
    other: Any = WithScope
    assert Mount("/a", app) == Mount("/a", app)
    assert Mount("/a", app) != Mount("/a", other)
    assert Host("a", app) == Host("a", app)
    assert SingleCallable(app) != app
    assert len({SingleCallable(app), SingleCallable(app)}) == 1
    assert repr(Mount("/a", app)) == f"Mount(path='/a', name='', app={App!r})"


class Earlier:
    """A middleware of ASGI 2: `__call__` takes the scope, and what it returns takes the rest."""

    def __init__(self, app: Any, name: str = "earlier") -> None:
        self.app = app
        self.name = name

    def __call__(self, scope: Scope) -> Any:
        if scope["type"] == "websocket":
            return self.app(scope)
        return functools.partial(self.run, scope)

    async def run(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-passed", self.name.encode()))
            await send(message)

        await self.app(scope)(receive, noting)


class Mixed(Earlier):
    """One that calls the application inside of it in one step."""

    async def run(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def test_middleware_in_two_steps_stands_anywhere() -> None:
    events: list[str] = []

    async def page(request: Request) -> Response:
        return PlainTextResponse("page")

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    inner: Any = Middleware(cast(Any, Earlier), name="route")
    app = Starlette(
        routes=[
            Route("/", page, middleware=[inner]),
            WebSocketRoute("/ws", socket),
            Mount("/old", cast(Any, App), middleware=[inner]),
        ],
        middleware=[Middleware(cast(Any, Mixed))],
        on_startup=[lambda: events.append("startup")],
    )
    app.add_middleware(cast(Any, Earlier), name="outer")
    with TestClient(app) as client:
        assert events == ["startup"]
        for path, text in (("/", "page"), ("/old/x", "/old /old/x")):
            response = client.get(path)
            assert (response.text, response.headers.get_list("x-passed")) == (text, ["route", "outer"])
        with client.websocket_connect("/ws") as session:
            assert session.receive()["type"] == "websocket.close"


@pytest.mark.anyio
async def test_middleware_of_a_mount_stands_around_an_application_in_two_steps() -> None:
    class Passing:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await self.app(scope, receive, send)

    sent, app = Record(), cast(Any, App)
    mount = Mount("/a", app=app, middleware=[Middleware(Passing)])
    await mount(http_scope("/a/b"), Script(), sent)
    assert sent.body == b"/a /a/b"
