"""Schemas of everything that typed endpoints take and give, and the names of models."""

from __future__ import annotations

import datetime
import decimal
import enum
import re
import uuid
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, NamedTuple, Required, TypedDict, TypeVar

import annotated_types
import attrs
import msgspec
import pytest

from asterism.api import Query, _types
from asterism.openapi._described import NOT_NEGATIVE
from asterism.openapi._names import name_components
from asterism.openapi._schemas import FILE, Components, _choice, plain_default
from starlette.datastructures import UploadFile

T = TypeVar("T")


class Colour(enum.Enum):
    """What it looks like."""

    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Item(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What can be bought.

    And sold.
    """

    full_name: Annotated[str, msgspec.Meta(min_length=1, description="Its name.", title="Name", examples=["a"])]
    colour: Colour = Colour.RED
    tags: list[str] = []
    extra: dict[str, Any] = {}
    stamp: Annotated[float, msgspec.Meta(ge=0)] = msgspec.field(default_factory=lambda: 1.5)
    parent: Item | None = None


@dataclass
class Point:
    x: int
    y: int = 0
    seen: set[int] = field(default_factory=set)


class Partial(TypedDict, total=False):
    name: Required[str]
    size: int


class Pair(NamedTuple):
    first: int
    second: str = "b"


@attrs.define
class Attributes:
    size: int = 3


class Row(msgspec.Struct, array_like=True):
    a: int
    b: str = "x"


class Page(msgspec.Struct, Generic[T]):
    items: list[T]


class Cat(msgspec.Struct, tag=True):
    lives: int


class Dog(msgspec.Struct, tag=True):
    name: str


class CatRow(msgspec.Struct, tag="cat", array_like=True):
    lives: int


class DogRow(msgspec.Struct, tag="dog", array_like=True):
    name: str


class Odd:
    """Nothing that anybody can describe."""


def schema_of(kind: Any, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a schema, and the components that it needs."""
    components = Components()
    document = components.finish({"schema": components.schema(kind, **options)}, {})
    return document["schema"], document.get("components", {}).get("schemas", {})


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Any, {}),
        (None, {"type": "null"}),
        (bool, {"type": "boolean"}),
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (str, {"type": "string"}),
        (bytes, {"type": "string", "contentEncoding": "base64"}),
        (datetime.datetime, {"type": "string", "format": "date-time"}),
        pytest.param(
            Annotated[datetime.datetime, msgspec.Meta(tz=False)],
            {"type": "string"},
            id="a date and time of RFC 3339 has a time zone",
        ),
        (datetime.date, {"type": "string", "format": "date"}),
        (datetime.time, {"type": "string", "format": "time"}),
        (datetime.timedelta, {"type": "string", "format": "duration"}),
        (uuid.UUID, {"type": "string", "format": "uuid"}),
        (
            Annotated[int, msgspec.Meta(gt=1, le=9, multiple_of=2)],
            {"exclusiveMinimum": 1, "maximum": 9, "multipleOf": 2},
        ),
        (Annotated[float, msgspec.Meta(ge=1, lt=9)], {"minimum": 1, "exclusiveMaximum": 9}),
        (
            Annotated[str, msgspec.Meta(min_length=1, max_length=2, pattern="^a")],
            {"minLength": 1, "maxLength": 2, "pattern": "^a"},
        ),
        (Annotated[list[int], msgspec.Meta(min_length=1, max_length=2)], {"minItems": 1, "maxItems": 2}),
        (
            Annotated[dict[str, int], msgspec.Meta(min_length=1)],
            {"minProperties": 1, "additionalProperties": {"type": "integer"}},
        ),
        pytest.param(
            Annotated[bytes, msgspec.Meta(max_length=3)],
            {"type": "string", "contentEncoding": "base64"},
            id="the length of bytes is not that of their base64",
        ),
        (Annotated[int, msgspec.Meta(description="d", extra_json_schema={"x-a": 1})], {"description": "d", "x-a": 1}),
        (list, {"type": "array", "items": {}}),
        (set[int], {"type": "array", "items": {"type": "integer"}}),
        (frozenset[str], {"type": "array", "items": {"type": "string"}}),
        (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
        (
            tuple[int, str],
            {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2, "maxItems": 2},
        ),
        (dict[int, str], {"type": "object", "propertyNames": {"pattern": "^-?[0-9]+$"}}),
        (dict[uuid.UUID, str], {"propertyNames": {"type": "string", "format": "uuid"}}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Literal[1, 2], {"type": "integer", "enum": [1, 2]}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (UploadFile, dict(FILE)),
        (list[UploadFile], {"type": "array", "items": dict(FILE)}),
        pytest.param(Odd, {}, id="an unknown class may be anything"),
        pytest.param(list[int] | set[int], {}, id="what msgspec refuses may be anything"),
    ],
)
def test_types(kind: Any, expected: dict[str, Any]) -> None:
    schema, components = schema_of(kind)
    if expected:
        assert expected.items() <= schema.items()
    else:
        assert schema == {}
    assert components == {}


