"""The PostgreSQL server of the tests leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.postgresql import DEADLINE, cluster, programs

pytestmark = pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed")

FOLDER = "SHOW data_directory"
RUN = f"""
from tests.postgresql import cluster
with cluster() as running:
    print(running.execute({FOLDER!r}), flush=True)
    input()
"""


def test_nothing_stays_of_a_server_that_is_left() -> None:
    with cluster() as running:
        home = Path(running.execute(FOLDER)).parent
        assert home.is_dir()
    assert not home.exists()


def test_nothing_stays_of_a_server_whose_tests_are_killed() -> None:
    command = [sys.executable, "-c", RUN]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout is not None
        home = Path(tests.stdout.readline().strip()).parent
        server = int((home / "data" / "postmaster.pid").read_text().splitlines()[0])
        tests.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + DEADLINE
    while home.exists() or Path(f"/proc/{server}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
