"""The middleware that asks a backend who is connecting."""

from __future__ import annotations

import base64
import binascii
import contextvars
from typing import Any

import pytest

from starlette.applications import Starlette
from starlette.authentication import (
    AuthCredentials,
    AuthenticationBackend,
    AuthenticationError,
    BaseUser,
    SimpleUser,
    UnauthenticatedUser,
    requires,
)
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from tests.asgi import Record, body, call, http_scope, websocket_scope

Found = tuple[AuthCredentials, BaseUser] | None


class BasicAuth(AuthenticationBackend):
    """Believes every name that is sent by HTTP Basic."""

    async def authenticate(self, conn: HTTPConnection) -> Found:
        field = conn.headers.get("authorization")
        if field is None:
            return None
        try:
            name, _, _ = base64.b64decode(field.partition(" ")[2], validate=True).decode("ascii").partition(":")
        except (ValueError, binascii.Error) as exc:
            raise AuthenticationError("Invalid basic auth credentials") from exc
        return AuthCredentials(["authenticated"]), SimpleUser(name)


class Answers(AuthenticationBackend):
    """Returns or raises what it is given, and keeps the connection."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    async def authenticate(self, conn: HTTPConnection) -> Found:
        self.conn = conn
        if isinstance(self.answer, BaseException):
            raise self.answer
        found: Found = self.answer
        return found


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("page")(scope, receive, send)


async def never(scope: Scope, receive: Receive, send: Send) -> None:
    raise LookupError("the application was reached")


def json_error(conn: HTTPConnection, exc: AuthenticationError) -> Response:
    return JSONResponse({"error": str(exc), "type": type(conn).__name__}, status_code=401)


def test_attributes() -> None:  # R12
    backend = BasicAuth()
    middleware = AuthenticationMiddleware(page, backend)
    assert (middleware.app, middleware.backend) == (page, backend)
    assert middleware.on_error is AuthenticationMiddleware.default_on_error
    assert AuthenticationMiddleware(page, backend=backend, on_error=json_error).on_error is json_error


@pytest.mark.anyio
@pytest.mark.parametrize("make", [http_scope, websocket_scope])
async def test_without_credentials_there_is_an_unknown_user(make: Any) -> None:  # R7
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert type(scope["auth"]) is AuthCredentials
        assert scope["auth"].scopes == []
        assert type(scope["user"]) is UnauthenticatedUser
        await send({"type": "reached"})

    sent = await call(AuthenticationMiddleware(app, Answers(None)), make())
    assert sent.types == ["reached"]


@pytest.mark.anyio
async def test_what_the_backend_returns_is_put_into_the_scope() -> None:  # R7
    found = (AuthCredentials(["a"]), SimpleUser("ada"))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request: Request = Request(scope)
        assert (request.auth, request.user) == found
        await send({"type": "reached"})

    backend = Answers(found)
    scope = http_scope()
    sent = await call(AuthenticationMiddleware(app, backend), scope)
    assert sent.types == ["reached"]
    assert type(backend.conn) is HTTPConnection
    assert backend.conn.scope is scope


@pytest.mark.anyio
@pytest.mark.parametrize("answer", [(), (AuthCredentials(),), (AuthCredentials(), SimpleUser("a"), 1), 5, False])
async def test_a_backend_that_returns_no_pair_lets_nobody_in(answer: Any) -> None:  # R7, T21
    with pytest.raises((TypeError, ValueError)):
        await call(AuthenticationMiddleware(never, Answers(answer)))


@pytest.mark.anyio
@pytest.mark.parametrize("error", [RuntimeError("x"), HTTPException(401), KeyError("y"), ValueError("z")])
@pytest.mark.parametrize("make", [http_scope, websocket_scope])
async def test_other_exceptions_of_the_backend_pass(error: Exception, make: Any) -> None:  # R11, T21
    sent = Record()
    with pytest.raises(type(error)) as caught:
        await AuthenticationMiddleware(never, Answers(error))(make(), body(), sent)
    assert caught.value is error
    assert sent.messages == []


@pytest.mark.anyio
async def test_an_http_exception_of_the_backend_is_a_500() -> None:  # R11
    app = Starlette(middleware=[Middleware(AuthenticationMiddleware, backend=Answers(HTTPException(401)))])
    sent = Record()
    with pytest.raises(HTTPException):
        await app(http_scope(), body(), sent)
    assert sent.status == 500


class Subclass(AuthenticationError):
    """One of an application's own."""


@pytest.mark.anyio
@pytest.mark.parametrize("error", [AuthenticationError("who are you?"), Subclass("who are you?")])
async def test_authentication_errors_are_answered(error: Exception) -> None:  # R8, R9
    sent = await call(AuthenticationMiddleware(never, Answers(error)))
    assert (sent.status, sent.body) == (400, b"who are you?")
    assert sent.header("content-type") == "text/plain; charset=utf-8"


@pytest.mark.anyio
async def test_on_error_gets_the_connection_and_the_error() -> None:  # R8, R10
    middleware = AuthenticationMiddleware(never, Answers(AuthenticationError("no")), on_error=json_error)
    sent = await call(middleware)
    assert (sent.status, sent.body) == (401, b'{"error":"no","type":"HTTPConnection"}')


