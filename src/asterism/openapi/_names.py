"""Names of schemas: short where that is clear, longer where two classes would have the same. Pure."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Hashable, Mapping
from typing import Any, Final

# What the name of a component may not have (OpenAPI 3.1.1 §4.8.7, "Components Object").
_ODD: Final = re.compile(r"[^A-Za-z0-9.-]+")


def name_components(classes: Mapping[Hashable, Any], taken: typing.Collection[str] = ()) -> dict[Hashable, str]:
    """Return a name for each class.

    Args:
        classes: By a key of the caller's.
        taken: Names that are in use.

    A name is that of the class (`Item`, `Page_Item` for `Page[Item]`). Classes that share theirs are told apart by the
    modules and classes that they are in, as few as are needed: `stock_Item`, `orders_Item`.
    """
    paths = {key: _path(cls) for key, cls in classes.items()}
    groups: dict[str, list[Hashable]] = {}
    for key, path in paths.items():
        groups.setdefault(path[-1], []).append(key)
    names: dict[Hashable, str] = {}
    used = set(taken)
    for group in groups.values():
        depth = _depth([paths[key] for key in group])
        for key in group:
            names[key] = _unused("_".join(paths[key][-depth:]), used)
    return {key: names[key] for key in classes}


def _path(cls: Any) -> tuple[str, ...]:
    origin = typing.get_origin(cls) or cls
    steps = f"{origin.__module__}.{origin.__qualname__}".replace(".<locals>", "").split(".")
    name = "_".join([steps[-1], *map(_short, typing.get_args(cls))])
    return (*map(_clean, steps[:-1]), _clean(name))


def _short(part: Any) -> str:
    """Return what an argument of a generic class is called: `Item`, `list_int`, `int_None`."""
    arguments = "_".join(map(_short, typing.get_args(part)))
    origin = typing.get_origin(part) or part
    if part is type(None):
        return "None"
    if origin in (typing.Union, types.UnionType, typing.Annotated):
        return arguments
    name = str(getattr(origin, "__name__", origin))
    return f"{name}_{arguments}" if arguments else name


def _clean(text: str) -> str:
    return _ODD.sub("_", text).strip("_") or "_"


def _depth(paths: list[tuple[str, ...]]) -> int:
    """Return how many steps from the end tell all of these apart; those of the longest if none do."""
    longest = max(map(len, paths))
    for depth in range(1, longest):
        if len({path[-depth:] for path in paths}) == len(paths):
            return depth
    return longest


def _unused(name: str, used: set[str]) -> str:
    number, found = 1, name
    while found in used:
        number += 1
        found = f"{name}_{number}"
    used.add(found)
    return found
