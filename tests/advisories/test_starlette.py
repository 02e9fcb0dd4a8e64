"""Published advisories against Starlette: each is a test by its number, over what an attacker would send.

The docstrings say what happened there; the assertions are what holds here. `docs/threats.md` lists them.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any

import anyio
import pytest

import starlette.formparsers
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from tests.advisories.support import MULTIPART, URL_ENCODED, Client, form_application, post, posting
from tests.asgi import Record, body, call, http_scope
from tests.growth import per_doubling
from tests.starlette.forms import field, file

CHUNK = 64 * 1024


@pytest.mark.anyio
@pytest.mark.parametrize(
    "path", ["/static/../static-private/key", "/static/-private/key", "/static-private/key", "/static/%2e%2e/x"]
)
async def test_cve_2023_29159_a_sibling_with_the_same_beginning_is_not_served(path: str, tmp_path: Path) -> None:
    """A directory was compared as text, so that `static-private` counted as being inside of `static`."""
    for name in ("static", "static-private"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "key").write_text(name)
    app = Starlette(routes=[Mount("/static", StaticFiles(directory=tmp_path / "static"))])
    assert (await call(app, http_scope("/static/key"))).body == b"static"
    assert (await call(app, http_scope(path))).status == 404


@pytest.mark.parametrize(
    ("piece", "answer"),
    [
        pytest.param(field("a", b"1"), b"Too many fields. Maximum number of fields is 1000.", id="fields"),
        pytest.param(file("a", "f"), b"Too many files. Maximum number of files is 1000.", id="files"),
    ],
)
def test_cve_2023_30798_parts_of_a_form_are_counted_while_they_come(piece: bytes, answer: bytes) -> None:
    """A form could have any number of parts, each of which cost memory and time."""
    client = Client(itertools.repeat(piece))
    sent = post(form_application(), client, MULTIPART)
    assert (sent.status, sent.body) == (400, answer)
    assert client.sent <= 1002 * len(piece)


def test_cve_2024_47874_a_field_without_a_file_name_has_a_limit() -> None:
    """A part without a file name was gathered in memory, whatever its size."""
    client = Client(itertools.chain([field("a")[:-2]], itertools.repeat(b"x" * CHUNK)))
    sent = post(form_application(), client, MULTIPART)
    assert (sent.status, sent.body) == (400, b"Part exceeded maximum size of 1024KB.")
    assert client.sent <= 1024 * 1024 + 2 * CHUNK


@pytest.mark.parametrize("beginning", [URL_ENCODED, "multipart/form-data; boundary=B"])
def test_ghsa_93gm_qmq6_w238_a_content_type_is_read_in_linear_time(beginning: str) -> None:
    """The duplicate of CVE-2024-24762 for this package: a regular expression took minutes for one header."""
    app = form_application()

    def work(size: int) -> object:
        return post(app, Client([b"--B--\r\n"]), f'{beginning}; !="' + "\\" * size)

    assert per_doubling(work, 20_000) < 3


class Watched(SpooledTemporaryFile[bytes]):
    """Knows the threads in which files of this class were moved to disk."""

    moved_in: list[int] = []  # noqa: RUF012  # emptied by the test

    def rollover(self) -> None:
        self.moved_in.append(threading.get_ident())
        super().rollover()


@pytest.mark.anyio
async def test_cve_2025_54121_a_large_upload_goes_to_disk_outside_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that a large upload began to need was made, and filled, in the thread of the event loop."""
    monkeypatch.setattr(starlette.formparsers, "SpooledTemporaryFile", Watched)
    Watched.moved_in.clear()
    content = b"x" * (1024 * 1024 + 1)
    whole = file("a", "large", content) + b"--B--\r\n"
    pieces = [whole[start : start + CHUNK] for start in range(0, len(whole), CHUNK)]
    scope = http_scope(method="POST", headers=[(b"content-type", MULTIPART.encode())])
    sent = await call(form_application(), scope, body(*pieces))
    assert sent.body == b'[["a",["large",1048577]]]'
    assert Watched.moved_in
    assert threading.get_ident() not in Watched.moved_in


def ranged(path: Path, field_value: str) -> Record:
    """Ask for ranges of a file, by an application that serves it."""
    app = Starlette(routes=[Route("/", lambda request: FileResponse(path))])
    return anyio.run(call, app, http_scope(headers=[(b"range", field_value.encode())]))


@pytest.mark.parametrize(
    ("field_value", "status"),
    [
        pytest.param("bytes=" + ",".join(["0-"] * 100), 206, id="the-same-hundred-times"),
        pytest.param("bytes=" + ",".join(f"{2 * n}-{2 * n + 1}" for n in range(100)), 206, id="a-hundred-neighbours"),
        pytest.param("bytes=" + ",".join(["0-"] * 101), 200, id="more-than-a-hundred"),
        pytest.param("bytes=" + "0-," * 300_000 + "0-", 200, id="a-megabyte-of-ranges"),
    ],
)
def test_cve_2025_62727_many_ranges_are_bounded_and_merged(field_value: str, status: int, tmp_path: Path) -> None:
    """Merging ranges took quadratic time, and overlapping ones multiplied what was sent."""
    # T12.1
    (tmp_path / "f").write_bytes(bytes(1000))
    sent = ranged(tmp_path / "f", field_value)
    assert (sent.status, len(sent.body) <= 1000) == (status, True)


