"""The client: asks once to check, a few times to warm up, and then as fast as it can."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.field.servers import Unable
from benchmarks.field.workload import Case, Frames

CONNECTIONS: Final = 32
SOCKETS: Final = 16
PIPELINED: Final = 8
WARM_UP: Final = 50

_REPORT: Final = """
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('\\n{"requests": %d, "microseconds": %d, "failed": %d, "slow": %d, "p50": %d, "p99": %d}\\n',
    summary.requests, summary.duration, e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Load:
    """What one timing found: requests per second, and the latency in microseconds of the median and of 1 in 100."""

    rate: float
    p50: float = 0.0
    p99: float = 0.0


def need_wrk() -> None:
    """Raise RuntimeError when the load generator is not there."""
    if shutil.which("wrk") is None:
        raise RuntimeError("the load comes from wrk, which is not installed; on Debian and Ubuntu: apt install wrk")


def check(port: int, case: Case, times: int = 1) -> None:
    """Ask for the case so often on one connection; `Unable` when an answer is not right."""
    if case.websocket:
        _echo_some(port, case.path)
        return
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        for _ in range(times):
            headers = {"content-type": case.content_type} if case.content_type else {}
            connection.request(case.method, case.path, case.body or None, headers)
            answer = connection.getresponse()
            if wrong := case.wrong(answer.status, answer.read()):
                raise Unable(wrong)
    except (OSError, http.client.HTTPException) as exc:
        raise Unable(f"{type(exc).__name__}: {exc}") from exc
    finally:
        connection.close()


def load(port: int, case: Case, seconds: int, connections: int = CONNECTIONS) -> Load:
    """Ask for the case as fast as answers come, for so many seconds.

    Raises:
        Unable: Answers with another status than 2xx or 3xx, or connections that failed.
    """
    if case.websocket:
        return Load(_echo_rate(port, case.path, seconds))
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "request.lua")
        script.write_bytes(_script(case))
        # One connection needs one thread; `wrk` counts whole seconds only.
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "-s", str(script)]
        done = subprocess.run(
            [*command, f"http://127.0.0.1:{port}{case.path}"], capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise Unable(f"wrk: {done.stdout}{done.stderr}".strip())
    found = json.loads(done.stdout.rstrip().rpartition("\n")[2])
    if found["failed"] or found["slow"] or not found["requests"]:
        raise Unable(f"under load: {found['requests']} answers, {found['failed']} refused, {found['slow']} broken")
    return Load(found["requests"] * 1e6 / found["microseconds"], found["p50"], found["p99"])


def _script(case: Case) -> bytes:
    head = f'wrk.method = "{case.method}"\n'.encode()
    if case.body:
        head += f'wrk.headers["content-type"] = "{case.content_type}"\n'.encode()
        head += b"wrk.body = [==[" + case.body + b"]==]\n"
    return head + _REPORT.encode()


def open_websocket(port: int, path: str) -> socket.socket:
    """Return a connection that has become a WebSocket; `Unable` when the server refuses."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(Frames.upgrade(path))
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        # Byte by byte: what follows the head belongs to the WebSocket.
        piece = connection.recv(1)
        if not piece:
            raise Unable(f"no WebSocket: {head[:200]!r}")
        head += piece
    if not head.startswith(b"HTTP/1.1 101 "):
        raise Unable(f"no WebSocket: {head[:200]!r}")
    return connection


def _exactly(connection: socket.socket, size: int) -> bytes:
    pieces = []
    while size:
        piece = connection.recv(size)
        if not piece:
            raise Unable("the server closed the WebSocket")
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def echo(connection: socket.socket) -> None:
    """Send a message and see it come back; `Unable` when something else does."""
    connection.sendall(Frames().sent)
    found = _exactly(connection, len(Frames().received))
    if found != Frames().received:
        raise Unable(f"another echo: {found!r}")


def _echo_some(port: int, path: str) -> None:
    try:
        with open_websocket(port, path) as connection:
            for _ in range(WARM_UP):
                echo(connection)
    except OSError as exc:
        raise Unable(f"{type(exc).__name__}: {exc}") from exc


def _echo_rate(port: int, path: str, seconds: float) -> float:
    """Return echoes per second over some connections, each with a few messages under way."""
    sent, wanted = Frames().sent * PIPELINED, Frames().received * PIPELINED
    connections: list[socket.socket] = []
    try:
        connections.extend(open_websocket(port, path) for _ in range(SOCKETS))
        echoes = 0
        began = time.perf_counter()
        while (took := time.perf_counter() - began) < seconds:
            for connection in connections:
                connection.sendall(sent)
            for connection in connections:
                if _exactly(connection, len(wanted)) != wanted:
                    raise Unable("another echo under load")
            echoes += PIPELINED * SOCKETS
        return echoes / took
    except OSError as exc:
        raise Unable(f"{type(exc).__name__}: {exc}") from exc
    finally:
        for connection in connections:
            connection.close()
