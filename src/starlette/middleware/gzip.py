"""Responses compressed with gzip, for clients that take it (RFC 9110 §8.4.1.3, RFC 1952)."""

from __future__ import annotations

import zlib
from typing import Any, ClassVar, Final, NoReturn

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

from starlette._http.codings import MediaTypes, Untouched, accepts_gzip, coded_fields, why_untouched
from starlette._http.vary import add_vary
from starlette.datastructures import Headers as Headers
from starlette.datastructures import MutableHeaders as MutableHeaders
from starlette.types import ASGIApp as ASGIApp
from starlette.types import Message as Message
from starlette.types import Receive as Receive
from starlette.types import Scope as Scope
from starlette.types import Send as Send

# Compressed already, or to be seen by the client piece by piece as it is. SVG is text and therefore not listed.
DEFAULT_EXCLUDED_CONTENT_TYPES: tuple[str, ...] = (
    "application/grpc",
    "application/gzip",
    "application/x-gzip",
    "application/zip",
    "audio/*",
    "font/woff",
    "font/woff2",
    "image/avif",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
    "text/event-stream",
    "video/*",
)

# zlib's name for its largest window in the container of RFC 1952, whose time stamp it leaves at 0.
_GZIP_WINDOW: Final = 31

# zlib's levels; -1 stands for its own choice, 6.
_LEVELS: Final = range(-1, 10)

# Sent in place of, or after, the body: a start that was held back must come before them, as it is.
_AFTER_START: Final = frozenset({"http.response.pathsend", "http.response.zerocopysend", "http.response.trailers"})

_IDENTITY: Final = "identity"

# Compression uses a processor for as long as it takes: it must not keep `run_in_threadpool` from getting its threads.
_THREADS: Final = 40
_limiter: Final[RunVar[anyio.CapacityLimiter]] = RunVar("starlette.middleware.gzip.limiter")

# Where a response is between its first message and its last.
_NOTHING, _HELD, _PASSING, _CODING = range(4)


class GZipMiddleware:
    """Compress responses for clients whose `Accept-Encoding` names gzip.

        app = Starlette(routes=routes, middleware=[Middleware(GZipMiddleware, minimum_size=1000)])

    It belongs outside of whatever looks at, or sets, bodies and their length. Streamed responses are compressed piece
    by piece: what the application has sent can be read by the client at once. All responses that would be compressed
    for another client say `Vary: Accept-Encoding`. A strong `ETag` becomes weak.

    Left alone are responses that have a `Content-Encoding`, are partial (206), have no content (1xx, 204, 304), say
    `Cache-Control: no-transform` or are of an excluded type, files that the server sends itself (`pathsend`), and
    everything that is not HTTP. A secret and text that a client chooses must not be compressed together where others
    can watch the length (the BREACH attack): exclude such responses by `no-transform`.

    Args:
        app: The application around which to stand.
        minimum_size: Bytes; a body that comes in one piece and is shorter stays as it is.
        compresslevel: 0 (none) to 9 (smallest and slowest), as in zlib.
        thread_minimum_size: Bytes; pieces of a body this long are compressed in a worker thread, since the others
            would wait: 128 KiB take about 4 ms.
        exclude_content_types: `image/png`, or `image/*` for all of them. An empty tuple excludes nothing.

    Raises:
        ValueError: zlib does not know this `compresslevel`.
        TypeError: `exclude_content_types` is a string.
    """

    def __init__(
        self,
        app: ASGIApp,
        minimum_size: int = 500,
        compresslevel: int = 9,
        thread_minimum_size: int = 131072,
        *,
        exclude_content_types: tuple[str, ...] = DEFAULT_EXCLUDED_CONTENT_TYPES,
    ) -> None:
        if compresslevel not in _LEVELS:
            raise ValueError(f"compresslevel must be a whole number from 0 to 9, got {compresslevel!r}")
        self.app = app
        self.minimum_size = minimum_size
        self.compresslevel = compresslevel
        self.thread_minimum_size = thread_minimum_size
        self.exclude_content_types: tuple[str, ...] = MediaTypes(exclude_content_types)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        responder: IdentityResponder
        if accepts_gzip(scope["headers"]):
            responder = GZipResponder(
                self.app,
                self.minimum_size,
                self.compresslevel,
                thread_minimum_size=self.thread_minimum_size,
                exclude_content_types=self.exclude_content_types,
            )
        else:
            responder = IdentityResponder(self.app, self.minimum_size, exclude_content_types=self.exclude_content_types)
        await responder(scope, receive, send)


