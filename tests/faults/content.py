"""What is streamed, so that both sides know it."""

from __future__ import annotations

import hashlib

CHUNK = 64 * 1024

_NOISE = hashlib.shake_128(b"").digest(CHUNK - 16)


def chunk(number: int) -> bytes:
    """A chunk that differs from its neighbours, and that gzip makes no smaller."""
    return b"%016d" % number + _NOISE
