"""The MCP Python SDK's streamable HTTP server, mounted in an application and asked by the SDK's own client."""

# The package is in an environment of its own, where no type checker looks.
# mypy: ignore-errors
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportInvalidTypeForm=false
# ruff: noqa: E402

from __future__ import annotations

from contextlib import asynccontextmanager

import anyio
import pytest

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from tests.downstream.support import package, served

package("mcp")
package("uvicorn")

from mcp import Client
from mcp.server import MCPServer
from mcp.server.mcpserver import Context

pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("default::DeprecationWarning")]


def server() -> MCPServer:
    mcp = MCPServer("calculator", instructions="Adds.")

    @mcp.tool()
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    @mcp.tool()
    async def slow(steps: int, ctx: Context) -> str:
        """Report progress."""
        for step in range(steps):
            await ctx.report_progress(step + 1, steps)
        return "done"

    @mcp.tool()
    def broken() -> str:
        raise RuntimeError("a fault")

    @mcp.resource("note://{name}")
    def note(name: str) -> str:
        return f"note {name}"

    @mcp.prompt()
    def greeting(name: str) -> str:
        return f"Greet {name}"

    @mcp.custom_route("/health", methods=["GET"])
    async def health(request):
        return PlainTextResponse("well")

    return mcp


class PassOn(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        return await call_next(request)


def application(mcp: MCPServer, middleware, **options) -> Starlette:
    @asynccontextmanager
    async def lifespan(app):
        async with mcp.session_manager.run():
            yield

    async def home(request):
        return PlainTextResponse("home")

    mounted = mcp.streamable_http_app(**options)
    routes = [Route("/", home), Mount("/tools", app=mounted)]
    return Starlette(routes=routes, middleware=middleware, lifespan=lifespan)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="events"),
        pytest.param({"json_response": True}, id="json"),
        pytest.param({"stateless_http": True}, id="stateless"),
    ],
)
@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize(
    "middleware",
    [
        pytest.param([], id="alone"),
        pytest.param([Middleware(CORSMiddleware, allow_origins=["*"]), Middleware(PassOn)], id="behind-middleware"),
    ],
)
async def test_a_client_uses_the_server(middleware, mode, options) -> None:
    progress: list[float] = []

    async def on_progress(value, total, message):
        progress.append(value)

    with anyio.fail_after(30):
        async with (
            served(application(server(), middleware, **options)) as url,
            Client(f"{url}/tools/mcp", mode=mode) as client,
        ):
            assert {tool.name for tool in (await client.list_tools()).tools} == {"add", "slow", "broken"}
            added = await client.call_tool("add", {"a": 1, "b": 2})
            assert added.content[0].text == "3"
            assert (await client.call_tool("broken", {})).is_error
            slow = await client.call_tool("slow", {"steps": 3}, progress_callback=on_progress)
            assert slow.content[0].text == "done"
            assert progress in ([1, 2, 3], []), progress
            assert (await client.read_resource("note://x")).contents[0].text == "note x"
            assert (await client.get_prompt("greeting", {"name": "you"})).messages[0].content.text == "Greet you"
