"""Measures requests per second over uvicorn on one core, against a bare ASGI application on the same server."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from benchmarks.environments import ROOT, clean, pinned
from benchmarks.inprocess import Failed

# Name: factory of the application, request head, and the end of the answer.
SERVED: Final = {
    "bare ASGI": ("bare", b"GET / HTTP/1.1\r\nhost: example.org\r\n\r\n", b"hello"),
    "hello JSON": ("hello_app", b"GET / HTTP/1.1\r\nhost: example.org\r\n\r\n", b'{"hello":"world"}'),
    "path, query and header parameters": (
        "parameters_app",
        b"GET /items/42?q=search&page=2 HTTP/1.1\r\nhost: example.org\r\nx-token: secret\r\n\r\n",
        b'[42,"search","secret"]',
    ),
    "three BaseHTTPMiddlewares": (
        "layered_app",
        b"GET / HTTP/1.1\r\nhost: example.org\r\n\r\n",
        b"\r\n\r\nx",
    ),
}

CONNECTIONS: Final = 4
PIPELINED: Final = 16


class Server:
    """A uvicorn process (httptools, uvloop) on its own socket and core, and the connections to it."""

    def __init__(self, python: Path | str, case: str, core: int | None) -> None:
        factory, self._request, self._ending = SERVED[case]
        target = "benchmarks.cases.applications:" + ("bare_asgi" if factory == "bare" else factory)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._address = probe.getsockname()
        # Not `--fd`: uvicorn takes that for a Unix socket, and then Nagle's algorithm holds every response back.
        command = [*pinned(core), str(python), "-m", "uvicorn", target, "--port", str(self._address[1])]
        command += ["--http", "httptools", "--loop", "uvloop", "--no-access-log", "--log-level", "warning"]
        command += ["--lifespan", "off"] + (["--factory"] if factory != "bare" else [])
        self._process = subprocess.Popen(command, cwd=ROOT, env=clean())
        try:
            self._open()
        except BaseException:
            self._end()
            raise

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for connection in self._connections:
            connection.close()
        self._end()

    def per_second(self, seconds: float) -> float:
        """Return how many requests were answered per second, for about so many seconds."""
        batch = self._request * PIPELINED
        expected = self._size * PIPELINED
        answered = 0
        began = time.perf_counter()
        while (took := time.perf_counter() - began) < seconds:
            for connection in self._connections:
                connection.sendall(batch)
            for connection in self._connections:
                self._read(connection, expected)
            answered += PIPELINED * CONNECTIONS
        return answered / took

    def _open(self) -> None:
        self._wait()
        self._connections = [self._connect() for _ in range(CONNECTIONS)]
        sizes = set()
        for connection in self._connections:
            connection.sendall(self._request)
            answer = b""
            while not answer.endswith(self._ending):
                answer += (piece := connection.recv(65536))
                if not piece or not b"HTTP/1.1 200 OK".startswith(answer[:15]):
                    raise Failed(f"the server answered {answer[:200]!r}")
            sizes.add(len(answer))
        (self._size,) = sizes

    def _wait(self) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                self._connect().close()
                return
            except ConnectionRefusedError:
                if self._process.poll() is not None:
                    raise Failed("uvicorn did not start; its message stands above") from None
                time.sleep(0.02)
        raise Failed("uvicorn did not listen within 20 seconds")

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(self._address, timeout=20)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _read(self, connection: socket.socket, expected: int) -> None:
        pieces = []
        while expected > 0:
            piece = connection.recv(expected)
            if not piece:
                raise Failed("the server closed the connection")
            pieces.append(piece)
            expected -= len(piece)
        if b"".join(pieces).count(self._ending) != PIPELINED:
            raise Failed("the server answered something else under load")

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@dataclass
class Served:
    """One case: requests per second of each side, and of the bare application in the same run."""

    name: str
    bare: float
    ours: float
    upstream: float

    @property
    def ratio(self) -> float:
        return self.ours / self.upstream


def measure(cases: Iterable[str], ours: Path | str, upstream: Path | str, rounds: int, seconds: float) -> list[Served]:
    """Return the result of each case; the best of alternating rounds counts."""
    cases = [case for case in cases if case != "bare ASGI"]
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    core = cores[0] if len(cores) > 1 else None
    if core is not None:
        # The load comes from another core than the one that is measured.
        os.sched_setaffinity(0, cores[1:])
    try:
        with ExitStack() as stack:
            servers = {("bare", ""): stack.enter_context(Server(ours, "bare ASGI", core))}
            for case in cases:
                servers["ours", case] = stack.enter_context(Server(ours, case, core))
                servers["upstream", case] = stack.enter_context(Server(upstream, case, core))
            best = dict.fromkeys(servers, 0.0)
            for number in range(rounds + 1):
                for key, server in servers.items():
                    rate = server.per_second(seconds if number else seconds / 4)
                    best[key] = max(best[key], rate)
    finally:
        if core is not None:
            os.sched_setaffinity(0, cores)
    bare = best["bare", ""]
    return [Served(case, bare, best["ours", case], best["upstream", case]) for case in cases]
