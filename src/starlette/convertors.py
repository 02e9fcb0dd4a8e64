"""Convertors: what a `{name:kind}` placeholder matches, and how its text becomes a value and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar

if TYPE_CHECKING:
    import uuid

T = TypeVar("T")


class Convertor(Generic[T]):
    """The base of all convertors.

    A subclass sets `regex` (unnamed groups are fine) and both methods. An exception of `convert` is an error of the
    application; a `ValueError` of the built-in kinds means that the path does not match.
    """

    regex: ClassVar[str] = ""

    def convert(self, value: str) -> T:
        """Return the value for the text that `regex` matched."""
        raise NotImplementedError

    def to_string(self, value: T) -> str:
        """Return the text that stands for `value` in a path."""
        raise NotImplementedError


class StringConvertor(Convertor[str]):
    """One path segment, or a part of one; never empty."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        text = str(value)
        _require("/" not in text, "May not contain path separators")
        _require(text != "", "Must not be empty")
        return text


class PathConvertor(Convertor[str]):
    """The rest of the path, slashes included; may be empty."""

    regex = ".*"

    def convert(self, value: str) -> str:
        return str(value)

    def to_string(self, value: str) -> str:
        return str(value)


class IntegerConvertor(Convertor[int]):
    """A whole number, at least 0, in ASCII digits."""

    regex = "[0-9]+"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        number = int(value)
        _require(number >= 0, "Negative integers are not supported")
        return str(number)


class FloatConvertor(Convertor[float]):
    """A decimal number, at least 0, without exponent."""

    regex = r"[0-9]+(\.[0-9]+)?"

    def convert(self, value: str) -> float:
        number = float(value)
        if math.isinf(number):
            raise ValueError(f"{value[:20]!r}... is too large for a float")
        return number

    def to_string(self, value: float) -> str:
        number = float(value)
        _require(not math.isnan(number), "NaN values are not supported")
        _require(not math.isinf(number), "Infinite values are not supported")
        _require(number >= 0.0, "Negative floats are not supported")
        return format(number, ".20f").rstrip("0").rstrip(".")


class UUIDConvertor(Convertor["uuid.UUID"]):
    """A UUID in hexadecimal digits of either case; each of the four dashes is optional."""

    regex = "-?".join(f"[0-9a-fA-F]{{{digits}}}" for digits in (8, 4, 4, 4, 12))  # RFC 9562 §4

    def convert(self, value: str) -> uuid.UUID:
        import uuid

        return uuid.UUID(value)

    def to_string(self, value: uuid.UUID) -> str:
        return str(value)


_BUILT_IN: Final[dict[str, type[Convertor[Any]]]] = {
    "str": StringConvertor,
    "path": PathConvertor,
    "int": IntegerConvertor,
    "float": FloatConvertor,
    "uuid": UUIDConvertor,
}

# One instance for each name; tools map the instances of a route back to their names.
CONVERTOR_TYPES: dict[str, Convertor[Any]] = {name: kind() for name, kind in _BUILT_IN.items()}


def register_url_convertor(key: str, convertor: Convertor[Any]) -> None:
    """Make `{name:key}` usable in the paths of routes that are built from now on."""
    CONVERTOR_TYPES[key] = convertor


def _require(holds: bool, message: str) -> None:
    # COMPAT: reverse lookups report a value that no path can hold as AssertionError; `-O` must not remove it.
    if not holds:
        raise AssertionError(message)
