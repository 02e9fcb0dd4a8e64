"""Forms in request bodies: `application/x-www-form-urlencoded` and `multipart/form-data` (WHATWG URL §5.1, RFC 7578).

Both parsers keep their limits while they read, so that a refused form never held more. Multipart bodies are cut by
python-multipart, which is imported when a parser is made.
"""

from __future__ import annotations

import enum
import sys
import warnings
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter, itemgetter
from types import ModuleType
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast
from urllib.parse import unquote_plus

from starlette._http.forms import (
    FALLBACK,
    canonical_boundary,
    canonical_disposition,
    charset_codec,
)
from starlette._http.multipart import PartShortcut
from starlette._http.query import parse_query
from starlette.datastructures import FormData as FormData
from starlette.datastructures import Headers as Headers
from starlette.datastructures import UploadFile as UploadFile
from starlette.exceptions import StarletteDeprecationWarning as StarletteDeprecationWarning

if TYPE_CHECKING:
    from tempfile import SpooledTemporaryFile as SpooledTemporaryFile
else:

    def __getattr__(name: str) -> Any:
        if name != "SpooledTemporaryFile":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        # PERF: it loads what compresses and what is random, a tenth of an application; a form without files does not.
        from tempfile import SpooledTemporaryFile

        return globals().setdefault(name, SpooledTemporaryFile)

    def __dir__() -> list[str]:
        return sorted({*globals(), "SpooledTemporaryFile"})


_MISSING_PACKAGE: Final = "The `python-multipart` library must be installed to use form parsing."  # COMPAT: R4
_INVALID: Final = "Invalid multipart data."  # COMPAT: R36

# What is gathered of a file before it is written, in bytes: on disk each write is a trip to a worker thread.
_WRITE_SIZE: Final = 512 * 1024

# Larger chunks are cut, so that a whole body in one chunk is not copied as a whole.
_WINDOW: Final = 256 * 1024

_AMPERSAND: Final = b"&"[0]


def require_multipart() -> ModuleType:
    """Return python-multipart's parsers; AssertionError when it is not there (install the "full" extra)."""
    try:
        # PERF: 0.1 us instead of 0.4 us, twice a form.
        module: ModuleType = sys.modules["python_multipart"].multipart
    except (KeyError, AttributeError):
        try:
            from python_multipart import multipart as module
        except ImportError as exc:
            raise AssertionError(_MISSING_PACKAGE) from exc
    return module


class _WarnsWhenCalled(enum.EnumType):
    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        warnings.warn(
            "`FormMessage` is deprecated and will be removed in a future version.",
            StarletteDeprecationWarning,
            stacklevel=2,
        )
        return super().__call__(*args, **kwargs)


class FormMessage(enum.Enum, metaclass=_WarnsWhenCalled):
    """Events of a url-encoded form. Deprecated; nothing here uses them."""

    FIELD_START = 1
    FIELD_NAME = 2
    FIELD_DATA = 3
    FIELD_END = 4
    END = 5


@dataclass
class MultipartPart:
    """One part of a multipart body while it is read.

    Attributes:
        content_disposition: The last field of that name, None before it came.
        field_name: Its `name`.
        data: The content, unless the part is a file.
        file: The file, if the part is one.
        item_headers: All fields, names in lower case.
    """

    content_disposition: bytes | None = None
    field_name: str = ""
    data: bytearray = field(default_factory=bytearray)
    file: UploadFile | None = None
    item_headers: list[tuple[bytes, bytes]] = field(default_factory=list)


