"""Typed endpoints of WebSockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest

from asterism.api import Depends, Problem, Query, endpoint
from asterism.dependencies import DependencyError
from starlette.applications import Starlette
from starlette.datastructures import State
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

CLOSED: list[str] = []


async def room(name: str) -> AsyncIterator[str]:
    yield name.upper()
    CLOSED.append(name)


async def talk(
    websocket: WebSocket, state: State, room: Annotated[str, Depends(room)], limit: Annotated[int, Query(le=9)] = 3
) -> None:
    if limit == 4:
        raise Problem(403, "Not you.")
    await websocket.accept()
    await websocket.send_json([room, limit])
    await websocket.close()


async def with_body(websocket: WebSocket, item: dict[str, Any]) -> None: ...


client = TestClient(Starlette(routes=[WebSocketRoute("/{name}", endpoint(talk))]))


def test_parameters_and_dependencies() -> None:
    CLOSED.clear()
    with client.websocket_connect("/lobby?limit=5") as session:
        assert session.receive_json() == ["LOBBY", 5]
    assert CLOSED == ["lobby"]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("limit=10", "query.limit must be an integer of at most 9"),
        ("limit=x", "query.limit must be an integer"),
        ("limit=4", "Not you."),
    ],
)
def test_wrong_values_close_the_websocket(query: str, reason: str) -> None:
    with pytest.raises(WebSocketDisconnect) as caught:
        with client.websocket_connect(f"/lobby?{query}"):
            pass
    assert (caught.value.code, caught.value.reason) == (1008, reason)


def test_a_websocket_has_no_body() -> None:
    with pytest.raises(DependencyError, match="a WebSocket has no body for the parameter item"):
        endpoint(with_body)
