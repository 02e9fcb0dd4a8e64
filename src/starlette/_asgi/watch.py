"""What stands between an application and the server's `send` until a response has begun."""

from __future__ import annotations

from starlette.types import Message, Send


class UntilStart:
    """The owner of a `send` that does something at the start of a response, and passes on what comes later.

    Attributes:
        unwatched: The `send` that messages go to.
    """

    __slots__ = ("unwatched",)

    unwatched: Send


def beyond_start(send: Send) -> Send:
    """Return where messages get to that are given to `send`, once the start of a response has been."""
    # PERF: each piece of a stream is spared the frames of the layers that look at the start only.
    while isinstance(owner := getattr(send, "__self__", None), UntilStart):
        send = owner.unwatched
    return send


class SendWatch(UntilStart):
    """Pass on messages, and remember that one of them started a response.

    Hand `watch.send` (a bound method) to the application and ask `watch.started` when it has failed.

    Attributes:
        started: True once a response start was passed on, a denial response of a WebSocket included.
        unwatched: The `send` that messages go to; for what has noted the start itself.
    """

    __slots__ = ("started",)

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
