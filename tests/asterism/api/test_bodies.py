"""Bodies: their types, formats and sizes, and what is said of those that are wrong."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable
from typing import Annotated, Any, Generic, NamedTuple, TypedDict, TypeVar

import attrs
import msgspec
import pytest

from asterism.api import Body, Depends, Query, endpoint
from asterism.dependencies import DependencyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from starlette.testclient import TestClient
from tests.asgi import Script, body, call, http_scope
from tests.asterism.api.support import client, errors

T = TypeVar("T")
JSON = {"content-type": "application/json"}


class Item(msgspec.Struct):
    name: str
    price: Annotated[float, msgspec.Meta(gt=0)]
    tags: dict[str, int] = {}


class Order(msgspec.Struct, forbid_unknown_fields=True):
    items: list[Item]
    note: Annotated[str, msgspec.Meta(max_length=5)] | None = None
    at: datetime.date | None = None


class Cat(msgspec.Struct, tag=True):
    lives: int


class Dog(msgspec.Struct, tag=True):
    tricks: int


class Tree(msgspec.Struct):
    children: list[Tree] = []


class Page(msgspec.Struct, Generic[T]):
    rows: list[T]


@dataclasses.dataclass
class Place:
    x: int
    y: int = 0


@dataclasses.dataclass(slots=True)
class Slotted:
    x: int
    y: int = 0


class Route66(msgspec.Struct):
    stops: list[Place]


class Span(TypedDict):
    begin: int


@attrs.define
class Pair:
    left: int


class Point(NamedTuple):
    x: int


def echo_of(kind: Any) -> Callable[..., Any]:
    """Return an endpoint that takes a body and gives it back."""

    async def echo(value: Any) -> Any:
        return value

    echo.__annotations__["value"] = kind
    return echo


async def optional(value: Item | None = None) -> Any:
    return value


@pytest.mark.parametrize(
    ("kind", "sent", "expected"),
    [
        (Item, {"name": "a", "price": 1}, {"name": "a", "price": 1.0, "tags": {}}),
        (list[Item], [{"name": "a", "price": 1}], [{"name": "a", "price": 1.0, "tags": {}}]),
        (Place, {"x": 1}, {"x": 1, "y": 0}),
        (list[Place], [{"x": 1}], [{"x": 1, "y": 0}]),
        (dict[str, Place], {"a": {"x": 1}}, {"a": {"x": 1, "y": 0}}),
        (Page[Place], {"rows": [{"x": 1}]}, {"rows": [{"x": 1, "y": 0}]}),
        (Slotted, {"x": 1}, {"x": 1, "y": 0}),
        (Route66, {"stops": [{"x": 1}]}, {"stops": [{"x": 1, "y": 0}]}),
        (Span, {"begin": 1}, {"begin": 1}),
        (Pair, {"left": 1}, {"left": 1}),
        (Point, [3], [3]),
        (Page[int], {"rows": [1]}, {"rows": [1]}),
        (dict[str, int], {"a": 1}, {"a": 1}),
        (dict, {"a": [None]}, {"a": [None]}),
        (Cat | Dog, {"type": "Dog", "tricks": 2}, {"type": "Dog", "tricks": 2}),
        (Item | None, None, None),
        (Annotated[list[int], Body()], [1, 2], [1, 2]),
        (Annotated[int, Body(ge=1)], 4, 4),
    ],
)
def test_types_of_bodies(kind: Any, sent: Any, expected: Any) -> None:
    response = client(echo_of(kind)).post("/", content=msgspec.json.encode(sent), headers=JSON)
    assert (response.status_code, response.json()) == (200, expected)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param(
            {"items": [{"name": 1, "price": 0}, {"price": "x", "tags": {"a": "b"}}], "note": "too long", "at": "x"},
            [
                ("body.items[0].name", "must be text, not an integer", "type"),
                ("body.items[0].price", "must be a number greater than 0", "range"),
                ("body.items[1].name", "is required", "missing"),
                ("body.items[1].price", "must be a number, not text", "type"),
                ("body.items[1].tags.a", "must be an integer, not text", "type"),
                ("body.note", "must have at most 5 characters", "length"),
                ("body.at", "must be a date, such as 2026-01-31", "format"),
            ],
            id="all-at-once",
        ),
        pytest.param({"items": [], "more": 1}, [("body.more", "is not known", "unknown")], id="unknown"),
        pytest.param({}, [("body.items", "is required", "missing")], id="missing"),
        pytest.param([], [("body", "must be an object, not a list", "type")], id="another-shape"),
        pytest.param({"items": {}}, [("body.items", "must be a list, not an object", "type")], id="inside"),
        pytest.param({"items": [3]}, [("body.items[0]", "must be an object, not an integer", "type")], id="an-item"),
    ],
)
def test_all_that_is_wrong_is_said_with_its_place(sent: Any, expected: list[Any]) -> None:
    assert errors(client(echo_of(Order)).post("/", json=sent)) == expected


def test_a_name_that_comes_twice_is_checked_each_time() -> None:
    packed = b"\x83\xa4name\xa1a\xa5price\xc0\xa5price\x01"
    for kind, content in (("json", b'{"name": "a", "price": null, "price": 1}'), ("msgpack", packed)):
        headers = {"content-type": f"application/{kind}"}
        answer = client(echo_of(Item), accepts=["json", "msgpack"]).post("/", content=content, headers=headers)
        assert errors(answer) == [("body.price", "must be a number, not null", "type")]


def test_errors_of_a_tagged_union() -> None:
    asked = client(echo_of(Cat | Dog))
    assert errors(asked.post("/", json={"type": "Cow"})) == [("body.type", "is none of the allowed values", "value")]
    assert errors(asked.post("/", json={"type": "Cat", "lives": "x"})) == [
        ("body.lives", "must be an integer, not text", "type")
    ]
    assert errors(asked.post("/", json={"lives": 3})) == [("body.type", "is required", "missing")]


def test_a_mistake_behind_many_items_is_still_said() -> None:
    rows = [{"name": "a", "price": 1}] * 3000
    found = errors(client(echo_of(list[Item])).post("/", json=[*rows, {"name": "a"}]))
    assert found == [("body[3000].price", "is required", "missing")]


def test_no_more_errors_than_a_person_reads() -> None:
    found = errors(client(echo_of(list[Item])).post("/", json=[{}] * 1000))
    assert len(found) == 50


def test_errors_further_down_than_is_looked_are_still_said() -> None:
    nested: Any = {"children": 1}
    for _ in range(20):
        nested = {"children": [nested]}
    ((location, message, _),) = errors(client(echo_of(Tree)).post("/", json=nested))
    assert (location.count("children"), message) == (21, "must be a list, not an integer")


def test_query_and_body_are_refused_together() -> None:
    async def create(item: Item, limit: int) -> Any:
        return [item, limit]

    assert errors(client(create).post("/?limit=x", json={"name": "a"})) == [
        ("query.limit", "must be an integer", "type"),
        ("body.price", "is required", "missing"),
    ]


@pytest.mark.parametrize(
    ("data", "place"),
    [
        pytest.param(b"{", {"line": 1, "column": 2, "offset": 1}, id="cut-off"),
        pytest.param(b'{"name": "a",\n  "price": nope}', {"line": 2, "column": 12, "offset": 25}, id="second-line"),
        pytest.param('{"naé": x}'.encode(), {"line": 1, "column": 9, "offset": 9}, id="columns-are-characters"),
        pytest.param(b'{"name": "\xff"}', {"line": 1, "column": 11, "offset": 10}, id="no-utf-8"),
        pytest.param(b'{"name": "a", "price": 1} x', {"line": 1, "column": 27, "offset": 26}, id="more-behind"),
        pytest.param(b'"\\ud800"', {"line": 1, "column": 9, "offset": 8}, id="half-a-surrogate"),
        pytest.param(
            b'["\\ud800",' + b"9" * 5000 + b"]",
            {"line": 1, "column": 9, "offset": 8},
            id="which-the-standard-library-does-not-mind",
        ),
    ],
)
def test_broken_json_is_a_400_with_its_place(data: bytes, place: dict[str, int]) -> None:
    response = client(echo_of(Item)).post("/", content=data, headers=JSON)
    found = response.json()
    assert (response.status_code, response.headers["content-type"]) == (400, "application/problem+json")
    assert {name: found[name] for name in ("line", "column", "offset") if name in found} == place


def test_a_body_that_is_nested_too_deep_is_a_400() -> None:
    response = client(echo_of(dict)).post("/", content=b'{"a":' * 100_000, headers=JSON)
    assert (response.status_code, response.json()["detail"]) == (400, "The body is nested too deep.")


def test_numbers_that_are_too_large_are_said_with_their_place() -> None:
    asked = client(echo_of(dict))
    response = asked.post("/", content=b'{"a":' + b"9" * 5000 + b"}", headers=JSON)
    assert errors(response) == [("body[...]", "is too large a number", "range")]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("application/vnd.item+json", 200),
        ("application/msgpack", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
def test_content_types(content_type: str, status: int) -> None:
    headers = {"content-type": content_type}
    response = client(echo_of(Item)).post("/", content=b'{"name":"a","price":1}', headers=headers)
    assert response.status_code == status
    if status == 415:
        assert response.headers["accept"] == "application/json"
        assert response.json()["title"] == "Unsupported Media Type"


def test_messagepack() -> None:
    asked = client(echo_of(Item), accepts=["json", "msgpack"])
    headers = {"content-type": "application/x-msgpack"}
    packed = msgspec.msgpack.encode({"name": "a", "price": 1})
    assert asked.post("/", content=packed, headers=headers).json()["name"] == "a"
    assert errors(asked.post("/", content=msgspec.msgpack.encode({"name": 3}), headers=headers)) == [
        ("body.name", "must be text, not an integer", "type"),
        ("body.price", "is required", "missing"),
    ]
    broken = asked.post("/", content=b"\xc1", headers=headers)
    assert (broken.status_code, broken.json()["detail"]) == (
        400,
        "The body is not MessagePack: it breaks off at byte 0.",
    )
    assert asked.post("/", content=b"\x91" * 100_000, headers=headers).status_code in {400, 422}


def test_an_absent_body() -> None:
    assert errors(client(echo_of(Item)).post("/")) == [("body", "is required", "missing")]
    assert errors(client(echo_of(Item)).post("/", headers=JSON)) == [("body", "is required", "missing")]
    assert client(optional).post("/").json() is None


def test_bytes_are_passed_as_they_come() -> None:
    async def size(data: Annotated[bytes, Body()]) -> int:
        return len(data)

    async def image(data: Annotated[bytes, Body(media_type="image/png")]) -> int:
        return len(data)

    assert client(size).post("/", content=b"\xff\x00").json() == 2
    assert client(size).post("/").json() == 0
    asked = client(image)
    assert asked.post("/", content=b"abc", headers={"content-type": "image/png"}).json() == 3
    assert asked.post("/", content=b"abc", headers={"content-type": "image/gif"}).status_code == 415
    assert asked.post("/", content=b"abc").status_code == 415


# -- sizes -------------------------------------------------------------------------------------------------------------


async def keep(item: dict[str, str]) -> int:
    return len(item["a"])


def payload(size: int) -> bytes:
    return b'{"a":"' + b"x" * (size - 8) + b'"}'


@pytest.mark.parametrize("size", [100, 101])
def test_the_limit_of_an_endpoint(size: int) -> None:
    response = client(keep, max_body_size=100).post("/", content=payload(size), headers=JSON)
    assert response.status_code == (200 if size == 100 else 413)
    if size == 101:
        assert response.json()["detail"] == "The body is larger than 100 bytes."


def test_a_mebibyte_is_the_limit_unless_told_otherwise() -> None:
    assert client(keep).post("/", content=payload(2**20), headers=JSON).status_code == 200
    assert client(keep).post("/", content=payload(2**20 + 1), headers=JSON).status_code == 413


def test_the_limit_of_the_application_replaces_the_default_one() -> None:
    app = Starlette(routes=[Route("/", endpoint(keep), methods=["POST"])], max_body_size=2**21)
    assert TestClient(app).post("/", content=payload(2**20 + 1), headers=JSON).status_code == 200
    assert TestClient(app).post("/", content=payload(2**21 + 1), headers=JSON).status_code == 413


def post_scope(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return http_scope(method="POST", headers=[(b"content-type", b"application/json"), *headers])


@pytest.mark.anyio
async def test_a_declared_excess_is_refused_before_anything_is_read() -> None:
    app = client(keep, max_body_size=10).app
    for length in (b"11", b"9" * 5000, b"-1", b"x"):
        silent = Script()
        assert (await call(app, post_scope((b"content-length", length)), silent)).status == 413
        assert silent.calls == 0


@pytest.mark.anyio
async def test_without_a_length_no_more_is_read_than_the_limit() -> None:
    app = client(keep, max_body_size=10).app
    endless = body(*[b"12345"] * 100)
    assert (await call(app, post_scope(), endless)).status == 413
    assert endless.calls == 3
    assert (await call(app, post_scope(), body(b'{"a":', b'"b"}'))).status == 200


@pytest.mark.anyio
async def test_a_server_that_passes_more_than_was_declared() -> None:
    app = client(keep, max_body_size=10).app
    assert (await call(app, post_scope((b"content-length", b"5")), body(b"x" * 11))).status == 413


def test_the_request_keeps_a_body_of_a_declared_length() -> None:
    async def both(item: Item, request: Request) -> int:
        return len(await request.body())

    assert client(both).post("/", content=b'{"name":"a","price":1}', headers=JSON).json() == 22


# -- mistakes ----------------------------------------------------------------------------------------------------------


async def deep(item: Item) -> Item:
    return item


async def two_bodies(item: Item, other: Item) -> Any: ...


async def another_below(item: Item, below: Annotated[Item, Depends(deep)]) -> Any: ...


@pytest.mark.parametrize("function", [two_bodies, another_below])
def test_a_second_body_is_refused(function: Callable[..., Any]) -> None:
    with pytest.raises(DependencyError, match="would be a second body; put both into one model"):
        endpoint(function)


def test_a_dependency_may_take_the_body() -> None:
    async def show(item: Annotated[Item, Depends(deep)], q: Annotated[str, Query()] = "") -> Any:
        return [item.name, q]

    assert client(show).post("/?q=a", json={"name": "n", "price": 1}).json() == ["n", "a"]


@pytest.mark.parametrize("option", ["accepts", "produces", "streamed"])
@pytest.mark.parametrize("names", [["xml"], [], "json"])
def test_formats_are_checked(option: str, names: Any) -> None:
    with pytest.raises(ValueError, match="must be some of"):
        endpoint(deep, **{option: names})
