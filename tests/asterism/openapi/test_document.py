"""The document as a whole: which operations it has, and that these can be told apart."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import pytest

from asterism.api import API, Depends, Header, Security, endpoint
from asterism.api import _libraries as libraries
from asterism.dependencies import inject
from asterism.openapi import OpenAPI, api_key, basic, bearer, oauth2, openid_connect
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Host, Mount, Route, Router, WebSocketRoute
from starlette.staticfiles import StaticFiles
from tests.asterism.openapi.support import document_of


async def list_items(request: Request) -> Response:
    """List items.
    ---
    responses:
      200:
        description: All of them.
    """
    return Response()


async def plain(request: Request) -> Response:
    return Response()


async def typed(id: int) -> int:
    return id


async def other(number: int) -> int:
    return number


class Users(HTTPEndpoint):
    async def get(self, request: Request) -> Response:
        """List users."""
        return Response()

    async def delete(self, request: Request) -> Response:
        return Response()


class Raw:
    get = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


def listed(routes: Sequence[BaseRoute]) -> list[str]:
    """Return the operations of a document: `GET /items`."""
    paths = document_of(routes)["paths"]
    return [f"{method.upper()} {path}" for path, item in paths.items() for method in item]


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        pytest.param(Route("/a", plain), ["GET /a"], id="head-comes-with-get"),
        pytest.param(Route("/a", plain, methods=["POST", "PUT", "GET"]), ["GET /a", "PUT /a", "POST /a"], id="methods"),
        pytest.param(Route("/a", plain, methods=["QUERY", "TRACE"]), ["TRACE /a"], id="methods-that-3.1-has"),
        pytest.param(Route("/a", plain, include_in_schema=False), [], id="hidden"),
        pytest.param(Route("/a/{b}/{c:path}", plain), ["GET /a/{b}/{c}"], id="parameters"),
        pytest.param(Route("/a", Users), ["GET /a", "DELETE /a"], id="a-class"),
        pytest.param(Route("/a", Raw()), [], id="an-asgi-application"),
        pytest.param(Route("/a", functools.partial(functools.partial(plain))), ["GET /a"], id="partial"),
        pytest.param(WebSocketRoute("/a", plain), [], id="a-websocket"),
        pytest.param(
            Mount("/m", routes=[Route("/", plain), Mount("/n", routes=[Route("/a", plain)])]),
            ["GET /m/", "GET /m/n/a"],
            id="mounts",
        ),
        pytest.param(
            Mount("/m/{x:int}", Starlette(routes=[Route("/a", plain)])), ["GET /m/{x}/a"], id="a-sub-application"
        ),
        pytest.param(
            Mount("/m", GZipMiddleware(Router([Route("/a", plain)]))), ["GET /m/a"], id="inside-of-middleware"
        ),
        pytest.param(
            Mount("/m", routes=[Route("/a", plain)], middleware=[Middleware(GZipMiddleware)]),
            ["GET /m/a"],
            id="a-mount-with-middleware",
        ),
        pytest.param(Mount("/m", StaticFiles(directory=".")), [], id="files"),
        pytest.param(Host("a.example", Router([Route("/a", plain)])), ["GET /a"], id="a-host"),
        pytest.param(
            Host("a.example", GZipMiddleware(Router([Route("/a", plain)]))), ["GET /a"], id="a-host-with-middleware"
        ),
    ],
)
def test_operations(route: BaseRoute, expected: list[str]) -> None:
    assert listed([route]) == expected


def test_applications_around_each_other_end() -> None:
    class Loop:
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...

    loop = Loop()
    loop.app = loop  # type: ignore[attr-defined]
    assert listed([Mount("/m", loop)]) == []
    with pytest.raises(TypeError, match="an application with routes, or a list of routes, is needed, not <"):
        OpenAPI(loop, title="Test", version="1")


def test_the_first_route_of_a_path_and_method_counts() -> None:
    async def first(request: Request) -> Response:
        return Response()

    document = document_of([Route("/a", first), Route("/a", plain)])
    assert document["paths"]["/a"]["get"]["summary"] == "First"


def test_paths_that_look_alike_are_one() -> None:
    routes = [
        Route("/items/{id}", endpoint(typed)),
        Route("/items/{number}", endpoint(other), methods=["PUT"]),
        Route("/items/{name}/{id}", plain),
        Route("/items/{a}/{name}", plain, methods=["PUT"]),
        Route("/items/{a}", Users),
    ]
    paths = document_of(routes)["paths"]
    assert list(paths) == ["/items/{id}", "/items/{name}/{id}"]
    assert list(paths["/items/{id}"]) == ["get", "put", "delete"]
    assert [parameter["name"] for parameter in paths["/items/{id}"]["put"]["parameters"]] == ["id"]
    assert [parameter["name"] for parameter in paths["/items/{name}/{id}"]["put"]["parameters"]] == ["name", "id"]


def test_renaming_touches_parameters_of_the_path_only() -> None:
    async def show(number: int, id: Annotated[str, Header()]) -> None: ...

    routes = [Route("/{id}", plain), Route("/{number}", endpoint(show), methods=["PUT"])]
    found = document_of(routes)["paths"]["/{id}"]["put"]["parameters"]
    assert [(parameter["in"], parameter["name"]) for parameter in found] == [("path", "id"), ("header", "id")]


def test_plain_endpoints() -> None:
    paths = document_of([Route("/items", list_items), Route("/users/{id:int}", Users, name="users")])["paths"]
    assert paths["/items"]["get"] == {
        "summary": "List items.",
        "responses": {"200": {"description": "All of them."}},
        "operationId": "get_items",
    }
    assert paths["/users/{id}"]["get"]["summary"] == "List users."
    assert paths["/users/{id}"]["delete"] == {
        "summary": "Users",
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0}}],
        "responses": {
            "404": {"description": "There is nothing at this path."},
            "default": {"description": "What the docstring does not describe."},
        },
        "operationId": "delete_users_by_id",
    }


def test_an_endpoint_without_a_name_has_no_summary() -> None:
    route = Route("/", lambda request: PlainTextResponse("hello"))
    route.name = ""
    assert "summary" not in document_of([route])["paths"]["/"]["get"]


@pytest.mark.parametrize(
    ("routes", "ids"),
    [
        pytest.param([Route("/", plain)], ["get_root"], id="root"),
        pytest.param([Route("/a-b/{c}/d.e", plain)], ["get_a_b_by_c_d_e"], id="words"),
        pytest.param([Route("/a", plain), Mount("/m", routes=[Route("/a", plain)])], ["get_a", "get_m_a"], id="mounts"),
        pytest.param([Route("/a-b", plain), Route("/a/b", plain)], ["get_a_b", "get_a_b_2"], id="alike"),
        pytest.param(
            [Route("/a", endpoint(typed, operation_id="x")), Route("/b", endpoint(typed, operation_id="x"))],
            ["x", "x_get_b"],
            id="given",
        ),
        pytest.param(
            [Route("/a", endpoint(typed, operation_id="x"), methods=["GET", "POST"])], ["x", "x_post_a"], id="methods"
        ),
        pytest.param(
            [Route("/b", plain), Route("/a", endpoint(typed, operation_id="get_b"))],
            ["get_b", "get_b_get_a"],
            id="given-like-another",
        ),
    ],
)
def test_operation_ids_are_unique(routes: list[BaseRoute], ids: list[str]) -> None:
    paths = document_of(routes)["paths"]
    found = [operation["operationId"] for item in paths.values() for operation in item.values()]
    assert sorted(found) == sorted(ids)


def test_what_an_endpoint_says_of_itself() -> None:
    served = endpoint(typed, tags=["b"], summary="S", description="D", deprecated=True, extra={"x-a": 1, "servers": []})
    operation = document_of([Route("/", served)])["paths"]["/"]["get"]
    assert (
        operation.items() >= {"tags": ["b"], "summary": "S", "description": "D", "deprecated": True, "x-a": 1}.items()
    )


def test_tags_stand_in_the_order_that_is_asked_for() -> None:
    api = API(tags=["found"])
    api.get("/a")(plain_typed)
    tags = document_of(api.routes, tags=["first", {"name": "second", "description": "D"}])["tags"]
    assert tags == [{"name": "first"}, {"name": "second", "description": "D"}, {"name": "found"}]


async def plain_typed() -> None: ...


def test_everything_that_no_route_tells() -> None:
    document = document_of(
        [],
        summary="S",
        description="D",
        terms_of_service="https://example.org/terms",
        contact={"name": "N"},
        license={"name": "MIT", "identifier": "MIT"},
        servers=["https://example.org", {"url": "/v1", "description": "D"}],
        external_docs={"url": "https://example.org"},
        extra={"x-a": 1, "info": {"x-b": 2}, "components": {"examples": {"one": {"value": 1}}}},
    )
    assert document == {
        "openapi": "3.1.1",
        "info": {
            "title": "Test",
            "summary": "S",
            "description": "D",
            "termsOfService": "https://example.org/terms",
            "contact": {"name": "N"},
            "license": {"name": "MIT", "identifier": "MIT"},
            "version": "1",
            "x-b": 2,
        },
        "servers": [{"url": "https://example.org"}, {"url": "/v1", "description": "D"}],
        "paths": {},
        "externalDocs": {"url": "https://example.org"},
        "x-a": 1,
        "components": {"examples": {"one": {"value": 1}}},
    }


def test_hosts_are_servers() -> None:
    inner = Router([Route("/{id}", endpoint(typed))])
    routes = [Host("api.example.org", inner), Host("{shop}.example.org:8000", Router([Route("/a", plain)]))]
    document = OpenAPI(routes, title="Test", version="1").document(base="/v1")
    assert document["servers"] == [{"url": "/v1"}]
    assert document["paths"]["/{id}"]["get"]["servers"] == [{"url": "//api.example.org/v1"}]
    found = document["paths"]["/a"]["get"]
    assert found["servers"] == [{"url": "//{shop}.example.org:8000/v1", "variables": {"shop": {"default": "shop"}}}]
    assert "parameters" not in found
    assert document_of(routes)["paths"].keys() == document["paths"].keys()


class Hex(Convertor[int]):
    regex = "[0-9a-f]+"

    def convert(self, value: str) -> int:
        return int(value, 16)

    def to_string(self, value: int) -> str:
        return f"{value:x}"


def test_convertors_of_ones_own_take_text() -> None:
    register_url_convertor("openapi_hex", Hex())
    operation = document_of([Route("/{number:openapi_hex}", plain)])["paths"]["/{number}"]["get"]
    assert operation["parameters"][0]["schema"] == {"type": "string"}
    assert "404" in operation["responses"]


# -- security ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        (
            bearer(format="JWT", description="D"),
            {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "D"},
        ),
        (basic(), {"type": "http", "scheme": "basic"}),
        (api_key("X-Key", description="D"), {"type": "apiKey", "in": "header", "name": "X-Key", "description": "D"}),
        (api_key("key", "query"), {"type": "apiKey", "in": "query", "name": "key"}),
        (api_key("key", "cookie"), {"type": "apiKey", "in": "cookie", "name": "key"}),
        (
            openid_connect("https://id.example/.well-known"),
            {"type": "openIdConnect", "openIdConnectUrl": "https://id.example/.well-known"},
        ),
        (
            oauth2(
                authorization_url="https://a",
                token_url="https://t",
                password_url="https://p",
                refresh_url="https://r",
                scopes={"read": "R"},
            ),
            {
                "type": "oauth2",
                "flows": {
                    "authorizationCode": {
                        "authorizationUrl": "https://a",
                        "tokenUrl": "https://t",
                        "scopes": {"read": "R"},
                        "refreshUrl": "https://r",
                    },
                    "password": {"tokenUrl": "https://p", "scopes": {"read": "R"}, "refreshUrl": "https://r"},
                },
            },
        ),
        (
            oauth2(authorization_url="https://a"),
            {"type": "oauth2", "flows": {"implicit": {"authorizationUrl": "https://a", "scopes": {}}}},
        ),
        (
            oauth2(token_url="https://t"),
            {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://t", "scopes": {}}}},
        ),
    ],
)
def test_security_schemes(scheme: Security, expected: dict[str, Any]) -> None:
    document = document_of([Route("/", plain)], security=[scheme])
    assert document["components"]["securitySchemes"] == {scheme.name: expected}
    assert document["security"] == [{scheme.name: []}]


def test_schemes_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match="place must be 'header', 'query' or 'cookie', got 'body'"):
        api_key("key", "body")  # type: ignore[arg-type]  # on purpose
    with pytest.raises(ValueError, match="needs authorization_url, token_url or password_url"):
        oauth2()


scheme = oauth2(token_url="https://t", scopes={"read": "R", "write": "W"})


async def reader() -> int:
    return 1


async def writer(reader: Annotated[int, Depends(reader), scheme.needing("read")]) -> int:
    return reader


@inject
async def injected(request: Request, writer: Annotated[int, Depends(writer), bearer(), 3]) -> Response:
    return Response()


async def secured(writer: Annotated[int, Depends(writer), scheme.needing("write", "read")]) -> int:
    return writer


def test_security_of_dependencies_and_endpoints() -> None:
    routes = [
        Route("/a", endpoint(secured, security=[api_key("k")])),
        Route("/b", injected),
        Route("/c", endpoint(reader, extra={"security": []})),
    ]
    document = document_of(routes, security=[basic()])
    paths = document["paths"]
    assert paths["/a"]["get"]["security"] == [{"api_key": [], "oauth2": ["write", "read"]}]
    assert paths["/b"]["get"]["security"] == [{"bearer": [], "oauth2": ["read"]}]
    assert paths["/c"]["get"]["security"] == []
    assert set(document["components"]["securitySchemes"]) == {"api_key", "basic", "bearer", "oauth2"}


def test_two_schemes_of_one_name_are_a_mistake() -> None:
    routes = [
        Route("/a", endpoint(reader, security=[api_key("a")])),
        Route("/b", endpoint(reader, security=[api_key("b")])),
    ]
    with pytest.raises(ValueError, match="two security schemes are called 'api_key': give one of them another name"):
        document_of(routes)


class Item(msgspec.Struct):
    name: str


def test_components_are_there_only_when_they_are_needed() -> None:
    assert "components" not in document_of([Route("/", plain)])
    assert "components" not in document_of([])


def test_plain_applications_need_no_msgspec(monkeypatch: pytest.MonkeyPatch) -> None:
    libraries.msgspec.cache_clear()
    monkeypatch.setitem(sys.modules, "msgspec", None)
    try:
        assert listed([Route("/items/{id:int}", plain), Route("/a", Users)]) == [
            "GET /items/{id}",
            "GET /a",
            "DELETE /a",
        ]
    finally:
        libraries.msgspec.cache_clear()


def test_schemas_that_others_refer_to_are_merged_with_those_that_are_given() -> None:
    async def show() -> Item:
        return Item("a")

    extra = {"components": {"schemas": {"Extra": {"type": "string"}}}}
    schemas = document_of([Route("/", endpoint(show))], extra=extra)["components"]["schemas"]
    assert set(schemas) == {"Extra", "Item"}
