"""Each part alone: what a server or another framework can use of ours with nothing else of ours around it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest
from graphql import build_schema

from starlette.authentication import AuthCredentials, AuthenticationBackend, SimpleUser
from starlette.background import BackgroundTask, BackgroundTasks
from starlette.config import Config
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.exceptions import HTTPException
from starlette.graphql import GraphQLApp
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket
from tests.asgi import Record, Script, body, call, http_scope, websocket_scope

pytestmark = pytest.mark.anyio


def bare(path: str = "/", **keys: Any) -> dict[str, Any]:
    """Return a scope with nothing but what the specification requires of servers."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [],
        **keys,
    }


# -- responses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        pytest.param(lambda: Response(b"a"), b"a", id="bytes"),
        pytest.param(lambda: PlainTextResponse("a"), b"a", id="text"),
        pytest.param(lambda: HTMLResponse("<p>"), b"<p>", id="html"),
        pytest.param(lambda: JSONResponse({"a": 1}), b'{"a":1}', id="json"),
        pytest.param(lambda: RedirectResponse("/there"), b"", id="redirect"),
        pytest.param(lambda: StreamingResponse(iter(["a", "b"])), b"ab", id="stream"),
        pytest.param(lambda: FileResponse(__file__), Path(__file__).read_bytes(), id="file"),
    ],
)
async def test_a_response_is_an_application(make: Callable[[], ASGIApp], expected: bytes) -> None:
    assert (await call(make(), bare())).body == expected


# -- requests and WebSockets -------------------------------------------------------------------------------------------


async def test_a_request_reads_the_scope_and_the_messages_of_a_function() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        seen = [request.method, request.url.path, request.query_params["q"], (await request.body()).decode()]
        await JSONResponse(seen)(scope, receive, send)

    sent = await call(app, bare("/a", method="PUT", query_string=b"q=1"), body(b"by", b"tes"))
    assert json.loads(sent.body) == ["PUT", "/a", "1", "bytes"]


def test_a_connection_reads_a_scope_of_either_kind() -> None:
    headers = [(b"cookie", b"a=1")]
    for scope in (bare(headers=headers), websocket_scope(headers=headers)):
        assert HTTPConnection(scope).cookies == {"a": "1"}


def test_what_needs_others_says_so() -> None:
    request = Request(bare())
    with pytest.raises(RuntimeError, match="url_for"):
        request.url_for("page")
    with pytest.raises(AssertionError, match="SessionMiddleware"):
        _ = request.session
    with pytest.raises(AssertionError, match="AuthenticationMiddleware"):
        _ = request.user


async def test_a_websocket_is_served_by_a_function() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        await websocket.send_text((await websocket.receive_text()).upper())
        await websocket.close()

    messages = Script({"type": "websocket.connect"}, {"type": "websocket.receive", "text": "a"})
    sent = await call(app, websocket_scope(), messages)
    assert sent.types == ["websocket.accept", "websocket.send", "websocket.close"]
    assert sent.messages[1]["text"] == "A"


# -- routers and endpoints ---------------------------------------------------------------------------------------------


async def page(request: Request) -> Response:
    return PlainTextResponse(request.url_for("page").path if "router" in request.scope else "page")


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close()


ROUTER = Router([Route("/page", page, name="page"), WebSocketRoute("/ws", socket)])


@pytest.mark.parametrize(
    ("scope", "status", "text"),
    [
        pytest.param(bare("/page"), 200, b"/page", id="found"),
        pytest.param(bare("/page", method="POST"), 405, b"Method Not Allowed", id="method"),
        pytest.param(bare("/page/"), 307, b"", id="slash"),
        pytest.param(bare("/nowhere"), 404, b"Not Found", id="missing"),
    ],
)
async def test_a_router_is_an_application(scope: Scope, status: int, text: bytes) -> None:
    sent = await call(ROUTER, scope)
    assert (sent.status, sent.body) == (status, text)


@pytest.mark.parametrize(("path", "types"), [("/ws", ["accept", "close"]), ("/nowhere", ["close"])])
async def test_a_router_serves_websockets(path: str, types: list[str]) -> None:
    sent = await call(ROUTER, websocket_scope(path), Script({"type": "websocket.connect"}))
    assert sent.types == [f"websocket.{name}" for name in types]


