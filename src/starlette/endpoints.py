"""Endpoints written as classes: a method for each HTTP verb, or for each event of a WebSocket."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from typing import Any, ClassVar, Final

from starlette import status as status
from starlette._http.json_text import load_text
from starlette._utils import is_async_callable as is_async_callable
from starlette.concurrency import run_in_threadpool as run_in_threadpool
from starlette.exceptions import HTTPException as HTTPException
from starlette.requests import Request as Request
from starlette.responses import PlainTextResponse as PlainTextResponse
from starlette.responses import Response as Response
from starlette.types import Message as Message
from starlette.types import Receive as Receive
from starlette.types import Scope as Scope
from starlette.types import Send as Send
from starlette.websockets import WebSocket as WebSocket
from starlette.websockets import WebSocketState

# The only verbs that reach a method, and the methods they reach.
# SECURITY: a table, not `getattr(self, verb.lower())`: the client must not name attributes (threats T17).
_METHODS: Final[dict[str, str]] = {
    verb: verb.lower() for verb in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")
}


class _Endpoint:
    """What both kinds have in common: made for one connection, and awaited to handle it."""

    _asterism_scope_type: ClassVar[str]

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != self._asterism_scope_type:
            raise AssertionError
        self.scope, self.receive, self.send = scope, receive, send

    def __await__(self) -> Generator[Any, None, None]:
        return self.dispatch().__await__()

    async def dispatch(self) -> None:
        """Handle the connection."""


class HTTPEndpoint(_Endpoint):
    """Answers each HTTP verb with the method of its name, in lower case.

        class Greeting(HTTPEndpoint):
            async def get(self, request: Request) -> Response:
                return PlainTextResponse("hello")

        routes = [Route("/greeting", Greeting)]

    The class is registered, not an instance; there is one instance for each request. Methods may be sync (run in a
    worker thread) or async. HEAD falls back to `get`; `delete = None` switches off an inherited method; other verbs are
    405 with `Allow`.

    Raises:
        AssertionError: The scope is not one of an HTTP request.
    """

    _asterism_scope_type = "http"

    @functools.cached_property
    def _allowed_methods(self) -> list[str]:
        return [verb for verb in _METHODS if self._asterism_method(verb) is not None]

    def _asterism_method(self, verb: str) -> Callable[[Request], Any] | None:
        """Return the method that answers `verb`, None for a verb that is unknown or switched off."""
        name = _METHODS.get(verb)
        if name is None:
            return None
        method: Callable[[Request], Any] | None = getattr(self, name, None)
        if method is None and verb == "HEAD":
            method = getattr(self, "get", None)
        return method

    async def dispatch(self) -> None:
        """Answer the request: call the method of its verb and send what that returns."""
        connection = self.scope, self.receive, self.send
        request = Request(*connection)
        method = self._asterism_method(request.method) or self.method_not_allowed
        answering = method(request) if is_async_callable(method) else run_in_threadpool(method, request)
        await (await answering)(*connection)

    async def method_not_allowed(self, request: Request) -> Response:
        """Answer a verb without a method: with 405 and `Allow` (RFC 9110 §15.5.6).

        Raises:
            HTTPException: Inside of an application, so that its handlers may answer.
        """
        allow = {"Allow": ", ".join(self._allowed_methods)}
        if "app" not in self.scope:
            return PlainTextResponse("Method Not Allowed", 405, allow)
        raise HTTPException(405, headers=allow)


class WebSocketEndpoint(_Endpoint):
    """Handles a WebSocket by events: connected, received, disconnected.

        class Echo(WebSocketEndpoint):
            encoding = "text"

            async def on_receive(self, websocket: WebSocket, data: str) -> None:
                await websocket.send_text(data)

        routes = [WebSocketRoute("/echo", Echo)]

    The class is registered, not an instance; there is one instance for each connection.

    Attributes:
        encoding: What `on_receive` gets: `"text"`, `"bytes"`, `"json"` (of either kind of frame), or None for whatever
            comes. A frame that does not fit closes the connection with 1003.

    Raises:
        AssertionError: The scope is not one of a WebSocket.
    """

    _asterism_scope_type = "websocket"

    encoding: str | None = None

    async def dispatch(self) -> None:
        """Run the connection: `on_connect`, `on_receive` for each message, and `on_disconnect` however it ends."""
        websocket = WebSocket(self.scope, self.receive, self.send)
        await self.on_connect(websocket)
        # PERF: an await less for each message. Asked once a connection: has anybody replaced `decode`?
        is_plain = getattr(self.decode, "__func__", None) is _PLAIN_DECODE
        decoders = _DECODERS if is_plain else {}
        close_code = status.WS_1000_NORMAL_CLOSURE
        try:
            if websocket.client_state is WebSocketState.CONNECTING:  # `on_connect` did not accept: nobody has read it
                await websocket.receive()
            while (message := await websocket.receive())["type"] != "websocket.disconnect":
                decoder = decoders.get(self.encoding)
                try:
                    data = await self.decode(websocket, message) if decoder is None else decoder(message)
                except _Unsupported:
                    data = await self.decode(websocket, message)  # which closes and explains
                await self.on_receive(websocket, data)
            close_code = int(message.get("code") or close_code)
        except Exception:
            close_code = status.WS_1011_INTERNAL_ERROR
            raise
        finally:
            await self.on_disconnect(websocket, close_code)

    async def decode(self, websocket: WebSocket, message: Message) -> Any:
        """Return what `on_receive` gets for a message.

        Raises:
            RuntimeError: The payload is not what `encoding` says; the connection was closed with 1003.
            AssertionError: There is no such `encoding`.
        """
        decoder = _DECODERS.get(self.encoding)
        if decoder is None:
            raise AssertionError(f"Unsupported 'encoding' attribute {self.encoding}")
        try:
            return decoder(message)
        except _Unsupported as refusal:
            await websocket.close(code=status.WS_1003_UNSUPPORTED_DATA)
            raise RuntimeError(str(refusal)) from refusal.__cause__

    async def on_connect(self, websocket: WebSocket) -> None:
        """Accept the connection. Override it to choose a subprotocol or to refuse."""
        await websocket.accept()

    async def on_receive(self, websocket: WebSocket, data: Any) -> None:
        """Handle a message; `data` is what `decode` returned."""

    async def on_disconnect(self, websocket: WebSocket, close_code: int) -> None:
        """Clean up. `close_code` is the client's (1000 when it gave none), or 1011 after an exception."""


