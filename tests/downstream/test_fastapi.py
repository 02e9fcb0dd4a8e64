"""A service in FastAPI: most of what its users do, through its own test client."""

# The package is in an environment of its own, where no type checker looks.
# mypy: ignore-errors
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportInvalidTypeForm=false
# ruff: noqa: E402

from __future__ import annotations

import io
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import pytest

from tests.downstream.support import package

package("fastapi")

from fastapi import (
    APIRouter,
    BackgroundTasks,
    Body,
    Cookie,
    Depends,
    FastAPI,
    File,
    Form,
    Header,
    HTTPException,
    Query,
    Request,
    Response,
    Security,
    UploadFile,
    WebSocket,
    WebSocketDisconnect,
    status,
)
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    StreamingResponse,
)
from fastapi.security import HTTPBasic, HTTPBasicCredentials, OAuth2PasswordBearer, OAuth2PasswordRequestForm
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from fastapi.testclient import TestClient
from pydantic import BaseModel, Field

from starlette.applications import Starlette
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse as StarlettePlainText
from starlette.routing import Mount, Route


class Item(BaseModel):
    name: str = Field(max_length=10)
    price: float = Field(gt=0)
    tags: list[str] = []


class Stored(Item):
    id: int


class Profile(BaseModel):
    name: str
    age: int = 0


class Teapot(Exception):
    """What the application answers with its own handler."""


EVENTS: list[str] = []


@pytest.fixture(autouse=True)
def _fresh():
    EVENTS.clear()


# -- dependencies ------------------------------------------------------------------------------------------------------


async def session():
    EVENTS.append("open")
    try:
        yield {"items": {1: {"id": 1, "name": "tea", "price": 2.5, "secret": "hidden"}}}
    except HTTPException:
        EVENTS.append("rolled back")
        raise
    finally:
        EVENTS.append("close")


def sync_session(outer: Annotated[dict, Depends(session)]):
    EVENTS.append("inner open")
    yield outer["items"]
    EVENTS.append("inner close")


Items = Annotated[dict[int, Any], Depends(sync_session)]
oauth = OAuth2PasswordBearer(tokenUrl="/token", scopes={"admin": "Everything"})
basic = HTTPBasic()


async def token_user(token: Annotated[str, Depends(oauth)]) -> str:
    if token != "secret":
        raise HTTPException(401, "Wrong token", headers={"WWW-Authenticate": "Bearer"})
    return "alice"


class Paging:
    def __init__(self, skip: Annotated[int, Query(ge=0)] = 0, limit: int = 10) -> None:
        self.skip, self.limit = skip, limit


# -- routers -----------------------------------------------------------------------------------------------------------


def items_router() -> APIRouter:
    router = APIRouter(prefix="/items", tags=["items"], responses={404: {"description": "Not found"}})

    @router.get("", response_model=list[Stored])
    def listed(items: Items, page: Annotated[Paging, Depends()]):
        return list(items.values())[page.skip : page.skip + page.limit]

    @router.get("/{item_id}", response_model=Stored, name="read_item")
    async def read(item_id: int, items: Items):
        if item_id not in items:
            raise HTTPException(404, detail={"missing": item_id}, headers={"X-Missing": str(item_id)})
        return items[item_id]

    @router.post("", response_model=Stored, status_code=status.HTTP_201_CREATED)
    async def create(item: Item, request: Request, response: Response, tasks: BackgroundTasks):
        response.headers["Location"] = str(request.url_for("read_item", item_id=2))
        response.set_cookie("last", "2", httponly=True)
        tasks.add_task(EVENTS.append, f"stored {item.name}")
        return {**item.model_dump(), "id": 2}

    @router.put("/{item_id:int}")
    async def replace(item_id: int, item: Item, note: Annotated[str | None, Body()] = None):
        return {"id": item_id, "item": item, "note": note}

    @router.delete("/{item_id}", status_code=204)
    async def delete(item_id: int) -> None:
        return None

    return router


