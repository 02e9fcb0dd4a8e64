"""Header fields as ASGI carries them: pairs of bytes, names in lower case (RFC 9110 §5, ASGI HTTP "headers").

Pure; imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Iterable


def checked_field(name: str, value: str) -> tuple[bytes, bytes]:
    """Return a field for `send()`: the name in lower case, both sides as latin-1.

    Raises:
        ValueError: Either side contains CR, LF or NUL, which could end the field and begin another (RFC 9110 §5.5).
        UnicodeEncodeError: Either side has characters outside of latin-1. This is a ValueError, too.
        AttributeError: The name or the value is not a string.
    """
    # SECURITY: response splitting (threats T03). Encoding comes first, since that refuses what is not a string.
    field = name.lower().encode("latin-1"), value.encode("latin-1")
    if "\r" in name or "\n" in name or "\0" in name:
        raise _refusal(name)
    if "\r" in value or "\n" in value or "\0" in value:
        raise _refusal(value)
    return field


def checked_value(value: str) -> bytes:
    """Return a field value for `send()` as latin-1; errors as of `checked_field`."""
    raw = value.encode("latin-1")
    if "\r" in value or "\n" in value or "\0" in value:
        raise _refusal(value)
    return raw


def lookup_name(key: object) -> bytes | None:
    """Return the stored form of a name that is looked up, None when no field can be called that."""
    if not isinstance(key, str):
        return None
    try:
        return key.lower().encode("latin-1")
    except UnicodeEncodeError:
        return None


def first_value(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """Return the value of the first field called `name` (in lower case), or None."""
    for key, value in headers:
        if key == name:
            return value
    return None


def _refusal(text: str) -> ValueError:
    return ValueError(f"a header field must not contain CR, LF or NUL, got {text[:80]!r}")
