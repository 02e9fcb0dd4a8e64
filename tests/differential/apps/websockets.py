"""WebSocket sessions as lists of steps, and endpoints as classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.endpoints import WebSocketEndpoint
from starlette.exceptions import HTTPException, WebSocketException
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketClose, WebSocketDisconnect, WebSocketState
from tests.differential.transcript import described, note

STREAM = "streamed denial"


async def _iterated(websocket: WebSocket, kind: str) -> list[Any]:
    return [item async for item in getattr(websocket, f"iter_{kind}")()]


async def _step(websocket: WebSocket, name: str, arguments: Sequence[Any]) -> Any:
    if name == "iter":
        return await _iterated(websocket, *arguments)
    if name == "deny":
        return await websocket.send_denial_response(PlainTextResponse(arguments[0], status_code=403))
    if name == STREAM:
        return await websocket.send_denial_response(StreamingResponse(["a", "b"], status_code=404))
    if name == "raw":
        return await websocket.send(dict(arguments[0]))
    if name == "raise http":
        raise HTTPException(403, "no", headers={"x": "1"})
    if name == "raise websocket":
        raise WebSocketException(1008, "policy")
    if name == "raise":
        raise ValueError("of the user")
    if name == "force":
        websocket.client_state = WebSocketState[arguments[0]]
        return None
    return await getattr(websocket, name)(*arguments)


def steps(steps: Sequence[Any], inside: bool = True, caught: bool = True) -> ASGIApp:
    """A session that does the steps, each a name and its arguments, and notes what comes of them and the states.

    Args:
        steps: Names of methods and of the steps above.
        inside: Whether an application stands around.
        caught: Whether exceptions are noted, and the next step is done.
    """

    async def endpoint(websocket: WebSocket) -> None:
        for name, *arguments in steps:
            try:
                note(name, await _step(websocket, name, arguments))
            except Exception as error:
                reason = (error.code, error.reason) if isinstance(error, WebSocketDisconnect) else ""
                note(name, "raised", described(error), reason)
                if not caught:
                    raise
            note(websocket.client_state.name, websocket.application_state.name)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await endpoint(WebSocket(scope, receive, send))

    if not inside:
        return application
    return Starlette(routes=[WebSocketRoute("/", endpoint), Route("/", lambda request: PlainTextResponse("http"))])


def endpoint(encoding: Any = None, hooks: Sequence[str] = (), inside: bool = True) -> ASGIApp:
    """A class of this encoding; `hooks` are things that its methods do."""

    class Endpoint(WebSocketEndpoint):
        async def on_connect(self, websocket: WebSocket) -> None:
            if "connect fails" in hooks:
                raise ValueError("in on_connect")
            if "protocol" in hooks:
                await websocket.accept(subprotocol="wamp", headers=[(b"x", b"1")])
            elif "no accept" not in hooks:
                await websocket.accept()

        async def on_receive(self, websocket: WebSocket, data: Any) -> None:
            note("received", data)
            if "receive fails" in hooks:
                raise ValueError("in on_receive")
            if "receive closes" in hooks:
                await websocket.close(4001, "enough")
            elif "receive policy" in hooks:
                raise WebSocketException(1008)
            elif "receive disconnect" in hooks:
                raise WebSocketDisconnect(1001)
            elif "echo" in hooks:
                await websocket.send_json(data)

        async def on_disconnect(self, websocket: WebSocket, close_code: int) -> None:
            note("disconnected", close_code)
            if "disconnect fails" in hooks:
                raise ValueError("in on_disconnect")
            if "disconnect closes" in hooks:
                await websocket.close(close_code)

    Endpoint.encoding = encoding
    return Starlette(routes=[WebSocketRoute("/", Endpoint)]) if inside else Endpoint


def close(code: int = 1000, reason: str | None = None) -> ASGIApp:
    """A bare `WebSocketClose`."""
    return WebSocketClose(code, reason)
