"""A task that can be cancelled as AnyIO cancels."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import anyio
import anyio.lowlevel
import pytest

from starlette._asgi.scoped import ScopedTask

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)]


class Ended:
    """What tasks told of their end."""

    def __init__(self) -> None:
        self.errors: list[BaseException | None] = []

    def begin(self, work: Callable[[], Awaitable[None]]) -> ScopedTask:
        task = ScopedTask(asyncio.get_running_loop(), "scoped", self.errors.append, work)
        task.start()
        task.make_known()
        return task


async def test_an_error_is_told_and_not_raised() -> None:
    ended = Ended()
    error = KeyError("work")

    async def work() -> None:
        raise error

    task = ended.begin(work)
    assert (ended.errors, task.running) == ([error], False)
    await task.stop()  # does nothing


async def test_what_is_called_may_fail_at_once() -> None:
    ended = Ended()
    error = KeyError("call")

    def work() -> Awaitable[None]:
        raise error

    ended.begin(work)
    assert ended.errors == [error]


async def test_what_is_shielded_is_not_cancelled_and_what_is_awaited_afterwards_is() -> None:
    ended = Ended()
    steps: list[str] = []

    async def work() -> None:
        with anyio.CancelScope(shield=True):
            for _ in range(3):
                await anyio.lowlevel.checkpoint()
            steps.append("shielded")
        for _ in range(2):
            try:
                await anyio.sleep_forever()
            finally:
                steps.append("cancelled")
                await anyio.sleep_forever()

    task = ended.begin(work)
    await task.stop()
    assert steps == ["shielded", "cancelled"]
    assert (ended.errors, task.running) == ([None], False)


@pytest.mark.parametrize(
    ("others", "told"),
    [
        pytest.param([], "None", id="cancellations-alone"),
        pytest.param([KeyError("x")], "ExceptionGroup('mixed', [KeyError('x')])", id="an-error-too"),
    ],
)
async def test_of_a_group_the_errors_are_told(others: list[Exception], told: str) -> None:
    ended = Ended()

    async def work() -> None:
        try:
            await anyio.sleep_forever()
        except asyncio.CancelledError as exc:
            raise BaseExceptionGroup("mixed", [exc, *others]) from None

    await ended.begin(work).stop()
    assert [repr(error) for error in ended.errors] == [told]


async def test_stopping_waits_also_while_the_caller_is_being_cancelled() -> None:
    ended = Ended()

    async def work() -> None:
        with anyio.CancelScope(shield=True):
            for _ in range(5):
                await anyio.lowlevel.checkpoint()

    async def stop() -> None:
        await ended.begin(work).stop()

    caller = asyncio.create_task(stop())
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert ended.errors == [None]
