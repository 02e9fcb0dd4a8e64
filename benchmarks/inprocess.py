"""Measures the cases in worker processes, one per implementation and one more of ours for the noise."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.environments import ROOT, clean


class Failed(Exception):
    """A worker could not do what it was told, or a case answered wrongly."""


class Skipped(Exception):
    """A case needs something that an implementation does not have."""


@dataclass
class Result:
    """One case: the best time of each side in seconds per repetition, or why there is none."""

    name: str
    ours: float = 0.0
    again: float = 0.0
    upstream: float = 0.0
    skipped: str = ""
    failed: str = ""
    samples: dict[str, list[float]] = field(default_factory=dict)

    @property
    def measured(self) -> bool:
        return not self.skipped and not self.failed

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.upstream / min(self.ours, self.again)

    @property
    def noise(self) -> float:
        """How far two processes of ours differ: what a ratio must exceed to mean something."""
        return abs(self.ours / self.again - 1)


class Process:
    """A worker process, spoken to in lines."""

    def __init__(self, python: Path | str) -> None:
        self._process = subprocess.Popen(
            [str(python), "-m", "benchmarks.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=clean(),
        )
        self.version = self._read()["starlette"]

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(timeout=10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def tell(self, **command: Any) -> Any:
        """Send one command and return the answer; `Skipped` or `Failed` when it says so."""
        if self._process.stdin is None:
            raise Failed("the worker was started without a pipe")
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        answer = self._read()
        if "skipped" in answer:
            raise Skipped(answer["skipped"])
        if "failed" in answer:
            raise Failed(answer["failed"])
        return answer

    def seconds(self, count: int) -> float:
        """Return the time of `count` repetitions."""
        return float(self.tell(run=count)["seconds"])

    def _read(self) -> Any:
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line:
            raise Failed("the worker ended; its message stands above")
        return json.loads(line)


def measure(
    names: Iterable[str], ours: Path | str, upstream: Path | str, rounds: int, slice_seconds: float
) -> Iterator[Result]:
    """Yield the result of each case.

    Rounds alternate between the sides, so that whatever disturbs the machine meets all of them; the best round counts.

    Args:
        names: Names of cases.
        ours: Our interpreter.
        upstream: Upstream's interpreter.
        rounds: How often each side is timed.
        slice_seconds: About how long one timing takes.
    """
    with ExitStack() as stack:
        sides = {
            "ours": stack.enter_context(Process(ours)),
            "again": stack.enter_context(Process(ours)),
            "upstream": stack.enter_context(Process(upstream)),
        }
        if sides["ours"].version == sides["upstream"].version:
            raise Failed(f"both interpreters have starlette {sides['ours'].version}")
        for name in names:
            yield _one(name, sides, rounds, slice_seconds)


def _one(name: str, sides: dict[str, Process], rounds: int, slice_seconds: float) -> Result:
    result = Result(name)
    try:
        for side in sides.values():
            side.tell(prepare=name)
            # What is built at the first requests, such as an index of routes, is not part of a request.
            side.seconds(3)
        counts = {label: _calibrate(side, slice_seconds) for label, side in sides.items()}
        counts["again"] = counts["ours"]
        result.samples = {label: [] for label in sides}
        for number in range(rounds):
            order = list(sides)
            for label in order[number % 3 :] + order[: number % 3]:
                result.samples[label].append(sides[label].seconds(counts[label]) / counts[label])
        for label, samples in result.samples.items():
            setattr(result, label, min(samples))
    except Skipped as exc:
        result.skipped = str(exc)
    except Failed as exc:
        result.failed = str(exc)
    for side in sides.values():
        side.tell(drop=True)
    return result


def _calibrate(side: Process, slice_seconds: float) -> int:
    """Return how many repetitions fill a slice, after running that many once to warm up."""
    count = 1
    while True:
        took = side.seconds(count)
        if took >= slice_seconds / 4:
            return max(1, round(count * slice_seconds / took))
        count = max(count * 2, min(count * 16, round(count * slice_seconds / 3 / max(took, 1e-7))))
