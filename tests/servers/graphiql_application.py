"""The page with GraphiQL, with its files from the own folder and from a public host; and that host, for a test.

`scripts/_graphiql.py .graphiql` fetches the files.
"""

from __future__ import annotations

from examples.graphql_endpoint import schema
from starlette.applications import Starlette
from starlette.graphql import GraphQLApp
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from tests.servers.support import ROOT

FILES = ROOT / ".graphiql"

own = GraphQLApp(schema, graphiql_assets="/assets")
app = Starlette(
    routes=[
        Route("/graphql", own),
        WebSocketRoute("/graphql", own),
        Route("/public", GraphQLApp(schema)),
        Mount("/assets", StaticFiles(directory=FILES, check_dir=False)),
    ]
)

changes = {"graphiql.min.js": b""}


async def file(request: Request) -> Response:
    """Answer as the public host does, with what was put behind a file."""
    name = request.path_params["path"].rpartition("/")[2]
    content = (FILES / name).read_bytes() + changes.get(name, b"")
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    return Response(content, media_type=kind, headers={"cache-control": "no-store"})


async def change(request: Request) -> Response:
    """Put a line behind the file that the request names."""
    changes[request.path_params["name"]] = b"\n// changed"
    return Response(status_code=204)


public_host = Starlette(
    routes=[Route("/change/{name}", change, methods=["POST"]), Route("/{package}/{path:path}", file)],
    middleware=[Middleware(CORSMiddleware, allow_origins=["*"])],
)
