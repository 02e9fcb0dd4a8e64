"""`UploadFile` and `FormData` (datastructures R59-R68)."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

import anyio
import pytest

from starlette import datastructures
from starlette.datastructures import FormData, Headers, UploadFile


def spooled(data: bytes = b"", max_size: int = 0) -> BinaryIO:
    file = SpooledTemporaryFile(max_size=max_size)  # noqa: SIM115  # closed by the tests
    file.write(data)
    file.seek(0)
    return cast("BinaryIO", file)


class Recording(io.BytesIO):
    """A file of an unknown kind that remembers in which thread it was used."""

    def __init__(self, data: bytes = b"") -> None:
        super().__init__(data)
        self.threads: list[threading.Thread] = []

    def read(self, size: int | None = -1, /) -> bytes:
        self.threads.append(threading.current_thread())
        return super().read(size)

    def close(self) -> None:
        self.threads.append(threading.current_thread())
        super().close()


@pytest.fixture
def in_threads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the functions that were called through the module's `run_in_threadpool` so far."""
    names: list[str] = []
    original = datastructures.run_in_threadpool

    async def recording(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        names.append(func.__name__)
        return await original(func, *args, **kwargs)

    monkeypatch.setattr(datastructures, "run_in_threadpool", recording)
    return names


def test_only_the_file_is_positional() -> None:
    # R59
    file = io.BytesIO()
    headers = Headers({"content-type": "image/png"})
    upload = UploadFile(file, size=1, filename="f", headers=headers)
    assert (upload.file, upload.size, upload.filename, upload.headers) == (file, 1, "f", headers)
    plain = UploadFile(file, headers=Headers())
    assert (plain.size, plain.filename, plain.headers) == (None, None, Headers())
    with pytest.raises(TypeError):
        UploadFile()  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        UploadFile(file, 1)  # type: ignore[call-overload]


def test_the_content_type_is_that_of_the_part() -> None:
    # R60
    assert UploadFile(io.BytesIO(), headers=Headers({"Content-Type": "image/png"})).content_type == "image/png"
    assert UploadFile(io.BytesIO()).content_type is None
    with pytest.raises(AttributeError):
        UploadFile(io.BytesIO()).content_type = "x"  # type: ignore[misc]


@pytest.mark.anyio
@pytest.mark.parametrize("make", [spooled, Recording], ids=["spooled", "other"])
async def test_it_reads_and_writes_its_file(make: Callable[[], BinaryIO]) -> None:
    # R61, R62, R64
    upload = UploadFile(make(), size=0, filename="f")
    assert await upload.write(b"data") is None  # type: ignore[func-returns-value]
    await upload.write(b"more")
    assert upload.size == 8
    assert await upload.seek(4) is None  # type: ignore[func-returns-value]
    assert await upload.read(2) == b"mo"
    assert await upload.read() == b"re"
    await upload.seek(0)
    await upload.write(b"D")
    assert upload.size == 9  # the position is not considered
    await upload.close()
    await upload.close()
    with pytest.raises(ValueError, match="closed"):
        await upload.read()


@pytest.mark.anyio
async def test_an_unknown_size_stays_unknown() -> None:
    # R62
    upload = UploadFile(spooled())
    await upload.write(b"data")
    assert upload.size is None
    await upload.close()


@pytest.mark.anyio
async def test_a_size_counts_also_what_could_not_be_written() -> None:
    # R62: before writing
    upload = UploadFile(cast("BinaryIO", io.BufferedReader(io.BytesIO())), size=0)
    with pytest.raises(io.UnsupportedOperation):
        await upload.write(b"data")
    assert upload.size == 4


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("max_size", "start", "data", "threads"),
    [
        pytest.param(4, 0, b"1234", [], id="R63-fits"),
        pytest.param(4, 0, b"12345", ["write"], id="R63-would-roll-over"),
        pytest.param(4, 3, b"12", ["write"], id="R63-position-counts"),
        pytest.param(4, 3, b"1", [], id="R63-position-fits"),
        pytest.param(0, 0, b"1" * 5000, [], id="R63-unlimited"),
        pytest.param(4, 0, b"", [], id="nothing"),
    ],
)
async def test_a_write_goes_to_a_thread_if_it_would_reach_the_disk(
    max_size: int, start: int, data: bytes, threads: list[str], in_threads: list[str]
) -> None:
    upload = UploadFile(spooled(b"abc", max_size=max_size))
    await upload.seek(start)
    await upload.write(data)
    assert in_threads == threads
    await upload.close()


