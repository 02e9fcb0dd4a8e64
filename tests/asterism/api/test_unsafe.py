"""Types that make msgspec crash are refused when the endpoint is made."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, NewType, NotRequired, TypedDict, TypeVar

import msgspec
import pytest
from typing_extensions import TypeAliasType

from asterism.api import Query, endpoint
from asterism.api._unsafe import unsafe_union
from asterism.dependencies import DependencyError

if TYPE_CHECKING:
    from decimal import Decimal

T = TypeVar("T")
Word = Annotated[str, msgspec.Meta(pattern="a")]
Bounded = Annotated[int, msgspec.Meta(ge=1)]
Name = NewType("Name", Word)  # pyright: ignore[reportGeneralTypeIssues]  # as msgspec takes it
Alias = TypeAliasType("Alias", Word | None)


class Page(msgspec.Struct, Generic[T]):
    rows: T | list[int]


class Outer(msgspec.Struct, Generic[T]):
    page: Page[T]


class Tree(msgspec.Struct):
    children: list[Tree] = []
    name: Word = ""


class Spans(TypedDict):
    span: NotRequired[tuple[int, int] | Annotated[str, msgspec.Meta(min_length=1)]]


@dataclass
class Bag:
    content: dict[str, Word | set[str]]


class Unnamed(msgspec.Struct):
    price: Decimal


PATTERN = "text with a pattern beside a list, set, dict or tuple"
FIXED = "a tuple of a fixed length beside something with a bound"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        pytest.param(Word | list[int], PATTERN, id="pattern-and-list"),
        pytest.param(Word | None | dict[str, int], PATTERN, id="pattern-and-dict"),
        pytest.param(Word | Mapping[str, int], PATTERN, id="pattern-and-mapping"),
        pytest.param(Name | Sequence[int], PATTERN, id="pattern-in-a-new-type"),
        pytest.param(Alias | tuple[int, ...], PATTERN, id="pattern-in-an-alias"),
        pytest.param(list[dict[str, Word | set[int]]], PATTERN, id="further-down"),
        pytest.param(Page[Word], PATTERN, id="for-a-type-variable"),
        pytest.param(Outer[Word], PATTERN, id="for-a-type-variable-further-down"),
        pytest.param(Bag | None, PATTERN, id="in-a-dataclass"),
        pytest.param(Bounded | tuple[int, str], FIXED, id="number-and-tuple"),
        pytest.param(Annotated[str | tuple[int], msgspec.Meta(min_length=1)], FIXED, id="bound-around-the-union"),
        pytest.param(Spans, FIXED, id="in-a-typed-dict"),
        pytest.param(Word | None, None, id="pattern-or-none"),
        pytest.param(Word | tuple[int, str], None, id="pattern-and-tuple-of-a-fixed-length"),
        pytest.param(Word | bool | Literal["a", "b"], None, id="pattern-and-others"),
        pytest.param(Bounded | list[int] | None, None, id="number-and-list"),
        pytest.param(tuple[Bounded, Word], None, id="inside-of-a-tuple"),
        pytest.param(Page[str], None, id="another-type-for-the-variable"),
        pytest.param(Tree, None, id="a-type-in-itself"),
        pytest.param(Unnamed, None, id="a-name-that-is-not-there"),
    ],
)
def test_unions_that_crash_are_found(kind: Any, expected: str | None) -> None:
    assert unsafe_union(kind) == expected


def test_endpoints_that_take_or_send_them_are_refused() -> None:
    async def take(value: Annotated[str | list[int], Query()]) -> None: ...

    take.__annotations__["value"] = Word | list[int]
    with pytest.raises(DependencyError, match=rf"the parameter value.*a union of {PATTERN} makes msgspec crash"):
        endpoint(take)

    async def send() -> Any: ...

    with pytest.raises(DependencyError, match=rf"what is answered with status 200: a union of {PATTERN}.*send"):
        endpoint(send, returns=Page[Word])
    with pytest.raises(DependencyError, match="what is answered with status 404"):
        endpoint(send, responses={404: Bag})

    async def stream() -> AsyncIterator[Bag]:
        yield Bag({})

    with pytest.raises(DependencyError, match="what is answered with status 200"):
        endpoint(stream)


PROGRAM = """
import datetime, enum, gc, itertools, typing
import msgspec
from asterism.api._unsafe import unsafe_union

Colour = enum.Enum("Colour", {"RED": "red"})
Level = enum.IntEnum("Level", {"LOW": 1, "HIGH": 2})
Item = msgspec.defstruct("Item", [("a", int)])
M = msgspec.Meta
kinds = [Colour, Level, Item, typing.TypedDict("Span", {"a": int}), typing.NamedTuple("Point", [("x", int)]),
    typing.Literal["a", 1], str, typing.Annotated[str, M(pattern="a")], typing.Annotated[str, M(min_length=1)],
    typing.Annotated[int, M(ge=1)], typing.Annotated[float, M(lt=1, gt=0)], dict[str, int], list[int], set[str],
    typing.Annotated[list[int], M(max_length=1)], tuple[int, str], tuple[int, ...], datetime.datetime, None]
decoders, unsafe = [], 0
for size in (1, 2, 3):
    for chosen in itertools.combinations(kinds, size):
        union = typing.Union[chosen]
        if unsafe_union(union) is not None:
            unsafe += 1
            continue
        try:
            decoders.append(msgspec.json.Decoder(union))
        except TypeError:
            continue
        for data in (b'"a"', b"1", b"[1]", b'{"a":1}', b'[1,"a"]'):
            try:
                decoders[-1].decode(data)
            except msgspec.ValidationError:
                pass
gc.collect()
count = len(decoders)
decoders.clear()
gc.collect()
print(count > 200 and unsafe > 20)
"""


def test_all_other_unions_survive_a_collection_of_garbage() -> None:
    # In another process, whose allocator fills what it hands out, so that a wrong place is noticed for sure.
    environment = {**os.environ, "PYTHONMALLOC": "debug"}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "True"), done.stderr[-2000:]
