"""GraphQL as a real client asks for it, over a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from gql import Client, FileVar, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXTransport
from gql.transport.websockets import WebsocketsTransport

from tests.servers.support import Server, serve, uvicorn

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(uvicorn("examples.graphql_endpoint:app")) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Client:
    return Client(transport=HTTPXTransport(url=f"{server.url}/graphql"), fetch_schema_from_transport=True)


def test_queries_are_answered_after_introspection(client: Client) -> None:
    assert client.execute(gql("{ hello }")) == {"hello": "Hello from /graphql"}
    assert client.schema is not None


def test_files_are_uploaded_by_a_mutation(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "data.bin"
    file.write_bytes(bytes(300_000))
    mutation = gql("mutation ($file: Upload!) { size(file: $file) }")
    mutation.variable_values = {"file": FileVar(str(file))}
    assert client.execute(mutation, upload_files=True) == {"size": 300_000}


def test_errors_reach_the_client(server: Server) -> None:
    with pytest.raises(TransportQueryError, match="Cannot query field 'bye'"):
        Client(transport=HTTPXTransport(url=f"{server.url}/graphql")).execute(gql("{ bye }"))


def test_events_of_a_subscription_arrive_in_order(server: Server) -> None:
    async def numbers() -> list[int]:
        # The transport keeps the loop that is running; without one it makes a loop that nobody closes.
        transport = WebsocketsTransport(url=f"{server.url.replace('http', 'ws')}/graphql")
        async with Client(transport=transport) as session:
            events = session.subscribe(gql("subscription { countdown(start: 3) }"))
            return [event["countdown"] async for event in events]

    assert asyncio.run(numbers()) == [3, 2, 1]
