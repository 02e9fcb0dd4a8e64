"""A task of asyncio that is run on the spot until it waits, and can be resumed on the spot while nobody else has.

A task normally costs a turn of the event loop to start, one for each wake-up and one to end: most of what a layer that
needs a task of its own costs. Here the coroutine is run at once by whoever starts it, as its task (so that
`asyncio.current_task()`, cancel scopes and timeouts inside are its own) and in its context. The loop takes over with
the first step of the task, which comes no later than the next turn.
"""

from __future__ import annotations

import asyncio
import contextvars
from asyncio.tasks import _enter_task, _leave_task, _unregister_task
from collections.abc import Coroutine, Generator
from typing import Any, ClassVar, Final, NoReturn

# A long stream is left to the loop, so that others get their turn.
_RESUMES: Final = 16

# PERF: a turn of the loop costs 5 us; this many shells take some 40 KB.
MANY_SHELLS: Final = 32


class EagerTask(Coroutine[Any, Any, None]):
    """Drive a coroutine, first by `resume()`, then as the coroutine of its task.

    Args:
        work: The coroutine. It must not raise, and is not awaited anywhere else.
        loop: The running loop.
        name: The name of the task.
    """

    # How many tasks ended before the loop knew of them. It drops them in its next turn, so it has to get one.
    shells: ClassVar[int] = 0

    __slots__ = (
        "__weakref__",
        "_context",
        "_finished",
        "_held",
        "_loop",
        "_pending",
        "_resumes",
        "_running",
        "_task",
        "_work",
    )

    def __init__(self, work: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop, name: str) -> None:
        self._loop = loop
        self._work = work
        self._context = contextvars.copy_context()
        self._held = True  # the loop has not made the first step of the task
        self._resumes = _RESUMES
        self._running = False
        self._finished = False
        self._pending: asyncio.Future[Any] | None = None  # what the coroutine waits for, while held
        # Not by `loop.create_task`: a task factory may start the task itself, or know nothing of contexts.
        self._task = asyncio.Task(self, loop=loop, name=name, context=self._context)

    def start(self) -> None:
        """Run the coroutine until it first waits."""
        # The loop tells tasks apart by what was entered last (asyncio "Extending", "Task lifetime support").
        loop = self._loop
        task = self._task
        outer = asyncio.current_task(loop)
        if outer is not None:
            _leave_task(loop, outer)
        _enter_task(loop, task)
        self._running = True
        try:
            self._pending = self._context.run(self._work.send, None)
        except StopIteration:
            # What is left is an empty shell; nobody who counts tasks is to mistake it for work.
            self._pending = None
            self._finished = True
            _unregister_task(task)
            EagerTask.shells += 1
            del self._task  # which refers to this object
        finally:
            self._running = False
            _leave_task(loop, task)
            if outer is not None:
                _enter_task(loop, outer)

    def resume(self) -> bool:
        """Run on if what the coroutine waits for is there; False when the loop has to do it."""
        if not self._held or self._running:
            return False
        pending = self._pending
        if pending is None or not pending.done() or self._task.cancelling() or not self._resumes:
            return False
        self._resumes -= 1
        self.start()
        return True

    @classmethod
    async def let_loop_drop_shells(cls) -> None:
        """Give the loop its turn; to be called when `shells` reaches `MANY_SHELLS`."""
        cls.shells = 0
        await asyncio.sleep(0)

    # What the task calls

    def send(self, value: Any) -> Any:
        if self._held:
            self._held = False
            pending, self._pending = self._pending, None
            if pending is not None:
                return pending  # the task waits for it, as if it had made the step itself
            if self._finished:
                raise StopIteration
        return self._work.send(value)

    def throw(self, kind: Any, value: Any = None, traceback: Any = None) -> Any:
        if self._held:
            self._held = False
            pending, self._pending = self._pending, None
            # As `Task.cancel` does it: what is waited for is cancelled, and through it the coroutine.
            if pending is not None and pending.cancel(*getattr(kind, "args", ())[:1]):
                return pending
            if self._finished:
                raise StopIteration
        return self._work.throw(kind)

    def close(self) -> None:
        self._work.close()

    def __await__(self) -> Generator[Any, Any, NoReturn]:
        raise TypeError("only its task runs it")

    def __getattr__(self, name: str) -> Any:
        # `cr_frame`, `cr_running` and their like, by which debuggers and AnyIO see where a task stands.
        return getattr(self._work, name)
