"""Cleaning up what generators opened for a request, in two goes: before the response is sent, and after it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from functools import partial
from types import TracebackType
from typing import Any

from asterism.dependencies._threads import ThreadContext
from starlette.types import Receive, Scope, Send


class Exits:
    """What is open during one request.

    Attributes:
        early: Left before the response is sent.
        late: Left after it.
    """

    __slots__ = ("early", "late")

    def __init__(self) -> None:
        self.early = AsyncExitStack()
        self.late = AsyncExitStack()

    async def fail(self, error: BaseException) -> None:
        """Leave everything because of `error`, which each generator sees raised at its `yield`.

        One that swallows it changes nothing, as there is no response without it; one that raises another replaces it.
        """
        try:
            await self.early.__aexit__(type(error), error, error.__traceback__)
        except BaseException as other:
            await self.late.__aexit__(type(other), other, other.__traceback__)
            raise
        await self.late.__aexit__(type(error), error, error.__traceback__)

    async def run(self, work: Callable[[], Awaitable[Any]]) -> None:
        """Await `work()`, and leave what is to be left after it."""
        try:
            await work()
        except BaseException as exc:
            await self.late.__aexit__(type(exc), exc, exc.__traceback__)
            raise
        await self.late.aclose()


class HeldResponse:
    """A response that cleans up when it was sent. All else is that of the response inside, also what is set."""

    response: Any
    _exits: Exits

    def __init__(self, response: Any, exits: Exits) -> None:
        object.__setattr__(self, "response", response)
        object.__setattr__(self, "_exits", exits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._exits.run(partial(self.response, scope, receive, send))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.response, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.response, name, value)


class LoopContext(AbstractAsyncContextManager[Any]):
    """A context manager as an async one, in the thread of the event loop: for code that does not block."""

    def __init__(self, make: Callable[..., AbstractContextManager[Any]], *args: Any, **kwargs: Any) -> None:
        self._context = make(*args, **kwargs)

    async def __aenter__(self) -> Any:
        return self._context.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return self._context.__exit__(kind, error, traceback)


def makes_context(function: Any) -> bool:
    """Tell a generator function that is decorated already, with `contextmanager` or `asynccontextmanager`."""
    generator = getattr(function, "__wrapped__", None)
    return _yields(generator) and not _yields(function)


def _yields(function: Any) -> bool:
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def context_maker(
    function: Callable[..., Any], *, is_async: bool, in_thread: bool
) -> Callable[..., AbstractAsyncContextManager[Any]]:
    """Return what makes an async context of a generator function, with the same arguments."""
    decorated = makes_context(function)
    if is_async:
        return function if decorated else asynccontextmanager(function)
    make = function if decorated else contextmanager(function)
    return partial(ThreadContext if in_thread else LoopContext, make)
