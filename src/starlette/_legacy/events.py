"""Startup and shutdown handlers, and the lifespan that runs them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from starlette._utils import is_async_callable
from starlette.types import Lifespan

Handler = Callable[[], Any]


class Events(Protocol):
    """What runs the handlers of a router."""

    async def startup(self) -> None: ...

    async def shutdown(self) -> None: ...


class EventLifespan:
    """A lifespan inside of startup and shutdown handlers: startup, lifespan, serving, lifespan, shutdown.

    When a startup handler fails, nothing else runs. Once all have run, the shutdown handlers run however the rest ends.
    """

    def __init__(self, events: Events, lifespan: Lifespan[Any]) -> None:
        self.events = events
        self.lifespan = lifespan

    def __call__(self, app: Any) -> AbstractAsyncContextManager[Any]:
        return self._asterism_run(app)

    @asynccontextmanager
    async def _asterism_run(self, app: Any) -> AsyncIterator[Any]:
        await self.events.startup()
        try:
            async with self.lifespan(app) as state:
                yield state
        finally:
            await self.events.shutdown()


async def run_handlers(handlers: list[Handler]) -> None:
    """Call each in order, awaiting those that are async; the others run in the event loop's thread."""
    for handler in handlers:
        if is_async_callable(handler):
            await handler()
        else:
            handler()
