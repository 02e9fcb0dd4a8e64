"""Applications and routers as earlier releases were written: routes, middleware and handlers by decorators."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.exceptions import HTTPException
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

CallNext = Callable[[Request], Awaitable[Response]]


class Homepage(HTTPEndpoint):
    async def delete(self, request: Request) -> Response:
        return PlainTextResponse("deleted")


class Echo(WebSocketEndpoint):
    encoding = "text"

    async def on_receive(self, websocket: WebSocket, data: Any) -> None:
        await websocket.send_text(f"echo {data}")


def plain(request: Request) -> Response:
    return PlainTextResponse("plain")


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(websocket.path_params.get("name", "nobody"))
    await websocket.close()


# -- routes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Starlette, Router])
def test_a_decorated_function_is_routed_and_returned(kind: type[Starlette | Router]) -> None:
    app = kind()

    # legacy R1
    @app.route("/async/{name}", name="greeting")
    @app.route("/async")
    async def greet(request: Request) -> Response:
        return PlainTextResponse(f"hello {request.path_params.get('name', 'you')}")

    assert app.route("/plain", methods=["post"], include_in_schema=False)(plain) is plain
    assert app.route("/class")(Homepage) is Homepage
    assert app.route("/asgi")(PlainTextResponse("asgi")).body == b"asgi"
    client = TestClient(app)
    assert client.get("/async").text == "hello you"
    assert client.get("/async/ada").text == "hello ada"
    assert client.head("/async").status_code == 200
    assert client.post("/async").status_code == 405
    assert client.post("/plain").text == "plain"
    assert client.get("/plain").status_code == 405
    assert client.delete("/class").text == "deleted"
    assert client.request("BREW", "/asgi").text == "asgi"
    # legacy R3: the default name is the function's.
    assert app.url_path_for("greet") == "/async"
    assert app.url_path_for("greeting", name="ada") == "/async/ada"
    assert [route.include_in_schema for route in app.routes if isinstance(route, Route)] == [
        True,
        True,
        False,
        True,
        True,
    ]


def test_routes_can_be_added_by_calls() -> None:
    # legacy R2: the parameters' names differ.
    app, router = Starlette(), Router()
    app.add_route(path="/", route=plain, methods=["GET"], name="home", include_in_schema=False)
    router.add_route(path="/", endpoint=plain, methods=["GET"], name="home", include_in_schema=False)
    app.add_websocket_route(path="/ws", route=socket, name="live")
    router.add_websocket_route(path="/ws", endpoint=socket, name="live")
    assert app.routes == router.routes
    assert (app.url_path_for("home"), app.url_path_for("live")) == ("/", "/ws")


def test_routes_match_in_the_order_of_registration_and_may_be_added_late() -> None:
    # legacy R3
    app = Starlette()

    @app.route("/a", methods=["GET"])
    async def read(request: Request) -> Response:
        return PlainTextResponse("read")

    @app.route("/a", methods=["POST"])
    async def write(request: Request) -> Response:
        return PlainTextResponse("write")

    client = TestClient(app)
    assert (client.get("/a").text, client.post("/a").text, client.get("/late").status_code) == ("read", "write", 404)

    @app.route("/late")
    @app.route("/a")
    async def late(request: Request) -> Response:
        return PlainTextResponse("late")

    assert (client.get("/a").text, client.get("/late").text) == ("read", "late")


@pytest.mark.parametrize("kind", [Starlette, Router])
def test_websocket_routes(kind: type[Starlette | Router]) -> None:
    # legacy R4
    app = kind()
    assert app.websocket_route("/ws/{name}", name="live")(socket) is socket
    app.add_websocket_route("/echo", Echo)  # type: ignore[arg-type]  # a router's parameter has the type of 1.10
    client = TestClient(app)
    with client.websocket_connect("/ws/ada") as session:
        assert session.receive_text() == "ada"
    with client.websocket_connect("/echo") as session:
        session.send_text("x")
        assert session.receive_text() == "echo x"
    assert app.url_path_for("live", name="ada") == "/ws/ada"


def test_routes_equal_those_written_by_hand() -> None:
    # legacy R5, R6
    users, app = Router(), Starlette()

    @users.route("/")
    def all_users(request: Request) -> Response:
        return PlainTextResponse("everyone")

    @users.route("/{username}")
    def user(request: Request) -> Response:
        return PlainTextResponse(request.path_params["username"])

    app.route("/plain")(plain)
    app.websocket_route("/ws")(socket)
    app.mount("/users", users, name="users")
    app.host("users.example.org", users)
    assert app.routes == [
        Route("/plain", endpoint=plain, methods=["GET"]),
        WebSocketRoute("/ws", endpoint=socket),
        Mount("/users", app=Router(routes=[Route("/", all_users), Route("/{username}", user)])),
        Host("users.example.org", app=Router(routes=[Route("/", all_users), Route("/{username}", user)])),
    ]
    assert app.url_path_for("users:user", username="ada") == "/users/ada"
    assert app.url_path_for("users", path="/x") == "/users/x"
    client = TestClient(app)
    assert client.get("/users/ada").text == "ada"
    assert TestClient(app, base_url="http://users.example.org").get("/bob").text == "bob"


def test_a_router_that_overrides_add_route_sees_decorated_routes() -> None:
    class Prefixed(Router):
        def add_route(self, path: str, *args: Any, **kwargs: Any) -> None:
            super().add_route("/v1" + path, *args, **kwargs)

    router = Prefixed()
    router.route("/a")(plain)
    assert router.routes == [Route("/v1/a", plain)]


# -- middleware --------------------------------------------------------------------------------------------------------


class Note:
    """Adds its name to the list in the scope."""

    def __init__(self, app: ASGIApp, name: str) -> None:
        self.app = app
        self.name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("notes", []).append(self.name)
        await self.app(scope, receive, send)


def test_middleware_by_decorator_is_the_outermost_so_far() -> None:
    # legacy R8, R9
    app = Starlette()
    app.add_middleware(Note, name="A")
    app.add_middleware(Note, name="B")

    async def add_header(request: Request, call_next: CallNext) -> Response:
        request.scope.setdefault("notes", []).append("C")
        response = await call_next(request)
        response.headers["x-custom"] = "yes"
        return response

    assert app.middleware("http")(add_header) is add_header
    outermost: Any = app.user_middleware[0]
    assert outermost.cls is BaseHTTPMiddleware

    @app.route("/")
    async def notes(request: Request) -> Response:
        return JSONResponse(request.scope["notes"])

    response = TestClient(app).get("/")
    assert (response.json(), response.headers["x-custom"]) == (["C", "B", "A"], "yes")


def test_middleware_of_other_types_is_refused() -> None:
    # legacy R8: when `middleware` is called, not when the function comes.
    with pytest.raises(AssertionError) as caught:
        Starlette().middleware("websocket")
    assert str(caught.value) == 'Currently only middleware("http") is supported.'


def test_middleware_comes_too_late_once_the_application_serves() -> None:
    # legacy R11
    app = Starlette()
    TestClient(app).get("/")

    async def pass_on(request: Request, call_next: CallNext) -> Response:
        raise NotImplementedError

    with pytest.raises(RuntimeError, match="Cannot add middleware after an application has started"):
        app.middleware("http")(pass_on)


# -- exception handlers and debug --------------------------------------------------------------------------------------


def test_exception_handlers_by_decorator() -> None:
    # legacy R13, R14
    app = Starlette()

    class Teapot(Exception):
        pass

    @app.exception_handler(404)
    async def not_found(request: Request, exc: Exception) -> Response:
        return PlainTextResponse("custom 404", status_code=404)

    @app.exception_handler(HTTPException)
    def other(request: Request, exc: HTTPException) -> Response:
        return PlainTextResponse(f"other {exc.status_code}", status_code=exc.status_code)

    @app.exception_handler(Teapot)
    def teapot(request: Request, exc: Teapot) -> Response:
        return PlainTextResponse("short and stout", status_code=418)

    async def failed(request: Request, exc: Exception) -> Response:
        return PlainTextResponse("custom 500", status_code=500)

    assert app.exception_handler(Exception)(plain) is plain
    assert app.exception_handler(500)(failed) is failed  # the last one counts
    assert app.exception_handlers == {
        404: not_found,
        HTTPException: other,
        Teapot: teapot,
        Exception: plain,
        500: failed,
    }

    @app.route("/teapot")
    def brew(request: Request) -> Response:
        raise Teapot

    @app.route("/fail")
    def fail(request: Request) -> Response:
        raise ValueError

    client = TestClient(app, raise_server_exceptions=False)
    answers = [client.get("/nowhere"), client.post("/fail"), client.get("/teapot"), client.get("/fail")]
    assert [answer.text for answer in answers] == ["custom 404", "other 405", "short and stout", "custom 500"]


def test_debug_is_switched_on_after_construction() -> None:
    # legacy R16
    app = Starlette()
    app.debug = True
    app.exception_handler(500)(plain)

    @app.route("/")
    async def fail(request: Request) -> Response:
        raise ValueError("the cause")

    client = TestClient(app, raise_server_exceptions=False)
    assert "ValueError: the cause" in client.get("/").text
    assert client.get("/", headers={"accept": "text/html"}).headers["content-type"] == "text/html; charset=utf-8"
