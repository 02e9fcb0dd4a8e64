"""Parameters and bodies of typed endpoints in the document."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
import pytest

from asterism.api import Body, Cookie, Depends, File, Form, Header, Path, Query, Security, endpoint
from asterism.openapi import api_key, bearer, oauth2
from starlette.datastructures import UploadFile
from starlette.routing import Mount, Route
from tests.asterism.openapi.support import described, document_of, parameters

BINARY = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}


class Item(msgspec.Struct):
    name: str


@dataclass
class Filters:
    size: Annotated[int, msgspec.Meta(le=50, description="How large.", extra_json_schema={"deprecated": True})]
    colour: str | None = None
    level: int | None = None


class Upload(msgspec.Struct):
    file: UploadFile
    content: bytes = b""


async def limits(limit: Annotated[int, Query(le=100)] = 10) -> int:
    return limit


async def page(limits: Annotated[int, Depends(limits)], x_page: Annotated[int, Header(ge=1)] = 1) -> int:
    return limits * x_page


async def user(authorization: Annotated[str, Header()]) -> str:
    return authorization


async def secret(x_key: Annotated[str, Header(alias="X-Key")]) -> str:
    return x_key


async def other(
    limit: Annotated[int, Query(ge=1)],
    tags: Annotated[list[str], Query(min_length=1)],
    any: Any = None,
) -> None: ...


def test_parameters_of_every_place() -> None:
    async def show(
        id: Annotated[int, Path(ge=1, title="Number", description="Its number.")],
        theme: Annotated[str | None, Cookie()] = None,
        x_trace: Annotated[str, Header(alias="X-Trace", deprecated=True)] = "none",
        kind: Literal["a", "b"] = "a",
        tag: Annotated[list[str], Query(alias="tags", max_length=3, examples=[["a"], ["b", "c"]])] = [],  # noqa: B006
        term: Annotated[str, Query(min_length=2, examples=["shoe"])] = "all",
    ) -> None: ...

    found = parameters(described(show, "/{id}", "GET"))
    assert found == {
        "path id": {
            "name": "id",
            "in": "path",
            "required": True,
            "schema": {"type": "integer", "minimum": 1, "title": "Number"},
            "description": "Its number.",
        },
        "cookie theme": {"name": "theme", "in": "cookie", "required": False, "schema": {"type": "string"}},
        "header x-trace": {
            "name": "x-trace",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "default": "none"},
            "deprecated": True,
        },
        "query kind": {
            "name": "kind",
            "in": "query",
            "required": False,
            "schema": {"type": "string", "enum": ["a", "b"], "default": "a"},
        },
        "query tags": {
            "name": "tags",
            "in": "query",
            "required": False,
            "schema": {"type": "array", "items": {"type": "string"}, "maxItems": 3, "default": []},
            "examples": {"example 1": {"value": ["a"]}, "example 2": {"value": ["b", "c"]}},
        },
        "query term": {
            "name": "term",
            "in": "query",
            "required": False,
            "schema": {"type": "string", "minLength": 2, "default": "all"},
            "example": "shoe",
        },
    }


def test_a_description_that_stood_with_the_type_is_said_once() -> None:
    async def show(
        limit: Annotated[int, msgspec.Meta(description="How many.", title="Limit")],
        after: Annotated[str, msgspec.Meta(description="What came last.")] | None = None,
    ) -> None: ...

    found = parameters(described(show, method="GET"))
    assert found["query limit"] == {
        "name": "limit",
        "in": "query",
        "required": True,
        "schema": {"type": "integer", "title": "Limit"},
        "description": "How many.",
    }
    assert (found["query after"]["description"], found["query after"]["schema"]) == (
        "What came last.",
        {"type": "string"},
    )


def test_a_model_of_all_query_parameters() -> None:
    async def find(filters: Annotated[Filters, Query()]) -> None: ...

    found = parameters(described(find, method="GET"))
    assert found == {
        "query size": {
            "name": "size",
            "in": "query",
            "required": True,
            "schema": {"type": "integer", "maximum": 50},
            "description": "How large.",
            "deprecated": True,
        },
        "query colour": {"name": "colour", "in": "query", "required": False, "schema": {"type": "string"}},
        "query level": {
            "name": "level",
            "in": "query",
            "required": False,
            "schema": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
        },
    }


def test_parameters_of_dependencies_nested() -> None:
    async def find(page: Annotated[int, Depends(page)]) -> None: ...

    assert list(parameters(described(find, method="GET"))) == ["query limit", "header x-page"]


def test_two_that_ask_for_one_parameter() -> None:
    async def find(
        page: Annotated[int, Depends(limits)],
        other: Annotated[Any, Depends(other)],
        any: Annotated[Literal["a"], Query()],
        tags: Annotated[list[str], Query(max_length=3)],
    ) -> None: ...

    found = parameters(described(find, method="GET"))
    assert found["query limit"]["schema"] == {"type": "integer", "maximum": 100, "default": 10, "minimum": 1}
    assert found["query limit"]["required"] is True
    assert found["query any"]["schema"] == {"type": "string", "enum": ["a"]}
    assert [part.keys() - {"type", "items"} for part in found["query tags"]["schema"]["allOf"]] == [
        {"minItems"},
        {"maxItems"},
    ]


def test_one_parameter_asked_for_twice_in_the_same_way_is_one() -> None:
    async def find(first: Annotated[int, Depends(limits)], limit: Annotated[int, Query(le=100)] = 10) -> None: ...

    found = parameters(described(find, method="GET"))
    assert found["query limit"]["schema"] == {"type": "integer", "maximum": 100, "default": 10}


@pytest.mark.parametrize(
    ("path", "kind", "expected"),
    [
        pytest.param("/{id:int}", int, {"type": "integer", "minimum": 0}, id="both-say-it"),
        pytest.param(
            "/{id:int}", Annotated[int, Path(ge=5)], {"type": "integer", "minimum": 5}, id="the-type-says-more"
        ),
        pytest.param("/{id:int}", str, {"type": "string"}, id="the-type-counts"),
        pytest.param("/{id:float}", float, {"type": "number", "minimum": 0}, id="float"),
        pytest.param("/{id}", uuid.UUID, {"type": "string", "format": "uuid"}, id="uuid"),
        pytest.param("/{id:path}", str, {"type": "string"}, id="path"),
        pytest.param("/{id}", Literal["a"], {"type": "string", "enum": ["a"]}, id="literal"),
    ],
)
def test_convertors_and_types_of_a_path(path: str, kind: Any, expected: dict[str, Any]) -> None:
    async def show(id: Any) -> None: ...

    show.__annotations__["id"] = kind
    assert parameters(described(show, path, "GET"))["path id"]["schema"] == expected


def test_what_no_parameter_takes_is_in_the_path_all_the_same() -> None:
    async def show(id: int) -> None: ...

    routes = [Mount("/shops/{shop:uuid}", routes=[Route("/{id}/{rest}", endpoint(show))])]
    found = parameters(document_of(routes)["paths"]["/shops/{shop}/{id}/{rest}"]["get"])
    assert {name: parameter["schema"] for name, parameter in found.items()} == {
        "path shop": {"type": "string", "format": "uuid"},
        "path id": {"type": "integer"},
        "path rest": {"type": "string"},
    }


def test_a_parameter_of_a_mount_is_in_the_path() -> None:
    async def show(shop: int, id: int) -> None: ...

    routes = [Mount("/shops/{shop}", routes=[Route("/{id}", endpoint(show))])]
    found = parameters(document_of(routes)["paths"]["/shops/{shop}/{id}"]["get"])
    assert {name: parameter["schema"] for name, parameter in found.items()} == {
        "path shop": {"type": "integer"},
        "path id": {"type": "integer"},
    }


@pytest.mark.parametrize(
    ("scheme", "provider", "shown"),
    [
        pytest.param(bearer(), user, [], id="bearer"),
        pytest.param(oauth2(token_url="/token"), user, [], id="oauth2"),
        pytest.param(api_key("x-key"), secret, [], id="api-key"),
        pytest.param(api_key("x-key", "query"), secret, ["header x-key"], id="api-key-elsewhere"),
        pytest.param(api_key("x-key"), user, ["header authorization"], id="something-else"),
    ],
)
def test_what_a_security_scheme_takes_is_no_parameter(scheme: Security, provider: Any, shown: list[str]) -> None:
    async def show(user: Any) -> None: ...

    show.__annotations__["user"] = Annotated[str, Depends(provider), scheme]
    operation = described(show, method="GET")
    assert list(parameters(operation)) == shown
    assert operation["security"] == [{scheme.name: []}]


# -- bodies ------------------------------------------------------------------------------------------------------------


def test_a_body_of_several_types() -> None:
    async def create(
        item: Annotated[Item, Body(title="New", description="What it is.", examples=[{"name": "a"}])],
    ) -> None: ...

    body = described(create, accepts=["json", "msgpack"])["requestBody"]
    assert (body["description"], body["required"], list(body["content"])) == (
        "What it is.",
        True,
        ["application/json", "application/msgpack"],
    )
    content = body["content"]["application/json"]
    assert (content["schema"]["title"], content["example"]) == ("New", {"name": "a"})


def test_a_body_that_may_be_absent() -> None:
    async def create(item: Item | None = None) -> None: ...

    async def change(sizes: Annotated[dict[str, int], Body()] = {"a": 1}) -> None: ...  # noqa: B006  # never changed

    body = described(create)["requestBody"]
    assert body["required"] is False
    assert [part["type"] for part in body["content"]["application/json"]["schema"]["anyOf"]] == ["object", "null"]
    assert described(change)["requestBody"]["content"]["application/json"]["schema"]["default"] == {"a": 1}


def test_a_body_that_is_passed_as_bytes() -> None:
    async def draw(data: Annotated[bytes, Body(media_type="image/png")]) -> None: ...

    assert described(draw)["requestBody"] == {
        "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
        "required": False,
    }


def test_a_form() -> None:
    async def send(
        title: Annotated[str, Form(min_length=3, description="What it is called.", examples=["Notes"])],
        pages: Annotated[list[int] | None, Form(deprecated=True)] = None,
        size: Annotated[int, Form(title="Size")] = 1,
    ) -> None: ...

    body = described(send)["requestBody"]
    assert body["required"] is True
    assert list(body["content"]) == ["application/x-www-form-urlencoded", "multipart/form-data"]
    assert body["content"]["multipart/form-data"]["schema"] == {
        "type": "object",
        "properties": {
            "title": {"type": "string", "minLength": 3, "description": "What it is called.", "examples": ["Notes"]},
            "pages": {"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "null"}], "deprecated": True},
            "size": {"type": "integer", "title": "Size", "default": 1},
        },
        "required": ["title"],
    }


def test_files() -> None:
    async def send(
        first: UploadFile,
        content: Annotated[bytes, File()],
        more: list[UploadFile] | None = None,
    ) -> None: ...

    body = described(send)["requestBody"]
    assert list(body["content"]) == ["multipart/form-data"]
    schema = body["content"]["multipart/form-data"]["schema"]
    assert (schema["properties"]["first"], schema["properties"]["content"]) == (BINARY, BINARY)
    assert schema["properties"]["more"]["anyOf"][0] == {"type": "array", "items": BINARY}
    assert schema["required"] == ["first", "content"]


def test_a_form_without_required_fields_may_be_absent() -> None:
    async def send(title: Annotated[str, Form()] = "") -> None: ...

    body = described(send)["requestBody"]
    assert body["required"] is False
    assert "required" not in body["content"]["multipart/form-data"]["schema"]


def test_models_that_take_a_whole_form() -> None:
    async def send(upload: Annotated[Upload, Form()], item: Annotated[Item, Form()]) -> None: ...

    async def maybe(item: Annotated[Item | None, Form()] = None) -> None: ...

    schema = described(send)["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert schema["properties"].keys() == {"file", "content", "name"}
    assert schema["properties"]["file"] == BINARY
    assert schema["required"] == ["file", "name"]
    assert described(maybe)["requestBody"]["required"] is False
