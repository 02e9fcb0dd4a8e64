"""The test client: construction, requests, the scope, the messages of an exchange, errors."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import functools
import importlib.util
import sys
import threading
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import anyio.from_thread
import httpx2 as httpx
import pytest

from starlette import testclient
from starlette.exceptions import StarletteDeprecationWarning
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.testclient import TestClient, _is_asgi3, _TestClientTransport, _WrapASGI2
from starlette.types import ASGIApp, Message, Receive, Scope, Send

START: Message = {"type": "http.response.start", "status": 200, "headers": []}
END: Message = {"type": "http.response.body"}


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    # Worker threads are not the client's: Trio keeps them for some seconds, and AnyIO does not wait for their end.
    left = [thread for thread in threading.enumerate() if not thread.name.startswith(("Trio thread", "AnyIO worker"))]
    assert set(left) <= before


def sends(*messages: Message) -> ASGIApp:
    """Return an application that sends these messages to whatever is asked."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return app


def raises(exception: BaseException, *messages: Message) -> ASGIApp:
    """Return an application that sends these messages and then raises."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await sends(*messages)(scope, receive, send)
        raise exception

    return app


class Recorder:
    """An application that keeps the scope and the body of each request and answers 200."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        self.bodies.append((await receive())["body"])
        await send(START)
        await send(END)


def scope_of(act: Callable[[TestClient], object], **options: Any) -> Scope:
    recorder = Recorder()
    act(TestClient(recorder, **options))
    return recorder.scopes[-1]


# The HTTP library


def fresh_module(monkeypatch: pytest.MonkeyPatch, *missing: str) -> types.ModuleType:
    """Execute the module once more, under another name, as if these libraries were not installed."""
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    spec = importlib.util.spec_from_file_location("fresh_testclient", testclient.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "fresh_testclient", module)
    spec.loader.exec_module(module)
    return module


def test_httpx2_is_preferred_without_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:  # R1, R4
    module = fresh_module(monkeypatch)
    assert issubclass(module.TestClient, httpx.Client)
    assert not TestClient.__test__


def test_httpx_serves_with_a_warning_for_the_importer(monkeypatch: pytest.MonkeyPatch) -> None:  # R2
    with pytest.warns(StarletteDeprecationWarning) as caught:
        module = fresh_module(monkeypatch, "httpx2")
    assert str(caught[0].message) == (
        "Using `httpx` with `starlette.testclient` is deprecated; install `httpx2` instead."
    )
    assert Path(caught[0].filename) == Path(__file__)
    client = module.TestClient(sends(START, {"type": "http.response.body", "body": b"ok"}))
    assert client.get("/").text == "ok"
    with pytest.raises(RuntimeError, match="Expected WebSocket upgrade"):
        client.websocket_connect("http://testserver/")


def test_without_a_library_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:  # R3
    with pytest.raises(RuntimeError) as caught:
        fresh_module(monkeypatch, "httpx2", "httpx")
    assert str(caught.value) == (
        "The starlette.testclient module requires the httpx2 package to be installed.\n"
        "You can install this with:\n"
        "    $ pip install httpx2\n"
    )
    assert caught.value.__suppress_context__


# Construction


def test_arguments_may_be_positional() -> None:  # R5, R6, R9, R10
    threads = threading.active_count()
    app = raises(AssertionError("must not be called"))
    client = TestClient(
        app,
        "https://example.org/base",
        False,
        "/root",
        "trio",
        {"restrict_keyboard_interrupt_to_checkpoints": True},
        {"a": "b"},
        {"x-test": "1"},
        False,
        ("host", 1),
    )
    assert client.app is app
    assert client.app_state == {}
    assert client.portal is None
    assert client.async_backend == {
        "backend": "trio",
        "backend_options": {"restrict_keyboard_interrupt_to_checkpoints": True},
    }
    assert str(client.base_url) == "https://example.org/base/"
    assert dict(client.cookies) == {"a": "b"}
    assert client.follow_redirects is False
    assert threading.active_count() == threads
    assert client.get("/").status_code == 500


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param(None, ["testclient"], id="R7-default"),
        pytest.param({"x-other": "1"}, ["testclient"], id="R7-others-are-added"),
        pytest.param({"user-agent": "x"}, ["x"], id="R7-given"),
        pytest.param({"User-Agent": "x"}, ["x"], id="D4-given-in-another-case"),
    ],
)
def test_user_agent(headers: dict[str, str] | None, expected: list[str]) -> None:
    before = None if headers is None else dict(headers)
    client = TestClient(Recorder(), headers=headers)
    assert client.get("/").request.headers.get_list("user-agent") == expected
    assert headers == before  # D4: the caller's mapping is its own


