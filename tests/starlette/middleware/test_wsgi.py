"""`starlette.middleware.wsgi` (wsgi R15-R26, threats T03, T22, T25, R04, R07)."""

from __future__ import annotations

import asyncio
import importlib.util
import io
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette.exceptions import StarletteDeprecationWarning
from starlette.types import Message
from tests.asgi import Record, Script, body, call, http_scope, websocket_scope
from tests.growth import per_doubling

with warnings.catch_warnings():
    warnings.simplefilter("ignore", StarletteDeprecationWarning)
    from starlette.middleware.wsgi import WSGIMiddleware, WSGIResponder, build_environ

StartResponse = Callable[..., None]
Environ = dict[str, Any]

variable: ContextVar[str] = ContextVar("variable", default="outside")


def hello(environ: Environ, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


def echo(environ: Environ, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [])
    return [environ["wsgi.input"].read()]


class Closing:
    """An iterable that must be closed."""

    def __init__(self, *chunks: bytes, fails: bool = False) -> None:
        self.chunks = chunks
        self.fails = fails
        self.closed_in: threading.Thread | None = None

    def __iter__(self) -> Iterator[bytes]:
        yield from self.chunks
        if self.fails:
            raise LookupError("broken")

    def close(self) -> None:
        self.closed_in = threading.current_thread()


def starting(content: Any) -> Any:
    def app(environ: Environ, start_response: StartResponse) -> Any:
        start_response("200 OK", [])
        return content

    return app


# The module


def test_names() -> None:  # R16
    layer = WSGIMiddleware(hello)
    assert layer.app is hello
    scope = http_scope()
    responder = WSGIResponder(hello, scope)
    with responder.stream_send, responder.stream_receive:
        assert (responder.app, responder.scope) == (hello, scope)
    assert build_environ(scope=scope, body=b"")["REQUEST_METHOD"] == "GET"


def test_importing_warns_at_the_importing_file() -> None:  # R15
    spec = importlib.util.find_spec("starlette.middleware.wsgi")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.warns(StarletteDeprecationWarning) as caught:
        spec.loader.exec_module(module)
    (warning,) = caught
    assert str(warning.message) == (
        "starlette.middleware.wsgi is deprecated and will be removed in a future release. "
        "Please refer to https://github.com/abersheeran/a2wsgi as a replacement."
    )


# The environment


def test_the_environment_of_a_simple_request() -> None:  # R23
    environ = build_environ(http_scope("/a", "POST", query_string=b"x=1"), b"data")
    stream = environ.pop("wsgi.input")
    assert isinstance(stream, io.BytesIO)
    assert stream.read() == b"data"
    assert environ == {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/a",
        "QUERY_STRING": "x=1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": 80,
        "REMOTE_ADDR": "testclient",
        "HTTP_HOST": "testserver",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stdout,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        pytest.param({"server": None}, ("localhost", 80, "testclient", "http"), id="R23-no-server"),
        pytest.param({"server": ("/run/s", None)}, ("/run/s", None, "testclient", "http"), id="R23-unix-socket"),
        pytest.param({"client": None}, ("testserver", 80, None, "http"), id="R23-no-client"),
        pytest.param({"scheme": "https"}, ("testserver", 80, "testclient", "https"), id="R23-scheme"),
    ],
)
def test_server_client_and_scheme(keys: dict[str, Any], expected: tuple[Any, ...]) -> None:
    environ = build_environ(http_scope(**keys), b"")
    names = ("SERVER_NAME", "SERVER_PORT", "REMOTE_ADDR", "wsgi.url_scheme")
    assert tuple(environ.get(name) for name in names) == expected


def test_optional_keys_may_be_missing() -> None:  # R23
    scope = http_scope(headers=[])
    for key in ("server", "client", "scheme", "root_path"):
        del scope[key]
    environ = build_environ(scope, b"")
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"], environ["SCRIPT_NAME"]) == ("localhost", 80, "")
    assert environ["wsgi.url_scheme"] == "http"
    assert "REMOTE_ADDR" not in environ


