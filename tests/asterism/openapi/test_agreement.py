"""What the schemas say is what msgspec accepts: both are asked about the same values."""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

import attrs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS31Validator

from asterism.openapi._schemas import Components


class Colour(enum.Enum):
    RED = "a"
    BLUE = "abc"


class Level(enum.IntEnum):
    LOW = 0
    HIGH = 5


class Strict(msgspec.Struct, forbid_unknown_fields=True, rename={"inner": "a"}):
    inner: int
    b: Annotated[str, msgspec.Meta(min_length=1, max_length=2)] | None = None


class Rich(msgspec.Struct):
    a: Annotated[int, msgspec.Meta(ge=0, lt=5)] = 1
    b: list[Colour] = []
    c: dict[str, Level | None] = {}
    abc: tuple[int, str] | None = None


class Row(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    a: int
    b: str = ""


class LooseRow(msgspec.Struct, array_like=True):
    a: int
    b: str = ""


class Cat(msgspec.Struct, tag="a", tag_field="a"):
    b: int = 0


class Dog(msgspec.Struct, tag="abc", tag_field="a"):
    c: str


@dataclass
class Point:
    a: float
    b: Annotated[float, msgspec.Meta(gt=1, multiple_of=0.5)] = 1.5
    c: list[Any] = field(default_factory=list)


class Partial(TypedDict, total=False):
    a: Literal["a", "abc"]
    b: set[int]


class Pair(NamedTuple):
    a: int
    b: str


@attrs.define
class Attributes:
    a: Annotated[list[bool], msgspec.Meta(max_length=1)]
    b: Attributes | None = None


LEAVES = st.sampled_from([None, True, False, 0, 1, -1, 5, 6, 1.5, 2.25, "", "a", "abc", "ab", "ünï"])
KEYS = st.sampled_from(["a", "b", "c", "abc"])
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
KINDS = [
    int,
    float,
    bool,
    str,
    None,
    int | str,
    float | None,
    Colour,
    Level,
    Literal["a", "abc"],
    Annotated[str, msgspec.Meta(pattern="^a.?$")],
    Annotated[list[int], msgspec.Meta(min_length=1, max_length=2)],
    Annotated[dict[str, Any], msgspec.Meta(min_length=1, max_length=2)],
    dict[Literal["a", "b"], int],
    tuple[int, ...],
    tuple[str, bool],
    Strict,
    Rich,
    Cat | Dog,
    Point,
    Partial,
    Attributes,
    list[Strict | None],
]


@functools.cache
def judges(kind: Any) -> tuple[Callable[[Any], bool], Callable[[Any], bool]]:
    """Return what says whether the schema of a type accepts a value, and what says whether msgspec does."""
    components = Components()
    document = components.finish({"root": components.schema(kind)}, {})
    decoder = msgspec.json.Decoder(kind)

    def decodes(value: Any) -> bool:
        try:
            decoder.decode(msgspec.json.encode(value))
        except msgspec.ValidationError:
            return False
        return True

    return OAS31Validator({**document, "$ref": "#/root"}).is_valid, decodes


@pytest.mark.parametrize("kind", KINDS, ids=str)
@settings(max_examples=40, deadline=None)
@given(value=VALUES)
def test_schemas_accept_what_msgspec_accepts(kind: Any, value: Any) -> None:
    schema, decoder = judges(kind)
    for tried in (value, {"a": value}, {"a": 5, "b": value}, {"a": "abc", "c": value}, [value], ["a", value]):
        assert schema(tried) == decoder(tried), tried


@pytest.mark.parametrize("kind", [Row, LooseRow, Pair], ids=str)
@pytest.mark.parametrize("value", [[1], [1, "a"], [1, 2], [1, "a", 3], ["a"], [], {}, None])
def test_rows_agree(kind: Any, value: Any) -> None:
    schema, decoder = judges(kind)
    assert schema(value) == decoder(value)
