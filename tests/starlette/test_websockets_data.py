"""`starlette.websockets`: text, bytes and JSON in both directions (websockets R20-R27, threats T18.2)."""

from __future__ import annotations

import json
import math
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected
from tests.asgi import Record, Script, websocket_scope

CONNECT: Message = {"type": "websocket.connect"}
GONE: Message = {"type": "websocket.disconnect", "code": 1001, "reason": "away"}
NOT_ACCEPTED = 'WebSocket is not connected. Need to call "accept" first.'
BAD_MODE = 'The "mode" argument should be "text" or "binary".'

TYPED = ("receive_text", "receive_bytes", "receive_json")
ITERATORS = ("iter_text", "iter_bytes", "iter_json")


def text(value: str | None, **keys: Any) -> Message:
    return {"type": "websocket.receive", "text": value, **keys}


def data(value: bytes | None, **keys: Any) -> Message:
    return {"type": "websocket.receive", "bytes": value, **keys}


async def accepted(*messages: Message) -> tuple[WebSocket, Record]:
    sent = Record()
    websocket = WebSocket(websocket_scope(), Script(CONNECT, *messages), sent)
    await websocket.accept()
    sent.messages.clear()
    return websocket, sent


@pytest.mark.anyio
@pytest.mark.parametrize("method", TYPED)
async def test_typed_receive_needs_an_open_connection(method: str) -> None:  # websockets R20
    script = Script(CONNECT, text("1"))
    websocket = WebSocket(websocket_scope(), script, Record())
    await websocket.receive()
    for _ in range(2):  # before accept(), and after the own close()
        with pytest.raises(WebSocketDisconnected) as caught:
            await getattr(websocket, method)()
        assert str(caught.value) == NOT_ACCEPTED
        assert script.calls == 1
        if websocket.application_state.name == "CONNECTING":
            await websocket.close()


@pytest.mark.anyio
@pytest.mark.parametrize("method", TYPED)
@pytest.mark.parametrize(
    ("message", "code", "reason"),
    [
        pytest.param(GONE, 1001, "away", id="R21"),
        pytest.param({"type": "websocket.disconnect", "code": 1006}, 1006, "", id="R21-no-reason"),
        pytest.param({"type": "websocket.disconnect", "code": 1006, "reason": None}, 1006, "", id="R21-reason-none"),
        pytest.param({"type": "websocket.disconnect", "code": None}, None, "", id="R21-code-none"),
        pytest.param({"type": "websocket.disconnect"}, 1005, "", id="D3-no-code"),
    ],
)
async def test_a_disconnect_is_raised(method: str, message: Message, code: int | None, reason: str) -> None:  # T18.1
    websocket, _ = await accepted(message)
    with pytest.raises(WebSocketDisconnect) as caught:
        await getattr(websocket, method)()
    assert (caught.value.code, caught.value.reason) == (code, reason)
    with pytest.raises(WebSocketDisconnected, match="once a disconnect message has been received"):
        await getattr(websocket, method)()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "message", "expected"),
    [
        pytest.param("receive_text", text("hi"), "hi", id="R22-text"),
        pytest.param("receive_text", text("hi", bytes=None), "hi", id="R22-text-with-both-keys"),
        pytest.param("receive_text", text(""), "", id="R22-empty-text"),
        pytest.param("receive_bytes", data(b"hi"), b"hi", id="R22-bytes"),
        pytest.param("receive_bytes", data(b"hi", text=None), b"hi", id="R22-bytes-with-both-keys"),
        pytest.param("receive_bytes", data(b""), b"", id="R22-empty-bytes"),
        pytest.param("receive_json", text('{"a": [1, 2]}'), {"a": [1, 2]}, id="R23-text"),
        pytest.param("receive_json", text(" 1 "), 1, id="R23-blanks-around"),
        pytest.param("receive_json", text("null"), None, id="R23-null"),
    ],
)
async def test_payloads_are_returned(method: str, message: Message, expected: Any) -> None:
    websocket, _ = await accepted(message)
    assert await getattr(websocket, method)() == expected


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "message"),
    [
        pytest.param("receive_text", data(b"x"), id="T18.2-no-text-key"),
        pytest.param("receive_text", data(b"x", text=None), id="T18.2-text-none"),
        pytest.param("receive_bytes", text("x"), id="T18.2-no-bytes-key"),
        pytest.param("receive_bytes", text("x", bytes=None), id="T18.2-bytes-none"),
        pytest.param("receive_json", data(b"1"), id="T18.2-json-of-the-other-kind"),
        pytest.param("receive_json", text(None), id="T18.2-json-none"),
    ],
)
async def test_a_payload_of_the_other_kind_is_an_error(method: str, message: Message) -> None:  # websockets R22
    websocket, _ = await accepted(message, text("next", bytes=b"next"))
    with pytest.raises(KeyError, match=r'expected a WebSocket message with "(text|bytes)"') as caught:
        await getattr(websocket, method)()
    assert isinstance(caught.value, RuntimeError)
    assert caught.value.args == ("bytes" if method == "receive_bytes" else "text",)
    if method != "receive_json":
        assert await getattr(websocket, method)() in ("next", b"next")


