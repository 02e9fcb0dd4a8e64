"""Finding the operations of an application: its routes in their order, those below mounts and hosts included."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.convertors import Convertor
from starlette.routing import BaseRoute, Host, Mount, Route, compile_path

# The methods that a Path Item Object has (OpenAPI 3.1.1 §4.8.9), in its order; HEAD comes with GET.
METHODS: Final = ("get", "put", "post", "delete", "options", "patch", "trace")

# Applications around applications: more than anybody has.
_LAYERS: Final = 100

_NONE: Final[Mapping[str, Convertor[Any]]] = {}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a route stands.

    Attributes:
        route: The route.
        prefix: The paths of the mounts that it is below, as templates: `"/shops/{shop}"`.
        convertors: Those of the parameters in its path, mounts and host included.
        host: The host that it is for, as a template; None for any.
    """

    route: Route
    prefix: str = ""
    convertors: Mapping[str, Convertor[Any]] = field(default_factory=dict)
    host: str | None = None

    @property
    def path(self) -> str:
        """The whole path as a template: `"/shops/{shop}/items/{id}"`."""
        return self.prefix + self.route.path_format


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, and the function that has its documentation."""

    place: Place
    method: str
    function: Any


def routes_of(source: Any) -> Sequence[BaseRoute]:
    """Return the routes of an application, or of what is around one; those of a list are its own.

    Raises:
        TypeError: There are none.
    """
    if isinstance(source, Iterable):
        return list(source)
    found = _routes_below(source)
    if found is None:
        raise TypeError(f"an application with routes, or a list of routes, is needed, not {source!r:.100}")
    return found


def places(
    routes: Iterable[BaseRoute],
    prefix: str = "",
    convertors: Mapping[str, Convertor[Any]] = _NONE,
    host: str | None = None,
) -> Iterator[Place]:
    """Yield every `Route` with its place; the other arguments say where the routes stand themselves."""
    for route in routes:
        if isinstance(route, Mount):
            _, template, own = compile_path(route.path)
            yield from places(_below(route), prefix + template, {**convertors, **own}, host)
        elif isinstance(route, Host):
            yield from places(_below(route), prefix, {**convertors, **route.param_convertors}, route.host_format)
        elif isinstance(route, Route):
            yield Place(route, prefix, {**convertors, **route.param_convertors}, host)


def operations(routes: Iterable[BaseRoute]) -> Iterator[Operation]:
    """Yield the operations that documentation shows: none of hidden routes, and none of raw ASGI applications."""
    for place in places(routes):
        if place.route.include_in_schema:
            for method, function in _methods(place.route):
                yield Operation(place, method, function)


def _methods(route: Route) -> list[tuple[str, Callable[..., Any]]]:
    endpoint: Any = route.endpoint
    while isinstance(endpoint, functools.partial):
        endpoint = endpoint.func  # the docstring is there
    if inspect.isroutine(endpoint):
        allowed = {method.lower() for method in route.methods or ["GET"]}
        return [(method, endpoint) for method in METHODS if method in allowed]
    if not isinstance(endpoint, type):
        return []  # an ASGI application
    found = [(method, getattr(endpoint, method, None)) for method in METHODS]
    return [(method, function) for method, function in found if callable(function)]


def _below(route: Mount | Host) -> Sequence[BaseRoute]:
    return route.routes or _routes_below(route.app) or ()


def _routes_below(app: Any) -> Sequence[BaseRoute] | None:
    """Return the routes of an application, also of one inside of middleware, which has it as `app`."""
    for _ in range(_LAYERS):
        routes = getattr(app, "routes", None)
        if isinstance(routes, Sequence):
            return routes
        app = getattr(app, "app", None)
        if app is None:
            break
    return None
