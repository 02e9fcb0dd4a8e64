"""`starlette.websockets`: the small classes, the raw messages and the handshake (websockets R1-R19, R28-R35)."""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any, TypedDict

import pytest

import starlette.websockets
from starlette.background import BackgroundTask
from starlette.datastructures import State
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.types import Message
from starlette.websockets import (
    WebSocket,
    WebSocketClose,
    WebSocketDisconnect,
    WebSocketDisconnected,
    WebSocketState,
)
from tests.asgi import Record, Script, http_scope, websocket_scope

CONNECT: Message = {"type": "websocket.connect"}
GONE: Message = {"type": "websocket.disconnect", "code": 1001, "reason": "away"}

OVER = 'Cannot call "receive" once a disconnect message has been received.'
CLOSED = 'Cannot call "send" once a close message has been sent.'


class Broken:
    """A `send` that fails from the given call on."""

    def __init__(self, error: Exception, after: int = 0) -> None:
        self.error = error
        self.left = after

    async def __call__(self, message: Message) -> None:
        if self.left == 0:
            raise self.error
        self.left -= 1


def socket(*messages: Message, **keys: Any) -> tuple[WebSocket, Record]:
    sent = Record()
    return WebSocket(websocket_scope(**keys), Script(CONNECT, *messages), sent), sent


async def accepted(*messages: Message) -> tuple[WebSocket, Record]:
    websocket, sent = socket(*messages)
    await websocket.accept()
    sent.messages.clear()
    return websocket, sent


# --- small classes


def test_states_are_an_enum() -> None:  # websockets R1
    assert {state.name: state.value for state in WebSocketState} == {
        "CONNECTING": 0,
        "CONNECTED": 1,
        "DISCONNECTED": 2,
        "RESPONSE": 3,
    }


@pytest.mark.parametrize(
    ("exc", "code", "reason", "text"),
    [
        pytest.param(WebSocketDisconnect(), 1000, "", "", id="R2-defaults"),
        pytest.param(WebSocketDisconnect(1001, "x"), 1001, "x", "(1001, 'x')", id="R2-by-position"),
        pytest.param(WebSocketDisconnect(code=1001, reason="x"), 1001, "x", "", id="R2-by-keyword"),
        pytest.param(WebSocketDisconnect(None, None), None, "", "(None, None)", id="R2-none"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ],
)
def test_a_disconnect_keeps_code_and_reason(exc: WebSocketDisconnect, code: Any, reason: str, text: str) -> None:
    assert (exc.code, exc.reason, str(exc)) == (code, reason, text)
    assert WebSocketDisconnect.__bases__ == (Exception,)


def test_misuse_is_a_runtime_error() -> None:  # websockets R3
    assert WebSocketDisconnected.__bases__ == (RuntimeError,)
    assert not issubclass(WebSocketDisconnected, WebSocketDisconnect)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("app", "message"),
    [
        pytest.param(WebSocketClose(), {"code": 1000, "reason": ""}, id="R4-defaults"),
        pytest.param(WebSocketClose(1008, "policy"), {"code": 1008, "reason": "policy"}, id="R4-given"),
        pytest.param(WebSocketClose(code=1001, reason="x" * 200), {"code": 1001, "reason": "x" * 123}, id="T18.4-long"),
    ],
)
async def test_a_close_is_an_application(app: WebSocketClose, message: Message) -> None:
    sent, receive = Record(), Script()
    await app({}, receive, sent)
    assert sent.messages == [{"type": "websocket.close", **message}]
    assert receive.calls == 0


# --- construction


@pytest.mark.parametrize("scope", [http_scope(), {"type": "lifespan"}])
def test_only_websocket_scopes_are_accepted(scope: dict[str, Any]) -> None:  # websockets R5
    with pytest.raises(AssertionError) as caught:
        WebSocket(scope=scope, receive=Script(), send=Record())
    assert str(caught.value) == ""


class MyState(TypedDict):
    key: str


