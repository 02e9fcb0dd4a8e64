"""The answers to HTTP requests: ASGI applications that send one response each (RFC 9110 §15, ASGI HTTP)."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote

from starlette._asgi.denial import DenialSend
from starlette._asgi.disconnect import LastSend, race, send_raises, wait_for_disconnect
from starlette._asgi.files import (
    Chunks,
    DirectFile,
    Plan,
    ReadyFile,
    ReplacedFile,
    Span,
    opening_is_replaced,
    regular_stat,
    send_spans,
)
from starlette._asgi.streams import async_steps, close_steps
from starlette._asgi.watch import beyond_start
from starlette._http.disposition import content_disposition
from starlette._http.fields import checked_field, checked_value, first_value
from starlette._http.json_text import dump_strict
from starlette._http.ranges import MALFORMED, Refusal, content_range, multipart_layout, select_ranges
from starlette._http.set_cookie import set_cookie_text
from starlette._http.validators import range_condition, stat_fields
from starlette._legacy.calls import add_scope, without_scope
from starlette._threads import run_sync
from starlette._utils import create_collapsing_task_group as create_collapsing_task_group
from starlette.background import BackgroundTask as BackgroundTask
from starlette.concurrency import iterate_in_threadpool as iterate_in_threadpool
from starlette.datastructures import URL as URL
from starlette.datastructures import Headers as Headers
from starlette.datastructures import MutableHeaders as MutableHeaders
from starlette.requests import ClientDisconnect as ClientDisconnect
from starlette.types import Message as Message
from starlette.types import Receive as Receive
from starlette.types import Scope as Scope
from starlette.types import Send as Send

if TYPE_CHECKING:
    from datetime import datetime
    from mimetypes import guess_type as guess_type
else:

    def __getattr__(name: str) -> Any:
        if name != "guess_type":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from mimetypes import guess_type  # PERF: for files only

        return globals().setdefault(name, guess_type)

    def __dir__() -> list[str]:
        return sorted({*globals(), "guess_type"})


Content = str | bytes | memoryview
SyncContentStream = Iterable[Content]
AsyncContentStream = AsyncIterable[Content]
ContentStream = AsyncContentStream | SyncContentStream

Fields = list[tuple[bytes, bytes]]

# RFC 9110 §6.4.1: responses of these statuses have no content, and a length would promise some (§8.6).
_BODILESS: Final = frozenset({*range(100, 200), 204, 304})

# PERF: most bodies are shorter than this, and their field is ready (a list index instead of 150 ns of formatting).
_LENGTHS: Final = [(b"content-length", str(length).encode()) for length in range(2048)]

# The fields of media types met so far, by media type and charset. Bounded, as an application may pass on a client's.
_TYPES: Final[dict[tuple[str, str], tuple[bytes, bytes]]] = {}

# RFC 3986: the reserved characters and "%", which stands for itself or begins an escape made by the caller.
_URL_SAFE: Final = ":/%#?=@[]!$&'()*+,;"


class Response:
    """A response whose body is known when it is made.

    Args:
        content: The body: bytes, text (encoded with `charset`), a memoryview, or None for an empty one.
        status_code: The status to answer with.
        headers: Fields to send; `content-length` and `content-type` are added unless they are among them.
        media_type: The type of the content: `"image/png"`. For `text/...` the charset is added.
        background: What to run when the response has been sent.

    Attributes:
        raw_headers: The fields as ASGI has them: `[(b"content-length", b"2"), ...]`. A list, may be replaced.
        body: The rendered content. May be replaced until the response is sent; the length is then yours to set.

    Raises:
        ValueError: A field contains CR, LF or NUL, or characters outside of latin-1.
    """

    media_type: str | None = None
    charset = "utf-8"

    _headers: MutableHeaders | None = None

    def __init__(
        self,
        content: Any = None,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        self.background = background
        self.status_code = status_code
        if media_type is not None:
            self.media_type = media_type
        self.body = self.render(content)
        self.init_headers(headers)

    def render(self, content: Any) -> bytes | memoryview:
        """Return the body for `content`; override it to serialise something else."""
        # PERF: the most frequent kinds first, without a call in between.
        kind = type(content)
        if kind is str:
            text: str = content
            return text.encode(self.charset)
        if kind is bytes:
            octets: bytes = content
            return octets
        return b"" if content is None else _as_bytes(content, self.charset)

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        """Make `raw_headers` of the given fields, and add the length and the type of the content."""
        fields: Fields = []
        given: Mapping[bytes, bytes] | None = None
        if headers:
            for name, value in headers.items():
                fields.append(checked_field(name, value))  # a comprehension is a call on 3.11
            given = dict(fields)
        try:
            length = len(self.body)
        except (AttributeError, TypeError):  # a stream, a file, or a subclass that has no body yet
            length = -1
        if length >= 0 and self.status_code not in _BODILESS and (given is None or b"content-length" not in given):
            fields.append(_LENGTHS[length] if length < 2048 else (b"content-length", b"%d" % length))
        media_type = self.media_type
        if media_type is not None and (given is None or b"content-type" not in given):
            fields.append(_TYPES.get((media_type, self.charset)) or _content_type(media_type, self.charset))
        self.raw_headers = fields

    @property
    def headers(self) -> MutableHeaders:
        """The fields as a mapping; a change of one is a change of `raw_headers`."""
        headers = self._headers
        if headers is None:
            headers = self._headers = MutableHeaders(raw=self.raw_headers)
        return headers

    def set_cookie(
        self,
        key: str,
        value: str = "",
        max_age: int | None = None,
        expires: datetime | str | int | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: Literal["lax", "strict", "none"] | None = "lax",
        partitioned: bool = False,
    ) -> None:
        """Add a `Set-Cookie` field (RFC 6265 §4.1); one of the same name that was set before stays.

        Args:
            max_age: Seconds that the cookie lives; 0 deletes it, None makes it end with the browser's session.
            expires: Seconds from now, a datetime in UTC, or ready text.
            partitioned: Keep the cookie apart for each top-level site (Python 3.14 and later).

        Raises:
            http.cookies.CookieError: `key` is not a token.
            ValueError: An attribute contains CR, LF, NUL or `;`; `expires` is not in UTC; `partitioned` before 3.14.
            AssertionError: `samesite` is none of the three words.
        """
        text = set_cookie_text(
            key,
            value,
            max_age=max_age,
            expires=expires,
            path=path,
            domain=domain,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
            partitioned=partitioned,
        )
        self.raw_headers.append((b"set-cookie", text.encode("latin-1")))

    def delete_cookie(
        self,
        key: str,
        path: str = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: Literal["lax", "strict", "none"] | None = "lax",
        partitioned: bool = False,
    ) -> None:
        """Tell the client to drop a cookie; path and domain have to be those it was set with."""
        self.set_cookie(
            key,
            expires=0,
            max_age=0,
            path=path,
            domain=domain,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
            partitioned=partitioned,
        )

    @without_scope
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response, also in place of a WebSocket, and run the background task."""
        # PERF: one frame and two sends. The fused dispatcher relies on the start being the first use of `send`.
        try:
            if scope["type"] == "websocket":
                send = DenialSend(send).send
        except TypeError:
            # COMPAT: called as `response(receive, send)`. PERF: by exception, as a test would cost each response.
            if send is not None:
                raise
            scope, receive, send = add_scope(scope, receive)
        status, headers, body = self.status_code, self.raw_headers, self.body
        if status in _BODILESS and body:
            headers, body = _without_length(headers), b""
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        if self.background is not None:
            await self.background()