@pytest.mark.anyio
async def test_on_error_may_be_async() -> None:  # D1
    async def on_error(conn: HTTPConnection, exc: AuthenticationError) -> Response:
        return json_error(conn, exc)

    sent = await call(AuthenticationMiddleware(never, Answers(AuthenticationError("no")), on_error=on_error))
    assert sent.status == 401
    sent = await call(AuthenticationMiddleware(never, Answers(AuthenticationError("no")), on_error), websocket_scope())
    assert sent.types == ["websocket.close"]


@pytest.mark.anyio
async def test_default_on_error_may_be_overridden() -> None:
    class Teapot(AuthenticationMiddleware):
        @staticmethod
        def default_on_error(conn: HTTPConnection, exc: Exception) -> Response:
            return PlainTextResponse("teapot", 418)

    assert (await call(Teapot(never, Answers(AuthenticationError())))).status == 418


@pytest.mark.anyio
@pytest.mark.parametrize("extensions", [None, {}, {"websocket.http.response": {}}])
async def test_websockets_are_closed(extensions: Any) -> None:  # R8, D2
    seen: list[Any] = []

    def on_error(conn: HTTPConnection, exc: AuthenticationError) -> Response:
        seen.append((type(conn), str(exc)))
        return PlainTextResponse("dropped")

    middleware = AuthenticationMiddleware(never, Answers(AuthenticationError("no")), on_error)
    sent = await call(middleware, websocket_scope(extensions=extensions))
    assert sent.messages == [{"type": "websocket.close", "code": 1000}]
    assert seen == [(HTTPConnection, "no")]


@pytest.mark.anyio
async def test_other_scope_types_pass_untouched() -> None:  # R6
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope, receive, send))

    middleware = AuthenticationMiddleware(app, Answers(RuntimeError("asked")))
    receive, send = body(), Record()
    for kind in ("lifespan", "other"):
        scope = {"type": kind}
        await middleware(scope, receive, send)
        assert seen.pop() == (scope, receive, send)
        assert scope == {"type": kind}


@pytest.mark.anyio
async def test_messages_pass_by_themselves() -> None:  # unknown messages, streams, and failures after the start
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert send is sent
        await send({"type": "unknown"})
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise LookupError

    sent = Record()
    with pytest.raises(LookupError):
        await AuthenticationMiddleware(app, Answers(None))(http_scope(), body(), sent)
    assert sent.types == ["unknown", "http.response.start"]


who: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")


@pytest.mark.anyio
async def test_context_variables_of_the_backend_are_seen_inside() -> None:  # threats R10
    class Sets(AuthenticationBackend):
        async def authenticate(self, conn: HTTPConnection) -> Found:
            who.set("ada")
            return None

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(who.get())(scope, receive, send)

    assert (await call(AuthenticationMiddleware(app, Sets()))).body == b"ada"


# -- an application ----------------------------------------------------------------------------------------------------


async def homepage(request: Request) -> Response:
    user = request.user
    return JSONResponse([user.is_authenticated, user.display_name, user.identity])


@requires("authenticated")
async def dashboard(request: Request) -> Response:
    return PlainTextResponse(request.user.display_name)


@requires("authenticated")
async def chat(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(websocket.user.display_name)
    await websocket.close()


def make_client(**options: Any) -> TestClient:
    app = Starlette(
        routes=[Route("/", homepage), Route("/dashboard", dashboard), WebSocketRoute("/chat", chat)],
        middleware=[Middleware(AuthenticationMiddleware, backend=BasicAuth(), **options)],
    )
    return TestClient(app)


def test_the_user_of_open_pages() -> None:  # R23
    with make_client() as client:  # R6: the lifespan passes
        assert client.get("/").json() == [False, "", ""]
        assert client.get("/", auth=("ada", "x")).json() == [True, "ada", "ada"]


def test_guarded_pages() -> None:  # R24
    client = make_client()
    assert (client.get("/dashboard").status_code, client.get("/dashboard").text) == (403, "Forbidden")
    assert client.get("/dashboard", auth=("ada", "x")).text == "ada"


@pytest.mark.parametrize("path", ["/", "/dashboard", "/nowhere"])
def test_malformed_credentials_are_refused_before_routing(path: str) -> None:  # R24, R9
    headers = {"authorization": "basic !"}
    response = make_client().get(path, headers=headers)
    assert (response.status_code, response.text) == (400, "Invalid basic auth credentials")
    response = make_client(on_error=json_error).get(path, headers=headers)
    assert (response.status_code, response.json()["error"]) == (401, "Invalid basic auth credentials")


def test_guarded_websockets() -> None:  # R20, R8
    client = make_client()
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/chat"):
        pytest.fail("a stranger got in")
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/chat", headers={"authorization": "basic !"}):
        pytest.fail("malformed credentials got in")
    token = base64.b64encode(b"ada:x").decode()
    with client.websocket_connect("/chat", headers={"authorization": f"basic {token}"}) as session:
        assert session.receive_text() == "ada"


def test_without_the_middleware_it_is_an_error() -> None:  # R14, T21
    client = TestClient(Starlette(routes=[Route("/", homepage), Route("/dashboard", dashboard)]))
    with pytest.raises(AssertionError, match=r"^AuthenticationMiddleware must be installed to access request.user$"):
        client.get("/")
    with pytest.raises(AssertionError, match=r"^AuthenticationMiddleware must be installed to access request.auth$"):
        client.get("/dashboard")
