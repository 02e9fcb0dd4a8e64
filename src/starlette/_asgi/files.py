"""Files in chunks for a response, read by worker threads."""

from __future__ import annotations

import functools
import os
import stat
import threading
from typing import Any, Final, NamedTuple, Protocol

import anyio

from starlette import _threads
from starlette.types import Message, Send

# SECURITY: without O_NONBLOCK the opening of a FIFO would hold a worker thread for ever (threats T01.4).
_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)

# PERF: several chunks a trip to a worker thread (100 us each), yet few ahead of a slow client (threats R07).
_CHUNKS_AHEAD: Final = 4
_BYTES_AHEAD: Final = 256 * 1024

# Files below this length may be read whole before a response asks for them.
_SMALL: Final = 64 * 1024


def read_small(path: str, stat_result: os.stat_result) -> bytes | None:
    """Return the content of a file below the length of a chunk, None when it is not as `stat_result` says. Blocking."""
    size = stat_result.st_size
    if size >= _SMALL:
        return None
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:
        return None  # told when the response is sent
    try:
        if not os.path.samestat(os.fstat(descriptor), stat_result):
            return None
        content = os.read(descriptor, size)
        return content if len(content) == size else None
    finally:
        os.close(descriptor)


class Span(NamedTuple):
    """Bytes of a file, and the head that is sent before them when there are several spans."""

    start: int
    stop: int
    head: bytes = b""


class Plan(NamedTuple):
    """A response that sends bytes of a file; `closing` comes after several spans."""

    status: int
    headers: list[tuple[bytes, bytes]]
    spans: list[Span]
    closing: bytes = b""


class Chunks(Protocol):
    """A file as a response needs it."""

    path: str | os.PathLike[str]

    async def prepare(self, span: Span, *, last: bool) -> None:
        """Do what the first `read` of a span can do before the response starts."""
        ...

    async def read(self, offset: int, count: int, *, last: bool) -> list[bytes]:
        """Return the next chunks of `count` bytes at `offset`, not necessarily all; an empty list at the end.

        `last` says that nothing will be read after these `count` bytes.
        """
        ...

    async def aclose(self) -> None:
        """Close the file if it is open, shielded from cancellation."""
        ...


def opening_is_replaced() -> bool:
    """Tell whether somebody put another function in the place of `anyio.open_file`, which then has to be used."""
    return anyio.open_file is not _open_file()


@functools.cache
def _open_file() -> Any:
    """Return AnyIO's own function, which takes as long to load as a quarter of an application."""
    try:
        from anyio._core._fileio import open_file
    except ImportError:  # another release has it elsewhere; nobody has replaced it, then
        return anyio.open_file
    return open_file


def regular_stat(path: str | os.PathLike[str]) -> os.stat_result:
    """Return `os.stat(path)`; RuntimeError unless it is a regular file. Blocking."""
    try:
        result = os.stat(path)
    except FileNotFoundError:
        raise RuntimeError(f"File at path {path} does not exist.") from None
    if not stat.S_ISREG(result.st_mode):
        raise RuntimeError(f"File at path {path} is not a file.")
    return result


