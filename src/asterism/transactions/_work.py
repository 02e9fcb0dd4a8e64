"""A transaction that is tried again when others were in its way."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import anyio

from asterism.transactions._failures import Failure, failure_of, problem_of
from asterism.transactions._library import AsyncEngine, AsyncSession
from asterism.transactions._session import Explain, Settings, transact

T = TypeVar("T")

# Seconds; doubled with every attempt.
_FIRST_PAUSE: Final = 0.01


def pause_before(attempt: int) -> float:
    """Return how many seconds to wait before an attempt, the second being number 2: random, so that two part."""
    return random.uniform(0, _FIRST_PAUSE * 2.0 ** min(attempt, 10))


async def in_transaction(
    engine: AsyncEngine,
    work: Callable[[AsyncSession], Awaitable[T]],
    *,
    attempts: int = 3,
    read_only: bool = False,
    isolation_level: str | None = None,
    explain: Explain = problem_of,
    pause: Callable[[int], float] = pause_before,
) -> T:
    """Call `work(session)` in a transaction, commit, and return the result.

        order = await in_transaction(engine, functools.partial(place, order), isolation_level="SERIALIZABLE")

    For what no request belongs to, such as background tasks and messages of a WebSocket; and for endpoints whose
    transactions often fail because of others: after a serialization failure, a deadlock or a lock that took too long,
    everything is rolled back and `work` is called again, with a new session. So it has to do nothing that cannot be
    done twice, such as sending mail.

    Args:
        engine: The database.
        work: What to do. An exception rolls back.
        attempts: How many times it is called at most.
        read_only, isolation_level, explain: As for `transaction`.
        pause: Returns the seconds to wait before an attempt, by its number.

    Raises:
        Problem: For an error of the database that is no mistake of the program; the last, when no attempt is left.
        ValueError: `attempts` is less than 1, or `isolation_level` is AUTOCOMMIT.
    """
    if attempts < 1:
        raise ValueError(f"attempts must be at least 1, got {attempts!r}")
    settings = Settings(read_only=read_only, isolation_level=isolation_level, explain=explain)
    for attempt in range(2, attempts + 1):
        try:
            return await _attempt(engine, work, settings)
        except Exception as exc:
            if Failure.COLLISION not in (failure_of(exc), exc.__cause__ and failure_of(exc.__cause__)):
                raise
        await anyio.sleep(pause(attempt))
    return await _attempt(engine, work, settings)


async def _attempt(engine: AsyncEngine, work: Callable[[AsyncSession], Awaitable[T]], settings: Settings) -> T:
    async with transact(engine, settings) as session:
        return await work(session)
