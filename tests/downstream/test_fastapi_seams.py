"""Where FastAPI programs reach into the framework: own routes and requests, limits, handlers, streams."""

# The package is in an environment of its own, where no type checker looks.
# mypy: ignore-errors
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportInvalidTypeForm=false
# ruff: noqa: E402

import gzip
import json
import time
from collections.abc import Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from pathlib import Path
from typing import Annotated, Any

import anyio
import pytest

from tests.asgi import Record, Script, body, call, http_scope
from tests.downstream.support import package, served

package("fastapi")
httpx2 = package("httpx2")
package("uvicorn")

from fastapi import (
    APIRouter,
    BackgroundTasks,
    Depends,
    FastAPI,
    Form,
    HTTPException,
    Request,
    Response,
    UploadFile,
    WebSocket,
    WebSocketException,
)
from fastapi.exception_handlers import http_exception_handler
from fastapi.middleware.httpsredirect import HTTPSRedirectMiddleware
from fastapi.openapi.utils import get_openapi
from fastapi.responses import EventSourceResponse, JSONResponse, PlainTextResponse, StreamingResponse
from fastapi.routing import APIRoute, APIWebSocketRoute
from fastapi.sse import ServerSentEvent
from fastapi.testclient import TestClient
from pydantic import BaseModel

from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import ClientDisconnect
from starlette.routing import Mount, Route, Router
from starlette.websockets import WebSocketDisconnect


class Model(BaseModel):
    name: str
    note: str | None = None


# -- own routes and requests -------------------------------------------------------------------------------------------


class GzipRequest(Request):
    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            read = await super().body()
            self._body = gzip.decompress(read) if "gzip" in self.headers.getlist("content-encoding") else read
        return self._body


class GzipRoute(APIRoute):
    def get_route_handler(self):
        handler = super().get_route_handler()

        async def own_handler(request: Request) -> Response:
            before = time.perf_counter()
            response = await handler(GzipRequest(request.scope, request.receive))
            response.headers["x-took"] = str(time.perf_counter() - before >= 0)
            return response

        return own_handler


def test_a_route_class_with_its_own_request() -> None:
    router = APIRouter(route_class=GzipRoute)

    @router.post("/sum")
    async def total(numbers: list[int], request: Request):
        return {"sum": sum(numbers), "kind": type(request).__name__}

    app = FastAPI()
    app.include_router(router, prefix="/api")
    response = TestClient(app).post(
        "/api/sum",
        content=gzip.compress(json.dumps([1, 2]).encode()),
        headers={"content-encoding": "gzip", "content-type": "application/json"},
    )
    assert response.json() == {"sum": 3, "kind": "GzipRequest"}
    assert response.headers["x-took"] == "True"


def test_a_body_read_by_middleware_and_endpoint() -> None:
    app = FastAPI()
    seen: list[bytes] = []

    @app.middleware("http")
    async def reading(request: Request, call_next):
        seen.append(await request.body())
        return await call_next(request)

    @app.post("/")
    async def model(model: Model, request: Request):
        return [model.name, json.loads(await request.body())["name"]]

    assert TestClient(app).post("/", json={"name": "x"}).json() == ["x", "x"]
    assert seen == [b'{"name":"x"}']


def test_a_validation_error_after_the_body_was_read_by_a_dependency() -> None:
    async def raw(request: Request) -> bytes:
        return await request.body()

    app = FastAPI()

    @app.post("/")
    async def model(model: Model, raw: Annotated[bytes, Depends(raw)]):
        return [model.name, raw.decode()]

    client = TestClient(app)
    assert client.post("/", json={"name": "x"}).json() == ["x", '{"name":"x"}']
    assert client.post("/", json={}).status_code == 422


def test_raw_streams() -> None:
    app = FastAPI()

    @app.post("/")
    async def raw(request: Request):
        return [len(chunk) async for chunk in request.stream()]

    assert sum(TestClient(app).post("/", content=iter([b"12", b"345"])).json()) == 5


def test_routes_of_the_framework_inside() -> None:
    async def plain(request):
        return PlainTextResponse(request.path_params["name"])

    app = FastAPI(routes=[Route("/plain/{name}", plain), Mount("/mounted", routes=[Route("/{name}", plain)])])
    app.add_route("/added/{name}", plain)
    app.router.routes.append(Route("/appended/{name}", plain))
    app.host("api.example", Router([Route("/{name}", plain)]))
    client = TestClient(app)
    for path in ("/plain/a", "/mounted/a", "/added/a", "/appended/a"):
        assert client.get(path).text == "a"
    assert client.get("/a", headers={"host": "api.example"}).text == "a"
    assert app.openapi()["paths"] == {}


