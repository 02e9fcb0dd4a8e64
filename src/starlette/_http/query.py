"""Query strings: `application/x-www-form-urlencoded` text to pairs and back (WHATWG URL §5.1, §5.2).

Pure; imports nothing of ours. `&` is the only separator: a `;` that some parsers also split at would give a filter in
front other fields than ours.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote, unquote_to_bytes


def parse_query(text: str) -> list[tuple[str, str]]:
    """Return the pairs of a query without its `?`, in order: `"a=1&b&a=2"` is `[("a", "1"), ("b", ""), ("a", "2")]`.

    A piece without `=` has an empty value; empty pieces are dropped. `+` is a blank; escapes are UTF-8, and octets that
    are none become U+FFFD. Nothing raises. The result is that of `urllib.parse.parse_qsl(keep_blank_values=True)`.
    """
    pairs: list[tuple[str, str]] = []
    for piece in text.replace("+", " ").split("&"):
        if piece:
            name, _, value = piece.partition("=")
            # PERF: most pieces have nothing to decode.
            if "%" in piece:
                name = _unescaped(name) if "%" in name else name
                value = _unescaped(value)
            pairs.append((name, value))
    return pairs


def _unescaped(text: str) -> str:
    first, *rest = text.split("%")
    # PERF: most escapes are of ASCII: 0.5 of the time of `unquote`, which has to gather octets.
    parts = [first]
    for part in rest:
        character = _ASCII.get(part[:2])
        if character is None:
            return unquote_to_bytes(text).decode("utf-8", "replace") if text.isascii() else unquote(text)
        parts += (character, part[2:])
    return "".join(parts)


_ASCII: Final = {f"{code:{form}}": chr(code) for code in range(128) for form in ("02X", "02x")}
