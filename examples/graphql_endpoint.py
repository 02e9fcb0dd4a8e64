"""A GraphQL schema with an upload and a subscription. Run: `uvicorn examples.graphql_endpoint:app`."""

import json
from collections.abc import AsyncIterator

from graphql import GraphQLField, GraphQLObjectType, GraphQLResolveInfo, build_schema

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.graphql import GraphQLApp
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient

schema = build_schema("""
    scalar Upload
    type Query { hello: String }
    type Mutation { size(file: Upload!): Int }
    type Subscription { countdown(start: Int!): Int }
""")


def hello(root: None, info: GraphQLResolveInfo) -> str:
    return f"Hello from {info.context['request'].url.path}"


def size(root: None, info: GraphQLResolveInfo, file: UploadFile) -> int:
    return len(file.file.read())


async def countdown(root: None, info: GraphQLResolveInfo, start: int) -> AsyncIterator[int]:
    for number in range(start, 0, -1):
        yield number


def number(event: int, info: GraphQLResolveInfo, start: int) -> int:
    return event


def field(owner: str, name: str) -> GraphQLField:
    kind = schema.get_type(owner)
    assert isinstance(kind, GraphQLObjectType)
    found: GraphQLField = kind.fields[name]
    return found


field("Query", "hello").resolve = hello
field("Mutation", "size").resolve = size
field("Subscription", "countdown").subscribe = countdown
field("Subscription", "countdown").resolve = number

graphql = GraphQLApp(schema, uploads=True)
app = Starlette(routes=[Route("/graphql", graphql), WebSocketRoute("/graphql", graphql)])


def check(client: TestClient) -> None:
    asked = client.post("/graphql", json={"query": "{ hello }"})
    assert asked.json() == {"data": {"hello": "Hello from /graphql"}}
    operations = {"query": "mutation ($f: Upload!) { size(file: $f) }", "variables": {"f": None}}
    form = {"operations": json.dumps(operations), "map": '{"0": ["variables.f"]}'}
    assert client.post("/graphql", data=form, files={"0": b"12345"}).json() == {"data": {"size": 5}}
    with client.websocket_connect("/graphql", subprotocols=["graphql-transport-ws"]) as socket:
        socket.send_json({"type": "connection_init"})
        assert socket.receive_json() == {"type": "connection_ack"}
        query = {"query": "subscription { countdown(start: 2) }"}
        socket.send_json({"id": "1", "type": "subscribe", "payload": query})
        payloads = [socket.receive_json().get("payload") for _ in range(3)]
        assert payloads == [{"data": {"countdown": 2}}, {"data": {"countdown": 1}}, None]
