"""Ranges, resumed downloads and conditional requests, byte by byte on a raw connection."""

from __future__ import annotations

import hashlib
import re

import httpx
import pytest

from examples.showcase.state import DOWNLOAD_LINES, download_lines
from tests.servers.support import Server

pytestmark = pytest.mark.server

SIZE = DOWNLOAD_LINES * 16
DOWNLOAD = "/download/numbers.txt"
STYLE = "/static/style.css"


def get(server: Server, path: str, *fields: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """Ask for `path` on a connection of its own, with these header lines."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", *fields, "", ""]
    return server.exchange("\r\n".join(lines).encode("latin-1"))


def line(number: int) -> bytes:
    return f"{number:015d}\n".encode()


def test_download_is_whole_and_has_validators(showcase: Server) -> None:
    status, headers, body = get(showcase, DOWNLOAD)
    assert status == 200
    assert headers["content-disposition"] == 'attachment; filename="numbers.txt"'
    assert headers["accept-ranges"] == "bytes"
    assert headers["content-length"] == str(SIZE)
    assert re.fullmatch(r'"[^"]+"', headers["etag"])
    assert headers["last-modified"].endswith(" GMT")
    assert hashlib.sha256(body).digest() == hashlib.sha256("".join(download_lines()).encode()).digest()


def test_head_sends_the_headers_alone(showcase: Server) -> None:
    status, headers, body = get(showcase, DOWNLOAD, method="HEAD")
    assert (status, headers["content-length"], body) == (200, str(SIZE), b"")


@pytest.mark.parametrize(
    ("field", "first", "last"),
    [
        pytest.param("bytes=0-15", 0, 15, id="first-line"),
        pytest.param("bytes=16-47", 16, 47, id="two-lines"),
        pytest.param("bytes=-16", SIZE - 16, SIZE - 1, id="last-line"),
        pytest.param(f"bytes={SIZE - 16}-", SIZE - 16, SIZE - 1, id="open-end"),
        pytest.param(f"bytes={SIZE - 16}-{SIZE + 999}", SIZE - 16, SIZE - 1, id="beyond-the-end"),
        pytest.param("bytes=1048560-1114127", 1048560, 1114127, id="across-chunks"),
    ],
)
def test_range_is_exact(showcase: Server, field: str, first: int, last: int) -> None:  # threats T12.6
    status, headers, body = get(showcase, DOWNLOAD, f"Range: {field}")
    assert status == 206
    assert headers["content-range"] == f"bytes {first}-{last}/{SIZE}"
    assert headers["content-length"] == str(last - first + 1)
    assert body == b"".join(line(number) for number in range(first // 16, last // 16 + 1))


def test_several_ranges_come_as_parts(showcase: Server) -> None:
    status, headers, body = get(showcase, DOWNLOAD, "Range: bytes=0-15,160-175")
    assert status == 206
    assert int(headers["content-length"]) == len(body)
    boundary = headers["content-type"].removeprefix("multipart/byteranges; boundary=").encode()
    parts = [part.partition(b"\r\n\r\n") for part in body.split(b"--" + boundary)[1:3]]
    assert [content.rstrip(b"\r\n") for _, _, content in parts] == [line(0).rstrip(), line(10).rstrip()]
    ranges = [re.findall(rb"(?i)content-range: (.*)", head)[0].strip() for head, _, _ in parts]
    assert ranges == [f"bytes {first}/{SIZE}".encode() for first in ("0-15", "160-175")]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        pytest.param("bytes=99999999-", 416, id="beyond-the-end"),
        pytest.param("bytes=9-1", 400, id="backwards"),
        pytest.param("lines=1-2", 400, id="other-unit"),
        pytest.param("bytes=a-b", 400, id="no-numbers"),
        pytest.param("bytes=" + "0-0," * 100 + "1-1", 200, id="too-many"),
    ],
)
def test_odd_ranges_have_a_deliberate_answer(showcase: Server, field: str, expected: int) -> None:  # threats T12
    status, headers, _ = get(showcase, DOWNLOAD, f"Range: {field}")
    assert status == expected
    if status == 416:
        assert headers["content-range"] == f"bytes */{SIZE}"


def test_an_interrupted_download_is_resumed(showcase: Server) -> None:
    with showcase.connect() as connection:
        connection.sendall(f"GET {DOWNLOAD} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        received = b""
        while len(received) < 1_000_000:
            received += connection.recv(65536)
    head, _, begin = received.partition(b"\r\n\r\n")
    etag = re.findall(rb"(?i)\r\netag: (.*)\r\n", head + b"\r\n")[0].decode()

    rest = get(showcase, DOWNLOAD, f"Range: bytes={len(begin)}-", f"If-Range: {etag}")
    assert rest[0] == 206
    assert begin + rest[2] == "".join(download_lines()).encode()
    # Had the file changed, the whole of it would come.
    assert get(showcase, DOWNLOAD, "Range: bytes=1000000-", 'If-Range: "another"')[0] == 200


def test_static_files_answer_304_for_what_the_client_has(showcase: Server) -> None:
    status, headers, body = get(showcase, STYLE)
    assert (status, headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert int(headers["content-length"]) == len(body)
    for field in (
        f"If-None-Match: {headers['etag']}",
        f'If-None-Match: "other", W/{headers["etag"]}',
        "If-None-Match: *",
        f"If-Modified-Since: {headers['last-modified']}",
    ):
        status, answer, body = get(showcase, STYLE, field)
        assert (status, body) == (304, b""), field
        assert answer["etag"] == headers["etag"]
    assert get(showcase, STYLE, 'If-None-Match: "other"')[0] == 200
    # The tag decides alone where both are sent.
    assert get(showcase, STYLE, 'If-None-Match: "o"', f"If-Modified-Since: {headers['last-modified']}")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static//etc/passwd",
        "/static/%00",
        "/static/",
    ],
)
def test_nothing_outside_of_the_directory_is_served(showcase: Server, path: str) -> None:  # threats T01
    assert get(showcase, path)[0] == 404


def test_static_files_are_read_only(showcase: Server, client: httpx.Client) -> None:
    response = client.put(STYLE, content=b"x")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")


def test_odd_requests_do_not_stop_the_server(showcase: Server) -> None:
    for field in ("Cookie: =;;\xff=\x80", "Host: a:b:c", "Accept: \xff", "If-Modified-Since: never", "Range: \xff"):
        status, _, _ = get(showcase, "/html", field)
        assert status in (200, 400), field
    assert get(showcase, "/")[0] == 200