@pytest.mark.parametrize(
    ("bounds", "taken", "refused"),
    [
        pytest.param(None, ["0", "-1.5", "+.5", "1.", "1E+2"], ["", "1,5", ".", "e5", "one"], id="any"),
        pytest.param(Query(le=5), ["-1"], [""], id="a-pattern-cannot-tell-how-large"),
        pytest.param(Query(ge=-5), ["-1"], [""], id="negative"),
        pytest.param(Query(ge=0), ["0", "1.5", "+1"], ["-1", ""], id="not-negative"),
        pytest.param(Query(gt=0), ["0.01", "10", "1e-5"], ["0", "0.0e5", "-1", ""], id="positive"),
    ],
)
def test_decimals_are_exact_as_text(bounds: Any, taken: list[str], refused: list[str]) -> None:
    schema, _ = schema_of(_types.checked_type(decimal.Decimal, [bounds] if bounds else []))
    assert (schema["type"], schema["format"]) == (["string", "number"], "decimal")
    assert [text for text in taken + refused if re.search(schema["pattern"], text)] == taken


def test_choices_of_several_kinds_have_no_type() -> None:
    assert _choice([1, "b", None]) == {"enum": [1, "b", None]}


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        (
            Colour,
            "Colour",
            {"title": "Colour", "type": "string", "enum": ["red", "blue"], "description": "What it looks like."},
        ),
        (Level, "Level", {"title": "Level", "type": "integer", "enum": [1, 2]}),
        (
            Point,
            "Point",
            {
                "title": "Point",
                "type": "object",
                "properties": {
                    "x": {"type": "integer"},
                    "y": {"type": "integer", "default": 0},
                    "seen": {"type": "array", "items": {"type": "integer"}, "default": []},
                },
                "required": ["x"],
            },
        ),
        (
            Partial,
            "Partial",
            {
                "title": "Partial",
                "type": "object",
                "properties": {"name": {"type": "string"}, "size": {"type": "integer"}},
                "required": ["name"],
            },
        ),
        (
            Pair,
            "Pair",
            {
                "title": "Pair",
                "type": "array",
                "prefixItems": [{"type": "integer"}, {"type": "string", "default": "b"}],
                "minItems": 1,
                "maxItems": 2,
            },
        ),
        (
            Attributes,
            "Attributes",
            {"title": "Attributes", "type": "object", "properties": {"size": {"type": "integer", "default": 3}}},
        ),
        (
            Row,
            "Row",
            {
                "title": "Row",
                "type": "array",
                "prefixItems": [{"type": "integer"}, {"type": "string", "default": "x"}],
                "minItems": 1,
            },
        ),
        (
            Page[int],
            "Page_int",
            {
                "title": "Page[int]",
                "type": "object",
                "properties": {"items": {"type": "array", "items": {"type": "integer"}}},
                "required": ["items"],
            },
        ),
    ],
)
def test_models_are_components(kind: Any, name: str, expected: dict[str, Any]) -> None:
    assert schema_of(kind) == ({"$ref": f"#/components/schemas/{name}"}, {name: expected})


def test_a_struct_with_everything() -> None:
    schema, components = schema_of(list[Item], output=True)
    assert schema == {"type": "array", "items": {"$ref": "#/components/schemas/Item"}}
    assert list(components) == ["Colour", "Item"]
    assert components["Item"] == {
        "title": "Item",
        "type": "object",
        "description": "What can be bought.\n\nAnd sold.",
        "properties": {
            "fullName": {
                "type": "string",
                "minLength": 1,
                "title": "Name",
                "description": "Its name.",
                "examples": ["a"],
            },
            "colour": {"$ref": "#/components/schemas/Colour", "default": "red"},
            "tags": {"type": "array", "items": {"type": "string"}, "default": []},
            "extra": {"type": "object", "additionalProperties": {}, "default": {}},
            "stamp": {"type": "number", "minimum": 0},
            "parent": {"anyOf": [{"$ref": "#/components/schemas/Item"}, {"type": "null"}], "default": None},
        },
        "required": ["fullName"],
        "additionalProperties": False,
    }


class Bounded(msgspec.Struct):
    number: Annotated[int, annotated_types.Ge(1), Query(description="D", title="T", examples=[1], deprecated=True)]
    names: list[Annotated[str, annotated_types.MaxLen(3)]]
    price: Annotated[decimal.Decimal, annotated_types.Interval(ge=decimal.Decimal("0.5"), lt=decimal.Decimal(10))]
    prices: dict[str, Annotated[decimal.Decimal, Query(multiple_of=2)] | None]
    day: Annotated[datetime.date, annotated_types.Gt(datetime.date(2026, 1, 31))]
    flags: tuple[Annotated[decimal.Decimal, Query(ge=1)], ...] = ()
    later: int | msgspec.UnsetType = msgspec.UNSET


