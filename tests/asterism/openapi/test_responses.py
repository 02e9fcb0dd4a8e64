"""Responses of typed endpoints in the document."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
import pytest

from asterism.api import Answer, Problem, Query
from asterism.openapi import bearer
from starlette.responses import HTMLResponse, Response
from tests.asterism.openapi.support import described


class Item(msgspec.Struct):
    name: str


async def typed() -> Item:
    return Item("a")


async def nothing() -> None: ...


async def page() -> HTMLResponse:
    return HTMLResponse("")


async def raw() -> Response:
    return Response()


async def unknown(request: Any):  # type: ignore[no-untyped-def]  # on purpose
    return 1


async def feed() -> AsyncIterator[Item]:
    yield Item("a")


def answers(function: Any, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = described(function, **options)["responses"]
    return found


@pytest.mark.parametrize(
    ("function", "options", "status", "media_types"),
    [
        pytest.param(typed, {}, "200", ["application/json"], id="a-model"),
        pytest.param(typed, {"status_code": 201}, "201", ["application/json"], id="another-status"),
        pytest.param(typed, {"status_code": 304}, "304", None, id="a-status-without-content"),
        pytest.param(nothing, {}, "204", None, id="nothing"),
        pytest.param(page, {}, "200", ["text/html"], id="a-class-of-responses"),
        pytest.param(raw, {}, "200", None, id="any-response"),
        pytest.param(unknown, {}, "200", ["application/json"], id="no-annotation"),
        pytest.param(feed, {"streamed": ["sse"]}, "200", ["text/event-stream"], id="a-stream"),
        pytest.param(
            typed, {"produces": ["msgpack", "json"]}, "200", ["application/msgpack", "application/json"], id="several"
        ),
    ],
)
def test_a_success(function: Any, options: Any, status: str, media_types: list[str] | None) -> None:
    response = answers(function, **options)[status]
    assert response["description"] in {"OK", "Created", "No Content", "Not Modified"}
    assert (list(response["content"]) if "content" in response else None) == media_types


def test_a_stream_tells_what_its_items_are() -> None:
    content = answers(feed)["200"]["content"]
    assert list(content) == ["application/x-ndjson", "application/json-seq", "text/event-stream"]
    schema = content["application/x-ndjson"]["schema"]
    assert (schema["type"], schema["contentMediaType"]) == ("string", "application/json")
    assert schema["contentSchema"]["title"] == "Item"


async def everything(item: Item, limit: Annotated[int, Query(ge=1)] = 1) -> Item:
    return item


@pytest.mark.parametrize(
    ("function", "options", "statuses"),
    [
        pytest.param(typed, {}, ["200"], id="nothing-can-be-wrong"),
        pytest.param(typed, {"produces": ["json", "msgpack"]}, ["200", "406"], id="several-formats"),
        pytest.param(everything, {}, ["200", "400", "413", "415", "422"], id="a-body"),
        pytest.param(everything, {"security": [bearer()]}, ["200", "400", "401", "413", "415", "422"], id="security"),
        pytest.param(typed, {"security": [bearer().needing("read")]}, ["200", "401", "403"], id="scopes"),
    ],
)
def test_problem_details_where_they_can_occur(function: Any, options: Any, statuses: list[str]) -> None:
    found = answers(function, **options)
    assert list(found) == statuses
    for status in set(statuses) - {"200", "401", "403"}:
        schema = found[status]["content"]["application/problem+json"]["schema"]
        assert ("errors" in schema["properties"]) is (status == "422")


def test_declared_responses() -> None:
    declared = {
        404: Problem,
        409: Item,
        410: None,
        200: Answer(200, list[Item], ("application/json",), description="All of them."),
        418: Answer(418, Problem, description="A teapot."),
    }
    found = answers(everything, responses=declared)
    assert list(found) == ["200", "400", "404", "409", "410", "413", "415", "418", "422"]
    assert found["200"]["description"] == "All of them."
    assert found["200"]["content"]["application/json"]["schema"]["type"] == "array"
    assert (found["404"]["description"], list(found["404"]["content"])) == ("Not Found", ["application/problem+json"])
    assert found["409"]["content"]["application/json"]["schema"]["title"] == "Item"
    assert found["410"] == {"description": "Gone"}
    assert found["418"]["description"] == "A teapot."
