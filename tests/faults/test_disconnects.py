"""Clients that leave, in each phase of an exchange and in each way."""

from __future__ import annotations

import socket
from dataclasses import dataclass

import pytest

from tests.faults.harness import LARGE, Target, handshake, leave, new_key, read_all, read_head, request, unharmed

pytestmark = pytest.mark.server

MULTIPART = "Content-Type: multipart/form-data; boundary=b"
URL_ENCODED = "Content-Type: application/x-www-form-urlencoded"
PART = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'

PREFIXES = {"": "plain", "/base": "BaseHTTPMiddleware", "/gzip": "GZipMiddleware"}


@dataclass(frozen=True)
class Phase:
    """What a client has done when it leaves, and what the application must note afterwards.

    Attributes:
        path: Where the request goes; the key is added.
        began: What the application notes before the client leaves; None to leave at once.
        ended: What it notes when it is rid of the client.
        sends: The body that the client sends, of which more is declared.
        reads: Bytes of the answer's body that it reads before it leaves.
        opens: The gate is opened when the client has left.
        logged: What the server's log says.
    """

    path: str
    began: str | None
    ended: str | None
    sends: tuple[bytes, tuple[str, ...]] | None = None
    reads: int = 0
    opens: bool = False
    logged: tuple[str, ...] = ()


BODIES = {
    "body": (b"x" * 100, ()),
    "stream": (b"x" * 100, ()),
    "json": (b'{"a": [1, 2', ("Content-Type: application/json",)),
    "form-of-fields": (b"a=1&b=2&c", (URL_ENCODED,)),
    "form-of-files": (PART + b"x" * 100, (MULTIPART,)),
    "form-on-disk": (PART + b"x" * 3_000_000, (MULTIPART,)),
}

PHASES = {
    "body-announced": Phase(
        "/read?how=body", "reading began", "reading ended", (b"", ()), logged=("ClientDisconnect",)
    ),
    **{
        f"within-{name}": Phase(
            f"/read?how={name.partition('-')[0]}", "reading began", "reading ended", body, logged=("ClientDisconnect",)
        )
        for name, body in BODIES.items()
    },
    "before-the-answer": Phase("/hold", "handler began", "handler ended", opens=True),
    "while-it-asks": Phase("/poll", "handler began", "handler ended"),
    "before-the-first-chunk": Phase("/stream/async?chunks=2&wait=0", "generator began", "generator ended"),
    "after-the-first-chunk": Phase("/stream/async?chunks=2&wait=1", "generator began", "generator ended", reads=65536),
    "in-mid-stream": Phase("/stream/async?chunks=100000", "generator began", "generator ended", reads=65536),
    "in-mid-stream-of-a-thread": Phase("/stream/sync?chunks=100000", "generator began", "generator ended", reads=65536),
    "while-a-thread-makes-a-chunk": Phase(
        "/stream/sync?chunks=2&wait=1", "generator began", "generator ended", reads=65536, opens=True
    ),
    "background": Phase("/background?kind=async", "background began", "background ended", reads=4, opens=True),
    "background-in-a-thread": Phase(
        "/background?kind=sync", "background began", "background ended", reads=4, opens=True
    ),
    "in-a-thread": Phase("/hold-thread", "thread began", "thread ended", opens=True),
}


def start(target: Target, phase: Phase, prefix: str, key: str) -> socket.socket:
    """Bring a client to where it leaves."""
    path = f"{prefix}{phase.path}{'&' if '?' in phase.path else '?'}key={key}"
    connection = target.connect()
    if phase.sends is not None:
        body, fields = phase.sends
        connection.sendall(request("POST", path, body, *fields, length=len(body) + 1000))
    else:
        connection.sendall(request("GET", path, b"", "Accept-Encoding: gzip"))
    if phase.reads:
        read_head(connection)
        left = phase.reads
        while left > 0 and "gzip" not in prefix:
            left -= len(connection.recv(left))
    if phase.began is not None:
        target.wait_for(key, phase.began)
    return connection


# Compression touches nothing but answers.
ROWS = [
    (name, prefix)
    for name, phase in PHASES.items()
    for prefix in PREFIXES
    if prefix != "/gzip" or "/stream/" in phase.path
]


