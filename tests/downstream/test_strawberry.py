"""GraphQL by strawberry: as an ASGI application, and as a router of FastAPI."""

# The package is in an environment of its own, where no type checker looks.
# mypy: ignore-errors
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportInvalidTypeForm=false
# ruff: noqa: E402

from __future__ import annotations

import asyncio
import gc
import json
import warnings
from collections.abc import AsyncGenerator

import pytest

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from tests.downstream.support import package

strawberry = package("strawberry")
package("fastapi")

from fastapi import Depends, FastAPI
from strawberry.asgi import GraphQL
from strawberry.fastapi import GraphQLRouter
from strawberry.file_uploads import Upload


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, info: strawberry.Info, name: str = "you") -> str:
        info.context["response"].headers["x-asked"] = name
        return f"Hello, {name} from {info.context['request'].url.path}"

    @strawberry.field
    async def broken(self) -> str:
        raise RuntimeError("a fault")


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def read(self, file: Upload) -> str:
        return (await file.read()).decode()


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, to: int) -> AsyncGenerator[int, None]:
        for number in range(to):
            yield number
            await asyncio.sleep(0)


# Under FastAPI, strawberry leaves the form that it reads open, on upstream as well; the collector says so when it runs.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

SCHEMA = strawberry.Schema(Query, Mutation, Subscription)


class PassOn(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        return await call_next(request)


def starlette_app() -> Starlette:
    app = GraphQL(SCHEMA, multipart_uploads_enabled=True)
    routes = [Route("/graphql", app), WebSocketRoute("/graphql", app), Mount("/mounted", app)]
    return Starlette(routes=routes, middleware=[Middleware(PassOn)])


def fastapi_app() -> FastAPI:
    async def context(number: int = Depends(lambda: 5)) -> dict:
        return {"number": number}

    app = FastAPI()
    app.include_router(GraphQLRouter(SCHEMA, context_getter=context, multipart_uploads_enabled=True), prefix="/graphql")
    return app


@pytest.fixture(params=[starlette_app, fastapi_app], ids=["asgi", "fastapi"])
def client(request) -> TestClient:
    return TestClient(request.param())


def test_queries(client) -> None:
    response = client.post("/graphql", json={"query": "{ hello }"})
    assert (response.status_code, response.json()["data"]) == (200, {"hello": "Hello, you from /graphql"})
    assert response.headers["x-asked"] == "you"
    by_get = client.get("/graphql", params={"query": '{ hello(name: "a+b") }'})
    assert by_get.json()["data"] == {"hello": "Hello, a+b from /graphql"}


def test_errors(client) -> None:
    broken = client.post("/graphql", json={"query": "{ broken }"}).json()
    assert broken["errors"][0]["message"] == "a fault"
    assert client.post("/graphql", content=b"{", headers={"content-type": "application/json"}).status_code == 400
    assert client.put("/graphql").status_code == 405


def test_the_page_for_browsers(client) -> None:
    page = client.get("/graphql", headers={"accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    assert "GraphiQL" in page.text


def test_uploads(client) -> None:
    operations = {"query": "mutation($file: Upload!) { read(file: $file) }", "variables": {"file": None}}
    response = client.post(
        "/graphql",
        data={"operations": json.dumps(operations), "map": json.dumps({"f": ["variables.file"]})},
        files={"f": ("a.txt", b"content")},
    )
    assert response.json()["data"] == {"read": "content"}
    # Strawberry leaves the file of an upload to the collector, which must not find it in another test.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def test_subscriptions(client) -> None:
    with client.websocket_connect("/graphql", subprotocols=["graphql-transport-ws"]) as socket:
        socket.send_json({"type": "connection_init"})
        assert socket.receive_json()["type"] == "connection_ack"
        socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": "subscription { count(to: 3) }"}})
        received = [socket.receive_json() for _ in range(4)]
    assert [message["payload"]["data"]["count"] for message in received[:-1]] == [0, 1, 2]
    assert received[-1] == {"id": "1", "type": "complete"}


def test_a_mounted_schema() -> None:
    assert TestClient(starlette_app()).post("/mounted/", json={"query": "{ hello }"}).status_code == 200
