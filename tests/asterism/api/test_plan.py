"""What can be read of an endpoint before it serves, and the lists of routes that are written by decorators."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
import pytest

from asterism.api import (
    API,
    Answer,
    Body,
    Depends,
    File,
    Form,
    Header,
    Path,
    Query,
    Security,
    Source,
    endpoint,
    overrides,
    plan_of,
)
from asterism.api import _libraries as libraries
from asterism.dependencies import DependencyError
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

BEARER = {"type": "http", "scheme": "bearer"}


class Item(msgspec.Struct):
    name: str


async def token(authorization: Annotated[str, Header(description="A token.")]) -> str:
    return authorization


async def user(token: Annotated[str, Depends(token), Security("bearer", BEARER, ["read"])]) -> str:
    return token


User = Annotated[str, Depends(user), Security("bearer", BEARER)]


async def update(
    id: Annotated[int, msgspec.Meta(ge=1, description="Its number.")],
    item: Annotated[Item, Body(description="What it is now.", title="Item", examples=[{"name": "a"}])],
    user: User,
    notify: Annotated[bool, Query(alias="notify-all", deprecated=True, title="Notify", examples=[True])] = False,
) -> Item:
    """Change an item,
    or make it.

    Whoever asked is told.
    """
    return item


async def undocumented(
    title: Annotated[str, Form()], file: Annotated[bytes, File()], again: Annotated[str, Depends(user)]
) -> Response:
    return Response()


async def feed() -> AsyncIterator[Item]:
    yield Item("a")


async def raw(data: Annotated[bytes, Body()]) -> None: ...


def test_the_plan_of_a_route() -> None:
    served = endpoint(update, tags=["items"], operation_id="change", deprecated=True, extra={"x-a": 1}, security=())
    plan = plan_of(Route("/items/{id}", served, methods=["PUT"]))
    assert plan is not None
    assert (plan.function, plan.name, plan.tags, plan.operation_id) == (update, "update", ("items",), "change")
    assert (plan.summary, plan.description) == ("Change an item, or make it.", "Whoever asked is told.")
    assert (plan.deprecated, plan.extra, plan.errors) == (True, {"x-a": 1}, (400, 413, 415, 422))
    fields = {field.alias: field for field in plan.fields}
    assert {alias: (field.source, field.required) for alias, field in fields.items()} == {
        "id": (Source.PATH, True),
        "authorization": (Source.HEADER, True),
        "notify-all": (Source.QUERY, False),
    }
    assert (fields["id"].description, fields["authorization"].description) == ("Its number.", "A token.")
    assert (fields["authorization"].owner, fields["notify-all"].default) == (token, False)
    notify = fields["notify-all"]
    assert (notify.name, notify.title, notify.examples, notify.deprecated) == ("notify", "Notify", (True,), True)
    assert msgspec.json.schema(fields["id"].type) == {"type": "integer", "minimum": 1, "description": "Its number."}
    body = plan.body
    assert body is not None
    assert (body.name, body.type, body.media_types, body.required) == ("item", Item, ("application/json",), True)
    assert (body.title, body.description, list(body.examples)) == ("Item", "What it is now.", [{"name": "a"}])
    assert plan.answer == Answer(200, Item, ("application/json",))
    assert plan.providers == (token, user)
    assert [(mark.name, list(mark.scopes)) for mark in plan.security] == [("bearer", []), ("bearer", ["read"])]


def test_other_plans() -> None:
    form = plan_of(endpoint(undocumented, security=[Security("key", {"type": "apiKey"})], summary="Short"))
    assert form is not None
    assert form.body is not None
    assert [(field.alias, field.source) for field in form.body.fields] == [
        ("title", Source.FORM),
        ("file", Source.FILE),
    ]
    assert (form.body.media_types, form.body.required, form.summary) == (("multipart/form-data",), True, "Short")
    assert ([mark.name for mark in form.security], form.answer) == (["key", "bearer"], Answer(200, Any))
    stream = plan_of(endpoint(feed, streamed=["sse"]))
    assert stream is not None
    assert stream.answer == Answer(200, Item, ("text/event-stream",), stream=True)
    bare = plan_of(endpoint(raw, produces=["json", "msgpack"]))
    assert bare is not None
    assert bare.body is not None
    assert (bare.body.raw, bare.body.media_types, bare.errors) == (True, ("*/*",), (406, 413))
    exact = plan_of(endpoint(feed, exact_query=True, streamed=["sse"]))
    assert exact is not None
    assert exact.errors == (422,)
    assert bare.answer == Answer(204, None)


def test_the_path_tells_open_fields_apart() -> None:
    async def show(id: int = 3) -> Any: ...

    served = endpoint(show)
    plan, at_path, in_query = plan_of(served), plan_of(served, "/{id}"), plan_of(served, "/")
    assert plan is not None
    assert at_path is not None
    assert in_query is not None
    assert plan.fields[0].source is Source.OPEN
    assert (at_path.fields[0].source, at_path.fields[0].required) == (Source.PATH, True)
    assert (in_query.fields[0].source, in_query.fields[0].required) == (Source.QUERY, False)
    assert plan_of(show) is None
    assert plan_of(Route("/", lambda request: Response())) is None


def test_decorators_make_a_plain_list_of_routes() -> None:
    api = API(tags=["items"])

    @api.get("/items/{id}")
    async def show(id: int) -> Any:
        return id

    @api.post("/items", status_code=201)
    async def create(item: Item) -> Item:
        return item

    @api.put("/items/{id}", name="change", include_in_schema=False)
    async def change(id: int) -> Any:
        return -id

    @api.patch("/items/{id}", tags=["other"])
    async def patch(id: int) -> Any:
        return "patched"

    @api.delete("/items/{id}")
    async def delete(id: int) -> None: ...

    @api.websocket("/items", name="talk")
    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    app = Starlette(routes=[*api.routes, Mount("/below", routes=api.routes)])
    asked = TestClient(app)
    assert asked.get("/items/3").json() == asked.get("/below/items/3").json() == 3
    assert asked.post("/items", json={"name": "a"}).status_code == 201
    assert asked.put("/items/3").json() == -3
    assert asked.patch("/items/3").json() == "patched"
    assert asked.delete("/items/3").status_code == 204
    with asked.websocket_connect("/items"):
        pass
    assert str(app.url_path_for("change", id=3)) == "/items/3"
    tags = [plan.tags for route in api.routes if (plan := plan_of(route)) is not None]
    assert tags == [("items",), ("items",), ("items",), ("other",), ("items",), ()]
    assert [getattr(route, "include_in_schema", None) for route in api.routes][2] is False


async def marked(number: Annotated[int, Path()]) -> Any: ...


def test_a_path_without_the_parameter_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="the path has no parameter 'number', which marked asks for"):
        API().get("/items")(marked)


def test_a_decorated_function_stays_what_it_was() -> None:
    assert API().get("/{number}")(marked) is marked


def test_overrides_reach_typed_endpoints() -> None:
    async def fake(name: str) -> str:
        return f"fake {name}"

    async def show(user: User) -> Any:
        return user

    app = Starlette(routes=[Route("/", endpoint(show))])
    with overrides(app, {user: fake}):
        assert TestClient(app).get("/?name=a").json() == "fake a"
        assert TestClient(app).get("/").json()["errors"][0]["location"] == "query.name"
    assert TestClient(app).get("/", headers={"authorization": "b"}).json() == "b"


def test_without_msgspec_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    libraries.msgspec.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "msgspec", None)
    try:
        with pytest.raises(ImportError, match='install the "api" extra'):
            endpoint(feed)
    finally:
        libraries.msgspec.cache_clear()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"status_code": "200"}, "status_code must be a whole number from 100 to 599, got '200'"),
        ({"status_code": 600}, "from 100 to 599, got 600"),
        ({"max_body_size": -1}, "max_body_size must be a whole number at least 0, got -1"),
    ],
)
def test_numbers_among_the_options_are_checked(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        endpoint(update, **options)


def test_an_endpoint_is_not_made_twice() -> None:
    with pytest.raises(ValueError, match="is an endpoint already"):
        endpoint(endpoint(update))


def test_mistakes_name_the_function() -> None:
    async def show(size: Annotated[Any, Depends(lambda: 1)], other: Annotated[Any, Path(alias="x")]) -> Any: ...

    with pytest.raises(ValueError, match="no parameter 'x'"):
        plan_of(endpoint(show), "/{y}")
    with pytest.raises(DependencyError):
        endpoint(raw_twice)


async def raw_twice(data: Annotated[bytes, Body()], more: Annotated[bytes, Body()]) -> Any: ...
