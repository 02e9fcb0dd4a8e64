"""A task that is run on the spot until the loop takes it over."""

from __future__ import annotations

import asyncio
import inspect
import weakref
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary

import anyio
import anyio.lowlevel
import pytest

from starlette._asgi.eager import MANY_SHELLS, EagerTask

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)]


def eager(work: Coroutine[Any, Any, None]) -> EagerTask:
    return EagerTask(work, asyncio.get_running_loop(), "eager")


def begin(work: Coroutine[Any, Any, None]) -> EagerTask:
    task = eager(work)
    task.start()
    task.make_known()
    return task


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

    task = begin(work())
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

    begin(work())
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

    task = begin(work())
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

    task = begin(work())
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

    task = begin(work())
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

    task = begin(work())
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


def current() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


class Telling(EagerTask):
    """One that tells which task is current when it becomes known."""

    __slots__ = ("told",)

    def __init__(self, work: Coroutine[Any, Any, None], told: list[asyncio.Task[Any] | None]) -> None:
        super().__init__(work, asyncio.get_running_loop(), "eager")
        self.told = told

    def on_known(self) -> None:
        self.told.append(asyncio.current_task())


LOOKS: list[Any] = [
    pytest.param(lambda task: task.get_name() == "eager", id="name"),
    pytest.param(lambda task: task in {task: 1}, id="hash"),
    pytest.param(lambda task: task in WeakKeyDictionary({task: 1}), id="weak-key"),
    pytest.param(lambda task: "name='eager'" in repr(task), id="repr"),
    pytest.param(lambda task: type(task).__await__(task) is not None, id="await"),
    pytest.param(lambda task: asyncio.isfuture(task) and not task.done(), id="done"),
    pytest.param(lambda task: task.get_loop() is asyncio.get_running_loop(), id="loop"),
]


@pytest.mark.parametrize("look", LOOKS)
async def test_who_looks_at_the_task_while_it_runs_sees_a_common_one(look: Callable[[object], bool]) -> None:
    told: list[asyncio.Task[Any] | None] = []
    seen: list[asyncio.Task[Any]] = []

    async def work() -> None:
        seen.append(current())
        assert told == []
        assert look(seen[0])
        assert told == seen == named()
        assert look(seen[0])
        assert hash(seen[0]) == object.__hash__(seen[0])

    task = Telling(work(), told)
    task.start()
    assert len(told) == 1
    await turns()
    assert seen[0].done()


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("place", ["in-a-task", "in-a-callback"])
async def test_who_looks_at_it_while_it_waits_sees_a_common_one(look: Callable[[object], bool], place: str) -> None:
    told: list[asyncio.Task[Any] | None] = []
    seen: list[asyncio.Task[Any]] = []
    answers: list[bool] = []
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        seen.append(current())
        await future
        seen.append(current())

    task = Telling(work(), told)
    task.start()
    await turns()
    assert task.pending is future
    assert (told, named()) == ([], [])
    outer = current()
    if place == "in-a-task":
        answers.append(look(seen[0]))
    else:
        asyncio.get_running_loop().call_soon(lambda: answers.append(look(seen[0])))
    await turns()
    assert outer is current()
    assert answers == [True]
    assert told == named() == seen
    future.set_result(None)
    await turns()
    assert seen[0] is seen[1]
    assert seen[0].done()


@pytest.mark.parametrize("look", LOOKS)
async def test_who_looks_at_it_when_it_has_ended_sees_one_that_ends(look: Callable[[object], bool]) -> None:
    told: list[asyncio.Task[Any] | None] = []
    seen: list[asyncio.Task[Any]] = []

    async def work() -> None:
        seen.append(current())

    task = Telling(work(), told)
    task.start()
    task.make_known()
    assert look(seen[0])
    await seen[0]
    assert told == []


async def test_one_that_nobody_looked_at_leaves_nothing() -> None:
    async def work() -> None:
        assert asyncio.current_task() is not outer

    outer = asyncio.current_task()
    shells = EagerTask.shells
    task = eager(work())
    task.start()
    known = weakref.ref(task)
    del task
    assert known() is None  # without a collection
    assert EagerTask.shells == shells


async def test_asyncios_task_in_python_is_initialized_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("starlette._asgi.eager._STAYS_UNKNOWN", False)
    seen: list[object] = []

    async def work() -> None:
        seen.extend(named())

    eager(work()).start()
    assert len(seen) == 1
    await turns()


async def test_debuggers_see_the_coroutine() -> None:
    async def work() -> None:
        await anyio.sleep_forever()

    task = begin(work())
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
    task.start()


async def test_one_that_is_closed_has_ended() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("closed")

    task = begin(work())
    await turns()
    task.close()
    assert ended == ["closed"]
    task._task.cancel()
    with pytest.raises(RuntimeError, match="already awaited"):
        await task._task


async def test_many_in_a_row_let_the_loop_have_its_turn() -> None:
    async def work() -> None:
        assert current().get_name() == "eager"

    turned: list[int] = []
    asyncio.get_running_loop().call_soon(turned.append, 1)
    for _ in range(100):
        eager(work()).start()
        if EagerTask.shells >= MANY_SHELLS:
            await EagerTask.let_loop_drop_shells()
    assert turned == [1]
    assert EagerTask.shells < MANY_SHELLS
