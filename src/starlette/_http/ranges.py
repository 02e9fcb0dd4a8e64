"""Byte ranges: the `Range` field of a request and `multipart/byteranges` bodies (RFC 9110 §14). Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

MALFORMED: Final = "Malformed range header."
WRONG_UNIT: Final = "Only support bytes range"
NO_RANGE: Final = "Range header: range must be requested"
INVERTED: Final = "Range header: start must be less than end"

# A number of more digits is behind the end of every file. `int` would refuse thousands of them.
_DIGITS: Final = 19
_BEYOND: Final = 10**_DIGITS


class Refusal(NamedTuple):
    """Why no range can be sent: the status, and the text of the body (empty with 416)."""

    status: int
    text: str


def select_ranges(field: str, size: int, most: int) -> list[tuple[int, int]] | Refusal | None:
    """Return the parts of a file that a `Range` field asks for.

    Args:
        field: The value as received: `"bytes=0-99, -10"`.
        size: The length of the file in bytes.
        most: How many ranges may be asked for; the count is by commas, before anything is parsed.

    Returns:
        Pairs of a start and the position behind the end, in order, apart from one another and inside of the file;
        a Refusal with status 400 or 416; or None when the field asks for too many and is to be ignored.
    """
    unit, equals, listed = field.partition("=")
    if not equals:
        return Refusal(400, MALFORMED)
    if unit.strip().lower() != "bytes":
        return Refusal(400, WRONG_UNIT)
    # SECURITY: what follows costs a step for each item, so their number is bounded first (CVE-2011-3192).
    if listed.count(",") >= most:
        return None
    asked = [pair for item in listed.split(",") if (pair := _positions(item, size)) is not None]
    if not asked:
        return Refusal(400, NO_RANGE)
    # RFC 9110 §14.1.2: a set is satisfiable when one of its ranges is; the others are dropped.
    inside = [(start, stop) for start, stop in asked if 0 <= start < size]
    found = [(start, min(stop, size)) for start, stop in inside if start < stop]
    if found and len(found) == len(inside):
        return _merged(found)
    return Refusal(400, INVERTED) if found or len(inside) == len(asked) else Refusal(416, "")


def _positions(item: str, size: int) -> tuple[int, int] | None:
    """Return start and the position behind the end as the item says them; None if it is no range."""
    first, dash, last = item.partition("-")
    first, last = first.strip(" \t"), last.strip(" \t")
    if not dash or not (first or last):
        return None
    start, end = _number(first), _number(last)
    if start is None or end is None:
        return None
    if not first:  # the last `end` bytes; of none of them nothing can be sent
        return (max(size - end, 0) if end else size), size
    return start, end + 1 if last else max(size, start + 1)


def _number(digits: str) -> int | None:
    """Return the number, 0 for an empty text, None for anything but ASCII digits (threats T12.3)."""
    if not digits:
        return 0
    if not (digits.isascii() and digits.isdigit()):
        return None
    digits = digits.lstrip("0")
    return _BEYOND if len(digits) > _DIGITS else int(digits or "0")


def _merged(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sort, and join what overlaps or touches."""
    found.sort()
    merged = found[:1]
    for start, stop in found:
        if start > merged[-1][1]:
            merged.append((start, stop))
        elif stop > merged[-1][1]:
            merged[-1] = (merged[-1][0], stop)
    return merged


def content_range(start: int, stop: int, size: int) -> str:
    """Return the value of `Content-Range`: `bytes 0-99/526` for the first hundred bytes."""
    return f"bytes {start}-{stop - 1}/{size}"


def multipart_layout(
    ranges: Sequence[tuple[int, int]], boundary: str, size: int, content_type: str
) -> tuple[int, Callable[[int, int], bytes]]:
    """Return the length of a `multipart/byteranges` body and a function that gives the head of a part.

    The body is a head, the bytes and CRLF for each range, and last the closing delimiter (RFC 9110 §14.6).
    """
    opening = f"--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: ".encode("latin-1")

    def head(start: int, stop: int) -> bytes:
        return b"%bbytes %d-%d/%d\r\n\r\n" % (opening, start, stop - 1, size)

    parts = sum(len(head(start, stop)) + stop - start + 2 for start, stop in ranges)
    return parts + len(boundary) + 4, head
