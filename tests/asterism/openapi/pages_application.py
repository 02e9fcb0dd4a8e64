"""An application with pages of both kinds, their files from the own folder and from a public host; and that host.

`python -m scripts._docs_files .docs-files` fetches the files.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

import msgspec

from asterism.api import API, Header, Query, endpoint
from asterism.openapi import OpenAPI, bearer, oauth2
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from tests.servers.support import ROOT

FILES = ROOT / ".docs-files"


class Item(msgspec.Struct):
    """What can be bought."""

    name: str
    count: int


api = API()


@api.get("/items/{name}")
async def show(name: str, count: Annotated[int, Query(ge=1)] = 7) -> Item:
    """Show an item."""
    return Item(name, count)


@api.get("/greeting")
async def greet() -> str:
    """Say hello."""
    return "hello from the page"


@api.post("/items", security=[bearer()])
async def create(item: Item, authorization: Annotated[str, Header()]) -> str:
    """Make an item."""
    return f"{item.name} of {authorization}"


async def authorize(request: Request) -> Response:
    """Agree to everything, and lead back with a code."""
    query = request.query_params
    return RedirectResponse(f"{query['redirect_uri']}?{urlencode({'code': 'agreed', 'state': query['state']})}")


async def give_token(request: Request) -> Response:
    """Give out a token for the code."""
    form = await request.form()
    status = 200 if form["code"] == "agreed" else 400
    return JSONResponse({"access_token": "secret", "token_type": "bearer"}, status)


oauth = OpenAPI(
    [Route("/hello", endpoint(greet, security=[oauth2(authorization_url="/authorize", token_url="/token")]))],
    title="Shop",
    version="1.0",
)
openapi = OpenAPI(title="Shop <1>", version="1.0")
app = Starlette(
    routes=[
        Mount(
            "/shop",
            routes=[
                *api.routes,
                *openapi.routes(docs="/swagger", assets="/files"),
                *oauth.routes("/oauth.json", docs="/oauth", assets="/files"),
                *openapi.routes("/scalar.json", docs="/scalar", ui="scalar", assets="/files"),
                *openapi.routes("/public.json", docs="/public"),
                *openapi.routes("/public-scalar.json", docs="/public-scalar", ui="scalar"),
            ],
        ),
        Route("/authorize", authorize),
        Route("/token", give_token, methods=["POST"]),
        Mount("/files", StaticFiles(directory=FILES, check_dir=False)),
    ]
)

changed: set[str] = set()


async def file(request: Request) -> Response:
    """Answer as the public host does, unless the file was changed."""
    path: str = request.path_params["path"]
    name = "scalar.js" if "scalar" in request.url.path else path.rpartition("/")[2]
    content = (FILES / name).read_bytes() + (b"\n// changed" if name in changed else b"")
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    return Response(content, media_type=kind, headers={"cache-control": "no-store"})


async def change(request: Request) -> Response:
    """Let the file that the request names be another one."""
    changed.add(request.path_params["name"])
    return Response(status_code=204)


public_host = Starlette(
    routes=[Route("/change/{name}", change, methods=["POST"]), Route("/{path:path}", file)],
    middleware=[Middleware(CORSMiddleware, allow_origins=["*"])],
)