@pytest.mark.parametrize(
    ("root", "path", "expected"),
    [
        pytest.param("", "/x", "/x", id="R25-no-root"),
        pytest.param("/app", "/app/users", "/users", id="R25-below"),
        pytest.param("/app", "/app", "", id="R25-the-root-itself"),
        pytest.param("/app", "/application", "/application", id="R25-not-at-a-boundary"),
        pytest.param("/app", "/other", "/other", id="R25-elsewhere"),
        pytest.param("/app/", "/app/users", "users", id="R25-D8-root-with-a-slash"),
        pytest.param("/app/", "/app", "/app", id="R25-shorter-than-the-root"),
        pytest.param("/", "/x", "x", id="R25-a-slash-alone"),
        pytest.param("", "/\u5c0f\u661f", "/\xe5\xb0\x8f\xe6\x98\x9f", id="R24-utf-8-as-latin-1"),
        pytest.param("", "/\ud800\udcff", "/\xed\xa0\x80\xed\xb3\xbf", id="R24-lone-surrogates"),
    ],
)
def test_paths(root: str, path: str, expected: str) -> None:
    environ = build_environ(http_scope(path, root_path=root), b"")
    assert environ["PATH_INFO"] == expected
    assert environ["SCRIPT_NAME"] == root


def test_script_name_is_utf_8_as_latin_1() -> None:  # R24
    assert build_environ(http_scope(root_path="/\u5c0f"), b"")["SCRIPT_NAME"] == "/\xe5\xb0\x8f"


def test_any_octet_may_stand_in_a_query() -> None:  # T22
    assert build_environ(http_scope(query_string=b"a=\xff%ff"), b"")["QUERY_STRING"] == "a=\xff%ff"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param([(b"content-length", b"3")], {"CONTENT_LENGTH": "3"}, id="R26-length"),
        pytest.param([(b"content-type", b"a/b")], {"CONTENT_TYPE": "a/b"}, id="R26-type"),
        pytest.param([(b"x-a-b", b"\xff")], {"HTTP_X_A_B": "\xff"}, id="R26-others"),
        pytest.param(
            [(b"accept", b"a"), (b"x", b"y"), (b"Accept", b"b")],
            {"HTTP_ACCEPT": "a,b", "HTTP_X": "y"},
            id="R26-repeated",
        ),
        pytest.param([(b"cookie", b"a=1"), (b"cookie", b"b=2")], {"HTTP_COOKIE": "a=1; b=2"}, id="D5-cookies"),
        pytest.param([(b"proxy", b"evil"), (b"Proxy", b"evil")], {}, id="T22-httpoxy"),
        pytest.param([(b"x_forwarded_for", b"evil"), (b"content_length", b"9")], {}, id="T22-underscores"),
    ],
)
def test_fields_become_variables(headers: list[tuple[bytes, bytes]], expected: dict[str, str]) -> None:
    environ = build_environ(http_scope(headers=headers), b"")
    assert {name: value for name, value in environ.items() if name.startswith(("HTTP_", "CONTENT_"))} == expected


@given(
    st.lists(st.tuples(st.binary(max_size=10), st.binary(max_size=10)), max_size=5),
    st.text(max_size=10),
    st.binary(max_size=10),
)
@settings(max_examples=100, deadline=None)
def test_no_request_raises(headers: list[tuple[bytes, bytes]], path: str, query: bytes) -> None:
    scope = http_scope("/", headers=headers, query_string=query)
    scope["path"] = path
    build_environ(scope, b"")


def test_fields_are_read_in_linear_time() -> None:  # T25
    def work(size: int) -> None:
        build_environ(http_scope(headers=[(b"cookie", b"a=b")] * size), b"")

    assert per_doubling(work, 10_000) < 3


# Requests


@pytest.mark.anyio
@pytest.mark.parametrize("scope", [websocket_scope(), {"type": "lifespan"}], ids=["websocket", "lifespan"])
async def test_other_connections_are_refused(scope: dict[str, Any]) -> None:  # R17
    with pytest.raises(AssertionError, match=r"^$"):
        await call(WSGIMiddleware(hello), scope)


@pytest.mark.anyio
async def test_the_body_is_read_first() -> None:  # R18
    sent = await call(WSGIMiddleware(echo), http_scope(method="POST"), body(b"a", b"", b"bc"))
    assert sent.body == b"abc"