_PLAIN_DECODE: Final = WebSocketEndpoint.decode


class _Unsupported(Exception):
    """A payload that `encoding` does not allow; its text is for the application."""


def _text(message: Message) -> str:
    text: str | None = message.get("text")
    if text is None:
        raise _Unsupported("Expected text websocket messages, but got bytes")
    return text


def _bytes(message: Message) -> bytes:
    data: bytes | None = message.get("bytes")
    if data is None:
        raise _Unsupported("Expected bytes websocket messages, but got text")
    return data


def _either(message: Message) -> str | bytes:
    payload: str | bytes | None = message.get("text")
    if payload is None:
        payload = message.get("bytes")
    if payload is None:
        raise _Unsupported("Expected a websocket message with text or bytes")
    return payload


def _json(message: Message) -> Any:
    payload = _either(message)
    # ValueError: a syntax error, invalid UTF-8 or too many digits. RecursionError: too deep.
    try:
        return load_text(payload if isinstance(payload, str) else payload.decode("utf-8"))
    except (ValueError, RecursionError) as exc:
        raise _Unsupported("Malformed JSON data received.") from exc


# What each `encoding` makes of a message.
_DECODERS: Final[dict[str | None, Callable[[Message], Any]]] = {
    "text": _text,
    "bytes": _bytes,
    "json": _json,
    None: _either,
}
