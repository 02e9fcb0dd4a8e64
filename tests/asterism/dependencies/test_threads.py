"""Blocking contexts are left if they were entered, however the request ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import anyio
import pytest

from asterism.dependencies import Depends, inject
from asterism.dependencies._threads import ThreadContext
from starlette.applications import Starlette
from starlette.routing import Route
from tests.asgi import call
from tests.asterism.dependencies.providers import JOURNAL, blocking, journal, session
from tests.threads import PATIENCE, BrokenOff, Pause, begun_too_late, cancelled_at_the_end, no_thread_free, until


async def ask(function: Any) -> None:
    await call(Starlette(routes=[Route("/", inject(function))]))


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


@pytest.mark.parametrize("waits", [True, False])
def test_blocking_dependencies_are_closed_when_asyncio_stops_before_a_thread_is_free(waits: bool) -> None:
    # threats R01
    async def hold(first: Annotated[str, Depends(blocking)]) -> None:
        holds.set()
        await asyncio.sleep(PATIENCE)

    async def main() -> None:
        limiter = anyio.to_thread.current_default_thread_limiter()
        task = asyncio.create_task(ask(hold))
        await holds.wait()
        async with no_thread_free():
            for _ in range(2):  # the server's, and that of the event loop
                task.cancel()
                for _ in range(5):
                    await asyncio.sleep(0)
                assert limiter.statistics().tasks_waiting == 1
            if not waits:
                task.cancel()
                await until(lambda: "close blocking" in found)
        await asyncio.wait([task])
        assert task.cancelled()

    holds = asyncio.Event()
    with journal() as found:
        asyncio.run(main())
        assert found == ["open blocking", "blocking sees CancelledError", "close blocking"]


@contextmanager
def opened_after(pause: Pause) -> Iterator[str]:
    pause()
    with contextmanager(blocking)() as value:
        yield value


def test_what_opens_while_the_task_is_cancelled_is_closed_by_its_thread() -> None:
    pause = Pause()

    async def main() -> None:
        async with cancelled_at_the_end(ThreadContext(opened_after, pause).__aenter__()):
            await until(pause.reached.is_set)
        assert found == []
        pause.over.set()
        await until(lambda: "close blocking" in found)

    with journal() as found:
        asyncio.run(main())
        assert found == ["open blocking", "blocking sees CancelledError", "close blocking"]


@pytest.mark.blocks
def test_what_has_opened_when_the_task_is_cancelled_is_closed() -> None:
    pause = Pause()
    context = ThreadContext(opened_after, pause)

    async def main() -> None:
        async with cancelled_at_the_end(context.__aenter__()):
            await until(pause.reached.is_set)
            pause.over.set()
            while not context._entered:
                pass  # the event loop must not hear of it
        await until(lambda: "close blocking" in found)

    with journal() as found:
        asyncio.run(main())
        assert found == ["open blocking", "blocking sees CancelledError", "close blocking"]


def test_what_was_not_opened_when_the_task_is_cancelled_stays_so() -> None:
    async def main() -> None:
        context = ThreadContext(contextmanager(blocking))
        async with no_thread_free(), cancelled_at_the_end(context.__aenter__()):
            pass

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
        assert [late() for late in begun] == [None, None]
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