def test_constraints_that_msgspec_does_not_read() -> None:
    properties = schema_of(Bounded)[1]["Bounded"]["properties"]
    exact, _ = schema_of(decimal.Decimal)
    assert properties["number"] == {
        "type": "integer",
        "minimum": 1,
        "title": "T",
        "description": "D",
        "examples": [1],
        "deprecated": True,
    }
    assert properties["names"]["items"] == {"type": "string", "maxLength": 3}
    assert properties["price"] == {**exact, "minimum": 0.5, "exclusiveMaximum": 10, "pattern": NOT_NEGATIVE}
    assert properties["prices"]["additionalProperties"]["anyOf"][0]["multipleOf"] == 2
    assert properties["day"] == {"type": "string", "format": "date", "formatExclusiveMinimum": "2026-01-31"}
    assert properties["flags"]["items"]["minimum"] == 1
    assert properties["later"] == {"type": "integer"}


class Misfit(msgspec.Struct):
    word: Annotated[str, annotated_types.Ge(3), Query(title="Word")]


def test_a_constraint_that_is_none_for_its_type_is_left_out() -> None:
    assert schema_of(Misfit)[1]["Misfit"]["properties"] == {"word": {"type": "string", "title": "Word"}}


def test_a_model_whose_annotations_cannot_be_found_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(model: Any) -> Any:
        raise NameError("gone")

    monkeypatch.setattr(_types, "hints_of", gone)
    assert schema_of(Point)[1]["Point"]["properties"]["x"] == {"type": "integer"}


def test_tagged_unions_are_told_apart() -> None:
    schema, components = schema_of(Cat | Dog | None)
    assert schema == {
        "anyOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}, {"type": "null"}],
        "discriminator": {
            "propertyName": "type",
            "mapping": {"Cat": "#/components/schemas/Cat", "Dog": "#/components/schemas/Dog"},
        },
    }
    assert components["Cat"]["properties"] == {"type": {"const": "Cat"}, "lives": {"type": "integer"}}
    assert components["Cat"]["required"] == ["type", "lives"]


def test_tagged_arrays_have_no_property_to_tell_them_apart() -> None:
    schema, components = schema_of(CatRow | DogRow)
    assert "discriminator" not in schema
    assert components["CatRow"]["prefixItems"] == [{"const": "cat"}, {"type": "integer"}]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        pytest.param(str | None, {"type": "string"}, id="null is a text like any other"),
        pytest.param(int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}, id="null is read as none"),
        pytest.param(str | int | None, {"anyOf": [{"type": "integer"}, {"type": "string"}]}, id="several-types"),
        pytest.param(
            datetime.date | None,
            {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
            id="a date is not any text",
        ),
    ],
)
def test_values_that_come_as_text(kind: Any, expected: dict[str, Any]) -> None:
    schema, _ = schema_of(kind, text=True)
    assert sorted(map(str, schema.get("anyOf", [schema]))) == sorted(map(str, expected.get("anyOf", [expected])))


def test_bytes_are_the_content_of_a_file_in_a_form() -> None:
    assert schema_of(bytes, files=True)[0] == dict(FILE)
    assert schema_of(list[bytes], files=True)[0] == {"type": "array", "items": dict(FILE)}


def test_the_members_of_a_model() -> None:
    properties, required = Components().members(Point)
    assert (list(properties), required) == (["x", "y", "seen"], ["x"])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, {"default": 3}),
        (Colour.RED, {"default": "red"}),
        (Point(1), {"default": {"x": 1, "y": 0, "seen": []}}),
        pytest.param(Odd(), {}, id="no JSON can say it"),
    ],
)
def test_defaults(value: Any, expected: dict[str, Any]) -> None:
    assert plain_default(value) == expected


def made(name: str, module: str = "shop.items", qualified: str | None = None) -> type:
    return type(name, (), {"__module__": module, "__qualname__": qualified or name})


@pytest.mark.parametrize(
    ("classes", "names"),
    [
        pytest.param([made("Item"), made("Order")], ["Item", "Order"], id="short"),
        pytest.param(
            [made("Item", "a.stock"), made("Item", "a.orders")], ["stock_Item", "orders_Item"], id="by-module"
        ),
        pytest.param([made("Item", "a.b"), made("Item", "c.b")], ["a_b_Item", "c_b_Item"], id="by-more-of-the-module"),
        pytest.param([made("Item"), made("Item", qualified="Outer.Item")], ["items_Item", "Outer_Item"], id="by-class"),
        pytest.param([made("Item"), made("Item")], ["shop_items_Item", "shop_items_Item_2"], id="of-one-place"),
        pytest.param([made("Item", qualified="f.<locals>.Item")], ["Item"], id="of-a-function"),
        pytest.param([made("Größe!")], ["Gr_e"], id="odd-characters"),
        pytest.param([made("Ü")], ["_"], id="odd-characters-only"),
        pytest.param([Page[Item], Page[list[int]], Page[T]], ["Page_Item", "Page_list_int", "Page_T"], id="generic"),  # type: ignore[valid-type]  # unbound on purpose
        pytest.param([Page[int | None], Page[Literal["a b"]]], ["Page_int_None", "Page_Literal_a_b"], id="special"),
        pytest.param([made("Problem")], ["Problem_2"], id="taken"),
    ],
)
def test_names_of_components(classes: list[Any], names: list[str]) -> None:
    assert list(name_components(dict(enumerate(classes)), {"Problem"}).values()) == names
