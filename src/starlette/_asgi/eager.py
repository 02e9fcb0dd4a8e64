"""A task of asyncio that is run on the spot until it waits, and can be resumed on the spot while nobody else has.

A task normally costs a turn of the event loop to start, one for each wake-up and one to end: most of what a layer that
needs a task of its own costs. Here the coroutine is run at once by whoever starts it, as its task (so that
`asyncio.current_task()`, cancel scopes and timeouts inside are its own) and in its context.

Most of these tasks end without anybody having looked at them, and without having waited for anything but their
starter. They are never initialized, and the loop never hears of them; that is the larger part of the cost. The others
are made known to the loop, which takes over with the first step of the task, no later than its next turn.
"""

from __future__ import annotations

import asyncio
import contextvars
from asyncio.tasks import _enter_task, _leave_task, _PyTask, _unregister_task  # type: ignore[attr-defined]
from collections.abc import Coroutine, Generator
from typing import Any, ClassVar, Final, NoReturn

# A long stream is left to the loop, so that others get their turn.
_RESUMES: Final = 16

# PERF: a turn of the loop costs 5 us; this many shells take some 40 KB.
MANY_SHELLS: Final = 32

# Asyncio's task in Python cannot do without its initialization, not even to be forgotten.
_STAYS_UNKNOWN: Final = asyncio.Task is not _PyTask


class EagerTask(Coroutine[Any, Any, None]):
    """Drive a coroutine, first by `start()` and `resume()`, then as the coroutine of its task.

    Who starts or resumes it calls `make_known()` unless the coroutine has ended, or waits for what only they will do.

    Args:
        work: The coroutine. It must not raise, and is not awaited anywhere else.
        loop: The running loop.
        name: The name of the task.

    Attributes:
        pending: What the coroutine waits for while the loop has not taken over.
    """

    # How many tasks ended before the loop made a step of theirs. It drops them in its next turn, so it has to get one.
    shells: ClassVar[int] = 0

    __slots__ = (
        "__weakref__",
        "_context",
        "_finished",
        "_held",
        "_known",
        "_loop",
        "_name",
        "_resumes",
        "_running",
        "_task",
        "_work",
        "pending",
    )

    def __init__(self, work: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop, name: str) -> None:
        self._loop = loop
        self._work = work
        self._name = name
        self._context = contextvars.copy_context()
        self._known = False  # the task is initialized
        self._held = True  # the loop has not made the first step of the task
        self._resumes = _RESUMES
        self._running = False
        self._finished = False
        self.pending: asyncio.Future[Any] | None = None
        # Not by `loop.create_task`: a task factory may start the task itself, or know nothing of contexts.
        self._task: _Task = _UnknownTask.__new__(_UnknownTask)
        self._task._star_driver = self

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
            if not _STAYS_UNKNOWN:
                self.make_known()
            self.pending = self._context.run(self._work.send, None)
        except StopIteration:
            self.pending = None
            self._finished = True
            if self._known:
                # What is left is an empty shell; nobody who counts tasks is to mistake it for work.
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
        pending = self.pending
        if pending is None or not pending.done() or not self._resumes:
            return False
        if self._known and self._task.cancelling():
            return False
        self._resumes -= 1
        self.start()
        return True

    def make_known(self) -> None:
        """Let the loop know of the task; it takes over with its next turn. Does nothing the second time."""
        if not self._known and not self._finished:
            self.initialize(self._task)

    def initialize(self, task: _Task) -> None:
        """Do the same, once, for whoever came across the task."""
        self._known = True
        task.__class__ = _Task
        loop = self._loop
        task.__init__(self, loop=loop, name=self._name, context=self._context)  # type: ignore[misc]
        if self._finished:
            return
        if self._running:
            self.on_known()
            return
        outer = asyncio.current_task(loop)
        if outer is not None:
            _leave_task(loop, outer)
        _enter_task(loop, task)
        try:
            self.on_known()
        finally:
            _leave_task(loop, task)
            if outer is not None:
                _enter_task(loop, outer)

    def on_known(self) -> None:
        """Be called in the task before anybody gets to know it, and before it waits in the loop."""

    @classmethod
    async def let_loop_drop_shells(cls) -> None:
        """Give the loop its turn; to be called when `shells` reaches `MANY_SHELLS`."""
        cls.shells = 0
        await asyncio.sleep(0)

    # What the task calls

    def send(self, value: Any) -> Any:
        if self._held:
            self._held = False
            pending, self.pending = self.pending, None
            if pending is not None:
                return pending  # the task waits for it, as if it had made the step itself
            if self._finished:
                raise StopIteration
        return self._work.send(value)

    def throw(self, kind: Any, value: Any = None, traceback: Any = None) -> Any:
        if self._held:
            self._held = False
            pending, self.pending = self.pending, None
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


class _Task(asyncio.Task[None]):
    """What `asyncio.current_task()` returns in the coroutine of an `EagerTask`."""

    __slots__ = ("_star_driver",)
    _star_driver: EagerTask


class _UnknownTask(_Task):
    """The same object before it is initialized, which whoever looks at it does by looking."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        _make_known(self)
        return getattr(self, name)

    def __hash__(self) -> int:
        _make_known(self)
        return hash(self)

    def __repr__(self) -> str:
        _make_known(self)
        return repr(self)

    def __await__(self) -> Generator[Any, Any, None]:
        _make_known(self)
        return self.__await__()


def _make_known(task: _Task) -> None:
    driver: EagerTask = object.__getattribute__(task, "_star_driver")
    driver.initialize(task)