async def test_a_router_answers_the_lifespan() -> None:
    messages = Script({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    sent = await call(Router(), {"type": "lifespan", "asgi": {"version": "3.0"}}, messages)
    assert sent.types == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


class Endpoint(HTTPEndpoint):
    async def get(self, request: Request) -> Response:
        return PlainTextResponse("page")


@pytest.mark.parametrize(
    "app",
    [
        pytest.param(Route("/page", page), id="route"),
        pytest.param(Mount("", PlainTextResponse("page")), id="mount"),
        pytest.param(Host("localhost", PlainTextResponse("page")), id="host"),
        pytest.param(Endpoint, id="endpoint"),
    ],
)
async def test_a_route_or_an_endpoint_is_an_application(app: Any) -> None:
    sent = await call(app, bare("/page", headers=[(b"host", b"localhost")]))
    assert (sent.status, sent.body) == (200, b"page")


async def test_a_websocket_endpoint_is_an_application() -> None:
    class Echo(WebSocketEndpoint):
        encoding = "text"

        async def on_receive(self, websocket: WebSocket, data: Any) -> None:
            await websocket.send_text(data)

    app: Any = Echo
    messages = Script(
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": "a"},
        {"type": "websocket.disconnect", "code": 1000},
    )
    sent = await call(app, websocket_scope(), messages)
    assert sent.types == ["websocket.accept", "websocket.send"]


# -- middleware --------------------------------------------------------------------------------------------------------


async def foreign(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve as an application that knows nothing of ours; the scopes that it has seen are its only trace."""
    scope.setdefault("seen", []).append(scope["type"])
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"foreign"})


async def pass_on(request: Request, call_next: RequestResponseEndpoint) -> Response:
    return await call_next(request)


class Nobody(AuthenticationBackend):
    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, SimpleUser]:
        return AuthCredentials(), SimpleUser("nobody")


MIDDLEWARE = [
    pytest.param(lambda app: AuthenticationMiddleware(app, Nobody()), id="authentication"),
    pytest.param(lambda app: BaseHTTPMiddleware(app, pass_on), id="base"),
    pytest.param(lambda app: RequestBodyLimitMiddleware(app, 10), id="body-limit"),
    pytest.param(lambda app: CORSMiddleware(app, allow_origins=["*"]), id="cors"),
    pytest.param(lambda app: ServerErrorMiddleware(app), id="errors"),
    pytest.param(lambda app: ExceptionMiddleware(app), id="exceptions"),
    pytest.param(lambda app: GZipMiddleware(app), id="gzip"),
    pytest.param(lambda app: HTTPSRedirectMiddleware(app), id="https-redirect"),
    pytest.param(lambda app: SessionMiddleware(app, "secret"), id="sessions"),
    pytest.param(lambda app: TrustedHostMiddleware(app, ["localhost"]), id="trusted-host"),
]


@pytest.mark.parametrize("around", MIDDLEWARE)
async def test_a_middleware_stands_around_a_foreign_application(around: Callable[[ASGIApp], ASGIApp]) -> None:
    scope = bare(headers=[(b"host", b"localhost"), (b"origin", b"https://a.example")], scheme="https")
    sent = await call(around(foreign), scope)
    assert (sent.status, sent.body) == (200, b"foreign")


@pytest.mark.parametrize("around", MIDDLEWARE)
async def test_a_middleware_passes_the_lifespan_to_a_foreign_application(around: Callable[[ASGIApp], ASGIApp]) -> None:
    scope: dict[str, Any] = {"type": "lifespan", "asgi": {"version": "3.0"}}
    await call(around(foreign), scope, Script())
    assert scope["seen"] == ["lifespan"]


async def test_exceptions_of_a_foreign_application_become_answers() -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        raise HTTPException(418) if scope["path"] == "/teapot" else ValueError("a fault")

    app = ServerErrorMiddleware(ExceptionMiddleware(failing))
    assert (await call(app, bare("/teapot"))).status == 418
    sent = Record()
    with pytest.raises(ValueError, match="a fault"):
        await app(bare("/"), body(), sent)
    assert (sent.status, sent.body) == (500, b"Internal Server Error")


# -- what stands beside requests ---------------------------------------------------------------------------------------


async def test_static_files_are_an_application(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text", encoding="utf-8")
    app = StaticFiles(directory=tmp_path)
    assert (await call(app, bare("/a.txt"))).body == b"text"
    with pytest.raises(HTTPException, match="404"):
        await call(app, bare("/b.txt"))


async def test_templates_render_for_a_function() -> None:
    loader = jinja2.DictLoader({"a.html": "{{ request.url.path }} {{ text }}"})
    templates = Jinja2Templates(env=jinja2.Environment(loader=loader, autoescape=True))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await templates.TemplateResponse(Request(scope), "a.html", {"text": "<"})(scope, receive, send)

    assert (await call(app, bare("/a"))).body == b"/a &lt;"


async def test_background_tasks_run_by_hand() -> None:
    ran: list[str] = []

    async def note(text: str, *, end: str = "") -> None:
        ran.append(text + end)

    await BackgroundTask(note, "a", end="!")()
    tasks = BackgroundTasks([BackgroundTask(ran.append, "b")])
    tasks.add_task(note, "c")
    await tasks()
    assert ran == ["a!", "b", "c"]


def test_configuration_needs_a_mapping_and_nothing_else() -> None:
    config = Config(environ={"PORT": "8001"})
    assert (config("PORT", cast=int), config("HOST", default="localhost")) == (8001, "localhost")


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_graphql_is_an_application() -> None:
    app = GraphQLApp(build_schema("type Query { hello: String }"))
    scope = http_scope("/any", query_string=b"query={hello}")
    assert (await call(app, scope)).body == b'{"data":{"hello":null}}'


# The modules that a part must not need.
SERVING = {"starlette.applications", "starlette.routing"}
TALKING = {"starlette.requests", "starlette.responses", "starlette.websockets"}


@pytest.mark.parametrize(
    ("part", "others"),
    [
        pytest.param("config", SERVING | TALKING, id="config"),
        pytest.param("background", SERVING | TALKING, id="background"),
        pytest.param("datastructures", SERVING | TALKING, id="datastructures"),
        pytest.param("responses", SERVING, id="responses"),
        pytest.param("requests", SERVING, id="requests"),
        pytest.param("websockets", SERVING, id="websockets"),
        pytest.param("staticfiles", SERVING, id="staticfiles"),
        pytest.param("templating", SERVING, id="templating"),
        pytest.param("graphql", SERVING, id="graphql"),
        pytest.param("middleware.base", SERVING, id="middleware"),
        pytest.param("middleware.gzip", SERVING, id="gzip"),
        pytest.param("routing", {"starlette.applications"}, id="routing"),
    ],
)
def test_a_part_does_not_load_what_it_does_not_need(part: str, others: set[str]) -> None:
    program = f"import sys, starlette.{part}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert others.isdisjoint(loaded)
