"""Routes, mounts, hosts and the router that chooses among them.

The router looks up candidates in an index over its live list of routes and runs the one it chose with as few layers
as it can. Whatever was subclassed, replaced or patched is called in its place, in the order of the list.
"""

from __future__ import annotations

import enum
import functools
import inspect
import re
import warnings
from collections.abc import Awaitable, Callable, Collection, Sequence
from types import MethodType, TracebackType
from typing import Any, Final

from starlette import convertors
from starlette._asgi.lifespan import AsyncLift, lifespan_context, lift_generator, run_lifespan
from starlette._asgi.watch import SendWatch
from starlette._exception_handler import HANDLERS_KEY, NO_HANDLERS, handle_exception, watch_of
from starlette._exception_handler import wrap_app_handling_exceptions as wrap_app_handling_exceptions
from starlette._http.fields import first_value
from starlette._legacy.calls import layer, single_callable
from starlette._legacy.events import Handler
from starlette._legacy.routing import EarlierRouter
from starlette._legacy.routing import iscoroutinefunction_or_partial as iscoroutinefunction_or_partial
from starlette._routing import building, templates
from starlette._routing.building import fill
from starlette._routing.matching import converted_values
from starlette._routing.route_list import RouteList
from starlette._routing.selection import IN_AN_INDEX, Selector
from starlette._routing.table import EDITS
from starlette._routing.templates import LazyPattern, Template, compile_template, parse_template
from starlette._utils import get_route_path as get_route_path
from starlette._utils import is_async_callable as is_async_callable
from starlette._utils import parse_host_header as parse_host_header
from starlette.concurrency import run_in_threadpool as run_in_threadpool
from starlette.convertors import CONVERTOR_TYPES as CONVERTOR_TYPES
from starlette.convertors import Convertor as Convertor
from starlette.datastructures import URL as URL
from starlette.datastructures import Headers as Headers
from starlette.datastructures import URLPath as URLPath
from starlette.exceptions import HTTPException as HTTPException
from starlette.exceptions import StarletteDeprecationWarning as StarletteDeprecationWarning
from starlette.middleware import Middleware as Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware as RequestBodyLimitMiddleware
from starlette.requests import Request as Request
from starlette.responses import PlainTextResponse as PlainTextResponse
from starlette.responses import RedirectResponse as RedirectResponse
from starlette.responses import Response as Response
from starlette.types import ASGIApp as ASGIApp
from starlette.types import Lifespan as Lifespan
from starlette.types import Receive as Receive
from starlette.types import Scope as Scope
from starlette.types import Send as Send
from starlette.websockets import WebSocket as WebSocket
from starlette.websockets import WebSocketClose as WebSocketClose

# COMPAT: known by these names.
PARAM_REGEX: Final = templates.PLACEHOLDER
PARAM_FORMAT_REGEX: Final = building.PLACEHOLDER
_AsyncLiftContextManager = AsyncLift
_wrap_gen_lifespan_context = lift_generator


class NoMatchFound(Exception):
    """No route has this name with these parameters."""

    def __init__(self, name: str, path_params: dict[str, Any]) -> None:
        super().__init__(f'No route exists for name "{name}" and params "{", ".join(path_params)}".')


class Match(enum.Enum):
    """How far a route fits a scope: not at all, all but the method, or wholly."""

    NONE = 0
    PARTIAL = 1
    FULL = 2


def request_response(func: Callable[[Request], Awaitable[Response] | Response]) -> ASGIApp:
    """Return an ASGI application that calls `func` with a request and sends the response it returns.

    A plain function runs in a worker thread. Exceptions, also those of sending, go to the handlers in force.
    """
    is_async = is_async_callable(func)
    call: Any = func

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        owner = getattr(send, "__self__", None)
        watch = owner if type(owner) is SendWatch else SendWatch(send)
        request = Request(scope, receive, watch.send)
        try:
            response: Any = await (call(request) if is_async else run_in_threadpool(call, request))
            if type(response).__call__ is _RESPONSE_CALL:
                # PERF: such a response begins with its start message, so nobody needs to watch for it.
                watch.started = True
                await response(scope, receive, watch.unwatched)
            else:
                await response(scope, receive, watch.send)
        except Exception as exc:
            tables = scope.get(HANDLERS_KEY, NO_HANDLERS)
            await handle_exception(exc, tables, request, scope, receive, watch)

    return app


