"""What runs out: the disk under an upload, and the worker threads."""

from __future__ import annotations

import pytest

from tests.faults.content import CHUNK
from tests.faults.harness import DISK, Target, leave, new_key, read_all, request, send_all_reading, unharmed

pytestmark = pytest.mark.server

MULTIPART = "Content-Type: multipart/form-data; boundary=b"

# AnyIO's limiter and trio's have the same default.
THREADS = 40


def form(size: int) -> bytes:
    head = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    return head + b"x" * size + b"\r\n--b--\r\n"


@pytest.mark.parametrize("prefix", ["", "/base"], ids=["plain", "BaseHTTPMiddleware"])
def test_a_full_disk_fails_the_upload_and_nothing_else(target: Target, prefix: str) -> None:  # threats R03
    path = f"{prefix}/read?how=form&key={new_key()}"
    size = DISK + CHUNK if target.kind.stalls else 2 * DISK
    with unharmed(target, {"OSError: [Errno 27]": 1}):
        connection = target.connect()
        answer = send_all_reading(connection, request("POST", path, form(size), "Connection: close", MULTIPART))
        connection.close()
        # A server may close before it has read all, and then the system may drop the answer.
        assert answer == b"" or answer.startswith(b"HTTP/1.1 500 "), answer[:200]
    # What fits is taken, the next moment.
    with unharmed(target):
        connection = target.connect()
        answer = send_all_reading(connection, request("POST", path, form(DISK // 2), "Connection: close", MULTIPART))
        connection.close()
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b'"size":%d' % (DISK // 2) in answer


def busy(target: Target) -> int:
    return target.census()["threads"].get("busy worker", 0)


def test_more_blocking_requests_than_threads_wait_for_their_turn(target: Target) -> None:
    key = new_key()
    count = THREADS + 20
    with unharmed(target):
        connections = [target.connect() for _ in range(count)]
        for connection in connections:
            connection.sendall(request("GET", f"/hold-thread?key={key}", b"", "Connection: close"))
        assert target.until(lambda: target.notes(key).count("thread began") == THREADS)
        assert busy(target) == THREADS
        assert target.ask("/workers") >= THREADS  # and what needs no thread is served
        target.open(key)
        for connection in connections:
            assert read_all(connection)[0].endswith(b"from a thread")
            connection.close()
        assert target.notes(key).count("thread ended") == count
        assert target.ask("/workers") <= THREADS + 2


def test_clients_that_give_up_waiting_for_a_thread_leave_nothing(target: Target) -> None:
    key = new_key()
    with unharmed(target):
        connections = [target.connect() for _ in range(THREADS + 20)]
        for connection in connections:
            connection.sendall(request("GET", f"/hold-thread?key={key}"))
        assert target.until(lambda: target.notes(key).count("thread began") == THREADS)
        for number, connection in enumerate(connections):
            leave(connection, "reset" if number % 2 else "close")
        assert busy(target) == THREADS
        target.open(key)
        assert target.until(lambda: busy(target) == 0)
