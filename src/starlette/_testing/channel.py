"""The messages of one WebSocket test session, between a test, in its thread, and an application, in a loop's thread."""

from __future__ import annotations

import queue
from collections import deque
from typing import Final, cast

import anyio
import anyio.lowlevel

from starlette._testing.loops import Loop
from starlette.types import ASGIApp, Message, Scope

_ENDED: Final = object()


class ApplicationEnded(Exception):
    """The application sends nothing more, since it has returned or failed."""


class Channel:
    """A running application and the two queues to and from it. Neither queue is bounded."""

    def __init__(self, app: ASGIApp, scope: Scope, loop: Loop) -> None:
        self.app = app
        self.scope = scope
        self.error: BaseException | None = None
        self.ended = False
        self._loop = loop
        self._cancel_scope: anyio.CancelScope | None = None
        self._cancelled = False
        # None when the first message has been handed over; before that, what the test is to get with it.
        self._held: list[Message] | None = []
        self._inbox: deque[Message] = deque()
        self._arrival: anyio.Event | None = None
        self._outbox: queue.SimpleQueue[object] = queue.SimpleQueue()

    # The loop's thread

    async def run(self) -> None:
        """Run the application to its end."""
        try:
            with anyio.CancelScope() as scope:
                self._cancel_scope = scope
                if self._cancelled:
                    scope.cancel()
                await self.app(self.scope, self.receive, self.send)
        except BaseException as exc:
            self.error = exc
            if not isinstance(exc, (Exception, SystemExit, KeyboardInterrupt)):
                raise
        finally:
            self.ended = True
            self._release()
            self._outbox.put(_ENDED)

    async def receive(self) -> Message:
        """Give the application the next message of the test."""
        while True:
            # Looked at when the event is in place: the test appends first, and looks for the event then.
            arrival = self._arrival = anyio.Event()
            if self._inbox:
                return self._inbox.popleft()
            await arrival.wait()

    async def send(self, message: Message) -> None:
        """Take a message of the application.

        It may be cancelled before the message is handed over, and not after: an application that answers and then
        waits is waiting when the test gets the answer.
        """
        await anyio.lowlevel.checkpoint()
        if self._held is None:
            self._outbox.put(message)
            return
        # The first one is posted: an application that fails right after it has failed when the test gets it.
        self._held.append(message)
        if len(self._held) == 1:
            self._loop.post(self._release)

    def _release(self) -> None:
        held, self._held = self._held or (), None
        for message in held:
            self._outbox.put(message)

    def _cancel(self) -> None:
        if self._cancel_scope is not None:
            self._cancel_scope.cancel()

    # The test's thread

    def start(self) -> None:
        """Start the application; it sees the context variables of the caller."""
        self._loop.spawn(self.run)

    def put(self, message: Message) -> None:
        """Append a message for the application."""
        self._inbox.append(message)
        arrival = self._arrival
        if arrival is not None:
            try:
                self._loop.post(arrival.set)
            except RuntimeError:
                pass  # The loop has ended, and the application with it.

    def get(self, timeout: float | None) -> Message:
        """Wait for the next message of the application.

        Args:
            timeout: Seconds, or None for ever.

        Raises:
            ApplicationEnded: There will be none.
            TimeoutError: There was none in time.
        """
        try:
            message = self._outbox.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError(f"the application sent nothing within {timeout} seconds") from None
        if message is _ENDED:
            self._outbox.put(_ENDED)
            raise ApplicationEnded
        return cast(Message, message)

    def cancel(self) -> None:
        """Have the application cancelled, without waiting for its end."""
        self._cancelled = True
        try:
            self._loop.post(self._cancel)
        except RuntimeError:
            pass  # The loop has ended, and the application with it.

    def wait_ended(self) -> None:
        """Wait until the application has returned."""
        while self._outbox.get() is not _ENDED:
            pass
        self._outbox.put(_ENDED)
