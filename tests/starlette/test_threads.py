"""Calls in worker threads: what AnyIO promises for them holds on the way through our pool as on AnyIO's own.

Most tests run on both ways, so they also tell whether the ways agree.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import gc
import importlib.util
import sys
import threading
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest
import sniffio
from anyio._backends import _asyncio as backend

from starlette import _threads
from starlette._threads import run_sync, run_to_end
from tests.threads import PATIENCE, BrokenOff, begun_too_late, cancelled_at_the_end, no_thread_free, until

word: contextvars.ContextVar[str] = contextvars.ContextVar("word", default="unset")


@pytest.fixture(params=["pool", "anyio"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let calls go through our pool, or find an AnyIO that is not understood."""
    if request.param == "anyio":
        monkeypatch.setattr(_threads, "_parts", lambda: None)
    return str(request.param)


def run(main: Callable[[], Coroutine[Any, Any, Any]], *, on: str = "asyncio") -> Any:
    """Run `main` in an event loop without any cancel scope, and wait until its worker threads have ended."""
    before = set(threading.enumerate())
    if on == "uvloop":
        uvloop = pytest.importorskip("uvloop")
        result = uvloop.run(main())
    else:
        result = asyncio.run(main())
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    return result


def limiter() -> anyio.CapacityLimiter:
    return anyio.to_thread.current_default_thread_limiter()


async def waiting(count: int) -> None:
    await until(lambda: limiter().statistics().tasks_waiting == count)


class Gate:
    """Calls that wait in their thread until they are let go; `inside` lists the threads that came in."""

    def __init__(self) -> None:
        self.inside: list[threading.Thread] = []
        self._open = threading.Semaphore(0)
        self._entered = threading.Semaphore(0)

    def __call__(self) -> None:
        self.inside.append(threading.current_thread())
        self._entered.release()
        assert self._open.acquire(timeout=PATIENCE)

    def let_go(self, count: int = 1) -> None:
        self._open.release(count)

    async def entered(self, count: int) -> None:
        """Wait for that many calls to be in their threads."""
        for _ in range(count):
            await until(functools.partial(self._entered.acquire, blocking=False))


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_many_calls_return_their_own_results(way: str, loop: str) -> None:
    async def main() -> list[int]:
        async def calls(first: int) -> list[int]:
            return [await run_sync(lambda value: value * 2, first + step) for step in range(5)]

        rows = await asyncio.gather(*(calls(number * 5) for number in range(64)))
        assert (_threads._slot.pool is not None) is (way == "pool")
        return [value for row in rows for value in row]

    assert run(main, on=loop) == [value * 2 for value in range(320)]
    assert _threads._slot.pool is None


def test_the_limiter_bounds_the_threads_and_tells_the_truth(way: str) -> None:  # concurrency R8
    gate = Gate()

    async def main() -> None:
        limiter().total_tokens = 3
        tasks = [asyncio.create_task(run_sync(gate)) for _ in range(10)]
        await gate.entered(3)
        await waiting(7)
        statistics = limiter().statistics()
        assert (statistics.borrowed_tokens, statistics.total_tokens, statistics.tasks_waiting) == (3, 3, 7)
        assert set(statistics.borrowers) == set(tasks[:3])
        assert len(gate.inside) == 3
        limiter().total_tokens = 5
        await gate.entered(2)
        assert (limiter().borrowed_tokens, limiter().statistics().tasks_waiting) == (5, 5)
        limiter().total_tokens = 2
        gate.let_go(3)
        await until(lambda: limiter().borrowed_tokens <= 2)
        assert limiter().statistics().tasks_waiting == 5
        gate.let_go(7)
        await asyncio.gather(*tasks)
        assert limiter().statistics() == type(statistics)(0, 2, (), 0)
        assert len(gate.inside) == 10
        assert len(set(gate.inside)) <= 5

    run(main)


def test_one_token_means_one_thread(way: str) -> None:
    async def main() -> None:
        limiter().total_tokens = 1
        idents = [await run_sync(threading.get_ident) for _ in range(20)]
        idents += await asyncio.gather(*(run_sync(threading.get_ident) for _ in range(20)))
        assert len(set(idents)) == 1

    run(main)


def test_calls_wait_in_one_line_with_those_of_anyio() -> None:
    gate = Gate()
    order: list[int] = []

    async def main() -> None:
        limiter().total_tokens = 1
        first = asyncio.create_task(run_sync(gate))
        await gate.entered(1)

        async def late(number: int) -> None:
            call = run_sync if number % 2 else anyio.to_thread.run_sync
            await call(order.append, number)

        tasks = []
        for number in range(6):
            tasks.append(asyncio.create_task(late(number)))
            await waiting(number + 1)
        gate.let_go()
        await asyncio.gather(first, *tasks)

    run(main)
    assert order == [0, 1, 2, 3, 4, 5]


