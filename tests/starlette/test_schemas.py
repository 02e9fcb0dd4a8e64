"""Schemas: which operations routes have, what their docstrings say, and the response."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from starlette import schemas
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Host, Mount, Route, Router, WebSocketRoute
from starlette.schemas import BaseSchemaGenerator, EndpointInfo, OpenAPIResponse, SchemaGenerator
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

BASE = {"openapi": "3.2.0", "info": {"title": "API", "version": "1.0"}}


async def plain(request: Request) -> Response:
    return PlainTextResponse("plain")


async def documented(request: Request) -> Response:
    """
    responses:
      200:
        description: A list.
    """
    return PlainTextResponse("documented")


DOCUMENTED = {"responses": {200: {"description": "A list."}}}


class Endpoint(HTTPEndpoint):
    def get(self, request: Request) -> Response:
        """Prose, then YAML.
        ---
        summary: get
        """
        return PlainTextResponse("get")

    def query(self, request: Request) -> Response:
        """summary: query"""
        return PlainTextResponse("query")

    def post(self, request: Request) -> Response:
        return PlainTextResponse("post")

    def head(self, request: Request) -> Response:
        return PlainTextResponse("")

    def trace(self, request: Request) -> Response:
        return PlainTextResponse("")


class Bound:
    async def show(self, request: Request) -> Response:
        """summary: bound"""
        return PlainTextResponse("bound")


def listed(*routes: BaseRoute) -> list[tuple[str, str]]:
    found = BaseSchemaGenerator().get_endpoints(list(routes))
    return [(info.path, info.http_method) for info in found]


# -- the response ------------------------------------------------------------------------------------------------------


def test_a_schema_is_sent_as_yaml() -> None:
    # schemas R1, R3, legacy R36
    content = {
        "openapi": "3.2.0",
        "info": {"version": "1.0", "title": "Café"},
        "paths": {"/": {"get": {"responses": {200: {"description": "ok"}}}}},
    }
    response = OpenAPIResponse(content)
    assert response.headers["content-type"] == "application/vnd.oai.openapi"
    assert response.body == (
        b"info:\n  title: \"Caf\\xE9\"\n  version: '1.0'\nopenapi: 3.2.0\n"
        b"paths:\n  /:\n    get:\n      responses:\n        200:\n          description: ok\n"
    )


@pytest.mark.parametrize("content", [None, "text", [1]])
def test_a_schema_is_a_dictionary(content: Any) -> None:
    # schemas R2
    with pytest.raises(AssertionError, match=r"^The schema passed to OpenAPIResponse should be a dictionary\.$"):
        OpenAPIResponse(content)


def test_without_pyyaml_its_users_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    # schemas R2, R8: the name in the module is asked at each call; a function without docstring needs no pyyaml
    monkeypatch.setattr(schemas, "yaml", None)
    for use, name in (
        (lambda: OpenAPIResponse("no dictionary"), "OpenAPIResponse"),
        (lambda: BaseSchemaGenerator().parse_docstring(documented), "parse_docstring"),
    ):
        with pytest.raises(AssertionError) as caught:
            use()
        assert str(caught.value) == f"`pyyaml` must be installed to use {name}."
        assert caught.value.__notes__ == ['install the "full" extra: pip install "starlette[full]", or pyyaml alone']
    assert BaseSchemaGenerator().parse_docstring(plain) == {}


@pytest.mark.parametrize("flags", [(), ("-O",)], ids=["plain", "O"])
def test_the_module_can_be_imported_without_pyyaml(flags: tuple[str, ...]) -> None:
    # T27: the check is no assert statement
    code = (
        "import sys; sys.modules['yaml'] = None\n"
        "from starlette import schemas; print(schemas.yaml)\n"
        "try: schemas.OpenAPIResponse({})\n"
        "except AssertionError as exc: print(exc)"
    )
    done = subprocess.run([sys.executable, *flags, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "None\n`pyyaml` must be installed to use OpenAPIResponse.\n"


# -- operations --------------------------------------------------------------------------------------------------------


def test_an_operation_is_a_named_tuple() -> None:
    # schemas R4
    (info,) = BaseSchemaGenerator().get_endpoints([Route("/", plain)])
    assert isinstance(info, EndpointInfo)
    assert info == ("/", "get", plain)
    assert EndpointInfo._fields == ("path", "http_method", "func")


def test_a_generator_says_what_a_schema_is() -> None:
    # schemas R5
    with pytest.raises(NotImplementedError):
        BaseSchemaGenerator().get_schema([])


@pytest.mark.parametrize(
    ("route", "verbs"),
    [
        pytest.param(Route("/", plain), ["get"], id="get-and-head"),
        pytest.param(Route("/", plain, methods=["POST", "put"]), ["post", "put"], id="several"),
        pytest.param(Route("/", plain, methods=["TRACE", "FOO"]), ["foo", "trace"], id="any-verb"),
        pytest.param(Route("/", plain, methods=["HEAD"]), [], id="head-only"),
        pytest.param(Route("/", plain, methods=[]), ["get"], id="empty"),
        pytest.param(Route("/", Bound().show), ["get"], id="bound-method"),
        pytest.param(Route("/", Endpoint), ["get", "post", "query"], id="class-in-fixed-order"),
        pytest.param(Route("/", Endpoint, methods=["GET"]), ["get", "post", "query"], id="class-ignores-methods"),
        pytest.param(Route("/", functools.partial(documented)), ["get"], id="D5-partial"),
        pytest.param(Route("/", functools.partial(Bound().show)), ["get"], id="D5-partial-of-a-method"),
        pytest.param(Route("/", plain, include_in_schema=False), [], id="hidden"),
    ],
)
def test_operations_of_a_route(route: Route, verbs: list[str]) -> None:
    # schemas R6
    assert listed(route) == [("/", verb) for verb in verbs]


def test_methods_that_were_removed_count_as_get() -> None:
    # schemas R6
    route = Route("/", plain)
    route.methods = None
    assert listed(route) == [("/", "get")]


def test_operations_below_mounts_and_hosts() -> None:
    # schemas R6, R7
    async def session(websocket: WebSocket) -> None:
        raise NotImplementedError

    inner = Starlette(routes=[Route("/inner", plain), Route("/hidden", plain, include_in_schema=False)])
    found = listed(
        Route("/first", plain),
        Mount("/users/{id:int}", routes=[Route("/{path:path}", plain), Mount("/deep", app=inner)]),
        Host("sub.example.org", app=Router(routes=[Mount("/hosted", app=inner)])),
        Mount("/raw", app=PlainTextResponse("raw")),
        Host("raw.example.org", app=PlainTextResponse("raw")),
        WebSocketRoute("/ws", session),
        Route("/last", plain),
    )
    paths = ["/first", "/users/{id}/{path}", "/users/{id}/deep/inner", "/hosted/inner", "/last"]
    assert found == [(path, "get") for path in paths]


# -- docstrings --------------------------------------------------------------------------------------------------------


def with_docstring(text: str | None) -> Callable[..., Any]:
    def function() -> None:
        raise NotImplementedError

    function.__doc__ = text
    return function


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        pytest.param(None, {}, id="none"),
        pytest.param("", {}, id="empty"),
        pytest.param("a: 1", {"a": 1}, id="all-of-it"),
        pytest.param("Prose: with colon.\n---\na: 1", {"a": 1}, id="after-the-line"),
        pytest.param("a: 1\n---\nb: 2\n---\nc: 3", {"c": 3}, id="after-the-last"),
        pytest.param("Prose --- a: 1", {"a": 1}, id="anywhere"),
        pytest.param("Just a sentence.", {}, id="prose"),
        pytest.param("- a\n- b", {}, id="list"),
        pytest.param("a: 1\n---", {}, id="nothing-after"),
        pytest.param("200: ok", {200: "ok"}, id="integer-keys"),
    ],
)
def test_docstrings(text: str | None, parsed: dict[Any, Any]) -> None:
    # schemas R8
    assert BaseSchemaGenerator().parse_docstring(with_docstring(text)) == parsed


def test_parsed_docstrings_are_the_callers() -> None:
    generator = BaseSchemaGenerator()
    generator.parse_docstring(documented)["responses"].clear()
    assert generator.parse_docstring(documented) == DOCUMENTED


def test_docstrings_make_no_python_objects() -> None:
    # schemas R8: the safe loader
    with pytest.raises(yaml.YAMLError):
        BaseSchemaGenerator().parse_docstring(with_docstring("a: !!python/object/apply:os.getcwd []"))


def test_a_syntax_error_names_the_endpoint() -> None:
    # schemas R8, D3
    broken = with_docstring("a: 'open")
    with pytest.raises(yaml.YAMLError, match="while scanning a quoted scalar") as caught:
        SchemaGenerator(BASE).get_schema([Route("/", broken)])
    (note,) = caught.value.__notes__
    assert note.startswith(f"in the docstring of {__name__}.with_docstring.<locals>.function ({__file__}:")


class Broken:
    """a: 'open"""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        raise NotImplementedError


