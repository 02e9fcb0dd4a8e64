"""Providers that several tests use, and the journal of what they do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

JOURNAL: list[str] = []


@contextmanager
def journal() -> Iterator[list[str]]:
    """Start an empty journal."""
    JOURNAL.clear()
    yield JOURNAL
    JOURNAL.clear()


async def session() -> AsyncIterator[str]:
    JOURNAL.append("open session")
    try:
        yield "session"
    except BaseException as exc:
        JOURNAL.append(f"session sees {type(exc).__name__}")
        raise
    finally:
        JOURNAL.append("close session")


def blocking() -> Iterator[str]:
    JOURNAL.append("open blocking")
    try:
        yield "blocking"
    except BaseException as exc:
        JOURNAL.append(f"blocking sees {type(exc).__name__}")
        raise
    finally:
        JOURNAL.append("close blocking")
