"""Models of pydantic: as bodies, inside of other models, in queries and as results."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated, Any

import msgspec
import pydantic
import pydantic.dataclasses
import pytest

from asterism.api import Body, Query
from tests.asterism.api.support import client, errors


class Line(pydantic.BaseModel):
    sku: str
    count: Annotated[int, pydantic.Field(ge=1)] = 1


class Order(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")

    lines: list[Line]
    customer: str = pydantic.Field(alias="customerName")

    @pydantic.field_validator("customer")
    @classmethod
    def known(cls, value: str) -> str:
        if value == "nobody":
            raise ValueError("nobody is no customer")
        return value


class Account(Order):
    password: str = "secret"


class Envelope(msgspec.Struct):
    """A structure with a model of pydantic inside."""

    line: Line
    number: int = 0


class Window(pydantic.BaseModel):
    limit: int = pydantic.Field(default=10, le=100)
    tag: list[str] = []


@pydantic.dataclasses.dataclass
class Odd:
    number: Annotated[int, pydantic.Field(ge=3)]

    @pydantic.field_validator("number")
    @classmethod
    def odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("must be odd")
        return value


SENT = {"lines": [{"sku": "a"}], "customerName": "ada"}
JSON = {"content-type": "application/json"}


async def create(order: Order) -> Order:
    return order


async def create_many(orders: list[Order]) -> list[Order]:
    return orders


async def wrap(envelope: Envelope) -> Envelope:
    return envelope


async def look(window: Annotated[Window, Query()]) -> Any:
    return window


async def account() -> Order:
    return Account(**SENT)  # type: ignore[arg-type]  # as clients send it


async def bounded(size: Annotated[int, pydantic.Field(ge=1, le=3)] = 2) -> int:
    return size


def test_bodies_and_results() -> None:
    expected = {"lines": [{"sku": "a", "count": 1}], "customerName": "ada"}
    assert client(create).post("/", json=SENT).json() == expected
    assert client(create_many).post("/", json=[SENT]).json() == [expected]
    asked = client(create, accepts=["json", "msgpack"], produces=["json", "msgpack"])
    headers = {"content-type": "application/msgpack", "accept": "application/msgpack"}
    packed = asked.post("/", content=msgspec.msgpack.encode(SENT), headers=headers)
    assert msgspec.msgpack.decode(packed.content) == expected
    assert client(wrap).post("/", json={"line": {"sku": "a"}}).json() == {"line": {"sku": "a", "count": 1}, "number": 0}


def test_fields_that_are_not_declared_are_not_sent() -> None:
    assert "password" not in client(account).get("/").json()


def test_errors_say_where() -> None:
    asked = client(create)
    sent = {"lines": [{"count": 0}], "customerName": "nobody", "more": 1}
    assert errors(asked.post("/", json=sent)) == [
        ("body.lines[0].sku", "field required", "missing"),
        ("body.lines[0].count", "input should be greater than or equal to 1", "range"),
        ("body.customerName", "nobody is no customer", "invalid"),
        ("body.more", "extra inputs are not permitted", "unknown"),
    ]
    assert errors(asked.post("/", json={"lines": "x", "customerName": "a"})) == [
        ("body.lines", "input should be a valid list", "type")
    ]
    assert errors(client(wrap).post("/", json={"line": {"sku": "a", "count": "x"}, "number": "x"})) == [
        ("body.line.count", "input should be a valid integer, unable to parse string as an integer", "type"),
        ("body.number", "must be an integer, not text", "type"),
    ]


@pytest.mark.parametrize("data", [b"{", b'{"lines": nope}', b"\xff", b"[" * 100_000])
def test_broken_json_is_a_400(data: bytes) -> None:
    assert client(create).post("/", content=data, headers=JSON).status_code in {400, 422}


def test_a_model_takes_the_whole_query() -> None:
    assert client(look).get("/?limit=5&tag=a&tag=b").json() == {"limit": 5, "tag": ["a", "b"]}
    assert errors(client(look).get("/?limit=500")) == [
        ("query.limit", "input should be less than or equal to 100", "range")
    ]


def test_constraints_of_pydantics_field() -> None:
    assert client(bounded).get("/?size=3").json() == 3
    assert errors(client(bounded).get("/?size=4")) == [("query.size", "must be an integer of at most 3", "range")]


async def odd(odd: Odd) -> Odd:
    return odd


async def odd_query(odd: Annotated[Odd, Query()]) -> Any:
    return odd


async def odds(odds: Annotated[list[Odd], Body()]) -> Any:
    return odds


def test_dataclasses_of_pydantic_are_checked_by_it() -> None:
    assert client(odd).post("/", json={"number": 5}).json() == {"number": 5}
    assert client(odds).post("/", json=[{"number": 5}]).json() == [{"number": 5}]
    assert errors(client(odd).post("/", json={"number": 4})) == [("body.number", "must be odd", "invalid")]
    assert client(odd_query).get("/?number=5").json() == {"number": 5}
    assert errors(client(odd_query).get("/?number=4")) == [("query.number", "must be odd", "invalid")]
    packed = client(odd, accepts=["msgpack"])
    headers = {"content-type": "application/msgpack"}
    assert packed.post("/", content=msgspec.msgpack.encode({"number": 5}), headers=headers).json() == {"number": 5}
    assert errors(packed.post("/", content=msgspec.msgpack.encode({"number": 4}), headers=headers)) == [
        ("body.number", "must be odd", "invalid")
    ]
    assert errors(client(odds).post("/", json=[{"number": 2}])) == [
        ("body[0].number", "input should be greater than or equal to 3", "range")
    ]


class Box(msgspec.Struct):
    odd: Odd
    line: Line


async def box(box: Box) -> Any:
    return box


def test_dataclasses_of_pydantic_inside_of_other_models_are_checked_by_it() -> None:
    assert client(box).post("/", json={"odd": {"number": 5}, "line": {"sku": "a"}}).status_code == 200
    assert errors(client(box).post("/", json={"odd": {"number": 4}, "line": {"sku": "a"}})) == [
        ("body.odd.number", "must be odd", "invalid")
    ]


def test_a_union_with_none() -> None:
    async def optional(order: Annotated[Order | None, Body()] = None) -> Any:
        return order and order.customer

    assert client(optional).post("/").json() is None
    assert client(optional).post("/", json=SENT).json() == "ada"


def test_pydantic_is_not_imported_by_us() -> None:
    program = "import asterism.api as a, sys; a.endpoint(lambda: 1); print('pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