def forms_router() -> APIRouter:
    router = APIRouter()

    @router.post("/login")
    async def login(username: Annotated[str, Form()], remember: Annotated[bool, Form()] = False):
        return {"username": username, "remember": remember}

    @router.post("/token")
    async def token(form: Annotated[OAuth2PasswordRequestForm, Depends()]):
        return {"access_token": form.password, "token_type": "bearer", "scopes": form.scopes}

    @router.post("/uploads")
    async def uploads(files: list[UploadFile], title: Annotated[str, Form()], raw: Annotated[bytes, File()]):
        found = [[file.filename, file.content_type, file.size, (await file.read()).decode()] for file in files]
        return {"title": title, "raw": len(raw), "files": found}

    @router.post("/profile")
    async def profile(data: Annotated[Profile, Form()]):
        return data

    return router


def parameters_router() -> APIRouter:
    router = APIRouter()

    @router.get("/parameters/{path:path}")
    async def parameters(
        path: str,
        q: Annotated[list[str] | None, Query()] = None,
        user_agent: Annotated[str | None, Header()] = None,
        x_list: Annotated[list[str] | None, Header()] = None,
        theme: Annotated[str | None, Cookie()] = None,
    ):
        return {"path": path, "q": q, "agent": user_agent, "list": x_list, "theme": theme}

    @router.get("/me")
    async def me(user: Annotated[str, Security(token_user, scopes=["admin"])]):
        return user

    @router.get("/basic")
    def basic_user(credentials: Annotated[HTTPBasicCredentials, Depends(basic)]):
        return credentials.username

    @router.api_route("/any", methods=["GET", "POST", "OPTIONS", "HEAD"], include_in_schema=False)
    async def any_method(request: Request):
        return {"method": request.method, "body": (await request.body()).decode()}

    return router


def responses_router(directory: Path) -> APIRouter:
    router = APIRouter(prefix="/responses")
    templates = Jinja2Templates(directory=directory)

    @router.get("/html", response_class=HTMLResponse)
    def html():
        return "<h1>Hello</h1>"

    @router.get("/text", response_class=PlainTextResponse)
    async def text():
        return "hello"

    @router.get("/file")
    async def file():
        return FileResponse(directory / "style.css", filename="style.css")

    @router.get("/stream")
    async def stream():
        async def chunks():
            for number in range(3):
                yield f"{number}\n"

        return StreamingResponse(chunks(), media_type="text/plain")

    @router.get("/redirect")
    async def redirect():
        return RedirectResponse("/responses/text", status_code=303)

    @router.get("/template")
    async def template(request: Request):
        return templates.TemplateResponse(request, "page.html", {"name": "<b>"})

    @router.get("/long")
    async def long():
        return PlainTextResponse("x" * 5000)

    @router.get("/teapot")
    async def teapot():
        raise Teapot("short and stout")

    @router.get("/fault")
    async def fault(items: Items):
        raise RuntimeError("a fault")

    @router.get("/wrong-model", response_model=Stored)
    async def wrong_model():
        return {"id": "x"}

    @router.get("/starlette-error")
    async def starlette_error():
        raise StarletteHTTPException(418, "of starlette")

    return router


def sockets_router() -> APIRouter:
    router = APIRouter(prefix="/ws")

    @router.websocket("/echo/{room}")
    async def echo(
        websocket: WebSocket, room: str, items: Items, name: Annotated[str, Query()], start: Annotated[int, Query()] = 0
    ):
        await websocket.accept(subprotocol="chat")
        await websocket.send_json({"room": room, "name": name, "items": len(items), "start": start})
        try:
            while True:
                await websocket.send_text("you said: " + await websocket.receive_text())
        except WebSocketDisconnect as exc:
            EVENTS.append(f"left {exc.code}")

    @router.websocket("/refused")
    async def refused(websocket: WebSocket, token: Annotated[str, Query()]):
        await websocket.close(code=1008)

    return router


# -- the application ---------------------------------------------------------------------------------------------------