def test_assigned_headers_replace_the_user_agent() -> None:  # R8
    client = TestClient(Recorder())
    client.headers = {"x": "y"}
    assert client.get("/").request.headers["user-agent"] != "testclient"


# Which applications are accepted


async def asgi3(scope: Scope, receive: Receive, send: Send) -> None:
    await send(START)
    await send(END)


async def asgi3_with_more(more: int, scope: Scope, receive: Receive, send: Send) -> None:
    await asgi3(scope, receive, send)


def asgi2(scope: Scope) -> Callable[[Receive, Send], Any]:
    return functools.partial(asgi3, scope)


class Awaitable2:
    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.run = asgi3(scope, receive, send)

    def __await__(self) -> Any:
        return self.run.__await__()


class Instance2:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    async def __call__(self, receive: Receive, send: Send) -> None:
        await asgi3(self.scope, receive, send)


@pytest.mark.parametrize(
    ("app", "is_asgi3"),
    [
        pytest.param(asgi3, True, id="async-function"),
        pytest.param(functools.partial(functools.partial(asgi3_with_more), 1), True, id="nested-partial"),
        pytest.param(Recorder(), True, id="async-call"),
        pytest.param(Awaitable2, True, id="awaitable-class"),
        pytest.param(asgi2, False, id="plain-function"),
        pytest.param(Instance2, False, id="class"),
    ],
)
def test_kinds_of_applications(app: Any, is_asgi3: bool) -> None:  # R11
    assert _is_asgi3(app) is is_asgi3
    client = TestClient(app)
    assert (client.app is app) is is_asgi3
    assert isinstance(client.app, _WrapASGI2) is not is_asgi3
    assert client.get("/").status_code == 200


def test_a_plain_callable_with_three_arguments_is_taken_as_asgi2() -> None:  # R11
    with pytest.raises(TypeError):
        TestClient(lambda scope, receive, send: asgi3(scope, receive, send)).get("/")


# Requests and URLs


def test_arguments_after_the_url_are_keywords() -> None:  # R12
    with pytest.raises(TypeError):
        TestClient(asgi3).request("GET", "/", b"")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        TestClient(asgi3).get("/", nonsense=False)  # type: ignore[call-arg]


@pytest.mark.parametrize("timeout", [5, None])
def test_a_timeout_warns(timeout: float | None) -> None:  # R13
    client = TestClient(asgi3)
    with pytest.warns(StarletteDeprecationWarning, match="You should not use the 'timeout' argument"):
        client.get("/", timeout=timeout)
    with client.stream("GET", "/", timeout=timeout) as response:
        assert response.status_code == 200


@pytest.mark.parametrize(
    ("url", "path"),
    [
        pytest.param("/bar", "/api/v1/bar", id="absolute-path"),
        pytest.param("bar", "/api/v1/bar", id="relative-path"),
        pytest.param("../bar", "/api/bar", id="dots"),
        pytest.param("", "/api/v1/", id="empty"),
        pytest.param("//evil/x", "/api/v1/x", id="no-authority"),
    ],
)
def test_urls_are_appended_to_the_base(url: str, path: str) -> None:  # R14
    scope = scope_of(lambda client: client.get(url), base_url="http://testserver/api/v1/")
    assert scope["path"] == path
    assert scope["server"] == ["testserver", 80]


