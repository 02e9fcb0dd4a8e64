"""File responses: headers, whole files, ranges, disconnects, and files that change or cannot be read."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from starlette import responses
from starlette.background import BackgroundTask
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Message
from tests.asgi import Record, Script, call, http_scope, websocket_scope

CONTENT = bytes(index % 251 for index in range(526))
OLD: dict[str, Any] = {"asgi": {"spec_version": "2.3"}}
GONE: Message = {"type": "http.disconnect"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file.txt"
    path.write_bytes(CONTENT)
    return path


class Opened:
    """Stands in the place of `anyio.open_file` and keeps the files."""

    def __init__(self) -> None:
        self.files: list[Any] = []
        self._open: Any = anyio.open_file

    async def __call__(self, path: Any, mode: str) -> Any:
        assert mode == "rb"
        self.files.append(file := await self._open(path, mode=mode))
        return file


@pytest.fixture(params=["direct", "replaced"])
def opened(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """Both ways of reading; in the second each file must have been closed in the end."""
    opened = Opened()
    if request.param == "replaced":
        monkeypatch.setattr(anyio, "open_file", opened)
    descriptors = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    yield opened
    assert all(file.closed for file in opened.files)
    if descriptors is not None and "trio" not in request.node.name:
        assert len(os.listdir("/proc/self/fd")) <= descriptors + 6  # the event loop has some, too


def put(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def asking(range_field: str, **more: str) -> dict[str, Any]:
    fields = [(b"host", b"h"), (b"range", range_field.encode("latin-1"))]
    return http_scope(
        headers=fields + [(key.replace("_", "-").encode(), value.encode()) for key, value in more.items()]
    )


def shapes(sent: Record) -> list[tuple[int, bool]]:
    return [(len(message["body"]), message["more_body"]) for message in sent.messages[1:]]


# --- construction ---


@pytest.mark.parametrize(
    ("response", "headers"),
    [
        pytest.param(
            FileResponse("a.txt"),
            [(b"content-type", b"text/plain; charset=utf-8"), (b"accept-ranges", b"bytes")],
            id="R39-guessed",
        ),
        pytest.param(
            FileResponse(Path("a.txt"), filename="noext"),
            [
                (b"content-type", b"application/octet-stream"),
                (b"accept-ranges", b"bytes"),
                (b"content-disposition", b'attachment; filename="noext"'),
            ],
            id="R39-by-the-file-name",
        ),
        pytest.param(
            FileResponse("x.png", filename="", content_disposition_type="inline"),
            [
                (b"content-type", b"image/png"),
                (b"accept-ranges", b"bytes"),
                (b"content-disposition", b'inline; filename=""'),
            ],
            id="R41-empty-name",
        ),
        pytest.param(
            FileResponse(
                "x", 200, {"Accept-Ranges": "none", "Content-Disposition": "x", "Content-Type": "a/b"}, filename="f"
            ),
            [(b"accept-ranges", b"none"), (b"content-disposition", b"x"), (b"content-type", b"a/b")],
            id="R40-the-callers-win",
        ),
    ],
)
def test_headers_at_construction(response: FileResponse, headers: list[tuple[bytes, bytes]]) -> None:
    assert response.raw_headers == headers
    assert not hasattr(response, "body")


def test_stat_headers_at_construction(path: Path) -> None:
    response = FileResponse(path, stat_result=os.stat(path))  # R42
    assert [name for name, _ in response.raw_headers[2:]] == [b"content-length", b"last-modified", b"etag"]
    assert re.fullmatch('"[0-9a-f]{32}"', response.headers["etag"])
    assert FileResponse(path, media_type="a/b").headers["content-type"] == "a/b"
    own = FileResponse(path, headers={"etag": '"own"'}, stat_result=os.stat(path))
    assert own.headers.getlist("etag") == ['"own"']


def test_guessing_is_looked_up_in_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "guess_type", lambda name: ("x/y", None))
    assert FileResponse("a.txt").media_type == "x/y"


def test_a_path_of_bytes_and_a_disposition_with_line_breaks_are_refused() -> None:
    with pytest.raises(TypeError, match="path must be"):
        FileResponse(b"a.txt")  # type: ignore[arg-type]  # R37
    with pytest.raises(ValueError, match="CR, LF or NUL"):
        FileResponse("a", filename="b", content_disposition_type="inline\r\nx: y")  # T03


# --- whole files ---


@pytest.mark.anyio
@pytest.mark.parametrize("keys", [{}, OLD])
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, [(0, False)]),
        (99, [(99, False)]),
        (100, [(100, True), (0, False)]),
        (250, [(100, True), (100, True), (50, False)]),
        (900, [(100, True)] * 9 + [(0, False)]),
    ],
)
async def test_chunks_of_a_whole_file(
    path: Path, opened: Opened, size: int, expected: object, known: bool, keys: dict[str, Any]
) -> None:
    class Small(FileResponse):
        chunk_size = 100

    content = (CONTENT * 2)[:size]
    put(path, content)
    ran: list[int] = []
    response = Small(
        path, stat_result=os.stat(path) if known else None, background=BackgroundTask(lambda: ran.append(1))
    )
    sent = await call(response, http_scope(**keys), Script())
    assert shapes(sent) == expected  # R45
    assert sent.body == content
    assert sent.header("content-length") == str(size)
    assert ran == [1]  # R50


@pytest.mark.anyio
async def test_each_response_opens_the_file_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Opened()
    monkeypatch.setattr(anyio, "open_file", opened)
    await call(FileResponse(path))
    assert (len(opened.files), opened.files[0].closed) == (1, True)  # R64
    await call(FileResponse(path), asking("bytes=0-5, 100-110"))
    assert (len(opened.files), opened.files[1].closed) == (2, True)


@pytest.mark.anyio
async def test_files_are_read_in_worker_threads_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # threats R13
    await call(FileResponse(path), asking("bytes=5-6"))  # what is loaded late is loaded by the first
    threads = set()
    for name in ("stat", "open", "fstat", "read", "close", "lseek"):
        function = getattr(os, name)

        def recorded(*args: Any, function: Any = function, **options: Any) -> Any:
            threads.add(threading.get_ident())
            return function(*args, **options)

        monkeypatch.setattr(os, name, recorded)
    await call(FileResponse(path), asking("bytes=5-6"))
    await call(FileResponse(path))
    assert threads  # R13
    assert threading.get_ident() not in threads


@pytest.mark.anyio
@pytest.mark.parametrize("method", ["HEAD", "head"])
async def test_head_sends_headers_and_does_not_open(path: Path, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "open")
    script = Script()
    sent = await call(FileResponse(path), http_scope(method=method, **OLD), script)
    assert shapes(sent) == [(0, False)]  # R46
    assert sent.header("content-length") == "526"
    assert script.calls == 0


@pytest.mark.anyio
async def test_the_older_method_parameter_sends_no_body(path: Path) -> None:
    assert shapes(await call(FileResponse(path, method="head"))) == [(0, False)]  # legacy R46
    assert (await call(FileResponse(path, method="GET"))).body == CONTENT


@pytest.mark.anyio
@pytest.mark.parametrize("status", [204, 304])
async def test_some_statuses_have_no_body(path: Path, status: int) -> None:
    sent = await call(FileResponse(path, status))
    assert (shapes(sent), sent.header("content-length")) == ([(0, False)], None)  # T23.1


@pytest.mark.anyio
async def test_pathsend(path: Path) -> None:
    extension: dict[str, Any] = {"extensions": {"http.response.pathsend": {}}}
    sent = await call(FileResponse(path), http_scope(**extension, **OLD))
    assert sent.messages[1:] == [{"type": "http.response.pathsend", "path": str(path)}]  # R47
    ignored = await call(FileResponse(path), {**asking("bytes=0-1", if_range='"x"'), **extension})
    assert ignored.types[1] == "http.response.pathsend"
    partial = await call(FileResponse(path), {**asking("bytes=0-1"), **extension})
    assert partial.body == CONTENT[:2]
    head = await call(FileResponse(path), http_scope(method="HEAD", **extension))
    assert head.types[1] == "http.response.body"
    denial = await call(FileResponse(path), websocket_scope(**extension))
    assert denial.body == CONTENT  # R51
    assert (await call(FileResponse(path), http_scope(extensions=None))).body == CONTENT


@pytest.mark.anyio
async def test_a_denial_response(path: Path) -> None:
    scope = websocket_scope(headers=[(b"range", b"bytes=0-3")], **OLD)
    script = Script()
    sent = await call(FileResponse(path), scope, script)
    assert set(sent.types) == {"websocket.http.response.start", "websocket.http.response.body"}  # R51
    assert (sent.status, sent.body, script.calls) == (206, CONTENT[:4], 0)
    refused = await call(FileResponse(path), websocket_scope(headers=[(b"range", b"x")]))
    assert refused.types[0] == "websocket.http.response.start"
    assert refused.status == 400


# --- files that are not as they should be ---


@pytest.mark.anyio
async def test_what_is_missing_or_no_file_is_an_error_before_the_start(tmp_path: Path, opened: Opened) -> None:
    os.mkfifo(tmp_path / "fifo")
    for name, text in (("missing", "does not exist"), ("", "is not a file"), ("fifo", "is not a file")):
        for method in ("GET", "HEAD"):
            sent = Record()
            path = tmp_path / name
            with pytest.raises(RuntimeError, match=rf"^File at path {path} {text}\.$"):
                await FileResponse(path)(http_scope(method=method), Script(), sent)  # R44
            assert sent.messages == []
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        await call(FileResponse(tmp_path / "file" / "x"))


@pytest.mark.anyio
@pytest.mark.parametrize("size", [0, 10])
async def test_with_known_stat_data_a_missing_file_fails_after_the_start(path: Path, opened: Opened, size: int) -> None:
    os.truncate(path, size)
    response = FileResponse(path, stat_result=os.stat(path))
    os.unlink(path)
    sent = Record()
    with pytest.raises(FileNotFoundError):
        await response(http_scope(), Script(), sent)  # R44
    assert sent.types == ["http.response.start"]


@pytest.mark.anyio
@pytest.mark.parametrize("scope", [http_scope(), http_scope(**OLD), asking("bytes=0-"), asking("bytes=0-1, 10-")])
async def test_a_file_that_shrank_is_an_error(path: Path, opened: Opened, scope: dict[str, Any]) -> None:
    response = FileResponse(path, stat_result=os.stat(path))
    os.truncate(path, 100)
    sent = Record()
    with pytest.raises(RuntimeError, match="is shorter than expected"):
        await response(scope, Script(), sent)  # T23.3, R62
    assert all(message["more_body"] for message in sent.messages[1:])


@pytest.mark.anyio
async def test_a_file_that_grew_is_sent_as_announced(path: Path, opened: Opened) -> None:
    response = FileResponse(path, stat_result=os.stat(path))
    put(path, CONTENT * 3)
    sent = await call(response)
    assert (sent.body, sent.header("content-length")) == (CONTENT, "526")  # T23.3


@pytest.mark.anyio
@pytest.mark.parametrize("known", [False, True])
async def test_a_response_that_is_sent_again_follows_its_file(path: Path, opened: Opened, known: bool) -> None:
    response = FileResponse(path, headers={"a": "b"}, stat_result=os.stat(path) if known else None)
    first = await call(response)
    put(path, b"new content")
    os.utime(path, (1, 1))
    partial = await call(response, asking("bytes=0-2"))
    second = await call(response)
    assert (partial.body, partial.header("content-range")) == (b"new", "bytes 0-2/11")
    assert (second.body, second.header("content-length")) == (b"new content", "11")  # T23.4
    assert second.header("last-modified") == "Thu, 01 Jan 1970 00:00:01 GMT"
    assert second.header("etag") != first.header("etag")
    assert second.header("content-range") is None  # R52
    assert len(second.headers) == len(first.headers) == len({name for name, _ in second.headers})


@pytest.mark.anyio
async def test_own_validators_are_kept_when_a_response_is_sent_again(path: Path) -> None:
    response = FileResponse(path, headers={"etag": '"own"'})
    for _ in range(2):
        assert (await call(response)).header("etag") == '"own"'


# --- disconnects and errors ---


class SmallChunks(FileResponse):
    chunk_size = 10


@pytest.mark.anyio
async def test_a_disconnect_stops_an_old_server_and_the_task_runs(path: Path, opened: Opened) -> None:
    ran: list[int] = []
    blocked = Record()

    async def send(message: Message) -> None:
        await blocked(message)
        if len(blocked.messages) == 3:
            await anyio.sleep_forever()

    response = SmallChunks(path, background=BackgroundTask(lambda: ran.append(1)))
    await response(http_scope(**OLD), Script({"type": "http.request"}, GONE), send)
    assert len(blocked.messages) <= 3  # R48
    assert ran == [1]


@pytest.mark.anyio
async def test_a_disconnect_at_once(path: Path, opened: Opened) -> None:
    ran: list[int] = []
    response = SmallChunks(path, background=BackgroundTask(lambda: ran.append(1)))
    sent = await call(response, http_scope(**OLD), Script(GONE))
    assert sent.types[0] == "http.response.start"
    assert len(sent.messages) < 20
    assert ran == [1]


@pytest.mark.anyio
@pytest.mark.parametrize("keys", [{}, OLD])
async def test_an_error_of_send_stays_itself(path: Path, opened: Opened, keys: dict[str, Any]) -> None:
    error = OSError("lost")

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            raise error

    ran: list[int] = []
    with pytest.raises(OSError, match="lost") as raised:
        await SmallChunks(path, background=BackgroundTask(ran.append, 1))(http_scope(**keys), Script(), send)
    assert raised.value is error  # R49
    assert ran == []


@pytest.mark.anyio
async def test_an_error_of_receive_stays_itself(path: Path, opened: Opened) -> None:
    async def send(message: Message) -> None:
        await anyio.sleep_forever()

    error = KeyError("receive")
    with pytest.raises(KeyError) as raised:
        await SmallChunks(path)(http_scope(**OLD), Script(error), send)
    assert raised.value is error


@pytest.mark.anyio
@pytest.mark.parametrize("keys", [{}, OLD])
async def test_a_cancelled_response_closes_its_file(path: Path, opened: Opened, keys: dict[str, Any]) -> None:
    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            scope.cancel()
            await anyio.sleep_forever()

    ran: list[int] = []
    with anyio.CancelScope() as scope:
        await SmallChunks(path, background=BackgroundTask(ran.append, 1))(http_scope(**keys), Script(), send)
    assert scope.cancelled_caught  # R01, R49
    assert ran == []


# --- ranges ---


@pytest.mark.anyio
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("method", ["GET", "HEAD", "get"])
async def test_one_range(path: Path, opened: Opened, known: bool, method: str) -> None:
    class Chunks(FileResponse):
        chunk_size = 40

    response = Chunks(path, headers={"content-range": "x", "a": "b"}, stat_result=os.stat(path) if known else None)
    sent = await call(response, {**asking("bytes=100-179"), "method": method})
    assert sent.status == 206
    assert sent.header("content-range") == "bytes 100-179/526"  # R58
    assert sent.header("content-length") == "80"
    assert sent.header("a") == "b"
    assert len([name for name, _ in sent.headers if name == b"content-range"]) == 1
    if method == "HEAD":
        assert shapes(sent) == [(0, False)]
    else:
        assert shapes(sent) == [(40, True), (40, False)]
        assert sent.body == CONTENT[100:180]


@pytest.mark.anyio
@pytest.mark.parametrize("keys", [{}, OLD])
async def test_several_ranges(path: Path, opened: Opened, keys: dict[str, Any]) -> None:
    class Chunks(FileResponse):
        chunk_size = 40

    ran: list[int] = []
    response = Chunks(path, background=BackgroundTask(lambda: ran.append(1)))
    sent = await call(response, {**asking("bytes=200-300, 0-59"), **keys}, Script())
    found = re.fullmatch(r"multipart/byteranges; boundary=([0-9a-f]{26})", sent.header("content-type") or "")
    assert found is not None  # R59
    boundary = found[1].encode()
    head = b"--%b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes %b/526\r\n\r\n"
    assert sent.body == (
        head % (boundary, b"0-59")
        + CONTENT[:60]
        + b"\r\n"
        + head % (boundary, b"200-300")
        + CONTENT[200:301]
        + b"\r\n--%b--" % boundary
    )
    assert sent.header("content-length") == str(len(sent.body))
    assert sent.header("content-range") is None
    assert sent.header("etag") is not None
    lengths = [length for length, _ in shapes(sent)]
    assert lengths == [lengths[0], 40, 20, 2, lengths[4], 40, 40, 21, 2, 30]
    assert [more for _, more in shapes(sent)] == [True] * 9 + [False]
    assert ran == [1]
    again = await call(response, asking("bytes=200-300, 0-59"))
    assert boundary not in again.body  # T12.6: not to be guessed
    head_only = await call(response, {**asking("bytes=200-300, 0-59"), "method": "HEAD"})
    assert (head_only.body, head_only.header("content-length")) == (b"", str(len(sent.body)))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("bytes: 0-1", b"Malformed range header."),
        ("items=0-1", b"Only support bytes range"),
        ("bytes=", b"Range header: range must be requested"),
        ("bytes=9-1", b"Range header: start must be less than end"),
    ],
)
async def test_a_range_that_is_not_understood(path: Path, opened: Opened, field: str, text: bytes) -> None:
    ran: list[int] = []
    response = FileResponse(path, headers={"a": "b"}, background=BackgroundTask(ran.append, 1))
    for method in ("GET", "HEAD"):
        sent = await call(response, {**asking(field), "method": method})
        assert (sent.status, sent.body) == (400, text)  # R57, T12.2
        assert sent.headers == [
            (b"content-length", str(len(text)).encode()),
            (b"content-type", b"text/plain; charset=utf-8"),
        ]
    assert ran == []  # R50


@pytest.mark.anyio
async def test_a_range_outside_of_the_file(path: Path, opened: Opened) -> None:  # T12.2
    sent = await call(FileResponse(path, headers={"a": "b"}), asking("bytes=526-"))
    assert (sent.status, sent.body) == (416, b"")  # R57
    assert dict(sent.headers) == {
        b"content-range": b"bytes */526",
        b"content-length": b"0",
        b"content-type": b"text/plain; charset=utf-8",
    }


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "method", "condition", "expected"),
    [
        pytest.param(200, "GET", None, 206, id="R53-taken"),
        pytest.param(200, "POST", None, 200, id="R53-other-method"),
        pytest.param(404, "GET", None, 404, id="R53-other-status"),
        pytest.param(200, "GET", '"own"', 206, id="R54-tag"),
        pytest.param(200, "GET", "Sat, 01 Jan 2000 00:00:00 GMT", 206, id="R54-date"),
        pytest.param(200, "GET", 'W/"own"', 200, id="R54-weak"),
        pytest.param(200, "GET", "own", 200, id="R54-unquoted"),
        pytest.param(200, "GET", "", 200, id="R54-empty"),
    ],
)
async def test_when_ranges_are_considered(
    path: Path, status: int, method: str, condition: str | None, expected: int
) -> None:  # T12.5
    headers = {"etag": '"own"', "last-modified": "Sat, 01 Jan 2000 00:00:00 GMT"}
    more = {} if condition is None else {"if_range": condition}
    sent = await call(FileResponse(path, status, headers), {**asking("bytes=0-9", **more), "method": method})
    assert sent.status == expected
    assert sent.body == (CONTENT[:10] if expected == 206 else CONTENT)


@pytest.mark.anyio
async def test_the_number_of_ranges_is_bounded_and_the_bound_may_be_changed(path: Path) -> None:
    class Few(FileResponse):
        max_ranges = 2

    assert (await call(Few(path), asking("bytes=0-1,5-6"))).status == 206  # R38
    assert (await call(Few(path), asking("bytes=0-1,5-6,9-9"))).status == 200  # R55.3, T12.1


@pytest.mark.anyio
async def test_bytes_behind_four_gigabytes_are_exact(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.seek(5 * 2**30)
        file.write(b"end")
    sent = await call(FileResponse(path), asking("bytes=-4"))
    assert (sent.body, sent.header("content-range")) == (b"\0end", "bytes 5368709119-5368709122/5368709123")  # T12.6


def test_multipart_hook() -> None:
    length, head = FileResponse("x").generate_multipart(
        [(0, 101), (200, 301)], "0" * 26, 526, "text/plain; charset=utf-8"
    )
    assert length == 448  # R60
    assert head(0, 101).endswith(b"bytes 0-100/526\r\n\r\n")


@pytest.mark.anyio
@pytest.mark.parametrize("method", ["GET", "get", "HEAD", "head"])
async def test_what_a_scope_must_have(path: Path, method: str) -> None:  # R43
    sent = await call(FileResponse(path), {"type": "http", "method": method, "headers": []})
    assert (sent.status, sent.body) == (200, CONTENT if method.upper() == "GET" else b"")
    for missing in ("method", "headers"):
        with pytest.raises(KeyError, match=missing):
            scope: dict[str, Any] = {"type": "http", "method": method, "headers": []}
            del scope[missing]
            await call(FileResponse(path), scope)


@pytest.mark.anyio
async def test_the_headers_tell_whether_a_static_file_was_modified(path: Path) -> None:  # R66
    response = FileResponse(path, stat_result=os.stat(path))
    for name, field in (("etag", b"if-none-match"), ("last-modified", b"if-modified-since")):
        scope = http_scope("/file.txt", headers=[(field, response.headers[name].encode())])
        assert (await call(StaticFiles(directory=path.parent), scope)).status == 304