# threats R02, R03, R14, R15
@pytest.mark.parametrize(
    ("name", "prefix"), [pytest.param(name, prefix, id=f"{name}-{PREFIXES[prefix]}") for name, prefix in ROWS]
)
def test_a_client_that_leaves_ends_its_exchange_and_nothing_stays(target: Target, name: str, prefix: str) -> None:
    phase = PHASES[name]
    ways = ("close", "reset")
    with unharmed(target, {text: len(ways) for text in phase.logged}):
        for how in ways:
            key = new_key()
            connection = start(target, phase, prefix, key)
            if name == "within-form-on-disk":
                assert target.until(lambda: "descriptors: temporary file" in target.left())
            leave(connection, how)
            if phase.opens:
                target.open(key)
            if phase.ended is not None:
                target.wait_for(key, phase.ended)


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("cut", [1, 20, 60, -1])
def test_a_client_that_leaves_within_the_head_harms_nobody(target: Target, cut: int, how: str) -> None:
    with unharmed(target):
        for whole in (request("POST", "/read?how=body&key=x", b"", length=10), handshake("/echo?key=x")):
            connection = target.connect()
            connection.sendall(whole.partition(b"\r\n\r\n")[0][:cut])
            leave(connection, how)


# threats R02
@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("path", ["/echo", "/pour"])
def test_a_websocket_client_that_leaves_ends_its_handler(target: Target, path: str, how: str) -> None:
    key = new_key()
    with unharmed(target):
        connection = target.connect()
        connection.sendall(handshake(f"{path}?key={key}"))
        read_head(connection)
        if path == "/pour":
            assert connection.recv(65536)
        else:
            connection.sendall(b"\x81\x85\0\0\0\0hel")  # a frame that is not complete
        leave(connection, how)
        target.wait_for(key, "socket ended")


# threats R03
@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("path", ["/file/large", "/base/file/large", "/static/large"])
def test_a_client_that_leaves_within_a_file_closes_it(target: Target, path: str, how: str) -> None:
    with unharmed(target):
        with (target.shared / "large").open("wb") as file:
            file.truncate(LARGE)
        connection = target.connect(receive_buffer=4096)
        connection.sendall(request("GET", path))
        read_head(connection)
        # The answer is far from sent, so the file is open.
        assert target.until(lambda: any("large" in name for name in target.left()))
        leave(connection, how)


def test_a_client_that_leaves_between_requests_is_forgotten(target: Target) -> None:
    with unharmed(target):
        connection = target.connect()
        connection.sendall(request("GET", "/workers") * 3)  # pipelined
        for _ in range(3):
            read_head(connection)
            connection.recv(1)
        leave(connection, "close")


@pytest.mark.parametrize("how", ["body", "stream", "form"])
def test_a_half_closed_upload_is_a_disconnect(target: Target, how: str) -> None:  # threats R02
    key = new_key()
    body, fields = BODIES["form-of-files" if how == "form" else how]
    with unharmed(target, {"ClientDisconnect": 1}):
        connection = target.connect()
        connection.sendall(request("POST", f"/read?how={how}&key={key}", body, *fields, length=len(body) + 1000))
        target.wait_for(key, "reading began")
        connection.shutdown(socket.SHUT_WR)
        target.wait_for(key, "reading: ClientDisconnect")
        answer, _ = read_all(connection)
        # Some servers still send what becomes of it; none calls it a success.
        assert answer == b"" or answer.split(b" ")[1] in (b"400", b"500"), answer
        connection.close()


def test_a_half_closed_request_that_is_complete_is_answered_or_dropped_but_never_cut(target: Target) -> None:
    with unharmed(target):
        connection = target.connect()
        connection.sendall(request("GET", "/workers", b"", "Connection: close"))
        connection.shutdown(socket.SHUT_WR)
        answer, _ = read_all(connection)
        # Uvicorn takes the end of the client's side for the end of the connection.
        assert answer == b"" or answer.rpartition(b"\r\n\r\n")[2].isdigit(), answer
        connection.close()
