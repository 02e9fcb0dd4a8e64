"""Blocking iterables and files as async iterators."""

from __future__ import annotations

import asyncio
import io
import os
import socket
import tempfile
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from starlette._asgi.streams import FILE_BLOCK, BlockingSteps, async_steps, close_steps
from tests.threads import Pause, cancelled_at_the_end, no_thread_free, until

LINES = b"".join(b"%08d\n" % number for number in range(20_000))


async def read(steps: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in steps]


@pytest.mark.anyio
@pytest.mark.parametrize("content", [[b"a", b"b"], (b"a",), "ab", b"ab"])
async def test_what_is_at_hand_needs_no_thread(content: Iterable[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(anyio.to_thread, "run_sync")
    assert await read(async_steps(content)) == list(content)


@pytest.mark.anyio
async def test_each_step_is_taken_in_a_worker_thread_when_it_is_asked_for() -> None:
    threads = []

    def steps() -> Iterator[int]:
        for number in range(3):
            threads.append(threading.get_ident())
            yield number

    iterator = async_steps(steps())
    assert threads == []
    assert await anext(iterator) == 0
    assert len(threads) == 1
    assert await read(iterator) == [1, 2]
    assert threading.get_ident() not in threads
    assert await read(iterator) == []


@pytest.mark.anyio
async def test_an_error_of_a_step_is_raised() -> None:
    def steps() -> Iterator[int]:
        yield 1
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        await read(async_steps(steps()))
    with pytest.raises(TypeError, match="not iterable"):
        await read(async_steps(5))  # type: ignore[arg-type]  # on purpose; fails when it is sent (responses R30)


class Recording(io.BytesIO):
    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.sizes: list[int | None] = []

    def read(self, size: int | None = -1, /) -> bytes:
        self.sizes.append(size)
        return super().read(size)


@pytest.mark.anyio
async def test_files_are_read_in_blocks(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(LINES)
    memory = Recording(LINES)
    blocks = await read(async_steps(memory))
    assert b"".join(blocks) == LINES
    assert set(memory.sizes) == {FILE_BLOCK}
    spooled: Any = tempfile.SpooledTemporaryFile()  # noqa: SIM115  # closed below
    named = tempfile.NamedTemporaryFile()  # noqa: SIM115
    for file in (spooled, named):
        file.write(LINES)
        file.seek(0)
    for file in (path.open("rb"), path.open("rb", buffering=0), spooled, named):
        with file:
            blocks = await read(async_steps(file))
            assert b"".join(blocks) == LINES
            assert len(blocks) == -(-len(LINES) // FILE_BLOCK)
    with path.open() as text:
        assert "".join(await read(async_steps(text))) == LINES.decode()


@pytest.mark.anyio
async def test_pipes_are_read_as_far_as_there_is_something() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe, os.fdopen(writing, "wb", buffering=0) as end:
        steps = async_steps(pipe)
        end.write(b"first line\n")
        assert await anext(steps) == b"first line\n"
        end.write(b"second")
        assert await anext(steps) == b"second"
    one, other = socket.socketpair()
    with one, other, one.makefile("rb", buffering=0) as raw:
        other.send(b"abc")
        assert await anext(async_steps(raw)) == b"abc"
    reading, writing = os.pipe()
    with os.fdopen(reading) as text, os.fdopen(writing, "wb", buffering=0) as end:
        end.write(b"line\nrest")
        assert await anext(async_steps(text)) == "line\n"


@pytest.mark.anyio
async def test_any_object_that_reads_and_iterates_over_itself_is_a_file() -> None:
    class Lines:
        def __init__(self) -> None:
            self.left = b"a\nb\n"

        def __iter__(self) -> Lines:
            return self

        def __next__(self) -> bytes:
            raise AssertionError("not by lines")

        def read(self, size: int) -> bytes:
            content, self.left = self.left, b""
            return content

    assert await read(async_steps(Lines())) == [b"a\nb\n"]


def generator(closed: list[Any]) -> Iterator[int]:
    try:
        yield 1
        yield 2
    finally:
        closed.append(threading.get_ident())


class Restartable:
    def __init__(self) -> None:
        self.closed: list[Any] = []

    def __iter__(self) -> Iterator[int]:
        return generator(self.closed)


@pytest.mark.anyio
async def test_a_generator_is_closed_in_a_worker_thread() -> None:
    closed: list[Any] = []
    steps = async_steps(generator(closed))
    assert await anext(steps) == 1
    await close_steps(steps)
    assert len(closed) == 1
    assert closed[0] != threading.get_ident()
    assert await read(steps) == []
    for _ in range(2):
        await BlockingSteps.aclose(steps)  # type: ignore[arg-type]  # it is one
    assert len(closed) == 1
    restartable = Restartable()
    steps = async_steps(restartable)
    await anext(steps)
    await close_steps(steps)
    assert len(restartable.closed) == 1


@pytest.mark.anyio
async def test_closing_leaves_files_and_what_cannot_be_closed_alone() -> None:
    memory = io.BytesIO(LINES)
    for steps in (async_steps(memory), async_steps(iter([1, 2])), async_steps({1: 2})):
        await anext(steps)
        await close_steps(steps)
    assert not memory.closed
    with pytest.raises(ValueError, match="closed file"):
        closed_file = io.BytesIO()
        closed_file.close()
        await anext(async_steps(closed_file))  # not when it is made (responses R30)
    await close_steps(async_steps(Restartable()))


async def close_within_a_step(steps: BlockingSteps, pause: Pause) -> None:
    """Close what a thread is still at work on, as a task does that was cancelled by other means than AnyIO's."""
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.to_thread.run_sync, steps._advance)
        await anyio.to_thread.run_sync(pause.reached.wait)
        group.start_soon(steps.aclose)
        await anyio.wait_all_tasks_blocked()
        pause.over.set()


@pytest.mark.anyio
async def test_closing_waits_for_a_step_that_still_runs() -> None:
    pause = Pause()
    order = []

    def slow() -> Iterator[int]:
        try:
            pause()
            order.append("step")
            yield 1
        finally:
            order.append("closed")

    steps = BlockingSteps(slow())
    await close_within_a_step(steps, pause)
    assert order == ["step", "closed"]
    assert steps._advance() is not None


@pytest.mark.anyio
async def test_what_is_being_made_when_it_is_closed_is_closed_as_well() -> None:
    pause = Pause()

    class Slow(Restartable):
        def __iter__(self) -> Iterator[int]:
            pause()
            return super().__iter__()

    slow = Slow()
    await close_within_a_step(BlockingSteps(slow), pause)
    assert len(slow.closed) == 1


@pytest.mark.anyio
async def test_closing_leaves_a_file_alone_that_is_being_read() -> None:
    pause = Pause()

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            pause()
            return super().read(size)

    file = Slow(LINES)
    await close_within_a_step(BlockingSteps(file), pause)
    assert not file.closed


def test_a_generator_is_closed_where_the_task_is_cancelled_before_a_thread_is_free() -> None:  # threats R01
    closed: list[Any] = []

    async def main() -> None:
        steps = BlockingSteps(generator(closed))
        await anext(steps)
        async with no_thread_free():
            async with cancelled_at_the_end(close_steps(steps)):
                pass
            await until(lambda: closed)
        await steps.aclose()

    asyncio.run(main())
    assert len(closed) == 1
    assert closed[0] != threading.get_ident()


@pytest.mark.anyio
async def test_an_async_generator_is_closed_unless_it_ended() -> None:
    closed = []

    async def pieces() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            closed.append(True)

    steps = pieces()
    await anext(steps)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await close_steps(steps)
    assert closed == [True]
    await close_steps(steps)
