"""Models of pydantic describe themselves; their names live together with those of other models."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import pydantic
import pydantic.dataclasses
import pytest

from asterism.api import Form, Query, endpoint
from asterism.openapi._pydantic import self_contained
from asterism.openapi._schemas import Components
from starlette.routing import Route
from tests.asterism.openapi.support import described, document_of, parameters


class Shade(enum.Enum):
    DARK = "dark"


class Item(pydantic.BaseModel):
    """What can be bought."""

    name: str = pydantic.Field(min_length=1, alias="itemName")
    children: list[Item] = []


class Order(pydantic.BaseModel):
    items: list[Item]
    total: int = 0

    @pydantic.computed_field
    def size(self) -> int:
        return len(self.items)


class Holder(msgspec.Struct):
    item: Item


@dataclass
class Size:
    width: int


class Sized(pydantic.BaseModel):
    size: Size


class Problem(pydantic.BaseModel):
    text: str


class Filters(pydantic.BaseModel):
    limit: int | None = None
    shade: Shade = pydantic.Field(default=Shade.DARK, description="How dark.")
    nested: Item | None = None
    tree: list[Filters] = []


@pydantic.dataclasses.dataclass
class Limits:
    limit: Annotated[int, pydantic.Field(ge=1)] = 10


class Unknown:
    pass


class Odd(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)

    odd: Unknown


def test_input_and_output_differ_where_the_models_do() -> None:
    async def change(order: Order) -> Order:
        return order

    document = document_of([Route("/", endpoint(change), methods=["PUT"])])
    operation = document["paths"]["/"]["put"]
    body = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    schemas = document["components"]["schemas"]
    assert (body, answer) == ("#/components/schemas/Order-Input", "#/components/schemas/Order-Output")
    assert set(schemas) == {"Item", "Order-Input", "Order-Output", "Problem", "ValidationProblem"}
    assert schemas["Order-Output"]["required"] == ["items", "size"]
    assert schemas["Item"]["properties"]["itemName"]["minLength"] == 1


def test_models_that_hold_themselves_are_one_for_both_ways() -> None:
    async def change(item: Item) -> Item:
        return item

    document = document_of([Route("/", endpoint(change), methods=["PUT"])])
    assert set(document["components"]["schemas"]) == {"Item", "Problem", "ValidationProblem"}
    children = document["components"]["schemas"]["Item"]["properties"]["children"]
    assert children["items"] == {"$ref": "#/components/schemas/Item"}


def test_models_inside_of_others() -> None:
    async def change(body: list[Item]) -> Holder:
        return Holder(body[0])

    operation = described(change)
    assert operation["requestBody"]["content"]["application/json"]["schema"]["items"]["title"] == "Item"
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer["properties"]["item"]["description"] == "What can be bought."


def test_a_class_that_both_engines_describe_stands_there_once() -> None:
    async def one(body: Sized) -> Size:
        return body.size

    document = document_of([Route("/", endpoint(one), methods=["POST"])])
    assert set(document["components"]["schemas"]) == {"Problem", "Size", "Size_2", "Sized", "ValidationProblem"}


def test_a_model_may_be_called_like_one_of_ours() -> None:
    async def report(body: Problem) -> None: ...

    operation = described(report)
    assert operation["requestBody"]["content"]["application/json"]["schema"]["properties"].keys() == {"text"}
    problem = operation["responses"]["400"]["content"]["application/problem+json"]["schema"]
    assert "status" in problem["properties"]


def test_a_model_of_all_query_parameters() -> None:
    async def find(filters: Annotated[Filters, Query()]) -> None: ...

    found = parameters(described(find, method="GET"))
    assert list(found) == ["query limit", "query shade", "query nested", "query tree"]
    assert found["query limit"]["schema"] == {"type": "integer", "title": "Limit"}
    shade = found["query shade"]
    assert (shade["description"], shade["schema"]["enum"], shade["schema"]["default"]) == (
        "How dark.",
        ["dark"],
        "dark",
    )
    assert found["query nested"]["schema"]["properties"]["itemName"]["type"] == "string"


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        pytest.param({"$ref": "#/$defs/A", "$defs": {"A": {"a": 1}}}, {"a": 1}, id="referred-to"),
        pytest.param(
            {"allOf": [{"$ref": "#/$defs/A"}], "b": 2, "$defs": {"A": {"a": 1}}}, {"a": 1, "b": 2}, id="wrapped"
        ),
        pytest.param({"allOf": [{"a": 1}, {"b": 2}]}, {"allOf": [{"a": 1}, {"b": 2}]}, id="both-hold"),
        pytest.param(
            {"a": [{"$ref": "#/$defs/A"}], "$defs": {"A": {"in": {"$ref": "#/$defs/A"}}}},
            {"a": [{"in": {}}]},
            id="holds-itself",
        ),
    ],
)
def test_schemas_with_everything_in_its_place(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    assert self_contained(schema) == expected


def test_a_dataclass_of_pydantic() -> None:
    async def find(limits: Annotated[Limits, Query()]) -> Limits:
        return limits

    operation = described(find, method="GET")
    assert parameters(operation)["query limit"]["schema"].items() >= {"minimum": 1, "default": 10}.items()
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer["properties"]["limit"]["minimum"] == 1


def test_a_model_of_a_form() -> None:
    async def send(item: Annotated[Item, Form()]) -> None: ...

    operation = described(send)
    schema = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    assert (schema["required"], list(schema["properties"])) == (["itemName"], ["itemName", "children"])


def test_what_pydantic_cannot_describe_may_be_anything() -> None:
    components = Components()
    known: list[Any] = [components.schema(Odd), components.schema(Item)]
    document = components.finish({"found": known}, {})
    assert document["found"] == [{}, {"$ref": "#/components/schemas/Item"}]