def test_remembered_urls_follow_the_base_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testclient, "_KNOWN_URLS", 1)
    recorder = Recorder()
    client = TestClient(recorder)
    for url in ("/a", "/b", "/a", "/b", httpx.URL("/a")):
        client.get(url, params={"x": "1"} if url == "/a" and isinstance(url, str) else None)
    client.base_url = "https://example.org/base"
    client.get("/a")
    assert [(scope["path"], scope["query_string"]) for scope in recorder.scopes] == [
        ("/a", b"x=1"),
        ("/b", b""),
        ("/a", b"x=1"),
        ("/b", b""),
        ("/a", b""),
        ("/base/a", b""),
    ]


def test_an_absolute_url_replaces_the_base() -> None:  # R14
    scope = scope_of(lambda client: client.get("https://example.org/x"), base_url="http://testserver/api/")
    assert (scope["scheme"], scope["server"], scope["path"]) == ("https", ["example.org", 443], "/x")


def test_bodies_are_those_of_the_library() -> None:  # R15, R16
    recorder = Recorder()
    client = TestClient(recorder)
    client.post("/", content=b"raw")
    client.post("/", data={"a": "b c"})
    client.request("DELETE", "/", json={"a": 1})
    client.post("/", content=iter([b"a", b"b"]))
    with pytest.warns(DeprecationWarning, match="content="):
        client.post("/", data=b"old")  # type: ignore[arg-type]
    assert recorder.bodies == [b"raw", b"a=b+c", b'{"a":1}', b"ab", b"old"]
    assert (b"transfer-encoding", b"chunked") in recorder.scopes[3]["headers"]


# The scope


def test_the_scope_has_exactly_these_keys() -> None:  # R17, R18, R20, R21, R22
    scope = scope_of(lambda client: client.get("/a%20b/%C3%A9?x=%20y&z"), root_path="/root")
    assert scope == {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": "/a b/é",
        "raw_path": b"/a%20b/%C3%A9",
        "root_path": "/root",
        "scheme": "http",
        "query_string": b"x=%20y&z",
        "headers": [
            (b"host", b"testserver"),
            (b"accept", b"*/*"),
            (b"accept-encoding", httpx.Client().headers["accept-encoding"].encode()),
            (b"connection", b"keep-alive"),
            (b"user-agent", b"testclient"),
        ],
        "client": ("testclient", 50000),
        "server": ["testserver", 80],
        "extensions": {"http.response.debug": {}, "http.response.trailers": {}},
        "state": {},
    }


def test_a_path_is_decoded_once() -> None:  # D1
    assert scope_of(lambda client: client.get("/a%2525"))["path"] == "/a%25"


@pytest.mark.parametrize(
    ("url", "server", "host"),
    [
        pytest.param("http://h/", ["h", 80], b"h", id="http"),
        pytest.param("https://h/", ["h", 443], b"h", id="https"),
        pytest.param("http://h:8080/", ["h", 8080], b"h:8080", id="port"),
        pytest.param("http://h:0/", ["h", 0], b"h:0", id="port-zero"),
        pytest.param("http://[::1]:8000/", ["::1", 8000], b"[::1]:8000", id="ipv6"),
        pytest.param("http://bücher.example/", ["xn--bcher-kva.example", 80], b"xn--bcher-kva.example", id="idna"),
    ],
)
def test_server_and_host(url: str, server: list[Any], host: bytes) -> None:  # R19, R20
    scope = scope_of(lambda client: client.get(url))
    assert scope["server"] == server
    assert scope["headers"][0] == (b"host", host)


def test_an_unknown_scheme_is_an_error() -> None:  # R19
    with pytest.raises(KeyError):
        TestClient(sends({**START, "status": 302, "headers": [(b"location", b"ftp://h/")]}, END)).get("/")


@pytest.mark.parametrize("client", [("1.2.3.4", 5), None])
def test_the_client_is_given_as_it_is(client: Any) -> None:  # R21
    assert scope_of(lambda c: c.get("/"), client=client)["client"] is client


def test_headers_are_in_lower_case_and_may_repeat() -> None:  # R20, D7
    def act(client: TestClient) -> None:
        client.get("/", headers=[(b"X-A", b"1"), (b"x-a", b"2"), (b"X-Raw", b"\xe9"), (b"Host", b"other")])

    fields = scope_of(act)["headers"]
    assert [pair for pair in fields if pair[0].startswith(b"x-")] == [
        (b"x-a", b"1"),
        (b"x-a", b"2"),
        (b"x-raw", b"\xe9"),
    ]
    assert [value for name, value in fields if name == b"host"] == [b"other"]