class IdentityResponder:
    """Serve one request without compression, and say in `Vary` where a client with another `Accept-Encoding` gets it.

    The base of other codings: a subclass sets `content_encoding`, such as `"br"`, and overrides `apply_compression`.

    Args:
        app: The application to serve the request.
        minimum_size: Bytes; a body that comes in one piece and is shorter stays as it is.
        exclude_content_types: As of `GZipMiddleware`.
    """

    # The coding of what `apply_compression` returns; "identity" if it returns the body.
    content_encoding: ClassVar[str] = _IDENTITY

    # PERF: an instance gets its own only when they change.
    started: bool = False
    content_encoding_set: bool = False
    content_type_is_excluded: bool = False
    partial_response: bool = False
    _asterism_stage: int = _NOTHING

    def __init__(
        self,
        app: ASGIApp,
        minimum_size: int,
        *,
        exclude_content_types: tuple[str, ...] = DEFAULT_EXCLUDED_CONTENT_TYPES,
    ) -> None:
        self.app = app
        self.minimum_size = minimum_size
        self.exclude_content_types: tuple[str, ...] = MediaTypes(exclude_content_types)
        self.send: Send = unattached_send
        self.initial_message: Message = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request; a responder serves one only."""
        self.send = send
        await self.app(scope, receive, self.send_with_compression)
        if self._asterism_stage == _HELD:
            await self._asterism_release()  # the application sent no body; the server shall say so

    async def send_with_compression(self, message: Message) -> None:
        """Pass a message of the response on, its content coded; the start is held back until that is decided."""
        kind = message["type"]
        stage = self._asterism_stage
        if kind == "http.response.start":
            if not self.started and self._asterism_holds(message):
                return
        elif stage == _HELD:
            if kind == "http.response.body":
                if message.get("more_body", False) or len(message.get("body", b"")) >= self.minimum_size:
                    await self._asterism_begin(message)
                    return
                await self._asterism_release()
            elif kind in _AFTER_START:
                await self._asterism_release()
        elif stage == _CODING and kind == "http.response.body":
            message = await self._asterism_coded(message)
        await self.send(message)

    async def apply_compression(self, body: bytes, *, more_body: bool) -> bytes:
        """Return the next piece of the coded content.

        Args:
            body: The next piece of the plain content. All of it must be readable from what is returned.
            more_body: False for the last piece, with which the coded content ends.
        """
        return body

    def _asterism_holds(self, start: Message) -> bool:
        """Look at the start and tell whether to hold it back; if not, the response is to be left alone."""
        excluded = self.exclude_content_types
        reason = why_untouched(
            start["status"],
            start.get("headers", ()),
            excluded if type(excluded) is MediaTypes else MediaTypes(excluded),
        )
        self.initial_message = start
        if reason is None:
            self._asterism_stage = _HELD
            return True
        self.started = True
        self._asterism_stage = _PASSING
        self.content_encoding_set = reason is Untouched.CODED
        self.content_type_is_excluded = reason is Untouched.EXCLUDED
        self.partial_response = reason is Untouched.PARTIAL
        return False

    async def _asterism_release(self) -> None:
        """Send the start as it was, and leave the rest of the response as it is."""
        self.started = True
        self._asterism_stage = _PASSING
        await self.send(self.initial_message)

    async def _asterism_begin(self, message: Message) -> None:
        """Send the start that was held back, and the first piece of the body."""
        start = self.initial_message
        message = await self._asterism_coded(message)
        if self.content_encoding == _IDENTITY:
            fields = list(start.get("headers", ()))
            add_vary(fields, b"Accept-Encoding")
        else:
            # Trailers come with chunked framing, that is, without a length (RFC 9112 §6.3).
            has_length = not message.get("more_body", False) and not start.get("trailers", False)
            length = len(message["body"]) if has_length else None
            fields = coded_fields(start.get("headers", ()), self.content_encoding.encode("latin-1"), length)
        self.started = True
        await self.send({**start, "headers": fields})
        await self.send(message)

    async def _asterism_coded(self, message: Message) -> Message:
        """Return a copy of a body message with its content coded."""
        more_body: bool = message.get("more_body", False)
        self._asterism_stage = _CODING if more_body else _PASSING
        return {**message, "body": await self.apply_compression(message.get("body", b""), more_body=more_body)}


class GZipResponder(IdentityResponder):
    """Serve one request with gzip, whatever its `Accept-Encoding` is.

        await GZipResponder(app, minimum_size=500)(scope, receive, send)

    Args:
        app: The application to serve the request.
        minimum_size: Bytes; a body that comes in one piece and is shorter stays as it is.
        compresslevel: 0 to 9.
        thread_minimum_size: Bytes; longer pieces are compressed in a worker thread.
        exclude_content_types: As of `GZipMiddleware`.
    """

    content_encoding = "gzip"

    _asterism_compressor: Any = None

    def __init__(
        self,
        app: ASGIApp,
        minimum_size: int,
        compresslevel: int = 9,
        *,
        thread_minimum_size: int = 131072,
        exclude_content_types: tuple[str, ...] = DEFAULT_EXCLUDED_CONTENT_TYPES,
    ) -> None:
        super().__init__(app, minimum_size, exclude_content_types=exclude_content_types)
        self.compresslevel = compresslevel
        self.thread_minimum_size = thread_minimum_size

    @property
    def compressor(self) -> Any:
        """The zlib object of this response, made when it is first asked for: it takes 260 KB."""
        if self._asterism_compressor is None:
            self._asterism_compressor = zlib.compressobj(self.compresslevel, zlib.DEFLATED, _GZIP_WINDOW)
        return self._asterism_compressor

    async def apply_compression(self, body: bytes, *, more_body: bool) -> bytes:
        """Return a piece of the gzip stream, from which all of `body` can be read. Long ones are made in a thread."""
        if len(body) < self.thread_minimum_size:
            return self._asterism_compress(body, more_body)
        return await anyio.to_thread.run_sync(self._asterism_compress, body, more_body, limiter=_own_limiter())

    def _asterism_compress(self, body: bytes, more_body: bool) -> bytes:
        if not more_body and self._asterism_compressor is None:
            # PERF: all at once takes 4 to 12 % less time than through an object; the result is the same.
            return zlib.compress(body, self.compresslevel, _GZIP_WINDOW)
        compressor = self.compressor
        return b"".join(
            (compressor.compress(body), compressor.flush(zlib.Z_SYNC_FLUSH if more_body else zlib.Z_FINISH))
        )


async def unattached_send(message: Message) -> NoReturn:
    """Stand for the `send` of a responder that does not serve a request yet."""
    raise RuntimeError("send awaitable not set")  # COMPAT: upstream's text


def _own_limiter() -> anyio.CapacityLimiter:
    """Return the limiter of the running event loop."""
    try:
        return _limiter.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(_THREADS)
        _limiter.set(limiter)
        return limiter