def application(directory: Path) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI):
        EVENTS.append("started")
        yield {"greeting": "hello"}
        EVENTS.append("stopped")

    app = FastAPI(title="Shop", version="2.0", lifespan=lifespan)
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(
        CORSMiddleware, allow_origins=["https://shop.example"], allow_methods=["*"], allow_credentials=True
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["testserver"])

    @app.middleware("http")
    async def timing(request: Request, call_next):
        response = await call_next(request)
        response.headers["X-Process"] = request.url.path
        return response

    class Marking(BaseHTTPMiddleware):
        async def dispatch(self, request, call_next):
            request.state.mark = "marked"
            return await call_next(request)

    app.add_middleware(Marking)

    @app.exception_handler(Teapot)
    async def on_teapot(request: Request, exc: Teapot):
        return JSONResponse({"teapot": str(exc)}, status_code=418)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, exc: RequestValidationError):
        places = [".".join(map(str, error["loc"])) for error in exc.errors()]
        return JSONResponse({"invalid": places}, status_code=422)

    @app.get("/")
    async def root(request: Request):
        return {"greeting": request.state.greeting, "mark": request.state.mark}

    app.include_router(items_router())
    app.include_router(items_router(), prefix="/v2", tags=["second"], dependencies=[Depends(token_user)])
    app.include_router(forms_router())
    app.include_router(parameters_router())
    app.include_router(responses_router(directory))
    app.include_router(sockets_router())

    inner = FastAPI(title="Inner")

    @inner.get("/where")
    async def where(request: Request):
        return {"root_path": request.scope["root_path"], "url": str(request.url_for("where"))}

    app.mount("/inner", inner)
    app.mount("/static", StaticFiles(directory=directory, html=True), name="static")

    async def plain(request):
        return StarlettePlainText(str(request.url))

    app.mount("/plain", Starlette(routes=[Route("/x", plain), Mount("/deep", routes=[Route("/y", plain)])]))
    return app


@pytest.fixture
def client(tmp_path: Path):
    (tmp_path / "style.css").write_text("body {}")
    (tmp_path / "index.html").write_text("<h1>Index</h1>")
    (tmp_path / "page.html").write_text("Hello, {{ name }} {{ url_for('static', path='style.css') }}")
    with TestClient(application(tmp_path), follow_redirects=False) as client:
        EVENTS.remove("started")
        yield client


def test_lifespan_state_and_middleware(tmp_path: Path) -> None:
    with TestClient(application(tmp_path)) as client:
        response = client.get("/")
        assert response.json() == {"greeting": "hello", "mark": "marked"}
        assert response.headers["x-process"] == "/"
    assert EVENTS == ["started", "stopped"]


def test_response_models_filter_and_dependencies_close(client) -> None:
    response = client.get("/items", params={"limit": 1})
    assert response.json() == [{"id": 1, "name": "tea", "price": 2.5, "tags": []}]
    assert EVENTS == ["open", "inner open", "inner close", "close"]
    assert client.get("/items/1").json()["name"] == "tea"


def test_dependencies_see_the_exception(client) -> None:
    response = client.get("/items/9")
    assert (response.status_code, response.json()) == (404, {"detail": {"missing": 9}})
    assert response.headers["x-missing"] == "9"
    assert EVENTS == ["open", "inner open", "rolled back", "close"]


def test_creation_with_cookie_location_and_background_task(client) -> None:
    response = client.post("/items", json={"name": "milk", "price": 1})
    assert (response.status_code, response.json()) == (201, {"name": "milk", "price": 1.0, "tags": [], "id": 2})
    assert response.headers["location"] == "http://testserver/items/2"
    assert response.headers["set-cookie"] == "last=2; HttpOnly; Path=/; SameSite=lax"
    assert EVENTS == ["stored milk"]
    assert client.put("/items/3", json={"item": {"name": "a", "price": 1}, "note": "n"}).json()["note"] == "n"
    deleted = client.delete("/items/3")
    assert (deleted.status_code, deleted.content) == (204, b"")


