"""Exceptions become answers: the inner error layer, its wrapper, and both layers together (exceptions.md B to D).

Each case is run through the one frame that serves an application without middleware, and through the plain chain.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException, WebSocketException
from starlette.middleware import Middleware, exceptions
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, Router, WebSocketRoute
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnected
from tests.asgi import Record, Script, body, call, http_scope, websocket_scope

pytestmark = pytest.mark.anyio

CONNECT = {"type": "websocket.connect"}


class Through:
    """A middleware that does nothing, so that the plain chain runs."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


Build = Callable[..., Starlette]


@pytest.fixture(params=["one-frame", "plain-chain", "with-middleware"])
def build(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Build:
    """Make an application that is served in one frame, layer by layer, or behind a middleware."""
    if request.param == "plain-chain":

        async def replaced(self: ExceptionMiddleware, scope: Scope, receive: Receive, send: Send) -> None:
            await original(self, scope, receive, send)

        original = ExceptionMiddleware.__call__
        monkeypatch.setattr(ExceptionMiddleware, "__call__", replaced)

    def make(*routes: Any, **keys: Any) -> Starlette:
        if request.param == "with-middleware":
            keys["middleware"] = [Middleware(Through)]
        return Starlette(routes=list(routes), **keys)

    return make


def raising(exc: Exception) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        raise exc

    return endpoint


class Custom(Exception):
    pass


class Sub(HTTPException):
    pass


def text(content: str, status_code: int = 200) -> Callable[[Request, Exception], Response]:
    return lambda request, exc: PlainTextResponse(content, status_code=status_code)


@pytest.mark.parametrize(
    ("exc", "status", "content", "headers"),
    [
        pytest.param(
            HTTPException(406), 406, b"Not Acceptable", {"content-type": "text/plain; charset=utf-8"}, id="406"
        ),
        pytest.param(HTTPException(499), 499, b"", {"content-length": "0"}, id="no-phrase"),
        pytest.param(HTTPException(204), 204, b"", {"content-length": None, "content-type": None}, id="204"),
        pytest.param(HTTPException(304, headers={"x": "y"}), 304, b"", {"content-type": None, "x": "y"}, id="304"),
        pytest.param(HTTPException(200, headers={"X-Potato": "always"}), 200, b"OK", {"x-potato": "always"}, id="200"),
        pytest.param(
            HTTPException(401, "who?", {"Content-Type": "text/x"}), 401, b"who?", {"content-type": "text/x"}, id="type"
        ),
        pytest.param(HTTPException(400, {"a": 1}), 400, b"{'a': 1}", {}, id="D9-any-detail"),  # type: ignore[arg-type]
        pytest.param(HTTPException(500), 500, b"Internal Server Error", {}, id="R30-500-is-handled"),
        pytest.param(HTTPException(103), 103, b"", {"content-length": None}, id="no-answer-yet"),
    ],
)
async def test_an_http_exception_is_rendered_as_text(
    build: Build, exc: HTTPException, status: int, content: bytes, headers: dict[str, str | None]
) -> None:  # R12, R30
    app = build(Route("/", raising(exc)), exception_handlers={500: text("never")})
    for _ in range(3):
        sent = await call(app)
        assert (sent.status, sent.body) == (status, content)
        assert {name: sent.header(name) for name in headers} == headers
        assert exc.__traceback__ is None  # R23


@pytest.mark.parametrize(
    "part", [pytest.param(name, id=name) for name in ("__init__", "__call__", "render", "init_headers", "the-class")]
)
async def test_what_tools_replace_on_the_response_of_an_http_exception_is_used(
    build: Build, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[str] = []

    class Noted(PlainTextResponse):
        def __init__(self, *args: Any, **keys: Any) -> None:
            used.append("the-class")
            super().__init__(*args, **keys)

    if part == "the-class":
        monkeypatch.setattr(exceptions, "PlainTextResponse", Noted)
    else:
        original = getattr(PlainTextResponse, part)

        def replaced(*args: Any, **keys: Any) -> Any:
            used.append(part)
            return original(*args, **keys)

        monkeypatch.setattr(PlainTextResponse, part, replaced)
    sent = await call(build(Route("/", raising(HTTPException(403)))))
    assert (sent.status, sent.body, used) == (403, b"Forbidden", [part])


@pytest.mark.parametrize(
    ("handlers", "exc", "expected"),
    [
        pytest.param({404: "a", HTTPException: "b"}, HTTPException(404), b"a", id="status-first"),
        pytest.param({404: "a", Sub: "b"}, Sub(404), b"a", id="status-before-subclass"),
        pytest.param({404: "a", HTTPException: "b"}, HTTPException(403), b"b", id="class"),
        pytest.param({LookupError: "a"}, KeyError(), b"a", id="along-the-mro"),
        pytest.param({LookupError: "a", KeyError: "b"}, KeyError(), b"b", id="most-specific"),
        pytest.param({500: "never", HTTPException: "a"}, HTTPException(500), b"a", id="R30"),
    ],
)
async def test_the_handler_is_the_most_specific_one(
    build: Build, handlers: dict[Any, str], exc: Exception, expected: bytes
) -> None:  # R18
    app = build(Route("/", raising(exc)), exception_handlers={key: text(name) for key, name in handlers.items()})
    for _ in range(3):
        assert (await call(app)).body == expected


async def test_an_exception_without_handler_is_raised_as_it_is(build: Build) -> None:  # R19, R36
    error = Custom("with a status code")
    error.status_code = 404  # type: ignore[attr-defined]  # R18: means nothing here
    app = build(Route("/", raising(error)), exception_handlers={404: text("never")})
    for _ in range(3):
        sent = Record()
        with pytest.raises(Custom) as caught:
            await app(http_scope(), body(), sent)
        assert caught.value is error
        assert (sent.status, sent.body) == (500, b"Internal Server Error")


async def test_handlers_run_in_the_loop_or_in_a_thread_by_their_kind(build: Build) -> None:  # R21
    seen: list[bool] = []

    async def asynchronous(request: Request, exc: Exception) -> Response:
        seen.append(threading.current_thread() is loop_thread)
        return PlainTextResponse("async")

    def plain(request: Request, exc: Exception) -> Response:
        seen.append(threading.current_thread() is loop_thread)
        return PlainTextResponse("plain")

    loop_thread = threading.current_thread()
    app = build(
        Route("/a", raising(KeyError())),
        Route("/p", raising(Custom())),
        exception_handlers={KeyError: asynchronous, Custom: plain},
    )
    assert (await call(app, http_scope("/a"))).body == b"async"
    assert (await call(app, http_scope("/p"))).body == b"plain"
    assert seen == [True, False]


async def test_a_default_http_exception_needs_no_thread(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:  # R14
    async def refuses(*args: Any) -> None:
        raise AssertionError("a thread was asked for")

    monkeypatch.setattr("starlette._exception_handler.run_in_threadpool", refuses)
    app = build(Route("/", raising(HTTPException(403))))
    assert (await call(app)).status == 403


async def test_a_handler_is_given_the_very_request_of_a_function_endpoint(build: Build) -> None:  # R21
    seen: list[Request] = []

    async def endpoint(request: Request) -> Response:
        seen.append(request)
        assert await request.body() == b"data"
        raise Custom

    async def handler(request: Request, exc: Exception) -> Response:
        seen.append(request)
        return PlainTextResponse(await request.body())

    app = build(Route("/", endpoint, methods=["POST"]), exception_handlers={Custom: handler})
    assert (await call(app, http_scope(method="POST"), body(b"data"))).body == b"data"
    assert seen[0] is seen[1]


async def test_class_endpoints_and_middleware_of_routes_are_handled_further_out(build: Build) -> None:
    # R25, R27, routing R46
    class Endpoint(HTTPEndpoint):
        async def get(self, request: Request) -> Response:
            raise Custom

    def refuses(app: ASGIApp) -> ASGIApp:
        async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
            raise HTTPException(403)

        return refuse

    app = build(
        Route("/c", Endpoint),
        Route("/m", Endpoint, middleware=[Middleware(refuses)]),
        Mount("/n", routes=[Route("/", Endpoint)], middleware=[Middleware(refuses)]),
        exception_handlers={Custom: text("handled")},
    )
    for _ in range(3):
        assert (await call(app, http_scope("/c"))).body == b"handled"
        assert (await call(app, http_scope("/m"))).status == 403
        assert (await call(app, http_scope("/n/"))).status == 403


async def test_a_handled_exception_after_the_start_is_an_error(build: Build) -> None:  # R20, threats R04.2
    async def answers_twice(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("first")(scope, receive, send)
        raise HTTPException(400)

    async def sends_itself(request: Request) -> Response:
        await PlainTextResponse("first")(request.scope, request.receive, request._send)
        raise HTTPException(400)

    async def as_response(request: Request) -> ASGIApp:
        return answers_twice

    class Instance:
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await answers_twice(scope, receive, send)

    for endpoint in (Instance(), sends_itself, as_response):
        app = build(Route("/", endpoint))
        for _ in range(3):
            sent = Record()
            with pytest.raises(
                RuntimeError, match=r"^Caught handled exception, but response already started\.$"
            ) as caught:
                await app(http_scope(), body(), sent)
            assert isinstance(caught.value.__cause__, HTTPException)
            assert (sent.status, sent.body) == (200, b"first")


async def test_a_handler_may_send_nothing(build: Build) -> None:  # R22
    app = build(Route("/", raising(Custom())), exception_handlers={Custom: lambda request, exc: None})
    assert (await call(app)).messages == []


async def test_an_exception_of_a_handler_goes_further_out(build: Build) -> None:  # R24
    def fails(request: Request, exc: Exception) -> Response:
        raise KeyError("from the handler")

    app = build(
        Route("/", raising(Custom())), exception_handlers={Custom: fails, KeyError: text("handled further out")}
    )
    assert (await call(app)).body == b"handled further out"


async def test_base_exceptions_and_groups_pass_through(build: Build) -> None:  # R17
    class Stop(BaseException):
        pass

    async def stops(request: Request) -> Response:
        raise Stop

    group = ExceptionGroup("user", [HTTPException(404)])
    app = build(Route("/s", stops), Route("/g", raising(group)))
    sent = Record()
    with pytest.raises(Stop):
        await app(http_scope("/s"), body(), sent)
    assert sent.messages == []
    with pytest.raises(ExceptionGroup) as caught:
        await call(app, http_scope("/g"))
    assert caught.value is group


async def test_a_failing_background_task_comes_after_its_response(build: Build) -> None:  # R34
    def fails() -> None:
        raise Custom("later")

    seen: list[Exception] = []

    async def notes(request: Request, exc: Exception) -> Response:
        seen.append(exc)
        return PlainTextResponse("discarded", status_code=500)

    async def endpoint(request: Request) -> Response:
        return PlainTextResponse("sent", background=BackgroundTask(fails))

    app = build(Route("/", endpoint), exception_handlers={Exception: notes})
    for count in range(1, 4):
        sent = Record()
        with pytest.raises(Custom, match="later"):
            await app(http_scope(), body(), sent)
        assert (sent.status, sent.body, len(seen)) == (200, b"sent", count)


async def test_an_inner_application_answers_by_itself_and_a_router_by_its_application(build: Build) -> None:  # R28
    inner = Starlette(routes=[Route("/e", raising(Custom()))])
    app = build(
        Mount("/app", app=inner),
        Mount("/router", app=Router([Route("/e", raising(Custom()))])),
        exception_handlers={404: text("outer 404"), Custom: text("outer")},
    )
    for _ in range(3):
        assert (await call(app, http_scope("/app/none"))).body == b"Not Found"
        assert (await call(app, http_scope("/router/none"))).body == b"outer 404"
        assert (await call(app, http_scope("/router/e"))).body == b"outer"
        sent = Record()
        with pytest.raises(RuntimeError, match="response already started"):
            await app(http_scope("/app/e"), body(), sent)
        assert sent.status == 500


async def test_a_bare_router_handles_nothing() -> None:  # R16
    with pytest.raises(Custom):
        await call(Router([Route("/", raising(Custom()))]))


async def test_handlers_that_tools_replace_are_found(build: Build) -> None:
    app = build(Route("/", raising(Custom())), exception_handlers={Custom: text("before")})
    assert (await call(app)).body == b"before"
    layer: Any = app.middleware_stack
    while not isinstance(layer, ExceptionMiddleware):
        layer = layer.app
    layer._exception_handlers[Custom] = text("after")
    assert (await call(app)).body == b"after"


# -- WebSockets --------------------------------------------------------------------------------------------------------


async def test_an_http_exception_denies_a_websocket(build: Build) -> None:  # R31, websockets R34
    async def denies(websocket: WebSocket) -> None:
        raise HTTPException(403, "no")

    app = build(WebSocketRoute("/", denies))
    sent = await call(app, websocket_scope(), Script(CONNECT))
    assert sent.types == ["websocket.http.response.start", "websocket.http.response.body"]
    assert (sent.status, sent.body) == (403, b"no")


@pytest.mark.parametrize("accepted", [False, True])
async def test_a_websocket_exception_closes(build: Build, accepted: bool) -> None:  # R13, R32, T18.5
    async def closes(websocket: WebSocket) -> None:
        if accepted:
            await websocket.accept()
        raise WebSocketException(1003)

    async def raw(scope: Scope, receive: Receive, send: Send) -> None:
        if accepted:
            await send({"type": "websocket.accept"})
        raise WebSocketException(1003)

    class Raw:
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await raw(scope, receive, send)

    app = build(WebSocketRoute("/f", closes), WebSocketRoute("/r", Raw()))
    for path in ("/f", "/r"):
        sent = await call(app, websocket_scope(path), Script(CONNECT))
        assert sent.messages[-1] == {"type": "websocket.close", "code": 1003, "reason": ""}


async def test_a_websocket_that_was_closed_cannot_be_closed_again(build: Build) -> None:  # R32
    async def closes(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()
        raise WebSocketException(1003)

    with pytest.raises(WebSocketDisconnected, match='Cannot call "send" once a close message has been sent'):
        await call(build(WebSocketRoute("/", closes)), websocket_scope(), Script(CONNECT))


async def test_other_exceptions_of_a_websocket_need_a_handler_of_their_own(build: Build) -> None:  # R33, T18.5
    async def fails(websocket: WebSocket) -> None:
        raise Custom

    def denies(websocket: WebSocket, exc: Exception) -> Response:
        return JSONResponse({"denied": True}, status_code=418)

    app = build(WebSocketRoute("/", fails), exception_handlers={500: text("never")})
    sent = Record()
    with pytest.raises(Custom):
        await app(websocket_scope(), Script(CONNECT), sent)
    assert sent.messages == []
    handled = build(WebSocketRoute("/", fails), exception_handlers={Custom: denies})
    assert (await call(handled, websocket_scope(), Script(CONNECT))).status == 418


# -- the layer by itself -----------------------------------------------------------------------------------------------


async def test_other_scopes_pass_untouched() -> None:  # R10
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((dict(scope), receive, send))

    receive, send = Script(), Record()
    await ExceptionMiddleware(app)({"type": "lifespan"}, receive, send)
    assert seen == [({"type": "lifespan"}, receive, send)]


async def test_the_tables_are_shared_through_the_scope() -> None:  # R11, R15
    async def app(scope: Scope, receive: Receive, send: Send) -> None: ...

    layer = ExceptionMiddleware(app, handlers={404: text("x"), KeyError: text("y")}, debug=True)
    scope = http_scope()
    await call(layer, scope)
    by_class, by_status = scope["starlette.exception_handlers"]
    assert by_class is layer._exception_handlers
    assert by_status is layer._status_handlers
    assert set(by_class) == {HTTPException, WebSocketException, KeyError}
    assert (layer.app, layer.debug) == (app, True)


@pytest.mark.parametrize(("key", "error"), [(BaseException, AssertionError), ("404", TypeError)])
def test_a_key_that_is_no_exception_class_is_refused(key: Any, error: type[Exception]) -> None:  # R9
    async def app(scope: Scope, receive: Receive, send: Send) -> None: ...

    with pytest.raises(error):
        ExceptionMiddleware(app, handlers={key: text("x")})


async def test_the_renderers_refuse_what_is_not_theirs() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None: ...

    layer = ExceptionMiddleware(app)
    with pytest.raises(AssertionError):
        await layer.http_exception(Request(http_scope()), Custom())
    with pytest.raises(AssertionError):
        await layer.websocket_exception(WebSocket(websocket_scope(), Script(), Record()), Custom())


async def test_it_starts_with_two_handlers_that_may_be_replaced() -> None:  # R8
    layer = ExceptionMiddleware(PlainTextResponse("x"))
    assert layer._exception_handlers == {
        HTTPException: layer.http_exception,
        WebSocketException: layer.websocket_exception,
    }
    other = text("other")
    replaced = ExceptionMiddleware(PlainTextResponse("x"), handlers={HTTPException: other, 404: other})
    assert replaced._exception_handlers[HTTPException] is other
    assert replaced._status_handlers == {404: other}


async def test_the_last_two_keys_answer_whatever_else_fails_and_the_server_learns_of_it() -> None:  # R26, R29
    async def fails(request: Request) -> Response:
        raise Custom

    for key in (500, Exception):
        app = Starlette(routes=[Route("/", fails)], exception_handlers={key: text("sorry", 500)})
        with pytest.raises(Custom):
            TestClient(app).get("/")
        response = TestClient(app, raise_server_exceptions=False).get("/")
        assert (response.status_code, response.text) == (500, "sorry")