def test_a_websocket_is_a_mapping_with_identity() -> None:  # websockets R6, R7
    scope = websocket_scope("/here", state={"key": "value"})
    websocket: WebSocket[State] = WebSocket(scope, receive=Script(), send=Record())
    twin: WebSocket[MyState] = WebSocket[MyState](scope, Script(), Record())
    assert websocket["path"] == "/here"
    assert dict(websocket) == scope
    assert len(websocket) == len(scope)
    assert websocket != twin
    assert len({websocket, twin, websocket}) == 2
    assert str(websocket.url) == "ws://testserver/here"
    assert websocket.headers["host"] == "testserver"
    assert websocket.state.key == "value"
    assert twin.state["key"] == "value"
    assert weakref.ref(websocket)() is websocket


def test_states_can_be_assigned() -> None:  # websockets R8
    websocket, _ = socket()
    assert websocket.client_state is websocket.application_state is WebSocketState.CONNECTING
    websocket.client_state = WebSocketState.DISCONNECTED
    assert websocket.client_state is WebSocketState.DISCONNECTED


# --- receive


@pytest.mark.anyio
async def test_receive_walks_the_states() -> None:  # websockets R9, R10
    data: Message = {"type": "websocket.receive", "text": "x"}
    websocket, _ = socket(data, GONE)
    states = [websocket.client_state]
    for expected in (CONNECT, data, GONE):
        assert await websocket.receive() is expected
        states.append(websocket.client_state)
    assert [state.name for state in states] == ["CONNECTING", "CONNECTED", "CONNECTED", "DISCONNECTED"]
    with pytest.raises(WebSocketDisconnected) as caught:
        await websocket.receive()
    assert str(caught.value) == OVER


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("state", "kind", "text"),
    [
        pytest.param(
            WebSocketState.CONNECTING,
            "websocket.receive",
            "Expected ASGI message \"websocket.connect\", but got 'websocket.receive'",
            id="R9-connecting",
        ),
        pytest.param(
            WebSocketState.CONNECTED,
            "websocket.connect",
            'Expected ASGI message "websocket.receive" or "websocket.disconnect", but got \'websocket.connect\'',
            id="R9-connected",
        ),
    ],
)
async def test_receive_refuses_what_cannot_come(state: WebSocketState, kind: str, text: str) -> None:
    script = Script({"type": kind}, GONE)
    websocket = WebSocket(websocket_scope(), script, Record())
    websocket.client_state = state
    with pytest.raises(RuntimeError) as caught:
        await websocket.receive()
    assert str(caught.value) == text
    assert websocket.client_state is state
    assert script.calls == 1


@pytest.mark.anyio
async def test_receive_in_a_state_clients_never_have() -> None:  # websockets R9, "or anything else"
    script = Script(CONNECT)
    websocket = WebSocket(websocket_scope(), script, Record())
    websocket.client_state = WebSocketState.RESPONSE
    with pytest.raises(WebSocketDisconnected):
        await websocket.receive()
    assert script.calls == 0


@pytest.mark.anyio
async def test_receive_goes_on_after_the_own_close() -> None:  # websockets R11
    websocket, _ = await accepted(GONE)
    await websocket.close()
    assert await websocket.receive() is GONE


# --- send


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("messages", "states"),
    [
        pytest.param(
            [{"type": "websocket.accept"}, {"type": "websocket.send", "text": ""}, {"type": "websocket.close"}],
            ["CONNECTED", "CONNECTED", "DISCONNECTED"],
            id="R12-open-and-close",
        ),
        pytest.param([{"type": "websocket.close"}], ["DISCONNECTED"], id="R12-refuse"),
        pytest.param(
            [
                {"type": "websocket.http.response.start", "status": 403, "headers": []},
                {"type": "websocket.http.response.body", "body": b"a", "more_body": True},
                {"type": "websocket.http.response.body", "body": b"b", "more_body": True},
                {"type": "websocket.http.response.body"},
            ],
            ["RESPONSE", "RESPONSE", "RESPONSE", "DISCONNECTED"],
            id="R12-R33-denial-in-parts",
        ),
    ],
)
async def test_send_walks_the_states(messages: list[Message], states: list[str]) -> None:
    websocket, sent = socket()
    seen = []
    for message in messages:
        await websocket.send(message)
        assert sent.messages[-1] is message
        seen.append(websocket.application_state.name)
    assert seen == states
    if states[-1] == "DISCONNECTED":
        with pytest.raises(WebSocketDisconnected) as caught:
            await websocket.send(messages[-1])
        assert str(caught.value) == CLOSED


