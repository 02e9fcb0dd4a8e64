"""GraphQL over WebSocket, message by message (graphql-ws, PROTOCOL.md)."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

import anyio
import pytest
import strawberry

from starlette.graphql import GraphQLApp, GraphQLLimits
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect
from tests.asgi import websocket_scope
from tests.starlette.test_graphql import SCHEMA, Source

SUB = ["graphql-transport-ws"]
INIT = {"type": "connection_init"}


def connect(app: Any = None, **options: Any) -> Any:
    return TestClient(app or GraphQLApp(SCHEMA, **options)).websocket_connect("/", subprotocols=SUB)


def subscribe(query: str, identifier: str = "1") -> dict[str, Any]:
    return {"type": "subscribe", "id": identifier, "payload": {"query": query}}


def opened(session: Any) -> Any:
    session.send_json(INIT)
    assert session.receive_json() == {"type": "connection_ack"}
    return session


@pytest.mark.parametrize("executor", [None, object()], ids=["thread", "loop"])
@pytest.mark.parametrize("field", ["count", "later"])
def test_events_follow_one_another_and_the_source_is_closed(executor: Any, field: str) -> None:
    Source.done.clear()
    with connect(GraphQLApp(SCHEMA, executor)) as session:
        opened(session).send_json(subscribe(f"subscription {{ {field}(to: 2) }}"))
        for number in range(2):
            assert session.receive_json() == {"id": "1", "type": "next", "payload": {"data": {field: number}}}
        assert session.receive_json() == {"id": "1", "type": "complete"}
    assert Source.done == ["count closed"]


def test_queries_and_mutations_have_one_result() -> None:
    with connect() as session:
        opened(session).send_json(subscribe('mutation { rename(name: "x") }'))
        assert session.receive_json()["payload"] == {"data": {"rename": "now x"}}
        assert session.receive_json()["type"] == "complete"
        session.send_json(subscribe("{ dummy }"))
        error = session.receive_json()
        assert (error["type"], error["id"]) == ("error", "1")
        assert error["payload"][0]["message"] == "Cannot query field 'dummy' on type 'Query'."
        session.send_json(subscribe("{ me }"))  # the connection and the identifier can be used again
        assert session.receive_json()["type"] == "next"


@pytest.mark.parametrize(
    ("field", "messages"),
    [("broken", ["next", "error"]), ("unsourced", ["error"]), ("plain", ["next", "complete"])],
)
def test_a_source_that_fails_ends_with_an_error(field: str, messages: list[str]) -> None:
    with connect() as session:
        opened(session).send_json(subscribe(f"subscription {{ {field} }}"))
        assert [session.receive_json()["type"] for _ in messages] == messages


def test_the_client_can_end_a_subscription() -> None:
    Source.done.clear()
    with connect(limits=GraphQLLimits(subscriptions=1)) as session:
        opened(session).send_json(subscribe("subscription { count(to: 1000000) }"))
        assert session.receive_json()["type"] == "next"
        session.send_json(subscribe("{ me }", "2"))
        while (message := session.receive_json())["id"] == "1":
            assert message["type"] == "next"
        assert message["payload"] == [{"message": "Too many operations run on this connection"}]
        session.send_json({"type": "complete", "id": "1"})
        session.send_json({"type": "complete", "id": "unknown"})
        session.send_json({"type": "ping"})
        while session.receive_json()["type"] != "pong":
            pass
        session.send_json(subscribe("{ me }", "3"))
        while (message := session.receive_json())["id"] == "1":
            pass
        assert message["type"] == "next"
    assert Source.done == ["count closed"]


def test_leaving_ends_what_runs() -> None:
    Source.done.clear()
    with connect() as session:
        opened(session).send_json(subscribe("subscription { count(to: 1000000) }"))
        session.receive_json()
    assert Source.done == ["count closed"]


@pytest.mark.parametrize(
    ("before", "message", "code"),
    [
        pytest.param([], subscribe("{ me }"), 4401, id="not-introduced"),
        pytest.param([INIT], INIT, 4429, id="introduced-twice"),
        pytest.param([], {"type": "next"}, 4400, id="unknown-before"),
        pytest.param([INIT], {"type": "next"}, 4400, id="unknown-after"),
        pytest.param([INIT], [], 4400, id="not-an-object"),
        pytest.param([INIT], {"type": 1}, 4400, id="type-is-no-text"),
        pytest.param([INIT], "{", 4400, id="not-json"),
        pytest.param([INIT], b"{}", 4400, id="binary"),
        pytest.param([INIT], "x" * 2000, 1009, id="too-long"),
        pytest.param([INIT], {"type": "subscribe", "payload": {"query": "{ me }"}}, 4400, id="no-id"),
        pytest.param([INIT], {"type": "subscribe", "id": "1"}, 4400, id="no-payload"),
        pytest.param([INIT, subscribe("subscription { count(to: 1000000) }")], subscribe("{ me }"), 4409, id="taken"),
    ],
)
def test_the_protocol_is_kept(before: list[Any], message: Any, code: int) -> None:
    with connect(limits=GraphQLLimits(body=1000)) as session:
        session.send_json({"type": "ping"})
        session.send_json({"type": "pong"})
        for each in before:
            session.send_json(each)
        if isinstance(message, bytes):
            session.send_bytes(message)
        elif isinstance(message, str):
            session.send_text(message)
        else:
            session.send_json(message)
        with pytest.raises(WebSocketDisconnect) as caught:
            while True:
                session.receive_json()
        assert caught.value.code == code


def test_silence_is_not_waited_for() -> None:
    with connect(limits=GraphQLLimits(init_timeout=0)) as session:
        with pytest.raises(WebSocketDisconnect) as caught:
            session.receive_json()
        assert caught.value.code == 4408


def test_other_protocols_are_refused() -> None:
    with TestClient(GraphQLApp(SCHEMA)).websocket_connect("/", subprotocols=["graphql-ws"]) as session:
        with pytest.raises(WebSocketDisconnect) as caught:
            session.receive_json()
        assert caught.value.code == 4406


def test_pages_of_other_origins_are_refused() -> None:
    client = TestClient(GraphQLApp(SCHEMA))
    with pytest.raises(WebSocketDisconnect) as caught:
        with client.websocket_connect("/", subprotocols=SUB, headers={"origin": "https://evil.test"}):
            pass
    assert caught.value.code == 4403


@pytest.mark.parametrize(
    ("result", "answer"),
    [(None, {"type": "connection_ack"}), ({"a": 1}, {"type": "connection_ack", "payload": {"a": 1}})],
)
def test_the_application_greets(result: Any, answer: Any) -> None:
    seen: list[Any] = []

    async def greet(websocket: WebSocket, payload: Any) -> Any:
        seen.append((websocket.url.path, payload))
        return result

    with connect(on_connect=greet) as session:
        session.send_json({**INIT, "payload": {"token": "t"}})
        assert session.receive_json() == answer
    assert seen == [("/", {"token": "t"})]


def test_the_application_refuses() -> None:
    async def refuse(websocket: WebSocket, payload: Any) -> bool:
        return False

    with connect(on_connect=refuse) as session:
        session.send_json(INIT)
        with pytest.raises(WebSocketDisconnect) as caught:
            session.receive_json()
        assert caught.value.code == 4403


@strawberry.type
class Query:
    me: str = "ada"


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, to: int) -> AsyncGenerator[int, None]:
        for number in range(to):
            yield number


def test_subscriptions_of_strawberry() -> None:
    with connect(GraphQLApp(strawberry.Schema(Query, subscription=Subscription))) as session:
        opened(session).send_json(subscribe("subscription { count(to: 1) }"))
        assert session.receive_json()["payload"] == {"data": {"count": 0}}
        assert session.receive_json()["type"] == "complete"


@pytest.mark.anyio
async def test_a_lost_connection_ends_what_sends() -> None:
    failed = anyio.Event()
    texts = [json.dumps(INIT), json.dumps(subscribe("{ me }"))]
    messages: list[Any] = [
        {"type": "websocket.connect"},
        *({"type": "websocket.receive", "text": text} for text in texts),
    ]

    async def receive() -> Any:
        if messages:
            return messages.pop(0)
        await failed.wait()
        return {"type": "websocket.disconnect", "code": 1006}

    async def send(message: Any) -> None:
        if '"next"' in message.get("text", ""):
            failed.set()
            raise OSError

    await GraphQLApp(SCHEMA)(websocket_scope(subprotocols=SUB), receive, send)
    assert failed.is_set()
