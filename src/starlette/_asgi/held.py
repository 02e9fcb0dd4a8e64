"""Messages that were received before their reader asked for them (ASGI HTTP "Request", "Disconnect")."""

from __future__ import annotations

from collections import deque
from typing import Final

from starlette.types import Message, Receive

# SECURITY: an application that polls but never reads must not gather a whole upload in memory.
HELD_LIMIT: Final = 1024 * 1024

# What an empty message counts, so that a flood of them is bounded as well.
_MESSAGE_COST: Final = 256


class HeldMessages:
    """A `receive` that first hands out what was put back, in order, and then asks the real one.

    Args:
        receive: The server's channel; `poll` code asks it directly.
    """

    __slots__ = ("_messages", "_size", "receive")

    def __init__(self, receive: Receive) -> None:
        self.receive = receive
        self._messages: deque[Message] = deque()
        self._size = 0

    async def __call__(self) -> Message:
        if self._messages:
            message = self._messages.popleft()
            self._size -= _cost(message)
            return message
        return await self.receive()

    def hold(self, message: Message) -> None:
        """Keep a message for the next reader."""
        self._messages.append(message)
        self._size += _cost(message)

    @property
    def full(self) -> bool:
        """Whether to stop looking ahead: `HELD_LIMIT` bytes of a body are kept whose end has not come yet."""
        return self._size >= HELD_LIMIT and bool(self._messages[-1].get("more_body", False))


def _cost(message: Message) -> int:
    return _MESSAGE_COST + len(message.get("body") or b"")