def test_routes_are_inspected_as_programs_do() -> None:
    app = FastAPI()

    @app.get("/items/{item_id:int}", name="item", tags=["t"])
    async def item(item_id: int): ...

    @app.websocket("/ws/{room}")
    async def ws(websocket: WebSocket, room: str): ...

    api = next(route for route in app.routes if isinstance(route, APIRoute))
    socket = next(route for route in app.routes if isinstance(route, APIWebSocketRoute))
    assert (api.path, api.name, api.methods, api.path_format) == (
        "/items/{item_id:int}",
        "item",
        {"GET"},
        "/items/{item_id}",
    )
    assert api.path_regex.match("/items/5")
    assert socket.path == "/ws/{room}"
    assert app.url_path_for("item", item_id=5) == "/items/5"
    app.router.routes.remove(api)
    assert TestClient(app).get("/items/5").status_code == 404


# -- limits ------------------------------------------------------------------------------------------------------------


def test_a_limit_of_the_body() -> None:
    app = FastAPI(max_body_size=100)

    @app.post("/json")
    async def model(model: Model):
        return model.name

    @app.post("/form")
    async def form(name: Annotated[str, Form()]):
        return name

    client = TestClient(app)
    assert client.post("/json", json={"name": "x"}).json() == "x"
    assert client.post("/json", json={"name": "x" * 200}).status_code == 413
    assert client.post("/json", content=iter([b'{"name": "', b"x" * 200, b'"}'])).status_code == 413
    assert client.post("/form", data={"name": "x" * 200}).status_code == 413


def test_large_uploads() -> None:
    app = FastAPI()

    @app.post("/")
    async def upload(file: UploadFile):
        first = await file.read(3)
        await file.seek(0)
        return {"first": first.decode(), "size": file.size, "read": len(await file.read())}

    response = TestClient(app).post("/", files={"file": ("big", b"abc" * 1_000_000)})
    assert response.json() == {"first": "abc", "size": 3_000_000, "read": 3_000_000}


def test_many_fields_are_refused() -> None:
    app = FastAPI()

    @app.post("/")
    async def form(request: Request):
        return len(await request.form())

    client = TestClient(app)
    assert client.post("/", data={f"f{number}": "1" for number in range(1001)}).status_code == 400
    assert client.post("/", data={f"f{number}": "1" for number in range(1000)}).json() == 1000


# -- handlers and middleware -------------------------------------------------------------------------------------------


def test_exception_handlers_of_every_kind() -> None:
    async def fault(request: Request, exc: Exception):
        return JSONResponse({"fault": str(exc)}, status_code=500)

    async def missing(request: Request, exc: StarletteHTTPException):
        response = await http_exception_handler(request, exc)
        response.headers["x-missing"] = request.url.path
        return response

    def conflict(request: Request, exc: KeyError):
        return JSONResponse({"key": exc.args[0]}, status_code=409)

    app = FastAPI(exception_handlers={404: missing, Exception: fault})
    app.add_exception_handler(LookupError, conflict)

    @app.get("/{kind}")
    async def raising(kind: str):
        raise {"key": KeyError("k"), "fault": ValueError("v"), "http": HTTPException(404, "gone")}[kind]

    client = TestClient(app, raise_server_exceptions=False)
    assert (client.get("/key").status_code, client.get("/key").json()) == (409, {"key": "k"})
    assert (client.get("/fault").status_code, client.get("/fault").json()) == (500, {"fault": "v"})
    assert (client.get("/http").json(), client.get("/http").headers["x-missing"]) == ({"detail": "gone"}, "/http")
    assert client.get("/a/b").headers["x-missing"] == "/a/b"


def test_websocket_exceptions() -> None:
    app = FastAPI()

    async def guard(token: str | None = None) -> None:
        if token != "t":
            raise WebSocketException(code=1008, reason="no token")

    @app.websocket("/", dependencies=[Depends(guard)])
    async def ws(websocket: WebSocket):
        await websocket.accept()
        raise WebSocketException(code=4000, reason="enough")

    client = TestClient(app)
    with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect("/"):
        pass
    assert (refused.value.code, refused.value.reason) == (1008, "no token")
    with client.websocket_connect("/?token=t") as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_text()
    assert (closed.value.code, closed.value.reason) == (4000, "enough")


def test_sessions_and_redirects_to_https() -> None:
    app = FastAPI(middleware=[Middleware(SessionMiddleware, secret_key="s"), Middleware(HTTPSRedirectMiddleware)])

    @app.get("/count")
    async def count(request: Request):
        request.session["count"] = request.session.get("count", 0) + 1
        return request.session["count"]

    client = TestClient(app, base_url="https://testserver", follow_redirects=False)
    assert [client.get("/count").json() for _ in range(3)] == [1, 2, 3]
    redirect = client.get("http://testserver/count?a=1")
    assert (redirect.status_code, redirect.headers["location"]) == (307, "https://testserver/count?a=1")


