"""Content that is sent piece by piece: blocking iterables and files as async iterators, and closing them."""

from __future__ import annotations

import functools
import io
import sys
import threading
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import Any, Final, cast

import anyio

from starlette import _threads

# What is read from a file at once. Its lines would cost a worker thread each.
FILE_BLOCK: Final = 64 * 1024

_END: Final[Any] = object()

# In memory already: taking the next item cannot block, so it needs no worker thread.
_AT_HAND: Final = frozenset({list, tuple, str, bytes})


def async_steps(content: Iterable[Any]) -> AsyncIterator[Any]:
    """Return an async iterator over a blocking iterable; nothing is done before its first step."""
    return _each(content) if type(content) in _AT_HAND else BlockingSteps(content)


async def _each(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


class BlockingSteps(AsyncIterator[Any]):
    """Take each step of an iterable in a worker thread, and never more steps than were asked for.

    A file is read in blocks. Files are not closed by `aclose`, since they belong to who opened them.
    """

    __slots__ = ("__weakref__", "_close", "_content", "_lock", "_step", "finished")

    def __init__(self, content: Iterable[Any]) -> None:
        self._content = content
        self._step: Callable[[], Any] | None = None
        self._close: Callable[[], object] | None = None
        self._lock = threading.Lock()  # a step may go on in its thread when its await was cancelled from outside
        self.finished = False
        if isinstance(content, Iterator):
            self._close = _closer(content)

    async def __anext__(self) -> Any:
        if self.finished:
            raise StopAsyncIteration
        item = await _threads.run_sync(self._advance)
        if item is _END:
            self.finished = True
            raise StopAsyncIteration
        return item

    def _advance(self) -> Any:
        with self._lock:
            if self.finished:
                return _END
            return (self._step or self._begin())()

    def _begin(self) -> Callable[[], Any]:
        steps = iter(self._content)
        read = _reader(self._content, steps)
        if read is not None:
            self._step = functools.partial(_block, read)
        else:
            self._close = _closer(steps)
            self._step = functools.partial(next, steps, _END)
        return self._step

    async def aclose(self) -> None:
        """End the iteration and close the iterator, if it can be closed, in a worker thread."""
        if not self.finished:
            self.finished = True
            if self._close is not None or self._lock.locked():  # the step that makes the iterator may still go on
                await _threads.run_to_end(self._shut)

    def _shut(self) -> None:
        with self._lock:
            if self._close is not None:
                self._close()


def _block(read: Callable[[int], Any]) -> Any:
    return read(FILE_BLOCK) or _END


def _closer(steps: object) -> Callable[[], object] | None:
    """Return what closes an iterator; None for a file."""
    return None if hasattr(steps, "read") else getattr(steps, "close", None)


def _reader(content: object, steps: object) -> Callable[[int], Any] | None:
    """Return what reads blocks of `content` when that gives the bytes of iterating, as with files; else None.

    Pipes and sockets are read as far as there is something: a log that is followed must not wait for a full block.
    """
    tempfile: Any = sys.modules.get("tempfile")  # whoever made such a file has loaded it
    if tempfile is not None and isinstance(content, tempfile._TemporaryFileWrapper | tempfile.SpooledTemporaryFile):
        found: Any = content
        return cast("Callable[[int], Any]", found.read)
    read: Callable[[int], Any] | None = getattr(content, "read", None)
    if steps is not content or read is None:
        return None
    if isinstance(content, io.RawIOBase) or getattr(content, "seekable", lambda: True)():
        return read
    at_once: Callable[[int], Any] | None = getattr(content, "read1", None)
    return at_once


async def close_steps(steps: AsyncIterable[Any]) -> None:
    """Close an async iterator that can be closed and has not ended, shielded from cancellation."""
    close = getattr(steps, "aclose", None)
    if close is None or getattr(steps, "finished", None) is True or getattr(steps, "ag_frame", steps) is None:
        return
    with anyio.CancelScope(shield=True):
        await close()
