"""Files of multipart forms: where they are written, and that they are closed (formparsers R30, R41 to R53, R13)."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator
from tempfile import SpooledTemporaryFile
from typing import Any

import anyio
import pytest

from starlette import formparsers
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from tests.starlette.forms import field, file, multipart_headers, stream

pytestmark = pytest.mark.anyio

END = b"--B--\r\n"
BIG = 1024 * 1024 + 1


class Watched(SpooledTemporaryFile[bytes]):
    """Notes what happens to it, and in which thread."""

    made: list[Watched]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        assert (args, list(kwargs)) == ((), ["max_size"])  # R53
        super().__init__(**kwargs)
        self.rollovers: list[int] = []
        self.closers: list[int] = []
        self.made.append(self)

    def rollover(self) -> None:
        self.rollovers.append(threading.get_ident())
        super().rollover()

    def close(self) -> None:
        self.closers.append(threading.get_ident())
        super().close()


@pytest.fixture(autouse=True)
def made(monkeypatch: pytest.MonkeyPatch) -> list[Watched]:
    """Return the temporary files that are made during the test."""
    Watched.made = []
    monkeypatch.setattr(formparsers, "SpooledTemporaryFile", Watched)
    return Watched.made


def parser(*chunks: bytes | BaseException, **limits: Any) -> MultiPartParser:
    return MultiPartParser(multipart_headers(), stream(*chunks), **limits)


async def parse(reading: MultiPartParser) -> FormData:
    """Parse, and close the stream as requests do."""
    try:
        return await reading.parse()
    finally:
        await reading.stream.aclose()


def chunked(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


@pytest.mark.parametrize("size", [4096, 65536, 10**9])
@pytest.mark.parametrize("length", [BIG, 3 * BIG])
async def test_large_files_are_moved_to_disk_in_one_other_thread(made: list[Watched], size: int, length: int) -> None:
    # R30, threats R13
    content = bytes(range(256)) * (length // 256) + bytes(length % 256)
    form = await parse(parser(*chunked(file("f", "x", content) + field("a", b"1") + END, size)))
    upload = form["f"]
    assert isinstance(upload, UploadFile)
    assert upload.size == length
    assert await upload.read() == content
    assert form["a"] == "1"
    (temporary,) = made
    assert len(temporary.rollovers) == 1
    assert temporary.rollovers[0] != threading.get_ident()
    assert temporary.closers == []  # R43
    await form.close()
    assert temporary.closers


@pytest.mark.parametrize("length", [0, 1, BIG - 1])
async def test_files_up_to_the_limit_stay_in_memory(made: list[Watched], length: int) -> None:
    # R30
    form = await parse(parser(*chunked(file("f", "x", b"x" * length) + END, 65536)))
    assert made[0].rollovers == []
    assert made[0].tell() == 0  # R27
    await form.close()


async def test_the_limit_is_read_from_the_class(made: list[Watched], monkeypatch: pytest.MonkeyPatch) -> None:
    # R15, R52
    class Small(MultiPartParser):
        spool_max_size = 5

    form = await parse(Small(multipart_headers(), stream(file("f", "x", b"123456") + END)))
    assert len(made[0].rollovers) == 1
    await form.close()
    monkeypatch.setattr(MultiPartParser, "spool_max_size", 3)
    form = await parse(parser(file("f", "x", b"1234") + END))
    assert len(made[1].rollovers) == 1
    await form.close()


async def test_a_ready_made_file_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    # R53
    with SpooledTemporaryFile[bytes](max_size=10) as ready:
        monkeypatch.setattr(formparsers, "SpooledTemporaryFile", lambda max_size: ready)
        form = await parse(parser(file("f", "x", b"1") + END))
        upload = form["f"]
        assert isinstance(upload, UploadFile)
        given: Any = ready
        assert upload.file is given


FAILURES = [
    pytest.param(b"garbage", MultiPartException, id="T09.4-syntax"),
    pytest.param(file("f", "x") * 2, MultiPartException, id="R41-limit"),
    pytest.param(b"--B--", MultiPartException, id="T09.3-second-part-is-not-finished"),
    pytest.param(RuntimeError("stream failed"), RuntimeError, id="R42-stream"),
]


@pytest.mark.parametrize("length", [5, BIG], ids=["memory", "disk"])
@pytest.mark.parametrize(("last", "kind"), FAILURES)
async def test_files_are_closed_when_parsing_fails(
    made: list[Watched], length: int, last: bytes | BaseException, kind: type[Exception]
) -> None:  # threats R03
    # R41, R42, T09.4, D1, D7
    body = file("f", "x", b"x" * length) + file("g", "y", b"x" * length).removesuffix(b"\r\n")
    middle = b"\r\n--B\r\nno colon" if last == b"garbage" else b"\r\n" if isinstance(last, bytes) else b""
    if last == b"--B--":
        middle, last = b"", b"\r\n--B"
    with pytest.raises(kind) as info:
        await parse(parser(*chunked(body + middle, 65536), last, max_files=2))
    if isinstance(last, BaseException):
        assert info.value is last
    assert len(made) == 2
    for temporary in made:
        assert temporary.closed
        in_loop = threading.get_ident() in temporary.closers
        assert in_loop is (not temporary.rollovers)


@pytest.mark.parametrize("length", [5, 2 * BIG], ids=["memory", "disk"])
async def test_files_are_closed_when_the_task_is_cancelled(made: list[Watched], length: int) -> None:  # T09.4
    # R41, threats R01
    async def stalls() -> AsyncGenerator[bytes, None]:
        for chunk in chunked(file("f", "x", b"x" * length)[:-1], 65536):
            yield chunk
        waiting.set()
        await anyio.sleep_forever()

    waiting = anyio.Event()
    source = stalls()
    async with anyio.create_task_group() as group:
        group.start_soon(MultiPartParser(multipart_headers(), source).parse)
        await waiting.wait()
        group.cancel_scope.cancel()
    await source.aclose()  # R51
    assert made[0].closed
    if length > BIG:
        assert threading.get_ident() not in made[0].closers


async def test_a_full_disk_closes_the_file(made: list[Watched], monkeypatch: pytest.MonkeyPatch) -> None:
    # R42
    class Full(Watched):
        def write(self, s: Any) -> int:
            raise OSError("disk full")

    monkeypatch.setattr(formparsers, "SpooledTemporaryFile", Full)
    with pytest.raises(OSError, match="disk full"):
        await parse(parser(file("f", "x", b"1") + END))
    assert made[0].closers


async def test_a_file_that_cannot_be_closed_hides_nothing(made: list[Watched], monkeypatch: pytest.MonkeyPatch) -> None:
    # R41: the original exception propagates, and the other files are closed
    class Stuck(Watched):
        def close(self) -> None:
            super().close()
            raise OSError("cannot close")

    monkeypatch.setattr(formparsers, "SpooledTemporaryFile", Stuck)
    with pytest.raises(MultiPartException, match=r"^Invalid multipart data\.$"):
        await parse(parser(file("f", "x") * 2, b"garbage"))
    assert [len(temporary.closers) for temporary in made] == [1, 1]


async def test_the_file_over_the_limit_is_never_made(made: list[Watched]) -> None:
    # R32
    with pytest.raises(MultiPartException):
        await parse(parser(file("f", "x") * 3 + END, max_files=2))
    assert len(made) == 2


@pytest.mark.parametrize("size", [65536, 10**9])
async def test_memory_stays_bounded(size: int) -> None:
    # threats R09.2, formparsers D9
    tracemalloc = pytest.importorskip("tracemalloc")  # PyPy has none
    body = file("f", "x", b"x" * (8 * 1024 * 1024)) + END
    chunks = chunked(body, size)
    tracemalloc.start()
    try:
        form = await parse(parser(*chunks))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    await form.close()
    assert peak < 4 * 1024 * 1024
