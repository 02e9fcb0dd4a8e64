"""Dataclasses that msgspec makes, completed.

A field that was not sent and has a plain default is left to the class by msgspec, and then missing in what msgspec
writes, and in `vars()`. Whoever returns what was sent would lose it, so it is put where the constructor puts it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from asterism.api import _types
from asterism.api._libraries import msgspec


def completing(decode: Callable[..., Any], kind: Any) -> Callable[..., Any]:
    """Return `decode`, made to complete dataclasses; itself when `kind` holds none that could lack something."""
    if not _can_lack(kind, set()):
        return decode

    def complete_decoded(*arguments: Any) -> Any:
        value = decode(*arguments)
        complete(value)
        return value

    return complete_decoded


def complete(value: Any) -> None:
    """Give every dataclass in a decoded value the defaults that it lacks."""
    if isinstance(value, list | tuple | set | frozenset):
        for item in value:
            complete(item)
    elif isinstance(value, dict):
        for item in value.values():
            complete(item)
    elif isinstance(value, msgspec().Struct):
        for name in value.__struct_fields__:
            complete(getattr(value, name))
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            held = getattr(value, field.name)
            own: Any = getattr(value, "__dict__", None)
            if own is not None:
                own.setdefault(field.name, held)
            complete(held)


def _can_lack(kind: Any, seen: set[Any]) -> bool:
    """Tell whether a dataclass with a plain default is in a type, at any depth."""
    for part in _types.parts(kind):
        if not _types.is_model(part) or _types.is_pydantic(part) or part in seen:
            continue
        seen.add(part)
        if dataclasses.is_dataclass(part) and any(
            field.default is not dataclasses.MISSING for field in dataclasses.fields(part)
        ):
            return True
        if any(_can_lack(inner, seen) for _, inner, _ in _types.members_of(part)):
            return True
    return False