class MultiPartException(Exception):
    """A form is malformed or over a limit.

    Args:
        message: What is wrong, fit for the client.
    """

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class FormParser:
    """Parse an `application/x-www-form-urlencoded` body (WHATWG URL §5.1). An object parses one body.

    Args:
        headers: The request headers; they change nothing.
        stream: The body in chunks of any size.
        max_fields: How many fields there may be.
        max_part_size: Bytes of the name and value of one field, before they are decoded.

    Raises:
        AssertionError: The python-multipart package is not there. COMPAT: it is not needed here.
    """

    def __init__(
        self,
        headers: Headers,
        stream: AsyncGenerator[bytes, None],
        *,
        max_fields: int | float = 1000,
        max_part_size: int = 1024 * 1024,
    ) -> None:
        require_multipart()
        self.headers = headers
        self.stream = stream
        self.max_fields = max_fields
        self.max_part_size = max_part_size
        self._star_items: list[tuple[str, str]] = []
        self._field_name = bytearray()
        self._field_value = bytearray()
        self._current_fields = 0
        self._star_in_field = False
        self._star_in_value = False

    async def parse(self) -> FormData:
        """Read the stream to its end and return the form.

        Raises:
            MultiPartException: A limit was exceeded. Nothing more is read then.
        """
        tail = b""
        plain = _is_plain(self, _form_functions, _FORM_FUNCTIONS)
        async for chunk in self.stream:
            if tail and chunk:
                # The field goes on after all. Adding chunk to chunk would take quadratic time.
                self._star_feed(tail)
                tail = b""
            if chunk:
                tail = self._star_feed_fields(chunk) if plain else self._star_feed(chunk)
        if self._star_in_field:
            self.on_field_end()
        elif tail:
            self._star_add_fields(tail)
        return FormData(cast("list[tuple[str, str | UploadFile]]", self._star_items))

    def on_field_start(self) -> None:
        """Begin a field."""
        self._field_name.clear()
        self._field_value.clear()

    def on_field_name(self, data: bytes, start: int, end: int) -> None:
        """Add `data[start:end]` to the name."""
        self._star_check_size(end - start)
        self._field_name += data[start:end]

    def on_field_data(self, data: bytes, start: int, end: int) -> None:
        """Add `data[start:end]` to the value."""
        self._star_check_size(end - start)
        self._field_value += data[start:end]

    def on_field_end(self) -> None:
        """Count the field and keep it."""
        self._current_fields += 1
        if self._current_fields > self.max_fields:
            raise MultiPartException(f"Too many fields. Maximum number of fields is {self.max_fields}.")
        name, value = self._field_name.decode(FALLBACK), self._field_value.decode(FALLBACK)
        self._star_items.append((unquote_plus(name), unquote_plus(value)))

    def _star_check_size(self, more: int) -> None:
        if len(self._field_name) + len(self._field_value) + more > self.max_part_size:
            raise MultiPartException(f"Field exceeded maximum size of {int(self.max_part_size / 1024)}KB.")

    def _star_feed_fields(self, data: bytes) -> bytes:
        """Take what is complete in `data` at once if no limit can be met. Return the begun field that is left."""
        start = 0
        if self._star_in_field:
            start = data.find(b"&") + 1
            if not start:
                return self._star_feed(data)
            self._star_feed(data[:start])
        # PERF: 0.2 of the time of the events below for a form of 1,000 fields.
        last = data.rfind(b"&", start) + 1
        if len(data) > self.max_part_size or self._current_fields + data.count(b"&", start) + 1 > self.max_fields:
            return self._star_feed(data[start:] if start else data)
        if last > start:
            self._star_add_fields(data[start:last])
            return data[last:]
        return data[start:] if start else data

    def _star_add_fields(self, data: bytes) -> None:
        pairs = parse_query(data.decode(FALLBACK))
        self._current_fields += len(pairs)
        self._star_items += pairs

    def _star_feed(self, data: bytes) -> bytes:
        """Report `data` as events: exact where a limit is near, and never holding more of a field than is allowed."""
        position, length = 0, len(data)
        while position < length:
            if not self._star_in_field:
                if data[position] == _AMPERSAND:
                    position += 1
                    continue
                self._star_in_field = True
                self._star_in_value = False
                self.on_field_start()
            end = data.find(b"&", position)
            ended = end >= 0
            if not ended:
                end = length
            if not self._star_in_value:
                equals = data.find(b"=", position, end)
                stop = end if equals < 0 else equals
                if stop > position:
                    self.on_field_name(data, position, stop)
                self._star_in_value = equals >= 0
                position = stop + self._star_in_value
            if end > position:
                self.on_field_data(data, position, end)
            position = end
            if ended:
                self._star_in_field = False
                self.on_field_end()
                position += 1
        return b""


def is_plain_form_parser(parser: object) -> bool:
    """Tell whether this is our `FormParser`, and nobody replaced a step of it."""
    return parser is _FORM_PARSER and _form_steps(parser) == _FORM_STEPS


def form_at_once(body: bytes, max_fields: int | float, max_part_size: int) -> FormData | None:
    """Return the form that `FormParser` makes of a whole body; None where that may be over a limit."""
    if len(body) > max_part_size or body.count(b"&") >= max_fields:
        return None
    return FormData(cast("list[tuple[str, str | UploadFile]]", parse_query(body.decode(FALLBACK))))


