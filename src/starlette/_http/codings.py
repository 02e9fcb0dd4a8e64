"""Content codings: whether a client takes gzip, and the fields of a coded response (RFC 9110 §8.4, §12.5.3).

Pure. Nothing that a client sends raises, and what is not understood means the identity coding, which is always right.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from starlette._http.vary import add_vary

Fields: TypeAlias = Iterable[tuple[bytes, bytes]]

# PERF: what browsers and common clients send is looked up and not read: 0.2 us instead of 1.4 us.
_KNOWN: Final = {
    b"gzip, deflate, br, zstd": True,
    b"gzip, deflate, br": True,
    b"gzip, deflate, zstd": True,
    b"gzip, deflate": True,
    b"gzip": True,
    b"identity": False,
    b"": False,
}

# RFC 9110 §8.4.1.3: both words mean the same coding.
_GZIP: Final = frozenset({b"gzip", b"x-gzip"})

_BLANKS: Final = b" \t"

# RFC 9110 §6.4.1: responses of these statuses have no content. §14.5: the bytes of a part are those of the range.
_UNTOUCHED: Final = frozenset({*range(100, 200), 204, 206, 304})

# COMPAT: gzip R7. Formats in gRPC frames, such as `application/grpc+proto`, go with their family.
_GRPC: Final = "application/grpc"


def accepts_gzip(headers: Fields) -> bool:
    """Tell whether `Accept-Encoding` names gzip with a weight above 0: `gzip`, `br;q=1, GZIP;q=0.5`.

    Args:
        headers: All fields of a request, names in lower case. Several lines are one list (RFC 9110 §5.3).

    Returns:
        False also for `*`, for tokens that merely contain the word, for a weight that is no number, and when the list
        both offers and refuses it.
    """
    lines = [value for name, value in headers if name == b"accept-encoding"]
    if not lines:
        return False
    field = lines[0] if len(lines) == 1 else b",".join(lines)
    known = _KNOWN.get(field)
    return _lists_gzip(field) if known is None else known


def _lists_gzip(field: bytes) -> bool:
    offered = False
    for element in field.lower().split(b","):
        coding, _, parameters = element.partition(b";")
        if coding.strip(_BLANKS) in _GZIP:
            if not _is_acceptable(parameters):
                return False
            offered = True
    return offered


def _is_acceptable(parameters: bytes) -> bool:
    """Tell whether `q` is absent or a number above 0 (RFC 9110 §12.4.2)."""
    for parameter in parameters.split(b";"):
        name, _, weight = parameter.partition(b"=")
        if name.strip(_BLANKS) == b"q":
            weight = weight.strip(_BLANKS)
            return weight.replace(b".", b"", 1).isdigit() and bool(weight.strip(b"0."))
    return True


class MediaTypes(tuple[str, ...]):
    """Content types in normal form, for membership: `application/zip`, or `image/*` for a whole family.

    Args:
        entries: Parameters are dropped, case and blanks do not matter.

    Raises:
        TypeError: `entries` is one string, which would be taken for a list of letters.
    """

    names: frozenset[str]

    def __new__(cls, entries: Iterable[str]) -> MediaTypes:
        if type(entries) is cls:
            return entries  # PERF: each request hands on the same list
        if isinstance(entries, str):
            raise TypeError(f"content types must be given as a list or tuple of strings, got {entries!r}")
        self = super().__new__(cls, map(_normal, entries))
        self.names = frozenset(self)
        return self

    def cover(self, content_type: bytes) -> bool:
        """Tell whether the value of a `Content-Type` field is one of them; `b""` stands for a response without."""
        media_type = _normal(content_type.decode("latin-1"))
        names = self.names
        if media_type in names:
            return True
        family, slash, _ = media_type.partition("/")
        if slash and f"{family}/*" in names:
            return True
        return media_type.startswith(f"{_GRPC}+") and _GRPC in names


def _normal(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()


class Coded:
    """What the fields of a response say about coding its content.

    Attributes:
        has_coding: There is a `Content-Encoding` already.
        is_excluded: The content type is among those to be left alone.
        is_partial: The status is 206.
        untouched: Neither the content nor a field may change: one of these, a status without content, or
            `Cache-Control: no-transform` (RFC 9111 §5.2.2.6).
    """

    __slots__ = ("has_coding", "is_excluded", "is_partial", "untouched")

    def __init__(self, status: int, headers: Fields, excluded: MediaTypes) -> None:
        content_type: bytes | None = None
        self.has_coding = no_transform = False
        for name, value in headers:
            # An application may ignore that ASGI wants names in lower case.
            name = name.lower()
            if name == b"content-type":
                if content_type is None:
                    content_type = value
            elif name == b"content-encoding":
                self.has_coding = True
            elif name == b"cache-control" and b"no-transform" in value.lower():
                no_transform = no_transform or _has_directive(value, b"no-transform")
        self.is_partial = status == 206
        self.is_excluded = excluded.cover(content_type or b"")
        self.untouched = self.has_coding or self.is_excluded or no_transform or status in _UNTOUCHED


def _has_directive(field: bytes, directive: bytes) -> bool:
    return any(element.strip(_BLANKS) == directive for element in field.lower().split(b","))


def coded_fields(headers: Fields, coding: bytes, length: int | None) -> list[tuple[bytes, bytes]]:
    """Return the fields of a response whose content was coded; `headers` stay as they are.

    Args:
        coding: `b"gzip"`.
        length: That of the coded content; None when it is not known.

    Returns:
        With `Content-Encoding`, the other length or none, `Vary: Accept-Encoding`, and an `ETag` that promises no more
        than the same meaning, since the octets differ (RFC 9110 §8.8.1, §8.8.3.3).
    """
    fields: list[tuple[bytes, bytes]] = []
    for field in headers:
        name = field[0].lower()
        if name == b"content-length":
            continue
        if name == b"etag" and field[1][:1] == b'"':
            field = (b"etag", b"W/" + field[1])
        fields.append(field)
    fields.append((b"content-encoding", coding))
    if length is not None:
        fields.append((b"content-length", b"%d" % length))
    add_vary(fields, b"Accept-Encoding")
    return fields
