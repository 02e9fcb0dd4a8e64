"""Sets of what has no hash: no value is ever one, so they are refused before a client meets them."""

from __future__ import annotations

import collections.abc
import typing
from typing import Any, Final

from asterism.api import _types
from asterism.api._libraries import msgspec
from asterism.dependencies._signatures import split

_SETS: Final = (set, frozenset, collections.abc.Set, collections.abc.MutableSet)

# What lists are made for.
_ABSTRACT: Final = (
    collections.abc.Sequence,
    collections.abc.MutableSequence,
    collections.abc.Collection,
    collections.abc.Iterable,
)


def impossible_items(kind: Any) -> Any:
    """Return the type of items that some set, at any depth of a type, must hold and cannot; None when there is none."""
    for part in _types.all_parts(kind):
        arguments = typing.get_args(part)
        if typing.get_origin(part) in _SETS and not _has_hash(arguments[0]):
            return split(arguments[0])[0]
    return None


def _has_hash(kind: Any) -> bool:
    """Tell a type of which some value has a hash, as far as that can be known."""
    bare, _ = split(kind)
    origin = typing.get_origin(bare) or bare
    if origin in _types.UNIONS:
        return any(map(_has_hash, typing.get_args(bare)))
    if origin is tuple:
        return all(map(_has_hash, _types.arguments_of(bare)))
    if origin in _ABSTRACT:
        return False
    struct = msgspec().Struct
    if isinstance(origin, type) and issubclass(origin, struct) and origin.__hash__ is struct.__hash__:
        config = origin.__struct_config__  # type: ignore[attr-defined]  # of each that is made
        return bool(config.frozen or not config.eq)
    return getattr(origin, "__hash__", None) is not None