@pytest.mark.anyio
@pytest.mark.parametrize("chunks", [[], [b"half"]], ids=["nothing", "half"])
async def test_a_body_that_broke_off_gets_nowhere(chunks: list[bytes]) -> None:  # T22
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    calls: list[Environ] = []

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        raise NotImplementedError

    sent = await call(WSGIMiddleware(app), http_scope(method="POST"), Script(*messages, {"type": "http.disconnect"}))
    assert sent.messages == []
    assert calls == []


@pytest.mark.anyio
async def test_a_body_in_many_messages_is_collected_in_linear_time() -> None:  # T25, T22
    sent = await call(WSGIMiddleware(echo), http_scope(method="POST"), body(*[b"x"] * 20_000))
    assert sent.body == b"x" * 20_000


# Responses


@pytest.mark.anyio
async def test_the_messages_of_a_response() -> None:  # R19, R20
    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        headers = [(" X-A ", " b "), ("Set-Cookie", "a"), ("Set-Cookie", "b")]
        assert start_response("201 Made it", headers) is None  # type: ignore[func-returns-value]
        return [b"a", b"", b"b"]

    sent = await call(WSGIMiddleware(app))
    assert sent.messages == [
        {
            "type": "http.response.start",
            "status": 201,
            "headers": [(b"x-a", b"b"), (b"set-cookie", b"a"), (b"set-cookie", b"b")],
        },
        {"type": "http.response.body", "body": b"a", "more_body": True},
        {"type": "http.response.body", "body": b"", "more_body": True},
        {"type": "http.response.body", "body": b"b", "more_body": True},
        {"type": "http.response.body", "body": b""},
    ]


@pytest.mark.anyio
async def test_the_application_runs_in_a_thread_and_sees_context() -> None:  # R18, R10
    seen: list[Any] = []

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        seen.extend((threading.current_thread(), variable.get()))
        start_response("200 OK", [])
        yield b"x"
        seen.append(threading.current_thread())

    variable.set("inside")
    sent = await call(WSGIMiddleware(app))
    assert sent.body == b"x"
    assert seen[0] is seen[2]
    assert seen[0] is not threading.current_thread()
    assert seen[1] == "inside"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        pytest.param("200", [], ValueError, id="R20-no-blank"),
        pytest.param(" 200 OK", [], ValueError, id="R20-a-blank-first"),
        pytest.param("x OK", [], ValueError, id="R20-no-number"),
        pytest.param("+200 OK", [], ValueError, id="R20-a-sign"),
        pytest.param("\u0662\u0660\u0660 OK", [], ValueError, id="R20-other-digits"),
        pytest.param("200 OK", [("x", "\u00e9")], UnicodeEncodeError, id="R20-value-not-ascii"),
        pytest.param("200 OK", [("\u00e9", "x")], UnicodeEncodeError, id="R20-name-not-ascii"),
        pytest.param("200 OK", [("x", "a\r\nset-cookie: b")], ValueError, id="T03-value"),
        pytest.param("200 OK", [("x\r\ny", "a")], ValueError, id="T03-name"),
        pytest.param("200 OK", [("x", "a\0b")], ValueError, id="T03-nul"),
    ],
)
async def test_a_bad_start_is_the_application_s_error(
    status: str, headers: list[tuple[str, str]], error: type[Exception]
) -> None:  # T22
    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response(status, headers)
        raise NotImplementedError

    sent = Record()
    with pytest.raises(error):
        await WSGIMiddleware(app)(http_scope(), body(), sent)
    assert sent.messages == []


@pytest.mark.anyio
@pytest.mark.parametrize("content", [[b"x"], []], ids=["with-a-body", "without"])
async def test_a_body_without_a_start_is_the_application_s_error(content: list[bytes]) -> None:  # D5
    sent = Record()
    with pytest.raises(RuntimeError, match="must call start_response"):
        await WSGIMiddleware(lambda environ, start_response: content)(http_scope(), body(), sent)
    assert sent.messages == []


@pytest.mark.anyio
async def test_only_the_first_start_is_sent() -> None:  # R20
    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [])
        start_response("500 Late", [("a", "b")])
        return []

    responder = WSGIResponder(app, http_scope())
    sent = Record()
    await responder(body(), sent)
    assert sent.status == 200
    assert (responder.status, responder.response_headers, responder.response_started) == ("200 OK", [], True)