def test_a_request_without_a_host_gets_one() -> None:  # R20
    def act(client: TestClient) -> None:
        client.send(httpx.Request("GET", "http://h:81/", stream=httpx.ByteStream(b"")))

    assert scope_of(act)["headers"] == [(b"host", b"h:81")]


# receive


def test_the_body_comes_in_one_message_then_the_disconnect(backend: Any) -> None:  # R23, R24
    messages: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        messages.append(await receive())
        async with anyio.create_task_group() as group:
            group.start_soon(watch, receive)
            group.start_soon(watch, receive)
            await anyio.wait_all_tasks_blocked()
            await send(START)
            await send(END)
        messages.append(await receive())

    async def watch(receive: Receive) -> None:
        messages.append(await receive())

    TestClient(app, backend=backend).post("/", content=b"body")
    assert messages == [
        {"type": "http.request", "body": b"body"},
        {"type": "http.disconnect"},
        {"type": "http.disconnect"},
        {"type": "http.disconnect"},
    ]


def test_the_body_is_read_in_the_loop_when_it_is_asked_for(backend: Any) -> None:  # R23
    reader: list[str] = []

    def parts() -> Iterator[bytes]:
        frame: types.FrameType | None = sys._getframe()
        while frame is not None:
            if frame.f_code.co_filename == testclient.__file__ and frame.f_code.co_name == "receive":
                reader.append(threading.current_thread().name)
            frame = frame.f_back
        yield b"part"

    TestClient(asgi3, backend=backend).post("/", content=parts())
    assert reader == []
    TestClient(Recorder(), backend=backend).post("/", content=parts())
    (name,) = reader
    assert name != threading.current_thread().name


def test_a_failing_body_is_an_error_in_the_application() -> None:  # R23
    def parts() -> Iterator[bytes]:
        yield b"part"
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        TestClient(Recorder()).post("/", content=parts())


def test_a_cancelled_poll_does_not_swallow_the_body(backend: Any) -> None:  # D6
    bodies: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with anyio.CancelScope() as poll:
            poll.cancel()
            await receive()
        bodies.append((await receive())["body"])
        await asgi3(scope, receive, send)

    TestClient(app, backend=backend).post("/", content=b"body")
    assert bodies == [b"body"]


# send

TRAILING: Message = {**START, "trailers": True}
TRAILERS: Message = {"type": "http.response.trailers", "headers": [(b"x", b"y")]}


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        ([START, START], 'Received multiple "http.response.start" messages.'),
        ([END], 'Received "http.response.body" without "http.response.start".'),
        ([START, END, END], 'Received "http.response.body" after response completed.'),
        ([TRAILING, END, END], 'Received "http.response.body" after body completed.'),
        ([START, TRAILERS], 'Received "http.response.trailers" without declaring trailers.'),
        ([TRAILING, TRAILERS], 'Received "http.response.trailers" before body completed.'),
        ([TRAILING, END, TRAILERS, TRAILERS], 'Received "http.response.trailers" after response completed.'),
    ],
)
def test_messages_out_of_order_are_refused(messages: list[Message], error: str, backend: Any) -> None:  # R26
    with pytest.raises(AssertionError) as caught:
        TestClient(sends(*messages), backend=backend).get("/")
    assert str(caught.value) == error
    expected = 200 if messages[0]["type"] == "http.response.start" else 500
    assert TestClient(sends(*messages), raise_server_exceptions=False).get("/").status_code == expected  # R40


def test_optional_keys_have_defaults() -> None:  # R27
    response = TestClient(sends({"type": "http.response.start", "status": 204}, END)).get("/")
    assert (response.status_code, response.content, response.headers.raw) == (204, b"", [])


