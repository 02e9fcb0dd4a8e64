"""Forms: both parsers at any split, against naive readers, and the shortcuts against python-multipart (T09, T10)."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Iterable
from itertools import pairwise
from typing import Any, Final
from urllib.parse import parse_qsl

from python_multipart.multipart import parse_options_header

from starlette._http.forms import CHARACTER_SETS, FALLBACK, canonical_boundary, canonical_disposition, charset_codec
from starlette.datastructures import FormData, Headers, QueryParams
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from tests.fuzz.inputs import agree, chunked, dialled, require
from tests.starlette.forms import Outcome, contents, run, stream

_LIMITS: Final = (1000, 0, 1, 2, 3)
_SIZES: Final = (1024 * 1024, 0, 1, 5, 30)

_CONTENT_TYPES: Final = (
    "multipart/form-data; boundary=B",
    'multipart/form-data; boundary="B"; charset=utf-8',
    "multipart/form-data; charset=utf-16; boundary=B",
    "multipart/form-data; charset=shift_jis; boundary=B",
    "multipart/form-data; charset=punycode; boundary=B",
    "multipart/form-data; boundary=BB--B",
    "multipart/form-data; boundary=-",
)

# Every text that a client may be told (threats T09, T10).
_REFUSALS: Final = re.compile(
    r"Too many (fields|files)\. Maximum number of (fields|files) is [0-9]+\."
    r"|(Part|Field) exceeded maximum size of [0-9]+KB\."
    r"|Invalid multipart data\."
    r'|The Content-Disposition header field "name" must be provided\.'
)

# Those that must be noticed at once, so that nothing more is read (T09.1).
_LIMIT: Final = re.compile("Too many|Part exceeded")

_TOKEN: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_DISPOSITION: Final = re.compile(rb'form-data; name="([^"\\\r\n]*)"(?:; filename="([^"\\\r\n]*)")?')


class PlainMultipart(MultiPartParser):
    """Overrides an event, and so sees every part through events."""

    def on_part_end(self) -> None:
        super().on_part_end()


class PlainForm(FormParser):
    """Overrides an event, and so takes the plain path."""

    def on_field_end(self) -> None:
        super().on_field_end()


def multipart(data: bytes) -> None:
    """A multipart form: the same at every split, as a naive reader sees it, within its limits; files are closed."""
    dial, body = dialled(data)
    content_type = _CONTENT_TYPES[dial.number(len(_CONTENT_TYPES) - 1)]
    limits: dict[str, Any] = {
        "max_files": _LIMITS[dial.number(4)],
        "max_fields": _LIMITS[dial.number(4)],
        "max_part_size": _SIZES[dial.number(4)],
    }
    headers = Headers({"content-type": content_type})

    def parsed(kind: Callable[..., MultiPartParser], chunks: Iterable[bytes]) -> Outcome:
        source = _Source(chunks)
        parser = kind(headers, source.stream(), **limits)
        found = _outcome(parser)
        if isinstance(found, str):
            require(all(file.file.closed for file in parser._star_opened), ("a file stayed open", found))
            if _LIMIT.match(found) and source.taken > 1:
                earlier = _outcome(kind(headers, stream(*source.chunks[: source.taken - 1]), **limits))
                require(earlier != found, ("read on after", found, source.taken, source.chunks))
        return found

    whole = parsed(MultiPartParser, [body])
    sizes = dial.rest()
    for kind in (MultiPartParser, PlainMultipart):
        agree(parsed(kind, chunked(body, sizes)), whole, (kind.__name__, sizes, content_type, limits))
    agree(parsed(PlainMultipart, [body]), whole, ("through events", content_type, limits))
    if len(body) < 300:
        agree(parsed(MultiPartParser, chunked(body, [1])), whole, ("octet by octet", content_type, limits))
    _keep_limits(whole, limits)
    if content_type == _CONTENT_TYPES[0] and not isinstance(whole, str):
        expected = naive_multipart(body)
        if expected is not None:
            agree([_summary(item) for item in whole], expected, body)


class _Source:
    """A body in chunks that knows how many were asked for."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.chunks = list(chunks)
        self.taken = 0

    async def stream(self) -> AsyncGenerator[bytes, None]:
        for chunk in self.chunks:
            self.taken += 1
            yield chunk


def _outcome(parser: FormParser | MultiPartParser) -> Outcome:
    try:
        form: FormData = run(parser.parse())
    except MultiPartException as exc:
        require(_REFUSALS.fullmatch(exc.message), exc.message)
        return exc.message
    return contents(form)