class DirectFile:
    """Read a file several chunks a trip, closing it on the trip that reads the last of them."""

    __slots__ = (
        "_chunk_size",
        "_descriptor",
        "_ended",
        "_failure",
        "_lock",
        "_position",
        "_ready",
        "_started",
        "path",
    )

    def __init__(self, path: str | os.PathLike[str], chunk_size: int) -> None:
        self.path = path
        self._chunk_size = chunk_size
        self._descriptor = -1
        self._position = 0
        self._started = False
        self._ended = False
        self._ready: list[bytes] | None = None
        self._failure: Exception | None = None
        self._lock = threading.Lock()  # a trip may still go on when its await was cancelled from outside

    async def look(self, *, whole: bool) -> os.stat_result:
        """Open the file and return what it is; with `whole` also read the first chunks, for the `read` to come."""
        self._started = True
        return await _threads.run_sync(self._look, whole)

    async def prepare(self, span: Span, *, last: bool) -> None:
        """Do the first `read` now; it is `read` that then returns the chunks or raises."""
        if self._started:
            return
        self._started = True
        try:
            self._ready = await _threads.run_sync(self._read, span.start, span.stop - span.start, last)
        except Exception as exc:
            self._failure = exc

    async def read(self, offset: int, count: int, *, last: bool) -> list[bytes]:
        """Return chunks at `offset`, the last of which may be short; `last` says that nothing is read after `count`."""
        if self._failure is not None:
            raise self._failure
        if self._ready is not None:
            ready, self._ready = self._ready, None
            return ready
        self._started = True
        return await _threads.run_sync(self._read, offset, count, last)

    async def aclose(self) -> None:
        """Close the file if it is open."""
        if self._started and not self._ended:
            with anyio.CancelScope(shield=True):
                await _threads.run_to_end(self._end)

    def _look(self, whole: bool) -> os.stat_result:
        with self._lock:
            regular_stat(self.path)
            result = self._open()
            if whole:
                self._ready = self._take(0, result.st_size, True)
            return result

    def _read(self, offset: int, count: int, last: bool) -> list[bytes]:
        with self._lock:
            if self._descriptor < 0:
                self._open()
            return self._take(offset, count, last)

    def _open(self) -> os.stat_result:
        if self._ended:
            raise RuntimeError(f"File at path {self.path} was closed while it was read.")
        descriptor = os.open(self.path, _FLAGS)
        result = os.fstat(descriptor)
        if not stat.S_ISREG(result.st_mode):
            os.close(descriptor)
            raise RuntimeError(f"File at path {self.path} is not a file.")
        self._descriptor = descriptor
        return result

    def _take(self, offset: int, count: int, last: bool) -> list[bytes]:
        if offset != self._position:
            os.lseek(self._descriptor, offset, os.SEEK_SET)
        chunks, taken = read_chunks(self._descriptor, count, self._chunk_size)
        self._position = offset + taken
        if last and taken == count:
            self._close()
        return chunks

    def _end(self) -> None:
        with self._lock:
            self._close()

    def _close(self) -> None:
        self._ended = True
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def read_chunks(descriptor: int, count: int, chunk_size: int) -> tuple[list[bytes], int]:
    """Read at most `count` bytes as a few chunks of `chunk_size`; return them and their length."""
    chunks: list[bytes] = []
    ahead = max(1, min(_CHUNKS_AHEAD, _BYTES_AHEAD // chunk_size))
    limit = min(count, ahead * chunk_size)
    taken = 0
    while taken < limit:
        chunk = os.read(descriptor, min(chunk_size, limit - taken))
        if not chunk:
            break
        chunks.append(chunk)
        taken += len(chunk)
    return chunks, taken


class ReplacedFile:
    """Read a file through `anyio.open_file` as it is now, a chunk at a time."""

    __slots__ = ("_chunk_size", "_file", "_position", "path")

    def __init__(self, path: str | os.PathLike[str], chunk_size: int) -> None:
        self.path = path
        self._chunk_size = chunk_size
        self._file: anyio.AsyncFile[bytes] | None = None
        self._position = 0

    async def prepare(self, span: Span, *, last: bool) -> None:
        """Do nothing: the file is opened by the first `read`."""

    async def read(self, offset: int, count: int, *, last: bool) -> list[bytes]:
        """Return at most one chunk."""
        if self._file is None:
            self._file = await anyio.open_file(self.path, mode="rb")
        if offset != self._position:
            await self._file.seek(offset)
        chunk = await self._file.read(min(self._chunk_size, count))
        self._position = offset + len(chunk)
        return [chunk] if chunk else []

    async def aclose(self) -> None:
        """Close the file if it was opened."""
        if self._file is not None:
            with anyio.CancelScope(shield=True):
                await self._file.aclose()


class ReadyFile:
    """A small file that was read when it was looked up."""

    __slots__ = ("content", "path", "stat_result")

    def __init__(self, path: str | os.PathLike[str], stat_result: os.stat_result, content: bytes) -> None:
        self.path = path
        self.stat_result = stat_result
        self.content = content

    def fits(self, path: object, stat_result: object, chunk_size: int) -> bool:
        """Tell whether this is still the file to send, and one chunk of it."""
        return self.path is path and self.stat_result is stat_result and len(self.content) < chunk_size

    async def prepare(self, span: Span, *, last: bool) -> None:
        """Do nothing: the bytes are there."""

    async def read(self, offset: int, count: int, *, last: bool) -> list[bytes]:
        """Return the bytes in one chunk; none of an empty file, as the others do."""
        return [self.content[offset : offset + count]] if self.content else []

    async def aclose(self) -> None:
        """Do nothing: the file was closed after it was read."""


async def send_spans(start: Message, plan: Plan, file: Chunks, send: Send, chunk_size: int) -> None:
    """Send the start of a response and its spans.

    Raises:
        RuntimeError: The file ended before the spans did; the response is not completed.
    """
    await send(start)
    whole = plan.status != 206
    final = plan.spans[-1]
    for span in plan.spans:
        if span.head:
            await send(_piece(span.head, True))
        offset = span.start
        chunk = b""
        while True:  # an empty span is read, too: the file has to be there
            chunks = await file.read(offset, span.stop - offset, last=span is final)
            if not chunks and offset < span.stop:
                raise RuntimeError(f"File at path {file.path} is shorter than expected.")
            for chunk in chunks:
                offset += len(chunk)
                # COMPAT: a full chunk of a whole file says that more will come (responses R45).
                more = offset < span.stop or span.head != b"" or (whole and len(chunk) == chunk_size)
                await send(_piece(chunk, more))
            if offset >= span.stop:
                break
        if span.head:
            await send(_piece(b"\r\n", True))
        elif whole and len(chunk) in (0, chunk_size):
            await send(_piece(b"", False))
    if plan.closing:
        await send(_piece(plan.closing, False))


def _piece(body: bytes, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}