def test_response_headers_keep_order_case_and_octets() -> None:  # R27, D7
    headers = [(b"X-B", b"1"), (b"x-a", "é".encode()), (b"x-b", b"2"), (b"x-c", b"\xe9")]
    response = TestClient(sends({**START, "headers": headers}, END)).get("/")
    assert response.headers.raw == headers
    assert response.headers.get_list("x-b") == ["1", "2"]


def test_text_in_headers_is_refused() -> None:  # R27: a server would fail as well
    with pytest.raises(TypeError):
        TestClient(sends({**START, "headers": [("x", "y")]}, END)).get("/")


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bodies_are_copied(kind: Callable[[bytes], Any]) -> None:  # R27
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        buffer = bytearray(b"first")
        await send(START)
        await send({"type": "http.response.body", "body": kind(bytes(buffer)), "more_body": True})
        await send({"type": "http.response.body", "body": memoryview(buffer), "more_body": True})
        buffer[:] = b"xxxxx"
        await send(END)

    assert TestClient(app).get("/").content == b"firstfirst"


def test_unknown_messages_are_ignored() -> None:  # R28
    assert TestClient(sends({"type": "http.response.early_hint"}, START, {"type": "x"}, END)).get("/").is_success


def test_head_drops_the_body() -> None:  # R29
    response = TestClient(
        sends({**START, "headers": [(b"content-length", b"2")]}, {"type": "http.response.body", "body": b"ok"})
    ).head("/")
    assert response.content == b""
    assert response.headers["content-length"] == "2"


# Server exceptions


@pytest.mark.parametrize("before", [(), (START,), (START, END)], ids=["no-start", "started", "complete"])
def test_exceptions_are_raised_unchanged(before: tuple[Message, ...], backend: Any) -> None:  # R38
    for exception in (ValueError("mine"), ExceptionGroup("group", [ValueError()])):
        with pytest.raises(type(exception)) as caught:
            TestClient(raises(exception, *before), backend=backend).get("/")
        assert caught.value is exception


def test_an_application_without_a_response_is_an_error(backend: Any) -> None:  # R39
    with pytest.raises(AssertionError, match=r"^TestClient did not receive any response\.$"):
        TestClient(sends(), backend=backend).get("/")


@pytest.mark.parametrize("app", [sends(), raises(ValueError("mine"))], ids=["returns", "raises"])
def test_exceptions_may_become_responses(app: ASGIApp, backend: Any) -> None:  # R40
    response = TestClient(app, raise_server_exceptions=False, backend=backend).get("/")
    assert (response.status_code, response.reason_phrase) == (500, "Internal Server Error")
    assert (response.content, response.headers.raw) == (b"", [])


def test_what_was_sent_before_a_failure_is_the_response() -> None:  # R40
    app = raises(ValueError(), START, {"type": "http.response.body", "body": b"part", "more_body": True})
    assert TestClient(app, raise_server_exceptions=False).get("/").content == b"part"


def test_an_unfinished_body_is_accepted() -> None:  # R41
    app = sends(START, {"type": "http.response.body", "body": b"part", "more_body": True})
    assert TestClient(app).get("/").content == b"part"


@pytest.mark.parametrize("exception", [SystemExit(3), KeyboardInterrupt()])
def test_exits_do_not_end_the_test(exception: BaseException, backend: Any) -> None:  # R42
    for flag in (True, False):
        with pytest.raises(RuntimeError, match="This portal is not running") as caught:
            TestClient(raises(exception), raise_server_exceptions=flag, backend=backend).get("/")
        assert caught.value.__cause__ is exception


def test_an_application_that_cancels_itself() -> None:  # R42
    app = raises(asyncio.CancelledError())
    with pytest.raises(concurrent.futures.CancelledError):
        TestClient(app).get("/")
    assert TestClient(app, raise_server_exceptions=False).get("/").status_code == 500


# Trailers and debug information


def test_trailers_are_an_extension() -> None:  # R43
    trailers: Message = {"type": "http.response.trailers", "headers": [(b"A", b"1"), (b"a", b"2")]}
    app = sends(TRAILING, END, {**trailers, "more_trailers": True}, {"type": "http.response.trailers"})
    response = TestClient(app).get("/")
    assert response.extensions["http.response.trailers"] == [(b"A", b"1"), (b"a", b"2")]
    assert "a" not in response.headers
    assert "http.response.trailers" not in TestClient(asgi3).get("/").extensions


