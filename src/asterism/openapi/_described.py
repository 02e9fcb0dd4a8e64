"""What msgspec says of a type, with the bounds that it has no words for: those of decimal numbers, dates and times."""

from __future__ import annotations

import decimal
import typing
from typing import Annotated, Any, Final

from asterism.api import _types
from asterism.api._libraries import msgspec
from asterism.dependencies._signatures import split

# What is raised for types that cannot be described.
UNDESCRIBED: Final = (TypeError, ValueError, NameError)

_NUMBERS: Final = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
}
# JSON Schema has nothing for these; validators that do call it so.
_OTHERS: Final = {
    "ge": "formatMinimum",
    "gt": "formatExclusiveMinimum",
    "le": "formatMaximum",
    "lt": "formatExclusiveMaximum",
}


_DIGITS: Final = r"([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$"
# Decimal numbers as text.
DECIMAL: Final = f"^[-+]?{_DIGITS}"
NOT_NEGATIVE: Final = f"^[+]?{_DIGITS}"
POSITIVE: Final = f"^[+]?(?=[^eE]*[1-9]){_DIGITS}"


def described_type(kind: Any) -> Any:
    """Return the description of a type.

    Raises:
        TypeError, ValueError, NameError: There is none.
    """
    return msgspec().inspect.type_info(_told(kind))


def _told(kind: Any) -> Any:
    """Return the type with the bounds in a form that msgspec passes on."""
    bare, marks = split(kind)
    if not any(isinstance(mark, _types.Limits) for mark in _all_marks(kind)):
        return kind
    found = bare if _types.is_model(bare) else _with_arguments(bare)
    for mark in marks:
        told = msgspec().Meta(extra_json_schema=_bounds(mark)) if isinstance(mark, _types.Limits) else mark
        found = Annotated[found, told]
    return found


def _all_marks(kind: Any) -> list[Any]:
    bare, marks = split(kind)
    return [*marks, *(mark for part in _types.arguments_of(bare) for mark in _all_marks(part))]


def _with_arguments(bare: Any) -> Any:
    arguments = typing.get_args(bare)
    if not _types.arguments_of(bare):
        return bare
    told = tuple(part if part is ... else _told(part) for part in arguments)
    origin: Any = typing.get_origin(bare)
    return typing.Union[told] if origin in _types.UNIONS else origin[told]  # noqa: UP007  # of a tuple


def _bounds(limits: Any) -> dict[str, Any]:
    bounds = {name: getattr(limits, name) for name in _NUMBERS}
    numeric = all(isinstance(bound, int | float | decimal.Decimal | None) for bound in bounds.values())
    names = _NUMBERS if numeric else _OTHERS
    found = {names[name]: _plain(bound) for name, bound in bounds.items() if bound is not None and name in names}
    return found | (_pattern(limits) if numeric else {})


def _pattern(limits: Any) -> dict[str, str]:
    """Return the pattern of decimal numbers as text that are not negative, which is all that a pattern can say."""
    bound = limits.gt if limits.gt is not None else limits.ge
    if bound is None or bound < 0:
        return {}
    return {"pattern": POSITIVE if limits.gt is not None else NOT_NEGATIVE}


def _plain(bound: Any) -> Any:
    """Return a bound as JSON has it."""
    if isinstance(bound, decimal.Decimal):
        return int(bound) if bound == bound.to_integral_value() else float(bound)
    return msgspec().to_builtins(bound)
