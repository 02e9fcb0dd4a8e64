"""What an exchange looked like, as lines of text in which everything that the contract leaves open is made equal."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any, Final

# Where the applications of a play note what they see; set anew by the player for each exchange.
_lines: list[str] = []
_folder = ""

# Longer bodies are shown by their beginning, length and digest.
_SHOWN: Final = 2000

_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{6,}")
_LENGTH: Final = re.compile(r"(b'content-length', b')\d+")
_BOUNDARY: Final = re.compile(rb"multipart/byteranges; boundary=(\S+)")


def begin(folder: str) -> list[str]:
    """Return the list that the coming exchange is written to; `folder` is named `<tree>` in it."""
    global _lines, _folder
    _lines, _folder = [], folder
    return _lines


def note(*values: Any) -> None:
    """Write down something that the application saw or did."""
    noter()(*values)


def noter() -> Callable[..., None]:
    """Return a `note` for the exchange that is being played, for what may outlive it."""
    lines = _lines

    def note_there(*values: Any) -> None:
        lines.append("note " + clean(" ".join(value if isinstance(value, str) else repr(value) for value in values)))

    return note_there


def clean(text: str) -> str:
    """Return the text without what differs from process to process."""
    return _ADDRESS.sub("0x", text.replace(_folder, "<tree>"))


def described(error: BaseException) -> str:
    """Return the type and text of an exception, with those of the exceptions in a group."""
    # Of private classes the public one that callers catch; several of ours are a KeyError and more.
    public = [kind for kind in type(error).__mro__ if not kind.__name__.startswith("_")]
    kind = "KeyError" if isinstance(error, KeyError) else public[0].__qualname__
    if isinstance(error, BaseExceptionGroup):
        return f"{kind}({error.message!r}, [{', '.join(described(member) for member in error.exceptions)}])"
    shown = str(error) if not isinstance(error, KeyError) else repr(error.args)
    return clean(f"{kind}({shown})")


def chain(error: BaseException) -> str:
    """Return what a traceback would show as the causes of an exception, types only."""
    seen: list[str] = []
    while True:
        if error.__cause__ is not None:
            error = error.__cause__
            seen.append(f" from {type(error).__qualname__}")
        elif error.__context__ is not None and not error.__suppress_context__:
            error = error.__context__
            seen.append(f" while {type(error).__qualname__}")
        else:
            return "".join(seen)


class Messages:
    """Writes what the application sends, in the order in which it is sent."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._boundary = b""

    def add(self, message: Any) -> None:
        """Write one message."""
        values = dict(message)
        kind = values.pop("type", None)
        if "headers" in values and not isinstance(values["headers"], (str, bytes)):
            values["headers"] = self._headers(kind, [tuple(pair) for pair in values["headers"]])
        if isinstance(values.get("body"), bytes):
            values["body"] = self._body(values["body"])
        body: Any = values.get("body")
        if isinstance(body, memoryview):
            values["body"] = ("memoryview", body.tobytes())
        elif isinstance(body, bytes) and len(body) > _SHOWN:
            values["body"] = body[:20], f"{len(body)} bytes", hashlib.sha256(body).hexdigest()[:12]
        if isinstance(values.get("status"), int):
            values["status"] = int(values["status"])
        if str(kind).endswith(".failed"):
            values["message"] = values["message"].strip().splitlines()[-1]
        shown = " ".join(f"{key}={values[key]!r}" for key in sorted(values))
        self._lines.append(clean(f"send {kind} {shown}"))

    def _headers(self, kind: Any, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        found: list[tuple[bytes, bytes]] = []
        for name, value in headers:
            if name == b"allow":  # the order of a set
                value = b", ".join(sorted(value.split(b", ")))
            if name == b"content-type" and (match := _BOUNDARY.search(value)):
                self._boundary = match[1]
            found.append((name, self._without_boundary(value)))
        # Which field comes first means nothing (RFC 9110 §5.3), and compression changes several of them.
        if kind == "http.response.push" or (b"content-encoding", b"gzip") in found:
            found.sort()
        return found

    def _body(self, body: bytes) -> bytes:
        # The text of debug pages is free: frames and sources are those of the package.
        if b"Traceback (most recent call last):\n" in body:
            return self._shown(b"<traceback> " + body.rstrip().splitlines()[-1])
        if b"<html" in body[:200].lower() and b"500 Server Error" in body:
            return self._shown(b"<debug page>")
        return self._without_boundary(body)

    def _shown(self, body: bytes) -> bytes:
        self._lines[-1] = _LENGTH.sub(r"\1<length>", self._lines[-1])
        return body

    def _without_boundary(self, value: bytes) -> bytes:
        return value.replace(self._boundary, b"<boundary:%d>" % len(self._boundary)) if self._boundary else value
