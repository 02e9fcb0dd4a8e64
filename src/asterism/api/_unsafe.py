"""Types that make msgspec crash, found before it sees them.

SECURITY: in two unions msgspec (up to 0.22 at least) looks for a part at the wrong place of its own notes, and the
process dies, mostly much later, when garbage is collected:

- text with a pattern beside a list, set, dict or tuple of any length: the pattern is taken for the type of the items;
- a tuple of a fixed length beside anything with a bound: the bound is taken for the length of the tuple.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any, Final

from asterism.api import _types
from asterism.api._libraries import msgspec
from asterism.dependencies._signatures import split

_BOUNDS: Final = ("ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length")

# A type that is no union, and the marks that hold for it.
_Part = tuple[Any, tuple[Any, ...]]


def unsafe_union(kind: Any) -> str | None:
    """Return what in a type, at any depth, makes msgspec crash, in words; None when nothing does."""
    return _search(kind, set())


def _search(kind: Any, seen: set[Any]) -> str | None:
    parts = list(_alternatives(kind, ()))
    found = _clash(parts) if len(parts) > 1 else None
    if found is not None:
        return found
    for part, _ in parts:
        inner = _types.arguments_of(part)
        if _types.is_model(part):
            if part in seen:
                continue
            seen.add(part)
            inner = _types.member_types(part)
        for one in inner:
            found = _search(one, seen)
            if found is not None:
                return found
    return None


def _alternatives(kind: Any, marks: tuple[Any, ...]) -> Iterator[_Part]:
    """Yield what a type may be, one by one, with the marks that stood beside it or around the union."""
    bare, own = split(kind)
    marks = (*own, *marks)
    if typing.get_origin(bare) in _types.UNIONS:
        for part in typing.get_args(bare):
            yield from _alternatives(part, marks)
    else:
        yield bare, marks


def _clash(parts: list[_Part]) -> str | None:
    has_pattern = any(kind is str and _has(marks, ("pattern",)) for kind, marks in parts)
    if has_pattern and any(_is_collection(kind) and not _is_fixed(kind) for kind, _ in parts):
        return "text with a pattern beside a list, set, dict or tuple"
    if any(_is_fixed(kind) for kind, _ in parts) and any(_has(marks, _BOUNDS) for _, marks in parts):
        return "a tuple of a fixed length beside something with a bound"
    return None


def _has(marks: tuple[Any, ...], names: tuple[str, ...]) -> bool:
    metas = [mark for mark in marks if isinstance(mark, msgspec().Meta)]
    return any(getattr(meta, name) is not None for meta in metas for name in names)


def _is_collection(kind: Any) -> bool:
    return _types.is_many(kind) or (typing.get_origin(kind) or kind) in _types.MAPPINGS


def _is_fixed(kind: Any) -> bool:
    return typing.get_origin(kind) is tuple and ... not in typing.get_args(kind)
