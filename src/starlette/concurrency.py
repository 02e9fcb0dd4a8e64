"""Blocking work in worker threads, and the first of several tasks to finish."""

from __future__ import annotations

import functools
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from typing import Any, ParamSpec, TypeVar

import anyio

from starlette import _threads
from starlette.exceptions import StarletteDeprecationWarning

P = ParamSpec("P")
T = TypeVar("T")


async def run_in_threadpool(func: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `func` in a worker thread and return its result.

    AnyIO's default limiter bounds how many run at once (40 unless changed). Context variables are visible to `func`;
    what it sets does not come back. The call is not abandoned on cancellation: the await ends when `func` has ended.

    Raises:
        RuntimeError: `func` raised StopIteration, which no coroutine can pass on.
    """
    return await _threads.run_sync(functools.partial(func, *args, **kwargs) if args or kwargs else func)


async def iterate_in_threadpool(iterator: Iterable[T]) -> AsyncIterator[T]:
    """Yield the items of a blocking iterable, each step in a worker thread.

    `iter()` is called once, at the first step. The iterable is not closed when the loop over it ends early.
    """
    steps = iter(iterator)
    while True:
        try:
            item = await _threads.run_sync(_next, steps)
        except _StopIteration:
            return
        yield item


async def run_until_first_complete(*args: tuple[Callable[..., Coroutine[Any, Any, Any]], dict[str, Any]]) -> None:
    """Run several async functions at once and cancel the others when one returns. Deprecated.

    Args:
        args: Pairs of a function and its keyword arguments.

    Raises:
        ExceptionGroup: A function raised.
    """
    warnings.warn(
        "run_until_first_complete is deprecated and will be removed in a future version.",
        StarletteDeprecationWarning,
        stacklevel=2,
    )
    async with anyio.create_task_group() as group:

        async def run(func: Callable[[], Coroutine[Any, Any, Any]]) -> None:
            await func()
            group.cancel_scope.cancel()

        for func, kwargs in args:
            group.start_soon(run, functools.partial(func, **kwargs))


class _StopIteration(Exception):
    """Stands for StopIteration, which can leave neither a thread's future nor a coroutine."""


def _next(iterator: Iterator[T]) -> T:
    try:
        return next(iterator)
    except StopIteration:
        raise _StopIteration from None
