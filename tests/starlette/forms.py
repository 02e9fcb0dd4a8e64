"""Helpers for the tests of forms: bodies, chunks, and parsing without a request."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Coroutine, Iterable
from itertools import pairwise
from typing import Any, TypeVar

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser

T = TypeVar("T")

# What a form is after parsing: names with text, or with file name, size and content; or what was wrong.
Outcome = list[tuple[str, Any]] | str


async def stream(*chunks: bytes | BaseException) -> AsyncGenerator[bytes, None]:
    for chunk in chunks:
        if isinstance(chunk, BaseException):
            raise chunk
        yield chunk


def multipart_headers(content_type: str = "multipart/form-data; boundary=B") -> Headers:
    return Headers({"content-type": content_type})


def part(disposition: str, content: bytes = b"", *fields: str, boundary: bytes = b"B") -> bytes:
    """Return a part with the delimiter line before it, and CR LF behind it."""
    lines = [f"Content-Disposition: {disposition}", *fields, "", ""]
    return b"--" + boundary + b"\r\n" + "\r\n".join(lines).encode() + content + b"\r\n"


def field(name: str, content: bytes = b"") -> bytes:
    return part(f'form-data; name="{name}"', content)


def file(name: str, filename: str, content: bytes = b"", *fields: str) -> bytes:
    return part(f'form-data; name="{name}"; filename="{filename}"', content, *fields)


def split(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """Cut at these offsets; those outside are ignored, equal ones give empty chunks."""
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run what never really waits, without an event loop."""
    try:
        work.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    work.close()
    raise AssertionError("it waits")


def contents(form: FormData) -> list[tuple[str, Any]]:
    """Return names and values; files are read and closed."""
    found: list[tuple[str, Any]] = []
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            found.append((name, (value.filename, value.size, value.file.read(), value.headers.raw)))
            value.file.close()
        else:
            found.append((name, value))
    return found


def outcome(parser: FormParser | MultiPartParser) -> Outcome:
    """Parse small input to its end."""
    try:
        return contents(run(parser.parse()))
    except MultiPartException as exc:
        return exc.message
