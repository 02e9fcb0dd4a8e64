"""`python -m benchmarks allocations`: blocks of memory per request, and runs of the collector; ours and upstream.

Blocks are what Python asks its allocators for, counted by a small library that is compiled for it; what comes from free
lists (a few kinds of small objects) is not asked for. Without a C compiler only the collector's runs are counted.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from benchmarks import page, results
from benchmarks.case import Work
from benchmarks.cases import find
from benchmarks.environments import ROOT, clean
from benchmarks.field import candidates
from benchmarks.field.candidates import OURS, THEIRS

CASES: Final = (
    "bare ASGI (the floor)",
    "hello JSON",
    "path, query and header parameters",
    "1,000 routes: last",
    "two nested mounts",
    "five ASGI middlewares",
    "BaseHTTPMiddleware",
    "handled exception",
    "404",
    "session: load and save",
    "JSON body",
    "url-encoded form: 3 fields",
    "multipart: 3 fields",
    "websocket: 100 echoes",
    "static file: 1 KiB",
    "StreamingResponse: 1,000 chunks",
)

FEW: Final = 100
MANY: Final = 1000

Figures = dict[str, float]


def main(arguments: list[str]) -> int:
    """Count for both sides, print, and write down when asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks allocations", description="Count allocations.")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md and the figures")
    parser.add_argument("--worker", metavar="LIBRARY", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker is not None:
        print(json.dumps(_work(options.worker)))
        return 0
    try:
        wanted = [one for one in candidates.CANDIDATES if one.name in (OURS, THEIRS)]
        sides = candidates.install(wanted)
    except RuntimeError as exc:
        sys.exit(str(exc))
    with tempfile.TemporaryDirectory() as folder:
        library = _compiled(Path(folder))
        if library is None:
            print("no C compiler was found (cc): blocks are not counted", file=sys.stderr)
        found = {side.candidate.name: _counted(side.python, library) for side in sides}
    _print(found)
    if options.write:
        results.save("allocations", {"cases": found})
        print(f"written to {page.write().relative_to(ROOT)}")
    return 0


def _compiled(folder: Path) -> Path | None:
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    library = folder / "counter.so"
    source = str(ROOT / "benchmarks" / "counter.c")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", str(library), source], check=True)
    return library


def _counted(python: Path, library: Path | None) -> dict[str, Figures]:
    command = [str(python), "-m", "benchmarks", "allocations", "--worker", str(library or "")]
    environment = clean() | {"PYTHONHASHSEED": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Figures] = json.loads(done.stdout)
    return found


def _work(path: str) -> dict[str, Figures]:
    counter = ctypes.PyDLL(path) if path else None
    found = {}
    with asyncio.Runner() as runner:
        for name in CASES:
            work = find(name).prepare()
            runner.run(work.seconds(20))
            found[name] = _collections(work, runner) | (_blocks(work, runner, counter) if counter else {})
    return found


def _collections(work: Work, runner: asyncio.Runner) -> Figures:
    """Return how often the collector ran in 1,000 requests, over all generations, and what it found."""
    gc.collect()
    before = gc.get_stats()
    runner.run(work.seconds(MANY))
    after = gc.get_stats()
    pairs = list(zip(after, before, strict=True))
    runs = sum(now["collections"] - then["collections"] for now, then in pairs)
    return {"runs": runs, "collected": sum(now["collected"] - then["collected"] for now, then in pairs)}


def _blocks(work: Work, runner: asyncio.Runner, counter: Any) -> Figures:
    """Return blocks and bytes per request: what so many more requests add."""
    gc.collect()
    gc.disable()
    blocks, sizes = (ctypes.c_ulonglong.in_dll(counter, name) for name in ("blocks", "bytes"))
    seen = []
    for count in (FEW, 2 * FEW):
        counter.start()
        try:
            runner.run(work.seconds(count))
        finally:
            counter.stop()
        seen.append((blocks.value, sizes.value))
    gc.enable()
    return {"blocks": (seen[1][0] - seen[0][0]) / FEW, "bytes": (seen[1][1] - seen[0][1]) / FEW}


def _print(found: dict[str, dict[str, Figures]]) -> None:
    columns = (("blocks", "blocks"), ("bytes", "bytes"), ("runs", "gc per 1,000"))
    print(f"{'per request: ours, upstream':<36}" + "".join(f"{title:>22}" for _, title in columns))
    for name in CASES:
        ours, theirs = found[OURS][name], found[THEIRS][name]
        cells = [f"{ours[key]:,.0f} {theirs[key]:>10,.0f}" if key in ours else "-" for key, _ in columns]
        print(f"{name:<36}" + "".join(f"{cell:>22}" for cell in cells))
