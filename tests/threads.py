"""Worker threads as tests need them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

PATIENCE: Final = 60  # seconds


async def until(condition: Callable[[], object]) -> None:
    """Let the event loop go on until something that a thread does is true."""
    with anyio.fail_after(PATIENCE):
        while not condition():
            await anyio.lowlevel.checkpoint()


class Pause:
    """What waits, called in a thread, until it is over."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.over = threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        assert self.over.wait(PATIENCE)


@asynccontextmanager
async def no_thread_free() -> AsyncIterator[None]:
    """Keep the only worker thread that the event loop may have at work."""
    limiter = anyio.to_thread.current_default_thread_limiter()
    tokens, limiter.total_tokens = limiter.total_tokens, 1
    pause = Pause()
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.to_thread.run_sync, pause)
        await until(pause.reached.is_set)
        try:
            yield
        finally:
            pause.over.set()
            limiter.total_tokens = tokens


@asynccontextmanager
async def cancelled_at_the_end(work: Coroutine[Any, Any, Any]) -> AsyncIterator[None]:
    """Start some work, and cancel it as asyncio does when it stops, which no scope keeps off."""
    task = asyncio.create_task(work)
    await asyncio.sleep(0)
    yield
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


class BrokenOff(BaseException):
    """What ends the await of a call that `begun_too_late` keeps."""


def begun_too_late(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """Let the await of each call in a worker thread end when a thread has it but has not begun; return the calls."""
    begun: list[Callable[[], object]] = []

    async def run_sync(func: Callable[..., object], *args: Any) -> object:
        begun.append(lambda: func(*args))
        raise BrokenOff

    monkeypatch.setattr(anyio.to_thread, "run_sync", run_sync)
    return begun
