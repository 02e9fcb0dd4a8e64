"""A response in place of a WebSocket: the same messages under other names (ASGI "WebSocket Denial Response")."""

from __future__ import annotations

from starlette.types import Message, Send


class DenialSend:
    """Pass on the messages of an HTTP response with `websocket.` before their type."""

    __slots__ = ("_send",)

    def __init__(self, send: Send) -> None:
        self._send = send

    async def send(self, message: Message) -> None:
        """Send a copy of the message under the other name."""
        await self._send({**message, "type": "websocket." + message["type"]})