@pytest.mark.anyio
async def test_a_file_in_memory_is_used_in_the_event_loop(in_threads: list[str]) -> None:
    # R63
    upload = UploadFile(spooled(b"data"))
    assert await upload.read() == b"data"
    await upload.seek(0)
    await upload.close()
    assert in_threads == []


@pytest.mark.anyio
async def test_a_file_on_disk_is_used_in_threads(in_threads: list[str]) -> None:
    # R63, and the seam: the module's global is looked up whenever it is called
    upload = UploadFile(spooled(b"data", max_size=1))
    await upload.read()
    await upload.seek(0)
    await upload.write(b"x")
    await upload.close()
    assert in_threads == ["read", "seek", "write", "close"]


@pytest.mark.anyio
async def test_any_other_file_is_used_in_a_thread() -> None:
    # R63
    file = Recording(b"data")
    upload = UploadFile(file)
    assert await upload.read() == b"data"
    await upload.close()
    assert len(file.threads) == 2
    assert threading.main_thread() not in file.threads


@pytest.mark.anyio
@pytest.mark.parametrize("make", [spooled, Recording], ids=["spooled", "other"])
async def test_it_is_closed_also_when_cancelled(make: Callable[[], BinaryIO]) -> None:
    # threats R01
    file = make()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await UploadFile(file).close()
    assert file.closed


def test_repr() -> None:
    # R65
    class Picture(UploadFile):
        pass

    file = io.BytesIO()
    assert repr(UploadFile(file, filename="file", size=4)) == (
        "UploadFile(filename='file', size=4, headers=Headers({}))"
    )
    assert repr(Picture(file, filename="file", headers=Headers({"foo": "bar"}))) == (
        "Picture(filename='file', size=None, headers=Headers({'foo': 'bar'}))"
    )


def test_identity() -> None:
    # R66
    file = io.BytesIO()
    one, two = UploadFile(file), UploadFile(file)
    assert one != two
    assert len({one, two, one}) == 2
    assert bool(one)


@pytest.mark.anyio
async def test_a_subclass_may_extend_the_methods() -> None:
    # R59
    class Counting(UploadFile):
        calls = 0

        async def read(self, size: int = -1) -> bytes:
            self.calls += 1
            return await super().read(size)

    upload = Counting(spooled(b"data"))
    assert await upload.read() == b"data"
    assert upload.calls == 1
    await upload.close()


# FormData


def test_a_form_holds_strings_and_uploads() -> None:
    # R67
    upload = UploadFile(io.BytesIO(), filename="file", size=1)
    form = FormData([("a", "123"), ("b", upload)])
    assert repr(form) == f"FormData([('a', '123'), ('b', {upload!r})])"
    assert form["b"] is upload
    assert FormData(form) == form
    values: dict[str, str | UploadFile] = {"a": "123", "b": upload}
    assert FormData(values) == form
    assert FormData({"a": "123"}) != {"a": "123"}


def test_uploads_under_one_key_have_an_order() -> None:
    # R45, R67
    one, two = UploadFile(io.BytesIO()), UploadFile(io.BytesIO())
    assert FormData([("f", one), ("f", two)]) == FormData([("f", one), ("f", two)])
    assert FormData([("f", one), ("f", two)]) != FormData([("f", two), ("f", one)])


class Noting(UploadFile):
    """An upload that notes when it is closed, and may fail to."""

    def __init__(self, name: str, notes: list[str], error: Exception | None = None) -> None:
        super().__init__(io.BytesIO(), filename=name)
        self.notes = notes
        self.error = error

    async def close(self) -> None:
        self.notes.append(str(self.filename))
        if self.error is not None:
            raise self.error


@pytest.mark.anyio
async def test_closing_a_form_closes_its_files_in_order() -> None:
    # R68
    notes: list[str] = []
    form = FormData([("f", Noting("1", notes)), ("g", "text"), ("h", Noting("2", notes)), ("f", Noting("3", notes))])
    await form.close()
    assert notes == ["1", "2", "3"]


@pytest.mark.anyio
async def test_one_file_that_cannot_be_closed_does_not_keep_others_open() -> None:
    # threats R03
    notes: list[str] = []
    first, second = OSError("first"), OSError("second")
    form = FormData([("f", Noting("1", notes, first)), ("f", Noting("2", notes, second)), ("f", Noting("3", notes))])
    with pytest.raises(OSError, match="first") as caught:
        await form.close()
    assert caught.value is first
    assert notes == ["1", "2", "3"]
