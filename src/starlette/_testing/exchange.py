"""One HTTP exchange between a test, in its thread, and an application, in the thread of an event loop."""

from __future__ import annotations

import abc
import concurrent.futures
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any, Final, cast

import anyio
import anyio.lowlevel

from starlette._testing.loops import Loop, take_leave
from starlette.types import ASGIApp, Message, Scope

# What the loop's thread tells the thread of the test, beside chunks.
_STARTED: Final = object()
_ENDED: Final = object()


class Exchange(abc.ABC):
    """The server's side of one request.

    The application runs in the loop; the methods under "The test's thread" are called by the client. Body messages are
    handed over one by one, and each waits until the client asks for it, unless the client said beforehand that it
    will read all of it (`whole`): then they are gathered, and the two threads meet once, at the end.
    """

    def __init__(self, app: ASGIApp, scope: Scope, *, whole: bool) -> None:
        self.app = app
        self.scope = scope
        self.whole = whole
        self.status: int | None = None
        self.headers: list[tuple[bytes, bytes]] = []
        self.trailers: list[tuple[bytes, bytes]] | None = None
        self.debug: dict[str, Any] | None = None
        self.on_debug: Callable[[dict[str, Any]], None] | None = None
        self.error: BaseException | None = None
        self.unable: BaseException | None = None
        self.ended = False
        self.complete = False
        self.join: Callable[[], object] | None = None
        self._loop: Loop | None = None
        self._cancel_scope: anyio.CancelScope | None = None
        self._cancelled = False
        self._chunks: list[bytes] = []
        self._drops_body = scope["method"] == "HEAD"
        self._body_done = False
        self._demand = 0
        self._demanded: anyio.Event | None = None
        self._completed: anyio.Event | None = None
        self._events: SimpleQueue[object] = SimpleQueue()

    # The loop's thread

    async def run_alone(self) -> None:
        """Run the application in a loop that was made for it; whoever made it calls `end`."""
        self._loop = Loop()
        await self._run()
        if self._loop.is_asyncio:
            await take_leave()

    async def run(self) -> None:
        """Run the application in a loop that has other tasks as well."""
        try:
            await self._run()
        finally:
            self.end()

    async def _run(self) -> None:
        try:
            with anyio.CancelScope() as scope:
                self._cancel_scope = scope
                if self._cancelled:
                    scope.cancel()
                await self.app(self.scope, self.receive, self.send)
        except BaseException as exc:
            self.error = exc
            # These two would tear down the loop, and with it all other exchanges. Cancellation must go on.
            if not isinstance(exc, (Exception, SystemExit, KeyboardInterrupt)):
                raise

    def end(self, unable: BaseException | None = None) -> None:
        """Tell the test that nothing more will happen; `unable` says why the application could not be run."""
        if self.error is None:
            self.unable = unable
        self.ended = True
        self._events.put(_ENDED)

    @abc.abstractmethod
    async def receive(self) -> Message:
        """Give the application the request, then the disconnect (ASGI HTTP, "Request", "Disconnect")."""
        ...

    async def wait_complete(self) -> None:
        """Return when the client has the whole response."""
        if self.complete:
            await anyio.lowlevel.checkpoint()
            return
        if self._completed is None:
            self._completed = anyio.Event()
        await self._completed.wait()

    async def send(self, message: Message) -> None:
        """Take a message of the application (ASGI HTTP, "Response Start" and the following)."""
        kind = message["type"]
        if kind == "http.response.body":
            await self._send_body(message)
        elif kind == "http.response.start":
            self._send_start(message)
        elif kind == "http.response.trailers":
            self._send_trailers(message)
        elif kind == "http.response.debug":
            self.debug = message["info"]
            if self.on_debug is not None:
                self.on_debug(message["info"])

    def _send_start(self, message: Message) -> None:
        _require(self.status is None, 'Received multiple "http.response.start" messages.')
        headers = [(bytes(name), bytes(value)) for name, value in message.get("headers", ())]
        if message.get("trailers", False):
            self.trailers = []
        self.headers = headers
        self.status = message["status"]
        if self.whole and not (300 <= message["status"] < 400 or _has_coding(headers)):
            return
        # A redirect may be impossible to follow and an encoded body to decode; then the client closes the response
        # before its end, and the application must not have gone on.
        self.whole = False
        # Posted and not put: the application may add debug information until it waits for the first time.
        assert self._loop is not None
        self._loop.post(self._events.put, _STARTED)

    async def _send_body(self, message: Message) -> None:
        _require(self.status is not None, 'Received "http.response.body" without "http.response.start".')
        _require(not self.complete, 'Received "http.response.body" after response completed.')
        _require(not self._body_done, 'Received "http.response.body" after body completed.')
        chunk = b"" if self._drops_body else bytes(message.get("body", b""))
        if self.whole:
            if chunk:
                self._chunks.append(chunk)
            await anyio.lowlevel.checkpoint()
        else:
            await self._wait_for_demand()
            if chunk:
                self._demand -= 1
                self._events.put(chunk)
        if not message.get("more_body", False):
            self._body_done = True
            if self.trailers is None:
                self._finish()

    def _send_trailers(self, message: Message) -> None:
        _require(self.trailers is not None, 'Received "http.response.trailers" without declaring trailers.')
        _require(self._body_done, 'Received "http.response.trailers" before body completed.')
        _require(not self.complete, 'Received "http.response.trailers" after response completed.')
        assert self.trailers is not None
        self.trailers += [(bytes(name), bytes(value)) for name, value in message.get("headers", ())]
        if not message.get("more_trailers", False):
            self._finish()

    def _finish(self) -> None:
        self.complete = True
        if self._completed is not None:
            self._completed.set()

    async def _wait_for_demand(self) -> None:
        while not self._demand:
            self._demanded = anyio.Event()
            await self._demanded.wait()

    def _add_demand(self) -> None:
        self._demand += 1
        if self._demanded is not None:
            self._demanded.set()

    def _cancel(self) -> None:
        if self._cancel_scope is not None:
            self._cancel_scope.cancel()

    # The test's thread

    def spawn(self, loop: Loop) -> None:
        """Start in a loop that is running already."""
        self._loop = loop
        loop.spawn(self.run)

    def wait_started(self) -> None:
        """Wait until the response has begun, or until there will be none."""
        if self._events.get() is _ENDED:
            self._events.put(_ENDED)

    def chunks(self) -> Iterator[bytes]:
        """Yield the parts of the body; each but those gathered already is asked for when its turn comes."""
        yield from self._chunks
        while not self.ended or not self.whole:
            assert self._loop is not None
            try:
                self._loop.post(self._add_demand)
            except RuntimeError:
                pass  # The loop has ended, and says so in the queue.
            event = self._events.get()
            if event is _ENDED:
                self._events.put(_ENDED)
                return
            yield cast(bytes, event)

    def cancel(self) -> None:
        """Have the application cancelled, without waiting for its end."""
        self._cancelled = True
        if self._loop is not None:
            try:
                self._loop.post(self._cancel)
            except RuntimeError:
                pass  # The loop has ended.

    def wait_ended(self) -> None:
        """Wait for the application to return, and for the thread that ran it, if it had one."""
        while self._events.get() is not _ENDED:
            pass
        self._events.put(_ENDED)  # Another thread may wait as well: the one that closes the client.
        join, self.join = self.join, None
        if join is not None:
            join()

    def close(self) -> None:
        """Cancel the application if the response is not complete, and wait for its end."""
        if not (self.complete or self.ended):
            self.cancel()
        self.wait_ended()

    def take_error(self, *, expected: bool) -> BaseException | None:
        """Return what the application raised, once, as the client raises it.

        Args:
            expected: Whether exceptions of the application are wanted.
        """
        error, self.error = self.error, None
        if self.unable is not None:
            return self.unable
        if error is None or (isinstance(error, Exception) and not expected):
            return None
        failure = raisable(error)
        if failure is None and expected:
            # COMPAT: the application was cancelled, and not by the test.
            return concurrent.futures.CancelledError()
        return failure


def raisable(error: BaseException | None) -> BaseException | None:
    """Return what stands in the test for what ended an application; None for nothing and for cancellation."""
    if isinstance(error, (SystemExit, KeyboardInterrupt)):
        # COMPAT: these end the event loop, not the test that caused them.
        failure = RuntimeError(f"This portal is not running: the application raised {error!r}")
        failure.__cause__ = error
        return failure
    return error if isinstance(error, Exception) else None


def _has_coding(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(name.lower() == b"content-encoding" for name, _ in headers)


def _require(holds: bool, message: str) -> None:
    # COMPAT: a broken protocol is reported as AssertionError; `-O` must not remove it.
    if not holds:
        raise AssertionError(message)
