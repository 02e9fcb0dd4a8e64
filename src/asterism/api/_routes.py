"""A list of routes that is written by decorators."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeVar

from asterism.api._endpoint import endpoint, plan_of
from starlette.routing import BaseRoute, Route, WebSocketRoute

F = TypeVar("F", bound=Callable[..., Any])


class API:
    """Collects routes with typed endpoints. Thin: `routes` is a plain list, for an application, router or mount.

        api = API(tags=["items"])

        @api.get("/items/{id}")
        async def show(id: int) -> Item: ...

        app = Starlette(routes=[*api.routes, Route("/", homepage)])

    A decorated function stays what it was, to be called and tested as such.

    Args:
        defaults: Options of `endpoint` for all that have none of their own.
    """

    def __init__(self, **defaults: Any) -> None:
        self.routes: list[BaseRoute] = []
        self.defaults = defaults

    def route(
        self,
        path: str,
        methods: Collection[str],
        *,
        name: str | None = None,
        include_in_schema: bool = True,
        **options: Any,
    ) -> Callable[[F], F]:
        """Add a route for these methods.

        Args:
            path: The path, as for `Route`.
            methods: The methods.
            name: The name of the route; that of the function unless given.
            include_in_schema: Whether the documentation shows it.
            options: Those of `endpoint`.

        Raises:
            DependencyError, ValueError: The function cannot be served there.
        """

        def add(function: F) -> F:
            served = endpoint(function, **{**self.defaults, **options})
            route = Route(path, served, methods=methods, name=name, include_in_schema=include_in_schema)
            plan_of(route)  # raises now when path and signature do not fit
            self.routes.append(route)
            return function

        return add

    def get(self, path: str, **options: Any) -> Callable[[F], F]:
        """Add a route for GET and HEAD; the options are those of `route`."""
        return self.route(path, ["GET"], **options)

    def post(self, path: str, **options: Any) -> Callable[[F], F]:
        """Add a route for POST."""
        return self.route(path, ["POST"], **options)

    def put(self, path: str, **options: Any) -> Callable[[F], F]:
        """Add a route for PUT."""
        return self.route(path, ["PUT"], **options)

    def patch(self, path: str, **options: Any) -> Callable[[F], F]:
        """Add a route for PATCH."""
        return self.route(path, ["PATCH"], **options)

    def delete(self, path: str, **options: Any) -> Callable[[F], F]:
        """Add a route for DELETE."""
        return self.route(path, ["DELETE"], **options)

    def websocket(self, path: str, *, name: str | None = None, **options: Any) -> Callable[[F], F]:
        """Add a WebSocket route."""

        def add(function: F) -> F:
            route = WebSocketRoute(path, endpoint(function, **options), name=name)
            plan_of(route)
            self.routes.append(route)
            return function

        return add