EXPECTED = {
    WebSocketState.CONNECTING: '"websocket.accept", "websocket.close" or "websocket.http.response.start"',
    WebSocketState.CONNECTED: '"websocket.send" or "websocket.close"',
    WebSocketState.RESPONSE: '"websocket.http.response.body"',
}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("state", "kind"),
    [
        pytest.param(WebSocketState.CONNECTING, "websocket.send", id="R12-R29-send-before-accept"),
        pytest.param(WebSocketState.CONNECTED, "websocket.accept", id="R12-R19-second-accept"),
        pytest.param(WebSocketState.CONNECTED, "websocket.http.response.start", id="R12-R32-denial-after-accept"),
        pytest.param(WebSocketState.RESPONSE, "websocket.http.response.start", id="R12-R33-second-start"),
        pytest.param(WebSocketState.RESPONSE, "websocket.close", id="R12-R33-close-in-a-denial"),
    ],
)
async def test_send_refuses_what_cannot_go(state: WebSocketState, kind: str) -> None:
    websocket, sent = socket()
    websocket.application_state = state
    with pytest.raises(RuntimeError) as caught:
        await websocket.send({"type": kind})
    assert str(caught.value) == f"Expected ASGI message {EXPECTED[state]}, but got {kind!r}"
    assert websocket.application_state is state
    assert sent.messages == []


@pytest.mark.anyio
async def test_the_state_moves_before_the_message_goes() -> None:  # websockets R13, R15
    websocket = WebSocket(websocket_scope(), Script(CONNECT), Broken(ValueError("server")))
    with pytest.raises(ValueError, match="server"):
        await websocket.accept()
    assert websocket.application_state is WebSocketState.CONNECTED


@pytest.mark.anyio
@pytest.mark.parametrize("action", ["send", "close"])
async def test_a_lost_connection_is_a_disconnect(action: str) -> None:  # websockets R14, threats T18.1
    lost = ConnectionResetError("lost")
    websocket = WebSocket(websocket_scope(), Script(CONNECT), Broken(lost, after=1))
    await websocket.accept()
    with pytest.raises(WebSocketDisconnect) as caught:
        await (websocket.send_text("x") if action == "send" else websocket.close())
    assert (caught.value.code, caught.value.reason) == (1006, "")
    assert caught.value.__context__ is lost
    assert caught.value.__cause__ is None
    assert websocket.application_state is WebSocketState.DISCONNECTED
    with pytest.raises(WebSocketDisconnected):
        await websocket.send_text("x")


@pytest.mark.anyio
async def test_an_os_error_of_the_handshake_passes() -> None:  # websockets R15
    lost = OSError("lost")
    websocket = WebSocket(websocket_scope(), Script(CONNECT), Broken(lost))
    with pytest.raises(OSError, match="lost") as caught:
        await websocket.accept()
    assert caught.value is lost
    assert websocket.client_state is websocket.application_state is WebSocketState.CONNECTED

    websocket = WebSocket(websocket_scope(), Script(CONNECT), Broken(lost, after=1))
    await websocket.send({"type": "websocket.http.response.start", "status": 403})
    with pytest.raises(OSError, match="lost"):
        await websocket.send({"type": "websocket.http.response.body"})
    assert websocket.application_state is WebSocketState.DISCONNECTED


@pytest.mark.anyio
async def test_other_errors_of_an_open_connection_pass() -> None:  # websockets R15
    websocket = WebSocket(websocket_scope(), Script(CONNECT), Broken(ValueError("server"), after=1))
    await websocket.accept()
    with pytest.raises(ValueError, match="server"):
        await websocket.send_text("x")
    assert websocket.application_state is WebSocketState.CONNECTED


@pytest.mark.anyio
@pytest.mark.parametrize("state", list(EXPECTED))
async def test_a_message_needs_a_type(state: WebSocketState) -> None:  # websockets R16
    websocket, _ = socket()
    websocket.application_state = state
    with pytest.raises(KeyError, match="'type'"):
        await websocket.send({})