def test_the_order_of_middleware() -> None:
    app = FastAPI()
    order: list[str] = []

    class Naming(BaseHTTPMiddleware):
        def __init__(self, app, name: str) -> None:
            super().__init__(app)
            self.name = name

        async def dispatch(self, request, call_next):
            order.append(self.name)
            return await call_next(request)

    app.add_middleware(Naming, name="inner")
    app.add_middleware(Naming, name="outer")
    assert TestClient(app).get("/").status_code == 404
    assert order == ["outer", "inner"]
    with pytest.raises(RuntimeError, match="Cannot add middleware"):
        app.add_middleware(Naming, name="late")


def test_headers_cookies_and_tasks_of_dependencies_are_merged() -> None:
    done: list[str] = []

    async def first(response: Response, tasks: BackgroundTasks):
        response.headers["x-a"] = "1"
        response.set_cookie("a", "1")
        tasks.add_task(done.append, "first")

    app = FastAPI()

    @app.get("/", dependencies=[Depends(first)])
    async def page(response: Response, tasks: BackgroundTasks):
        response.set_cookie("b", "2")
        response.status_code = 202
        tasks.add_task(done.append, "second")
        return {}

    response = TestClient(app).get("/")
    assert (response.status_code, response.headers["x-a"]) == (202, "1")
    assert dict(response.cookies) == {"a": "1", "b": "2"}
    assert done == ["first", "second"]


def test_the_page_for_faults_while_debugging() -> None:
    app = FastAPI(debug=True)

    @app.get("/")
    async def fault():
        raise RuntimeError("<a fault>")

    client = TestClient(app, raise_server_exceptions=False)
    page = client.get("/", headers={"accept": "text/html"})
    assert page.status_code == 500
    assert "&lt;a fault&gt;" in page.text
    assert "RuntimeError: <a fault>" in client.get("/").text


def test_an_own_openapi_document() -> None:
    app = FastAPI(openapi_tags=[{"name": "t"}], servers=[{"url": "/v1"}], root_path_in_servers=False)

    @app.get("/", response_model=Model, response_model_exclude_unset=True)
    async def page():
        return {"name": "x"}

    def openapi() -> dict[str, Any]:
        app.openapi_schema = app.openapi_schema or get_openapi(title="Own", version="1", routes=app.routes)
        return app.openapi_schema

    app.openapi = openapi
    client = TestClient(app)
    assert client.get("/").json() == {"name": "x"}
    assert client.get("/openapi.json").json()["info"]["title"] == "Own"


def test_behind_a_proxy_with_a_path() -> None:
    app = FastAPI()

    @app.get("/app")
    async def read(request: Request):
        return [request.scope["root_path"], str(request.url), str(request.url_for("read")), str(request.base_url)]

    expected = ["/v1", "http://testserver/app", "http://testserver/v1/app", "http://testserver/v1/"]
    assert TestClient(app, root_path="/v1").get("/app").json() == expected
    assert "/v1/openapi.json" in TestClient(app, root_path="/v1").get("/docs").text


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_events_of_old_programs() -> None:
    app = FastAPI()
    events: list[str] = []

    @app.on_event("startup")
    async def start():
        events.append("start")

    @app.on_event("shutdown")
    def stop():
        events.append("stop")

    with TestClient(app):
        assert events == ["start"]
    assert events == ["start", "stop"]


def test_lifespans_of_routers() -> None:
    events: list[str] = []

    def lifespan(name: str):
        @asynccontextmanager
        async def run(app):
            events.append(f"{name} starts")
            yield {name: name}
            events.append(f"{name} ends")

        return run

    router = APIRouter(lifespan=lifespan("router"))

    @router.get("/")
    async def state(request: Request):
        return [request.state.app, request.state.router]

    app = FastAPI(lifespan=lifespan("app"))
    app.include_router(router)
    with TestClient(app) as client:
        assert client.get("/").json() == ["app", "router"]
    assert events == ["app starts", "router starts", "router ends", "app ends"]


# -- streams -----------------------------------------------------------------------------------------------------------


