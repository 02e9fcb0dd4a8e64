"""Files that change while they are sent."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.faults.harness import LARGE, Target, hurry, new_key, read_all, read_head, request, unharmed

pytestmark = pytest.mark.server


def sparse(target: Target) -> Path:
    """Make a file that has no blocks on the disk."""
    path = target.shared / new_key()
    with path.open("wb") as file:
        file.truncate(LARGE)
    return path


def begin(target: Target, path: str, *fields: str) -> socket.socket:
    """Ask for a file, and read nothing of it but the head."""
    connection = target.connect(receive_buffer=4096)
    connection.sendall(request("GET", path, b"", "Connection: close", *fields))
    assert read_head(connection).split(b" ")[1] in (b"200", b"206")
    assert target.until(lambda: any("descriptors: /" in name for name in target.left()))
    hurry(connection)
    return connection


@pytest.mark.parametrize(
    ("mount", "fields"),
    [
        pytest.param("/file", (), id="FileResponse"),
        pytest.param("/file", ("Range: bytes=10-",), id="a-range"),
        pytest.param("/base/file", (), id="BaseHTTPMiddleware"),
        pytest.param("/static", (), id="StaticFiles"),
    ],
)
def test_a_file_that_shrinks_breaks_its_answer_off(
    target: Target, mount: str, fields: tuple[str, ...]
) -> None:  # T23.3
    if target.kind.sends_files:
        pytest.skip("the server sends files by itself, and says nothing of those that shrink")
    path = sparse(target)
    with unharmed(target, {f"RuntimeError: File at path {path} is shorter than expected.": 1}):
        connection = begin(target, f"{mount}/{path.name}", *fields)
        with path.open("r+b") as file:
            file.truncate(1000)
        body, _ = read_all(connection)
        connection.close()
        assert len(body) < LARGE - 10
        assert not body.strip(b"\0")
        assert target.notes(path.name) == []  # no background task after half of an answer


@pytest.mark.parametrize("mount", ["/file", "/static"])
def test_a_file_that_grows_is_sent_as_announced(target: Target, mount: str) -> None:  # T23.3
    path = sparse(target)
    with unharmed(target):
        connection = begin(target, f"{mount}/{path.name}")
        with path.open("ab") as file:
            file.write(b"x" * 1000)
        body, was_reset = read_all(connection)
        connection.close()
        assert (len(body), was_reset) == (LARGE, False)
        assert b"x" not in body


@pytest.mark.parametrize("mount", ["/file", "/static"])
def test_a_file_that_is_deleted_while_it_is_sent_is_sent_whole(target: Target, mount: str) -> None:
    path = sparse(target)
    with unharmed(target):
        connection = begin(target, f"{mount}/{path.name}")
        path.unlink()
        body, was_reset = read_all(connection)
        connection.close()
        assert (len(body), was_reset) == (LARGE, False)


def test_a_file_that_is_missing_is_an_error_of_the_application(target: Target) -> None:
    path = target.shared / new_key()
    with unharmed(target, {f"RuntimeError: File at path {path} does not exist.": 1}):
        status, _, body = target.server.exchange(request("GET", f"/file/{path.name}", b"", "Connection: close"))
        assert (status, body) == (500, b"Internal Server Error")
        status, _, _ = target.server.exchange(request("GET", f"/static/{path.name}", b"", "Connection: close"))
        assert status == 404