class HTMLResponse(Response):
    """A response of HTML text."""

    media_type = "text/html"


class PlainTextResponse(Response):
    """A response of plain text."""

    media_type = "text/plain"


class JSONResponse(Response):
    """A response of JSON (RFC 8259): compact, in UTF-8.

    Raises:
        ValueError: `content` holds NaN, an infinity, a cycle or a lone surrogate.
        TypeError: `content` holds what JSON cannot express.
    """

    media_type = "application/json"

    def __init__(
        self,
        content: Any,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        # PERF: as `Response.__init__` does it; calling it is a tenth of making a small response.
        self.background = background
        self.status_code = status_code
        if media_type is not None:
            self.media_type = media_type
        self.body = self.render(content)
        self.init_headers(headers)

    def render(self, content: Any) -> bytes:
        """Return `content` as JSON; override it to use another serialiser."""
        return dump_strict(content).encode()


class RedirectResponse(Response):
    """Send the client to another URL: 307 keeps the method, 303 changes it to GET (RFC 9110 §15.4).

    Args:
        url: Where to go. What cannot stand in a URL is percent-encoded; existing escapes are kept.
    """

    def __init__(
        self,
        url: str | URL,
        status_code: int = 307,
        headers: Mapping[str, str] | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        super().__init__(b"", status_code, headers, background=background)
        location = quote(str(url), safe=_URL_SAFE)
        if headers:
            MutableHeaders(raw=self.raw_headers)["location"] = location
        else:
            self.raw_headers.append((b"location", location.encode("ascii")))


class StreamingResponse(Response):
    """A response whose body is sent piece by piece while it is made.

    Args:
        content: What yields the pieces, as text or bytes. A blocking iterable takes each step in a worker thread;
            a file is read in blocks of 64 KiB. Nothing is taken before it can be sent.

    The iterator is closed when the response ends, in whatever way. A client that leaves ends the response: without an
    exception where the server tells it by a message (ASGI below 2.4), else with `ClientDisconnect`.
    """

    body_iterator: AsyncContentStream

    # The OSError that `send` raised, to be told from one of the content.
    _star_send_error: OSError | None = None
    _star_ending: Send | None = None  # what the last message was given to

    def __init__(
        self,
        content: ContentStream,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        self.background = background
        self.status_code = status_code
        self.media_type = self.media_type if media_type is None else media_type
        self.body_iterator = content if isinstance(content, AsyncIterable) else async_steps(content)
        self.init_headers(headers)

    async def listen_for_disconnect(self, receive: Receive) -> None:
        """Return when the client has left."""
        await wait_for_disconnect(receive)

    async def stream_response(self, send: Send) -> None:
        """Send the start, the pieces and the end; replace it to send them otherwise."""
        charset = self.charset
        bodiless = self.status_code in _BODILESS
        headers = _without_length(self.raw_headers) if bodiless else self.raw_headers
        source = self.body_iterator
        pieces = source if isinstance(source, AsyncIterator) else aiter(source)
        sending = True  # what is under way, should an OSError be raised
        given = send
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
            send = beyond_start(send)
            if not bodiless:
                sending = False
                async for piece in pieces:
                    chunk = piece if type(piece) is bytes else _as_bytes(piece, charset)
                    sending = True
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                    sending = False
                sending = True
            self._star_ending = given
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except OSError as exc:
            if sending:
                self._star_send_error = exc
            raise
        finally:
            await close_steps(pieces)

    @without_scope
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream the response, stopping when the client leaves, and run the background task."""
        if send is None:  # COMPAT: called as `response(receive, send)`
            scope, receive, send = add_scope(scope, receive)
        try:
            if scope["type"] == "websocket":
                await self.stream_response(DenialSend(send).send)
            elif send_raises(scope):
                await self._star_stream(send)
            else:
                listen = functools.partial(self.listen_for_disconnect, receive)
                if type(self).stream_response is _STREAM_RESPONSE:
                    await race(functools.partial(self.stream_response, send), listen, lambda: self._star_ending is send)
                    self._star_ending = None
                else:  # replaced: it does not note when it comes to the end
                    last = LastSend(send)
                    await race(functools.partial(self.stream_response, last.send), listen, last.begun)
        finally:
            await close_steps(self.body_iterator)
        if self.background is not None:
            await self.background()

    async def _star_stream(self, send: Send) -> None:
        """Stream, and raise ClientDisconnect for an OSError of `send`; one of the content stays what it is."""
        watch = None
        if type(self).stream_response is not _STREAM_RESPONSE:  # replaced: it does not note where an error came from
            watch = _ErrorWatch(send)
            send = watch.send
        try:
            await self.stream_response(send)
        except OSError as exc:
            noted = self._star_send_error if watch is None else watch.error
            self._star_send_error = None
            if exc is noted:
                raise ClientDisconnect()
            raise


_STREAM_RESPONSE: Final = StreamingResponse.stream_response


class _ErrorWatch:
    """Note the OSError that `send` raises."""

    __slots__ = ("_send", "error")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.error: OSError | None = None

    async def send(self, message: Message) -> None:
        try:
            await self._send(message)
        except OSError as exc:
            self.error = exc
            raise


class MalformedRangeHeader(Exception):
    """The `Range` field cannot be understood.

    Attributes:
        content: The text of the 400 response.
    """

    def __init__(self, content: str = MALFORMED) -> None:
        self.content = content


class RangeNotSatisfiable(Exception):
    """No range of the `Range` field lies inside of the file.

    Attributes:
        max_size: The length of the file in bytes.
    """

    def __init__(self, max_size: int) -> None:
        self.max_size = max_size


class FileResponse(Response):
    """A response that sends a file, or the ranges of it that are asked for (RFC 9110 §14).

    Args:
        path: The file. Nothing is done with it before the response is sent.
        media_type: The type of the content; guessed from the name when None.
        filename: The name to save it as; sets `Content-Disposition`.
        stat_result: What `os.stat(path)` returned, if it is known; else it is asked for when the response is sent.
        content_disposition_type: `"attachment"` or `"inline"`.
        method: `"HEAD"` sends no body, as the request method HEAD does (the older API).

    Raises:
        RuntimeError: When sent: the file does not exist, is not a regular file, or became shorter meanwhile.

    The length, `Last-Modified` and `ETag` are those of the file at each sending. Just the announced bytes are sent.
    """

    chunk_size = 64 * 1024
    max_ranges = 100

    # What `set_stat_headers` set last: it may be replaced when the file has changed, other values are the caller's.
    _star_stat_fields: tuple[tuple[bytes, bytes], ...] = ()
    _star_stat_used = False
    _star_head = False
    _star_ready: ReadyFile | None = None

    def __init__(
        self,
        path: str | os.PathLike[str],
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
        filename: str | None = None,
        stat_result: os.stat_result | None = None,
        content_disposition_type: str = "attachment",
        *,
        method: str | None = None,
    ) -> None:
        if isinstance(path, bytes):
            raise TypeError(f"path must be a str or a path-like object, got {path[:80]!r}")
        self.path = path
        self.filename = filename
        self.background = background
        self.status_code = status_code
        if media_type is None:
            module: Any = sys.modules[__name__]  # it may be replaced there, or not be loaded yet
            media_type = module.guess_type(filename or path)[0] or "application/octet-stream"
        self.media_type = media_type
        if method is not None:
            self._star_head = method.upper() == "HEAD"
        self.init_headers(headers)
        _set_default(self.raw_headers, b"accept-ranges", b"bytes")
        if filename is not None:
            disposition = content_disposition(content_disposition_type, filename)
            _set_default(self.raw_headers, b"content-disposition", checked_value(disposition))
        self.stat_result = stat_result
        if stat_result is not None:
            self.set_stat_headers(stat_result)

    def _star_use(self, content: bytes) -> None:
        """Send these bytes instead of reading the file; they have to be what `stat_result` says. For one sending."""
        if self.stat_result is not None and len(content) == self.stat_result.st_size < self.chunk_size:
            self._star_ready = ReadyFile(self.path, self.stat_result, content)

    def set_stat_headers(self, stat_result: os.stat_result) -> None:
        """Set the length, `Last-Modified` and `ETag`, except where the caller has set them."""
        modified, etag = stat_fields(stat_result.st_mtime, stat_result.st_size)
        fields = (
            (b"content-length", b"%d" % stat_result.st_size),
            (b"last-modified", modified.encode()),
            (b"etag", etag.encode()),
        )
        raw = self.raw_headers
        for earlier in self._star_stat_fields:
            if earlier in raw:
                raw.remove(earlier)
        for name, value in fields:
            _set_default(raw, name, value)
        self._star_stat_fields = fields

    def generate_multipart(
        self, ranges: Sequence[tuple[int, int]], boundary: str, max_size: int, content_type: str
    ) -> tuple[int, Callable[[int, int], bytes]]:
        """Return the length of a `multipart/byteranges` body, and what makes the head of a part from start and end.

        The ends of `ranges` are exclusive: `[(0, 101), (200, 301)]`.
        """
        return multipart_layout(ranges, boundary, max_size, content_type)

    @without_scope
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file, the ranges asked for, or why they cannot be sent; run the background task after a success."""
        if send is None:  # COMPAT: called as `response(receive, send)`
            scope, receive, send = add_scope(scope, receive)
        denial = scope["type"] == "websocket"
        method = "GET" if denial else scope["method"].upper()
        silent = method == "HEAD" or self._star_head or self.status_code in _BODILESS
        by_path = not (silent or denial) and "http.response.pathsend" in (scope.get("extensions") or ())
        wanted = None
        if self.status_code == 200 and (method == "GET" or method == "HEAD"):
            wanted = first_value(scope["headers"], b"range")
        file = self._star_file()
        try:
            stat_result = await self._star_stat(file, opens=not (silent or by_path), whole=wanted is None)
            plan = self._star_plan(stat_result, scope, wanted)
            if isinstance(plan, Response):
                await plan(scope, receive, send)
                return
            if denial:
                send = DenialSend(send).send
            start: Message = {"type": "http.response.start", "status": plan.status, "headers": plan.headers}
            if silent:
                await send(start)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            elif by_path and plan.status != 206:
                await send(start)
                await send({"type": "http.response.pathsend", "path": str(self.path)})
            else:
                await file.prepare(plan.spans[0], last=len(plan.spans) == 1)
                if denial or send_raises(scope):
                    await send_spans(start, plan, file, send, self.chunk_size)
                else:
                    last = LastSend(send)
                    work = functools.partial(send_spans, start, plan, file, last.send, self.chunk_size)
                    await race(work, functools.partial(wait_for_disconnect, receive), last.begun)
        finally:
            await file.aclose()
        if self.background is not None:
            await self.background()

    def _star_file(self) -> Chunks:
        """Return the file to read, not yet opened."""
        if opening_is_replaced():
            return ReplacedFile(self.path, self.chunk_size)
        ready, self._star_ready = self._star_ready, None
        if ready is not None and ready.fits(self.path, self.stat_result, self.chunk_size):
            return ready
        return DirectFile(self.path, self.chunk_size)

    async def _star_stat(self, file: Chunks, *, opens: bool, whole: bool) -> os.stat_result:
        """Return what the file is, and set the headers that tell it.

        A `stat_result` from the caller counts for the first sending; after it the file may have changed.
        """
        known = None if self._star_stat_used else self.stat_result
        self._star_stat_used = True
        if known is not None:
            return known
        if opens and isinstance(file, DirectFile):
            stat_result = await file.look(whole=whole)
        else:
            stat_result = await run_sync(regular_stat, self.path)
        self.set_stat_headers(stat_result)
        return stat_result

    def _star_plan(self, stat_result: os.stat_result, scope: Scope, wanted: bytes | None) -> Plan | Response:
        """Return what to send: the whole file, ranges of it, or the response that refuses."""
        size = stat_result.st_size
        headers = list(self.raw_headers)  # a copy: later responses of this object must not see what is added here
        if self.status_code in _BODILESS:
            return Plan(self.status_code, _without_length(headers), [])
        chosen = None
        if wanted is not None and self._star_range_allowed(scope, headers):
            chosen = select_ranges(wanted.decode("latin-1"), size, self.max_ranges)
        if chosen is None:
            return Plan(self.status_code, headers, [Span(0, size)])
        if isinstance(chosen, Refusal):
            extra = {"content-range": f"bytes */{size}"} if chosen.status == 416 else None
            return PlainTextResponse(chosen.text, chosen.status, extra)
        fields = MutableHeaders(raw=headers)
        if len(chosen) == 1:
            ((first, stop),) = chosen
            fields["content-length"] = str(stop - first)
            fields["content-range"] = content_range(first, stop, size)
            return Plan(206, headers, [Span(first, stop)])
        boundary = os.urandom(13).hex()
        length, head = self.generate_multipart(chosen, boundary, size, fields.get("content-type", ""))
        fields["content-length"] = str(length)
        fields["content-type"] = f"multipart/byteranges; boundary={boundary}"
        del fields["content-range"]
        return Plan(206, headers, [Span(*pair, head(*pair)) for pair in chosen], b"--%b--" % boundary.encode())

    def _star_range_allowed(self, scope: Scope, headers: Fields) -> bool:
        condition = first_value(scope["headers"], b"if-range")
        if condition is None:
            return True
        return range_condition(condition, first_value(headers, b"last-modified"), first_value(headers, b"etag"))


class UJSONResponse(JSONResponse):
    """A response of JSON written by the `ujson` package, for applications of the older API."""

    def __init__(
        self,
        content: Any = None,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        super().__init__(content, status_code, headers, media_type, background)

    def render(self, content: Any) -> bytes:
        """Return `content` as `ujson` writes it; AssertionError where the package is missing."""
        try:
            import ujson
        except ImportError:
            raise AssertionError("ujson must be installed to use UJSONResponse") from None
        text: str = ujson.dumps(content, ensure_ascii=False)
        return text.encode()


def _as_bytes(content: Any, charset: str) -> bytes | memoryview:
    """Return text encoded, and a memoryview as one of single bytes, so that its length is the number of them."""
    if isinstance(content, memoryview):
        return content.cast("B") if content.c_contiguous else content.tobytes()
    if isinstance(content, bytes):
        return content
    encoded: bytes = content.encode(charset)
    return encoded


def _content_type(media_type: str, charset: str) -> tuple[bytes, bytes]:
    """Return the field for a media type, and keep it; text without a charset gets one."""
    text = media_type
    if media_type.startswith("text/") and "charset=" not in media_type.lower():
        text = f"{media_type}; charset={charset}"
    field = (b"content-type", checked_value(text))
    if len(_TYPES) < 256:
        _TYPES[media_type, charset] = field
    return field


def _without_length(fields: Fields) -> Fields:
    return [field for field in fields if field[0] != b"content-length"]


def _set_default(fields: Fields, name: bytes, value: bytes) -> None:
    """Add a field unless there is one of its name."""
    if first_value(fields, name) is None:
        fields.append((name, value))
