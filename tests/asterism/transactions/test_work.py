"""Transactions outside of requests, and trying again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from asterism.problems import Problem
from asterism.transactions import in_transaction
from asterism.transactions._work import pause_before
from tests.asterism.transactions.support import Account, accounts, count, stored
from tests.asterism.transactions.test_failures import Meeting
from tests.postgresql import Cluster

pytestmark = pytest.mark.anyio


async def add(session: AsyncSession) -> int:
    session.add(Account(id=await count(session)))
    return 7


async def test_work_is_committed_and_its_result_returned(engine: AsyncEngine) -> None:
    assert await in_transaction(engine, add) == 7
    assert await stored(engine) == [(0, 0)]


async def test_an_error_rolls_back_and_is_not_tried_again(engine: AsyncEngine) -> None:
    calls: list[int] = []

    async def fail(session: AsyncSession) -> None:
        calls.append(await add(session))
        await session.flush()
        raise LookupError

    with pytest.raises(LookupError):
        await in_transaction(engine, fail)
    assert (len(calls), await stored(engine)) == (1, [])


async def test_a_conflict_is_not_tried_again(engine: AsyncEngine) -> None:
    calls: list[int] = []

    async def contradict(session: AsyncSession) -> None:
        calls.append(1)
        session.add(Account(id=1, balance=-1))

    with pytest.raises(Problem) as caught:
        await in_transaction(engine, contradict)
    assert (caught.value.status_code, len(calls)) == (409, 1)


async def test_those_in_the_way_of_each_other_all_succeed_in_the_end(postgresql: Cluster) -> None:
    meeting = Meeting(3)
    attempts: list[int] = []

    async def work(session: AsyncSession) -> None:
        found = await count(session)
        if meeting.missing:
            await meeting(session)
        attempts.append(found)
        session.add(Account(id=found))

    async def run() -> None:
        await in_transaction(engine, work, attempts=20, isolation_level="SERIALIZABLE", pause=lambda _: 0)

    async with accounts(postgresql.create_database()) as engine:
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(run)
        assert [number for number, _ in await stored(engine)] == [0, 1, 2]
    assert len(attempts) > 3


async def test_a_lock_that_took_too_long_is_tried_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'test.db'}"
    async with accounts(url, lock_timeout=0.01) as engine, engine.connect() as other:
        await other.execute(text("SELECT 1"))

        def free(attempt: int) -> float:
            pauses.append(attempt)
            return 0

        pauses: list[int] = []
        with pytest.raises(Problem, match="Too many change the same"):
            await in_transaction(engine, add, attempts=3, pause=free)
        await other.rollback()
        assert await in_transaction(engine, add, pause=free) == 7
    assert pauses == [2, 3]


@pytest.mark.parametrize("explained", [True, False])
async def test_the_last_failure_is_raised(postgresql: Cluster, explained: bool) -> None:
    calls: list[int] = []

    async def collide(session: AsyncSession) -> None:
        calls.append(1)
        await session.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$"))

    options: dict[str, Any] = {} if explained else {"explain": lambda _: None}
    async with accounts(postgresql.url(), pool_size=1) as engine:
        with pytest.raises(Exception, match="Nothing was changed" if explained else "40001"):
            await in_transaction(engine, collide, attempts=2, pause=lambda _: 0, **options)
    assert len(calls) == 2


async def test_there_has_to_be_an_attempt() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        await in_transaction(None, add, attempts=0)  # type: ignore[arg-type]  # never asked


@pytest.mark.parametrize("attempt", [2, 3, 50])
def test_pauses_are_short_and_grow(attempt: int) -> None:
    assert 0 <= pause_before(attempt) <= 0.01 * 2.0 ** min(attempt, 10)