@pytest.mark.anyio
@pytest.mark.parametrize("again", [False, True])
async def test_exc_info_is_raised_after_the_response(again: bool) -> None:  # R21
    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        try:
            raise LookupError("told")
        except LookupError:
            start_response("500 Oh", [], sys.exc_info())
        if again:
            start_response("200 OK", [])
        return [b"sorry"]

    sent = Record()
    if again:
        await WSGIMiddleware(app)(http_scope(), body(), sent)
    else:
        with pytest.raises(LookupError, match="told") as caught:
            await WSGIMiddleware(app)(http_scope(), body(), sent)
        assert "app" in [entry.name for entry in caught.traceback]
    assert (sent.status, sent.body) == (500, b"sorry")
    assert sent.messages[-1] == {"type": "http.response.body", "body": b""}


@pytest.mark.anyio
async def test_an_exception_is_raised_as_itself_after_what_was_sent() -> None:  # R22, R04, T22
    content = Closing(b"a", b"b", fails=True)
    sent = Record()
    with pytest.raises(LookupError, match="broken"):
        await WSGIMiddleware(starting(content))(http_scope(), body(), sent)
    assert [message.get("body") for message in sent.messages] == [None, b"a", b"b"]
    assert sent.messages[-1]["more_body"] is True
    assert content.closed_in is not None


@pytest.mark.anyio
async def test_an_exception_before_the_start_sends_nothing() -> None:  # R22
    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        raise LookupError("early")

    sent = Record()
    with pytest.raises(LookupError, match="early"):
        await WSGIMiddleware(app)(http_scope(), body(), sent)
    assert sent.messages == []


@pytest.mark.anyio
async def test_the_iterable_is_closed_in_the_thread() -> None:  # T22, threats R03
    content = Closing(b"x")
    assert (await call(WSGIMiddleware(starting(content)))).body == b"x"
    assert content.closed_in not in (None, threading.current_thread())


@pytest.mark.anyio
async def test_nothing_is_made_before_the_client_takes_it() -> None:  # R07, T22, threats R07
    made: list[int] = []
    ahead: list[int] = []
    sent = Record()

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [])
        for number in range(10):
            made.append(number)
            yield b"x"

    async def slow(message: Message) -> None:
        for _ in range(20):
            await anyio.lowlevel.checkpoint()
        await sent(message)
        ahead.append(len(made) - len(sent.messages))

    await WSGIMiddleware(app)(http_scope(), body(), slow)
    assert len(sent.body) == 10
    assert max(ahead) <= 3


# The client goes


@pytest.mark.anyio
@pytest.mark.parametrize("after", [0, 2], ids=["at-the-start", "in-the-body"])
async def test_an_endless_response_ends_when_sending_fails(after: int) -> None:  # R01, R02
    content = Closing(*[b"x"] * 100_000)
    sent = Record()

    async def send(message: Message) -> None:
        if len(sent.messages) >= after:
            raise OSError("gone")
        await sent(message)

    with pytest.raises(OSError, match="gone"):
        await WSGIMiddleware(starting(content))(http_scope(), body(), send)
    assert len(sent.messages) == after


@pytest.mark.anyio
async def test_a_cancelled_response_ends() -> None:  # R01
    content = Closing(*[b"x"] * 100_000)
    sent = Record()

    with anyio.CancelScope() as scope:

        async def send(message: Message) -> None:
            await sent(message)
            if len(sent.messages) == 5:
                scope.cancel()
                await anyio.sleep_forever()

        await WSGIMiddleware(starting(content))(http_scope(), body(), send)
    assert scope.cancelled_caught
    assert len(sent.messages) == 5
    assert content.closed_in is not None


def test_a_task_that_asyncio_cancels_leaves_no_thread_behind() -> None:  # R01, R03
    content = Closing(*[b"x"] * 1_000_000)
    ended = threading.Event()

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", [])
        try:
            yield from content
        finally:
            ended.set()

    async def main() -> None:
        sending = asyncio.Event()

        async def send(message: Message) -> None:
            sending.set()
            await asyncio.sleep(0)

        task = asyncio.ensure_future(WSGIMiddleware(app)(http_scope(), body(), send))
        await sending.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(ended.wait, 30)

    asyncio.run(main())
    assert ended.is_set()
