"""Servers as their users run them: a process of their own, on a free port of the loopback interface.

Nothing here waits for a fixed time. Readiness is a socket that accepts, the end is the end of the process, and each
wait has a deadline whose message carries what the server wrote.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
ROOT = Path(__file__).parents[2]


# Seconds until a server must accept, and until it must have ended; generous, for busy machines.
START_DEADLINE = 30.0
STOP_DEADLINE = 30.0


@dataclass
class Server:
    """A running server, and what it has written so far."""

    process: subprocess.Popen[bytes]
    port: int
    output: Path

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def log(self) -> str:
        """What it has written; nothing any more when its directory is gone, as after a failure at the end."""
        try:
            return self.output.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def connect(self) -> socket.socket:
        """Open a raw connection, whose operations end after ten seconds at the latest."""
        return socket.create_connection((HOST, self.port), timeout=10)

    def exchange(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send raw bytes on a connection of their own; return the status, the headers and all that follows.

        The request must ask for `Connection: close`, since the end of the body is the end of the connection.
        """
        with self.connect() as connection:
            connection.sendall(request)
            received = b"".join(iter(lambda: connection.recv(65536), b""))
        head, _, body = received.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        fields = (line.partition(":") for line in lines)
        return int(status.split(" ")[1]), {name.lower(): value.strip() for name, _, value in fields}, body

    def stop(self) -> int:
        """Ask the server to end as Ctrl-C does, wait for it and return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the server did not stop within {STOP_DEADLINE} s:\n{self.log}") from None


@contextmanager
def serve(command: Callable[[int], Sequence[str]], directory: Path = ROOT) -> Iterator[Server]:
    """Run the server that `command(port)` names in `directory`, ready to be asked, and end it afterwards."""
    port = free_port()
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch, "output")
        with output.open("wb") as log:
            # A session of its own, so that nothing of it can be left behind.
            process = subprocess.Popen(
                command(port), cwd=directory, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        server = Server(process, port, output)
        try:
            wait_until_accepting(server)
            yield server
            server.stop()
        finally:
            _end(process)


def uvicorn(application: str, *options: str) -> Callable[[int], Sequence[str]]:
    """Return the command line of uvicorn for `application`."""
    return lambda port: [sys.executable, "-m", "uvicorn", application, "--host", HOST, "--port", str(port), *options]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def wait_until_accepting(server: Server) -> None:
    """Return when the server accepts connections; AssertionError when it ends before, or takes too long."""
    deadline = time.monotonic() + START_DEADLINE
    while time.monotonic() < deadline:
        try:
            server.connect().close()
            return
        except OSError:
            # The pause between two attempts is a wait for the process, which ends it at once.
            if _ended_within(server.process, 0.02):
                raise AssertionError(f"the server ended with {server.process.returncode}:\n{server.log}") from None
    raise AssertionError(f"the server did not accept within {START_DEADLINE} s:\n{server.log}")


def broke_down(server: Server) -> bool:
    """Tell whether the server died of a fault of its own.

    Hypercorn's worker for Trio ends when two of its tasks write to one connection at the same time, as when the
    application's last frame meets the answer to the client's closing frame.
    """
    return "hypercorn/trio/tcp_server.py" in server.log and "trio.BusyResourceError" in server.log


def eventually(question: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float = 20.0) -> bool:
    """Ask until the answer is true, and return it; False after `seconds`, or when the process has ended."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        if time.monotonic() > deadline or _ended_within(process, 0.02):
            return question()
    return answer


def browser() -> tuple[str, str] | None:
    """Return the paths of Chromium and of its driver, or None where there is no browser."""
    chromium, driver = shutil.which("chromium") or shutil.which("chromium-browser"), shutil.which("chromedriver")
    return (chromium, driver) if chromium and driver else None


def _ended_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
        return True
    except subprocess.TimeoutExpired:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """Leave no process of the server's session behind, whatever happened."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait(STOP_DEADLINE)
