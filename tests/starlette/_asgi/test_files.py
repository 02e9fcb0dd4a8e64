"""Files in chunks, closed in every case."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from starlette._asgi import files
from starlette._asgi.files import DirectFile, Span, opening_is_replaced, read_small, regular_stat
from tests.threads import cancelled_at_the_end, no_thread_free, until

CONTENT = bytes(range(256)) * 10


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def open_files(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The descriptors that were opened and not closed again."""
    opened: list[int] = []
    os_open, os_close = os.open, os.close

    def recording_open(*args: Any) -> int:
        opened.append(descriptor := os_open(*args))
        return descriptor

    def recording_close(descriptor: int) -> None:
        opened.remove(descriptor)
        os_close(descriptor)

    monkeypatch.setattr(os, "open", recording_open)
    monkeypatch.setattr(os, "close", recording_close)
    return opened


@pytest.mark.anyio
async def test_a_trip_reads_a_few_chunks_and_the_last_one_closes(path: Path, open_files: list[int]) -> None:
    # threats R07
    file = DirectFile(path, 100)
    chunks = await file.read(0, 1000, last=True)
    assert chunks == [CONTENT[start : start + 100] for start in (0, 100, 200, 300)]  # R07: a few chunks ahead
    assert len(open_files) == 1
    for offset in (400, 800):
        await file.read(offset, 1000 - offset, last=True)
    assert open_files == []
    await file.aclose()


@pytest.mark.anyio
async def test_large_chunks_are_read_one_by_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_BYTES_AHEAD", 150)
    file = DirectFile(path, 200)
    assert await file.read(0, 1000, last=True) == [CONTENT[:200]]
    await file.aclose()


@pytest.mark.anyio
async def test_spans_are_found_and_the_file_stays_open_between_them(path: Path, open_files: list[int]) -> None:
    file = DirectFile(path, 100)
    assert await file.read(2000, 10, last=False) == [CONTENT[2000:2010]]
    assert await file.read(5, 10, last=False) == [CONTENT[5:15]]
    assert len(open_files) == 1
    await file.aclose()
    assert open_files == []


@pytest.mark.anyio
async def test_what_is_prepared_is_what_is_read(path: Path, open_files: list[int]) -> None:
    file = DirectFile(path, 100)
    assert (await file.look(whole=True)).st_size == len(CONTENT)
    await file.prepare(Span(0, len(CONTENT)), last=True)
    os.unlink(path)
    assert b"".join(await file.read(0, len(CONTENT), last=True)) == CONTENT[:400]
    await file.aclose()
    missing = DirectFile(path, 100)
    await missing.prepare(Span(0, 10), last=True)
    with pytest.raises(FileNotFoundError):
        await missing.read(0, 10, last=True)
    await missing.aclose()
    assert open_files == []


@pytest.mark.anyio
async def test_a_file_that_was_closed_is_not_opened_again(path: Path, open_files: list[int]) -> None:
    # The trip of a task that was cancelled may begin after the file was closed.
    file = DirectFile(path, 100)
    file._started = True
    await file.aclose()
    with pytest.raises(RuntimeError, match="was closed"):
        await file.read(0, 10, last=True)
    assert open_files == []


def test_a_file_is_closed_where_the_task_is_cancelled_before_a_thread_is_free(
    path: Path, open_files: list[int]
) -> None:  # threats R01
    async def main() -> None:
        file = DirectFile(path, 100)
        await file.read(0, 1000, last=True)
        assert len(open_files) == 1
        async with no_thread_free():
            async with cancelled_at_the_end(file.aclose()):
                pass
            await until(lambda: not open_files)

    asyncio.run(main())


@pytest.mark.anyio
@pytest.mark.blocks
async def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path, open_files: list[int]) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path in (tmp_path, fifo):
        with pytest.raises(RuntimeError, match="is not a file"):
            regular_stat(path)
        file = DirectFile(path, 100)
        await file.prepare(Span(0, 10), last=True)  # T01.4
        with pytest.raises(RuntimeError, match="is not a file"):
            await file.read(0, 10, last=True)
        await file.aclose()
    assert open_files == []
    with pytest.raises(RuntimeError, match="does not exist"):
        regular_stat(tmp_path / "missing")


def test_small_files_are_read_when_they_are_still_the_same(path: Path, tmp_path: Path, open_files: list[int]) -> None:
    known = os.stat(path)
    assert read_small(str(path), known) == CONTENT
    assert open_files == []
    os.truncate(path, 10)
    assert read_small(str(path), known) is None
    other = tmp_path / "other"
    other.write_bytes(b"x")
    assert read_small(str(other), known) is None
    assert read_small(str(tmp_path / "missing"), known) is None
    os.truncate(path, 100_000)
    assert read_small(str(path), os.stat(path)) is None
    assert open_files == []


def test_a_socket_is_not_opened(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        with pytest.raises(RuntimeError, match="is not a file"):
            regular_stat(tmp_path / "s")


@pytest.mark.anyio
async def test_a_file_that_was_never_opened_needs_no_trip_to_close(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(anyio.to_thread, "run_sync")
    await DirectFile(path, 100).aclose()


def test_a_replaced_function_to_open_files_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not opening_is_replaced()
    monkeypatch.setattr(anyio, "open_file", lambda *args, **options: None)
    assert opening_is_replaced()


def test_where_the_function_of_another_anyio_is_not_found_nobody_replaced_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anyio._core._fileio", None)
    assert files._open_file.__wrapped__() is anyio.open_file
