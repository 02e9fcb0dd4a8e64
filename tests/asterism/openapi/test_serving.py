"""The routes that serve a document and its page."""

from __future__ import annotations

import re
from typing import Any

import anyio
import httpx
import pytest

from asterism.api import endpoint
from asterism.openapi import OpenAPI, oauth2
from asterism.openapi._document import build
from asterism.openapi._openapi import openapi_of
from asterism.openapi._pages import PAGES, Addresses, docs_page, origins, policy
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Host, Mount, Route, Router
from starlette.testclient import TestClient
from tests.asgi import call, http_scope
from tests.asterism.openapi.support import valid


async def show(id: int) -> int:
    return id


def items() -> list[BaseRoute]:
    return [Route("/items/{id}", endpoint(show))]


def about(**options: Any) -> OpenAPI:
    return OpenAPI(title="Shop", version="1.0", **options)


def fetched(app: Any, path: str = "/openapi.json", **options: Any) -> dict[str, Any]:
    """Return the document that an application serves."""
    response = TestClient(app, **options).get(path)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    return valid(response.json())


def test_the_application_that_serves_it_is_described() -> None:
    document = fetched(Starlette(routes=[*items(), *about().routes()]))
    assert (list(document["paths"]), document["info"]) == (["/items/{id}"], {"title": "Shop", "version": "1.0"})
    assert "servers" not in document


def test_it_is_made_once_from_the_routes_that_are_there_at_the_first_request() -> None:
    app = Starlette(routes=about().routes())
    app.router.routes.extend(items())
    assert list(fetched(app)["paths"]) == ["/items/{id}"]
    app.router.routes.append(Route("/more", endpoint(show)))
    assert list(fetched(app)["paths"]) == ["/items/{id}"]


def test_clients_may_keep_it() -> None:
    client = TestClient(Starlette(routes=[*items(), *about().routes()]))
    first = client.get("/openapi.json")
    etag = first.headers["etag"]
    assert (first.headers["cache-control"], first.headers["x-content-type-options"]) == ("no-cache", "nosniff")
    assert re.fullmatch('"[0-9a-f]{32}"', etag)
    for field in (etag, f"W/{etag}", f'"a", {etag}', "*"):
        again = client.get("/openapi.json", headers={"if-none-match": field})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert client.get("/openapi.json", headers={"if-none-match": '"a"'}).status_code == 200
    assert client.head("/openapi.json").headers["content-length"] == str(len(first.content))


@pytest.mark.parametrize("path", ["/docs", "/docs/start.js", "/docs/oauth2-redirect"])
def test_clients_may_keep_the_page(path: str) -> None:
    client = TestClient(Starlette(routes=about().routes()))
    first = client.get(path)
    assert first.status_code == 200
    assert client.get(path, headers={"if-none-match": first.headers["etag"]}).status_code == 304


def sub_application() -> Starlette:
    return Starlette(routes=[*items(), *about().routes()])


@pytest.mark.parametrize(
    ("app", "path", "root_path", "paths", "servers"),
    [
        pytest.param(sub_application(), "/openapi.json", "", ["/items/{id}"], None, id="alone"),
        pytest.param(sub_application(), "/api/openapi.json", "/api", ["/items/{id}"], "/api", id="behind-a-proxy"),
        pytest.param(
            Starlette(routes=[Mount("/v1", sub_application())]),
            "/v1/openapi.json",
            "",
            ["/items/{id}"],
            "/v1",
            id="mounted",
        ),
        pytest.param(
            Starlette(routes=[Mount("/v 1", sub_application())]),
            "/v%201/openapi.json",
            "",
            ["/items/{id}"],
            "/v%201",
            id="odd",
        ),
        pytest.param(
            Starlette(routes=[*items(), Mount("/meta", routes=about().routes())]),
            "/api/meta/openapi.json",
            "/api",
            ["/items/{id}"],
            "/api",
            id="routes-below-a-mount",
        ),
        pytest.param(
            Starlette(routes=[Mount("/shops/{shop}", routes=[*items(), *about().routes()])]),
            "/api/shops/7/openapi.json",
            "/api",
            ["/shops/{shop}/items/{id}"],
            "/api",
            id="routes-below-a-mount-with-a-parameter",
        ),
        pytest.param(
            Starlette(routes=[Mount("/meta", Router(about(source=items()).routes()))]),
            "/api/meta/openapi.json",
            "/api",
            ["/items/{id}"],
            "/api",
            id="of-other-routes",
        ),
        pytest.param(
            Starlette(routes=[*items(), *about(servers=["https://example.org"]).routes()]),
            "/api/openapi.json",
            "/api",
            ["/items/{id}"],
            "https://example.org",
            id="given-servers",
        ),
    ],
)
def test_servers_are_where_it_is_mounted(
    app: Any, path: str, root_path: str, paths: list[str], servers: str | None
) -> None:
    document = fetched(app, path, root_path=root_path)
    assert list(document["paths"]) == paths
    assert document.get("servers") == (None if servers is None else [{"url": servers}])


