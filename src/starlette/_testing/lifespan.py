"""The `with` block of a test client: one portal, one loop, and the lifespan of the application around the block."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Generator, MutableMapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self, TypedDict, cast

import anyio
import anyio.from_thread
import anyio.lowlevel
from anyio.from_thread import BlockingPortal
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from anyio.streams.stapled import StapledObjectStream

from starlette._testing.loops import remember_loop
from starlette.types import ASGIApp, Message

_MemoryStream = MemoryObjectSendStream[Any] | MemoryObjectReceiveStream[Any]


class AsyncBackend(TypedDict):
    """What AnyIO is told to run the application on."""

    backend: str
    backend_options: dict[str, Any]


class Serving:
    """The half of `starlette.testclient.TestClient` that needs no HTTP library."""

    app: ASGIApp
    app_state: dict[str, Any]
    async_backend: AsyncBackend
    _close_responses: Callable[[], None]
    task: Future[None]
    portal: BlockingPortal | None = None
    exit_stack: contextlib.ExitStack
    stream_send: StapledObjectStream[MutableMapping[str, Any] | None]
    stream_receive: StapledObjectStream[MutableMapping[str, Any]]

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self.stream_send = _unbounded()
            self.stream_receive = _unbounded()
            stack.callback(_close, self.stream_send, self.stream_receive)
            self.portal = portal = stack.enter_context(self._start_portal())
            stack.callback(self._forget_portal)
            self.task = portal.start_task_soon(self._serve)
            portal.call(self.wait_startup)
            stack.callback(portal.call, self.wait_shutdown)
            stack.callback(self._close_responses)
            self.exit_stack = stack.pop_all()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.exit_stack.__exit__(exc_type, exc_value, traceback)

    async def lifespan(self) -> None:
        """Run the application for its lifespan (ASGI "Lifespan")."""
        scope = {"type": "lifespan", "state": self.app_state}
        try:
            await self.app(scope, self.stream_receive.receive, self.stream_send.send)
        finally:
            # Stands for the end, where a message is awaited.
            with anyio.CancelScope(shield=True):
                await self.stream_send.send(None)

    async def wait_startup(self) -> None:
        """Tell the application to start, and wait until it has.

        Raises:
            AssertionError: It answered with another message, or did not answer.
            RuntimeError: It said that it could not start, and raised nothing.
            Exception: What it raised.
        """
        await self.stream_receive.send({"type": "lifespan.startup"})
        message = await self._lifespan_answer("lifespan.startup")
        if message["type"] == "lifespan.startup.failed":
            # An application that waits for another message instead of raising gets one, and ends.
            await self.stream_receive.send({"type": "lifespan.shutdown"})
            await self._lifespan_end()
            raise RuntimeError(f"The application failed to start: {message.get('message', '')}")

    async def wait_shutdown(self) -> None:
        """Tell the application to shut down, and wait until it has returned; errors as for `wait_startup`."""
        await self.stream_receive.send({"type": "lifespan.shutdown"})
        await self._lifespan_answer("lifespan.shutdown")
        await self._lifespan_end()

    async def _serve(self) -> None:
        assert self.portal is not None
        remember_loop(self.portal)
        await self.lifespan()

    async def _lifespan_answer(self, kind: str) -> Message:
        message = await self.stream_send.receive()
        if message is None:
            await self._lifespan_result()
            raise AssertionError(f"The application returned without answering {kind!r}.")
        if message["type"] not in (f"{kind}.complete", f"{kind}.failed"):
            raise AssertionError(f"The application answered {kind!r} with {message['type']!r}.")
        return message

    async def _lifespan_end(self) -> None:
        while await self.stream_send.receive() is not None:
            pass
        await self._lifespan_result()

    async def _lifespan_result(self) -> None:
        """Raise what the lifespan raised. It has sent its last message, and the future follows in a moment."""
        while not self.task.done():
            await anyio.lowlevel.checkpoint()
        self.task.result()

    def _start_portal(self) -> AbstractContextManager[BlockingPortal]:
        return anyio.from_thread.start_blocking_portal(**self.async_backend)

    def _forget_portal(self) -> None:
        self.portal = None

    @contextlib.contextmanager
    def _portal_factory(self) -> Generator[BlockingPortal, None, None]:
        """Lend the portal of the block, or one that lasts as long as it is used."""
        if self.portal is not None:
            yield self.portal
        else:
            with self._start_portal() as portal:
                yield portal


def _unbounded() -> StapledObjectStream[Any]:
    return StapledObjectStream(*anyio.create_memory_object_stream[Any](math.inf))


def _close(*streams: StapledObjectStream[Any]) -> None:
    for stream in streams:
        for end in (stream.send_stream, stream.receive_stream):
            cast(_MemoryStream, end).close()
