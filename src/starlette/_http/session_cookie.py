"""The value of a session cookie: JSON in base64, with a time stamp and a signature. Pure.

The format is that of `itsdangerous.TimestampSigner` with its defaults, so that live sessions survive an upgrade. `Seal`
makes the same signature from what can be prepared once for a key; a property test holds one against the other.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from binascii import a2b_base64, b2a_base64
from typing import Any, Final

from starlette._http.json_text import load_text, writer_of

# The defaults of itsdangerous, which are a part of the format.
_SALT: Final = b"itsdangerous.Signer"
_PURPOSE: Final = b"signer"
_TO_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")

# Four octets in base64: the seconds since 1970 from 1970-07 until 2106.
_STAMP_LENGTH: Final = 6

_dump: Final = writer_of(json.JSONEncoder())


class Seal:
    """Sign and verify with one key: `sign(b"YQ==", 1)` gives `b"YQ==.AQ.q-...."`.

    PERF: about a quarter of the time of the signer of itsdangerous, which derives the key for every call.

    Args:
        secret_key: As it was given to the signer.
    """

    __slots__ = ("_keyed", "_secret_key")

    def __init__(self, secret_key: bytes) -> None:
        self._secret_key = secret_key
        derived = hashlib.sha1(_SALT + _PURPOSE + secret_key).digest()
        self._keyed = hmac.new(derived, digestmod=hashlib.sha1)

    def __reduce__(self) -> tuple[Any, ...]:
        return Seal, (self._secret_key,)  # hashes in progress can be neither pickled nor copied deeply

    def signature(self, value: bytes) -> bytes:
        """Return the signature of `value` as URL-safe base64 without padding."""
        digest = self._keyed.copy()
        digest.update(value)
        return b2a_base64(digest.digest(), newline=False).rstrip(b"=").translate(_TO_URL_SAFE)

    def sign(self, payload: bytes, now: int) -> bytes:
        """Return `payload` with the time in seconds since 1970 and the signature of both."""
        stamp = b2a_base64(now.to_bytes((now.bit_length() + 7) // 8, "big"), newline=False)
        value = payload + b"." + stamp.rstrip(b"=").translate(_TO_URL_SAFE)
        return value + b"." + self.signature(value)

    def verify(self, signed: bytes, now: int, max_age: int | None) -> bytes | None:
        """Return the payload of what `sign` made from 0 to `max_age` seconds ago, or at any time if that is None.

        Returns:
            None for everything else, which may still be another spelling of something valid: ask the signer.
        """
        value, _, signature = signed.rpartition(b".")
        if not hmac.compare_digest(signature, self.signature(value)):
            return None
        payload, dot, stamp = value.rpartition(b".")
        seconds = _seconds(stamp) if dot else None
        if seconds is None or (max_age is not None and not 0 <= now - seconds <= max_age):
            return None
        return payload


def _seconds(stamp: bytes) -> int | None:
    """Return the time of a stamp; None for one that no clock of this century makes."""
    if len(stamp) != _STAMP_LENGTH:
        return None
    try:
        octets = a2b_base64(stamp.translate(_FROM_URL_SAFE) + b"==")
    except ValueError:
        return None
    # What is no base64 was skipped.
    return int.from_bytes(octets, "big") if len(octets) == 4 else None


def dump_session(session: Any) -> bytes:
    """Return a session as the text of its cookie, unsigned: `{"a": 1}` gives `b"eyJhIjogMX0="`.

    Raises:
        TypeError: It holds what JSON cannot.
        ValueError: It contains itself.
    """
    return b2a_base64(_dump(session).encode("ascii"), newline=False)


def load_session(payload: bytes) -> dict[str, Any] | None:
    """Return what `dump_session` was given; None if it was not a JSON object, in base64."""
    # SECURITY: the key may have signed something else; the visitor must not get an error for ever (threats T08.3).
    try:
        content = load_text(a2b_base64(payload).decode())
    except (ValueError, RecursionError):
        return None
    return content if type(content) is dict else None