def test_a_call_that_blocks_keeps_no_other_waiting_nor_a_result(way: str) -> None:
    gate = Gate()

    async def main() -> None:
        limiter().total_tokens = 30
        stuck = [asyncio.create_task(run_sync(gate)) for _ in range(10)]
        quick = [asyncio.create_task(run_sync(int)) for _ in range(10)]
        stuck += [asyncio.create_task(run_sync(gate)) for _ in range(10)]
        assert await asyncio.gather(*quick) == [0] * 10
        assert not any(task.done() for task in stuck)
        gate.let_go(20)
        await asyncio.gather(*stuck)

    run(main)


def test_a_call_may_wait_for_another_one(way: str) -> None:
    async def main() -> int:
        async def inner() -> int:
            return await run_sync(int, "5")

        return await run_sync(anyio.from_thread.run, inner)

    assert run(main) == 5


def test_context_variables_go_in_and_do_not_come_back(way: str) -> None:  # concurrency R8
    def work() -> tuple[str, str | None]:
        found = word.get(), sniffio.current_async_library_cvar.get()
        word.set("inside")
        sniffio.current_async_library_cvar.set("other")
        return found

    async def main() -> None:
        word.set("outside")
        assert await run_sync(work) == ("outside", None)
        assert await run_sync(work) == ("outside", None)
        assert word.get() == "outside"

    run(main)
    anyio.run(main)  # it sets the variable that names the library


