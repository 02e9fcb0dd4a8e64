"""What a WebSocket test session does, without the HTTP library."""

from __future__ import annotations

import abc
import contextlib
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Literal, Self, cast

import anyio
from anyio.from_thread import BlockingPortal

from starlette._testing.channel import ApplicationEnded, Channel
from starlette._testing.exchange import raisable
from starlette._testing.loops import loop_of
from starlette.types import ASGIApp, Message, Scope
from starlette.websockets import WebSocketDisconnect


class Session(abc.ABC):
    """The base of `starlette.testclient.WebSocketTestSession`, which documents it."""

    __test__ = False

    portal: BlockingPortal

    def __init__(
        self,
        app: ASGIApp,
        scope: Scope,
        portal_factory: Callable[[], AbstractContextManager[BlockingPortal]],
        *,
        receive_timeout: float | None = None,
    ) -> None:
        self.app = app
        self.scope = scope
        self.portal_factory = portal_factory
        self.receive_timeout = receive_timeout
        self.accepted_subprotocol: str | None = None
        self.extra_headers: list[tuple[bytes, bytes]] | None = None

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self.portal = stack.enter_context(self.portal_factory())
            self._channel = Channel(self.app, self.scope, loop_of(self.portal))
            self._channel.start()
            stack.callback(self._stop)
            self._channel.put({"type": "websocket.connect"})
            self._shake_hands()
            self._exit_stack = stack.pop_all()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return self._exit_stack.__exit__(exc_type, exc_value, traceback)

    def send(self, message: Message) -> None:
        """Send the application a message as it is, `websocket.receive` or `websocket.disconnect`."""
        if self._channel.error is not None:
            # COMPAT: so it is known in the block that the application failed; the reason is raised on leaving.
            raise anyio.ClosedResourceError
        self._channel.put(message)

    def send_text(self, data: str) -> None:
        """Send a text frame."""
        self.send({"type": "websocket.receive", "text": data})

    def send_bytes(self, data: bytes) -> None:
        """Send a binary frame."""
        self.send({"type": "websocket.receive", "bytes": data})

    def send_json(self, data: Any, mode: Literal["text", "binary"] = "text") -> None:
        """Send a value as compact JSON, in a text frame or as UTF-8 in a binary one."""
        text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
        if mode == "text":
            self.send_text(text)
        else:
            self.send_bytes(text.encode())

    def close(self, code: int = 1000, reason: str | None = None) -> None:
        """Tell the application that the peer has gone (RFC 6455 §7.4)."""
        self.send({"type": "websocket.disconnect", "code": code, "reason": reason})

    def receive(self, *, timeout: float | None = None) -> Message:
        """Wait for the next message of the application, of any type, and return it.

        Args:
            timeout: Seconds to wait at most; None stands for the session's `receive_timeout`.

        Raises:
            TimeoutError: The application sent nothing in that time.
            WebSocketDisconnect: The application returned; nothing will come. The code is 1006 (RFC 6455 §7.1.5).
            anyio.ClosedResourceError: The application failed.
        """
        try:
            return self._channel.get(self.receive_timeout if timeout is None else timeout)
        except ApplicationEnded:
            if self._channel.error is not None:
                raise anyio.ClosedResourceError from None
            raise WebSocketDisconnect(1006, "the application returned without closing the connection") from None

    def receive_text(self, *, timeout: float | None = None) -> str:
        """Wait for a text frame; see `receive`. WebSocketDisconnect when the application closes."""
        return cast(str, self._receive_frame(timeout)["text"])

    def receive_bytes(self, *, timeout: float | None = None) -> bytes:
        """Wait for a binary frame; see `receive`. WebSocketDisconnect when the application closes."""
        return cast(bytes, self._receive_frame(timeout)["bytes"])

    def receive_json(self, mode: Literal["text", "binary"] = "text", *, timeout: float | None = None) -> Any:
        """Wait for a frame and parse its JSON; see `receive`. WebSocketDisconnect when the application closes."""
        return json.loads(self._receive_frame(timeout)["text" if mode == "text" else "bytes"])

    def _receive_frame(self, timeout: float | None) -> Message:
        message = self.receive(timeout=timeout)
        self._raise_on_close(message)
        return message

    def _shake_hands(self) -> None:
        # Where the application failed, `_stop` replaces the error by what it raised.
        try:
            answer = self.receive()
        except WebSocketDisconnect:
            raise AssertionError("The application returned without answering the WebSocket handshake.") from None
        self._raise_on_close(answer)
        self.accepted_subprotocol = answer.get("subprotocol")
        self.extra_headers = answer.get("headers")
        if self._channel.error is not None:
            raise anyio.ClosedResourceError

    def _raise_on_close(self, message: Message) -> None:
        if message["type"] == "websocket.close":
            raise WebSocketDisconnect(code=message.get("code", 1000), reason=message.get("reason", ""))
        if message["type"] == "websocket.http.response.start":
            headers = [(bytes(name), bytes(value)) for name, value in message.get("headers", ())]
            raise self._denial(message["status"], headers, b"".join(self._denial_body()))

    @abc.abstractmethod
    def _denial(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> Exception:
        """Return the exception that stands for an HTTP response to the handshake."""
        ...

    def _denial_body(self) -> Iterator[bytes]:
        more = True
        while more:
            message = self.receive()
            yield bytes(message.get("body", b""))
            more = message.get("more_body", False)

    def _stop(self) -> None:
        self._channel.put({"type": "websocket.disconnect", "code": 1000, "reason": None})
        self._channel.cancel()
        self._channel.wait_ended()
        error = raisable(self._channel.error)
        if error is not None:
            raise error
