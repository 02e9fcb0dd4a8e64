"""Applications by name, made of public names of `starlette` only, so that they run under both packages.

Each topic is a module; `made("routing.table", {...})` imports `tests.differential.apps.routing` and calls what it has
registered as `table`. Nothing here may depend on the package that is played.
"""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable
from typing import Any

ASGI = Callable[..., Awaitable[None]]
Factory = Callable[..., ASGI]


_made: dict[str, ASGI] = {}


def made(name: str, options: dict[str, Any]) -> ASGI:
    """Return the application of this name, made with these options; the same one for the same options."""
    key = f"{name} {options!r}"
    if key in _made:
        return _made[key]
    topic, _, function = name.partition(".")
    module = importlib.import_module(f"{__name__}.{topic}")
    factory: Factory = getattr(module, function)
    _made[key] = factory(**options)
    return _made[key]
