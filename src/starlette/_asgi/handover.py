"""A response passed on message by message, between the task of an application and whoever sends it.

Nothing is gathered: each message waits in the application's `send` until it is taken, and the last one until the
whole response is out (ASGI HTTP "Response Body"). The application runs in one task from start to end, since it may
enter a cancel scope before its first message and leave it after its last one.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

import anyio
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from starlette._asgi.scoped import ScopedTask
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_START: Final = "http.response.start"
_DEBUG: Final = "http.response.debug"
_PREFIX: Final = "http.response."

# What carries the body, and the key that tells that more of it follows (None: nothing ever follows).
_CARRIERS: Final[dict[str, str | None]] = {
    "http.response.body": "more_body",
    "http.response.zerocopysend": "more_body",
    "http.response.pathsend": None,
}
_TRAILERS: Final = "http.response.trailers"

# Only these have their place behind a start; other extensions may come before it.
_AFTER_START: Final = frozenset({*_CARRIERS, _TRAILERS})
_NOT_IN_BODY: Final = frozenset({_START, _TRAILERS})


class Waiter(Protocol):
    """One wait for one event. An `asyncio.Future` is one."""

    def done(self) -> bool: ...

    def set_result(self, result: Any, /) -> None: ...

    def __await__(self) -> Any: ...


class Handover:
    """The application's two channels, `send` and `receive`, and the reader's end of the first.

    Args:
        app: The application to run, at `begin()`.
        scope: Its scope.
        receive: What its `receive` asks until the response is closed.
        send: Where messages go that belong to no response: early hints, pushes.
        loop: The running loop, if that is one of asyncio.

    Attributes:
        info: What the last debug message before the start said, or None.
        begun: The application was started.
        running: It has not ended yet.
        body_taken: The last message of the body was taken.
        complete: The last message of the response was taken; after it come no trailers.
        promised: The start announced trailers.
        streamed: A generator takes the messages.
        left: The application was told that the client has left.
        error: What it raised, once.
        context: The context variables at the start of the response, when `keeps_context` was set.
    """

    __slots__ = (
        "_crowd",
        "_given",
        "_last",
        "_loop",
        "_offer",
        "_parked",
        "_reader",
        "_receive",
        "_receiving",
        "_send",
        "_started",
        "_wanted",
        "app",
        "begun",
        "body_taken",
        "closed",
        "complete",
        "context",
        "error",
        "info",
        "keeps_context",
        "left",
        "promised",
        "running",
        "scope",
        "streamed",
    )

    def __init__(
        self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        self._loop: Any = loop  # PERF: up to CPython 3.11 asking for the running loop is a system call
        self.app = app
        self.scope = scope
        self._receive = receive
        self._send = send
        self._started = False  # a start was sent
        self._wanted = False  # the reader waits
        self._given: Message | None = None  # what it was given while it did
        self._offer: Message | None = None  # what waits to be taken
        self._last = False  # that is the last message
        self._parked: Waiter | None = None  # where its sender waits
        self._crowd: list[Waiter] | None = None  # where further senders wait for their turn
        self._reader: Waiter | None = None
        self._receiving: set[anyio.CancelScope] | None = None
        self.info: Any = None
        self.error: BaseException | None = None
        self.context: contextvars.Context | None = None
        self.begun = self.running = self.complete = self.closed = self.body_taken = False
        self.promised = self.streamed = self.keeps_context = self.left = False

    # The application's side

    async def send(self, message: Message) -> None:
        """Offer a message and wait until it is taken; of the last one, until the response is closed."""
        kind: str = message["type"]
        if not self._started and not self.closed:
            if kind == _START:
                self._started = True
                self.promised = bool(message.get("trailers", False))
                if self.keeps_context:
                    self.context = contextvars.copy_context()
            elif kind == _DEBUG:
                self.info = message["info"]
                return
            elif kind.startswith(_PREFIX) and kind not in _AFTER_START:
                await self._send(message)
                return
        while (self._offer is not None or self.complete) and not self.closed:
            await self._turn()
        if self.closed:
            await checkpoint()  # a producer that never waits must not keep the loop for ever
            return
        last = kind != _START and self._ends(kind, message)
        if self._wanted:
            self._wanted = False
            _wake(self._reader)
            if not last:
                self._given = message
                return
        self._offer = message
        self._last = last
        parked = self._parked = self.waiter()
        try:
            await parked
        except BaseException:
            if self._offer is message:
                self._offer = None
                self._call_crowd()
            raise

    async def receive(self) -> Message:
        """Return the next message of the request; `http.disconnect` as soon as the response is closed."""
        if not self.closed:
            if self._receiving is None:
                self._receiving = set()
            with anyio.CancelScope() as waiting:
                self._receiving.add(waiting)
                try:
                    message = await self._receive()
                finally:
                    self._receiving.discard(waiting)
                if message["type"] == "http.disconnect":
                    self.left = True
                return message
        return {"type": "http.disconnect"}

    async def _turn(self) -> None:
        if self._crowd is None:
            self._crowd = []
        waiter = self.waiter()
        self._crowd.append(waiter)
        await waiter

    def _call_crowd(self) -> None:
        crowd = self._crowd
        if crowd:
            self._crowd = None
            for waiter in crowd:
                _wake(waiter)

    def _ends(self, kind: str, message: Message) -> bool:
        """Tell whether a message is the last of the response."""
        if kind in _CARRIERS:
            return not self.promised and _ends_body(kind, message)
        return kind == _TRAILERS and not message.get("more_trailers", False)

    # The reader's side

    async def take(self) -> Message | None:
        """Return the next message, or None when no more can come: after the last one, or when the application ended."""
        while True:
            message = self._poll()
            if message is not None or self.complete or not self.running:
                return message
            if self._wanted:
                raise AssertionError  # two readers
            self._wanted = True
            try:
                if not self.resume():
                    self._reader = self.waiter()
                    await self._reader
            finally:
                self._wanted = False

    def _poll(self) -> Message | None:
        """Take a message if one is there."""
        message = self._given
        if message is not None:
            self._given = None
            return message
        message = self._offer
        if message is not None:
            self._offer = None
            if self._last:
                self.complete = True
            else:
                _wake(self._parked)
                if self._crowd:
                    self._call_crowd()
        return message

    async def take_body(self) -> Message | None:
        """Return the next message of the body phase, or None after its end.

        Raises:
            AssertionError: The message has no place here.
            BaseException: What broke off the body: the exception of the application.
        """
        message = self.poll_body()
        if message is not None or self.body_taken:
            return message
        message = await self.take()
        if message is not None:
            return self._in_body(message)
        # SECURITY: threats R04.4: what broke off must not pass for complete.
        if self.error is not None:
            raise self.error
        return None

    def poll_body(self) -> Message | None:
        """Do the same with a message that is there; None when there is none."""
        message = None if self.body_taken else self._poll()
        return None if message is None else self._in_body(message)

    def _in_body(self, message: Message) -> Message:
        kind: str = message["type"]
        if kind in _CARRIERS:
            self.body_taken = _ends_body(kind, message)
        elif kind in _NOT_IN_BODY or not kind.startswith(_PREFIX):
            raise AssertionError(f"Unexpected message: {message}")  # COMPAT: base R17
        return message

    async def take_trailers(self) -> Message | None:
        """Return the next message of trailers; None after the last, or when there are none."""
        message = await self.take() if self.body_taken else None
        if message is None and not self.complete and self.error is not None:
            raise self.error
        if message is not None and message["type"] != _TRAILERS:
            raise AssertionError(f"Unexpected message: {message}")
        return message

    def raise_error(self) -> None:
        """Raise what the application raised after its response, if it did."""
        error, self.error = self.error, None
        try:
            if error is not None:
                raise error
        finally:
            del error  # its traceback refers to this frame

    def close(self) -> None:
        """Let the application go on: what it sends is dropped from now on, what it receives is a disconnect."""
        self.closed = True
        _wake(self._parked)
        self._call_crowd()
        for waiting in tuple(self._receiving or ()):
            waiting.cancel()
        if self.running:
            self.resume()

    def note_end(self) -> None:
        """Wake who waits for a message of the application, which has just ended."""
        self.running = False
        _wake(self._reader)

    # What differs between the event loops

    def waiter(self) -> Waiter:
        """Return something new to wait for."""
        raise NotImplementedError  # pragma: no cover  # both subclasses define it

    def begin(self) -> None:
        """Start the application."""
        raise NotImplementedError  # pragma: no cover  # both subclasses define it

    def resume(self) -> bool:
        """Run the application on the spot as far as it gets; False when it has to be waited for."""
        return False

    async def stop(self) -> None:
        """Cancel the application and wait until it has ended."""
        raise NotImplementedError  # pragma: no cover  # both subclasses define it


def _ends_body(kind: str, message: Message) -> bool:
    more = _CARRIERS[kind]
    return more is None or not message.get(more, False)


def _wake(waiter: Waiter | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


class TaskHandover(Handover):
    """On asyncio: one task, which is run on the spot where possible."""

    __slots__ = ("_task",)

    def begin(self) -> None:
        self.begun = self.running = True
        task = self._task = ScopedTask(
            self._loop, "starlette.middleware.base", self._note_error, self.app, self.scope, self.receive, self.send
        )
        self._wanted = True
        task.start()
        self._wanted = False
        # PERF: where it waits for its reader only, the loop need not know of it.
        if task.pending is not self._parked:
            task.make_known()

    def _note_error(self, error: BaseException | None) -> None:
        self.error = error
        self.note_end()

    def waiter(self) -> Waiter:
        waiter: Waiter = self._loop.create_future()
        return waiter

    def resume(self) -> bool:
        task = self._task
        resumed = task.resume()
        if not resumed or task.pending is not self._parked:
            task.make_known()
        return resumed

    async def join(self) -> None:
        """Wait until the application has ended."""
        await self._task.join()

    async def stop(self) -> None:
        self.closed = True
        if self.running:
            await self._task.stop()


class GroupHandover(Handover):
    """On trio: a task of the group that `serve()` opens."""

    __slots__ = ("_group",)

    async def serve(self, work: Callable[[], Awaitable[None]]) -> BaseException | None:
        """Await `work()`, during which the application may begin, and then the application.

        Returns:
            What `work()` raised, so that it can be raised as itself and not in a group; the application is cancelled.
        """
        failure: BaseException | None = None
        async with anyio.create_task_group() as group:
            self._group: TaskGroup = group
            try:
                await work()
            except anyio.get_cancelled_exc_class():
                raise
            except BaseException as exc:
                failure = exc
                await self.stop()
        return failure

    def begin(self) -> None:
        self.begun = self.running = True
        self._group.start_soon(self._run, name="starlette.middleware.base")

    async def _run(self) -> None:
        cancelled = anyio.get_cancelled_exc_class()
        try:
            await self.app(self.scope, self.receive, self.send)
        except cancelled:
            raise
        except BaseExceptionGroup as exc:
            ours, rest = exc.split(cancelled)
            if ours is None:
                self.error = exc
            else:  # a cancellation belongs to its scope, and must not be raised outside of it
                self.error = rest
                raise ours
        except BaseException as exc:
            self.error = exc
        finally:
            self.note_end()

    def waiter(self) -> Waiter:
        return _EventWaiter()

    async def stop(self) -> None:
        self.closed = True
        self._group.cancel_scope.cancel()


class _EventWaiter:
    """An event with the face of a future."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = anyio.Event()

    def done(self) -> bool:
        return self._event.is_set()

    def set_result(self, result: None) -> None:
        self._event.set()

    def __await__(self) -> Any:
        return self._event.wait().__await__()
