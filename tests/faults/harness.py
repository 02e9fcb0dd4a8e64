"""The servers under test, clients that misbehave, and the proof that nothing is left behind.

Everything is waited for by asking; the only times here are deadlines.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import resource
import select
import socket
import struct
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest

from tests.servers.support import HOST, Server, eventually, serve, uvicorn

APPLICATION: Final = "tests.faults.application:app"

# Bytes that a server may write to one file: the full disk.
DISK: Final = 4 * 1024 * 1024

# Seconds until what was left behind must have been cleaned up; generous, for busy machines.
DEADLINE: Final = 30.0

# More bytes than the system and a server keep for a client that reads nothing.
_SEND_BUFFERS: Final = Path("/proc/sys/net/ipv4/tcp_wmem")
LARGE: Final = 8 * 1024 * 1024 + 2 * int(_SEND_BUFFERS.read_text().split()[-1] if _SEND_BUFFERS.exists() else 0)

# Runs a command with a temporary directory of its own, small files and many descriptors.
_LAUNCH: Final = """
import os, resource, sys
shared, scratch, disk, *command = sys.argv[1:]
os.environ.update(FAULTS_SHARED=shared, TMPDIR=scratch, PYTHONWARNINGS="default", PYTHONUNBUFFERED="1")
resource.setrlimit(resource.RLIMIT_FSIZE, (int(disk), int(disk)))
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
os.execv(command[0], command)
"""


def hypercorn(worker: str, *options: str) -> Callable[[int], Sequence[str]]:
    command = [sys.executable, "-m", "hypercorn", APPLICATION, "--worker-class", worker, "--graceful-timeout", "1"]
    command += ["--keep-alive", "1"]  # seconds that the task of a connection outlives it
    return lambda port: [*command, "--bind", f"{HOST}:{port}", *options]


def granian(port: int) -> Sequence[str]:
    options = ["--interface", "asgi", "--host", HOST, "--port", str(port), "--workers-kill-timeout", "2"]
    return [sys.executable, "-m", "granian", *options, APPLICATION]


_PATIENCE: Final = ("--timeout-graceful-shutdown", "1")


@dataclass(frozen=True)
class Kind:
    """A server, and where it differs from the others.

    Attributes:
        modules: What has to be installed.
        command: Its command line.
        heading: What it writes to its log above the traceback of an application's exception.
        sends_files: It takes the path of a file and sends that by itself ("http.response.pathsend").
        stalls: It never ends an exchange if much of the request's body was left unread.
        cancels: It cancels what is open when it stops, and does not kill it.
        keeps_failed: It keeps the connection of a WebSocket whose handler failed before it accepted.
    """

    modules: tuple[str, ...]
    command: Callable[[int], Sequence[str]]
    heading: str
    sends_files: bool = False
    stalls: bool = False
    cancels: bool = True
    keeps_failed: bool = False


_UVICORN: Final = "Exception in ASGI application"
_HYPERCORN: Final = "Error in ASGI Framework"

KINDS: Final = {
    "uvicorn-h11": Kind(
        ("uvicorn", "h11"),
        uvicorn(APPLICATION, "--http", "h11", "--loop", "asyncio", "--no-access-log", *_PATIENCE),
        _UVICORN,
    ),
    "uvicorn-httptools": Kind(
        ("uvicorn", "httptools", "uvloop"),
        uvicorn(APPLICATION, "--http", "httptools", "--loop", "uvloop", "--no-access-log", *_PATIENCE),
        _UVICORN,
    ),
    "hypercorn-asyncio": Kind(("hypercorn",), hypercorn("asyncio"), _HYPERCORN, stalls=True),
    "hypercorn-trio": Kind(("hypercorn", "trio"), hypercorn("trio"), _HYPERCORN, stalls=True),
    "granian": Kind(
        ("granian",),
        granian,
        "Application callable raised an exception",
        sends_files=True,
        cancels=False,
        keeps_failed=True,
    ),
}

# A line of a log that speaks of an error, whoever wrote it.
_SUSPICIOUS: Final = re.compile(
    r"Traceback \(most recent call last\)|\b(?:ERROR|CRITICAL|WARNING)\b|\w+Warning:|was never|Exception ignored"
)


@dataclass
class Target:
    """A running server, the directory that it serves files of, and its temporary directory."""

    name: str
    server: Server
    shared: Path
    scratch: Path
    baseline: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        return KINDS[self.name]

    def ask(self, path: str, method: str = "GET") -> Any:
        """Return the JSON of one of the application's own pages."""
        request = f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        status, _, body = self.server.exchange(request.encode())
        assert status in (200, 204), (status, body, self.server.log)
        return json.loads(body) if body else None

    def notes(self, key: str) -> list[str]:
        notes: list[str] = self.ask(f"/notes/{key}")
        return notes

    def wait_for(self, key: str, note: str) -> None:
        assert self.until(lambda: note in self.notes(key)), (key, note, self.notes(key), self.server.log)

    def until(self, question: Callable[[], bool]) -> bool:
        return eventually(question, self.server.process, DEADLINE)

    def open(self, key: str) -> None:
        self.ask(f"/open/{key}", "POST")

    def census(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = self.ask("/census")
        return found

    def left(self) -> dict[str, int]:
        """Return what there is now and was not when the server had started."""
        return {
            f"{group}: {name}": more
            for group, things in self.census().items()
            for name, count in things.items()
            if (more := count - self.baseline[group].get(name, 0)) > 0
        }

    def connect(self, receive_buffer: int | None = None) -> socket.socket:
        """Open a connection, with a buffer of so many bytes for what is not read."""
        connection = socket.socket()
        if receive_buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(DEADLINE)
        connection.connect((HOST, self.server.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


@contextmanager
def running(name: str) -> Iterator[Target]:
    kind = KINDS[name]
    for module in kind.modules:
        if find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    with TemporaryDirectory() as shared, TemporaryDirectory() as scratch:
        launch = [sys.executable, "-I", "-S", "-c", _LAUNCH, shared, scratch, str(DISK)]
        with serve(lambda port: [*launch, *kind.command(port)]) as server:
            target = Target(name, server, Path(shared), Path(scratch))
            target.baseline = _settled(target)
            yield target


def _settled(target: Target) -> dict[str, dict[str, int]]:
    """Return the census of a server that has started: one that stays the same when it is asked again."""
    last, equal = target.census(), 0

    def same() -> bool:
        nonlocal last, equal
        now = target.census()
        equal = equal + 1 if now == last else 0
        last = now
        return equal == 3

    assert target.until(same), target.server.log
    return last


@contextmanager
def unharmed(target: Target, logged: Mapping[str, int] | None = None) -> Iterator[None]:
    """See that what happens inside leaves nothing, that the next request is served, and what is logged.

    Args:
        logged: The last line of each traceback, or its beginning, and how often it comes. Nothing else may be logged.
    """
    before = len(target.server.log)
    yield
    left: dict[str, int] = {}

    def nothing_left() -> bool:
        nonlocal left
        left = target.left()
        return not left

    assert target.until(nothing_left), (left, target.server.log[before:])
    expected = dict(logged or {})

    def all_logged() -> bool:
        found = ends_of_tracebacks(target.server.log[before:], expected)
        return all(found[text] >= count for text, count in expected.items())

    assert target.until(all_logged), (expected, target.server.log[before:])
    log = target.server.log[before:]
    assert ends_of_tracebacks(log, expected) == expected, log
    assert suspicious(target.kind.heading, log, expected) == [], log
    assert target.server.process.poll() is None


def ends_of_tracebacks(log: str, texts: Iterable[str]) -> dict[str, int]:
    """Return how many tracebacks end with each of `texts`: `ClientDisconnect`, or `Fault: because`."""
    return {text: len(re.findall(rf"^[ |]*(?:\w+\.)*{re.escape(text)}(?!\w)", log, re.MULTILINE)) for text in texts}


def suspicious(heading: str, log: str, expected: Mapping[str, int]) -> list[str]:
    """Return the lines that speak of errors, but for one heading and one traceback for each that is expected."""
    lines = [line for line in log.splitlines() if _SUSPICIOUS.search(line) or heading in line]
    headings = [line for line in lines if heading in line]
    others = [
        line
        for line in lines
        if heading not in line and "Traceback (most recent" not in line and not any(text in line for text in expected)
    ]
    allowed = sum(expected.values())
    return others + headings[allowed:]


_KEYS: Final = (f"{os.getpid()}-{number}" for number in itertools.count())


def new_key() -> str:
    """Return a name for a request that no other has."""
    return next(_KEYS)


def request(method: str, path: str, body: bytes = b"", *fields: str, length: int | None = None) -> bytes:
    """Return a request; `length` declares more than `body` has."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", *fields]
    if body or length is not None:
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def handshake(path: str) -> bytes:
    """Return the request that opens a WebSocket (RFC 6455 §4.1)."""
    fields = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    return request("GET", path, b"", *fields, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")


def read_head(connection: socket.socket) -> bytes:
    """Read the head of a response and not a byte more."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        octet = connection.recv(1)
        assert octet, head
        head += octet
    return head


def read_all(connection: socket.socket) -> tuple[bytes, bool]:
    """Read to the end of the connection; return what came, and whether it was reset."""
    pieces: list[bytes] = []
    try:
        while piece := connection.recv(1024 * 1024):
            pieces.append(piece)
    except ConnectionError:
        return b"".join(pieces), True
    return b"".join(pieces), False


def read_answer(connection: socket.socket) -> bytes:
    """Read one answer of a declared length, or what comes of it before the connection ends."""
    answer = b""
    try:
        while not _is_whole(answer) and (piece := connection.recv(65536)):
            answer += piece
    except ConnectionError:
        pass
    return answer


def _is_whole(answer: bytes) -> bool:
    head, ended, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"\ncontent-length: *(\d+)", head, re.IGNORECASE)
    return bool(ended) and length is not None and len(body) >= int(length[1])


def hurry(connection: socket.socket) -> None:
    """Take more at once from now on."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024 * 1024)


def dechunked(body: bytes) -> tuple[bytes, bool]:
    """Undo the chunked coding (RFC 9112 §7.1); also tell whether it was complete."""
    pieces: list[bytes] = []
    position = 0
    while (end := body.find(b"\r\n", position)) >= 0:
        size = int(body[position:end], 16)
        if size == 0:
            return b"".join(pieces), body[end:] == b"\r\n\r\n"
        pieces.append(body[end + 2 : end + 2 + size])
        position = end + 2 + size + 2
    return b"".join(pieces), False


def leave(connection: socket.socket, how: str) -> None:
    """Go away: `close` ends the connection in order, `reset` breaks it off."""
    if how == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def push(connection: socket.socket, data: memoryview, target: Target, patience: int = 25) -> int:
    """Send until the other side has not taken anything during `patience` exchanges on other connections.

    Returns:
        How many bytes were taken.
    """
    connection.setblocking(False)
    sent = refusals = 0
    while sent < len(data) and refusals < patience:
        try:
            sent += connection.send(data[sent : sent + 256 * 1024])
            refusals = 0
        except BlockingIOError:
            refusals += 1
            target.census()
    connection.settimeout(DEADLINE)
    return sent


def send_all_reading(connection: socket.socket, data: bytes) -> bytes:
    """Send, and stop when an answer comes or the connection is reset; return the answer."""
    view = memoryview(data)
    connection.setblocking(False)
    try:
        while view:
            readable, writable, _ = select.select([connection], [connection], [], DEADLINE)
            assert readable or writable
            if readable:
                break
            view = view[connection.send(view[: 256 * 1024]) :]
    except ConnectionError:
        pass
    connection.settimeout(DEADLINE)
    return read_answer(connection)


def many_descriptors() -> None:
    """Allow this process as many descriptors as it may have."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