class MultiPartParser:
    """Parse a `multipart/form-data` body (RFC 7578). An object parses one body.

    Args:
        headers: The request headers; `Content-Type` has the boundary.
        stream: The body in chunks of any size.
        max_files: How many parts may be files.
        max_fields: How many parts may be other fields.
        max_part_size: Bytes of one field that is no file. Files are limited by nothing here.

    Raises:
        AssertionError: The python-multipart package is not there.
    """

    spool_max_size = 1024 * 1024  # bytes of a file that stay in memory; read for each file
    max_file_size: int | None = None  # COMPAT: the earlier name of `spool_max_size`; counts when it is set
    max_part_size = 1024 * 1024  # always replaced by the argument

    def __init__(
        self,
        headers: Headers,
        stream: AsyncGenerator[bytes, None],
        *,
        max_files: int | float = 1000,
        max_fields: int | float = 1000,
        max_part_size: int = 1024 * 1024,
    ) -> None:
        self._star_package = require_multipart()
        self.headers = headers
        self.stream = stream
        self.max_files = max_files
        self.max_fields = max_fields
        self.max_part_size = max_part_size
        self.items: list[tuple[str, str | UploadFile]] = []
        self._current_files = 0
        self._current_fields = 0
        self._current_partial_header_name = b""
        self._current_partial_header_value = b""
        self._current_part = MultipartPart()
        self._charset = "utf-8"
        # Every file that was opened; those whose part has ended since the last write; the data to write.
        self._star_opened: list[UploadFile] = []
        self._star_ended_files: list[UploadFile] = []
        self._star_unwritten: list[tuple[UploadFile, bytes]] = []
        self._star_unwritten_size = 0
        self._star_at_part_start = False
        self._star_ended = False

    async def parse(self) -> FormData:
        """Read the stream to its end and return the form. Its files stay open, at their beginning.

        Raises:
            MultiPartException: The body is malformed, ends before the closing delimiter, or exceeds a limit.
            KeyError: There is no `Content-Type`.
        """
        try:
            await self._star_read_parts()
        except BaseException:
            await self._star_close_files()
            raise
        return FormData(self.items)

    def on_part_begin(self) -> None:
        """Begin a part."""
        self._current_part = MultipartPart()
        self._star_at_part_start = True

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """Add `data[start:end]` to the content of the part."""
        part = self._current_part
        piece = data if end - start == len(data) else data[start:end]
        if part.file is None:
            if len(part.data) + len(piece) > self.max_part_size:
                raise self._star_too_large()
            part.data += piece
        else:
            self._star_unwritten.append((part.file, piece))
            self._star_unwritten_size += len(piece)

    def on_part_end(self) -> None:
        """Keep the part."""
        part = self._current_part
        if part.file is None:
            self.items.append((part.field_name, _user_safe_decode(part.data, self._charset)))
        else:
            self._star_ended_files.append(part.file)
            self.items.append((part.field_name, part.file))

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        """Add `data[start:end]` to the name of a field of the part."""
        self._star_at_part_start = False
        self._current_partial_header_name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        """Add `data[start:end]` to its value."""
        self._current_partial_header_value += data[start:end]

    def on_header_end(self) -> None:
        """Keep the field."""
        name, value = self._current_partial_header_name.lower(), self._current_partial_header_value
        if name == b"content-disposition":
            self._current_part.content_disposition = value
        self._current_part.item_headers.append((name, value))
        self._current_partial_header_name = self._current_partial_header_value = b""

    def on_headers_finished(self) -> None:
        """Tell a file from a field, and count it."""
        self._star_at_part_start = False
        part = self._current_part
        part.field_name, part.file = self._star_begin_part(part.content_disposition or b"", part.item_headers)

    def on_end(self) -> None:
        """Note the closing delimiter."""
        self._star_ended = True

    async def _star_read_parts(self) -> None:
        package = self._star_package
        boundary = self._star_boundary()
        begun = False
        try:
            tokenizer = package.MultipartParser(boundary, {name: getattr(self, name) for name in _PART_EVENTS})
            plain = _is_plain(self, _part_functions, _PART_FUNCTIONS)
            feed = PartShortcut(self, tokenizer.write, boundary).feed if plain else tokenizer.write
            async for chunk in self.stream:
                if not begun:
                    # The tokenizer would skip what follows blank lines, and how much depends on the chunks.
                    chunk = chunk.lstrip(b"\r\n")
                    begun = bool(chunk)
                for start in range(0, len(chunk), _WINDOW):
                    if self._star_ended:
                        break  # what follows is the epilogue (RFC 2046 §5.1.1)
                    feed(chunk[start : start + _WINDOW])
                    if self._star_ended_files or self._star_unwritten_size >= _WRITE_SIZE:
                        await self._star_write_files()
        except package.FormParserError as exc:
            raise MultiPartException(_INVALID) from exc
        if begun and not self._star_ended:
            raise MultiPartException(_INVALID)

    def _star_boundary(self) -> bytes:
        """Return the boundary, and take the character set, of the request's content type."""
        content_type = self.headers["Content-Type"]
        canonical = canonical_boundary(content_type)
        if canonical is not None:
            return canonical.encode(FALLBACK)
        options: dict[bytes, bytes] = self._star_package.parse_options_header(content_type)[1]
        charset = options.get(b"charset")
        if charset is not None:
            self._charset = charset_codec(charset.decode(FALLBACK))
        boundary = options.get(b"boundary")
        if boundary is None:
            raise MultiPartException("Missing boundary in multipart.")  # COMPAT: R18
        if b"\r" in boundary or b"\n" in boundary:
            raise MultiPartException(_INVALID)
        return boundary

    def _star_begin_part(self, disposition: bytes, fields: list[tuple[bytes, bytes]]) -> tuple[str, UploadFile | None]:
        """Count a part. Return its name, and the file to write if it is one."""
        canonical = canonical_disposition(disposition)
        if canonical is None:
            options: dict[bytes, bytes] = self._star_package.parse_options_header(disposition)[1]
            if b"name" not in options:
                # COMPAT: R24
                raise MultiPartException('The Content-Disposition header field "name" must be provided.')
            canonical = options[b"name"], options.get(b"filename")
        name = _user_safe_decode(canonical[0], self._charset)
        if canonical[1] is None:
            self._current_fields += 1
            if self._current_fields > self.max_fields:
                raise MultiPartException(f"Too many fields. Maximum number of fields is {self.max_fields}.")
            return name, None
        self._current_files += 1
        if self._current_files > self.max_files:
            raise MultiPartException(f"Too many files. Maximum number of files is {self.max_files}.")
        spool = self.spool_max_size if self.max_file_size is None else self.max_file_size
        module: Any = sys.modules[__name__]  # it may be replaced there, or not be loaded yet
        file = UploadFile(
            file=cast(BinaryIO, module.SpooledTemporaryFile(max_size=spool)),  # the caller's
            size=0,
            filename=_user_safe_decode(canonical[1], self._charset),
            headers=Headers(raw=fields),
        )
        self._star_opened.append(file)
        return name, file

    def _star_add_part(self, fields: list[tuple[bytes, bytes]], content: bytes) -> None:
        """Take a part that is complete: what the events do in seven steps."""
        disposition = b""
        for key, value in fields:
            if key == b"content-disposition":
                disposition = value
        name, file = self._star_begin_part(disposition, fields)
        if file is None:
            if len(content) > self.max_part_size:
                raise self._star_too_large()
            self.items.append((name, _user_safe_decode(content, self._charset)))
        else:
            if content:
                self._star_unwritten.append((file, content))
                self._star_unwritten_size += len(content)
            self._star_ended_files.append(file)
            self.items.append((name, file))

    def _star_too_large(self) -> MultiPartException:
        return MultiPartException(f"Part exceeded maximum size of {int(self.max_part_size / 1024)}KB.")

    async def _star_write_files(self) -> None:
        """Write what was gathered, and rewind the files that are complete."""
        unwritten, self._star_unwritten = self._star_unwritten, []
        ended, self._star_ended_files = self._star_ended_files, []
        self._star_unwritten_size = 0
        for file, pieces in groupby(unwritten, key=itemgetter(0)):
            await file.write(b"".join([piece for _, piece in pieces]))
        for file in ended:
            await file.seek(0)

    async def _star_close_files(self) -> None:
        """Close every file of a form that failed; one that cannot be closed must not hide what went wrong."""
        for file in self._star_opened:
            try:
                await file.close()
            except Exception:
                pass