@pytest.mark.anyio
async def test_binary_json_is_utf_8() -> None:  # websockets R23
    websocket, _ = await accepted(data('"é"'.encode()), data(b"\xff"))
    assert await websocket.receive_json(mode="binary") == "é"
    with pytest.raises(UnicodeDecodeError):
        await websocket.receive_json(mode="binary")


@pytest.mark.anyio
@pytest.mark.parametrize("document", ["", "{", "1 2", "{'a': 1}", "\ufeff1"])
async def test_json_errors_leave_the_connection_open(document: str) -> None:  # websockets R23
    websocket, _ = await accepted(text(document), text("1"))
    with pytest.raises(json.JSONDecodeError):
        await websocket.receive_json()
    assert await websocket.receive_json() == 1


@pytest.mark.anyio
async def test_the_mode_is_checked_first() -> None:  # websockets R23, R27
    websocket = WebSocket(websocket_scope(), Script(), Record())
    for call in (websocket.receive_json("xml"), websocket.send_json(object(), mode="xml")):
        with pytest.raises(RuntimeError) as caught:
            await call
        assert str(caught.value) == BAD_MODE


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "message", "item"),
    [
        ("iter_text", text("a"), "a"),
        ("iter_bytes", data(b"a"), b"a"),
        ("iter_json", text('"a"'), "a"),
    ],
)
async def test_iterators_end_with_the_connection(
    method: str, message: Message, item: Any
) -> None:  # websockets R24, R25
    websocket, _ = await accepted(message, message, GONE)
    assert [value async for value in getattr(websocket, method)()] == [item, item]
    with pytest.raises(WebSocketDisconnected):
        [value async for value in getattr(websocket, method)()]


@pytest.mark.anyio
@pytest.mark.parametrize("method", ITERATORS)
async def test_iterators_pass_other_errors(method: str) -> None:  # websockets R25
    websocket = WebSocket(websocket_scope(), Script(CONNECT), Record())
    with pytest.raises(WebSocketDisconnected, match="Need to call"):
        [value async for value in getattr(websocket, method)()]
    websocket, _ = await accepted({"type": "websocket.receive"})
    with pytest.raises(KeyError):
        [value async for value in getattr(websocket, method)()]


@pytest.mark.anyio
async def test_json_can_be_iterated_from_binary_frames() -> None:  # websockets D7
    websocket, _ = await accepted(data(b"1"), data(b"[2]"), GONE)
    assert [value async for value in websocket.iter_json(mode="binary")] == [1, [2]]


class Custom(WebSocket):
    async def receive_text(self) -> str:
        return (await super().receive_text()).upper()


@pytest.mark.anyio
async def test_iterators_use_the_typed_methods() -> None:  # websockets R24
    websocket = Custom(websocket_scope(), Script(CONNECT, text("a"), GONE), Record())
    await websocket.accept()
    assert [value async for value in websocket.iter_text()] == ["A"]


@pytest.mark.anyio
async def test_typed_send_has_one_payload_key() -> None:  # websockets R26
    websocket, sent = await accepted()
    await websocket.send_text("a")
    await websocket.send_bytes(b"b")
    assert sent.messages == [{"type": "websocket.send", "text": "a"}, {"type": "websocket.send", "bytes": b"b"}]


@pytest.mark.anyio
async def test_json_is_sent_compact() -> None:  # websockets R27
    websocket, sent = await accepted()
    value = {"a": [1, 2], "b": "é"}
    await websocket.send_json(value)
    await websocket.send_json(value, mode="binary")
    await websocket.send_json(math.nan)
    assert sent.messages == [
        {"type": "websocket.send", "text": '{"a":[1,2],"b":"é"}'},
        {"type": "websocket.send", "bytes": '{"a":[1,2],"b":"é"}'.encode()},
        {"type": "websocket.send", "text": "NaN"},
    ]
    with pytest.raises(TypeError):
        await websocket.send_json(object())


@settings(max_examples=60, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")), st.lists))
def test_json_comes_back(value: Any) -> None:  # websockets R23, R27
    async def both_ways() -> Any:
        websocket, sent = await accepted()
        await websocket.send_json(value, mode="binary")
        other, _ = await accepted({**sent.messages[0], "type": "websocket.receive"})
        return await other.receive_json(mode="binary")

    assert anyio.run(both_ways) == value
