"""How a target reads its input, and how it says what is wrong. Inputs are made so that seeds can be written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote_to_bytes


class Dial:
    """Small numbers from the first line of an input, in order; 0 when there are no more.

    A digit is that number, any other octet its code, so that hand-written seeds can say `012`.
    """

    def __init__(self, line: bytes) -> None:
        self._octets = iter(line)

    def number(self, most: int) -> int:
        """Return the next number, from 0 to `most`."""
        octet = next(self._octets, 0)
        return (octet - 48 if 48 <= octet < 58 else octet) % (most + 1)

    def rest(self) -> list[int]:
        """Return all that are left, each from 0 to 255."""
        return [octet - 48 if 48 <= octet < 58 else octet for octet in self._octets]


def dialled(data: bytes) -> tuple[Dial, bytes]:
    """Cut an input at its first line feed: settings, and what they are for."""
    line, _, rest = data.partition(b"\n")
    return Dial(line), rest


def chunked(body: bytes, sizes: list[int]) -> Iterator[bytes]:
    """Cut a body into chunks of these sizes, again and again; as a whole without any size above 0."""
    if not any(sizes):
        yield body
        return
    start = turn = 0
    while start < len(body):
        size = sizes[turn % len(sizes)]
        yield body[start : start + size]
        start += size
        turn += 1


def text_lines(data: bytes) -> list[str]:
    """Return the lines of an input as text, percent escapes decoded: `a%0A` has a line feed."""
    return [decoded(line) for line in data.split(b"\n")]


def decoded(line: bytes) -> str:
    """Return octets as text the way servers decode a path: escapes first, then UTF-8 with replacements."""
    return unquote_to_bytes(line).decode("utf-8", "replace")


def agree(actual: object, expected: object, about: object) -> None:
    """Raise AssertionError unless both are equal; a finding says what it is about, what came, what should have."""
    if actual != expected:
        raise AssertionError(f"{about!r}\n  gives    {actual!r}\n  expected {expected!r}")


def require(holds: object, about: object) -> None:
    """Raise AssertionError with `about` unless something is true."""
    if not holds:
        raise AssertionError(f"does not hold: {about!r}")
