"""Blocking contexts are left if they were entered, however the request ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, Any

import anyio
import pytest

from asterism.dependencies import Depends, inject
from asterism.dependencies._threads import ThreadContext
from starlette.applications import Starlette
from starlette.routing import Route
from tests.asgi import call
from tests.asterism.dependencies.providers import JOURNAL, blocking, journal, session
from tests.threads import PATIENCE, BrokenOff, begun_too_late, no_thread_free, until


async def ask(function: Any) -> None:
    await call(Starlette(routes=[Route("/", inject(function))]))


@asynccontextmanager
async def stopping(work: Callable[[], Awaitable[Any]]) -> AsyncIterator[asyncio.Task[Any]]:
    """Start some work, and at the end cancel it as asyncio does when it stops, which no scope keeps off."""

    async def main() -> None:
        await work()

    task = asyncio.create_task(main())
    yield task
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


@pytest.mark.anyio
async def test_blocking_dependencies_are_closed_when_the_request_is_cancelled() -> None:
    async def hold(first: Annotated[str, Depends(blocking)], second: Annotated[str, Depends(session)]) -> None:
        scope.cancel()
        await anyio.sleep_forever()

    with journal() as found:
        with anyio.CancelScope() as scope:
            await ask(hold)
        cancelled = anyio.get_cancelled_exc_class().__name__
        assert found == [
            "open blocking",
            "open session",
            f"session sees {cancelled}",
            "close session",
            f"blocking sees {cancelled}",
            "close blocking",
        ]


def test_blocking_dependencies_are_closed_when_asyncio_stops_before_a_thread_is_free() -> None:  # threats R01
    async def hold(first: Annotated[str, Depends(blocking)]) -> None:
        holds.set()
        await asyncio.sleep(PATIENCE)

    async def main() -> None:
        async with no_thread_free():
            async with stopping(lambda: ask(hold)) as task:
                limiter = anyio.to_thread.current_default_thread_limiter()
                limiter.total_tokens = 2
                await holds.wait()
                limiter.total_tokens = 1
                task.cancel()  # a server's own; what follows is that of the event loop
                await until(lambda: limiter.statistics().tasks_waiting)
            await until(lambda: "close blocking" in found)

    holds = asyncio.Event()
    with journal() as found:
        asyncio.run(main())
        assert found == ["open blocking", "blocking sees CancelledError", "close blocking"]


class Gate:
    """A context whose beginning waits in its thread until it is let go."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    @contextmanager
    def context(self) -> Iterator[str]:
        self.reached.set()
        assert self.opened.wait(PATIENCE)
        with contextmanager(blocking)() as value:
            yield value


def test_what_opens_while_the_task_is_cancelled_is_closed_by_its_thread() -> None:
    gate = Gate()

    async def main() -> None:
        async with stopping(ThreadContext(gate.context).__aenter__):
            await until(gate.reached.is_set)
        assert found == []
        gate.opened.set()
        await until(lambda: "close blocking" in found)

    with journal() as found:
        asyncio.run(main())
        assert found == ["open blocking", "blocking sees CancelledError", "close blocking"]


@pytest.mark.blocks
def test_what_has_opened_when_the_task_is_cancelled_is_closed() -> None:
    gate = Gate()
    context = ThreadContext(gate.context)

    async def main() -> None:
        async with stopping(context.__aenter__):
            await until(gate.reached.is_set)
            gate.opened.set()
            while not context._entered:
                pass  # the event loop must not hear of it
        await until(lambda: "close blocking" in found)

    with journal() as found:
        asyncio.run(main())
        assert found == ["open blocking", "blocking sees CancelledError", "close blocking"]


def test_what_was_not_opened_when_the_task_is_cancelled_stays_so() -> None:
    async def main() -> None:
        async with no_thread_free(), stopping(ThreadContext(contextmanager(blocking)).__aenter__):
            await asyncio.sleep(0)

    with journal() as found:
        asyncio.run(main())
        assert found == []


@pytest.mark.anyio
async def test_what_is_closed_apart_is_not_closed_again_by_a_thread_that_is_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = ThreadContext(contextmanager(blocking))
    with journal() as found:
        await context.__aenter__()
        begun = begun_too_late(monkeypatch)
        with pytest.raises(BrokenOff):
            await context.__aexit__(None, None, None)
        await until(lambda: "close blocking" in found)
        (late,) = begun
        assert late() is None
        assert found == ["open blocking", "close blocking"]


@pytest.mark.anyio
async def test_errors_of_opening_and_closing_come_out_and_nothing_is_done_twice() -> None:
    class Failing:
        def __init__(self, fails: str) -> None:
            self.fails = fails

        def __enter__(self) -> None:
            JOURNAL.append("enter")
            if self.fails == "enter":
                raise LookupError

        def __exit__(self, *error: object) -> None:
            JOURNAL.append("exit")
            raise ArithmeticError

    with journal() as found:
        for fails, error in (("enter", LookupError), ("exit", ArithmeticError)):
            with pytest.raises(error):
                async with ThreadContext(Failing, fails):
                    pass
        assert found == ["enter", "enter", "exit"]


@pytest.mark.anyio
async def test_a_context_may_swallow_an_error() -> None:
    @contextmanager
    def swallowing() -> Iterator[None]:
        try:
            yield
        except LookupError:
            JOURNAL.append("swallowed")

    with journal() as found:
        async with ThreadContext(swallowing):
            raise LookupError
        assert found == ["swallowed"]