@pytest.mark.parametrize("scoped", [False, True])
def test_from_thread_works_inside(way: str, scoped: bool) -> None:
    async def later(value: int) -> tuple[int, int]:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 0)
        return value, threading.get_ident()

    def work() -> None:
        here = threading.get_ident()
        assert anyio.from_thread.run(later, 1) == (1, loop_thread)
        assert anyio.from_thread.run_sync(threading.get_ident) == loop_thread != here
        anyio.from_thread.check_cancelled()
        with pytest.raises(ZeroDivisionError):
            anyio.from_thread.run_sync(lambda: 1 // 0)

    async def main() -> None:
        if scoped:
            async with anyio.create_task_group() as group:
                group.start_soon(run_sync, work)
        else:
            await run_sync(work)

    loop_thread = threading.get_ident()
    run(main)


def test_a_cancel_scope_waits_for_the_thread_which_can_ask(way: str) -> None:
    gate = Gate()
    seen: list[str] = []

    def work() -> str:
        gate()
        try:
            anyio.from_thread.check_cancelled()
        except BaseException as exc:
            seen.append(type(exc).__name__)
        return "done"

    async def main() -> None:
        async def waits() -> None:
            with anyio.CancelScope() as scope:
                scopes.append(scope)
                seen.append(await run_sync(work))
                await anyio.lowlevel.checkpoint()
                seen.append("not reached")  # pragma: no cover - as it says
            assert scope.cancelled_caught

        scopes: list[anyio.CancelScope] = []
        task = asyncio.create_task(waits())
        await gate.entered(1)
        scopes[0].cancel()
        for _ in range(5):
            await asyncio.sleep(0)
        assert not task.done()
        gate.let_go()
        await task

    run(main)
    assert seen == ["CancelledError", "done"]


def test_in_a_cancelled_scope_nothing_runs_unless_it_is_shielded(way: str) -> None:
    ran: list[int] = []

    async def main() -> None:
        with anyio.CancelScope() as scope:
            scope.cancel()
            with anyio.CancelScope(shield=True):
                await run_sync(ran.append, 1)
            await run_sync(ran.append, 2)
        assert scope.cancelled_caught
        await run_sync(ran.append, 3)

    run(main)
    assert ran == [1, 3]


@pytest.mark.parametrize("natively", [False, True])
def test_a_call_that_waits_for_a_token_can_be_cancelled(way: str, natively: bool) -> None:
    gate = Gate()
    ran: list[int] = []

    async def main() -> None:
        limiter().total_tokens = 1
        first = asyncio.create_task(run_sync(gate))
        await gate.entered(1)
        scope = anyio.CancelScope()

        async def waits() -> None:
            with scope:
                await run_sync(ran.append, 1)

        second = asyncio.create_task(waits())
        await waiting(1)
        if natively:
            second.cancel()
        else:
            scope.cancel()
        await asyncio.wait([second])
        assert second.cancelled() is natively
        assert limiter().statistics().tasks_waiting == 0
        gate.let_go()
        await first
        assert limiter().borrowed_tokens == 0

    run(main)
    assert ran == []


def test_a_token_that_comes_with_the_cancellation_is_handed_on() -> None:  # AnyIO before 4.9 lost it
    gate = Gate()
    ran: list[int] = []

    async def main() -> None:
        limiter().total_tokens = 1
        first = asyncio.create_task(run_sync(gate))
        await gate.entered(1)
        tasks = [asyncio.create_task(run_sync(ran.append, number)) for number in range(2)]
        await waiting(2)
        tasks[0].cancel()
        limiter().total_tokens = 2  # the first in line gets it, in the same step
        await until(lambda: tasks[1].done())
        assert tasks[0].cancelled()
        gate.let_go()
        await first
        assert limiter().borrowed_tokens == 0

    run(main)
    assert ran == [1]


def test_a_native_cancellation_ends_the_await_and_gives_the_token_back(way: str) -> None:
    gate = Gate()

    async def main() -> None:
        limiter().total_tokens = 1

        async def patient() -> str:
            try:
                async with asyncio.timeout(None) as deadline:
                    deadlines.append(deadline)
                    await run_sync(gate)
            except TimeoutError:
                assert limiter().borrowed_tokens == 0
                return await run_sync(str, "again")
            raise AssertionError("not reached")  # pragma: no cover - as it says

        deadlines: list[asyncio.Timeout] = []
        task = asyncio.create_task(patient())
        await gate.entered(1)
        deadlines[0].reschedule(0)
        assert await task == "again"
        gate.let_go()

    run(main)


def test_a_cancelled_task_that_still_calls_gets_the_cancellation(way: str) -> None:
    ran: list[int] = []

    async def main() -> None:
        async def calls() -> None:
            current = asyncio.current_task()
            assert current is not None
            current.cancel()
            await run_sync(ran.append, 1)

        task = asyncio.create_task(calls())
        await asyncio.wait([task])
        assert task.cancelled()

    run(main)
    assert ran == []


def test_a_call_that_nobody_awaits_any_more_is_not_begun() -> None:
    gate = Gate()
    ran: list[int] = []

    async def main() -> None:
        first = asyncio.create_task(run_sync(gate))
        await gate.entered(1)
        pool = _threads._slot.pool
        assert pool is not None
        with pool._mutex:  # no thread can take it
            pool._free += 1
        second = asyncio.create_task(run_sync(ran.append, 1))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.wait([second])
        with pool._mutex:
            pool._free -= 1
        gate.let_go()
        await first

    run(main)
    assert ran == []


def test_what_is_run_to_the_end_is_awaited(way: str) -> None:
    where: list[threading.Thread] = []

    async def main() -> None:
        await run_to_end(lambda: where.append(threading.current_thread()))
        assert len(where) == 1
        with pytest.raises(ZeroDivisionError):
            await run_to_end(lambda: 1 // 0)

    run(main)
    assert where[0].name == "AnyIO worker thread"


def test_what_is_run_to_the_end_is_run_although_the_await_ended_before(way: str) -> None:
    ran: list[tuple[str, str]] = []

    async def main() -> None:
        word.set("inside")
        async with no_thread_free():
            note = run_to_end(lambda: ran.append((word.get(), threading.current_thread().name)))
            async with cancelled_at_the_end(note):
                pass
            await until(lambda: ran)

    run(main)
    assert ran == [("inside", "Starlette closing thread")]


def test_what_is_run_to_the_end_is_run_once_when_its_thread_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = begun_too_late(monkeypatch)
    ran: list[int] = []

    async def main() -> None:
        with pytest.raises(BrokenOff):
            await run_to_end(lambda: ran.append(1))

    run(main)
    (late,) = begun
    late()
    assert ran == [1]


def test_what_is_run_to_the_end_is_run_once_when_the_await_ends_meanwhile(way: str) -> None:
    gate = Gate()

    async def main() -> None:
        async with cancelled_at_the_end(run_to_end(gate)):
            await gate.entered(1)
        gate.let_go(2)

    run(main)
    assert len(gate.inside) == 1


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
def test_what_the_function_raises_comes_out(way: str, kind: type[BaseException]) -> None:
    def work() -> None:
        raise error

    error = kind("text")

    async def main() -> None:
        with pytest.raises(kind) as caught:
            await run_sync(work)
        assert caught.value is error or kind is asyncio.CancelledError
        assert await run_sync(int) == 0

    run(main)


def test_stop_iteration_becomes_a_runtime_error(way: str) -> None:  # concurrency R8
    async def main() -> None:
        with pytest.raises(RuntimeError, match=r"^coroutine raised StopIteration$") as caught:
            await run_sync(next, iter(()))
        assert isinstance(caught.value.__cause__, StopIteration)

    run(main)


class Payload:
    pass


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="only CPython counts references")
@pytest.mark.parametrize("fails", [False, True])
def test_nothing_of_a_call_stays_behind_it(fails: bool) -> None:
    def work(payload: Payload) -> Payload:
        if fails:
            raise ValueError(payload)
        return payload

    async def call() -> weakref.ref[Payload]:
        payload = Payload()
        try:
            await run_sync(work, payload)
        except ValueError:
            pass
        return weakref.ref(payload)

    async def main() -> None:
        await run_sync(int)
        gc.collect()
        gc.disable()
        try:
            left = await asyncio.create_task(call())
            await until(lambda: left() is None)  # until the thread is idle, too
        finally:
            gc.enable()

    run(main)


def test_threads_are_named_and_used_again(way: str) -> None:
    local = threading.local()

    def count() -> tuple[str, bool, int]:
        local.count = getattr(local, "count", 0) + 1
        thread = threading.current_thread()
        return thread.name, thread.daemon, local.count

    async def main() -> None:
        for number in range(1, 6):
            assert await run_sync(count) == ("AnyIO worker thread", False, number)

    run(main)


def test_a_daemonic_loop_has_daemonic_threads(way: str) -> None:
    seen: list[bool] = []

    async def main() -> None:
        seen.append(await run_sync(lambda: threading.current_thread().daemon))

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert seen == [True]


def test_idle_threads_end_but_for_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_threads, "IDLE_SECONDS", 0.001)
    gate = Gate()

    async def main() -> None:
        tasks = [asyncio.create_task(run_sync(gate)) for _ in range(4)]
        await gate.entered(4)
        gate.let_go(4)
        await asyncio.gather(*tasks)
        await until(lambda: sum(thread.is_alive() for thread in gate.inside) == 1)
        (last,) = [thread for thread in gate.inside if thread.is_alive()]
        assert await run_sync(threading.current_thread) is last

    run(main)


