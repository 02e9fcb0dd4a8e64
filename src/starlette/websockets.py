"""WebSocket connections as an application sees them: accept, receive, send, close, or deny with a response.

What is legal when stands as tables in `starlette._asgi.transitions`; framing (RFC 6455) is the server's.
"""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Iterable
from typing import Any, Final, Generic

from starlette._asgi import transitions
from starlette._http.json_text import dump_compact, load_text
from starlette.requests import HTTPConnection as HTTPConnection
from starlette.requests import StateT as StateT
from starlette.responses import Response as Response
from starlette.types import Message as Message
from starlette.types import Receive as Receive
from starlette.types import Scope as Scope
from starlette.types import Send as Send


class WebSocketState(enum.Enum):
    """Where one side of a connection stands. The client is never in `RESPONSE`."""

    CONNECTING = transitions.CONNECTING
    CONNECTED = transitions.CONNECTED
    DISCONNECTED = transitions.DISCONNECTED
    RESPONSE = transitions.RESPONSE


class WebSocketDisconnect(Exception):
    """The client has gone.

    Args:
        code: The close code (RFC 6455 §7.4): 1006 when the connection was lost without a close frame.
        reason: The text of the close frame; None means empty.
    """

    def __init__(self, code: int = 1000, reason: str | None = None) -> None:
        # COMPAT: `args` stay what the caller passed by position, so `super().__init__` is not called.
        self.code = code
        self.reason = reason or ""


class WebSocketDisconnected(RuntimeError):
    """The connection is used where it is not open: not accepted yet, or already over."""


# PERF: members as globals; an attribute of an Enum class costs more than the comparison it is needed for.
_CONNECTING: Final = WebSocketState.CONNECTING
_CONNECTED: Final = WebSocketState.CONNECTED
_DISCONNECTED: Final = WebSocketState.DISCONNECTED

# By the value of a state, which is its place among the members.
_STATES: Final = tuple(WebSocketState)
_RECEIVABLE: Final = tuple(transitions.RECEIVABLE[state.value] for state in WebSocketState)
_SENDABLE: Final = tuple(transitions.SENDABLE[state.value] for state in WebSocketState)

_NOT_ACCEPTED: Final = 'WebSocket is not connected. Need to call "accept" first.'


