"""The application: a router inside of its middleware and its two error layers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from types import MethodType
from typing import Any, Final, ParamSpec, TypeVar

from starlette._asgi.watch import SendWatch
from starlette._exception_handler import HANDLERS_KEY, handle_exception
from starlette._legacy.applications import EarlierApplication
from starlette._legacy.calls import layer
from starlette._legacy.events import Handler
from starlette.datastructures import State as State
from starlette.datastructures import URLPath as URLPath
from starlette.middleware import Middleware as Middleware
from starlette.middleware import _MiddlewareFactory
from starlette.middleware.body_limit import RequestBodyLimitMiddleware as RequestBodyLimitMiddleware
from starlette.middleware.errors import ServerErrorMiddleware as ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware as ExceptionMiddleware
from starlette.requests import Request as Request
from starlette.responses import Response as Response
from starlette.routing import BaseRoute as BaseRoute
from starlette.routing import Router as Router
from starlette.routing import _select
from starlette.types import ASGIApp as ASGIApp
from starlette.types import ExceptionHandler as ExceptionHandler
from starlette.types import Lifespan as Lifespan
from starlette.types import Receive as Receive
from starlette.types import Scope as Scope
from starlette.types import Send as Send

AppType = TypeVar("AppType", bound="Starlette")
P = ParamSpec("P")


class Starlette(EarlierApplication):
    """An ASGI application.

    Example:
        `app = Starlette(routes=[Route("/", homepage), Mount("/static", StaticFiles(directory="static"))])`

    Args:
        debug: Whether an error of the application is answered with its traceback.
        routes: Copied; `app.routes` is the live list.
        middleware: The first is the outermost. Around them stands the layer that answers errors with status 500,
            inside of them the one that runs exception handlers.
        exception_handlers: By exception class or by status. A handler for 500 or `Exception` answers errors that are
            then still raised to the server; the others stand for a normal answer.
        lifespan: Called with the application; returns an async context manager around the whole time of serving,
            which yields None or a mapping with the state that requests start from.
        max_body_size: The largest request body in bytes; None for no limit, 0 for no body at all.
        on_startup: Called one after another, without arguments, before the lifespan.
        on_shutdown: Called one after another after it.
    """

    def __init__(
        self: AppType,
        debug: bool = False,
        routes: Sequence[BaseRoute] | None = None,
        middleware: Sequence[Middleware] | None = None,
        exception_handlers: Mapping[Any, ExceptionHandler] | None = None,
        lifespan: Lifespan[AppType] | None = None,
        *,
        max_body_size: int | None = None,
        on_startup: Sequence[Handler] | None = None,
        on_shutdown: Sequence[Handler] | None = None,
    ) -> None:
        self.debug = debug
        self.state = State()
        self.router = Router(routes, lifespan=lifespan)
        self.router._asterism_events(on_startup, on_shutdown)
        self.max_body_size = max_body_size
        self.exception_handlers: dict[Any, ExceptionHandler] = dict(exception_handlers or {})
        self.user_middleware: list[Middleware] = list(middleware or ())
        self.middleware_stack: ASGIApp | None = None

    @property
    def routes(self) -> list[BaseRoute]:
        """The router's own list; it may be edited at any time."""
        return self.router.routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = self
        stack: Any = self.middleware_stack
        if stack is None:
            stack = self.middleware_stack = self.build_middleware_stack()
        # PERF: the outer error layer is served in this frame, and without user middleware the inner one and the call of
        # the router as well: four layers and two watched sends fewer. COMPAT: tools replace each of these on its class
        # while the application serves, so what this skips is compared for each request; else the plain chain runs.
        if (
            type(stack) is not ServerErrorMiddleware
            or scope["type"] != "http"
            or ServerErrorMiddleware.__call__ is not _SERVER_ERRORS
        ):
            await stack(scope, receive, send)
            return
        watch = SendWatch(send)
        inner: Any = stack.app
        router: Any = inner.app if type(inner) is ExceptionMiddleware else None
        try:
            if type(router) is Router and ExceptionMiddleware.__call__ is _EXCEPTIONS and Router.__call__ is _ROUTER:
                tables = scope[HANDLERS_KEY] = (inner._exception_handlers, inner._status_handlers)
                routing: Any = router.middleware_stack
                try:
                    if type(routing) is MethodType and routing.__func__ is _ROUTER_APP and routing.__self__ is router:
                        if "router" not in scope:
                            scope["router"] = router
                        await _select(router, scope)(scope, receive, watch.send)
                    else:
                        await routing(scope, receive, watch.send)
                except Exception as exc:
                    await handle_exception(exc, tables, None, scope, receive, watch)
            else:
                await inner(scope, receive, watch.send)
        except Exception as error:
            await stack._asterism_answer(error, scope, receive, watch.send, watch.started)
            raise

    def build_middleware_stack(self) -> ASGIApp:
        """Make the chain of layers, from the router outwards; called once, at the first scope."""
        server_error_handler: ExceptionHandler | None = None
        handlers: dict[Any, ExceptionHandler] = {}
        for key, handler in self.exception_handlers.items():
            if key == 500 or key is Exception:
                server_error_handler = handler
            else:
                handlers[key] = handler
        layers = [
            Middleware(ServerErrorMiddleware, handler=server_error_handler, debug=self.debug),
            *self.user_middleware,
            Middleware(ExceptionMiddleware, handlers=handlers, debug=self.debug),
        ]
        if self.max_body_size is not None:
            layers.insert(1, Middleware(RequestBodyLimitMiddleware, max_body_size=self.max_body_size))
        app: ASGIApp = self.router
        for cls, args, kwargs in reversed(layers):
            app = layer(cls, app, args, kwargs)
        return app

    def add_middleware(self, middleware_class: _MiddlewareFactory[P], *args: P.args, **kwargs: P.kwargs) -> None:
        """Put a middleware outside of those that are there.

        Raises:
            RuntimeError: The application has begun to serve.
        """
        if self.middleware_stack is not None:
            raise RuntimeError("Cannot add middleware after an application has started")
        self.user_middleware.insert(0, Middleware(middleware_class, *args, **kwargs))

    def add_exception_handler(self, exc_class_or_status_code: int | type[Exception], handler: ExceptionHandler) -> None:
        """Use `handler` for a status or an exception class; without effect once the application has begun to serve."""
        self.exception_handlers[exc_class_or_status_code] = handler

    def add_route(
        self,
        path: str,
        route: Callable[[Request], Awaitable[Response] | Response],
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
    ) -> None:
        """Append a `Route` to the endpoint `route`."""
        self.router.add_route(path, route, methods=methods, name=name, include_in_schema=include_in_schema)

    def mount(self, path: str, app: ASGIApp, name: str | None = None) -> None:
        """Append a `Mount`."""
        self.router.mount(path, app=app, name=name)

    def host(self, host: str, app: ASGIApp, name: str | None = None) -> None:
        """Append a `Host`."""
        self.router.host(host, app=app, name=name)

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Return the path of the first route with this name and exactly these parameters (`NoMatchFound` if none)."""
        return self.router.url_path_for(name, **path_params)


_SERVER_ERRORS: Final = ServerErrorMiddleware.__call__
_EXCEPTIONS: Final = ExceptionMiddleware.__call__
_ROUTER: Final = Router.__call__
_ROUTER_APP: Final = Router.app
