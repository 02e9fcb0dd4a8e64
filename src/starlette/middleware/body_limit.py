"""A limit on the size of request bodies, by the declared length and by counting what arrives (RFC 9110 §15.5.14)."""

from __future__ import annotations

from typing import Final

from starlette._asgi.signals import ResponseSent, is_only
from starlette._http.fields import first_value
from starlette.datastructures import Headers as Headers
from starlette.exceptions import HTTPException as HTTPException
from starlette.responses import PlainTextResponse as PlainTextResponse
from starlette.types import ASGIApp as ASGIApp
from starlette.types import Message as Message
from starlette.types import Receive as Receive
from starlette.types import Scope as Scope
from starlette.types import Send as Send

# The limit in force, for whoever wants to know it: bytes.
MAX_BODY_SIZE_SCOPE_KEY = "starlette.max_body_size"

_RESPONDER_KEY: Final = "starlette._body_limit_responder"

_REFUSAL: Final = "Content Too Large"
_MISSING: Final = object()


class _RequestBodyTooLarge(HTTPException):
    """More of the body has come, or was announced, than the limit allows."""

    def __init__(self) -> None:
        super().__init__(413, _REFUSAL)
        self.args = ()


class _RequestBodyLimitResponseSent(ResponseSent):
    """The response that the application began was replaced by the 413."""


# What is ours to deal with, also when a task group of the application has wrapped it.
_OWN: Final = (_RequestBodyTooLarge, _RequestBodyLimitResponseSent)


class RequestBodyLimitMiddleware:
    """Answer `413 Content Too Large` when a request body is larger than `max_body_size`.

        upload = Route("/upload", save, methods=["POST"], max_body_size=10_000_000)
        app = Starlette(routes=[upload], max_body_size=65_536)

    The parameters of `Starlette`, `Router`, `Mount` and `Route` install it. A limit further in replaces the one around
    it, in either direction. A `Content-Length` above the limit is refused whatever the application does; without one
    the bytes are counted, and `receive()` raises an `HTTPException` with status 413 at the first byte too many. A body
    that nobody reads is not counted.

    Args:
        app: The application around which to stand.
        max_body_size: Bytes, as they come over the wire: multipart framing counts, too. 0 allows empty bodies only.
    """

    def __init__(self, app: ASGIApp, max_body_size: int) -> None:
        self.app = app
        self.max_body_size = max_body_size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        outer: RequestBodyLimitResponder | None = scope.get(_RESPONDER_KEY)
        if outer is None:
            await RequestBodyLimitResponder(self.app, self.max_body_size)(scope, receive, send)
            return
        outer.max_body_size = scope[MAX_BODY_SIZE_SCOPE_KEY] = self.max_body_size
        if outer.total_size > self.max_body_size:
            raise _RequestBodyTooLarge
        await self.app(scope, receive, send)


class RequestBodyLimitResponder:
    """The limit of one request: made by the outermost middleware, and adjusted by those further in.

    Attributes:
        max_body_size: The limit in force now, in bytes.
        content_length: The declared length, None without a usable one.
        total_size: The bytes received so far.
        response_started: True once the application's response has begun.
    """

    # PERF: an instance gets its own only when they change; most requests have no body.
    content_length: int | None = None
    total_size: int = 0
    response_started: bool = False
    _replaced: bool = False

    def __init__(self, app: ASGIApp, max_body_size: int) -> None:
        self.app = app
        self.max_body_size = max_body_size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        declared = first_value(scope["headers"], b"content-length")
        if declared is not None:
            self.content_length = _length(declared)
        before = scope.get(MAX_BODY_SIZE_SCOPE_KEY, _MISSING)
        scope[MAX_BODY_SIZE_SCOPE_KEY] = self.max_body_size
        scope[_RESPONDER_KEY] = self
        try:
            await self.app(scope, self.receive_with_limit, self.send_with_limit)
        except Exception as exc:
            if not is_only(exc, _OWN) or (self.response_started and not self._replaced):
                raise
            if not self._replaced:
                await self._refuse()
        finally:
            scope.pop(_RESPONDER_KEY, None)
            if before is _MISSING:
                scope.pop(MAX_BODY_SIZE_SCOPE_KEY, None)
            else:
                scope[MAX_BODY_SIZE_SCOPE_KEY] = before

    @property
    def scope(self) -> Scope:
        """The scope of the request."""
        return self._scope

    @property
    def receive(self) -> Receive:
        """The server's `receive`, which knows no limit."""
        return self._receive

    @property
    def send(self) -> Send:
        """The server's `send`."""
        return self._send

    async def receive_with_limit(self) -> Message:
        """Return the next message of the server.

        Raises:
            HTTPException: The body is larger than the limit; of a declared excess nothing is read.
        """
        if self.content_length is not None and self.content_length > self.max_body_size:
            raise _RequestBodyTooLarge
        message = await self._receive()
        if message["type"] != "http.request":
            return message
        # The limit may have changed while this waited.
        self.total_size += len(message.get("body", b""))
        if self.total_size <= self.max_body_size:
            return message
        raise _RequestBodyTooLarge

    async def send_with_limit(self, message: Message) -> None:
        """Pass on a message, or send the 413 in place of a response to a declared excess and end the application."""
        if not self.response_started and message["type"] == "http.response.start":
            self.response_started = True
            if self.content_length is not None and self.content_length > self.max_body_size:
                self._replaced = True
                await self._refuse()
        if self._replaced:
            raise _RequestBodyLimitResponseSent
        await self._send(message)

    async def _refuse(self) -> None:
        response = PlainTextResponse(_REFUSAL, status_code=413)
        await response(self._scope, self._receive, self._send)


def _length(field: bytes) -> int | None:
    """Return the bytes that a `Content-Length` declares; None unless it is ASCII digits alone (RFC 9110 §8.6)."""
    if not field.isdigit():
        return None
    # More digits than any real size has say "too large" as well, and could be too many for Python to convert.
    return int(field.lstrip(b"0")[:20] or b"0")