class WebSocket(HTTPConnection[StateT], Generic[StateT]):
    """One WebSocket connection (ASGI WebSocket).

    Besides what it shares with `Request` (`headers`, `url`, `path_params`, `session`, ...) it has the two directions:

        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(text.upper())

    Attributes:
        client_state: What the messages of the server led to; moved by `receive()`.
        application_state: What the own messages led to; moved by `send()`. Both may be assigned.

    Raises:
        AssertionError: The scope is not one of a WebSocket.
    """

    client_state: WebSocketState
    application_state: WebSocketState

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # PERF: one frame; the check of the base class would be a second one.
        if scope["type"] != "websocket":
            raise AssertionError
        self.scope = scope
        self._receive = receive
        self._send = send
        self.client_state = _CONNECTING
        self.application_state = _CONNECTING

    async def receive(self) -> Message:
        """Return the next message of the server as it came.

        Raises:
            RuntimeError: The server sent something that cannot come now; the message is lost.
            WebSocketDisconnected: The disconnect was already received.
        """
        if self.client_state is _CONNECTED:
            message = await self._receive()
            if message["type"] == "websocket.receive":
                return message  # PERF: nearly every message; it moves nothing
            row = transitions.OPEN_CLIENT
        else:
            other = _RECEIVABLE[self.client_state._value_]
            if other is None:
                raise WebSocketDisconnected('Cannot call "receive" once a disconnect message has been received.')
            message = await self._receive()
            row = other
        self.client_state = _STATES[transitions.step(row, message)]
        return message

    async def send(self, message: Message) -> None:
        """Send a raw message (ASGI WebSocket, "Send events").

        A close reason is cut to the 123 bytes of UTF-8 that fit in a close frame.

        Raises:
            RuntimeError: The message cannot be sent now; nothing was sent.
            ValueError: CR, LF or NUL in a header or the subprotocol of a handshake; nothing was sent.
            WebSocketDisconnected: The connection was closed or denied before.
            WebSocketDisconnect: The open connection is lost (code 1006).
        """
        if self.application_state is not _CONNECTED:
            # COMPAT: an OSError passes as itself here; callers that catch it around `accept()` expect that.
            await self._send(self._stepped(message))
            return
        if message["type"] != "websocket.send":
            message = self._stepped(message)
        try:
            await self._send(message)
        except OSError:
            self.application_state = _DISCONNECTED
            raise WebSocketDisconnect(code=1006)

    def _stepped(self, message: Message) -> Message:
        """Move to the state that `message` leads to, and return what to send for it."""
        row = _SENDABLE[self.application_state._value_]
        if row is None:
            raise WebSocketDisconnected('Cannot call "send" once a close message has been sent.')
        state = transitions.step(row, message)
        message = transitions.fit_to_send(message)
        self.application_state = _STATES[state]
        return message

    async def accept(
        self,
        subprotocol: str | None = None,
        headers: Iterable[tuple[bytes, bytes]] | None = None,
    ) -> None:
        """Open the connection; the connect message is received first if that has not been done.

        Args:
            subprotocol: One of `scope["subprotocols"]`, or None.
            headers: Fields to add to the handshake response: `[(b"set-cookie", b"a=b")]`.

        Raises:
            ValueError: CR, LF or NUL in one of them.
        """
        if self.client_state is _CONNECTING:
            await self.receive()
        await self.send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": headers or []})

    async def receive_text(self) -> str:
        """Return the next text frame.

        Raises:
            WebSocketDisconnect: The client has gone.
            WebSocketDisconnected: Not accepted, or already closed by the application.
            KeyError: The frame is not a text frame.
        """
        if self.application_state is not _CONNECTED:
            raise WebSocketDisconnected(_NOT_ACCEPTED)
        message = await self.receive()
        text: str | None = message.get("text")
        if text is None:
            raise _without(message, "text")
        return text

    async def receive_bytes(self) -> bytes:
        """Return the next binary frame; errors as of `receive_text`."""
        if self.application_state is not _CONNECTED:
            raise WebSocketDisconnected(_NOT_ACCEPTED)
        message = await self.receive()
        data: bytes | None = message.get("bytes")
        if data is None:
            raise _without(message, "bytes")
        return data

    async def receive_json(self, mode: str = "text") -> Any:
        """Return the value of the next frame, which is a JSON document; the connection stays open if it is not.

        Args:
            mode: The kind of frame: `"text"`, or `"binary"` for UTF-8 in bytes.

        Raises:
            RuntimeError: Another `mode`.
            json.JSONDecodeError: The frame is not JSON (`UnicodeDecodeError`: not UTF-8). Others as of `receive_text`.
        """
        key = _payload_key(mode)
        if self.application_state is not _CONNECTED:
            raise WebSocketDisconnected(_NOT_ACCEPTED)
        message = await self.receive()
        document: Any = message.get(key)
        if document is None:
            raise _without(message, key)
        return load_text(document if key == "text" else document.decode("utf-8"))

    async def iter_text(self) -> AsyncIterator[str]:
        """Yield text frames until the client has gone."""
        while True:
            try:
                data = await self.receive_text()
            except WebSocketDisconnect:
                return
            yield data

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        """Yield binary frames until the client has gone."""
        while True:
            try:
                data = await self.receive_bytes()
            except WebSocketDisconnect:
                return
            yield data

    async def iter_json(self, mode: str = "text") -> AsyncIterator[Any]:
        """Yield the values of JSON frames until the client has gone; `mode` as of `receive_json`."""
        while True:
            try:
                data = await self.receive_json(mode)
            except WebSocketDisconnect:
                return
            yield data

    async def send_text(self, data: str) -> None:
        """Send a text frame; errors as of `send`."""
        await self.send({"type": "websocket.send", "text": data})

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary frame; errors as of `send`."""
        await self.send({"type": "websocket.send", "bytes": data})

    async def send_json(self, data: Any, mode: str = "text") -> None:
        """Send a value as compact JSON.

        Args:
            data: Anything `json` can write; NaN and the infinities included.
            mode: The kind of frame: `"text"`, or `"binary"` for UTF-8 in bytes.

        Raises:
            RuntimeError: Another `mode`. Others as of `send`.
            TypeError: JSON cannot hold `data`.
        """
        key = _payload_key(mode)
        text = dump_compact(data)
        await self.send({"type": "websocket.send", key: text if key == "text" else text.encode("utf-8")})

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        """Close the connection; before `accept()` this refuses it, and servers answer 403.

        Args:
            code: The close code (RFC 6455 §7.4).
            reason: Text for the close frame, cut to 123 bytes of UTF-8.
        """
        await self.send({"type": "websocket.close", "code": code, "reason": reason or ""})

    async def send_denial_response(self, response: Response) -> None:
        """Refuse the connection with an HTTP response instead of the server's 403.

        Raises:
            RuntimeError: The server lacks the extension (ASGI "WebSocket Denial Response"), or it is too late.
        """
        if "websocket.http.response" not in (self.scope.get("extensions") or ()):
            raise RuntimeError("The server doesn't support the Websocket Denial Response extension.")
        await response(self.scope, self.receive, self.send)


class WebSocketClose:
    """An ASGI application that closes the connection without reading from it.

    Args:
        code: The close code (RFC 6455 §7.4).
        reason: Text for the close frame, cut to 123 bytes of UTF-8; None means empty.
    """

    def __init__(self, code: int = 1000, reason: str | None = None) -> None:
        self.code = code
        self.reason = reason or ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reason = transitions.clip_reason(self.reason)
        await send({"type": "websocket.close", "code": self.code, "reason": reason})


def _payload_key(mode: str) -> str:
    """Return the key of a message that holds what is sent in this mode."""
    if mode == "text":
        return "text"
    if mode == "binary":
        return "bytes"
    raise RuntimeError('The "mode" argument should be "text" or "binary".')


def _without(message: Message, key: str) -> Exception:
    """Return the error for a message that does not have the payload asked for."""
    if message["type"] == "websocket.disconnect":
        # 1005 is what ASGI gives a disconnect that names no code.
        return WebSocketDisconnect(message.get("code", 1005), message.get("reason"))
    return _PayloadMissing(key)


class _PayloadMissing(KeyError, RuntimeError):
    """A frame of the other kind came, or one without any payload."""

    # COMPAT: a KeyError of the missing key, for callers that catch it; its text says more than the key.
    def __str__(self) -> str:
        return f'expected a WebSocket message with "{self.args[0]}"; the peer sent none'