def test_a_thread_ends_when_its_loop_was_closed_without_ending_the_root_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_threads, "IDLE_SECONDS", 0.001)
    threads: list[threading.Thread] = []

    async def main() -> None:
        threads.append(await run_sync(threading.current_thread))
        monkeypatch.setattr(_threads._Pool, "end", lambda self, root: None)

    loop = asyncio.new_event_loop()
    monkeypatch.setattr(_threads._Pool, "end", lambda self, root: None)
    loop.run_until_complete(main())
    loop.close()
    threads[0].join(PATIENCE)
    assert not threads[0].is_alive()


@pytest.mark.parametrize("times", [1, 3])
def test_one_loop_after_another(way: str, times: int) -> None:
    threads: list[threading.Thread] = []

    async def main() -> None:
        threads.extend(await asyncio.gather(*(run_sync(threading.current_thread) for _ in range(50))))

    loop = asyncio.new_event_loop()
    for _ in range(times):
        loop.run_until_complete(main())  # each has a root task of its own
    loop.close()
    for _ in range(times):
        asyncio.run(main())
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_a_result_for_a_loop_that_was_closed_is_dropped() -> None:
    gate = Gate()

    async def main() -> None:
        task = asyncio.create_task(run_sync(gate))
        await gate.entered(1)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(main())
    gate.let_go()
    gate.inside[0].join(PATIENCE)
    assert not gate.inside[0].is_alive()


def test_a_loop_that_refuses_a_result_while_it_is_open_is_an_error() -> None:
    async def main() -> None:
        await run_sync(int)
        pool = _threads._slot.pool
        assert pool is not None
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio.get_running_loop(), "call_soon_threadsafe", refuse)
            with pytest.raises(RuntimeError, match="refused"):
                pool._tell()

    def refuse(*args: Any) -> None:
        raise RuntimeError("refused")

    run(main)


def test_a_replaced_function_of_anyio_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    original = anyio.to_thread.run_sync

    async def replaced(func: Any, *args: Any, **options: Any) -> Any:
        seen.append((func, args, options))
        return await original(func, *args, **options)

    async def main() -> None:
        await run_sync(int, "1")
        monkeypatch.setattr(anyio.to_thread, "run_sync", replaced)
        assert await run_sync(int, "2") == 2

    run(main)
    assert seen == [(int, ("2",), {})]


