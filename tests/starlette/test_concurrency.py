"""`starlette.concurrency` (background_concurrency R8-R10)."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterator
from typing import Any

import anyio
import anyio.to_thread
import pytest

from starlette.concurrency import iterate_in_threadpool, run_in_threadpool, run_until_first_complete
from starlette.exceptions import StarletteDeprecationWarning

word: contextvars.ContextVar[str] = contextvars.ContextVar("word", default="unset")


@pytest.mark.anyio
async def test_a_function_runs_in_a_worker_thread() -> None:  # concurrency R8
    def work(*args: int, **kwargs: int) -> tuple[Any, ...]:
        return threading.current_thread(), args, kwargs

    thread, args, kwargs = await run_in_threadpool(work, 1, 2, three=3)
    assert thread is not threading.main_thread()
    assert (args, kwargs) == ((1, 2), {"three": 3})
    assert (await run_in_threadpool(work))[1:] == ((), {})


@pytest.mark.anyio
async def test_exceptions_of_the_thread_propagate() -> None:  # concurrency R8
    run: Any = run_in_threadpool
    with pytest.raises(ZeroDivisionError):
        await run_in_threadpool(lambda: 1 // 0)
    with pytest.raises(TypeError, match="func"):
        await run(print, func=1)


@pytest.mark.anyio
async def test_stop_iteration_becomes_a_runtime_error() -> None:  # concurrency R8
    with pytest.raises(RuntimeError, match="coroutine raised StopIteration"):
        await run_in_threadpool(next, iter(()))


@pytest.mark.anyio
async def test_context_variables_are_copied_into_the_thread() -> None:  # concurrency R8, threats R10
    def work() -> str:
        found = word.get()
        word.set("changed")
        return found

    word.set("outside")
    assert await run_in_threadpool(work) == "outside"
    assert word.get() == "outside"


@pytest.mark.anyio
async def test_the_default_limiter_bounds_the_threads() -> None:  # concurrency R8
    limiter = anyio.to_thread.current_default_thread_limiter()
    borrowed = await run_in_threadpool(lambda: limiter.borrowed_tokens)
    assert borrowed == 1
    assert limiter.borrowed_tokens == 0


@pytest.mark.anyio
async def test_a_cancelled_call_is_not_abandoned() -> None:  # concurrency R8, threats R01
    started, finish = threading.Event(), threading.Event()
    finished = False

    def work() -> None:
        nonlocal finished
        started.set()
        finish.wait(10)
        finished = True

    async with anyio.create_task_group() as group:

        async def cancel() -> None:
            await anyio.to_thread.run_sync(started.wait, 10)
            group.cancel_scope.cancel()
            finish.set()

        group.start_soon(cancel)
        await run_in_threadpool(work)
    assert finished


class OnlyIterable:
    """An iterable that is no iterator, and counts how often it was asked for one."""

    def __init__(self) -> None:
        self.asked = 0

    def __iter__(self) -> Iterator[int]:
        self.asked += 1
        return iter([1, 2, 3])


@pytest.mark.anyio
async def test_an_iterable_is_stepped_in_worker_threads() -> None:  # concurrency R9
    threads: set[threading.Thread] = set()

    def count() -> Iterator[int]:
        for number in range(3):
            threads.add(threading.current_thread())
            yield number

    assert [item async for item in iterate_in_threadpool(count())] == [0, 1, 2]
    assert threads
    assert threading.main_thread() not in threads


@pytest.mark.anyio
async def test_iter_is_called_once_and_late() -> None:  # concurrency R9
    source = OnlyIterable()
    steps = iterate_in_threadpool(source)
    assert source.asked == 0
    assert [item async for item in steps] == [1, 2, 3]
    assert source.asked == 1
    number: Any = 5
    with pytest.raises(TypeError, match="not iterable"):
        [item async for item in iterate_in_threadpool(number)]


@pytest.mark.anyio
async def test_an_exception_of_the_iterable_propagates_and_nothing_is_rewound() -> None:  # concurrency R9
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    steps = iterate_in_threadpool(broken())
    assert await anext(aiter(steps)) == 1
    with pytest.raises(ValueError, match="broken"):
        await anext(aiter(steps))

    rest = iter([1, 2, 3])
    early: Any = iterate_in_threadpool(rest)
    assert await anext(early) == 1
    await early.aclose()
    assert list(rest) == [2, 3]


@pytest.mark.anyio
async def test_the_first_to_complete_cancels_the_others() -> None:  # concurrency R10
    log: list[str] = []

    async def quick(text: str) -> str:
        log.append(text)
        return "dropped"

    async def forever() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            log.append("cancelled")

    with pytest.warns(StarletteDeprecationWarning, match="run_until_first_complete is deprecated and will be removed"):
        result: Any = await run_until_first_complete((forever, {}), (quick, {"text": "done"}))  # type: ignore[func-returns-value]
    assert result is None
    assert sorted(log) == ["cancelled", "done"]


@pytest.mark.anyio
async def test_a_failure_of_one_is_a_group() -> None:  # concurrency R10
    async def fail() -> None:
        raise ValueError("broken")

    with pytest.warns(StarletteDeprecationWarning), pytest.raises(ExceptionGroup) as caught:
        await run_until_first_complete((fail, {}), (anyio.sleep_forever, {}))
    assert [type(exc) for exc in caught.value.exceptions] == [ValueError]
