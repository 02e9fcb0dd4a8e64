"""What an idle connection weighs: resident memory of a server before and after many were opened."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.field.client import echo, open_websocket
from benchmarks.field.servers import Server, Unable
from benchmarks.field.workload import CASES

WARM_UP: Final = 100

_REQUEST: Final = f"GET {CASES[0].path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode()
_RESIDENT: Final = re.compile(r"^VmRSS:\s+(\d+) kB$", re.MULTILINE)


def kept_alive(port: int) -> socket.socket:
    """Return a connection that had one answer."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.sendall(_REQUEST)
    answer = b""
    while not answer.endswith(b"}"):
        piece = connection.recv(4096)
        if not piece:
            raise Unable("the server closed an idle connection")
        answer += piece
    return connection


def websocket(port: int) -> socket.socket:
    """Return a WebSocket that had one echo."""
    connection = open_websocket(port, "/socket")
    echo(connection)
    return connection


def weigh(server: Server, open_one: Callable[[int], socket.socket], number: int) -> float:
    """Return how many bytes a server grows by for each of so many connections, which wait at its end."""
    for _ in range(WARM_UP):
        open_one(server.port).close()
    time.sleep(0.5)
    before = resident(server.process.pid)
    connections: list[socket.socket] = []
    try:
        connections.extend(open_one(server.port) for _ in range(number))
        time.sleep(0.5)
        return (resident(server.process.pid) - before) / number
    finally:
        for connection in connections:
            connection.close()


def resident(process: int) -> int:
    """Return the bytes of memory that a process has in use (Linux)."""
    match = _RESIDENT.search(Path(f"/proc/{process}/status").read_text(encoding="utf-8"))
    if match is None:
        raise Unable(f"process {process} does not tell its memory")
    return int(match[1]) * 1024
