"""The race of a sender with a listener, on asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import anyio

from starlette._asgi.eager import MANY_SHELLS, EagerTask
from starlette._asgi.scoped import ScopedTask, asyncio_scope


def contest_of(work: Callable[[], Awaitable[None]]) -> Contest | None:
    """Return the contest that `work` takes part in; None where no task of asyncio runs."""
    loop = asyncio._get_running_loop()
    # Trio as a guest of asyncio has a running loop as well, but no current task of it.
    return None if loop is None or asyncio.current_task(loop) is None else Contest(work, loop)


class Contest:
    """A race on asyncio: the work runs in a task of its own, the listener in the caller's."""

    __slots__ = ("_error", "_listening", "_task")

    def __init__(self, work: Callable[[], Awaitable[None]], loop: asyncio.AbstractEventLoop) -> None:
        self._error: BaseException | None = None
        self._listening: anyio.CancelScope | None = None
        self._task = ScopedTask(loop, "starlette.responses", self._note_end, work)

    def _note_end(self, error: BaseException | None) -> None:
        self._error = error
        if self._listening is not None:
            self._listening.cancel()

    async def decide(self, listen: Callable[[], Awaitable[None]], ending: Callable[[], bool]) -> None:
        """Run the race; arguments and errors are those of `race`."""
        task = self._task
        # PERF: a short answer is often sent without one wait, and then nobody has to listen, and the loop knows of no
        # further task: a third of what a task group takes.
        task.start()
        if task.running:
            task.make_known()
            await self._listen(listen, ending)
        elif EagerTask.shells >= MANY_SHELLS:
            await EagerTask.let_loop_drop_shells()
        error, self._error = self._error, None
        try:
            if error is not None:
                raise error
        finally:
            del error  # its traceback refers to this frame

    async def _listen(self, listen: Callable[[], Awaitable[None]], ending: Callable[[], bool]) -> None:
        task = self._task
        try:
            with asyncio_scope()() as listening:
                self._listening = listening
                await listen()
            if task.running:
                if not ending():
                    task.cancel()
                await task.join()
        except GeneratorExit:
            raise  # the loop is gone: nothing can be waited for
        except BaseException as exc:
            await task.stop()
            error, self._error = self._error, None
            if error is None:
                raise
            if isinstance(exc, asyncio.CancelledError):
                raise error from None
            raise BaseExceptionGroup("unhandled errors in a TaskGroup", [exc, error]) from None
