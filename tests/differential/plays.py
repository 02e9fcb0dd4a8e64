"""Plays cases in processes of their own, one for each package and loop."""

from __future__ import annotations

import concurrent.futures
import pickle
import subprocess
import sys
from pathlib import Path

from benchmarks import environments
from tests.differential.case import Case

Transcripts = dict[str, list[str]]


def play(python: Path, loop: str, cases: bytes) -> Transcripts:
    """Return the transcripts of pickled cases under the package that an interpreter has, by the names of the cases."""
    command = [str(python), "-W", "ignore", "-m", "tests.differential.player", loop]
    done = subprocess.run(
        command,
        input=cases,
        capture_output=True,
        cwd=environments.ROOT,
        env=environments.clean(),
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{python} could not play: {done.stderr.decode(errors='replace')[-2000:]}")
    transcripts: Transcripts = pickle.loads(done.stdout)
    return transcripts


def both(upstream: Path, loop: str, cases: list[Case]) -> tuple[Transcripts, Transcripts]:
    """Return our transcripts and upstream's, played at the same time."""
    # Here and not in the threads: two that ask for the `__dict__` of one object at once, while a collection runs Python
    # callbacks (hypothesis has one), are given dicts that share their values, and CPython 3.11 frees these twice.
    pickled = pickle.dumps(cases)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        ours, theirs = pool.map(lambda python: play(python, loop, pickled), (Path(sys.executable), upstream))
    return ours, theirs
