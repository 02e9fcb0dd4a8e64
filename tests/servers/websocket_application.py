"""WebSocket endpoints in every style, and what happened to them, for tests over a wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypedDict

from starlette.applications import Starlette
from starlette.endpoints import WebSocketEndpoint
from starlette.exceptions import HTTPException, WebSocketException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route, Router, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from tests.servers import pouring


class State(TypedDict):
    events: list[str]


# Kept here and not in the lifespan's state alone, which not every server hands to WebSockets.
EVENTS: list[str] = []


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[State]:
    yield {"events": EVENTS}
    print(f"ended with {EVENTS}", flush=True)


async def events(request: Request) -> JSONResponse:
    return JSONResponse(EVENTS)


async def page(request: Request) -> PlainTextResponse:
    return PlainTextResponse("a page")


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)
    EVENTS.append("echo ended")


async def facts(websocket: WebSocket) -> None:
    """Tell what the handshake said."""
    await websocket.accept()
    await websocket.send_json(
        {
            "path": websocket.url.path,
            "room": websocket.path_params.get("room"),
            "query": websocket.query_params.multi_items(),
            "cookies": websocket.cookies,
            "header": websocket.headers.get("x-test"),
        }
    )
    await websocket.close()


async def binary_json(websocket: WebSocket) -> None:
    await websocket.accept()
    async for value in websocket.iter_json(mode="binary"):
        await websocket.send_json(value, mode="binary")


async def subprotocol(websocket: WebSocket) -> None:
    offered: list[str] = websocket.scope["subprotocols"]
    chosen = "second" if "second" in offered else None
    fields = [(b"x-accepted", b"yes"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    await websocket.accept(chosen, fields)
    await websocket.send_json(offered)


async def closing(websocket: WebSocket) -> None:
    """Close with the code of the path and the reason of the query."""
    await websocket.accept()
    await websocket.close(websocket.path_params["code"], websocket.query_params.get("reason"))


async def raising(websocket: WebSocket) -> None:
    await websocket.accept()
    raise WebSocketException(4001, "no more")


async def failing(websocket: WebSocket) -> None:
    await websocket.accept()
    raise ZeroDivisionError


async def close_code(websocket: WebSocket) -> None:
    """Note how the client closes."""
    await websocket.accept()
    try:
        await websocket.receive_text()
    except WebSocketDisconnect as disconnect:
        EVENTS.append(f"{websocket.query_params['note']}: {disconnect.code} {disconnect.reason}")


async def refusing(websocket: WebSocket) -> None:
    await websocket.close(4003)


async def denying(websocket: WebSocket) -> None:
    response = PlainTextResponse("not you", 401, {"x-why": "because"})
    await websocket.send_denial_response(response)


async def exception_before(websocket: WebSocket) -> None:
    raise HTTPException(402, "pay first", {"x-price": "9"})


async def pour(websocket: WebSocket) -> None:
    """Send as much as the client takes, and note the end, whichever side of the connection tells of it."""
    await pouring.pour(websocket, b"x" * 65536)
    EVENTS.append("pour ended")


async def count(websocket: WebSocket) -> None:
    """Count what comes until a text frame, then tell how much it was."""
    await websocket.accept()
    frames = size = 0
    while "text" not in (message := await websocket.receive()) or message["text"] is None:
        frames += 1
        size += len(message["bytes"])
    await websocket.send_json([frames, size])


class Text(WebSocketEndpoint):
    encoding = "text"

    async def on_receive(self, websocket: WebSocket, data: Any) -> None:
        await websocket.send_text(f"{type(data).__name__} {data}")

    async def on_disconnect(self, websocket: WebSocket, close_code: int) -> None:
        EVENTS.append(f"{type(self).__name__} {close_code}")


class Bytes(Text):
    encoding = "bytes"

    async def on_receive(self, websocket: WebSocket, data: Any) -> None:
        await websocket.send_bytes(data[::-1])


class Json(Text):
    encoding = "json"

    async def on_receive(self, websocket: WebSocket, data: Any) -> None:
        await websocket.send_json({"got": data})


async def plain(scope: Scope, receive: Receive, send: Send) -> None:
    """An ASGI application without a class of ours around the connection."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": f"{scope['root_path']} {scope['path']}"})
    await send({"type": "websocket.close", "code": 1000})


decorated = Router(
    routes=[
        WebSocketRoute("/echo", echo),
        WebSocketRoute("/facts/{room}", facts, name="facts"),
        Mount("/plain", plain),
    ]
)

app = Starlette(
    routes=[
        Route("/events", events),
        Route("/page", page),
        Route("/both", page),
        WebSocketRoute("/both", echo),
        WebSocketRoute("/echo", echo),
        WebSocketRoute("/facts/{room}", facts),
        WebSocketRoute("/binary-json", binary_json),
        WebSocketRoute("/subprotocol", subprotocol),
        WebSocketRoute("/closing/{code:int}", closing),
        WebSocketRoute("/raising", raising),
        WebSocketRoute("/failing", failing),
        WebSocketRoute("/close-code", close_code),
        WebSocketRoute("/refusing", refusing),
        WebSocketRoute("/denying", denying),
        WebSocketRoute("/exception-before", exception_before),
        WebSocketRoute("/pour", pour),
        WebSocketRoute("/count", count),
        WebSocketRoute("/text", Text),
        WebSocketRoute("/bytes", Bytes),
        WebSocketRoute("/json", Json),
        Mount("/router", decorated),
    ],
    lifespan=lifespan,
)
