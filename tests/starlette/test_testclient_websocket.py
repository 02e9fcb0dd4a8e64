"""WebSocket sessions of the test client."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import anyio
import anyio.from_thread
import httpx2 as httpx
import pytest

from starlette._testing.channel import Channel
from starlette._testing.loops import Loop
from starlette.testclient import TestClient, WebSocketDenialResponse, WebSocketTestSession
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

ACCEPT: Message = {"type": "websocket.accept", "subprotocol": "b", "headers": [(b"x", b"y")]}


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


class Peer:
    """An application that takes the first message, sends these, and keeps what it gets after that."""

    def __init__(self, *messages: Message, stays: bool = True) -> None:
        self.messages = messages
        self.stays = stays
        self.scopes: list[Scope] = []
        self.got: list[Message] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{phase}.complete"})
            return
        self.scopes.append(scope)
        assert await receive() == {"type": "websocket.connect"}
        for message in self.messages:
            await send(message)
        while self.stays:
            self.got.append(await receive())
            if self.got[-1]["type"] == "websocket.disconnect":
                return


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] != "websocket.disconnect":
        await send({**message, "type": "websocket.send"})


# Connecting


def test_a_session_is_entered_to_begin(backend: Any) -> None:  # R60, R65
    app = Peer(ACCEPT)
    session = TestClient(app, backend=backend).websocket_connect("/x")
    assert isinstance(session, WebSocketTestSession)
    assert app.scopes == []
    assert session.accepted_subprotocol is None
    assert session.extra_headers is None
    with pytest.raises(AttributeError):
        session.portal  # noqa: B018
    for times in (1, 2):
        with session as entered:
            assert entered is session
            assert session.accepted_subprotocol == "b"
            assert session.extra_headers == [(b"x", b"y")]
        assert len(app.scopes) == times


@pytest.mark.parametrize(
    ("url", "scheme", "server", "path"),
    [
        pytest.param("/x", "ws", ["testserver", 80], "/x", id="R61-path"),
        pytest.param("ws://h:81/x", "ws", ["h", 81], "/x", id="R61-ws"),
        pytest.param("wss://h/x", "wss", ["h", 443], "/x", id="R61-wss"),
    ],
)
def test_urls_are_joined_to_a_fixed_base(url: str, scheme: str, server: list[Any], path: str) -> None:
    app = Peer(ACCEPT)
    with TestClient(app, base_url="https://example.org/base").websocket_connect(url):
        pass
    scope = app.scopes[0]
    assert (scope["scheme"], scope["server"], scope["path"]) == (scheme, server, path)


def test_an_http_url_is_no_websocket() -> None:  # R61
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    with pytest.raises(RuntimeError, match="Expected WebSocket upgrade"):
        TestClient(app).websocket_connect("http://testserver/")


def test_the_scope_has_exactly_these_keys() -> None:  # R62, R63
    app = Peer(ACCEPT)
    client = TestClient(app, root_path="/root", cookies={"c": "d"})
    client.app_state["a"] = 1
    with client.websocket_connect("/a%20b?x=y", subprotocols=["a", "b"]):
        pass
    scope = dict(app.scopes[0])
    headers = dict(scope.pop("headers"))
    assert scope == {
        "type": "websocket",
        "path": "/a b",
        "raw_path": b"/a%20b",
        "root_path": "/root",
        "scheme": "ws",
        "query_string": b"x=y",
        "client": ("testclient", 50000),
        "server": ["testserver", 80],
        "subprotocols": ["a", "b"],
        "state": {"a": 1},
        "extensions": {"websocket.http.response": {}},
    }
    assert headers == {
        b"accept": b"*/*",
        b"accept-encoding": httpx.Client().headers["accept-encoding"].encode(),
        b"connection": b"upgrade",
        b"cookie": b"c=d",
        b"host": b"testserver",
        b"user-agent": b"testclient",
        b"sec-websocket-key": b"testserver==",
        b"sec-websocket-version": b"13",
        b"sec-websocket-protocol": b"a, b",
    }


@pytest.mark.parametrize("kind", [dict, list, httpx.Headers])
def test_given_headers_win_and_stay_as_they_are(kind: Any) -> None:  # R62, D4
    app = Peer(ACCEPT)
    pairs = [("Sec-WebSocket-Key", "mine"), ("x", "y")]
    headers = kind(pairs)
    with TestClient(app).websocket_connect("/", headers=headers, params={"p": "q"}):
        pass
    assert headers == kind(pairs)
    fields = app.scopes[0]["headers"]
    assert [value for name, value in fields if name == b"sec-websocket-key"] == [b"mine"]
    assert (b"x", b"y") in fields
    assert app.scopes[0]["query_string"] == b"p=q"  # R64
    assert app.scopes[0]["subprotocols"] == []


# The answer


@pytest.mark.parametrize(
    ("message", "code", "reason"),
    [
        pytest.param({"type": "websocket.close", "code": 1008, "reason": "no"}, 1008, "no", id="given"),
        pytest.param({"type": "websocket.close"}, 1000, "", id="defaults"),
    ],
)
def test_a_refusal_is_a_disconnect(message: Message, code: int, reason: str, backend: Any) -> None:  # R65
    session = TestClient(Peer(message), backend=backend).websocket_connect("/")
    with pytest.raises(WebSocketDisconnect) as caught:
        session.__enter__()
    assert (caught.value.code, caught.value.reason) == (code, reason)


def test_a_denial_is_a_response(backend: Any) -> None:  # R65, R66
    app = Peer(
        {"type": "websocket.http.response.start", "status": 403, "headers": [(b"x", b"y")]},
        {"type": "websocket.http.response.body", "body": b"{", "more_body": True},
        {"type": "websocket.http.response.body", "body": b"}"},
    )
    with pytest.raises(WebSocketDenialResponse) as caught:
        TestClient(app, backend=backend).websocket_connect("/").__enter__()
    assert isinstance(caught.value, WebSocketDisconnect)
    assert isinstance(caught.value, httpx.Response)
    assert (caught.value.status_code, caught.value.headers["x"], caught.value.json()) == (403, "y", {})


def test_a_denial_has_defaults() -> None:  # D5
    app = Peer({"type": "websocket.http.response.start", "status": 404}, {"type": "websocket.http.response.body"})
    with pytest.raises(WebSocketDenialResponse) as caught:
        TestClient(app).websocket_connect("/").__enter__()
    assert (caught.value.status_code, caught.value.content) == (404, b"")


def test_anything_else_is_an_accept() -> None:  # R65
    with TestClient(Peer({"type": "websocket.send", "text": "lost"})).websocket_connect("/") as session:
        assert session.accepted_subprotocol is None


def test_no_answer_is_an_error(backend: Any) -> None:  # D2
    with pytest.raises(AssertionError, match="without answering the WebSocket handshake"):
        TestClient(Peer(stays=False), backend=backend).websocket_connect("/").__enter__()


# Messages


def test_frames_go_both_ways(backend: Any) -> None:  # R67, R68
    with TestClient(echo, backend=backend).websocket_connect("/") as session:
        session.send_text("é")
        assert session.receive_text() == "é"
        session.send_bytes(b"\x00")
        assert session.receive_bytes() == b"\x00"
        session.send_json({"a": [1, "é"]})
        assert session.receive() == {"type": "websocket.send", "text": '{"a":[1,"é"]}'}
        session.send_json({"a": 1}, mode="binary")
        assert session.receive_json(mode="binary") == {"a": 1}
        session.send_json([1])
        assert session.receive_json() == [1]
        session.send_text("x")
        with pytest.raises(KeyError):
            session.receive_bytes()
        session.send({"type": "websocket.receive", "text": "raw"})
        assert session.receive_text() == "raw"


def test_messages_wait_for_an_application_that_is_busy(backend: Any) -> None:  # R67
    with TestClient(echo, backend=backend).websocket_connect("/") as session:
        for number in range(500):
            session.send_text(str(number))
        assert [session.receive_text() for _ in range(500)] == [str(number) for number in range(500)]


def test_close_tells_the_application(backend: Any) -> None:  # R67, R71
    app = Peer(ACCEPT)
    with TestClient(app, backend=backend).websocket_connect("/") as session:
        session.close(1001, "bye")
        session.close()
        with pytest.raises(WebSocketDisconnect):
            session.receive()
        session.send_text("late")
    assert app.got == [{"type": "websocket.disconnect", "code": 1001, "reason": "bye"}]


@pytest.mark.parametrize("receive", ["receive_text", "receive_bytes", "receive_json"])
def test_a_close_is_a_disconnect(receive: str, backend: Any) -> None:  # R68
    app = Peer(ACCEPT, {"type": "websocket.close", "code": 1001, "reason": "bye"})
    with TestClient(app, backend=backend).websocket_connect("/") as session:
        with pytest.raises(WebSocketDisconnect) as caught:
            getattr(session, receive)()
        assert (caught.value.code, caught.value.reason) == (1001, "bye")
    with TestClient(app, backend=backend).websocket_connect("/") as session:
        assert session.receive()["type"] == "websocket.close"


def test_a_late_denial_is_raised_when_received() -> None:  # R68
    app = Peer(
        ACCEPT,
        {"type": "websocket.http.response.start", "status": 500, "headers": []},
        {"type": "websocket.http.response.body", "body": b"x"},
    )
    with TestClient(app).websocket_connect("/") as session, pytest.raises(WebSocketDenialResponse):
        session.receive_text()


def test_nothing_comes_from_an_application_that_returned(backend: Any) -> None:  # D2
    with TestClient(Peer(ACCEPT, stays=False), backend=backend).websocket_connect("/") as session:
        for _ in range(2):
            with pytest.raises(WebSocketDisconnect) as caught:
                session.receive_text()
            assert caught.value.code == 1006


def test_receiving_may_be_limited_in_time(backend: Any) -> None:
    with TestClient(echo, backend=backend).websocket_connect("/", receive_timeout=0.01) as session:
        with pytest.raises(TimeoutError, match=r"sent nothing within 0\.01 seconds"):
            session.receive()
        for receive in (session.receive_text, session.receive_bytes, session.receive_json):
            with pytest.raises(TimeoutError, match=r"sent nothing within 0\.001 seconds"):
                receive(timeout=0.001)
        session.send_text("x")
        assert session.receive_text(timeout=10) == "x"


def test_the_handshake_may_be_limited_in_time(backend: Any) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await anyio.sleep_forever()

    with pytest.raises(TimeoutError):
        TestClient(app, backend=backend).websocket_connect("/", receive_timeout=0.01).__enter__()


# Leaving


def test_leaving_disconnects_then_cancels(backend: Any) -> None:  # R69
    log: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(ACCEPT)
        await send({"type": "websocket.send", "text": "unread"})
        log.append(await receive())
        try:
            await anyio.sleep_forever()
        finally:
            log.append("cancelled")

    with TestClient(app, backend=backend).websocket_connect("/") as session:
        assert session.receive_text() == "unread"
    assert log == [{"type": "websocket.disconnect", "code": 1000, "reason": None}, "cancelled"]


def test_an_application_that_never_listens_is_cancelled(backend: Any) -> None:  # R69
    async def sleeps(scope: Scope, receive: Receive, send: Send) -> None:
        await send(ACCEPT)
        await anyio.sleep_forever()

    async def sends(scope: Scope, receive: Receive, send: Send) -> None:
        await send(ACCEPT)
        while True:
            await send({"type": "websocket.send", "text": "tick"})

    for app in (sleeps, sends):
        with TestClient(app, backend=backend).websocket_connect("/"):
            pass


def failing(*before: Message, after_receive: bool = False, error: BaseException | None = None) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        for message in before:
            await send(message)
        if after_receive:
            await receive()
        raise error or ValueError("mine")

    return app


@pytest.mark.parametrize("before", [(), (ACCEPT,)], ids=["no-answer", "accepted"])
@pytest.mark.parametrize("flag", [True, False])
def test_exceptions_are_raised_on_entering(before: tuple[Message, ...], flag: bool, backend: Any) -> None:  # R70
    client = TestClient(failing(*before), raise_server_exceptions=flag, backend=backend)
    with pytest.raises(ValueError, match="mine"):
        client.websocket_connect("/").__enter__()


def test_exceptions_are_raised_on_leaving(backend: Any) -> None:  # R70
    client = TestClient(failing(ACCEPT, after_receive=True), backend=backend)
    with pytest.raises(ValueError, match="mine"), client.websocket_connect("/") as session:
        session.send_text("x")
        with pytest.raises(anyio.ClosedResourceError):
            session.receive()
        with pytest.raises(anyio.ClosedResourceError):
            session.send_text("y")
        raise LookupError("of the block")


def test_exits_do_not_end_the_test(backend: Any) -> None:
    client = TestClient(failing(ACCEPT, error=SystemExit(3)), backend=backend)
    with pytest.raises(RuntimeError, match="This portal is not running"):
        client.websocket_connect("/").__enter__()


def test_sessions_share_the_loop_of_the_block(backend: Any) -> None:  # R52
    tokens: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        tokens.append(anyio.lowlevel.current_token())
        await Peer(ACCEPT)(scope, receive, send)

    with TestClient(app, backend=backend) as client:
        with client.websocket_connect("/") as one, client.websocket_connect("/") as two:
            assert one.portal is two.portal is client.portal
    assert len(tokens) == 3
    assert len(set(tokens)) == 1


def test_a_session_works_with_any_portal_factory(backend: Any) -> None:
    scope = {"type": "websocket", "path": "/"}
    session = WebSocketTestSession(echo, scope, lambda: anyio.from_thread.start_blocking_portal(backend))
    with session:
        session.send_text("x")
        assert session.receive_text() == "x"


def test_a_session_survives_the_end_of_its_portal(backend: Any) -> None:
    with anyio.from_thread.start_blocking_portal(backend) as portal:
        session = WebSocketTestSession(echo, {"type": "websocket"}, lambda: contextlib.nullcontext(portal))
        session.__enter__()
        session.send_text("x")
        assert session.receive_text() == "x"
    for use in (session.receive, session.close):
        with pytest.raises(anyio.ClosedResourceError):
            use()
    session.__exit__(None, None, None)


@pytest.mark.anyio
async def test_cancellation_may_come_before_the_beginning() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await anyio.lowlevel.checkpoint()
        raise AssertionError("must not go on")

    channel = Channel(app, {}, Loop())
    channel.cancel()
    await anyio.lowlevel.checkpoint()
    await channel.run()
    assert channel.error is None
    channel.wait_ended()