def _keep_limits(found: Outcome, limits: dict[str, Any]) -> None:
    if isinstance(found, str):
        return
    files = [value for _, value in found if isinstance(value, tuple)]
    fields = [value for _, value in found if isinstance(value, str)]
    require(len(files) <= limits["max_files"], ("files", found, limits))
    require(len(fields) <= limits["max_fields"], ("fields", found, limits))
    # No character set makes more characters than octets.
    require(all(len(value) <= limits["max_part_size"] for value in fields), ("size", found, limits))
    require(all(size == len(content) for _, size, content, _ in files), ("size of a file", found))


def _summary(item: tuple[str, Any]) -> tuple[str, Any]:
    name, value = item
    return (name, value) if isinstance(value, str) else (name, (value[0], value[2]))


def naive_multipart(body: bytes) -> list[tuple[str, Any]] | None:
    """Read a plain, well-formed body with the boundary `B` (RFC 2046 §5.1.1); None when it takes judgement."""
    first, *pieces = (b"\r\n" + body).split(b"\r\n--B")
    if first or not pieces:
        return None
    found: list[tuple[str, Any]] = []
    for piece in pieces:
        if piece.startswith(b"--"):
            return found
        head, blank, content = piece.partition(b"\r\n\r\n")
        # What follows a delimiter on its line, an empty head and empty lines are matters of judgement.
        if not blank or not head.startswith(b"\r\n"):
            return None
        disposition = None
        for line in head[2:].split(b"\r\n"):
            name, colon, value = line.partition(b": ")
            if not colon or not _TOKEN.fullmatch(name) or b"\r" in value or b"\n" in value or value.startswith(b" "):
                return None
            if name.lower() == b"content-disposition":
                disposition = _DISPOSITION.fullmatch(value)
                if disposition is None:
                    return None
        if disposition is None:
            return None
        text = content if disposition[2] is None else (_decoded(disposition[2]), content)
        found.append((_decoded(disposition[1]), _decoded(text) if isinstance(text, bytes) else text))
    return None


def _decoded(octets: bytes) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def urlencoded(data: bytes) -> None:
    """A URL-encoded form: the same at every split, the pairs of the same query, limits as a naive count has them."""
    dial, body = dialled(data)
    limits: dict[str, Any] = {"max_fields": _LIMITS[dial.number(4)], "max_part_size": _SIZES[dial.number(4)]}
    sizes = dial.rest()
    expected = naive_urlencoded(body, **limits)
    for kind in (FormParser, PlainForm):
        for chunks in ([body], chunked(body, sizes), chunked(body, [1])):
            agree(_outcome(kind(Headers(), stream(*chunks), **limits)), expected, (kind.__name__, sizes, limits))
    if not isinstance(expected, str):
        agree(QueryParams(body).multi_items(), expected, "the query of the same octets")


def naive_urlencoded(body: bytes, max_fields: int, max_part_size: int) -> Outcome:
    """Read a form field by field: the first that is too large or too many refuses it (threats T10.2)."""
    pieces = [piece for piece in body.split(b"&") if piece]
    for count, piece in enumerate(pieces, 1):
        if len(piece.replace(b"=", b"", 1)) > max_part_size:
            return f"Field exceeded maximum size of {max_part_size // 1024}KB."
        if count > max_fields:
            return f"Too many fields. Maximum number of fields is {max_fields}."
    return list(parse_qsl(b"&".join(pieces).decode("latin-1"), keep_blank_values=True))


def parameters(data: bytes) -> None:
    """Shortcuts for `Content-Disposition` and `Content-Type`: what they read, python-multipart reads as well."""
    field = data.replace(b"\r", b"").replace(b"\n", b"")
    short = canonical_disposition(field)
    if short is not None:
        kind, options = parse_options_header(field)
        agree((b"form-data", short[0], short[1]), (kind, options.get(b"name"), options.get(b"filename")), field)
    text = field.decode("latin-1")
    boundary = canonical_boundary(text)
    # A request asks for it with this type only.
    if boundary is not None and text.startswith("multipart/form-data;"):
        agree(boundary.encode("latin-1"), parse_options_header(text)[1].get(b"boundary"), text)
    codec = charset_codec(text)
    require(codec in CHARACTER_SETS or codec == FALLBACK, codec)
    decoded = data.decode(codec, "replace")
    require(len(decoded) <= len(data), (codec, decoded))
    for start, stop in pairwise((0, len(text) // 2, len(text))):
        charset_codec(text[start:stop])
