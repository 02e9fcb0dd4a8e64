"""How values look on the wire: JSON and MessagePack, and streams of JSON."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from asterism.api._libraries import msgspec
from asterism.api._types import adapter_of, decode_hook, encode_hook


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write a value down.

    Attributes:
        name: How endpoints call it.
        media_type: What it is sent as.
        also: Other media types that it is accepted as; `+json` stands for a suffix (RFC 6839).
    """

    name: str
    media_type: str
    also: tuple[str, ...]

    def decoder(self, kind: Any) -> Callable[[bytes], Any]:
        """Return what makes a value of type `kind` out of bytes."""
        adapter = adapter_of(kind)
        if adapter is not None:
            if self.name == "json":
                return adapter.validate_json  # type: ignore[no-any-return]  # a method
            return lambda data: adapter.validate_python(self.plain(data))
        if self.name == "json":
            return msgspec().json.Decoder(kind, dec_hook=decode_hook).decode  # type: ignore[no-any-return]
        return msgspec().msgpack.Decoder(kind, dec_hook=decode_hook).decode  # type: ignore[no-any-return]

    def plain(self, data: bytes) -> Any:
        """Return the bytes as plain values: dicts, lists, text and numbers."""
        return _PLAIN[self.name]()(data)

    def encoder(self, kind: Any = Any) -> Callable[[Any], bytes]:
        """Return what makes bytes of a value, whose type is `kind` if that is known."""
        if self.name == "json":
            adapter = adapter_of(kind)
            if adapter is not None:
                return functools.partial(adapter.dump_json, by_alias=True)
            return msgspec().json.Encoder(enc_hook=encode_hook).encode  # type: ignore[no-any-return]
        return msgspec().msgpack.Encoder(enc_hook=encode_hook).encode  # type: ignore[no-any-return]


# Not before they are needed: msgspec is imported late.
_PLAIN: Final[dict[str, Callable[[], Callable[[bytes], Any]]]] = {
    "json": lambda: msgspec().json.decode,
    "msgpack": lambda: msgspec().msgpack.decode,
}

FORMATS: Final = {
    known.name: known
    for known in (
        Format("json", "application/json", ("+json",)),
        Format("msgpack", "application/msgpack", ("application/x-msgpack", "application/vnd.msgpack")),
    )
}


@dataclass(frozen=True, slots=True)
class StreamFormat:
    """A way to write down one value after the other: what comes before and after each."""

    name: str
    media_type: str
    before: bytes
    after: bytes


STREAMS: Final = {
    known.name: known
    for known in (
        StreamFormat("ndjson", "application/x-ndjson", b"", b"\n"),
        StreamFormat("json-seq", "application/json-seq", b"\x1e", b"\n"),  # RFC 7464
        StreamFormat("sse", "text/event-stream", b"data: ", b"\n\n"),
    )
}
