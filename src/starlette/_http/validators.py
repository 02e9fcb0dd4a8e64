"""Validators of a representation and the conditions that use them (RFC 9110 §8.8, §13.1). Pure."""

from __future__ import annotations

import functools
import math
import re
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import datetime

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# The longest form, that of RFC 850, has 33 characters. Anything much longer is no date and not worth parsing.
_LONGEST_DATE: Final = 64

# A listed tag between commas. Only needed for a tag that contains a comma: the field cannot be split then.
_LISTED_TAG: Final = re.compile(r'(?:^|,)[ \t]*(?:W/)?("[^"]*")[ \t]*(?=,|$)')


@functools.lru_cache(maxsize=1024)
def http_date(seconds: int) -> str:
    """Return a time in seconds since 1970 as an IMF date: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7)."""
    year, month, day, hour, minute, second, weekday, _, _ = time.gmtime(seconds)
    date = f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year:04}"
    return f"{date} {hour:02}:{minute:02}:{second:02} GMT"


def stat_fields(modified: float, size: int) -> tuple[str, str]:
    """Return `Last-Modified` and a strong `ETag` for a file of that modification time and size."""
    import hashlib  # PERF: it loads OpenSSL

    digest = hashlib.md5(f"{modified}-{size}".encode(), usedforsecurity=False).hexdigest()
    return http_date(math.floor(modified)), f'"{digest}"'


def none_match(field: str, etag: str) -> bool:
    """Tell whether `If-None-Match` fails, so that a 304 may be sent.

    Args:
        field: The value as received: `'W/"a1", "b2"'`, or `"*"`.
        etag: The current tag with its quotes: `'"a1"'`.

    Returns:
        True when `field` is `*` or lists `etag`; weakness is ignored on both sides (RFC 9110 §13.1.2).
    """
    if field.strip() == "*":
        return True
    tag = etag.removeprefix("W/")
    if "," in tag:
        return tag in _LISTED_TAG.findall(field)
    return any(item.strip().removeprefix("W/") == tag for item in field.split(","))


def unmodified_since(field: str, last_modified: str) -> bool:
    """Tell whether `If-Modified-Since` fails: both are dates, and the file is not newer (RFC 9110 §13.1.3).

    Three forms of dates are understood; a date in another zone than GMT or no date at all is ignored.
    """
    if field == last_modified:  # what a client sends that repeats what it was given
        return parse_date(field) is not None
    since, modified = parse_date(field), parse_date(last_modified)
    return since is not None and modified is not None and since >= modified


def parse_date(text: str) -> datetime.datetime | None:
    """Return an HTTP date as a naive datetime in GMT, None for any other text."""
    if len(text) > _LONGEST_DATE:
        return None
    import datetime
    from email.utils import parsedate_tz  # PERF: it loads twenty modules, and only answers to conditions need it

    try:
        parts = parsedate_tz(text)
        if parts is None or parts[9]:
            return None
        return datetime.datetime(*parts[:6])
    except (ValueError, IndexError, TypeError, OverflowError):  # what parsing odd text has been seen to raise
        return None


def range_condition(field: bytes, last_modified: bytes | None, etag: bytes | None) -> bool:
    """Tell whether `If-Range` allows a partial answer: it is exactly a strong validator (RFC 9110 §13.1.5)."""
    return field != b"" and not field.startswith(b"W/") and field in (last_modified, etag)