@pytest.mark.parametrize(
    ("method", "path", "body", "places"),
    [
        ("GET", "/items/x", None, ["path.item_id"]),
        ("GET", "/items?skip=-1", None, ["query.skip"]),
        ("POST", "/items", {"name": "x" * 11, "price": 0}, ["body.name", "body.price"]),
        ("POST", "/items", None, ["body"]),
    ],
)
def test_validation(client, method: str, path: str, body: Any, places: list[str]) -> None:
    response = client.request(method, path, json=body)
    assert (response.status_code, response.json()) == (422, {"invalid": places})


def test_invalid_json_is_422(client) -> None:
    response = client.post("/items", content=b"{", headers={"content-type": "application/json"})
    assert response.status_code == 422


def test_routers_included_twice(client) -> None:
    assert client.get("/v2/items").status_code == 401
    headers = {"authorization": "Bearer secret"}
    assert client.get("/v2/items/1", headers=headers).json()["id"] == 1
    assert client.get("/me", headers=headers).json() == "alice"
    wrong = client.get("/me", headers={"authorization": "Bearer wrong"})
    assert (wrong.status_code, wrong.headers["www-authenticate"]) == (401, "Bearer")
    assert client.get("/basic", auth=("bob", "x")).json() == "bob"


def test_forms_and_uploads(client) -> None:
    assert client.post("/login", data={"username": "é", "remember": "on"}).json() == {"username": "é", "remember": True}
    assert client.post("/login", files={"username": (None, "multi")}).json()["username"] == "multi"
    assert client.post("/login", data={}).json() == {"invalid": ["body.username"]}
    token = client.post("/token", data={"username": "a", "password": "secret", "scope": "x y"}).json()
    assert (token["access_token"], token["scopes"]) == ("secret", ["x", "y"])
    files = [
        ("files", ("a.txt", io.BytesIO(b"first"), "text/plain")),
        ("files", ("ü.txt", b"second", "text/x-other")),
        ("raw", ("raw.bin", b"123")),
    ]
    response = client.post("/uploads", files=files, data={"title": "both"})
    assert response.json() == {
        "title": "both",
        "raw": 3,
        "files": [["a.txt", "text/plain", 5, "first"], ["ü.txt", "text/x-other", 6, "second"]],
    }
    assert client.post("/profile", data={"name": "x", "age": "3"}).json() == {"name": "x", "age": 3}
    broken = client.post("/uploads", content=b"nonsense", headers={"content-type": "multipart/form-data; boundary=b"})
    assert broken.status_code in {400, 422}


def test_parameters_from_everywhere(client) -> None:
    response = client.get(
        "/parameters/a/b%20c",
        params=[("q", "1"), ("q", "é")],
        headers=[("user-agent", "me"), ("x-list", "a"), ("x-list", "b"), ("cookie", "theme=dark")],
    )
    assert response.json() == {"path": "a/b c", "q": ["1", "é"], "agent": "me", "list": ["a", "b"], "theme": "dark"}


def test_methods(client) -> None:
    assert client.post("/any", content=b"x").json() == {"method": "POST", "body": "x"}
    assert client.head("/any").status_code == 200
    wrong = client.delete("/any")
    assert (wrong.status_code, wrong.json()) == (405, {"detail": "Method Not Allowed"})
    assert set(wrong.headers["allow"].split(", ")) == {"GET", "POST", "OPTIONS", "HEAD"}
    slash = client.get("/any/")
    assert (slash.status_code, slash.headers["location"]) == (307, "http://testserver/any")
    assert client.get("/nowhere").json() == {"detail": "Not Found"}


def test_responses(client) -> None:
    assert client.get("/responses/html").headers["content-type"] == "text/html; charset=utf-8"
    assert client.get("/responses/text").text == "hello"
    file = client.get("/responses/file", headers={"range": "bytes=0-3"})
    assert (file.status_code, file.text) == (206, "body")
    assert client.get("/responses/stream").text == "0\n1\n2\n"
    redirect = client.get("/responses/redirect")
    assert (redirect.status_code, redirect.headers["location"]) == (303, "/responses/text")
    page = client.get("/responses/template")
    assert page.text == "Hello, &lt;b&gt; http://testserver/static/style.css"
    assert page.template.name == "page.html"
    long = client.get("/responses/long")
    assert (long.headers["content-encoding"], len(long.text)) == ("gzip", 5000)


