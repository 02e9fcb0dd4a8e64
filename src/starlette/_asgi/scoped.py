"""A task of asyncio that is run on the spot where possible, and can be cancelled as AnyIO cancels."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any

import anyio

from starlette._asgi.eager import EagerTask


class ScopedTask(EagerTask):
    """Call and await something in a task of its own.

    Not the bare task is cancelled but a scope in it: what the work shields stays shielded, and what it awaits while it
    is being cancelled is cancelled as well.

    Args:
        loop: The running loop.
        name: The name of the task.
        on_end: Called in the task, with what the work raised or None, when it has ended.
        call: The work, a function of `args`.

    Attributes:
        running: It was started and has not ended.
    """

    __slots__ = ("_end", "_scope", "running")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        name: str,
        on_end: Callable[[BaseException | None], None],
        call: Callable[..., Awaitable[None]],
        *args: Any,
    ) -> None:
        self._scope: Any = None  # one of AnyIO, once the task is known
        self._end: asyncio.Future[None] | None = None
        self.running = True
        super().__init__(self._run(on_end, call, args), loop, name)

    async def _run(
        self,
        on_end: Callable[[BaseException | None], None],
        call: Callable[..., Awaitable[None]],
        args: tuple[Any, ...],
    ) -> None:
        error: BaseException | None = None
        try:
            try:
                await call(*args)
            except BaseException as exc:
                # It is left within `except`, so that what it raises has the right context.
                if self._scope is None or not self._scope.__exit__(type(exc), exc, exc.__traceback__):
                    raise
                if isinstance(exc, BaseExceptionGroup):
                    # COMPAT: AnyIO up to 4.13 takes the other exceptions of a group for cancelled, too.
                    error = exc.split(asyncio.CancelledError)[1]
            else:
                if self._scope is not None:
                    self._scope.__exit__(None, None, None)
        except BaseException as exc:
            error = exc
        self.running = False
        if self._end is not None and not self._end.done():
            self._end.set_result(None)
        try:
            on_end(error)
        finally:
            del error  # its traceback refers to this frame

    def on_known(self) -> None:
        self._scope = asyncio_scope()()
        self._scope.__enter__()

    def cancel(self) -> None:
        """Cancel what runs; it is not awaited."""
        self.make_known()
        self._scope.cancel()

    async def join(self) -> None:
        """Wait until the work has ended."""
        while self.running:
            self._end = self._loop.create_future()
            await self._end

    async def stop(self) -> None:
        """Cancel what runs, and wait until it has ended, also while the caller is being cancelled."""
        if not self.running:
            return
        self.cancel()
        again: asyncio.CancelledError | None = None
        with anyio.CancelScope(shield=True):
            while self.running:
                try:
                    await self.join()
                except asyncio.CancelledError as exc:  # the caller is being cancelled already
                    again = exc
        if again is not None:
            raise again


@functools.cache
def asyncio_scope() -> type[anyio.CancelScope]:
    """Return the class of what `anyio.CancelScope()` makes here.

    PERF: it looks for the event loop and its library each time, 2.5 of the 5 us of a scope.
    """
    return type(anyio.CancelScope())
