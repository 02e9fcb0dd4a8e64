"""What the engine says, in words for whoever sent the request. Pure.

The messages are those of msgspec 0.19 to 0.22; one that is not known is passed on as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

_NAMES: Final = {
    "int": "an integer",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "None": "null",  # in MessagePack
    "bytes": "bytes",
    "datetime": "a date and time",
    "date": "a date",
    "time": "a time",
    "duration": "a duration",
    "timedelta": "a duration",
    "uuid": "a UUID",
    "decimal": "a decimal number",
}

# More values than these are not listed.
_CHOICES: Final = 12

_MISSING: Final = re.compile(r"Object missing required field `(.*)`", re.DOTALL)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)

# Of Python up to 3.13, and later; and of msgspec.
_HASHES: Final = re.compile(r"(?s)(?:cannot use .*)?\(?unhashable type: .*|.*: map keys must be hashable.*")
_NAN: Final = re.compile(r"Cannot hash a signaling NaN value.*")

# What is said, its kind, and what we say; `{0}` and so on are the groups. The first that fits counts.
_RULES: Final[tuple[tuple[re.Pattern[str], str, str], ...]] = (
    (_MISSING, "missing", "is required"),
    (_UNKNOWN, "unknown", "is not known"),
    (re.compile(r"Expected `([^`]*)` >= (\S+)"), "range", "must be {name} of at least {1}"),
    (re.compile(r"Expected `([^`]*)` <= (\S+)"), "range", "must be {name} of at most {1}"),
    (re.compile(r"Expected `([^`]*)` > (\S+)"), "range", "must be {name} greater than {1}"),
    (re.compile(r"Expected `([^`]*)` < (\S+)"), "range", "must be {name} less than {1}"),
    (re.compile(r"Expected `([^`]*)` that's a multiple of (\S+)"), "range", "must be a multiple of {1}"),
    (re.compile(r"Expected `str` of length >= (\d+)"), "length", "must have at least {0} characters"),
    (re.compile(r"Expected `str` of length <= (\d+)"), "length", "must have at most {0} characters"),
    (re.compile(r"Expected `[^`]*` of length >= (\d+)"), "length", "must have at least {0} items"),
    (re.compile(r"Expected `[^`]*` of length <= (\d+)"), "length", "must have at most {0} items"),
    (re.compile(r"Expected `[^`]*` (?:of|at least) length (\d+).*"), "length", "must have {0} items"),
    (re.compile(r"Expected `str` matching regex (.*)", re.DOTALL), "pattern", "must match {0}"),
    (re.compile(r"Expected `([^`]*)`, got `([^`]*)`"), "type", "must be {name}"),
    (re.compile(r"Invalid enum value (.*)", re.DOTALL), "value", "is none of the allowed values"),
    (re.compile(r"Invalid value (.*)", re.DOTALL), "value", "is none of the allowed values"),
    (
        re.compile(r"Invalid RFC3339 encoded datetime"),
        "format",
        "must be a date and time, such as 2026-01-31T12:00:00Z",
    ),
    (re.compile(r"Invalid RFC3339 encoded date"), "format", "must be a date, such as 2026-01-31"),
    (re.compile(r"Invalid RFC3339 encoded time"), "format", "must be a time, such as 12:00:00"),
    (re.compile(r"Invalid ISO8601 duration"), "format", "must be a duration, such as P1DT2H"),
    (re.compile(r"Invalid UUID"), "format", "must be a UUID"),
    (re.compile(r"Invalid decimal string"), "format", "must be a decimal number"),
    (re.compile(r"Invalid base64 encoded string"), "format", "must be base64"),
    (re.compile(r"(must have (?:no|a) time zone)"), "format", "{0}"),
    (_HASHES, "invalid", "must have plain values only, such as text and numbers, in sets and as keys"),
    (_NAN, "invalid", "has a signaling NaN, which cannot be in a set"),
    (re.compile(r"(?:Integer value|Number) out of range"), "range", "is too large a number"),
)


def kind_of_error(text: str) -> str:
    """Return what kind of mistake a message is about."""
    return next((kind for pattern, kind, _ in _RULES if pattern.fullmatch(text)), "invalid")


def wording(text: str, was_text: bool, choices: Sequence[Any] = ()) -> str:
    """Return a message for people.

    Args:
        text: What msgspec says, without the path.
        was_text: The value came as text (in a query, say), so that its type is nothing the sender chose.
        choices: The values that are allowed, where these can be counted.
    """
    for pattern, kind, said in _RULES:
        found = pattern.fullmatch(text)
        if found:
            groups = [str(group)[:120].removesuffix(".0") for group in found.groups()]
            name = _listed(groups[0]) if groups else ""
            sentence = said.format(*groups, name=name)
            if kind == "value" and 0 < len(choices) <= _CHOICES:
                return "must be " + _either([repr(choice)[:80] for choice in choices])
            if kind == "type" and not was_text:
                sentence += f", not {_listed(groups[1])}"
            return sentence
    return text[:300]


def is_about_hashes(text: str) -> bool:
    """Tell that something came where only what has a hash can be: in a set, or as a key."""
    return _HASHES.fullmatch(text) is not None or _NAN.fullmatch(text) is not None


def missing_field(text: str) -> str:
    """Return the field that is missing, as it is appended to a location; empty when none is."""
    return _field(_MISSING, text)


def unknown_field(text: str) -> str:
    """Return the field that should not be there, likewise."""
    return _field(_UNKNOWN, text)


def _field(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.fullmatch(text)
    return f".{found[1][:80]}" if found else ""


def _either(names: Sequence[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _listed(names: str) -> str:
    return " or ".join(_NAMES.get(name, name) for name in names.split(" | "))
