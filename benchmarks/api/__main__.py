"""Runs the three sides in turns and prints how they compare."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks.api.workload import EXCHANGES
from benchmarks.environments import ROOT, clean, ensure, versions

# The newest; it brings the newest upstream core.
RIVAL: Final = ("fastapi", "msgspec")
ROUNDS: Final = 9
SLICE: Final = 0.15


class Side:
    """One implementation in a process of its own."""

    def __init__(self, name: str, python: str) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [python, "-m", "benchmarks.api.worker", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=clean(),
        )

    def seconds(self, number: int, count: int) -> float:
        """Repeat an exchange and return the seconds of one."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("the worker has no pipes")
        self.process.stdin.write(f"{number} {count}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the worker for {self.name} failed")
        return float(answer) / count

    def close(self) -> None:
        """End the process."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait(timeout=10)


def measure(sides: list[Side], rounds: int) -> dict[str, dict[str, float]]:
    """Return the best microseconds of each exchange for each side."""
    found: dict[str, dict[str, float]] = {}
    for number, exchange in enumerate(EXCHANGES):
        counts = [max(int(SLICE / side.seconds(number, 200)), 50) for side in sides]
        best = dict.fromkeys((side.name for side in sides), float("inf"))
        for _ in range(rounds):
            for side, count in zip(sides, counts, strict=True):
                best[side.name] = min(best[side.name], side.seconds(number, count) * 1e6)
        found[exchange.name] = best
    return found


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the microseconds as JSON")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each side has its turn")
    parser.add_argument("--python", help="an interpreter that has FastAPI, in place of an environment made for it")
    options = parser.parse_args(arguments)
    rival = options.python or str(ensure(f".venv-fastapi-{sys.implementation.cache_tag}", RIVAL))
    sides = [Side("typed", sys.executable), Side("rival", rival), Side("plain", sys.executable)]
    try:
        found = measure(sides, options.rounds)
    finally:
        for side in sides:
            side.close()
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    shown = versions(Path(rival), ["fastapi", "starlette", "pydantic"])
    print(" ".join(f"{name} {version}" for name, version in shown.items()))
    print("| | typed, µs | FastAPI, µs | by hand, µs | times faster than FastAPI | times the time of by hand |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, best in found.items():
        typed, other, plain = best["typed"], best["rival"], best["plain"]
        print(f"| {name} | {typed:.1f} | {other:.1f} | {plain:.1f} | {other / typed:.1f} | {typed / plain:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
