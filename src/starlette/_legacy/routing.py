"""What routers had in earlier releases."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol, TypeVar

from starlette._legacy.events import EventLifespan, Handler, run_handlers
from starlette.types import Lifespan

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
EventHandler = TypeVar("EventHandler", bound=Handler)


class _Router(Protocol):
    """What the methods here need of the class that they are added to."""

    def add_route(
        self, path: str, endpoint: Any, methods: Collection[str] | None, name: str | None, include_in_schema: bool
    ) -> None: ...

    def add_websocket_route(self, path: str, endpoint: Any, name: str | None) -> None: ...


class _HandlerList:
    """A list of handlers, made when it is first asked for; from then on the router's lifespan runs it.

    Nothing is done where an attribute of the name is assigned: classes that keep and run lists of their own do so.
    """

    def __get__(self, router: EarlierRouter | None, owner: type) -> Any:
        if router is None:
            return self
        # Both at once: the lifespan must be replaced once only, whatever others have put around it since.
        for name in ("on_startup", "on_shutdown"):
            router.__dict__.setdefault(name, [])
        router.lifespan_context = EventLifespan(router, router.lifespan_context)
        return getattr(router, self._name)

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name


class EarlierRouter:
    """Routes by decorators; startup and shutdown handlers.

    Attributes:
        on_startup: The live list of handlers that run before the first request.
        on_shutdown: The live list of handlers that run after the last one.
    """

    lifespan_context: Lifespan[Any]
    on_startup: list[Handler] = _HandlerList()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    on_shutdown: list[Handler] = _HandlerList()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    def route(
        self: _Router,
        path: str,
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
    ) -> Callable[[Endpoint], Endpoint]:
        """Return a decorator that appends a `Route` to what it decorates: `@router.route("/users")`."""

        def decorate(endpoint: Endpoint) -> Endpoint:
            self.add_route(path, endpoint, methods, name, include_in_schema)
            return endpoint

        return decorate

    def websocket_route(self: _Router, path: str, name: str | None = None) -> Callable[[Endpoint], Endpoint]:
        """Return a decorator that appends a `WebSocketRoute` to what it decorates."""

        def decorate(endpoint: Endpoint) -> Endpoint:
            self.add_websocket_route(path, endpoint, name)
            return endpoint

        return decorate

    def add_event_handler(self, event_type: str, func: Handler) -> None:
        """Call `func` without arguments at an event: `"startup"` or `"shutdown"` (AssertionError for others).

        Handlers run in the order in which they were added, startup handlers before the router's lifespan and shutdown
        handlers after it; async ones are awaited, others are called in the event loop's thread.
        """
        if event_type not in ("startup", "shutdown"):
            raise AssertionError(f"event_type must be 'startup' or 'shutdown', got {event_type!r}")
        handlers = self.on_startup if event_type == "startup" else self.on_shutdown
        handlers.append(func)

    def on_event(self, event_type: str) -> Callable[[EventHandler], EventHandler]:
        """Return a decorator that adds an event handler: `@router.on_event("startup")`."""

        def decorate(func: EventHandler) -> EventHandler:
            self.add_event_handler(event_type, func)
            return func

        return decorate

    async def startup(self) -> None:
        """Run the startup handlers; the first exception ends it."""
        await run_handlers(self.on_startup)

    async def shutdown(self) -> None:
        """Run the shutdown handlers; the first exception ends it."""
        await run_handlers(self.on_shutdown)

    def _asterism_events(self, on_startup: Sequence[Handler] | None, on_shutdown: Sequence[Handler] | None) -> None:
        """Add the handlers that a constructor was given."""
        if on_startup:
            self.on_startup.extend(on_startup)
        if on_shutdown:
            self.on_shutdown.extend(on_shutdown)


def iscoroutinefunction_or_partial(obj: Any) -> bool:
    """Tell whether `obj` is an async function, or a partial of one; an object with an async `__call__` is not."""
    while isinstance(obj, functools.partial):
        obj = obj.func
    return inspect.iscoroutinefunction(obj)
