"""`python -m benchmarks field`: measure the field, print it, and write it down."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict
from typing import Any, Final

from benchmarks import page, results
from benchmarks.environments import ROOT
from benchmarks.field import candidates, client, turns
from benchmarks.field.workload import CASES, Case

# Over granian, the cases that tell the servers apart.
FEWER: Final = (
    "hello JSON",
    "path and query",
    "JSON echo, 1 KiB",
    "form post",
    "static file, 1 KiB",
    "streamed response",
    "WebSocket echo",
    "five middlewares",
)


def main(arguments: list[str]) -> int:
    """Measure what the arguments ask for; the exit status is 1 when nothing could be measured."""
    options = _options(arguments)
    if options.list:
        print("\n".join(case.name for case in CASES))
        return 0
    cases = [case for case in CASES if not options.case or any(text in case.name for text in options.case)]
    if not cases:
        sys.exit(f"no case has {' or '.join(map(repr, options.case))} in its name; --list prints them")
    began = time.monotonic()
    try:
        client.need_wrk()
        installed = candidates.install(candidates.chosen(options.candidate))
    except (RuntimeError, ValueError) as exc:
        sys.exit(str(exc))
    print(", ".join(f"{one.candidate.name} {one.version}".strip() for one in installed))
    measured = {
        group.name: turns.measure(group, _cases(group.name, cases, options.all), options.seconds, options.rounds, _say)
        for group in turns.groups(installed, options.server or ["uvicorn", "granian", "own"])
    }
    print(f"{time.monotonic() - began:.0f} s")
    if options.write and not options.check:
        results.save("field", _report(installed, measured, options))
        print(f"written to {page.write().relative_to(ROOT)}")
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks field", description="Measure other frameworks, each in its environment."
    )
    parser.add_argument("--candidate", action="append", default=[], help="only these, beside bare ASGI (repeatable)")
    parser.add_argument("--server", action="append", choices=["uvicorn", "granian", "own"], help="only over these")
    parser.add_argument("--case", action="append", default=[], help="only cases with this text in their name")
    parser.add_argument("--list", action="store_true", help="print the names of the cases")
    parser.add_argument("--all", action="store_true", help="all cases over granian too")
    parser.add_argument("--seconds", type=int, default=1, help="whole seconds of one timing (default: 1)")
    parser.add_argument("--rounds", type=int, default=3, help="timings of each candidate in each case (default: 3)")
    parser.add_argument("--check", action="store_true", help="only see that all answers are right; time nothing")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md, its plot and the figures")
    options = parser.parse_args(arguments)
    if options.check:
        options.rounds = 0
    return options


def _cases(group: str, cases: list[Case], everything: bool) -> list[Case]:
    return [case for case in cases if everything or group != "granian" or case.name in FEWER]


def _say(text: str) -> None:
    print(text, flush=True)


def _report(installed: list[Any], measured: dict[str, turns.Table], options: argparse.Namespace) -> dict[str, Any]:
    versions = {name: value for one in installed for name, value in one.versions.items() if name in candidates.SERVERS}
    return {
        "seconds": options.seconds,
        "rounds": options.rounds,
        "connections": client.CONNECTIONS,
        "servers": versions,
        "candidates": {one.candidate.name: one.version for one in installed},
        "groups": {
            group: {case: {name: asdict(cell) for name, cell in row.items()} for case, row in table.items()}
            for group, table in measured.items()
        },
    }
