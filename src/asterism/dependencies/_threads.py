"""Contexts of blocking code, entered and left in worker threads: what was entered is left, however the task ends.

A cancel scope can be shielded from, and waits for the thread. `task.cancel()`, with which asyncio stops and bounds what
takes too long, breaks the await off at once: what no thread has begun is dropped, what one has begun goes on alone.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import Any

import anyio

from starlette.concurrency import run_in_threadpool


class ThreadContext(AbstractAsyncContextManager[Any]):
    """A context manager of blocking code as an async one, for one use."""

    def __init__(self, make: Callable[..., AbstractContextManager[Any]], *args: Any, **kwargs: Any) -> None:
        self._context = make(*args, **kwargs)
        self._entered = False
        self._deserted: BaseException | None = None  # what ended the await of entering
        self._leaving = threading.Lock()  # for ever held by who leaves the context

    async def __aenter__(self) -> Any:
        try:
            return await run_in_threadpool(self._enter)
        except BaseException as exc:
            # The thread looks at these in the other order, so one of the two sees that the context is to be left.
            self._deserted = exc
            if self._entered:
                self._leave_apart(exc)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        # PERF: a shield from the start would make each request 15 % slower; few are cancelled.
        try:
            return await run_in_threadpool(self._leave, error)
        except BaseException:
            if not self._leaving.locked():
                await self._leave_shielded(error)
            raise

    async def _leave_shielded(self, error: BaseException | None) -> None:
        with anyio.CancelScope(shield=True):
            try:
                await run_in_threadpool(self._leave, error)
            finally:
                self._leave_apart(error)

    def _enter(self) -> Any:
        value = self._context.__enter__()
        self._entered = True
        if self._deserted is not None:
            self._leave(self._deserted)
        return value

    def _leave(self, error: BaseException | None) -> bool | None:
        if not self._leaving.acquire(blocking=False):
            return None
        if error is None:
            return self._context.__exit__(None, None, None)
        return self._context.__exit__(type(error), error, error.__traceback__)

    def _leave_apart(self, error: BaseException | None) -> None:
        """Leave the context, unless that was begun, in a thread that nobody waits for."""
        if not self._leaving.locked():
            run = contextvars.copy_context().run
            threading.Thread(target=run, args=(self._leave, error), name="Asterism closing thread").start()
