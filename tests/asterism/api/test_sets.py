"""Sets and keys: what has no hash is the mistake of whoever sent it, and a type that needs it is refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, MutableSet, Sequence, Set
from decimal import Decimal
from typing import Annotated, Any, Literal, NewType, TypedDict

import msgspec
import pydantic
import pytest

from asterism.api import Body, Query, endpoint
from asterism.dependencies import DependencyError
from tests.asterism.api.support import client, errors

PLAIN = "must have plain values only, such as text and numbers, in sets and as keys"


class Open(msgspec.Struct):
    a: Any


class Frozen(msgspec.Struct, frozen=True):
    a: Any


class Identity(msgspec.Struct, eq=False):
    a: int


class Hashed(msgspec.Struct):
    a: int

    def __hash__(self) -> int:
        return self.a


@dataclasses.dataclass
class Mutable:
    a: int


@dataclasses.dataclass(frozen=True)
class Fixed:
    a: Any


class Entry(TypedDict):
    a: int


class Model(pydantic.BaseModel):
    a: int


class Tags(msgspec.Struct):
    tags: set[Any]


class Bare(pydantic.BaseModel):
    tags: set[Any]


class Tree(msgspec.Struct):
    children: list[Tree] = []
    names: set[str | Mutable] = set()


class Wrong(msgspec.Struct):
    inner: dict[str, list[Wrong]] = {}
    cells: set[list[int]] | None = None


def count_of(kind: Any) -> Callable[..., Any]:
    async def count(body: Any) -> int:
        return len(body.tags if hasattr(body, "tags") else body)

    count.__annotations__["body"] = Annotated[kind, Body()]
    return count


@pytest.mark.parametrize(
    ("kind", "sent", "place"),
    [
        (Tags, {"tags": [1, {}]}, "body.tags"),
        (Tags, {"tags": [[{}]]}, "body.tags"),
        (list[Tags], [{"tags": []}, {"tags": [{}]}], "body[1].tags"),
        (dict[str, set[Any]], {"a": ["b"], "c": [{}]}, "body.c"),
        (set[Frozen], [{"a": 1}, {"a": {}}], "body"),
        (frozenset[tuple[Any, ...]], [[1], [{}]], "body"),
        (list[set[Fixed]], [[{"a": []}]], "body[0]"),
    ],
)
@pytest.mark.parametrize("form", ["json", "msgpack"])
def test_what_has_no_hash_is_refused_with_its_place(form: str, kind: Any, sent: Any, place: str) -> None:
    packed = (msgspec.json if form == "json" else msgspec.msgpack).encode(sent)
    asked = client(count_of(kind), accepts=["json", "msgpack"])
    answer = asked.post("/", content=packed, headers={"content-type": f"application/{form}"})
    assert errors(answer) == [(place, PLAIN, "invalid")]


def test_a_number_without_a_hash() -> None:
    async def count(price: Annotated[set[Decimal], Query()]) -> int:
        return len(price)

    said = "has a signaling NaN, which cannot be in a set"
    assert errors(client(count).get("/?price=1&price=sNaN")) == [("query.price", said, "invalid")]
    assert errors(client(count_of(set[Decimal])).post("/", json=["sNaN"])) == [("body", said, "invalid")]
    assert client(count).get("/?price=1&price=NaN").json() == 2


def test_pydantic_says_it_in_its_words() -> None:
    answer = client(count_of(Bare)).post("/", json={"tags": [1, {}]})
    ((place, message, _),) = errors(answer)
    # Before 2.10 it stops at the first, and tells no place.
    assert (place, message) in {("body.tags[1]", "set items should be hashable"), ("body", PLAIN)}


EXTENSION = b"\xd4\x00\x00"


@pytest.mark.parametrize("kind", [Open, Tags, Model, dict[str, int], dict[str, set[Any]], dict])
@pytest.mark.parametrize("key", [EXTENSION, b"\x80", b"\x91\x80", b"\x91" + EXTENSION])
def test_a_key_of_messagepack_that_no_dict_can_have(kind: Any, key: bytes) -> None:
    asked = client(count_of(kind), accepts=["msgpack"])
    answer = asked.post("/", content=b"\x81" + key + b"\x00", headers={"content-type": "application/msgpack"})
    ((place, message, kind_of_error),) = errors(answer)
    assert place == "body"
    assert (message, kind_of_error) == (PLAIN, "invalid") or message.startswith("must be text, not ")


def test_sets_of_what_has_a_hash() -> None:
    for kind, sent in (
        (Tags, {"tags": [1, "a", None]}),
        (set[Frozen], [{"a": 1}, {"a": 2}, {"a": 3}]),
        (set[Identity], [{"a": 1}, {"a": 1}, {"a": 1}]),
        (set[Hashed], [{"a": 1}, {"a": 2}, {"a": 3}]),
        (frozenset[Fixed], [{"a": 1}, {"a": 2}, {"a": 3}]),
        (set[tuple[int, str]], [[1, "a"], [1, "b"], [2, "a"]]),
        (set[Literal[1, 2, 3]], [1, 2, 3, 3]),
    ):
        assert client(count_of(kind)).post("/", json=sent).json() == 3
    assert client(count_of(list[Tree])).post("/", json=[{"names": ["a"]}]).json() == 1


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (set[Open], "Open"),
        (frozenset[Mutable], "Mutable"),
        (set[Entry], "Entry"),
        (set[Model], "Model"),
        (set[dict[str, int]], "dict"),
        (set[Mapping[str, int]], "Mapping"),
        (Set[list[int]], "list"),
        (MutableSet[Sequence[int]], "Sequence"),
        (set[tuple[int, list[int]]], "tuple"),
        (set[Open | Mutable], "Open"),
        (dict[str, Wrong], "list"),
    ],
)
def test_a_set_of_what_never_has_a_hash_is_refused_when_the_endpoint_is_made(kind: Any, name: str) -> None:
    with pytest.raises(DependencyError, match=rf"body.* a set cannot hold .*{name}.*, which has no hash; take a list"):
        endpoint(count_of(kind))


Endless = NewType("Endless", int)
setattr(Endless, "__supertype__", list[Endless])  # noqa: B010  # as `type Endless = list[Endless]` is from 3.12 on


class Around(msgspec.Struct):
    inner: Any


Around.__annotations__["inner"] = Endless


@pytest.mark.parametrize("kind", [Endless, dict[str, Endless], Around])
def test_a_type_without_an_end_is_refused_when_the_endpoint_is_made(kind: Any) -> None:
    said = "has a type that holds itself; put a model between, whose field may"
    with pytest.raises(DependencyError, match=f"the parameter body {said}"):
        endpoint(count_of(kind))

    async def take(value: Any) -> None: ...

    take.__annotations__["value"] = kind
    with pytest.raises(DependencyError, match=f"the parameter value {said}"):
        endpoint(take)

    async def send() -> Any: ...

    with pytest.raises(DependencyError, match=f"what is answered with status 200 {said}"):
        endpoint(send, returns=kind)


class Broken(pydantic.BaseModel):
    a: int

    @pydantic.field_validator("a")
    @classmethod
    def fail(cls, value: int) -> int:
        raise TypeError("a mistake of the application")


def test_a_type_error_of_the_application_stays_one() -> None:
    with pytest.raises(TypeError, match="a mistake of the application"):
        client(count_of(Broken)).post("/", json={"a": 1})