_RESPONSE_CALL: Final = Response.__call__


def websocket_session(func: Callable[[WebSocket], Awaitable[None]]) -> ASGIApp:
    """Return an ASGI application that calls the async `func` with a WebSocket."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        watch = watch_of(send)
        session = WebSocket(scope, receive, watch.send)
        try:
            await func(session)
        except Exception as exc:
            tables = scope.get(HANDLERS_KEY, NO_HANDLERS)
            await handle_exception(exc, tables, session, scope, receive, watch)

    return app


def get_name(endpoint: Callable[..., Any]) -> str:
    """Return the name of a function or class; of any other object, the name of its class."""
    return str(getattr(endpoint, "__name__", type(endpoint).__name__))


def replace_params(
    path: str, param_convertors: dict[str, Convertor[Any]], path_params: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Fill the placeholders of a format string, removing from `path_params` what was used.

    Returns:
        The filled string and the same dict.
    """
    return fill(path, param_convertors, path_params), path_params


def compile_path(path: str) -> tuple[re.Pattern[str], str, dict[str, Convertor[Any]]]:
    """Compile `/users/{id:int}` to its pattern, its format string and its convertors by parameter name.

    What does not begin with a slash is a host: matched without case, and without its port.

    Raises:
        AssertionError: A placeholder names a convertor that is not registered.
        ValueError: Two placeholders have the same name.
    """
    return compile_template(path, convertors.CONVERTOR_TYPES)  # through its module: tests rebind it there


