"""Which route serves a scope: the first full match in the order of the list, else the first partial one. Pure.

Routes of the exact classes are decided right here. Whatever was subclassed or replaced is asked by its `matches`, in
its place in the order, and served by its `handle`.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, Sequence
from types import MethodType
from typing import Any, Final

from starlette._routing.index import RouteIndex, single_parameters
from starlette._routing.matching import BUILT_IN, convert_all, converted_values, template_of
from starlette._routing.paths import get_route_path
from starlette._routing.table import EDITS, RouteTable
from starlette._routing.templates import open_prefix_of, segment_values

Scope = MutableMapping[str, Any]

#: Marks a route whose attributes some index has read.
IN_AN_INDEX: Final = "_asterism_in_an_index"
_TABLE: Final = "_asterism_table"


class Plan:
    """A route in the index: what the selection needs of it, read once."""

    __slots__ = ("handles_itself", "is_plain", "kind", "literal", "order", "prefix", "route", "singles", "template")

    def __init__(self, order: int, route: Any, kind: str) -> None:
        self.order = order
        self.route = route
        self.kind = kind
        self.handles_itself = "handle" in getattr(route, "__dict__", ())
        self.is_plain = kind == "http" and not self.handles_itself
        # A subclass may match whatever it likes, and a host does not look at the path.
        self.template = template_of(route, "path_regex") if kind else None
        tokens = self.template.tokens if self.template is not None else None
        self.literal = self.template.literal if self.template is not None else None
        self.singles = single_parameters(tokens) if tokens is not None else None
        # The text of a mount that has no parameters, without its final slash.
        prefix = open_prefix_of(tokens) if tokens is not None and kind == "mount" else None
        self.prefix = None if prefix is None else prefix[:-1]
        # Routes may be objects of any class, without a `__dict__` too; then nothing of theirs is read.
        getattr(route, "__dict__", {})[IN_AN_INDEX] = True

    def values(self, path: str, segments: Sequence[str]) -> dict[str, Any] | None:
        """Return the converted parameters of a path that this is a candidate for, None when it does not match."""
        singles = self.singles
        if singles is None:
            return converted_values(self.route, "path_regex", path)
        segments = segments or path.split("/")
        convertors: dict[str, Any] = self.route.param_convertors
        if len(singles) != 1 or singles[0][0] not in convertors or len(convertors) != 1:
            found = segment_values(singles, segments)
            return None if found is None else convert_all(found, convertors)
        # PERF: the same for one parameter, without two calls and a dict.
        name, position, fits = singles[0]
        text = segments[position]
        if not fits(text):
            return None
        convertor = convertors[name]
        try:
            return {name: convertor.convert(text)}
        except ValueError:
            if type(convertor) in BUILT_IN:
                return None
            raise


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
        root_path: str = scope.get("root_path", "")
        whole: str = scope["path"]
        path = get_route_path(scope) if root_path else whole
        is_inside = False
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
            segments: Sequence[str] = ()
            plans = index.static.get(path)
            if plans is None and index.mounts and (end := path.find("/", 1)) > 0:
                plans = index.mounts.get(path[:end])
            if plans is None:
                segments = path.split("/", index.depth)
                plans = index.search(segments)
            if not plans:
                return router._asterism_unmatched(scope, index)
            plan = plans[0]
            if plan.is_plain and scope["type"] == "http" and self._route.handle is self._route_handle:
                # PERF: what `_choose` would do with it.
                route = plan.route
                if (methods := route.methods) and scope["method"] not in methods:
                    values = None
                else:
                    values = {} if plan.literal is not None else plan.values(path, segments)
                if values is not None:
                    scope["route"] = route
                    scope["endpoint"] = route.endpoint
                    scope["path_params"] = {**scope["path_params"], **values} if "path_params" in scope else values
                    return route.app
            if plan.prefix is None or len(plans) > 1 or "\n" in path:
                chosen = self._choose(plans, path, segments, scope)
                if type(chosen) is not Plan:
                    return router._asterism_unmatched(scope, index) if chosen is None else chosen
                plan, mount, rest = chosen, chosen.route, None
            else:
                # PERF: a prefix without parameters was compared by the index; the rest may be all but a line break.
                mount = plan.route
                scope["route"] = mount
                scope["endpoint"] = mount.app
                scope["path_params"] = dict(scope.get("path_params", ()))
                if "app_root_path" not in scope:
                    scope["app_root_path"] = root_path
                scope["root_path"] = root_path + plan.prefix
                # COMPAT: a path that does not begin with its `root_path` is looked up whole at each level.
                rest = path[len(plan.prefix) :] if not root_path or path is not whole else None
            # PERF: a plain application is called without the frame of `handle`, a router without its own.
            if plan.handles_itself or (not is_inside and self._mount.handle is not self._mount_handle):
                return mount.handle
            app = mount.app
            if type(app) is not self._router:
                return app
            routing = app.middleware_stack
            if not (
                type(routing) is MethodType
                and routing.__func__ is self._router_app
                and routing.__self__ is app
                and (is_inside or self._router.__call__ is self._router_call)
            ):
                return app.__call__
            router, root_path, is_inside = app, scope["root_path"], True
            path = get_route_path(scope) if rest is None else rest

    def _index(self, router: Any) -> RouteIndex[Plan] | None:
        """Return the index that holds for a router's routes now, None when they must be asked one by one."""
        routes = router.routes
        table: RouteTable[Plan] | None = router.__dict__.get(_TABLE)
        if table is None:
            table = router.__dict__[_TABLE] = RouteTable()
        return table.refresh(routes, self._plan)

    def scope_with_other_slash(self, router: Any, scope: Scope, index: RouteIndex[Plan] | None) -> Scope | None:
        """Return the scope with, or without, the final slash of its path if a route matches that; else None.

        Args:
            router: Its routes are asked.
            scope: What none of them matches as it is.
            index: The index that was searched for it; None when they were asked one by one.
        """
        path: str = scope["path"]
        root_path = scope.get("root_path")
        route_path = get_route_path(scope) if root_path else path
        if route_path == "/":
            return None
        if route_path.endswith("/"):
            other_path = path.rstrip("/")
        elif index is None or index.ends_in_slash or not route_path:
            other_path = path + "/"
        else:
            return None
        routes: Iterable[Any] = router.routes
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
        return router._asterism_unmatched(scope, None) if partial is None else _take(*partial, scope)

    def _choose(self, plans: Iterable[Plan], path: str, segments: Sequence[str], scope: Scope) -> Any:
        """Choose among the candidates of one router.

        Returns:
            What serves the scope; the plan of a mount, whose keys are in the scope then; None when none matches.
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
                values = plan.values(path, segments)
                if values is not None:
                    _take(route, route._asterism_child_scope(scope, path, values), scope)
                    return plan
            elif not plan.kind:
                match, child_scope = route.matches(scope)
                if match is self._full:
                    return _take(route, child_scope, scope)
                if match is self._partial:
                    partial = partial or (route, child_scope)
        return None if partial is None else _take(*partial, scope)


def _take(route: Any, child_scope: Scope, scope: Scope) -> Any:
    scope["route"] = route
    # COMPAT: the child scope may name another route.
    scope.update(child_scope)
    return route.handle
