"""References inside of documents: replacing them, and finding what is referred to. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def inlined(value: Any, schemas: Mapping[str, Any]) -> Any:
    """Return a copy in which each reference to one of the schemas is that schema; what stands beside it counts more."""
    if isinstance(value, dict):
        found = schemas.get(value.get("$ref", "")) if isinstance(value.get("$ref"), str) else None
        if found is not None:
            rest = {name: inlined(part, schemas) for name, part in value.items() if name != "$ref"}
            return {**found, **rest}
        return {name: inlined(part, schemas) for name, part in value.items()}
    if isinstance(value, list):
        return [inlined(part, schemas) for part in value]
    return value


def replaced(value: Any, texts: Mapping[str, str]) -> Any:
    """Return a copy in which each text that is a key has become its value."""
    if isinstance(value, dict):
        return {name: replaced(part, texts) for name, part in value.items()}
    if isinstance(value, list):
        return [replaced(part, texts) for part in value]
    return texts.get(value, value) if isinstance(value, str) else value


def reachable(document: Any, prefix: str, components: Mapping[str, Any]) -> set[str]:
    """Return the names of the components that a document refers to, those by way of others included."""
    found: set[str] = set()
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and value.startswith(prefix):
            name = value.removeprefix(prefix)
            if name in components and name not in found:
                found.add(name)
                waiting.append(components[name])
    return found


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with what `over` says instead or in addition; objects are merged, everything else is replaced.

    Parameters are joined: one of `over` replaces that of the same name and place.
    """
    result = dict(base)
    for name, value in over.items():
        own = result.get(name)
        if isinstance(own, Mapping) and isinstance(value, Mapping):
            result[name] = merged(own, value)
        elif name == "parameters" and isinstance(own, list) and isinstance(value, list):
            result[name] = _joined(own, value)
        else:
            result[name] = value
    return result


def _joined(own: list[Any], other: list[Any]) -> list[Any]:
    said = {_place(parameter) for parameter in other}
    return [parameter for parameter in own if _place(parameter) not in said] + other


def _place(parameter: Any) -> tuple[Any, ...]:
    if not isinstance(parameter, Mapping) or "name" not in parameter:
        return (id(parameter),)
    return str(parameter["name"]), parameter.get("in")
