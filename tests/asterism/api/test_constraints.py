"""Constraints in models that msgspec does not read hold all the same."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Generic, NamedTuple, NotRequired, TypedDict, TypeVar

import annotated_types
import attrs
import msgspec
import pydantic
import pytest

from asterism.api import Query, endpoint
from asterism.api._constraints import check_of
from asterism.dependencies import DependencyError
from tests.asterism.api.support import client, errors

T = TypeVar("T")
Positive = Annotated[int, annotated_types.Gt(0)]
Price = Annotated[Decimal, annotated_types.Ge(0)]


@dataclass
class Line:
    sku: Annotated[str, annotated_types.Len(1, 3)]
    count: Positive = 1
    price: Price | None = None


@attrs.define
class Pair:
    left: Positive


class Span(TypedDict):
    begin: Positive
    end: NotRequired[Positive]


class Point(NamedTuple):
    x: Positive


class Tree(msgspec.Struct):
    size: Annotated[int, Query(le=9)] | msgspec.UnsetType = msgspec.UNSET
    children: list[Tree] = []


class Order(msgspec.Struct):
    lines: dict[Annotated[str, annotated_types.MaxLen(2)], Line] = {}
    either: Pair | str | list[Positive] | None = None
    both: tuple[int, Positive] | None = None
    many: set[Positive] = set()
    some: Sequence[Positive] | str = ""
    share: Annotated[float | None, annotated_types.Le(1)] = None
    anything: dict = {}  # type: ignore[type-arg]  # as one may
    plain: list[int] = []


class Page(msgspec.Struct, Generic[T]):
    first: T
    rows: list[T] = []


class Model(pydantic.BaseModel):
    size: Positive


class Mixed(msgspec.Struct):
    model: Model
    size: Positive = 1


def echo_of(kind: Any) -> Callable[..., Any]:
    async def echo(value: Any) -> Any:
        return value

    echo.__annotations__["value"] = kind
    return echo


RIGHT: list[Any] = [
    (Line, {"sku": "a", "count": 2, "price": "1.5"}),
    (Pair, {"left": 1}),
    (Span, {"begin": 1}),
    (Point, [1]),
    (Tree, {"size": 9, "children": [{"children": []}]}),
    (
        Order,
        {
            "lines": {"ab": {"sku": "abc", "count": 1, "price": None}},
            "either": "text",
            "both": [0, 1],
            "many": [1],
            "some": "text",
            "share": 1,
            "anything": {"a": 0},
            "plain": [0],
        },
    ),
    (Page[Positive], {"first": 1, "rows": [1]}),
    (Mixed, {"model": {"size": 1}, "size": 1}),
]


@pytest.mark.parametrize(("kind", "sent"), RIGHT)
def test_what_is_within_bounds_is_taken(kind: Any, sent: Any) -> None:
    response = client(echo_of(kind)).post("/", json=sent)
    assert (response.status_code, response.json()) == (200, sent)


WRONG: list[Any] = [
    (Line, {"sku": "", "count": 0, "price": "-1"}, ["body.sku", "body.count", "body.price"]),
    (Pair, {"left": 0}, ["body.left"]),
    (Span, {"begin": 1, "end": 0}, ["body.end"]),
    (Point, [0], ["body"]),
    (Tree, {"children": [{"size": 3}, {"size": 10}]}, ["body.children[1].size"]),
    (Order, {"lines": {"a": {"sku": "a", "count": 0}}}, ["body.lines.a.count"]),
    (Order, {"lines": {"abc": {"sku": "a"}}}, ["body.lines"]),
    (Order, {"either": {"left": 0}}, ["body.either"]),
    (Order, {"either": [1, 0]}, ["body.either[1]"]),
    (Order, {"both": [1, 0]}, ["body.both[1]"]),
    (Order, {"many": [3, 0]}, ["body.many[1]"]),
    (Order, {"some": [0]}, ["body.some[0]"]),
    (Order, {"share": 1.5}, ["body.share"]),
    (Page[Positive], {"first": 0, "rows": [1, 0]}, ["body.first", "body.rows[1]"]),
    (list[Line], [{"sku": "a"}, {"sku": "abcd"}], ["body[1].sku"]),
    (Mixed, {"model": {"size": 0}}, ["body.model.size"]),
    (Mixed, {"model": {"size": 1}, "size": 0}, ["body.size"]),
]


@pytest.mark.parametrize(("kind", "sent", "places"), WRONG)
def test_what_is_out_of_bounds_is_refused_with_its_place(kind: Any, sent: Any, places: list[str]) -> None:
    found = errors(client(echo_of(kind)).post("/", json=sent))
    assert [location for location, _, _ in found] == places
    assert all(sort in {"range", "length"} for _, _, sort in found)


def test_a_model_of_the_query_is_bounded_too() -> None:
    asked = client(echo_of(Annotated[Line, Query()]))
    assert asked.get("/?sku=a&count=3").json()["count"] == 3
    assert errors(asked.get("/?sku=a&count=0")) == [("query.count", "must be an integer of at least 1", "range")]


class Odd(msgspec.Struct):
    word: Annotated[str, annotated_types.Ge(3)]


class Dated(msgspec.Struct):
    day: Annotated[datetime.date, Query(examples=["2026-01-31"], multiple_of=2)]


@pytest.mark.parametrize("kind", [Odd, list[Odd], dict[str, Odd | None], Dated])
def test_a_constraint_that_is_none_for_its_type_is_refused_at_once(kind: Any) -> None:
    with pytest.raises(DependencyError, match="has a type that cannot be checked"):
        endpoint(echo_of(kind))


class Plain(msgspec.Struct):
    size: Annotated[int, msgspec.Meta(ge=1)]


@pytest.mark.parametrize("kind", [int, Plain, list[Plain], dict, list, Model, Annotated[int, msgspec.Meta(ge=1)]])
def test_nothing_is_added_where_msgspec_checks_everything(kind: Any) -> None:
    assert check_of(kind) is None


def test_marks_that_cannot_be_hashed() -> None:
    check = check_of(list[Annotated[int, Query(ge=1, examples=[1])]])
    assert check is not None
    check([1])
    with pytest.raises((ValueError, msgspec.ValidationError), match="Expected `int` >= 1"):
        check([0])


class Shown(msgspec.Struct):
    size: Annotated[int, Query(ge=1, examples=[1])]


def test_marks_of_a_model_that_cannot_be_hashed() -> None:
    asked = client(echo_of(Shown))
    assert asked.post("/", json={"size": 1}).status_code == 200
    assert errors(asked.post("/", json={"size": 0}))[0][0] == "body.size"