def test_a_syntax_error_names_what_is_no_function() -> None:
    with pytest.raises(yaml.YAMLError) as caught:
        BaseSchemaGenerator().parse_docstring(Broken)
    assert caught.value.__notes__ == [f"in the docstring of {__name__}.Broken"]


# -- whole schemas -----------------------------------------------------------------------------------------------------


def test_only_documented_operations_are_in_the_schema() -> None:
    # schemas R10, R12
    routes = [
        Route("/users", documented),
        Route("/users", plain, methods=["POST"]),
        Route("/users/{id:int}", functools.partial(documented)),
        Route("/class", Endpoint),
        Route("/hidden", documented, include_in_schema=False),
        Mount("/sub", app=Starlette(routes=[Route("/bound", Bound().show, methods=["GET", "POST"])])),
    ]
    schema = SchemaGenerator(BASE).get_schema(routes)
    assert schema == {
        **BASE,
        "paths": {
            "/users": {"get": DOCUMENTED},
            "/users/{id}": {"get": DOCUMENTED},
            "/class": {"get": {"summary": "get"}, "query": {"summary": "query"}},
            "/sub/bound": {"get": {"summary": "bound"}, "post": {"summary": "bound"}},
        },
    }
    assert schema["info"] is BASE["info"]


def test_a_later_route_overwrites() -> None:
    # schemas R10
    schema = SchemaGenerator({}).get_schema([Route("/", documented), Route("/", Bound().show)])
    assert schema == {"paths": {"/": {"get": {"summary": "bound"}}}}


