"""A WebSocket handler that sends until the client is gone."""

from __future__ import annotations

import anyio
import anyio.lowlevel

from starlette.websockets import WebSocket, WebSocketDisconnect


async def pour(websocket: WebSocket, data: bytes) -> None:
    """Accept, send `data` as often as the client takes it, and return when either side of the connection has ended."""
    await websocket.accept()

    async def speak() -> None:
        try:
            while True:
                await websocket.send_bytes(data)
                await anyio.lowlevel.checkpoint()  # for servers that drop what nobody can read
        except WebSocketDisconnect:
            group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(speak)
        async for _ in websocket.iter_bytes():
            pass
        group.cancel_scope.cancel()