# --- accept


@pytest.mark.anyio
async def test_accept_receives_the_connect_message_once() -> None:  # websockets R17, R18
    script, sent = Script(CONNECT), Record()
    websocket = WebSocket(websocket_scope(), script, sent)
    await websocket.receive()
    await websocket.accept()
    assert script.calls == 1
    assert sent.messages == [{"type": "websocket.accept", "subprotocol": None, "headers": []}]


@pytest.mark.anyio
async def test_accept_needs_a_connect_message() -> None:  # websockets R17
    websocket = WebSocket(websocket_scope(), Script(GONE), Record())
    with pytest.raises(RuntimeError, match=r'Expected ASGI message "websocket\.connect"'):
        await websocket.accept()


@pytest.mark.anyio
async def test_accept_passes_on_what_it_is_given() -> None:  # websockets R18
    headers = ((b"X-Mixed", b"kept"), (b"set-cookie", b"a=b"))
    websocket, sent = socket()
    await websocket.accept(subprotocol="wamp", headers=headers)
    assert sent.messages == [{"type": "websocket.accept", "subprotocol": "wamp", "headers": headers}]
    assert sent.messages[0]["headers"] is headers


@pytest.mark.anyio
async def test_accept_takes_an_iterator_of_headers() -> None:  # websockets R18, T03
    def headers() -> Iterator[tuple[bytes, bytes]]:
        yield b"x-a", b"1"
        yield b"x-b", b"2"

    websocket, sent = socket()
    await websocket.accept(headers=headers())
    assert list(sent.messages[0]["headers"]) == [(b"x-a", b"1"), (b"x-b", b"2")]


@pytest.mark.anyio
@pytest.mark.parametrize("octet", [b"\r", b"\n", b"\0"])
@pytest.mark.parametrize("where", ["name", "value", "subprotocol", "denial", "text"])
async def test_line_ends_never_reach_the_handshake(octet: bytes, where: str) -> None:  # T03
    websocket, sent = socket()
    bad = b"a" + octet + b"b: c"
    with pytest.raises(ValueError, match="CR, LF or NUL"):
        if where == "subprotocol":
            await websocket.accept(subprotocol=bad.decode())
        elif where == "denial":
            await websocket.send({"type": "websocket.http.response.start", "status": 403, "headers": [(b"x", bad)]})
        elif where == "text":
            await websocket.accept(headers=[("x", bad.decode())])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
        else:
            await websocket.accept(headers=[(bad, b"x") if where == "name" else (b"x", bad)])
    assert sent.messages == []
    assert websocket.application_state is WebSocketState.CONNECTING


@pytest.mark.anyio
async def test_a_second_accept_is_refused() -> None:  # websockets R19
    websocket, _ = await accepted()
    with pytest.raises(RuntimeError, match=r"but got 'websocket\.accept'"):
        await websocket.accept()


# --- close


@pytest.mark.anyio
@pytest.mark.parametrize("accept", [True, False], ids=["open", "R35-refused"])
async def test_close(accept: bool) -> None:  # websockets R28, R29
    websocket, sent = await accepted() if accept else socket()
    await websocket.close(code=1001)
    assert sent.messages == [{"type": "websocket.close", "code": 1001, "reason": ""}]
    assert websocket.client_state is (WebSocketState.CONNECTED if accept else WebSocketState.CONNECTING)
    with pytest.raises(WebSocketDisconnected) as caught:
        await websocket.close()
    assert str(caught.value) == CLOSED


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        pytest.param(None, "", id="R28-none"),
        pytest.param("bye", "bye", id="R28-given"),
        pytest.param("x" * 123, "x" * 123, id="T18.4-fits"),
        pytest.param("x" * 124, "x" * 123, id="T18.4-one-too-many"),
        pytest.param("é" * 62, "é" * 61, id="T18.4-cut-at-a-character"),
        pytest.param("€" * 41, "€" * 41, id="T18.4-fits-in-utf-8"),
        pytest.param("a\ud800b", "a?b", id="T18.4-lone-surrogate"),
    ],
)
async def test_a_reason_fits_into_a_close_frame(reason: str | None, expected: str) -> None:
    for accept in (True, False):
        websocket, sent = await accepted() if accept else socket()
        await websocket.close(reason=reason)
        assert sent.messages == [{"type": "websocket.close", "code": 1000, "reason": expected}]


