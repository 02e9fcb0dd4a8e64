"""What can be said of an endpoint beside its signature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from asterism.api._formats import FORMATS, STREAMS, Format, StreamFormat
from asterism.api._plan import REQUIRED, Answer

DEFAULT_MAX_BODY_SIZE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Options:
    """The arguments of `endpoint`, checked.

    Attributes:
        accepted: What bodies may be sent as.
        produced: What results are sent as, the first unless the client prefers another.
        streamed: The same for streams.
    """

    returns: Any = REQUIRED
    status_code: int | None = None
    accepted: tuple[Format, ...] = (FORMATS["json"],)
    produced: tuple[Format, ...] = (FORMATS["json"],)
    streamed: tuple[StreamFormat, ...] = tuple(STREAMS.values())
    max_body_size: int | None = None
    exact_query: bool = False
    summary: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    operation_id: str | None = None
    deprecated: bool = False
    answers: tuple[Answer, ...] = ()
    security: tuple[Any, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


def formats(names: Sequence[str]) -> tuple[Format, ...]:
    """Return the formats with these names.

    Raises:
        ValueError: There is no such format, or none at all.
    """
    unknown = [name for name in names if name not in FORMATS]
    if unknown or not names or isinstance(names, str):
        raise ValueError(f"formats must be some of {', '.join(FORMATS)}, got {names!r}")
    return tuple(FORMATS[name] for name in names)


def streams(names: Sequence[str]) -> tuple[StreamFormat, ...]:
    """Return the formats of streams with these names; errors are those of `formats`."""
    unknown = [name for name in names if name not in STREAMS]
    if unknown or not names or isinstance(names, str):
        raise ValueError(f"streamed must be some of {', '.join(STREAMS)}, got {names!r}")
    return tuple(STREAMS[name] for name in names)


def whole(name: str, value: int | None, low: int, high: int | None = None) -> int | None:
    """Return a number as it is, or None.

    Raises:
        ValueError: It is no whole number, or not between `low` and `high`.
    """
    if value is None or (isinstance(value, int) and low <= value and (high is None or value <= high)):
        return value
    bounds = f"at least {low}" if high is None else f"from {low} to {high}"
    raise ValueError(f"{name} must be a whole number {bounds}, got {value!r}")


def answers(given: Mapping[int, Any] | None) -> tuple[Answer, ...]:
    """Return other responses than the usual one, from a mapping of statuses to types or `Answer`s."""
    found = []
    for status, value in (given or {}).items():
        if isinstance(value, Answer):
            found.append(value)
        else:
            found.append(Answer(status, value, ("application/json",) if value is not None else ()))
    return tuple(found)