class BaseRoute:
    """What a router can hold: something that matches a scope, handles it, and finds paths by name.

    A route is an ASGI application by itself as well.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell how far this route fits, and the keys that the scope gets if it is chosen. Must not change `scope`."""
        raise NotImplementedError

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Return the path of the route called `name`; `NoMatchFound` when this is not it."""
        raise NotImplementedError

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a scope that this route was chosen for."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match, child_scope = self.matches(scope)
        if match is not Match.NONE:
            scope.update(child_scope)
            await self.handle(scope, receive, send)
        elif scope["type"] == "http":
            await PlainTextResponse("Not Found", status_code=404)(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name in _INDEXED_ATTRIBUTES and IN_AN_INDEX in self.__dict__:
            EDITS.count += 1

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        if name in _INDEXED_ATTRIBUTES:
            EDITS.count += 1


# What the index reads of a route when it is made; all else is read when the route is chosen.
_INDEXED_ATTRIBUTES: Final = frozenset({"path_regex", "matches", "handle", "__class__"})


class Route(BaseRoute):
    """An HTTP path and what serves it.

    Args:
        path: `/users/{id:int}`; must begin with a slash.
        endpoint: A function of a request that returns a response (async, or plain: then in a worker thread), or an
            ASGI application, such as an `HTTPEndpoint` class.
        methods: Allowed methods in any case; GET allows HEAD as well. None means GET for a function, and all
            for an ASGI application.
        name: For reverse look-up; the endpoint's name unless given.
        include_in_schema: Whether schema generators show it.
        middleware: Around the endpoint, the first outermost; a refused method does not reach it.
        max_body_size: The largest request body in bytes, enforced outside of `middleware`.

    Raises:
        AssertionError: The path does not begin with a slash, or has an unknown convertor.
        ValueError: The path has two parameters of one name.
        TypeError: The endpoint cannot be called.
    """

    path_regex: re.Pattern[str] = LazyPattern()  # type: ignore[assignment]  # a descriptor of one
    path_format: str
    param_convertors: dict[str, Convertor[Any]]
    _asterism_template: Template

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
        middleware: Sequence[Middleware] | None = None,
        max_body_size: int | None = None,
    ) -> None:
        _require_slash(path)
        _require_callable(endpoint, path)
        self.path = path
        self.endpoint = endpoint
        self.name = get_name(endpoint) if name is None else name
        self.include_in_schema = include_in_schema
        app: ASGIApp = endpoint
        if _is_function(endpoint):
            # COMPAT: looked up in this module for each route; tools replace it.
            app = request_response(endpoint)
            methods = ("GET",) if methods is None else methods
        self.app = _wrapped(app, middleware, max_body_size)
        self.methods: set[str] | None = None
        if methods is not None:
            self.methods = {method.upper() for method in methods}
            if "GET" in self.methods:
                self.methods.add("HEAD")
        _set_template(self, path)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http":
            return Match.NONE, {}
        values = converted_values(self, "path_regex", get_route_path(scope))
        if values is None:
            return Match.NONE, {}
        child_scope = {"endpoint": self.endpoint, "path_params": {**scope.get("path_params", {}), **values}}
        if self.methods and scope["method"] not in self.methods:
            return Match.PARTIAL, child_scope
        return Match.FULL, child_scope

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        return _own_path(self, "http", name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self.methods or scope["method"] in self.methods:
            await self.app(scope, receive, send)
            return
        headers = {"Allow": ", ".join(sorted(self.methods))}
        if "app" in scope:
            raise HTTPException(status_code=405, headers=headers)
        await PlainTextResponse("Method Not Allowed", status_code=405, headers=headers)(scope, receive, send)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Route) and (self.path, self.endpoint, self.methods) == (
            other.path,
            other.endpoint,
            other.methods,
        )

    def __repr__(self) -> str:
        methods = sorted(self.methods or ())
        return f"{type(self).__name__}(path={self.path!r}, name={self.name!r}, methods={methods!r})"


class WebSocketRoute(BaseRoute):
    """A WebSocket path and what serves it: an async function of a `WebSocket`, or an ASGI application.

    Args and errors are those of `Route`.
    """

    path_regex: re.Pattern[str] = LazyPattern()  # type: ignore[assignment]  # a descriptor of one
    path_format: str
    param_convertors: dict[str, Convertor[Any]]
    _asterism_template: Template

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        name: str | None = None,
        middleware: Sequence[Middleware] | None = None,
    ) -> None:
        _require_slash(path)
        _require_callable(endpoint, path)
        self.path = path
        self.endpoint = endpoint
        self.name = get_name(endpoint) if name is None else name
        self.app = _wrapped(websocket_session(endpoint) if _is_function(endpoint) else endpoint, middleware, None)
        _set_template(self, path)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "websocket":
            return Match.NONE, {}
        values = converted_values(self, "path_regex", get_route_path(scope))
        if values is None:
            return Match.NONE, {}
        return Match.FULL, {"endpoint": self.endpoint, "path_params": {**scope.get("path_params", {}), **values}}

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        return _own_path(self, "websocket", name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WebSocketRoute) and (self.path, self.endpoint) == (other.path, other.endpoint)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(path={self.path!r}, name={self.name!r})"


class Mount(BaseRoute):
    """A path prefix and the application below it, which sees the prefix in `root_path`.

    Args:
        path: The prefix, `/static` or `/{tenant}`; empty for everything.
        app: Any ASGI application; or
        routes: routes for a router of its own.
        name: The prefix of the children's names in reverse look-up, with a colon: `static:logo`.
        middleware: Around the application, the first outermost.
        max_body_size: The largest request body in bytes, enforced outside of `middleware`.

    Raises:
        AssertionError: The path is neither empty nor begins with a slash; or neither `app` nor `routes` is given.
        ValueError: The path has two parameters of one name, or one called `path`.
    """

    path_regex: re.Pattern[str] = LazyPattern()  # type: ignore[assignment]  # a descriptor of one
    path_format: str
    param_convertors: dict[str, Convertor[Any]]
    _asterism_template: Template

    def __init__(
        self,
        path: str,
        app: ASGIApp | None = None,
        routes: Sequence[BaseRoute] | None = None,
        name: str | None = None,
        *,
        middleware: Sequence[Middleware] | None = None,
        max_body_size: int | None = None,
    ) -> None:
        if path:
            _require_slash(path)
        if app is None and routes is None:
            raise AssertionError("Either 'app=...', or 'routes=' must be specified")
        self.path = path.rstrip("/")
        self._asterism_inner: ASGIApp = Router(routes=routes) if app is None else app
        self.app = _wrapped(single_callable(self._asterism_inner), middleware, max_body_size)
        self.name = name
        _set_template(self, self.path + "/{path:path}")

    @property
    def routes(self) -> list[BaseRoute]:
        """The live routes of the mounted application; empty when it has none."""
        return getattr(self._asterism_inner, "routes", [])

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] not in ("http", "websocket"):
            return Match.NONE, {}
        route_path = get_route_path(scope)
        values = converted_values(self, "path_regex", route_path)
        if values is None:
            return Match.NONE, {}
        return Match.FULL, self._asterism_child_scope(scope, route_path, values)

    def _asterism_child_scope(self, scope: Scope, route_path: str, values: dict[str, Any]) -> dict[str, Any]:
        rest = values.pop("path")
        root_path = scope.get("root_path", "")
        return {
            "path_params": {**scope.get("path_params", {}), **values},
            "app_root_path": scope.get("app_root_path", root_path),
            "root_path": root_path + route_path[: len(route_path) - len(rest) - 1],
            "endpoint": self.app,
        }

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        if self.name is not None and name == self.name and "path" in path_params:
            values = {**path_params, "path": path_params["path"].lstrip("/")}
            filled = fill(self.path_format, self.param_convertors, values)
            if not values:
                return URLPath(filled)
            raise NoMatchFound(name, path_params)
        inner_name, values = _inner_name(self, name, path_params), {**path_params, "path": ""}
        prefix = fill(self.path_format, self.param_convertors, values).rstrip("/")
        if "path" in path_params:
            values["path"] = path_params["path"]
        found = _child_path(self, inner_name, values)
        if found is None:
            raise NoMatchFound(name, path_params)
        return URLPath(prefix + found, protocol=found.protocol)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mount) and (self.path, self.app) == (other.path, other.app)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(path={self.path!r}, name={self.name or ''!r}, app={self.app!r})"


class Host(BaseRoute):
    """A host name and the application that answers for it. The port is ignored, in the pattern and in the request.

    Args:
        host: `www.example.org` or `{tenant}.example.org`; compared without case.
        app: Any ASGI application.
        name: The prefix of the children's names in reverse look-up, with a colon.

    Raises:
        AssertionError: The host begins with a slash.
    """

    host_regex: re.Pattern[str] = LazyPattern()  # type: ignore[assignment]  # a descriptor of one

    def __init__(self, host: str, app: ASGIApp, name: str | None = None) -> None:
        if host.startswith("/"):
            raise _noted(AssertionError("Host must not start with '/'"), f"the host is {host!r}")
        self.host = host
        self.app = single_callable(app)
        self.name = name
        template, self.host_format, self.param_convertors = parse_template(host, convertors.CONVERTOR_TYPES)
        self._asterism_template = template

    @property
    def routes(self) -> list[BaseRoute]:
        """The live routes of the application; empty when it has none."""
        return getattr(self.app, "routes", [])

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] not in ("http", "websocket"):
            return Match.NONE, {}
        header = first_value(scope["headers"], b"host")
        parsed = None if header is None else parse_host_header(header.decode("latin-1"))
        values = None if parsed is None else converted_values(self, "host_regex", parsed.host.lower())
        if values is None:
            return Match.NONE, {}
        return Match.FULL, {"path_params": {**scope.get("path_params", {}), **values}, "endpoint": self.app}

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        if self.name is not None and name == self.name and "path" in path_params:
            values = dict(path_params)
            path = values.pop("path")
            host = fill(self.host_format, self.param_convertors, values)
            if not values:
                return URLPath(path, host=host)
            raise NoMatchFound(name, path_params)
        inner_name, values = _inner_name(self, name, path_params), dict(path_params)
        host = fill(self.host_format, self.param_convertors, values)
        found = _child_path(self, inner_name, values)
        if found is None:
            raise NoMatchFound(name, path_params)
        return URLPath(str(found), protocol=found.protocol, host=host)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Host) and (self.host, self.app) == (other.host, other.app)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(host={self.host!r}, name={self.name or ''!r}, app={self.app!r})"


class _DefaultLifespan:
    """The lifespan of a router that was given none."""

    def __init__(self, router: Router) -> None:
        self._asterism_router = router

    def __call__(self, app: object) -> _DefaultLifespan:
        return self

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass


class Router(EarlierRouter):
    """Chooses a route for each scope: the first that matches fully, else the first that matches all but the method.

    When none does, a path that would match with or without its final slash is redirected there (307), and all else goes
    to `default`. Runs the lifespan, and is an ASGI application by itself.

    Args:
        routes: Copied to a list; `router.routes` is live and may be edited at any time.
        redirect_slashes: Whether to redirect to the path with or without its final slash.
        default: The application for what no route matches; `not_found` unless given.
        lifespan: Called with the application; returns an async context manager that yields None or a mapping with
            the state of requests.
        middleware: Around the routing, the first outermost; it sees the lifespan as well.
        max_body_size: The largest request body in bytes, enforced outside of `middleware`.
        on_startup: Called one after another before the lifespan.
        on_shutdown: Called one after another after it.
    """

    def __init__(
        self,
        routes: Sequence[BaseRoute] | None = None,
        redirect_slashes: bool = True,
        default: ASGIApp | None = None,
        lifespan: Lifespan[Any] | None = None,
        *,
        middleware: Sequence[Middleware] | None = None,
        max_body_size: int | None = None,
        on_startup: Sequence[Handler] | None = None,
        on_shutdown: Sequence[Handler] | None = None,
    ) -> None:
        self.routes: list[BaseRoute] = RouteList(routes or ())
        self.redirect_slashes = redirect_slashes
        self.default: ASGIApp = self.not_found if default is None else default
        self.lifespan_context: Lifespan[Any] = self._asterism_lifespan(lifespan)
        self._asterism_events(on_startup, on_shutdown)
        self.middleware_stack = _wrapped(self.app, middleware, max_body_size)

    def _asterism_lifespan(self, lifespan: Lifespan[Any] | None) -> Lifespan[Any]:
        if lifespan is None:
            return _DefaultLifespan(self)
        context, warning = lifespan_context(lifespan)
        if warning is not None:
            # COMPAT: the warning names this module, so it has the default stack level.
            warnings.warn(warning, StarletteDeprecationWarning)  # noqa: B028
        return context  # type: ignore[no-any-return]  # whatever the caller gave, or its lifted form

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        routing: Any = self.middleware_stack
        if type(routing) is MethodType and routing.__func__ is _APP and routing.__self__ is self:
            # PERF: nothing stands around the routing, so it happens in this frame.
            kind = scope["type"]
            if kind == "http" or kind == "websocket":
                if "router" not in scope:
                    scope["router"] = self
                await _select(self, scope)(scope, receive, send)
                return
        await routing(scope, receive, send)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a scope by the routes, inside of the router's middleware."""
        if "router" not in scope:
            scope["router"] = self
        kind = scope["type"]
        if kind == "http" or kind == "websocket":
            await _select(self, scope)(scope, receive, send)
        elif kind == "lifespan":
            await self.lifespan(scope, receive, send)
        else:
            raise AssertionError(f"a router serves http, websocket and lifespan, got {kind!r}")

    async def lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a lifespan scope (ASGI "Lifespan Protocol")."""
        await run_lifespan(self.lifespan_context, scope, receive, send)

    async def not_found(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for what no route matches; inside of an application this is an `HTTPException` for its handlers."""
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
        elif "app" in scope:
            raise HTTPException(status_code=404)
        else:
            await PlainTextResponse("Not Found", status_code=404)(scope, receive, send)

    def _asterism_unmatched(self, scope: Scope, index: Any) -> ASGIApp:
        """Return what serves a scope that no route matches: a redirect to where one does, or the default."""
        if scope["type"] == "http":
            other = _SELECTOR.scope_with_other_slash(self, scope, index) if self.redirect_slashes else None
            if other is not None:
                return RedirectResponse(str(URL(scope=other)))
            if "app" in scope and getattr(self.default, "__func__", None) is _NOT_FOUND:
                # PERF: what `not_found` does, before any frame that the exception would have to leave.
                raise HTTPException(status_code=404)
        return self.default

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Return the path of the first route with this name and exactly these parameters.

        Raises:
            NoMatchFound: There is none.
        """
        found = _child_path(self, name, path_params)
        if found is None:
            raise NoMatchFound(name, path_params)
        return found

    def mount(self, path: str, app: ASGIApp, name: str | None = None) -> None:
        """Append a `Mount`."""
        self.routes.append(Mount(path, app=app, name=name))

    def host(self, host: str, app: ASGIApp, name: str | None = None) -> None:
        """Append a `Host`."""
        self.routes.append(Host(host, app=app, name=name))

    def add_route(
        self,
        path: str,
        endpoint: Callable[[Request], Awaitable[Response] | Response],
        methods: Collection[str] | None = None,
        name: str | None = None,
        include_in_schema: bool = True,
    ) -> None:
        """Append a `Route`."""
        self.routes.append(Route(path, endpoint, methods=methods, name=name, include_in_schema=include_in_schema))

    def add_websocket_route(
        self, path: str, endpoint: Callable[[WebSocket], Awaitable[None]], name: str | None = None
    ) -> None:
        """Append a `WebSocketRoute`."""
        self.routes.append(WebSocketRoute(path, endpoint, name=name))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Router) and self.routes == other.routes


def _set_template(route: Route | WebSocketRoute | Mount, path: str) -> None:
    # Through its module: tests rebind the registry there.
    template, route.path_format, route.param_convertors = parse_template(path, convertors.CONVERTOR_TYPES)
    route._asterism_template = template


def _wrapped(app: ASGIApp, middleware: Sequence[Middleware] | None, max_body_size: int | None) -> ASGIApp:
    """Put middleware around an application, the first outermost, and the body limit outside of it."""
    for cls, args, kwargs in reversed(middleware or ()):
        app = layer(cls, app, args, kwargs)
    return app if max_body_size is None else RequestBodyLimitMiddleware(app, max_body_size=max_body_size)


def _is_function(endpoint: Any) -> bool:
    """Tell a function or bound method, which takes a request, from an ASGI application."""
    while isinstance(endpoint, functools.partial):
        endpoint = endpoint.func
    return inspect.isfunction(endpoint) or inspect.ismethod(endpoint)


def _require_slash(path: str) -> None:
    if not path.startswith("/"):
        raise _noted(AssertionError("Routed paths must start with '/'"), f"the path is {path!r}; write {'/' + path!r}")


def _require_callable(endpoint: object, path: str) -> None:
    if not callable(endpoint):
        raise TypeError(
            f"the endpoint of {path!r} must be a function of a request, an endpoint class or an ASGI application, "
            f"got {endpoint!r}"
        )


def _noted(error: Exception, note: str) -> Exception:
    # COMPAT: the text of the error is fixed; what helps further stands in a note below it.
    error.add_note(note)
    return error


# -- reverse look-up ---------------------------------------------------------------------------------------------------


def _own_path(route: Route | WebSocketRoute, protocol: Any, name: str, path_params: dict[str, Any]) -> URLPath:
    if name != route.name or path_params.keys() != route.param_convertors.keys():
        raise NoMatchFound(name, path_params)
    return URLPath(fill(route.path_format, route.param_convertors, dict(path_params)), protocol=protocol)


def _inner_name(route: Mount | Host, name: str, path_params: dict[str, Any]) -> str:
    """Return the name that a child must have for `name` to mean it."""
    if route.name is None:
        return name
    prefix = route.name + ":"
    if not name.startswith(prefix):
        raise NoMatchFound(name, path_params)
    return name[len(prefix) :]


def _child_path(parent: Any, name: str, path_params: dict[str, Any]) -> URLPath | None:
    """Return the path of the first route of `parent` that has this name and these parameters."""
    for route in parent.routes:
        # PERF: a miss by exception costs as much as ten of these comparisons.
        if type(route) is Route and Route.url_path_for is _ROUTE_URL_PATH_FOR and route.name != name:
            continue
        try:
            found: URLPath = route.url_path_for(name, **path_params)
        except NoMatchFound:
            continue
        return found
    return None


_ROUTE_URL_PATH_FOR: Final = Route.url_path_for


_NOT_FOUND: Final = Router.not_found
_APP: Final = Router.app


# -- selection ---------------------------------------------------------------------------------------------------------

# The classes as they are here and now: what tools replace on them later is noticed by comparison.
_SELECTOR: Final = Selector(route=Route, websocket_route=WebSocketRoute, mount=Mount, router=Router, match=Match)

_select: Final = _SELECTOR.select
