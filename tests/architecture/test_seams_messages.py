"""Requests, responses and what hangs on them: their methods, attributes and helpers may be replaced while serving."""

from __future__ import annotations

import functools
import weakref
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

import starlette.concurrency
import starlette.formparsers
import starlette.requests
from starlette.applications import Starlette
from starlette.background import BackgroundTask, BackgroundTasks
from starlette.datastructures import URL, FormData, Headers, MutableHeaders, QueryParams, State
from starlette.endpoints import HTTPEndpoint
from starlette.formparsers import MultiPartParser
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketState
from tests.architecture.seams import get, note_calls, says
from tests.asgi import Script, body, call, http_scope, websocket_scope

pytestmark = pytest.mark.anyio


class Page(HTTPEndpoint):
    async def get(self, request: Request) -> Response:
        return PlainTextResponse("x")


def answers(make: Callable[[], Response]) -> Starlette:
    """Return an application whose only route answers with a new response each time."""

    async def endpoint(request: Request) -> Response:
        return make()

    return Starlette(routes=[Route("/", endpoint)])


def sync_endpoint(request: Request) -> Response:
    return PlainTextResponse("x")


# -- requests ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", [says("x"), sync_endpoint, Page], ids=["async", "sync", "class"])
async def test_the_constructor_of_request_runs_for_each_request_handed_out(
    endpoint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Starlette(routes=[Route("/", endpoint)])
    assert (await get(app)).body == b"x"
    calls = note_calls(monkeypatch, Request, "__init__", is_async=False)
    assert (await get(app)).body == b"x"
    assert len(calls) >= 1
    assert all(type(request) is Request and request.scope["path"] == "/" for request in calls)


async def test_attributes_set_by_a_replaced_constructor_reach_the_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    async def endpoint(request: Request) -> Response:
        return PlainTextResponse(getattr(request, "traced", "no"))

    app = Starlette(routes=[Route("/", endpoint)])
    assert (await get(app)).body == b"no"
    original = Request.__init__

    @functools.wraps(original)
    def traced(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.traced = "yes"

    monkeypatch.setattr(Request, "__init__", traced)
    assert (await get(app)).body == b"yes"


async def test_body_and_receive_replaced_on_the_class_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def endpoint(request: Request) -> Response:
        return PlainTextResponse(await request.body() + str((await request.receive())["type"]).encode())

    app = Starlette(routes=[Route("/", endpoint, methods=["POST"])])

    async def post() -> bytes:
        later = Script({"type": "http.request", "body": b"data"}, {"type": "http.disconnect"})
        return (await call(app, http_scope(method="POST"), later)).body

    assert await post() == b"datahttp.disconnect"

    async def other_body(self: Request) -> bytes:
        return b"patched"

    def other_receive(self: Request) -> Receive:
        return Script({"type": "patched.receive"})

    monkeypatch.setattr(Request, "body", other_body)
    monkeypatch.setattr(Request, "receive", property(other_receive))
    assert await post() == b"patchedpatched.receive"


def test_nothing_is_worked_out_before_it_is_asked_for() -> None:
    request = Request(http_scope())
    for name in ("_headers", "_url", "_base_url", "_query_params", "_cookies", "_state", "_body", "_json"):
        assert not hasattr(request, name), name
    assert request._form is None
    assert request._stream_consumed is False
    assert request._is_disconnected is False
    scope: Scope = {"type": "http"}
    partial = Request(scope)
    assert partial.scope is scope
    scope.update(http_scope("/late", query_string=b"a=1", headers=[(b"host", b"late"), (b"cookie", b"c=2")]))
    assert (partial.url.path, partial.query_params["a"], partial.headers["host"]) == ("/late", "1", "late")
    assert (partial.cookies, partial.base_url.netloc) == ({"c": "2"}, "late")


@pytest.mark.parametrize("name", ["headers", "url", "base_url", "query_params", "cookies", "state"])
def test_an_assigned_private_attribute_stands_for_the_property(name: str) -> None:
    request = Request(http_scope())
    value = object()
    setattr(request, f"_{name}", value)
    assert getattr(request, name) is value


async def test_assigned_body_json_form_and_receive_are_used() -> None:
    request = Request(http_scope(method="POST"), body(b"sent"))
    request._body = b'{"a": 1}'
    assert await request.body() == b'{"a": 1}'
    assert [chunk async for chunk in request.stream()] == [b'{"a": 1}', b""]
    assert await request.json() == {"a": 1}
    request._json = {"b": 2}
    assert await request.json() == {"b": 2}
    request._form = form = FormData([("k", "v")])
    assert await request.form() is form

    second = Request(http_scope(method="POST"), body(b"first"))
    assert [chunk async for chunk in second.stream()] == [b"first", b""]
    second._stream_consumed = False
    second._receive = body(b"again")
    assert [chunk async for chunk in second.stream()] == [b"again", b""]

    async def send(message: Any) -> None: ...

    assert Request(http_scope(), body(), send)._send is send


def test_requests_take_attributes_overridden_methods_and_weak_references() -> None:
    kinds: tuple[Any, ...] = (HTTPConnection, Request)
    for kind in kinds:
        connection = kind(http_scope())
        connection.anything = 1
        connection.url_for = lambda name: name
        assert connection.url_for("x") == "x"
        assert weakref.ref(connection)() is connection


async def test_cookie_parser_of_the_module_reads_the_cookies(monkeypatch: pytest.MonkeyPatch) -> None:
    def endpoint_cookies() -> dict[str, str]:
        return Request(http_scope(headers=[(b"cookie", b"a=1")])).cookies

    assert endpoint_cookies() == {"a": "1"}
    monkeypatch.setattr(starlette.requests, "cookie_parser", lambda text: {"parsed": text})
    assert endpoint_cookies() == {"parsed": "a=1"}


@pytest.mark.parametrize("kind", [Headers, MutableHeaders, QueryParams, FormData])
@pytest.mark.parametrize("name", ["__getitem__", "get", "keys"])
def test_reading_methods_may_be_replaced_on_each_mapping_class(
    kind: type[Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = kind({"a": "1"})
    assert (data["a"], data.get("a"), list(data.keys())) == ("1", "1", ["a"])
    calls = note_calls(monkeypatch, kind, name, is_async=False)
    getattr(data, name)(*(["a"] if name != "keys" else []))
    assert calls[0] is data


async def test_setting_headers_and_cookies_may_be_replaced_on_the_class(monkeypatch: pytest.MonkeyPatch) -> None:
    headers = note_calls(monkeypatch, MutableHeaders, "__setitem__", is_async=False)
    cookies = note_calls(monkeypatch, Response, "set_cookie", is_async=False)
    response = HTMLResponse("x")
    response.headers["a"] = "b"
    response.set_cookie("c", "d")
    assert (headers, cookies) == ([response.headers], [response])


def test_the_path_of_a_url_may_be_replaced_by_a_property_over_components(monkeypatch: pytest.MonkeyPatch) -> None:
    urls = note_calls(monkeypatch, URL, "__init__", is_async=False)
    monkeypatch.setattr(URL, "path", property(lambda self: self.components.path.upper()))
    request = Request(http_scope("/a/b"))
    assert request.url.path == "/A/B"
    assert request.url in urls


def test_private_lists_are_the_data_itself() -> None:
    scope = http_scope(headers=[(b"a", b"1")])
    headers = Headers(scope=scope)
    headers._list.append((b"b", b"2"))
    assert scope["headers"] == [(b"a", b"1"), (b"b", b"2")]
    assert headers["b"] == "2"
    message = {"headers": [(b"a", b"1")]}
    MutableHeaders(scope=message)["b"] = "2"
    assert message["headers"] == [(b"a", b"1"), (b"b", b"2")]
    query = QueryParams("a=1&a=2")
    assert (query._list, query._dict) == ([("a", "1"), ("a", "2")], {"a": "2"})
    values = {"a": 1}
    state = State(values)
    state.b = 2
    assert state._state is values
    assert values == {"a": 1, "b": 2}


async def test_file_parts_use_the_spooled_file_of_the_module_and_the_sizes_of_the_class(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    boundary = b"--b\r\n"
    part = boundary + b'Content-Disposition: form-data; name="f"; filename="n"\r\n\r\n12345678\r\n--b--\r\n'

    async def upload() -> None:
        scope = http_scope(method="POST", headers=[(b"content-type", b"multipart/form-data; boundary=b")])
        async with Request(scope, body(part)).form() as form:
            await form["f"].read()  # type: ignore[union-attr]

    made: list[Any] = []
    original: Any = starlette.formparsers.SpooledTemporaryFile

    class Noted(original):  # type: ignore[misc]  # whatever stands there
        def __init__(self, max_size: int = 0, *args: Any, **kwargs: Any) -> None:
            made.append(max_size)
            super().__init__(max_size, *args, **kwargs)

    await upload()
    monkeypatch.setattr(starlette.formparsers, "SpooledTemporaryFile", Noted)
    monkeypatch.setattr(MultiPartParser, "spool_max_size", 4)
    await upload()
    assert made == [4]


def test_the_states_of_a_websocket_are_plain_attributes() -> None:
    websocket = WebSocket(websocket_scope(), Script(), says("x"))
    assert (websocket.client_state, websocket.application_state) == (WebSocketState.CONNECTING,) * 2
    websocket.client_state = websocket.application_state = WebSocketState.CONNECTED
    assert (websocket.client_state, websocket.application_state) == (WebSocketState.CONNECTED,) * 2


# -- responses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Response, PlainTextResponse, HTMLResponse])
async def test_render_replaced_on_the_class_makes_the_body(
    kind: type[Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = answers(lambda: kind("text"))
    assert (await get(app)).body == b"text"
    monkeypatch.setattr(Response, "render", lambda self, content: b"rendered " + content.encode())
    sent = await get(app)
    assert sent.body == b"rendered text"
    assert sent.header("content-length") == str(len(sent.body))


async def test_render_replaced_on_json_response_makes_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    app = answers(lambda: JSONResponse({"a": 1}))
    assert (await get(app)).body == b'{"a":1}'
    monkeypatch.setattr(JSONResponse, "render", lambda self, content: bytearray(b"rendered"))
    assert (await get(app)).body == b"rendered"


async def test_a_subclass_may_render_from_its_own_attributes() -> None:
    class Mine(Response):
        media_type = "text/mine"

        def render(self, content: Any) -> bytes:
            self.rendered = True
            return b"mine"

    sent = await get(answers(lambda: Mine(object())))
    assert (sent.body, sent.header("content-type")) == (b"mine", "text/mine; charset=utf-8")


@pytest.mark.parametrize("kind", [Response, PlainTextResponse, JSONResponse, StreamingResponse, FileResponse])
async def test_call_replaced_on_the_response_class_is_called(
    kind: type[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x")
    contents: dict[Any, Any] = {StreamingResponse: [b"x"], FileResponse: file}
    app = answers(lambda: kind(contents.get(kind, "x")))
    before = await get(app)
    owner = next(base for base in kind.__mro__ if "__call__" in vars(base))
    calls = note_calls(monkeypatch, owner, "__call__")
    assert (await get(app)).messages == before.messages
    assert [type(response) for response in calls] == [kind]


async def test_stream_response_replaced_on_the_class_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"chunk"

    app = answers(lambda: StreamingResponse(chunks()))
    assert (await get(app)).body == b"chunk"
    calls = note_calls(monkeypatch, StreamingResponse, "stream_response")
    assert (await get(app)).body == b"chunk"
    assert [type(response) for response in calls] == [StreamingResponse]


@pytest.mark.parametrize("many", [False, True])
async def test_call_of_background_tasks_may_be_replaced(many: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    async def work() -> None:
        ran.append("work")

    def make() -> Response:
        if not many:
            return PlainTextResponse("x", background=BackgroundTask(work))
        tasks = BackgroundTasks()
        tasks.add_task(work)
        tasks.tasks.append(BackgroundTask(work))
        return PlainTextResponse("x", background=tasks)

    app = answers(make)
    await get(app)
    calls = note_calls(monkeypatch, BackgroundTask, "__call__")
    added = note_calls(monkeypatch, BackgroundTasks, "add_task", is_async=False)
    await get(app)
    assert [type(task) for task in calls] == [BackgroundTask] * (2 if many else 1)
    assert len(added) == (1 if many else 0)
    assert len(ran) == (4 if many else 2)


async def test_parts_of_a_background_task_may_be_reassigned() -> None:
    ran: list[Any] = []
    task: Any = BackgroundTask(ran.append, 1)
    task.args = (2,)
    await task()

    async def later(value: int) -> None:
        ran.append(value)

    task.func, task.is_async, task.kwargs, task.args = later, True, {"value": 3}, ()
    await task()
    assert ran == [2, 3]


async def test_parts_of_a_response_may_be_reassigned_until_it_is_called() -> None:
    ran: list[str] = []

    def make() -> Response:
        response = PlainTextResponse("old", headers={"a": "1"})
        response.body = b"new"
        response.status_code = 201
        response.raw_headers = [(b"content-length", b"3")]
        assert response.headers.raw is response.raw_headers
        response.headers["b"] = "2"
        response.raw_headers.append((b"c", b"3"))
        response.background = BackgroundTask(ran.append, "ran")
        return response

    for _ in range(2):
        sent = await get(answers(make))
        assert (sent.status, sent.body) == (201, b"new")
        assert sent.headers == [(b"content-length", b"3"), (b"b", b"2"), (b"c", b"3")]
    assert ran == ["ran", "ran"]


async def test_the_body_iterator_may_be_exchanged() -> None:
    async def other() -> AsyncIterator[bytes]:
        yield b"other"

    def make() -> Response:
        response = StreamingResponse(iter([b"first"]))
        response.body_iterator = other()
        return response

    assert (await get(answers(make))).body == b"other"


async def test_a_response_subclass_may_skip_the_constructor() -> None:
    class Skipping(Response):
        def __init__(self) -> None:
            self.status_code = 202
            self.background = None
            self.media_type = "text/x"
            self.init_headers({"a": "1"})
            self.body = b"late"

    sent = await get(answers(Skipping))
    assert (sent.status, sent.body) == (202, b"late")
    assert sent.headers == [(b"a", b"1"), (b"content-type", b"text/x; charset=utf-8")]


async def test_anything_callable_is_a_response() -> None:
    class Own(Response):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await PlainTextResponse("own")(scope, receive, send)

    async def function(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("function")(scope, receive, send)

    assert (await get(answers(Own))).body == b"own"
    assert (await get(answers(lambda: function))).body == b"function"  # type: ignore[arg-type, return-value]


async def test_files_are_opened_through_anyio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"content")
    app = answers(lambda: FileResponse(tmp_path / "file"))
    assert (await get(app)).body == b"content"
    calls = note_calls(monkeypatch, anyio, "open_file")
    assert (await get(app)).body == b"content"
    assert len(calls) == 1


# -- other modules ----------------------------------------------------------------------------------------------------


async def test_threads_are_entered_through_the_names_of_the_importing_modules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tracers replace `run_in_threadpool` before the others import it; later, each module has its own name for it."""
    import starlette.routing

    calls = note_calls(monkeypatch, starlette.routing, "run_in_threadpool")
    app = Starlette(routes=[Route("/", sync_endpoint)])
    assert (await get(app)).body == b"x"
    assert calls == [sync_endpoint]
