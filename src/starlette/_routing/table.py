"""A live list of routes and the index that was made of it, as long as it fits."""

from __future__ import annotations

from collections.abc import Callable
from operator import is_
from typing import Any, Generic

from starlette._routing.index import E, RouteIndex
from starlette._routing.route_list import RouteList


class Edits:
    """Counts the changes to the attributes of routes that stand in some index."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


#: One for the process: an index that was made at another count is checked no further, it is made again.
EDITS = Edits()


class RouteTable(Generic[E]):
    """Hands out the index over a list of routes, or None while the list is changing.

    A list is indexed when it is first seen. One that has changed since is scanned once before it is indexed again: an
    application that edits its routes with every request never pays for an index that serves one look-up.
    """

    __slots__ = ("_edits", "_items", "_routes", "_version", "edits", "index", "routes", "version")

    def __init__(self) -> None:
        self.index: RouteIndex[E] | None = None
        # The index holds for this very list at this version and this count of edits (read by the dispatcher).
        self.routes: Any = None
        self.version = -1
        self.edits = -1
        # What was there at the last look.
        self._routes: Any = None
        self._version = self._edits = -1
        self._items: list[Any] = []

    def __reduce__(self) -> tuple[Any, ...]:
        # Copies and pickles of a router begin without an index.
        return RouteTable, ()

    def refresh(self, routes: Any, plan: Callable[[int, Any], E]) -> RouteIndex[E] | None:
        """Return the index for `routes` as they are now, or None when they must be scanned this time.

        Args:
            routes: The list as the router has it.
            plan: Makes the entry for a route, from its place in the list and the route itself.
        """
        version = routes.version if type(routes) is RouteList else -1
        if not self._is_as_seen(routes, version):
            is_first = self._routes is None
            self._routes, self._version, self._edits = routes, version, EDITS.count
            self._items = list(routes) if version < 0 else []
            self.index = self.routes = None
            # PERF: a scan of routes that were never asked compiles the pattern of each, the index compiles none.
            if not is_first:
                return None
        if self.index is None:
            self.index = RouteIndex(plan(order, route) for order, route in enumerate(routes))
            if version >= 0:
                self.routes, self.version, self.edits = routes, version, self._edits
        return self.index

    def _is_as_seen(self, routes: Any, version: int) -> bool:
        if routes is not self._routes or version != self._version or EDITS.count != self._edits:
            return False
        # A list of the user's own tells nothing of its changes: its items are compared, by identity.
        return version >= 0 or (len(routes) == len(self._items) and all(map(is_, routes, self._items)))
