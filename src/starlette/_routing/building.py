"""Filling the placeholders of a format string: the way back from a route's name to its path. Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any, Final

PLACEHOLDER: Final = re.compile("{([a-zA-Z_][a-zA-Z0-9_]*)}")


def fill(template: str, convertors: Mapping[str, Any], values: dict[str, Any]) -> str:
    """Fill in what `values` has and take it out of there; other placeholders stay as they are.

    A value is never searched for placeholders itself.

    Args:
        template: A format string as `compile_template` makes it: `/users/{id}`.
        convertors: By parameter name; `to_string` makes the text and raises for what no path can hold.
        values: The values by parameter name; those that were used are removed.
    """
    if not values:
        return template
    parts = list(_parts(template))
    for position in range(1, len(parts), 2):
        name = parts[position]
        parts[position] = convertors[name].to_string(values.pop(name)) if name in values else "{" + name + "}"
    return "".join(parts)


@functools.lru_cache(maxsize=4096)
def _parts(template: str) -> tuple[str, ...]:
    # Literals at even places, names at odd ones. Templates come from code, never from a client.
    return tuple(PLACEHOLDER.split(template))
