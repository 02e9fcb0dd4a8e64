"""`python -m benchmarks growth`: how cost grows, what an idle connection and a start cost; ours and upstream."""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks import idle, inprocess, page, results
from benchmarks.cases.growing import KINDS
from benchmarks.environments import ROOT, clean
from benchmarks.field import candidates, client
from benchmarks.field.candidates import BARE, OURS, THEIRS, Installed
from benchmarks.field.servers import Server
from benchmarks.field.workload import CASES

CONNECTIONS: Final = (1, 10, 100, 1000, 5000)
PARTS: Final = (*KINDS, "connections", "idle", "start")
HELLO: Final = CASES[0]


def main(arguments: list[str]) -> int:
    """Measure the parts that the arguments name, print them, and write them down when asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks growth", description="Measure how cost grows.")
    parser.add_argument("--only", action="append", choices=PARTS, help="only these parts (repeatable)")
    parser.add_argument("--rounds", type=int, default=3, help="timings of each side (default: 3)")
    parser.add_argument("--slice", type=float, default=0.1, help="seconds of one timing in process (default: 0.1)")
    parser.add_argument("--seconds", type=int, default=2, help="whole seconds of one timing over HTTP (default: 2)")
    parser.add_argument("--idle", type=int, default=2000, help="idle connections that are weighed (default: 2000)")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md, its plots and the figures")
    options = parser.parse_args(arguments)
    parts = options.only or list(PARTS)
    began = time.monotonic()
    try:
        if "connections" in parts:
            client.need_wrk()
        wanted = [one for one in candidates.CANDIDATES if one.name in (BARE, OURS, THEIRS)]
        sides = {one.candidate.name: one for one in candidates.install(wanted)}
    except RuntimeError as exc:
        sys.exit(str(exc))
    allow_sockets()
    found = results.load("growth") or {}
    for part in parts:
        found[part] = _measure(part, sides, options)
    print(f"{time.monotonic() - began:.0f} s")
    if options.write:
        results.save("growth", found | {"idle connections": options.idle})
        print(f"written to {page.write().relative_to(ROOT)}")
    return 0


def allow_sockets() -> None:
    """Raise the limit of open files to what is allowed, for this process and those it starts."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _measure(part: str, sides: dict[str, Installed], options: argparse.Namespace) -> Any:
    if part in KINDS:
        return _in_process(part, sides, options)
    if part == "connections":
        return _connections(sides, options)
    if part == "idle":
        return _idle(sides, options)
    return _start(sides)


def _in_process(kind: str, sides: dict[str, Installed], options: argparse.Namespace) -> list[dict[str, float]]:
    print(f"\n{kind + ', microseconds':<24} {OURS:>12} {THEIRS:>12}")
    names = {name: number for number, name in KINDS[kind]}
    rows = []
    measured = inprocess.measure(names, sides[OURS].python, sides[THEIRS].python, options.rounds, options.slice)
    for result in measured:
        if not result.measured:
            raise SystemExit(f"{result.name}: {result.skipped or result.failed}")
        ours, theirs = min(result.ours, result.again) * 1e6, result.upstream * 1e6
        print(f"{names[result.name]:<24,} {ours:>12,.1f} {theirs:>12,.1f}", flush=True)
        rows.append({"number": names[result.name], OURS: ours, THEIRS: theirs})
    return rows


@contextmanager
def _servers(sides: dict[str, Installed]) -> Iterator[dict[str, Server]]:
    core, others = candidates.cores()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack, candidates.kept_to(others):
        servers = {
            name: stack.enter_context(Server(side, "uvicorn", "main", Path(folder), core))
            for name, side in sides.items()
        }
        for server in servers.values():
            server.wait()
        yield servers


def _connections(sides: dict[str, Installed], options: argparse.Namespace) -> list[dict[str, Any]]:
    print(f"\n{'connections, requests/s':<24}" + "".join(f"{name:>12}{'p99 ms':>8}" for name in sides))
    rows = []
    with _servers(sides) as servers:
        for server in servers.values():
            client.check(server.port, HELLO, client.WARM_UP)
        for number in CONNECTIONS:
            loads: dict[str, list[client.Load]] = {name: [] for name in servers}
            for _ in range(options.rounds):
                for name, server in servers.items():
                    # Opening thousands takes a while, and `wrk` begins to count before they are open.
                    loads[name].append(client.load(server.port, HELLO, options.seconds + number // 1000, number))
            row: dict[str, Any] = {"number": number}
            for name, some in loads.items():
                row[name] = statistics.median(load.rate for load in some)
                row[f"{name} p99"] = statistics.median(load.p99 for load in some) / 1000
            print(f"{number:<24,}" + "".join(f"{row[name]:>12,.0f}{row[f'{name} p99']:>8.1f}" for name in sides))
            rows.append(row)
    return rows


def _idle(sides: dict[str, Installed], options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Return bytes of resident memory per idle connection, by kind and side; the median of some fresh servers."""
    print(f"\n{'bytes per idle one':<24}" + "".join(f"{name:>12}" for name in sides))
    opens: dict[str, Callable[[int], Any]] = {"HTTP, kept alive": idle.kept_alive, "WebSocket": idle.websocket}
    found: dict[str, dict[str, float]] = {}
    for kind, open_one in opens.items():
        weights: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(options.rounds):
            with _servers(sides) as servers:
                for name, server in servers.items():
                    weights[name].append(idle.weigh(server, open_one, options.idle))
        found[kind] = {name: statistics.median(some) for name, some in weights.items()}
        print(f"{kind:<24}" + "".join(f"{found[kind][name]:>12,.0f}" for name in sides), flush=True)
    return found


def _start(sides: dict[str, Installed], rounds: int = 15) -> dict[str, dict[str, float]]:
    """Return milliseconds, and MiB in use after it, by what is done and side: the best of some processes."""
    print(f"\n{'start, ms (MiB after)':<24} {OURS:>16} {THEIRS:>16}")
    found: dict[str, dict[str, float]] = {}
    for what in ("import", "1,000 routes"):
        best: dict[str, float] = {}
        for _ in range(rounds):
            for name in (OURS, THEIRS):
                command = [str(sides[name].python), "-m", "benchmarks.start", what]
                done = subprocess.run(command, cwd=ROOT, env=clean(), check=True, capture_output=True, text=True)
                milliseconds, mebibytes = (float(word) for word in done.stdout.split())
                best[name] = min(best.get(name, milliseconds), milliseconds)
                best[f"{name} MiB"] = min(best.get(f"{name} MiB", mebibytes), mebibytes)
        found[what] = best
        shown = "".join(f" {best[name]:>9.1f} ({best[f'{name} MiB']:.1f})" for name in (OURS, THEIRS))
        print(f"{what:<24}{shown}", flush=True)
    return found
