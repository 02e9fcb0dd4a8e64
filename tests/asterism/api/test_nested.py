"""Only what is declared is sent, at every depth, and a result that is exactly that is sent as it is."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Mapping
from typing import Any, Generic, NamedTuple, NotRequired, TypedDict, TypeVar

import attrs
import msgspec
import pydantic
import pytest

from asterism.api._nested import exactness
from tests.asterism.api.support import client

T = TypeVar("T")


class Part(msgspec.Struct):
    a: int


class SecretPart(Part):
    secret: str = "s"


class Other(msgspec.Struct, tag="other"):
    b: int


class Tagged(msgspec.Struct, tag="tagged"):
    a: int


class SecretTagged(Tagged, tag="tagged"):
    secret: str = "s"


class One(msgspec.Struct):
    part: Part


class Many(msgspec.Struct):
    parts: list[Part]


class Table(msgspec.Struct):
    parts: dict[str, Part]


class Pair(msgspec.Struct):
    parts: tuple[int, Part]


class Maybe(msgspec.Struct):
    part: Part | None = None


class Either(msgspec.Struct):
    part: Tagged | Other | list[int] | None


class Tree(msgspec.Struct):
    part: Part
    children: list[Tree] = []


class Page(msgspec.Struct, Generic[T]):
    items: list[T]


@dataclasses.dataclass
class Datum:
    part: Part


@attrs.define
class Attrs:
    part: Part


class Tuple(NamedTuple):
    part: Part


class Dict(TypedDict):
    name: str
    more: NotRequired[int]


class HoldsDict(msgspec.Struct):
    inner: Dict


class HoldsTuple(msgspec.Struct):
    inner: Tuple


class Deep(msgspec.Struct):
    one: One


class Model(pydantic.BaseModel):
    a: int


class HoldsModel(pydantic.BaseModel):
    inner: Model


class SecretModel(Model):
    secret: str = "s"


A: dict[str, Any] = {"a": 1}


@pytest.mark.parametrize(
    ("declared", "value", "expected"),
    [
        pytest.param(One, One(SecretPart(1)), {"part": A}, id="a-struct"),
        pytest.param(Datum, Datum(SecretPart(1)), {"part": A}, id="a-dataclass"),
        pytest.param(Attrs, Attrs(SecretPart(1)), {"part": A}, id="attrs"),
        pytest.param(HoldsTuple, HoldsTuple(Tuple(SecretPart(1))), {"inner": [A]}, id="a-named-tuple"),
        pytest.param(HoldsDict, HoldsDict({"name": "x", "secret": "s"}), {"inner": {"name": "x"}}, id="a-dict"),  # type: ignore[typeddict-unknown-key]
        pytest.param(Many, Many([Part(1), SecretPart(1)]), {"parts": [A, A]}, id="in-a-list"),
        pytest.param(Table, Table({"x": SecretPart(1)}), {"parts": {"x": A}}, id="in-a-mapping"),
        pytest.param(Pair, Pair((7, SecretPart(1))), {"parts": [7, A]}, id="in-a-tuple"),
        pytest.param(Maybe, Maybe(SecretPart(1)), {"part": A}, id="optional"),
        pytest.param(Either, Either(SecretTagged(1)), {"part": {"type": "tagged", "a": 1}}, id="in-a-union"),
        pytest.param(
            Tree, Tree(Part(1), [Tree(SecretPart(1))]), {"part": A, "children": [{"part": A, "children": []}]}
        ),
        pytest.param(Page[Part], Page([SecretPart(1)]), {"items": [A]}, id="generic"),
        pytest.param(Deep, Deep(One(SecretPart(1))), {"one": {"part": A}}, id="two-levels-down"),
        pytest.param(list[One], [One(SecretPart(1))], [{"part": A}], id="models-in-a-list"),
        pytest.param(HoldsModel, HoldsModel(inner=SecretModel(a=1)), {"inner": A}, id="pydantic"),
    ],
)
def test_fields_that_nobody_declared_are_not_sent(declared: Any, value: Any, expected: Any) -> None:
    async def show() -> Any:
        return value

    show.__annotations__["return"] = declared
    assert client(show).get("/").json() == expected


def test_items_of_a_stream_send_only_what_is_declared() -> None:
    async def show() -> AsyncIterator[One]:
        yield One(SecretPart(1))
        yield One(Part(2))

    show.__annotations__["return"] = AsyncIterator[One]
    assert client(show).get("/").text.splitlines() == ['{"part":{"a":1}}', '{"part":{"a":2}}']


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        pytest.param(One, One(Part(1)), id="a-struct"),
        pytest.param(Many, Many([Part(1)]), id="a-list"),
        pytest.param(Table, Table({"x": Part(1)}), id="a-mapping"),
        pytest.param(Pair, Pair((7, Part(1))), id="a-tuple"),
        pytest.param(Maybe, Maybe(), id="nothing"),
        pytest.param(Either, Either(Other(1)), id="one-of-a-union"),
        pytest.param(Either, Either(None), id="no-model-of-a-union"),
        pytest.param(Tree, Tree(Part(1), [Tree(Part(2))]), id="a-tree"),
        pytest.param(HoldsDict, HoldsDict({"name": "x", "more": 1}), id="a-dict"),
        pytest.param(HoldsTuple, HoldsTuple(Tuple(Part(1))), id="a-named-tuple"),
    ],
)
def test_what_is_exactly_as_declared_is_sent_as_it_is(declared: Any, value: Any) -> None:
    holds = exactness(declared)
    assert holds is not None
    assert holds(value)


@pytest.mark.parametrize(
    "declared", [int, Part, list[Part], dict[str, Part], Part | None, HoldsModel, Mapping[str, Any]]
)
def test_types_without_a_model_in_a_model_need_no_look(declared: Any) -> None:
    assert exactness(declared) is None


def test_a_result_that_cannot_be_what_is_declared_is_an_error_of_the_application() -> None:
    async def show() -> One:
        return One("no part")  # type: ignore[arg-type]

    with pytest.raises(TypeError, match=r"returned a One that is not what it declares: .* at `\$.part`|Expected"):
        client(show).get("/")