def test_trailers_may_be_missing() -> None:  # R45
    assert TestClient(sends(TRAILING, END)).get("/").extensions["http.response.trailers"] == []


def test_debug_information_reaches_the_response(backend: Any) -> None:  # R46, R47
    info = {"template": "t", "context": {"a": 1}, "other": 2}
    first: Message = {"type": "http.response.debug", "info": {"template": "first", "context": {}}}
    response: Any = TestClient(
        sends(first, START, {"type": "http.response.debug", "info": info}, END), backend=backend
    ).get("/")
    assert response.extensions["http.response.debug"] is info
    assert (response.template, response.context) == ("t", {"a": 1})
    plain = TestClient(asgi3).get("/")
    assert "http.response.debug" not in plain.extensions
    assert not hasattr(plain, "template")


# Redirects and cookies


async def hop(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == "/from":
        target = b"http://other.example/to"
        await send({**START, "status": 307, "headers": [(b"location", target), (b"set-cookie", b"a=b")]})
        await send({"type": "http.response.body", "body": b"moved"})
    elif scope["path"] == "/loop":
        await send({**START, "status": 302, "headers": [(b"location", b"/loop")]})
        await send(END)
    else:
        text = f"{scope['method']} {scope['server'][0]} {(await receive())['body'].decode()}"
        await send(START)
        await send({"type": "http.response.body", "body": text.encode()})


def test_redirects_call_the_application_again(backend: Any) -> None:  # R48
    client = TestClient(hop, backend=backend)
    response = client.post("/from", content=b"body")
    assert response.text == "POST other.example body"
    assert [past.text for past in response.history] == ["moved"]
    assert client.post("/from", follow_redirects=False).text == "moved"
    with pytest.raises(httpx.TooManyRedirects):
        client.get("/loop")


async def cookies(scope: Scope, receive: Receive, send: Send) -> None:
    sent = dict(scope["headers"]).get(b"cookie", b"")
    await send({**START, "headers": [(b"set-cookie", b"kept=1"), (b"set-cookie", b"lost=1; domain=example.com")]})
    await send({"type": "http.response.body", "body": sent})


def test_cookies_are_kept_and_sent_again() -> None:  # R49
    client = TestClient(cookies)
    assert client.get("/").text == ""
    assert client.get("/").text == "kept=1"
    with pytest.warns(DeprecationWarning, match="cookies"):
        assert "own=2" in client.get("/", cookies={"own": "2"}).text  # R15


# Loops, threads, contexts


class Placed:
    """An application that notes where it runs."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []
        self.loops: list[object] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.threads.append(threading.current_thread())
        self.loops.append(anyio.lowlevel.current_token())
        await asgi3(scope, receive, send)


def test_a_bare_request_has_its_own_thread_and_loop(backend: Any) -> None:  # R51
    app = Placed()
    client = TestClient(app, backend=backend)
    client.get("/")
    client.get("/")
    assert len({id(thread) for thread in app.threads}) == 2
    assert threading.current_thread() not in app.threads
    assert app.loops[0] != app.loops[1]
    assert not any(thread.is_alive() for thread in app.threads)


def test_thread_locals_do_not_reach_the_next_request() -> None:  # R51
    local = threading.local()
    seen: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(hasattr(local, "mark"))
        local.mark = True
        await asgi3(scope, receive, send)

    client = TestClient(app)
    client.get("/")
    client.get("/")
    assert seen == [False, False]


def test_tasks_left_behind_begin_and_are_cancelled() -> None:  # R51
    events: list[str] = []

    async def orphan() -> None:
        try:
            await asyncio.sleep(0)
            events.append("ran")
            await anyio.sleep_forever()
        finally:
            events.append("cancelled")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        tasks.append(asyncio.create_task(orphan()))
        await asgi3(scope, receive, send)

    tasks: list[asyncio.Task[None]] = []
    TestClient(app).get("/")
    assert events == ["ran", "cancelled"]


variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


def test_context_variables_go_in_and_do_not_come_out(backend: Any) -> None:  # R57
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(variable.get())
        variable.set("changed")
        await asgi3(scope, receive, send)

    def act() -> None:
        variable.set("test")
        TestClient(app, backend=backend).get("/")
        assert variable.get() == "test"

    contextvars.copy_context().run(act)
    assert seen == ["test"]


@pytest.mark.anyio
async def test_a_test_that_runs_in_a_loop_may_use_it(backend: Any) -> None:  # D11
    assert TestClient(Placed(), backend=backend).get("/").status_code == 200


def test_a_client_inside_of_a_synchronous_endpoint(backend: Any) -> None:  # R58
    inner = TestClient(sends(START, {"type": "http.response.body", "body": b"inner"}), backend=backend)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = await anyio.to_thread.run_sync(inner.get, "/")
        await send(START)
        await send({"type": "http.response.body", "body": response.content})

    assert TestClient(app, backend=backend).get("/").text == "inner"


def test_unknown_backends_fail_at_the_first_request() -> None:  # R50
    client = TestClient(asgi3, raise_server_exceptions=False, backend="bogus")  # type: ignore[arg-type]
    with pytest.raises(LookupError):
        client.get("/")
    with pytest.raises(LookupError), client:
        pass  # pragma: no cover - not reached


def test_backend_options_reach_the_library() -> None:  # R50
    names: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        names.append(type(asyncio.get_running_loop()).__module__)
        await asgi3(scope, receive, send)

    class Loop(asyncio.SelectorEventLoop):
        pass

    TestClient(app, backend_options={"loop_factory": Loop}).get("/")
    assert names == [__name__]


def test_a_replaced_portal_maker_is_used(monkeypatch: pytest.MonkeyPatch, backend: Any) -> None:  # R50
    calls: list[dict[str, Any]] = []
    original = anyio.from_thread.start_blocking_portal

    def start(**options: Any) -> Any:
        calls.append(options)
        return original(**options)

    monkeypatch.setattr(anyio.from_thread, "start_blocking_portal", start)
    client = TestClient(asgi3, backend=backend)
    assert client.get("/").status_code == 200
    assert calls == [{"backend": backend, "backend_options": {}}]


# The parts


def test_a_transport_works_with_any_portal_factory(backend: Any) -> None:
    transport = _TestClientTransport(
        Recorder(),
        lambda: anyio.from_thread.start_blocking_portal(backend),
        client=("testclient", 50000),
        app_state={"a": 1},
    )
    with httpx.Client(transport=transport, base_url="http://testserver") as client:
        assert client.get("/").status_code == 200


def test_a_transport_keeps_working_without_its_client() -> None:
    transport = TestClient(asgi3)._asgi_transport
    assert transport.handle_request(httpx.Request("GET", "http://testserver/")).read() == b""


def test_the_handling_of_requests_can_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_TestClientTransport, "handle_request", lambda self, request: httpx.Response(418))
    assert TestClient(asgi3).get("/").status_code == 418


def test_an_interrupted_test_cancels_the_application(monkeypatch: pytest.MonkeyPatch, backend: Any) -> None:
    ends: list[str] = []
    started = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        try:
            started.set()
            await anyio.sleep_forever()
        finally:
            ends.append("cancelled")

    def interrupt(exchange: object) -> None:
        assert started.wait(10)
        raise KeyboardInterrupt

    monkeypatch.setattr(testclient._Exchange, "wait_started", interrupt)
    with pytest.raises(KeyboardInterrupt):
        with TestClient(app, backend=backend).stream("GET", "/"):
            pass  # pragma: no cover - not reached
    assert ends == ["cancelled"]


def test_nothing_warns(backend: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TestClient(asgi3, backend=backend).get("/")


def test_asking_for_a_disconnect_neither_takes_the_body_nor_waits(backend: Any) -> None:  # R25, D6
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        before = await request.is_disconnected()
        content = await request.body()
        await JSONResponse([before, content.decode(), await request.is_disconnected()])(scope, receive, send)

    assert TestClient(app, backend=backend).post("/", content=b"body").json() == [False, "body", False]
