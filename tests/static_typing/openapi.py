"""Types of OpenAPI documents. Checked by mypy and pyright, never run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from typing import Annotated, Any, assert_type

from asterism.api import Depends, Security, endpoint
from asterism.openapi import OpenAPI, Scheme, api_key, bearer, oauth2
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

read = oauth2(token_url="https://id.example/token", scopes={"read": "Read"}).needing("read")
assert_type(read, Scheme)
security: list[Security] = [read, bearer(), api_key("x-key", "header")]
api_key("x-key", "body")  # type: ignore[arg-type]  # no such place


async def user() -> str:
    return "ada"


async def show(user: Annotated[str, Depends(user), read]) -> str:
    return assert_type(user, str)


openapi = OpenAPI(
    title="Shop", version="1.0", servers=["/", {"url": "/v1"}], tags=["a", {"name": "b"}], security=security
)
assert_type(openapi.routes(), list[BaseRoute])
openapi.routes(ui="redoc")  # type: ignore[arg-type]  # no such page
app = Starlette(routes=[Route("/", endpoint(show)), *openapi.routes("/api.json", docs=None, ui="scalar", assets="/a")])
assert_type(openapi.document(app), dict[str, Any])
assert_type(openapi.json(app, indent=2), str)
OpenAPI(app)  # type: ignore[call-arg]  # no title
