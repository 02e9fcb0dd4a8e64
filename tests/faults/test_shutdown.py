"""Shutdown with a thousand open exchanges: the server cancels them, and each ends before the process does."""

from __future__ import annotations

import re
import signal
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.faults.harness import KINDS, Target, handshake, many_descriptors, new_key, read_all, read_head, running
from tests.faults.harness import request as http_request
from tests.servers.support import STOP_DEADLINE

pytestmark = pytest.mark.server

# What is open: how many, what asks for it, and what it notes. They wait for a gate that nobody opens, or for a client
# that does not read.
OPEN = (
    (300, "GET", "/stream/async?chunks=2&wait=1", "generator"),
    (150, "GET", "/base/stream/async?chunks=2&wait=1", "generator"),
    (50, "GET", "/gzip/stream/async?chunks=2&wait=1", "generator"),
    (3, "GET", "/stream/async?chunks=10000", "generator"),
    (3, "GET", "/stream/sync?chunks=10000", "generator"),
    (44, "GET", "/hold?", "handler"),
    (40, "GET", "/hold-dependency?", "dependency"),
    (50, "POST", "/read?how=form", "reading"),
    (40, "GET", "/background?kind=async", "background"),
    (320, "WEBSOCKET", "/echo?", "socket"),
)

# What would tell of something that was forgotten. Unclosed sockets would be the server's.
_FORGOTTEN = re.compile(r".*(?:was never|was destroyed|Exception ignored|RuntimeWarning|unclosed file).*")


@pytest.fixture(params=[name for name, kind in KINDS.items() if kind.cancels])
def stopping(request: pytest.FixtureRequest) -> Iterator[Target]:
    """A server for one test alone."""
    if request.param == "hypercorn-asyncio" and sys.version_info >= (3, 12, 1):
        pytest.skip("hypercorn awaits `asyncio.Server.wait_closed`, which waits for open connections since 3.12.1")
    with running(request.param) as target:
        yield target


def opened(target: Target, method: str, path: str, key: str) -> socket.socket:
    connection = target.connect(receive_buffer=4096)
    if method == "WEBSOCKET":
        connection.sendall(handshake(f"{path}&key={key}"))
        assert read_head(connection).startswith(b"HTTP/1.1 101 ")
    elif method == "POST":
        field = "Content-Type: multipart/form-data; boundary=b"
        part = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nbeginning'
        connection.sendall(http_request(method, f"{path}&key={key}", part, field, length=1000))
    else:
        connection.sendall(http_request(method, f"{path}&key={key}", b"", "Accept-Encoding: gzip"))
    return connection


def test_all_that_is_open_ends_when_it_stops(stopping: Target) -> None:  # threats R01, R12
    many_descriptors()
    key, expected = new_key(), Counter[str]()
    with ExitStack() as connections:
        opens: list[socket.socket] = []
        for count, method, path, what in OPEN:
            expected[f"{what} began"] += count
            opens += [connections.enter_context(opened(stopping, method, path, key)) for _ in range(count)]
        assert len(opens) == 1000
        assert stopping.until(lambda: Counter(stopping.notes(key)) >= expected), Counter(stopping.notes(key))
        stopping.server.process.send_signal(signal.SIGINT)
        answers = [read_all(connection)[0] for connection in opens]
        assert stopping.server.process.wait(STOP_DEADLINE) == 0, stopping.server.log[-5000:]
    log = stopping.server.log
    both = {name.replace("began", end): count for name, count in expected.items() for end in ("began", "ended")}
    (report,) = re.findall("^at exit: .*", log, re.MULTILINE)
    assert {name: int(count) for name, count in re.findall(r"(\w+ (?:began|ended))=(\d+);", report)} == both
    assert "lifespan ended" in log
    assert _FORGOTTEN.findall(log) == []
    streamed = [answer for answer in answers if b"\r\ntransfer-encoding: chunked" in answer[:500].lower()]
    assert len(streamed) >= 500
    assert [answer[-20:] for answer in streamed if b" 200 " in answer[:20] and answer.endswith(b"\r\n0\r\n\r\n")] == []
