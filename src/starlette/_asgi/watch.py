"""Notes whether a response has begun, between an application and the server's `send`."""

from __future__ import annotations

from starlette.types import Message, Send


class SendWatch:
    """Pass on messages, and remember that one of them started a response.

    Hand `watch.send` (a bound method) to the application and ask `watch.started` when it has failed.

    Attributes:
        started: True once a response start was passed on, a denial response of a WebSocket included.
        unwatched: The `send` that messages go to; for what has noted the start itself.
    """

    __slots__ = ("started", "unwatched")

    def __init__(self, send: Send) -> None:
        self.unwatched = send
        self.started = False

    async def send(self, message: Message) -> None:
        """Note a start, also one that the server then fails to send, and pass the message on."""
        if not self.started:
            kind = message["type"]
            # Nothing else can begin after these (ASGI HTTP "Response Start"; "WebSocket Denial Response").
            if kind == "http.response.start" or kind == "websocket.http.response.start":  # faster
                self.started = True
        await self.unwatched(message)
