"""Notes whether a response has begun, between an application and the server's `send`."""

from __future__ import annotations

from typing import Final

from starlette.types import Message, Send

# The messages after which no other response can begin (ASGI HTTP and "WebSocket Denial Response").
_STARTS: Final = frozenset({"http.response.start", "websocket.http.response.start"})


class SendWatch:
    """Pass on messages, and remember that one of them started a response.

    Hand `watch.send` (a bound method) to the application and ask `watch.started` when it has failed.

    Attributes:
        started: True once a response start was passed on, a denial response of a WebSocket included.
    """

    __slots__ = ("_send", "started")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def send(self, message: Message) -> None:
        """Note a start, also one that the server then fails to send, and pass the message on."""
        if message["type"] in _STARTS:
            self.started = True
        await self._send(message)
