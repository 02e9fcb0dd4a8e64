"""Reading the `Cookie` field the way browsers' quirks demand (RFC 6265 §5.4). Pure; imports nothing of ours.

Nothing is ever refused: whatever a peer sends is some mapping of names to values, in time linear in its length.
"""

from __future__ import annotations

import re
from typing import Final

# An escape in a quoted value: three octal digits of one octet, or any one character but a line feed.
_ESCAPE: Final = re.compile(r"\\(?:([0-3][0-7][0-7])|(.))")

# SECURITY: only SP and HTAB are blanks (RFC 6265 §5.2). Trimming NBSP or NEL too would let a sender that may not set
# `__Host-x` forge it by a name that begins with one of them.
_BLANKS: Final = " \t"


def cookie_parser(cookie_string: str) -> dict[str, str]:
    r"""Read one `Cookie` value: `'a=b; c="x y"'` gives `{"a": "b", "c": "x y"}`.

    Args:
        cookie_string: The value as received, decoded as latin-1.

    Returns:
        Names and unquoted values; of equal names the last counts. Every `;` separates, also inside quotes, and the
        first `=` of a piece ends its name; a piece without one is the value of the empty name. Percent escapes stay.
    """
    cookies: dict[str, str] = {}
    for piece in cookie_string.split(";"):
        name, equals, value = piece.partition("=")
        if equals:
            name = name.strip(_BLANKS)
        else:
            name, value = "", name
        value = value.strip(_BLANKS)
        if value or name:
            cookies[name] = unquote(value) if '"' in value else value
    return cookies


def unquote(value: str) -> str:
    r"""Take the quotes off a value that begins and ends with one, and decode its escapes: `'"x\054y"'` is `x,y`.

    Any other value is returned as it is. The time is linear, unlike that of `http.cookies` on older interpreters.
    """
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    inner = value[1:-1]
    return _ESCAPE.sub(_unescape, inner) if "\\" in inner else inner


def _unescape(match: re.Match[str]) -> str:
    octal, character = match.groups()
    return character if octal is None else chr(int(octal, 8))
