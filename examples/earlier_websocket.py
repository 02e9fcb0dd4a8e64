"""A WebSocket endpoint that is added by a call. Run: `uvicorn examples.earlier_websocket:app`."""

from typing import Any

from starlette.applications import Starlette
from starlette.endpoints import WebSocketEndpoint
from starlette.testclient import TestClient
from starlette.websockets import WebSocket


class Echo(WebSocketEndpoint):
    encoding = "text"

    async def on_receive(self, websocket: WebSocket, data: Any) -> None:
        await websocket.send_text(f"Message text was: {data}")


app = Starlette()
app.add_websocket_route("/ws", Echo)


@app.websocket_route("/greet/{name}")
async def greet(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_json({"hello": websocket.path_params["name"]})
    await websocket.close()


def check(client: TestClient) -> None:
    with client.websocket_connect("/ws") as session:
        session.send_text("hi")
        assert session.receive_text() == "Message text was: hi"
    with client.websocket_connect("/greet/ada") as session:
        assert session.receive_json() == {"hello": "ada"}