def test_a_function_that_was_replaced_before_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    async def replaced(func: Any, *args: Any) -> Any:
        return "replaced"

    monkeypatch.setattr(anyio.to_thread, "run_sync", replaced)
    spec = importlib.util.spec_from_file_location("starlette_threads_again", _threads.__file__)
    assert spec is not None
    assert spec.loader is not None
    again = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(again)

    async def main() -> Any:
        return await again.run_sync(int)

    assert run(main) == "replaced"


def test_a_loop_without_a_root_task_is_left_to_anyio() -> None:
    loop = asyncio.new_event_loop()
    results: list[Any] = []

    async def main() -> None:
        results.extend([await run_sync(int), _threads._slot.pool, await run_sync(int)])
        loop.stop()

    task = loop.create_task(main())
    loop.run_forever()
    assert task.done()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
    assert results == [0, None, 0]


def test_the_end_of_a_loop_leaves_the_pool_of_another_alone() -> None:
    pools: list[Any] = []

    async def main() -> None:
        await run_sync(int)
        pools.append(_threads._slot.pool)
        _threads._slot.pool = pools[0]

    run(main)
    run(main)
    assert len(set(pools)) == 2
    assert _threads._slot.pool is pools[0]
    _threads._slot.pool = None


def test_another_kind_of_limiter_is_left_to_anyio(monkeypatch: pytest.MonkeyPatch) -> None:
    class Limiter(backend.CapacityLimiter):
        pass

    own = Limiter(1)
    monkeypatch.setattr(backend.AsyncIOBackend, "current_default_thread_limiter", lambda: own)

    async def main() -> None:
        assert await run_sync(lambda: own.borrowed_tokens) == 1
        assert _threads._slot.pool is None

    run(main)


def test_a_task_that_holds_a_token_is_told_so(way: str) -> None:
    async def main() -> None:
        async with limiter():
            with pytest.raises(RuntimeError, match="already holding"):
                await run_sync(int)

    run(main)


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A function after whose call no thread can be started, until the test ends."""

    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    return lambda: monkeypatch.setattr(threading.Thread, "start", start)


def test_a_thread_that_cannot_be_started_is_an_error_of_the_call(way: str, no_threads: Callable[[], None]) -> None:
    async def main() -> None:
        no_threads()
        for _ in range(2):
            with pytest.raises(RuntimeError, match="thread"):
                await run_sync(int)
            assert limiter().borrowed_tokens == 0

    run(main)


def test_where_no_thread_can_be_started_the_others_do_the_work(no_threads: Callable[[], None]) -> None:
    gate = Gate()

    async def main() -> None:
        first = asyncio.create_task(run_sync(gate))
        await gate.entered(1)
        no_threads()
        others = [asyncio.create_task(run_sync(threading.current_thread)) for _ in range(5)]
        await asyncio.sleep(0)
        gate.let_go()
        await first
        assert await asyncio.gather(*others) == gate.inside * 5

    run(main)


@pytest.mark.parametrize("missing", ["AsyncIOBackend", "find_root_task", "CapacityLimiter"])
def test_an_anyio_that_lacks_a_part_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    async def main() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.delattr(backend, missing)
            assert _threads._parts.__wrapped__() is None

    run(main)


def test_an_anyio_whose_limiter_works_otherwise_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(backend.CapacityLimiter, "release_on_behalf_of", lambda self, borrower: None)
            assert _threads._look_up() is None

    run(main)


def test_an_anyio_whose_scopes_are_otherwise_is_used_as_it_is() -> None:
    async def main() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(backend, "CancelScope", Scope)
            assert _threads._look_up() is None

    class Scope(anyio.CancelScope):
        """One that does not become the scope of the task."""

        def __new__(cls) -> Any:
            return object.__new__(cls)

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *args: object) -> Any:
            return None

    async def in_a_scope() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(main)

    run(in_a_scope)


def test_earlier_releases_of_anyio_ask_sniffio_for_the_library() -> None:
    class Core:
        sniffio = sniffio

    assert _threads._library_in(Core) is sniffio.current_async_library


def test_a_waiting_call_tells_whether_it_has_its_token() -> None:
    gate = Gate()

    async def main() -> None:
        own: Any = limiter()
        own.total_tokens = 1
        first = asyncio.create_task(run_sync(gate))
        await gate.entered(1)
        second = asyncio.create_task(run_sync(int))
        await until(lambda: second in own._wait_queue)
        call = own._wait_queue[second]
        assert not call.is_set()
        gate.let_go()
        await first
        assert call.is_set()
        await second

    run(main)


@pytest.mark.anyio
async def test_it_works_on_both_event_loops() -> None:
    async with anyio.create_task_group() as group:
        for number in range(50):
            group.start_soon(run_sync, results.add, number)
    assert results == set(range(50))


results: set[int] = set()