def test_cve_2025_62727_ranges_are_read_in_linear_time(tmp_path: Path) -> None:
    """The same, measured: a header grows, and the time with it, not faster."""
    (tmp_path / "f").write_bytes(bytes(1000))

    def work(size: int) -> object:
        return ranged(tmp_path / "f", "bytes=" + ",".join(f"{n}-{n}" for n in range(size)))

    assert per_doubling(work, 20_000) < 3


class Guard(BaseHTTPMiddleware):
    """Protects paths as applications do it."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        if request.url.path.startswith("/admin"):
            return PlainTextResponse("forbidden", status_code=403)
        return await call_next(request)


def address(request: Request) -> Response:
    """Answer with what the application takes for its own host name, and for the path."""
    return PlainTextResponse(f"{request.url.hostname} {request.url.path}")


@pytest.mark.anyio
@pytest.mark.parametrize(
    "host",
    [
        "example.org/?",
        "example.org/public?",
        "example.org#",
        "example.org\\",
        "user@example.org",
        "a b",
        "[::1",
        "[",
        "",
    ],
)
async def test_cve_2026_48710_the_path_of_the_url_is_the_routed_one_whatever_the_host(host: str) -> None:  # T02.1
    """A `Host` with a slash or question mark in it changed `request.url.path`, by which paths were guarded."""
    app = Starlette(routes=[Route("/admin", address), Route("/open", address)], middleware=[Middleware(Guard)])
    headers = [(b"host", host.encode())]
    assert (await call(app, http_scope("/admin", headers=headers))).status == 403
    assert (await call(app, http_scope("/open", headers=headers))).body == b"testserver /open"


class Account(HTTPEndpoint):
    """Has a method that is no verb."""

    async def get(self, request: Request) -> Response:
        return PlainTextResponse("seen")

    async def remove_account(self, request: Request) -> Response:
        return PlainTextResponse("removed")


@pytest.mark.anyio
@pytest.mark.parametrize("method", ["REMOVE_ACCOUNT", "remove_account", "DISPATCH", "__INIT__", "METHOD_NOT_ALLOWED"])
async def test_cve_2026_48817_a_method_names_no_attribute(method: str) -> None:
    """The method of a request was looked up as an attribute: GHSA-x746-7m8f-x49c."""
    app = Starlette(routes=[Route("/", Account)])
    sent = await call(app, http_scope(method=method))
    assert (sent.status, sent.header("allow")) == (405, "GET, HEAD")


class Noticing(os.PathLike[str]):
    """A directory that counts how often its name is asked for, which comes before any look at the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.asked = 0

    def __fspath__(self) -> str:
        self.asked += 1
        return str(self._path)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "path",
    [r"\\evil.example\share", r"\\?\UNC\evil.example\share", r"\\?\C:\secret", r"\server", "//evil.example/s", "/etc"],
)
async def test_cve_2026_48818_an_absolute_path_is_refused_before_the_disk_is_touched(path: str, tmp_path: Path) -> None:
    r"""`\\evil.example\share` was resolved before it was refused, which made Windows log in over there."""
    # T01.1
    (tmp_path / "known").write_text("here")
    directory = Noticing(tmp_path)
    files = StaticFiles(directory=directory)
    app = Starlette(routes=[Mount("/static", files)])
    assert (await call(app, http_scope("/static/known"))).body == b"here"
    before = directory.asked
    assert files.lookup_path(path) == ("", None)
    if path.startswith("\\"):  # leading slashes are taken for one, so that what follows is looked for inside
        assert (await call(app, http_scope(f"/static/{path}"))).status == 404
    assert directory.asked == before


@pytest.mark.anyio
@pytest.mark.parametrize(
    "path", ["@evil.example", ":80@evil.example/", "//evil.example", r"\\evil.example", ".evil.example"]
)
async def test_cve_2026_54282_a_path_moves_no_authority(path: str) -> None:  # T02.3
    """A path without its slash was put right behind the host, and became part of it."""
    seen: list[str | None] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(Request(scope).url.hostname)

    await call(app, http_scope(path))
    assert seen == ["testserver"]


def fields() -> Iterator[bytes]:
    """An endless url-encoded form."""
    return (b"f%d=v&" % number for number in itertools.count())


def test_cve_2026_54283_the_number_of_url_encoded_fields_is_limited() -> None:  # T10.2
    """`max_fields` was not handed on to the parser of url-encoded forms."""
    client = Client(fields())
    sent = post(form_application(max_fields=10), client, URL_ENCODED)
    assert (sent.status, sent.body) == (400, b"Too many fields. Maximum number of fields is 10.")
    assert client.sent < 200
    assert post(form_application(), Client(fields()), URL_ENCODED).status == 400


def test_cve_2026_54283_the_size_of_a_url_encoded_field_is_limited() -> None:
    """Nor was `max_part_size`."""
    client = Client(itertools.chain([b"a="], itertools.repeat(b"x" * 1000)))
    sent = post(form_application(max_part_size=4096), client, URL_ENCODED)
    assert (sent.status, sent.body) == (400, b"Field exceeded maximum size of 4KB.")
    assert client.sent < 4096 + 2000


def test_cve_2026_54283_url_encoded_fields_are_read_in_linear_time() -> None:
    """Below the limits, the number of fields and the time go together."""
    assert per_doubling(posting(URL_ENCODED, lambda n: b"&".join([b"a=b"] * min(n, 1000)) + b"&" * n), 50_000) < 3
