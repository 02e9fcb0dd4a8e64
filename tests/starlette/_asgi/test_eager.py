"""A task that is run on the spot until the loop takes it over."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Any

import anyio
import pytest

from starlette._asgi.eager import MANY_SHELLS, EagerTask

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)]


def eager(work: Coroutine[Any, Any, None]) -> EagerTask:
    return EagerTask(work, asyncio.get_running_loop(), "eager")


def named() -> list[asyncio.Task[Any]]:
    return [task for task in asyncio.all_tasks() if task.get_name() == "eager"]


async def turns(count: int = 4) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_it_runs_at_once_as_a_task_of_its_own() -> None:
    outer = asyncio.current_task()
    seen: list[object] = []

    async def work() -> None:
        seen.append(asyncio.current_task())

    eager(work()).start()
    assert len(seen) == 1
    assert isinstance(seen[0], asyncio.Task)
    assert seen[0] is not outer is asyncio.current_task()


async def test_nothing_is_left_of_one_that_never_waited() -> None:
    async def work() -> None:
        pass

    task = eager(work())
    task.start()
    assert named() == []
    await turns()
    assert not task.resume()


async def test_its_context_is_a_copy() -> None:
    variable: ContextVar[int] = ContextVar("variable")
    variable.set(1)
    seen: list[int] = []

    async def work() -> None:
        for _ in range(3):
            seen.append(variable.get())
            variable.set(variable.get() + 1)
            await asyncio.sleep(0)

    eager(work()).start()
    await turns()
    assert (seen, variable.get()) == ([1, 2, 3], 1)


async def test_it_is_the_same_task_before_and_after_the_loop_takes_over() -> None:
    tasks: set[object] = set()
    first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    second: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        with anyio.CancelScope():
            async with asyncio.timeout(5):
                tasks.add(asyncio.current_task())
                await first
                tasks.add(asyncio.current_task())
                await second
                tasks.add(asyncio.current_task())

    task = eager(work())
    task.start()
    assert not task.resume()
    first.set_result(None)
    assert task.resume()
    assert not task.resume()
    await turns()
    second.set_result(None)
    assert not task.resume()
    await turns()
    assert tasks == {task._task}
    assert task._task.done()


async def test_it_can_be_started_where_no_task_runs() -> None:
    seen: list[object] = []

    async def work() -> None:
        seen.append(asyncio.current_task())

    def start() -> None:
        eager(work()).start()
        seen.append(asyncio.current_task())

    asyncio.get_running_loop().call_soon(start)
    await turns()
    assert isinstance(seen[0], asyncio.Task)
    assert seen[1] is None


async def test_it_is_not_resumed_from_within() -> None:
    answers: list[bool] = []

    async def work() -> None:
        answers.append(task.resume())

    task = eager(work())
    task.start()
    assert answers == [False]


async def test_a_long_run_is_left_to_the_loop() -> None:
    steps = 0
    futures: list[asyncio.Future[None]] = []

    async def work() -> None:
        nonlocal steps
        while steps < 100:
            futures.append(asyncio.get_running_loop().create_future())
            futures[-1].set_result(None)
            await Waiting(futures[-1])
            steps += 1

    task = eager(work())
    task.start()
    while task.resume():
        pass
    assert 1 < steps < 100
    await turns(210)
    assert steps == 100


class Waiting:
    """Wait for a future even when it is done already."""

    def __init__(self, future: asyncio.Future[None]) -> None:
        self.future = future

    def __await__(self) -> Any:
        self.future._asyncio_future_blocking = True
        yield self.future


@pytest.mark.parametrize("delay", [0, 3], ids=["before-the-loop-took-over", "after"])
async def test_a_cancellation_goes_through_what_is_waited_for(delay: int) -> None:
    message: list[object] = []
    inner = asyncio.ensure_future(anyio.sleep_forever())
    await turns(1)

    async def work() -> None:
        try:
            await inner
        except asyncio.CancelledError as exc:
            message.extend(exc.args)
            raise

    task = eager(work())
    task.start()
    await turns(delay)
    task._task.cancel("why")
    assert not task.resume()
    await turns()
    assert (message, inner.cancelled(), task._task.cancelled()) == (["why"], True, True)


async def test_a_cancellation_reaches_what_only_gave_up_its_turn() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            ended.append("cancelled")

    task = eager(work())
    task.start()
    task._task.cancel()
    await turns()
    assert (ended, task._task.cancelled()) == (["cancelled"], True)


async def test_cancelling_the_shell_of_one_that_ended_does_nothing() -> None:
    tasks: list[asyncio.Task[Any]] = []

    async def work() -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.append(task)

    eager(work()).start()
    tasks[0].cancel()
    await turns()
    assert tasks[0].done()
    assert not tasks[0].cancelled()


async def test_debuggers_see_the_coroutine() -> None:
    async def work() -> None:
        await anyio.sleep_forever()

    task = eager(work())
    task.start()
    assert inspect.getcoroutinestate(task) == inspect.CORO_SUSPENDED  # as AnyIO asks
    assert task._task.get_stack()[0].f_code.co_name == "work"
    assert "eager" in repr(task._task)
    task._task.cancel()
    await turns()


async def test_it_is_awaited_by_nobody() -> None:
    async def work() -> None:
        pass

    task = eager(work())
    with pytest.raises(TypeError, match="only its task runs it"):
        await task
    await turns()


async def test_one_that_is_closed_has_ended() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("closed")

    task = eager(work())
    task.start()
    await turns()
    task.close()
    assert ended == ["closed"]
    task._task.cancel()
    with pytest.raises(RuntimeError, match="already awaited"):
        await task._task


async def test_many_in_a_row_let_the_loop_have_its_turn() -> None:
    async def work() -> None:
        pass

    turned: list[int] = []
    asyncio.get_running_loop().call_soon(turned.append, 1)
    for _ in range(100):
        eager(work()).start()
        if EagerTask.shells >= MANY_SHELLS:
            await EagerTask.let_loop_drop_shells()
    assert turned == [1]
    assert EagerTask.shells < MANY_SHELLS
