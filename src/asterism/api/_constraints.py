"""Constraints in models that msgspec does not read: those of annotated-types, and our markers.

msgspec looks at its own `Meta` only. Whatever else bounds a field of a model is checked when the model has been made;
models that have no such field are not looked at, so that they cost nothing.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import decimal
import functools
import operator
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from asterism.api import _types
from asterism.api._libraries import msgspec
from asterism.dependencies._signatures import split

# Raises ValueError, as msgspec does, for a value that breaks a constraint.
Check = Callable[[Any], Any]


def checking(decode: Callable[..., Any], kind: Any) -> Callable[..., Any]:
    """Return `decode`, made to check what msgspec does not; itself when there is nothing of that in `kind`."""
    check = None if _types.holds_pydantic(kind) else check_of(kind)  # pydantic checks all of its own
    if check is None:
        return decode

    def check_decoded(*arguments: Any) -> Any:
        value = decode(*arguments)
        check(value)
        return value

    return check_decoded


def check_of(kind: Any) -> Check | None:
    """Return what checks a value of a type; None when msgspec has checked everything.

    Raises:
        TypeError: A constraint is none for the type it stands beside.
    """
    try:
        hash(kind)
    except TypeError:  # it has examples, say, in a list
        return _made(kind)
    return _known(kind)


def _made(kind: Any) -> Check | None:
    return _check_of(kind, {}) if _is_bounded(kind, set()) else None


# Asked again and again while a refusal is explained.
_known = functools.lru_cache(maxsize=512)(_made)


def _is_bounded(kind: Any, seen: set[Any]) -> bool:
    """Tell whether a type has constraints that msgspec does not read, at any depth."""
    bare, marks = split(kind)
    if _types.foreign_marks(marks):
        return True
    if not _types.is_model(bare):
        return any(_is_bounded(part, seen) for part in _types.arguments_of(bare))
    if bare in seen:
        return False
    if _types.is_pydantic(bare):
        return dataclasses.is_dataclass(bare)
    seen.add(bare)
    return any(_is_bounded(part, seen) for part in _types.hints_of(bare).values())


def _check_of(kind: Any, known: dict[Any, _Model]) -> Check | None:
    bare, marks = split(kind)
    foreign = _types.foreign_marks(marks)
    own = _check_of_bounds(_types.checked_type(bare, foreign)) if foreign else None
    return _together([own, _check_inside(bare, known)])


def _check_inside(kind: Any, known: dict[Any, _Model]) -> Check | None:
    """Return what checks the parts of a value."""
    if _types.is_pydantic(kind):
        return functools.partial(_revalidate, kind) if dataclasses.is_dataclass(kind) else None
    if _types.is_model(kind):
        return _model(kind, known)
    checks = [_check_of(part, known) for part in _types.arguments_of(kind)]
    origin = typing.get_origin(kind)
    if origin in _types.UNIONS:
        return _together([_only_for(part, check) for part, check in zip(typing.get_args(kind), checks, strict=True)])
    if origin is tuple and ... not in typing.get_args(kind):
        return _together([_at(index, check) for index, check in enumerate(checks)])
    if origin in _types.MAPPINGS and checks:
        keys, values = checks
        return _together([_each(keys, iter), _each(values, dict.values)])
    return _each(_together(checks), iter)


def _revalidate(kind: Any, value: Any) -> None:
    """Let pydantic check a dataclass of its own, which msgspec made."""
    _types.adapter_of(kind).validate_python(dataclasses.asdict(value))


def _model(model: Any, known: dict[Any, _Model]) -> _Model:
    found = known.get(model)
    if found is None:
        found = known[model] = _Model(model)  # first, since a model may have itself in it
        for name, hint in _types.hints_of(model).items():
            check = _check_of(hint, known)
            if check is not None:
                found.fields.append((name, check))
    return found


def _check_of_bounds(kind: Any) -> Check | None:
    """Return what checks the constraints that stand beside a type; of a union, those of each part."""
    bare, marks = split(kind)
    if typing.get_origin(bare) in _types.UNIONS:
        return _together([_only_for(part, _check_of_bounds(part)) for part in typing.get_args(bare)])
    limits = next((mark for mark in marks if isinstance(mark, _types.Limits)), None)
    if limits is not None:
        return functools.partial(_compare, limits)
    if not marks:
        return None
    msgspec().inspect.type_info(kind)  # raises for a constraint that does not fit
    return functools.partial(msgspec().convert, type=kind, dec_hook=_types.decode_hook)


_ORDER: Final[tuple[tuple[str, str, Callable[[Any, Any], bool]], ...]] = (
    ("ge", ">=", operator.ge),
    ("gt", ">", operator.gt),
    ("le", "<=", operator.le),
    ("lt", "<", operator.lt),
)


def _compare(limits: _types.Limits, value: Any) -> None:
    """Raise ValueError, in the words of msgspec, for a value that is out of bounds."""
    kind = type(value).__name__.lower()
    for name, sign, holds in _ORDER:
        bound = getattr(limits, name)
        if bound is not None and not _holds(holds, value, bound):
            raise ValueError(f"Expected `{kind}` {sign} {bound}")
    step = limits.multiple_of
    if step is not None and not _holds(_is_multiple, value, decimal.Decimal(str(step))):
        raise ValueError(f"Expected `{kind}` that's a multiple of {step}")


def _holds(relation: Callable[[Any, Any], bool], value: Any, bound: Any) -> bool:
    try:
        return relation(value, bound)
    except decimal.InvalidOperation:  # no number, or one with too many digits to divide it
        return False
    except TypeError:  # dates and times are compared with a time zone, or without
        zone = "no time zone" if getattr(bound, "tzinfo", None) is None else "a time zone"
        raise ValueError(f"must have {zone}") from None


def _is_multiple(value: Any, step: Any) -> bool:
    return not value % step


# What is made for types that say less, and is no instance of what they say; or more, as text is a sequence.
_MADE: Final[Mapping[Any, Any]] = {
    float: (float, int),
    collections.abc.Mapping: dict,
    collections.abc.MutableMapping: dict,
    collections.abc.Sequence: list,
    collections.abc.Collection: list,
    collections.abc.Iterable: list,
}


def _together(checks: Iterable[Check | None]) -> Check | None:
    found = [check for check in checks if check is not None]
    if len(found) < 2:
        return found[0] if found else None

    def check_all(value: Any) -> None:
        for check in found:
            check(value)

    return check_all


def _only_for(kind: Any, check: Check | None) -> Check | None:
    """Return a check that passes over what is another part of a union."""
    if check is None:
        return None
    bare, _ = split(kind)
    origin = typing.get_origin(bare) or bare
    made = dict if typing.is_typeddict(origin) else _MADE.get(origin, origin)
    return lambda value: check(value) if isinstance(value, made) else None


def _at(index: int, check: Check | None) -> Check | None:
    return None if check is None else lambda value: check(value[index])


def _each(check: Check | None, items: Callable[[Any], Iterable[Any]]) -> Check | None:
    if check is None:
        return None

    def check_each(value: Any) -> None:
        for item in items(value):
            check(item)

    return check_each


class _Model:
    """Checks fields of one model."""

    def __init__(self, model: Any) -> None:
        self.is_dict = typing.is_typeddict(typing.get_origin(model) or model)
        self.fields: list[tuple[str, Check]] = []

    def __call__(self, value: Any) -> None:
        for name, check in self.fields:
            held = value.get(name, _UNSET) if self.is_dict else getattr(value, name, _UNSET)
            if held is not _UNSET and held is not msgspec().UNSET:
                check(held)


_UNSET: Final = object()
