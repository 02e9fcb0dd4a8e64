"""Sending while the client may leave: who tells of it, and the race of a sender with a listener.

From ASGI 2.4 on `send` raises OSError after a disconnect, so nobody has to listen (ASGI HTTP "Disconnected Client").
Servers of an earlier version say it by `http.disconnect` alone.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, Final

import anyio

from starlette._utils import create_collapsing_task_group
from starlette.types import Message, Receive, Scope, Send

if TYPE_CHECKING:
    from starlette._asgi.contest import Contest

_SEND_RAISES_SINCE: Final = (2, 4)


def send_raises(scope: Scope) -> bool:
    """Tell whether the server speaks ASGI 2.4 or later; ValueError when its version is not made of numbers."""
    asgi = scope.get("asgi")
    return _numbers(asgi.get("spec_version", "2.0") if asgi else "2.0") >= _SEND_RAISES_SINCE


@functools.lru_cache(maxsize=16)
def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


async def wait_for_disconnect(receive: Receive) -> None:
    """Return when `http.disconnect` arrives; other messages are ignored."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def receive_at_once(receive: Receive) -> Message | None:
    """Return the next message if there is one; None when it would have to be waited for."""
    with anyio.CancelScope() as scope:
        # Cancelled at the first wait, not from the start: the channels of trio hand out nothing inside of a scope that
        # is cancelled already.
        attempt = _Race(_received(receive))
        attempt.on_wait = scope.cancel
        message: Message = await attempt
        return message
    return None


async def _received(receive: Receive) -> Message:
    return await receive()


class LastSend:
    """A `send` that notes when the last message of a body is on its way."""

    __slots__ = ("_begun", "_send")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._begun = False

    def send(self, message: Message) -> Awaitable[None]:
        """Return what the server's `send` returns: one call more, but no frame to wait in."""
        if not message.get("more_body") and message["type"] == "http.response.body":
            self._begun = True
        return self._send(message)

    def begun(self) -> bool:
        """Tell whether the last message was handed to the server."""
        return self._begun


async def race(
    work: Callable[[], Awaitable[None]], listen: Callable[[], Awaitable[None]], ending: Callable[[], bool] = bool
) -> None:
    """Await `work()` until it ends or `listen()` returns, which cancels it, unless `ending()` is true by then.

    It has to be while the last message is sent: the server may say already that the exchange is over, and still has
    its connection to end. Hypercorn keeps that for ever when it is cancelled there.

    An exception of either is raised as itself; if both fail, an ExceptionGroup of the two.
    """
    contest = _contest_of()(work) if "asyncio" in sys.modules else None
    if contest is not None:
        await contest.decide(listen, ending)
    else:
        await _race_in_group(_awaited(work), listen, ending)


@functools.cache
def _contest_of() -> Callable[[Callable[[], Awaitable[None]]], Contest | None]:
    """Return the function of that name, whose module needs asyncio."""
    from starlette._asgi.contest import contest_of

    return contest_of


async def _awaited(work: Callable[[], Awaitable[None]]) -> None:
    await work()


async def _race_in_group(
    work: Coroutine[Any, Any, None], listen: Callable[[], Awaitable[None]], ending: Callable[[], bool]
) -> None:
    """Do the same with a task group, which the listener joins when the work first waits."""
    async with create_collapsing_task_group() as group:
        race = _Race(work)

        async def listener() -> None:
            await listen()
            if not ending():
                group.cancel_scope.cancel()

        race.on_wait = lambda: group.start_soon(listener)
        await race
        if race.waited:
            group.cancel_scope.cancel()


class _Race:
    """Await a coroutine and call `on_wait` at the first wait, which starts its rival.

    PERF: a short answer is often sent without one wait, and then no task is made: 14 us instead of 120 us.
    The group is entered beforehand, since the coroutine may itself be inside of cancel scopes when it first waits.
    """

    __slots__ = ("on_wait", "waited", "work")

    def __init__(self, work: Coroutine[Any, Any, Any]) -> None:
        self.work = work
        self.waited = False
        self.on_wait: Callable[[], object]

    def __await__(self) -> Generator[Any, Any, Any]:
        resume: Callable[[Any], Any] = self.work.send
        value: Any = None
        while True:
            try:
                pending = resume(value)
            except StopIteration as exc:
                return exc.value
            if not self.waited:
                self.waited = True
                self.on_wait()
            try:
                value = yield pending
                resume = self.work.send
            except BaseException as exc:  # a cancellation, which is the coroutine's to handle
                value = exc
                resume = self.work.throw
