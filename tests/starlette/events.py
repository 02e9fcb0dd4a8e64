"""Handlers and lifespans that note what runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio.lowlevel


class Log(list[str]):
    """What ran, in order; makes handlers that note their names."""

    def plain(self, name: str) -> Callable[[], None]:
        return lambda: self.append(name)

    def asynchronous(self, name: str) -> Callable[[], Awaitable[None]]:
        async def handler() -> None:
            await anyio.lowlevel.checkpoint()
            self.append(name)

        return handler

    def failing(self, name: str) -> Callable[[], None]:
        def handler() -> None:
            self.append(name)
            raise RuntimeError(name)

        return handler

    def __deepcopy__(self, memo: Any) -> Log:
        return self


def lifespan_noting(log: Log, *, fails: str = "") -> Callable[[Any], AbstractAsyncContextManager[Any]]:
    """Return a lifespan that notes `enter` and `exit`, and raises at the one that `fails`."""

    def note(name: str) -> None:
        log.append(name)
        if name == fails:
            raise RuntimeError(name)

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[dict[str, bool]]:
        note("enter")
        yield {"noted": True}
        note("exit")

    return lifespan