def test_errors(client, tmp_path: Path) -> None:
    teapot = client.get("/responses/teapot")
    assert (teapot.status_code, teapot.json()) == (418, {"teapot": "short and stout"})
    assert client.get("/responses/starlette-error").json() == {"detail": "of starlette"}
    with pytest.raises(RuntimeError, match="a fault"):
        client.get("/responses/fault")
    assert EVENTS == ["open", "inner open", "close"]
    with pytest.raises(Exception, match="validation error"):
        client.get("/responses/wrong-model")
    quiet = TestClient(client.app, raise_server_exceptions=False)
    assert (quiet.get("/responses/fault").status_code, quiet.get("/responses/fault").text) == (
        500,
        "Internal Server Error",
    )


def test_mounts(client) -> None:
    where = client.get("/inner/where").json()
    assert where["url"].endswith("/inner/where")
    assert client.get("/static/style.css").text == "body {}"
    assert client.get("/static/").text == "<h1>Index</h1>"
    assert client.get("/static/../secret").status_code == 404
    assert client.get("/plain/deep/y?a=1").text == "http://testserver/plain/deep/y?a=1"


def test_cross_origin(client) -> None:
    headers = {"origin": "https://shop.example", "access-control-request-method": "PUT"}
    preflight = client.options("/items", headers=headers)
    assert preflight.headers["access-control-allow-origin"] == "https://shop.example"
    assert (
        client.get("/", headers={"origin": "https://evil.example"}).headers.get("access-control-allow-origin") is None
    )
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_websockets(client) -> None:
    with client.websocket_connect("/ws/echo/room?name=bob&start=2", subprotocols=["chat"]) as socket:
        assert socket.accepted_subprotocol == "chat"
        assert socket.receive_json() == {"room": "room", "name": "bob", "items": 1, "start": 2}
        socket.send_text("hi")
        assert socket.receive_text() == "you said: hi"
    assert EVENTS == ["open", "inner open", "left 1000", "inner close", "close"]
    with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect("/ws/refused?token=x"):
        pass
    assert refused.value.code == 1008
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/ws/nowhere"):
        pass


def test_invalid_parameters_of_a_websocket(client) -> None:
    """FastAPI closes with the list of what is invalid as the reason."""
    with pytest.raises(WebSocketDisconnect) as invalid, client.websocket_connect("/ws/refused"):
        pass
    assert invalid.value.code == 1008


def test_openapi(client) -> None:
    schema = client.get("/openapi.json").json()
    assert schema["info"] == {"title": "Shop", "version": "2.0"}
    assert {"/items", "/items/{item_id}", "/v2/items", "/uploads", "/parameters/{path}"} <= schema["paths"].keys()
    assert schema["paths"]["/items"]["post"]["responses"].keys() == {"201", "404", "422"}
    assert schema["paths"]["/items/{item_id}"].keys() == {"get", "put", "delete"}
    assert not any(path.startswith(("/inner", "/static", "/ws")) for path in schema["paths"])
    docs = client.get("/docs")
    assert docs.status_code == 200
    assert "/openapi.json" in docs.text
    assert client.get("/redoc").status_code == 200
    inner = client.get("/inner/openapi.json").json()
    assert inner["paths"].keys() == {"/where"}


def test_overridden_dependencies(client) -> None:
    client.app.dependency_overrides[token_user] = lambda: "override"
    assert client.get("/me").json() == "override"


@pytest.mark.anyio
async def test_without_a_client(anyio_backend: str, tmp_path: Path) -> None:
    """The application as a server calls it, on both loops."""
    from tests.asgi import call, http_scope

    app = FastAPI()

    @app.get("/{number}")
    async def read(number: int, items: Items):
        return {"number": number}

    sent = await call(app, http_scope("/5"))
    assert (sent.status, sent.body) == (200, b'{"number":5}')
    assert EVENTS == ["open", "inner open", "inner close", "close"]
