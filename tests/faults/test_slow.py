"""Clients that read or write slowly: they are waited for, in bounded memory, and hold up nobody."""

from __future__ import annotations

import hashlib

import pytest

from tests.faults.content import CHUNK, chunk
from tests.faults.harness import LARGE, Target, dechunked, hurry, new_key, push, read_all, read_head, request, unharmed

pytestmark = pytest.mark.server

CHUNKS = LARGE // CHUNK


@pytest.mark.parametrize("path", ["/stream/async", "/stream/sync", "/base/stream/async", "/gzip/stream/async"])
def test_a_slow_reader_slows_its_own_answer_only(target: Target, path: str) -> None:  # threats R07, R08
    key = new_key()

    def produced() -> int:
        count: int = target.ask(f"/produced/{key}")
        return count

    with unharmed(target):
        connection = target.connect(receive_buffer=4096)
        connection.sendall(request("GET", f"{path}?chunks={CHUNKS}&key={key}", b"", "Connection: close"))
        head = read_head(connection)
        # Nothing more is made for it, however often others are served meanwhile.
        last, equal = -1, 0
        while equal < 25:
            now = produced()
            last, equal = now, equal + 1 if now == last else 0
        assert 0 < last < CHUNKS
        beginning = b"".join(connection.recv(1) for _ in range(50))
        hurry(connection)
        rest, was_reset = read_all(connection)
        assert not was_reset
        body, complete = dechunked(beginning + rest)
        assert b"chunked" in head.lower()
        assert complete
        assert body == b"".join(map(chunk, range(CHUNKS)))
        connection.close()
        assert target.until(lambda: "generator ended" in target.notes(key))


def test_a_slow_reader_of_a_file_gets_it_whole(target: Target) -> None:
    content = b"".join(map(chunk, range(CHUNKS)))
    (target.shared / "slow").write_bytes(content)
    with unharmed(target):
        connection = target.connect(receive_buffer=4096)
        connection.sendall(request("GET", "/file/slow", b"", "Connection: close"))
        read_head(connection)
        beginning = b"".join(connection.recv(1) for _ in range(50))
        hurry(connection)
        assert beginning + read_all(connection)[0] == content
        connection.close()


def test_a_slow_writer_is_answered_in_the_end(target: Target) -> None:  # threats R08
    body = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nvalue\r\n--b--\r\n'
    key = new_key()
    whole = request(
        "POST",
        f"/read?how=form&key={key}",
        body,
        "Connection: close",
        "Content-Type: multipart/form-data; boundary=b",
    )
    with unharmed(target):
        connection = target.connect()
        for position in range(len(whole)):
            connection.sendall(whole[position : position + 1])
            if position % 25 == 0:
                target.census()  # others are served meanwhile
        answer, _ = read_all(connection)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert answer.endswith(b'{"a":"value"}')
        connection.close()


def test_a_handler_that_does_not_read_stops_the_client(target: Target) -> None:  # threats R07
    key = new_key()
    content = bytes(range(256)) * (3 * LARGE // 256)
    with unharmed(target):
        connection = target.connect()
        head = request("POST", f"/read?how=gate&key={key}", b"", "Connection: close", length=len(content))
        connection.sendall(head)
        target.wait_for(key, "reading began")
        sent = push(connection, memoryview(content), target)
        assert sent < len(content)
        target.open(key)
        connection.sendall(memoryview(content)[sent:])
        answer, _ = read_all(connection)
        assert hashlib.sha256(content).hexdigest().encode() in answer
        connection.close()
