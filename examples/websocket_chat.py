"""Everybody in a room reads what anybody says. Run: `uvicorn examples.websocket_chat:app`."""

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

rooms: dict[str, set[WebSocket]] = {}


async def chat(websocket: WebSocket) -> None:
    """Join the room of the path, repeat to all what comes in, and leave it however the connection ends."""
    name = websocket.path_params["room"]
    await websocket.accept()
    room = rooms.setdefault(name, set())
    room.add(websocket)
    try:
        while True:
            await say(room, await websocket.receive_text())
    except WebSocketDisconnect:
        pass
    finally:
        room.discard(websocket)
        if not room:
            rooms.pop(name, None)


async def say(room: set[WebSocket], text: str) -> None:
    for member in list(room):
        try:
            await member.send_text(text)
        except (WebSocketDisconnect, RuntimeError):
            room.discard(member)  # it left while we were speaking


app = Starlette(routes=[WebSocketRoute("/rooms/{room}", chat)])


def check(client: TestClient) -> None:
    with client.websocket_connect("/rooms/blue") as ada, client.websocket_connect("/rooms/blue") as bob:
        ada.send_text("hello")
        assert ada.receive_text() == bob.receive_text() == "hello"
        with client.websocket_connect("/rooms/red") as eve:
            eve.send_text("alone")
            assert eve.receive_text() == "alone"
        bob.send_text("bye")
        assert ada.receive_text() == "bye"
    assert rooms == {}
