"""Work that starts when the response has been sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ParamSpec

from starlette._utils import is_async_callable
from starlette.concurrency import run_in_threadpool

P = ParamSpec("P")


class BackgroundTask:
    """One call to make after the response: awaited if it is async, else run in a worker thread.

    Example:
        `JSONResponse({"sent": True}, background=BackgroundTask(send_mail, to=address))`

    An exception is raised to the server after the client has its complete response.
    """

    def __init__(self, func: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> None:
        self.is_async = is_async_callable(func)
        self.func = func
        self.args, self.kwargs = args, kwargs

    async def __call__(self) -> None:
        # COMPAT: all of these may have been reassigned; `is_async` then keeps its old value.
        if not self.is_async:
            await run_in_threadpool(self.func, *self.args, **self.kwargs)
            return
        await self.func(*self.args, **self.kwargs)


class BackgroundTasks(BackgroundTask):
    """Several calls, made one after another in order; an exception stops the rest.

    Args:
        tasks: Tasks to begin with; the sequence is copied.
    """

    def __init__(self, tasks: Sequence[BackgroundTask] | None = None) -> None:
        self.tasks = list(tasks or ())

    def add_task(self, func: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> None:
        """Append a call of `func`."""
        self.tasks.append(BackgroundTask(func, *args, **kwargs))

    async def __call__(self) -> None:
        for task in self.tasks:
            await task()
