"""What applications had in earlier releases."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Any, Protocol, TypeVar

from starlette._legacy.events import Handler
from starlette._legacy.routing import Endpoint, EventHandler
from starlette.requests import Request
from starlette.responses import Response

RequestResponse = Callable[[Request], Awaitable[Response]]
Dispatch = TypeVar("Dispatch", bound=Callable[[Request, RequestResponse], Awaitable[Response]])
ErrorHandler = TypeVar("ErrorHandler", bound=Callable[..., Any])


class _Router(Protocol):
    """What the methods here need of the application's router."""

    @property
    def add_websocket_route(self) -> Callable[..., None]: ...

    @property
    def add_event_handler(self) -> Callable[[str, Handler], None]: ...

    def on_event(self, event_type: str) -> Callable[[EventHandler], EventHandler]: ...


class _Application(Protocol):
    """What the methods here need of the class that they are added to."""

    @property
    def router(self) -> _Router: ...

    @property
    def add_route(self) -> Callable[..., None]: ...

    @property
    def add_middleware(self) -> Callable[..., None]: ...

    @property
    def add_exception_handler(self) -> Callable[..., None]: ...

    @property
    def add_websocket_route(self) -> Callable[..., None]: ...


class EarlierApplication:
    """Routes, middleware, exception and event handlers by decorators."""

    def route(
        self: _Application,
        path: str,
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
    ) -> Callable[[Endpoint], Endpoint]:
        """Return a decorator that appends a `Route` to what it decorates: `@app.route("/users")`."""

        def decorate(endpoint: Endpoint) -> Endpoint:
            self.add_route(path, endpoint, methods, name, include_in_schema)
            return endpoint

        return decorate

    def websocket_route(self: _Application, path: str, name: str | None = None) -> Callable[[Endpoint], Endpoint]:
        """Return a decorator that appends a `WebSocketRoute` to what it decorates."""

        def decorate(endpoint: Endpoint) -> Endpoint:
            self.add_websocket_route(path, endpoint, name)
            return endpoint

        return decorate

    def add_websocket_route(self: _Application, path: str, route: Callable[..., Any], name: str | None = None) -> None:
        """Append a `WebSocketRoute` to the endpoint `route`."""
        self.router.add_websocket_route(path, route, name=name)

    def middleware(self: _Application, middleware_type: str) -> Callable[[Dispatch], Dispatch]:
        """Return a decorator that puts a function around all requests: `@app.middleware("http")`.

        The function is called with the request and with `call_next`, which returns the response of the rest; what it
        returns is sent. It becomes the outermost of those so far.

        Raises:
            AssertionError: The type is not `"http"`.
        """
        if middleware_type != "http":
            raise AssertionError('Currently only middleware("http") is supported.')
        from starlette.middleware.base import BaseHTTPMiddleware  # late: few applications need it

        def decorate(dispatch: Dispatch) -> Dispatch:
            self.add_middleware(BaseHTTPMiddleware, dispatch=dispatch)
            return dispatch

        return decorate

    def exception_handler(
        self: _Application, exc_class_or_status_code: int | type[Exception]
    ) -> Callable[[ErrorHandler], ErrorHandler]:
        """Return a decorator that handles a status or an exception class: `@app.exception_handler(404)`."""

        def decorate(handler: ErrorHandler) -> ErrorHandler:
            self.add_exception_handler(exc_class_or_status_code, handler)
            return handler

        return decorate

    def add_event_handler(self: _Application, event_type: str, func: Handler) -> None:
        """Call `func` without arguments at an event: `"startup"` or `"shutdown"` (AssertionError for others)."""
        self.router.add_event_handler(event_type, func)

    def on_event(self: _Application, event_type: str) -> Callable[[EventHandler], EventHandler]:
        """Return a decorator that adds an event handler: `@app.on_event("startup")`."""
        return self.router.on_event(event_type)
