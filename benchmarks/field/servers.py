"""A server process that holds one application, on one core."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Final

from benchmarks.environments import ROOT, clean, pinned
from benchmarks.field.candidates import Installed

UVICORN: Final = [
    *("--http", "httptools", "--loop", "uvloop", "--no-access-log", "--log-level", "warning"),
    *("--backlog", "8192"),
]
GRANIAN: Final = [
    "--interface",
    "asgi",
    "--loop",
    "uvloop",
    "--workers",
    "1",
    "--no-access-log",
    "--log-level",
    "error",
]


class Unable(Exception):
    """A server did not start, or a case was answered wrongly."""


def command(installed: Installed, server: str, port: int) -> list[str]:
    """Return the command line; `server` is "uvicorn", "granian", "hypercorn" or "own"."""
    module = f"benchmarks.field.programs.{installed.candidate.program}"
    python = [str(installed.python), "-m"]
    if server == "own":
        server = installed.candidate.own
    if server == "uvicorn":
        return [*python, "uvicorn", f"{module}:app", "--port", str(port), *UVICORN]
    if server == "granian":
        return [*python, "granian", f"{module}:app", "--host", "127.0.0.1", "--port", str(port), *GRANIAN]
    if server == "hypercorn":
        options = ["--bind", f"127.0.0.1:{port}", "--worker-class", "uvloop", "--workers", "0"]
        return [*python, "hypercorn", *options, "--log-level", "ERROR", f"{module}:app"]
    return [*python, module, str(port)]


class Server:
    """A running server.

    Args:
        installed: Whose application.
        server: As for `command`.
        kind: Which application, see `workload`.
        files: The folder of the static files.
        core: The core it stays on; None for no choice.
    """

    def __init__(self, installed: Installed, server: str, kind: str, files: Path, core: int | None) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self.name = f"{installed.candidate.name} on {server} ({kind})"
        environment = clean() | {"FIELD_KIND": kind, "FIELD_FILES": str(files)}
        arguments = [*pinned(core), *command(installed, server, self.port)]
        # What servers say of themselves on standard output goes where it does not disturb the report.
        self.process = subprocess.Popen(
            arguments, cwd=ROOT, env=environment, stdout=sys.stderr, stdin=subprocess.DEVNULL
        )

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def wait(self, seconds: float = 60) -> None:
        """Wait until it listens.

        Raises:
            Unable: It ended, or does not listen after so many seconds.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    raise Unable(f"{self.name} did not start; its message stands above") from None
                time.sleep(0.05)
        raise Unable(f"{self.name} did not listen within {seconds:.0f} seconds")