def streaming(on_end: Callable[[], None] = lambda: None) -> tuple[FastAPI, list[str]]:
    app, events = FastAPI(), []

    async def resource():
        events.append("open")
        try:
            yield "resource"
        finally:
            events.append("close")

    @app.get("/lines")
    async def lines(name: Annotated[str, Depends(resource)]):
        async def chunks():
            try:
                for number in range(3):
                    events.append(str(number))
                    yield f"{name} {number}\n"
            finally:
                events.append("end")

        return StreamingResponse(chunks())

    @app.get("/sync-lines")
    def sync_lines():
        return StreamingResponse(f"{number}\n" for number in range(3))

    @app.get("/events", response_class=EventSourceResponse)
    async def sse(name: Annotated[str, Depends(resource)]):
        for number in range(2):
            yield ServerSentEvent(data={"n": number}, id=str(number))

    @app.get("/endless")
    async def endless():
        async def chunks():
            try:
                events.append("begin")
                while True:
                    yield b"more\n"
                    await anyio.sleep(0.001)
            finally:
                events.append("end")
                on_end()

        return StreamingResponse(chunks())

    return app, events


@pytest.mark.parametrize("middleware", [[], [GZipMiddleware]], ids=["alone", "behind-gzip"])
def test_streams_use_dependencies_until_they_end(middleware) -> None:
    app, events = streaming()
    for cls in middleware:
        app.add_middleware(cls, minimum_size=1)
    client = TestClient(app)
    assert client.get("/lines").text == "resource 0\nresource 1\nresource 2\n"
    assert events == ["open", "0", "1", "2", "end", "close"]
    assert client.get("/sync-lines").text == "0\n1\n2\n"
    assert 'data: {"n":1}' in client.get("/events").text.replace('": 1', '":1')


@pytest.mark.anyio
@pytest.mark.parametrize("wrapped", [False, True], ids=["alone", "behind-base"])
@pytest.mark.parametrize("version", ["2.3", "2.4"])
async def test_a_stream_ends_when_the_client_leaves(version: str, wrapped: bool) -> None:
    app, events = streaming()
    if wrapped:

        @app.middleware("http")
        async def pass_on(request, call_next):
            return await call_next(request)

    sent = Record()

    async def send(message):
        if len(sent.messages) > 5 and version == "2.4":
            raise OSError("gone")
        await sent(message)
        await anyio.lowlevel.checkpoint()

    receive = Script({"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"})
    scope = http_scope("/endless", asgi={"version": "3.0", "spec_version": version})
    with anyio.fail_after(10):
        # Below ASGI 2.4 nothing is raised; from then on the error of `send` may reach the server.
        with nullcontext() if version == "2.3" else suppress(OSError, ClientDisconnect):
            await app(scope, receive, send)
    # Below ASGI 2.4 the client's leaving may be seen before the first chunk is asked for.
    assert events == ["begin", "end"] or (events == [] and version == "2.3")


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_on_a_real_server() -> None:
    ended = anyio.Event()
    app, _events = streaming(ended.set)
    threads: list[int] = []

    @app.get("/sync")
    def sync():
        threads.append(1)
        return "sync"

    @app.post("/upload")
    async def upload(file: UploadFile, name: Annotated[str, Form()]):
        return [name, file.filename, len(await file.read())]

    with anyio.fail_after(30):
        async with served(app) as url, httpx2.AsyncClient(base_url=url) as client:
            assert (await client.get("/lines")).text == "resource 0\nresource 1\nresource 2\n"
            async with client.stream("GET", "/endless") as response:
                async for line in response.aiter_lines():
                    assert line == "more"
                    break
            async with anyio.create_task_group() as group:
                for _ in range(30):
                    group.start_soon(client.get, "/sync")
            assert len(threads) == 30
            sent = await client.post("/upload", data={"name": "é"}, files={"file": ("a", b"x" * 2_000_000)})
            assert sent.json() == ["é", "a", 2_000_000]
            await ended.wait()


@pytest.mark.anyio
async def test_bodies_in_any_cut() -> None:
    app = FastAPI()

    @app.post("/")
    async def model(model: Model):
        return model.name

    headers = [(b"content-type", b"application/json")]
    for chunks in ([b'{"name":"x"}'], [b'{"na', b'me":"x"', b"}"], [b"", b'{"name":"x"}', b""]):
        sent = await call(app, http_scope(method="POST", headers=headers), body(*chunks))
        assert (sent.status, sent.body) == (200, b'"x"')


def test_a_single_page_application(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<h1>App</h1>")
    (tmp_path / "app.js").write_text("1")
    app = FastAPI()

    @app.get("/api")
    async def api():
        return "api"

    app.frontend("/", directory=tmp_path)
    client = TestClient(app)
    assert client.get("/api").json() == "api"
    assert client.get("/app.js").text == "1"
    assert client.get("/", headers={"accept": "text/html"}).text == "<h1>App</h1>"
