"""A PostgreSQL server for tests: a cluster of its own in a temporary folder, on a free port of the loopback interface.

Its programs come from the package of the distribution, such as Debian's `postgresql`. They refuse to run as root, so
there they run as an unprivileged user. Nothing of an installed server is touched, and nothing stays, even of tests
that are killed.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from tests.servers.support import HOST, free_port

PROGRAMS: Final = ("initdb", "postgres", "psql")
USER: Final = "asterism"

# Seconds for a new cluster to be made, and for a server to answer; generous, for busy machines.
DEADLINE: Final = 120.0

# Waits for the end of its input, which is the end of who started it; then ends the server and removes its folder.
GUARD: Final = """
cat >/dev/null
if read -r pid <"$1/data/postmaster.pid"; then
    kill -QUIT "$pid"
    while kill -0 "$pid"; do sleep 0.1; done
fi
rm -rf "$1"
"""

# What is promised to survive is not tested by cutting the power, so nothing waits for the disk.
SETTINGS: Final = {
    "listen_addresses": HOST,
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "16MB",
}


def programs() -> Path | None:
    """Return the folder of `initdb`, `postgres` and `psql`, or None where PostgreSQL is not installed."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    # Debian keeps each version apart, and off the path.
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    return next((folder for folder in folders if all((folder / name).exists() for name in PROGRAMS)), None)


def _version(folder: Path) -> float:
    name = folder.parent.name
    return float(name) if name.replace(".", "", 1).isdigit() else 0.0


@dataclass(frozen=True)
class Account:
    """Who the server runs as; all None means us."""

    user: int | None = None
    group: int | None = None
    extra_groups: list[int] | None = None


def account() -> Account:
    """Return an unprivileged account if we are root."""
    if os.geteuid() != 0:
        return Account()
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(found.pw_uid, found.pw_gid, [])
    raise RuntimeError("there is no user to run PostgreSQL as: neither postgres nor nobody")


@dataclass
class Cluster:
    """A running server."""

    folder: Path
    port: int

    def __post_init__(self) -> None:
        self._numbers = count(1)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{USER}@{HOST}:{self.port}/{database}"

    def create_database(self) -> str:
        """Make an empty database and return its URL."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def execute(self, statement: str, url: str | None = None) -> str:
        """Run a statement in a session of its own; return the rows that it gives, without decoration."""
        command: list[str | Path] = [
            self.folder / "psql",
            "--no-psqlrc",
            "-qtAX",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            url or self.url(),
        ]
        done = subprocess.run(
            [*command, "-c", statement], capture_output=True, text=True, timeout=DEADLINE, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()

    @contextmanager
    def session(self, url: str) -> Iterator[Session]:
        """Open a session that goes on while others work."""
        command = [str(self.folder / "psql"), "-qtAX", "-v", "ON_ERROR_STOP=1", "-d", url]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            yield Session(process)


@dataclass
class Session:
    """A session of psql."""

    process: subprocess.Popen[str]

    def send(self, statements: str) -> None:
        """Run statements, and return when they are done."""
        if self.process.stdin is None or self.process.stdout is None:
            raise AssertionError
        self.process.stdin.write(f"{statements}\n\\echo done\n")
        self.process.stdin.flush()
        if self.process.stdout.readline() != "done\n":
            raise RuntimeError(f"psql ended with {self.process.wait(DEADLINE)}")


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Run a server in a cluster of its own, ready to be asked, and remove both afterwards."""
    folder = programs()
    if folder is None:
        raise RuntimeError("PostgreSQL is not installed")
    who = account()
    with _guarded_folder(who) as home:
        data = home / "data"
        made = subprocess.run(
            [folder / "initdb", "-D", data, "-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"],
            capture_output=True,
            cwd=home,
            timeout=DEADLINE,
            check=False,
            user=who.user,
            group=who.group,
            extra_groups=who.extra_groups,
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr.decode(errors='replace')}")
        process, port = _start(folder, home, who)
        try:
            yield Cluster(folder, port)
        finally:
            process.send_signal(signal.SIGQUIT)  # at once: what is in there is thrown away
            process.wait(DEADLINE)


@contextmanager
def _guarded_folder(who: Account) -> Iterator[Path]:
    """Make a folder for a cluster; it goes, with the server in it, when it is left or this process is killed."""
    # Not below pytest's folder, which only its owner may enter.
    home = Path(tempfile.mkdtemp(prefix="asterism-postgresql-"))
    # It keeps no output open, as whoever reads that of the tests would wait for it.
    with subprocess.Popen(
        ["sh", "-c", GUARD, "sh", home],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ):
        if who.user is not None and who.group is not None:
            os.chown(home, who.user, who.group)
        yield home


def _start(folder: Path, home: Path, who: Account) -> tuple[subprocess.Popen[bytes], int]:
    """Start the server; on another port when somebody else was faster to take the one that was free."""
    options = [f"-c{name}={value}" for name, value in SETTINGS.items()]
    log = home / "log"
    for left in (2, 1, 0):
        port = free_port()
        with log.open("wb") as output:
            process = subprocess.Popen(
                [folder / "postgres", "-D", home / "data", f"-p{port}", f"-cunix_socket_directories={home}", *options],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=home,
                start_new_session=True,
                user=who.user,
                group=who.group,
                extra_groups=who.extra_groups,
            )
        try:
            _wait(home / "data" / "postmaster.pid", process, log)
            return process, port
        except BaseException:
            process.kill()
            process.wait(DEADLINE)
            if not left or b"in use" not in log.read_bytes():
                raise
    raise AssertionError


def _wait(pidfile: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the server says in its file that it is ready."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        try:
            lines = pidfile.read_text().splitlines()
        except OSError:
            lines = []
        if len(lines) > 7 and lines[7].strip() == "ready":
            return
        try:
            process.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
        raise RuntimeError(f"PostgreSQL ended with {process.returncode}:\n{log.read_text(errors='replace')}")
    raise RuntimeError(f"PostgreSQL was not ready within {DEADLINE} s:\n{log.read_text(errors='replace')}")