_FORM_EVENTS: Final = ("on_field_start", "on_field_name", "on_field_data", "on_field_end")
_PART_EVENTS: Final = (
    "on_part_begin",
    "on_part_data",
    "on_part_end",
    "on_header_field",
    "on_header_value",
    "on_header_end",
    "on_headers_finished",
    "on_end",
)


def _functions(names: tuple[str, ...]) -> Callable[[object], object]:
    """Return what fetches the functions behind these methods of an object."""
    return attrgetter(*[f"{name}.__func__" for name in names])


_form_functions: Final = _functions(_FORM_EVENTS)
_form_steps: Final = attrgetter("__init__", "parse", *_FORM_EVENTS)
_FORM_STEPS: Final = _form_steps(FormParser)
_FORM_PARSER: Final = FormParser
_part_functions: Final = _functions(_PART_EVENTS)
_FORM_FUNCTIONS: Final = attrgetter(*_FORM_EVENTS)(FormParser)
_PART_FUNCTIONS: Final = attrgetter(*_PART_EVENTS)(MultiPartParser)


def _is_plain(parser: object, functions: Callable[[object], object], originals: object) -> bool:
    """Tell whether nobody replaced an event method: in a subclass, on the class, or on the object."""
    try:
        return functions(parser) == originals
    except AttributeError:  # something on the object that is no method
        return False


def _user_safe_decode(src: bytes | bytearray, codec: str) -> str:
    """Decode with `codec`; as latin-1 if that cannot be done."""
    try:
        return src.decode(codec)
    except (LookupError, UnicodeError):
        return src.decode(FALLBACK)
