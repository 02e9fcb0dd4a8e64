"""The text of a `Set-Cookie` field (RFC 6265 §4.1), in the form of the standard library's `http.cookies`. Pure."""

from __future__ import annotations

import functools
import string
import sys
import time
from typing import TYPE_CHECKING, Final

from starlette._http.validators import http_date

if TYPE_CHECKING:
    import datetime

_BARE: Final = frozenset(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~:")

# Inside of quotes: a backslash before quotes and backslashes, octal digits for what would end a value or is not ASCII.
_ESCAPES: Final = {
    **{code: f"\\{code:03o}" for code in range(256) if not (32 <= code < 127) or chr(code) in ";,"},
    ord('"'): '\\"',
    ord("\\"): "\\\\",
}

_SAMESITE: Final = frozenset({"lax", "strict", "none"})


def set_cookie_text(
    key: str,
    value: str,
    *,
    max_age: int | None,
    expires: datetime.datetime | str | int | None,
    path: str | None,
    domain: str | None,
    secure: bool,
    httponly: bool,
    samesite: str | None,
    partitioned: bool,
) -> str:
    """Return the value of one `Set-Cookie` field, attributes in alphabetical order.

    Args:
        max_age: Seconds to live.
        expires: A UTC datetime, seconds from now, or ready text.

    Raises:
        http.cookies.CookieError: `key` is not a token, or is the name of an attribute.
        ValueError: An attribute contains CR, LF, NUL or `;`, or `expires` is not in UTC.
        AssertionError: `samesite` is none of the three words.
    """
    if not key or not _BARE.issuperset(key):
        raise _cookie_error(f"Illegal key {key!r}")
    if key.lower() in _reserved():
        raise _cookie_error(f"Attempt to set a reserved key {key!r}")
    if samesite is not None and samesite.lower() not in _SAMESITE:
        # COMPAT: raised and not asserted, so that it holds with `-O` (responses R21).
        raise AssertionError("samesite must be either 'strict', 'lax' or 'none'")
    if partitioned and sys.version_info < (3, 14):
        raise ValueError("Partitioned cookies are only supported in Python 3.14 and above.")
    parts = [f"{key}={quoted(value)}"]
    if domain:
        parts.append(f"Domain={_attribute('domain', domain)}")
    if expires is not None and (date := _date(expires)):
        parts.append(f"expires={_attribute('expires', date)}")
    if httponly:
        parts.append("HttpOnly")
    if max_age is not None:
        parts.append(f"Max-Age={_attribute('max_age', str(max_age))}")
    if partitioned:
        parts.append("Partitioned")  # pragma: no cover  # only Python 3.14 and later come here
    if path:
        parts.append(f"Path={_attribute('path', path)}")
    if samesite is not None:
        parts.append(f"SameSite={samesite}")
    if secure:
        parts.append("Secure")
    return "; ".join(parts)


@functools.cache
def _reserved() -> frozenset[str]:
    """Return the names of attributes; a cookie cannot be called by one of them."""
    from http.cookies import Morsel

    return frozenset(Morsel())


def _cookie_error(text: str) -> Exception:
    from http.cookies import CookieError

    return CookieError(text)


def quoted(value: str) -> str:
    """Return a cookie value bare if it can be, else quoted and escaped: `a b` gives `"a b"`, `é` gives `"\\351"`."""
    if value and _BARE.issuperset(value):
        return value
    return f'"{value.translate(_ESCAPES)}"'


def _attribute(name: str, value: str) -> str:
    # SECURITY: `;` would begin another attribute, the others another field (threats T04.2).
    if ";" in value or "\r" in value or "\n" in value or "\0" in value:
        raise ValueError(f"{name} of a cookie must not contain CR, LF, NUL or ';', got {value[:80]!r}")
    return value


def _date(expires: datetime.datetime | str | int) -> str:
    if isinstance(expires, str):
        return expires
    if isinstance(expires, int):
        return http_date(int(time.time() + expires))
    from email.utils import format_datetime  # PERF: it loads twenty modules, and few cookies need it

    return format_datetime(expires, usegmt=True)
