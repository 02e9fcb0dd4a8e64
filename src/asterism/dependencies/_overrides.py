"""Other providers in place of some, for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from starlette.requests import HTTPConnection

# By the identity of an application or router: what to replace, and by what. Empty while nobody tests.
ACTIVE: Final[dict[int, Mapping[Any, Callable[..., Any]]]] = {}


@contextmanager
def overrides(app: Any, replacements: Mapping[Any, Callable[..., Any]]) -> Iterator[None]:
    """Let other providers stand in for some, in an application and in everything mounted below it.

        with overrides(app, {open_session: fake_session}), TestClient(app) as client: ...

    A stand-in has parameters of its own, and is called for each request, also for a resource of the application. What
    was replaced is never called, and not made in a lifespan that starts inside of the block. Overrides inside of others
    add to them.

    Args:
        app: A Starlette application or a router.
        replacements: By provider, as it stands in `Depends`.
    """
    keys = {id(part) for part in _parts(app)}
    before = {key: ACTIVE.get(key) for key in keys}
    for key in keys:
        ACTIVE[key] = {**(before[key] or {}), **replacements}
    try:
        yield
    finally:
        for key, mapping in before.items():
            if mapping is None:
                del ACTIVE[key]
            else:
                ACTIVE[key] = mapping


def active_overrides(connection: HTTPConnection[Any]) -> Mapping[Any, Callable[..., Any]] | None:
    """Return what is replaced for a connection, or None."""
    scope = connection.scope
    return ACTIVE.get(id(scope.get("app"))) or ACTIVE.get(id(scope.get("router")))


def _parts(app: Any) -> Iterator[Any]:
    """Yield an application, what it wraps, and what is mounted below it."""
    yield app
    inner = getattr(app, "app", None)
    if inner is not None and not callable(getattr(app, "handle", None)) and not hasattr(inner, "__func__"):
        yield from _parts(inner)
    for route in getattr(app, "routes", None) or ():
        mounted = getattr(route, "app", None)
        if mounted is not None and hasattr(route, "routes"):
            yield from _parts(mounted)