@pytest.mark.anyio
async def test_a_raw_close_is_not_changed_in_place() -> None:  # T18.4
    message: Message = {"type": "websocket.close", "code": 1000, "reason": "x" * 200}
    websocket, sent = socket()
    await websocket.send(message)
    assert len(message["reason"]) == 200
    assert len(sent.messages[0]["reason"]) == 123


# --- denial

DENIAL: dict[str, Any] = {"extensions": {"websocket.http.response": {}}}


@pytest.mark.anyio
async def test_a_denial_is_a_response_with_other_types() -> None:  # websockets R30, R31, R32
    websocket, sent = socket(**DENIAL)
    await websocket.send_denial_response(PlainTextResponse("no", 403, headers={"x-a": "b"}))
    assert sent.types == ["websocket.http.response.start", "websocket.http.response.body"]
    assert (sent.status, sent.body, sent.header("x-a")) == (403, b"no", "b")
    assert websocket.client_state is WebSocketState.CONNECTING
    assert websocket.application_state is WebSocketState.DISCONNECTED
    with pytest.raises(WebSocketDisconnected):
        await websocket.close()


@pytest.mark.anyio
async def test_a_denial_may_stream_and_has_its_background() -> None:  # websockets R31
    done: list[int] = []

    async def parts() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    script, sent = Script(CONNECT), Record()
    websocket = WebSocket(websocket_scope(**DENIAL), script, sent)
    await websocket.send_denial_response(StreamingResponse(parts(), 401, background=BackgroundTask(done.append, 1)))
    assert sent.types[0] == "websocket.http.response.start"
    assert set(sent.types[1:]) == {"websocket.http.response.body"}
    assert (sent.status, sent.body, done) == (401, b"ab", [1])
    assert script.calls == 0


@pytest.mark.anyio
async def test_a_denial_may_be_a_file(tmp_path: Any) -> None:  # websockets R31
    path = tmp_path / "no.txt"
    path.write_bytes(b"closed")
    websocket, sent = socket(**DENIAL)
    await websocket.send_denial_response(FileResponse(path, 403))
    assert set(sent.types) == {"websocket.http.response.start", "websocket.http.response.body"}
    assert (sent.status, sent.body) == (403, b"closed")


@pytest.mark.anyio
@pytest.mark.parametrize("extensions", [{}, None, {"other": {}}])
async def test_a_denial_needs_the_extension(extensions: Any) -> None:  # websockets R30, T18.5
    websocket, sent = socket(extensions=extensions)
    with pytest.raises(RuntimeError) as caught:
        await websocket.send_denial_response(Response(status_code=403))
    assert str(caught.value) == "The server doesn't support the Websocket Denial Response extension."
    assert sent.messages == []


@pytest.mark.anyio
async def test_a_denial_comes_too_late_after_accept() -> None:  # websockets R32
    websocket, sent = socket(**DENIAL)
    await websocket.accept()
    with pytest.raises(RuntimeError, match=r"but got 'websocket\.http\.response\.start'"):
        await websocket.send_denial_response(Response(status_code=403))
    assert sent.types == ["websocket.accept"]


def test_public_names() -> None:  # websockets, "Importable names"
    assert not hasattr(starlette.websockets, "__all__")


@pytest.mark.anyio
async def test_overridden_methods_are_used() -> None:  # drop-in: subclasses see what the typed methods do
    seen: list[str] = []

    class Traced(WebSocket):
        async def receive(self) -> Message:
            message = await super().receive()
            seen.append(message["type"])
            return message

        async def send(self, message: Message) -> None:
            seen.append(message["type"])
            await super().send(message)

    websocket = Traced(websocket_scope(), Script(CONNECT, {"type": "websocket.receive", "text": "1"}), Record())
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())
    assert seen == ["websocket.connect", "websocket.accept", "websocket.receive", "websocket.send"]