def test_the_base_is_not_changed() -> None:
    # schemas R10, D1
    item = {"post": {"summary": "given"}}
    base: dict[str, Any] = {"paths": {"/": item, "/other": None}}
    generator = SchemaGenerator(base)
    assert generator.base_schema is base
    for _ in range(2):
        schema = generator.get_schema([Route("/", documented), Route("/new", documented)])
        assert list(schema["paths"]) == ["/", "/other", "/new"]
        assert schema["paths"]["/"] == {"post": {"summary": "given"}, "get": DOCUMENTED}
    assert base == {"paths": {"/": {"post": {"summary": "given"}}, "/other": None}}


@pytest.mark.parametrize(
    ("version", "included"),
    [
        *((version, True) for version in ("3.2.0", "3.10.0", "4.0", 3.2, "3.2")),
        *((version, False) for version in ("3.1.2", "2.0", "4", "v3.2", "", None)),
    ],
)
def test_query_operations_need_a_version_that_has_them(version: Any, included: bool) -> None:
    # schemas R11
    schema = SchemaGenerator({"openapi": version}).get_schema([Route("/", Endpoint)])
    assert ("query" in schema["paths"]["/"]) is included


def test_a_query_operation_that_is_left_out_is_not_parsed() -> None:
    # schemas R11
    routes: list[BaseRoute] = [Route("/", with_docstring("a: 'open"), methods=["QUERY"])]
    assert SchemaGenerator({}).get_schema(routes) == {"paths": {}}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_schema_of_the_serving_application(backend: Any) -> None:
    # schemas R9
    generator = SchemaGenerator(BASE)

    def sync_schema(request: Request) -> Response:
        return generator.OpenAPIResponse(request=request)

    async def async_schema(request: Request) -> Response:
        return generator.OpenAPIResponse(request)

    inner = Starlette(routes=[Route("/users", documented), Route("/schema", async_schema)])
    app = Starlette(routes=[Route("/schema", sync_schema), Mount("/inner", app=inner)])
    client = TestClient(app, backend=backend)
    for path, users in (("/schema", "/inner/users"), ("/inner/schema", "/users")):
        response = client.get(path)
        assert response.headers["content-type"] == "application/vnd.oai.openapi"
        assert yaml.safe_load(response.content) == {**BASE, "paths": {users: {"get": DOCUMENTED}}}


def test_a_generator_of_ones_own() -> None:
    # private_names: get_schema overridden, get_endpoints called
    class Listing(BaseSchemaGenerator):
        def get_schema(self, routes: list[BaseRoute]) -> dict[str, Any]:
            return {"listed": [info.path for info in self.get_endpoints(routes)]}

    def schema(request: Request) -> Response:
        return Listing().OpenAPIResponse(request)

    response = TestClient(Starlette(routes=[Route("/schema", schema)])).get("/schema")
    assert response.text == "listed:\n- /schema\n"
