"""What both sides of the traffic have to know."""

from __future__ import annotations

from typing import Final

# Bytes of each chunk of a stream.
CHUNK: Final = 16 * 1024