def test_documents_of_many_places_do_not_fill_the_memory() -> None:
    openapi = about()
    app = Starlette(routes=[*items(), *openapi.routes()])
    for number in range(20):
        root = f"/{number}"
        assert fetched(app, f"{root}/openapi.json", root_path=root)["servers"] == [{"url": root}]
    assert len(openapi._kept) == 16


@pytest.mark.anyio
async def test_several_who_ask_at_first_share_one_document(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def counted(*arguments: Any) -> Any:
        made.append("document")
        return build(*arguments)

    monkeypatch.setattr("asterism.openapi._openapi.build", counted)
    app = Starlette(routes=[*items(), *about().routes()])
    answers: list[bytes] = []

    async def ask() -> None:
        answers.append((await call(app, http_scope("/openapi.json"))).body)

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(ask)
    assert (len(set(answers)), made) == (1, ["document"])


def test_one_description_of_two_applications() -> None:
    routes = about().routes()
    one, two = Starlette(routes=[*items(), *routes]), Starlette(routes=routes)
    assert (list(fetched(one)["paths"]), list(fetched(two)["paths"])) == (["/items/{id}"], [])


def test_without_an_application() -> None:
    with pytest.raises(RuntimeError, match="no application serves this document: pass one, or its routes, to OpenAPI"):
        TestClient(Router(about().routes())).get("/openapi.json")


def test_a_source_without_routes() -> None:
    with pytest.raises(TypeError, match="an application with routes, or a list of routes, is needed, not 3"):
        about(source=3)
    with pytest.raises(TypeError, match="not None"):
        about().document()


@pytest.mark.parametrize(
    ("options", "paths"),
    [
        ({}, ["/openapi.json", "/docs", "/docs/start.js", "/docs/oauth2-redirect"]),
        ({"docs": None}, ["/openapi.json"]),
        ({"path": "/api.json", "docs": "/"}, ["/api.json", "/", "/start.js", "/oauth2-redirect"]),
        ({"ui": "scalar"}, ["/openapi.json", "/docs", "/docs/start.js"]),
    ],
)
def test_routes(options: dict[str, Any], paths: list[str]) -> None:
    routes = about().routes(**options)
    assert [route.path for route in routes if isinstance(route, Route)] == paths
    assert not any(route.include_in_schema for route in routes if isinstance(route, Route))


def test_an_unknown_page() -> None:
    with pytest.raises(ValueError, match="ui must be 'swagger' or 'scalar', got 'redoc'"):
        about().routes(ui="redoc")  # type: ignore[arg-type]  # on purpose


def test_json() -> None:
    openapi = about(source=items())
    assert openapi.json().startswith('{"openapi":"3.1.1","info":{"title":"Shop"')
    assert openapi.json(indent=2).startswith('{\n  "openapi": "3.1.1"')


def test_what_describes_an_application() -> None:
    openapi = about()
    app = Starlette(routes=[Mount("/v1", GZipMiddleware(Router([*items(), *openapi.routes()])))])
    assert openapi_of(app) is openapi
    assert openapi_of(items()) is None


# -- pages -------------------------------------------------------------------------------------------------------------


def page_of(app: Any, path: str = "/docs", **options: Any) -> httpx.Response:
    response = TestClient(app, **options).get(path)
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    return response  # type: ignore[return-value]  # of the same form


@pytest.mark.parametrize("ui", ["swagger", "scalar"])
def test_files_come_from_a_public_host_with_their_hashes(ui: Any) -> None:
    text = page_of(Starlette(routes=about().routes(ui=ui))).text
    for asset in (*PAGES[ui].scripts, *PAGES[ui].styles):
        assert f'"{asset.url}" integrity="{asset.integrity}" crossorigin="anonymous"' in text


@pytest.mark.parametrize("ui", ["swagger", "scalar"])
def test_files_of_ones_own(ui: Any) -> None:
    response = page_of(Starlette(routes=about().routes(ui=ui, assets="/files/")))
    assert "https://" not in response.text
    assert "https://" not in response.headers["content-security-policy"]
    for asset in (*PAGES[ui].scripts, *PAGES[ui].styles):
        assert f'"/files/{asset.name}"' in response.text


@pytest.mark.parametrize("ui", ["swagger", "scalar"])
def test_pages_have_no_script_of_their_own(ui: Any) -> None:
    text = page_of(Starlette(routes=about().routes(ui=ui))).text
    assert re.findall(r"<script(?![^>]* src=)|<style|style=|onload=|javascript:", text) == []


def test_the_policy_of_a_page() -> None:
    app = Starlette(routes=about().routes())
    found = page_of(app).headers["content-security-policy"]
    host = "https://unpkg.com/swagger-ui-dist@5.35.0"
    files = f"'self' {host}/swagger-ui.css {host}/swagger-ui-bundle.js {host}/oauth2-redirect.js"
    assert found.split("; ") == [
        "default-src 'none'",
        f"script-src {files}",
        f"style-src {files}",
        "connect-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    ]
    assert "unsafe" not in page_of(app, "/docs/oauth2-redirect").headers["content-security-policy"]
    assert "style-src 'self' 'unsafe-inline'" in policy(PAGES["scalar"], "/files", ())
    assert "script-src 'self' https://files.example/a/scalar.js;" in policy(
        PAGES["scalar"], "https://files.example/a", ()
    )


def test_a_page_may_ask_the_servers_of_the_document() -> None:
    scheme = oauth2(authorization_url="https://id.example/a", token_url="https://id.example:8/t", refresh_url="/r")
    openapi = about(servers=["https://api.example/v1"], security=[scheme])
    app = Starlette(routes=[Host("{shop}.example.org", Router(items())), *openapi.routes()])
    assert (
        "connect-src 'self' https://api.example *.example.org https://id.example:8;"
        in page_of(app).headers["content-security-policy"]
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/v1", []),
        ("https://a.example/b", ["https://a.example"]),
        ("https://{shop}.a.example:{port}/b", ["https://*.a.example:*"]),
        ("https://a{broken/b", []),
        pytest.param("https://a; script-src *", [], id="no-directive-of-ones-own"),
        ("https://[::1", []),
        ("", []),
    ],
)
def test_origins(url: str, expected: list[str]) -> None:
    document = {
        "servers": [{"url": url}],
        "paths": {"/": {"summary": "S"}},
        "components": {"securitySchemes": {"a": {}}},
    }
    assert origins(document) == expected


def test_addresses_have_the_way_to_the_application() -> None:
    app = Starlette(routes=[Mount("/v1", sub_application())])
    text = page_of(app, "/api/v1/docs", root_path="/api").text
    assert 'data-document="/api/v1/openapi.json"' in text
    assert 'data-redirect="/api/v1/docs/oauth2-redirect"' in text
    assert 'src="/api/v1/docs/start.js"' in text


def test_nothing_of_an_address_or_title_ends_an_attribute() -> None:
    text = docs_page(PAGES["swagger"], "<b>", Addresses('/"><script>', '/"', '/"'), '/a"b')
    assert "<b>" not in text
    assert re.findall("<script>", text) == []
    assert '"/a&quot;b/swagger-ui.css"' in text
    hostile = Starlette(routes=about().routes())
    assert "<script>" not in page_of(hostile, "/%22><script>/docs", root_path='/"><script>').text


def test_the_script_that_starts_a_page() -> None:
    client = TestClient(Starlette(routes=about().routes(ui="scalar")))
    response = client.get("/docs/start.js")
    assert response.text == PAGES["scalar"].start
    assert Headers(dict(response.headers))["content-type"] == "text/javascript; charset=utf-8"


def test_where_oauth_2_leads_back_to() -> None:
    response = page_of(Starlette(routes=about().routes(assets="/files")), "/docs/oauth2-redirect")
    assert '<script src="/files/oauth2-redirect.js" defer></script>' in response.text
