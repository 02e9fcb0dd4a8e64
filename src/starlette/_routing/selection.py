"""Which route serves a scope: the first full match in the order of the list, else the first partial one. Pure.

Routes of the exact classes are decided right here. Whatever was subclassed or replaced is asked by its `matches`, in
its place in the order, and served by its `handle`.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, Sequence
from types import MethodType
from typing import Any, Final

from starlette._routing.index import RouteIndex, single_parameters
from starlette._routing.matching import convert_all, converted_values, template_of
from starlette._routing.paths import get_route_path
from starlette._routing.table import EDITS, RouteTable
from starlette._routing.templates import open_prefix_of, segment_values

Scope = MutableMapping[str, Any]

#: Marks a route whose attributes some index has read.
IN_AN_INDEX: Final = "_asterism_in_an_index"
_TABLE: Final = "_asterism_table"


class Plan:
    """A route in the index: what the selection needs of it, read once."""

    __slots__ = ("handles_itself", "kind", "literal", "order", "prefix", "route", "singles", "template")

    def __init__(self, order: int, route: Any, kind: str) -> None:
        self.order = order
        self.route = route
        self.kind = kind
        self.handles_itself = "handle" in getattr(route, "__dict__", ())
        # A subclass may match whatever it likes, and a host does not look at the path.
        self.template = template_of(route, "path_regex") if kind else None
        tokens = self.template.tokens if self.template is not None else None
        self.literal = self.template.literal if self.template is not None else None
        self.singles = single_parameters(tokens) if tokens is not None else None
        self.prefix = open_prefix_of(tokens) if tokens is not None else None
        # Routes may be objects of any class, without a `__dict__` too; then nothing of theirs is read.
        getattr(route, "__dict__", {})[IN_AN_INDEX] = True

    def values(self, path: str, segments: Sequence[str]) -> dict[str, Any] | None:
        """Return the converted parameters of a path that this is a candidate for, None when it does not match."""
        route = self.route
        if self.singles is None:
            return converted_values(route, "path_regex", path)
        found = segment_values(self.singles, segments or path.split("/"))
        return None if found is None else convert_all(found, route.param_convertors)


class Selector:
    """Selects among routes of the given classes.

    Tools replace methods on these classes while the application serves, so each is compared for each request with what
    it was when the selector was made.

    Args:
        route: The class of HTTP routes.
        websocket_route: The class of WebSocket routes.
        mount: The class of mounts.
        router: The class of routers.
        match: The enumeration that `matches` answers with.
    """

    __slots__ = (
        "_full",
        "_kinds",
        "_mount",
        "_mount_handle",
        "_mount_matches",
        "_none",
        "_partial",
        "_route",
        "_route_handle",
        "_route_matches",
        "_router",
        "_router_app",
        "_router_call",
        "_websocket_route",
        "_websocket_route_matches",
    )

    def __init__(self, *, route: Any, websocket_route: Any, mount: Any, router: Any, match: Any) -> None:
        self._kinds: dict[type, str] = {route: "http", websocket_route: "websocket", mount: "mount"}
        self._full, self._partial, self._none = match.FULL, match.PARTIAL, match.NONE
        self._route, self._route_matches, self._route_handle = route, route.matches, route.handle
        self._websocket_route, self._websocket_route_matches = websocket_route, websocket_route.matches
        self._mount, self._mount_matches, self._mount_handle = mount, mount.matches, mount.handle
        self._router, self._router_call, self._router_app = router, router.__call__, router.app

    def select(self, router: Any, scope: Scope) -> Any:
        """Return what serves a scope, and put the keys of the chosen route into the scope.

        The routers of plain mounts are entered right here, one level a turn.
        """
        while True:
            # PERF: `_index`, for the usual case that nothing has changed.
            table: RouteTable[Plan] | None = router.__dict__.get(_TABLE)
            routes = router.routes
            if (
                table is not None
                and routes is table.routes
                and routes.version == table.version
                and EDITS.count == table.edits
            ):
                index = table.index
            else:
                index = self._index(router)
            if (
                index is None
                or self._route.matches is not self._route_matches
                or (
                    index.has_others
                    and (
                        self._mount.matches is not self._mount_matches
                        or self._websocket_route.matches is not self._websocket_route_matches
                    )
                )
            ):
                return self._scan(router, scope)
            path: str = get_route_path(scope) if scope.get("root_path") else scope["path"]
            segments: Sequence[str] = ()
            plans = index.static.get(path)
            if plans is None:
                segments = path.split("/", index.depth)
                plans = index.search(segments)
            chosen = self._choose(plans, path, segments, scope) if plans else None
            if chosen is None:
                return router._asterism_unmatched(scope)
            if type(chosen) is not self._router:
                return chosen
            router = chosen

    def _index(self, router: Any) -> RouteIndex[Plan] | None:
        """Return the index that holds for a router's routes now, None when they must be asked one by one."""
        routes = router.routes
        table: RouteTable[Plan] | None = router.__dict__.get(_TABLE)
        if table is None:
            table = router.__dict__[_TABLE] = RouteTable()
        return table.refresh(routes, self._plan)

    def scope_with_other_slash(self, router: Any, scope: Scope) -> Scope | None:
        """Return the scope with, or without, the final slash of its path if a route matches that; else None."""
        path: str = scope["path"]
        root_path = scope.get("root_path")
        route_path = get_route_path(scope) if root_path else path
        if route_path == "/":
            return None
        other_path = path.rstrip("/") if route_path.endswith("/") else path + "/"
        routes: Iterable[Any] = router.routes
        index = self._index(router)
        if index is not None:
            inner = get_route_path({"path": other_path, "root_path": root_path}) if root_path else other_path
            plans = index.candidates(inner)
            if not plans:
                return None
            routes = (plan.route for plan in plans)
        other = {**scope, "path": other_path}
        return other if any(route.matches(other)[0] is not self._none for route in routes) else None

    def _plan(self, order: int, route: Any) -> Plan:
        kind = self._kinds.get(type(route), "")
        if kind and "matches" in route.__dict__:
            kind = ""
        return Plan(order, route, kind)

    def _scan(self, router: Any, scope: Scope) -> Any:
        """Choose by asking every route in order."""
        partial: tuple[Any, Scope] | None = None
        for route in router.routes:
            match, child_scope = route.matches(scope)
            if match is self._full:
                return _take(route, child_scope, scope)
            if match is self._partial and partial is None:
                partial = (route, child_scope)
        return router._asterism_unmatched(scope) if partial is None else _take(*partial, scope)

    def _choose(self, plans: Iterable[Plan], path: str, segments: Sequence[str], scope: Scope) -> Any:
        """Choose among the candidates of one router.

        Returns:
            What serves the scope; a router that is mounted with nothing around it; None when no candidate matches.
        """
        scope_kind = scope["type"]
        partial: tuple[Any, Scope] | None = None
        for plan in plans:
            route = plan.route
            if plan.kind == scope_kind:
                values = {} if plan.literal is not None else plan.values(path, segments)
                if values is None:
                    continue
                if "path_params" in scope:
                    values = {**scope["path_params"], **values}
                if scope_kind == "http":
                    methods = route.methods
                    if methods and scope["method"] not in methods:
                        partial = partial or (route, {"endpoint": route.endpoint, "path_params": values})
                        continue
                    plain = self._route.handle is self._route_handle and not plan.handles_itself
                else:
                    plain = False
                scope["route"] = route
                scope["endpoint"] = route.endpoint
                scope["path_params"] = values
                # PERF: the method was compared, so all that `handle` would do is call the application.
                return route.app if plain else route.handle
            if plan.kind == "mount":
                if _enter(plan, path, segments, scope):
                    app = route.app
                    # PERF: that of a plain application is called without the frame of `handle`.
                    is_plain = self._mount.handle is self._mount_handle and not plan.handles_itself
                    return (app if type(app) is not self._router else self._inside(app)) if is_plain else route.handle
            elif not plan.kind:
                match, child_scope = route.matches(scope)
                if match is self._full:
                    return _take(route, child_scope, scope)
                if match is self._partial:
                    partial = partial or (route, child_scope)
        return None if partial is None else _take(*partial, scope)

    def _inside(self, router: Any) -> Any:
        """Return what serves a mounted router: the router itself, if nothing stands around its routing."""
        routing = router.middleware_stack
        is_bare = (
            type(routing) is MethodType
            and routing.__func__ is self._router_app
            and routing.__self__ is router
            and self._router.__call__ is self._router_call
        )
        return router if is_bare else router.__call__


def _take(route: Any, child_scope: Scope, scope: Scope) -> Any:
    scope["route"] = route
    # COMPAT: the child scope may name another route.
    scope.update(child_scope)
    return route.handle


def _enter(plan: Plan, path: str, segments: Sequence[str], scope: Scope) -> bool:
    """Put the keys of a mount into the scope, unless it does not match."""
    mount = plan.route
    if plan.prefix is None:
        values = plan.values(path, segments)
        if values is None:
            return False
        _take(mount, mount._asterism_child_scope(scope, path, values), scope)
        return True
    # PERF: a prefix without parameters was compared by the index; the rest may be anything but a line break.
    if "\n" in path and "\n" in path[len(plan.prefix) :]:
        return False
    root_path = scope.get("root_path", "")
    scope["route"] = mount
    scope["path_params"] = dict(scope.get("path_params", ()))
    if "app_root_path" not in scope:
        scope["app_root_path"] = root_path
    scope["root_path"] = root_path + plan.prefix[:-1]
    scope["endpoint"] = mount.app
    return True
