"""The command: serve, ask for so many seconds, and judge memory and answers."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.soak.traffic import FILES, Client, Unexpected

ROOT: Final = Path(__file__).parents[2]
CLIENTS: Final = 16
WORKERS: Final = 2

# The most that the memory of one worker may grow, on the fitted line: bytes for each exchange of its own. The smallest
# object of Python has 16, so what is kept of every request shows. The line also follows the noise of the allocator: it
# must have climbed by the second figure as well, and in less than the third it says nothing.
BYTES_AN_EXCHANGE: Final = 8.0
NOISE: Final = 2 * 1024 * 1024
LONG_ENOUGH: Final = 300.0

# glibc keeps an arena for each thread and gives back only what lies on top, so that the resident size of a process with
# threads creeps up for hours although nothing is kept (the blocks that Python has allocated stay the same). With one
# arena, and with bodies mapped by themselves, what is left to grow is what the program keeps.
ALLOCATOR: Final = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "65536",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}

# Likewise for the blocks that Python has given out: one that is kept of every hundredth exchange shows.
BLOCKS_AN_EXCHANGE: Final = 0.01
NOISY_BLOCKS: Final = 2_000

# What a planned fault ends with in the log; nothing else may be there.
_PLANNED: Final = re.compile(r"^(?:\w+\.)*(Planned|ClientDisconnect)\b")
_HEADING: Final = "Exception in ASGI application"
_TROUBLE: Final = re.compile(
    r"^(?:[A-Z]+: |(?:\w+\.)*\w*(?:Error|Exception|Warning|Interrupt)\b)|was never|Exception ignored"
)

# Seconds, exchanges, bytes of memory, blocks of Python.
Sample = tuple[float, int, int, int]


def main() -> int:
    """Run for the seconds that the argument gives; the exit status is 1 when memory grew or something failed."""
    options = _options()
    with TemporaryDirectory() as files:
        for name, content in FILES.items():
            Path(files, name).write_bytes(content)
        with _served(files) as (process, port, log):
            began = time.monotonic()
            done, samples, failures = asyncio.run(_soak(options.seconds, port, process.pid, Path(files)))
            took = time.monotonic() - began
            stopped = _stop(process)
            text = log.read_text(errors="replace")
    failures += _judge_log(text, done)
    if stopped:
        failures.append(f"the server ended with status {stopped}")
    requests = sum(done.values()) - done["planned failures"] - done["planned disconnects"]
    print(f"{requests} exchanges in {took:.0f} s, {requests / took:.0f} a second, {CLIENTS} clients, {WORKERS} workers")
    failures += _judge_memory(samples, requests, options.seconds)
    for failure in failures[:20]:
        print(f"FAILED: {failure}")
    if options.json:
        Path(options.json).write_text(json.dumps({"done": done, "samples": samples, "failures": failures}))
    flat = "memory is flat" if options.seconds >= LONG_ENOUGH else "the run was too short to judge memory"
    print("Something failed." if failures else f"Nothing failed, and {flat}.")
    return int(bool(failures))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak", description="Mixed traffic against two workers of uvicorn.")
    parser.add_argument("seconds", nargs="?", type=float, default=600.0, help="how long (default: 600)")
    parser.add_argument("--json", help="a file to write the samples to")
    return parser.parse_args()


@contextmanager
def _served(files: str) -> Iterator[tuple[subprocess.Popen[bytes], int, Path]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "benchmarks.soak.application:app", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", str(WORKERS), "--no-access-log", "--log-level", "warning"]
    environment = {**os.environ, **ALLOCATOR, "SOAK_FILES": files, "SOAK_SECRET": secrets.token_hex(16)}
    log = Path(files).with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process, port, log
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        log.unlink()


def _stop(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGINT)
    try:
        return process.wait(30)
    except subprocess.TimeoutExpired:
        return -1


async def _soak(
    seconds: float, port: int, parent: int, counts: Path
) -> tuple[Counter[str], dict[int, list[Sample]], list[str]]:
    """Ask for so many seconds; return what was done, samples of each worker's memory, and what went wrong."""
    await _ready(port)
    done: Counter[str] = Counter()
    samples: dict[int, list[Sample]] = {}
    began = time.monotonic()
    workers = [
        asyncio.create_task(Client(port, seed, done).work(lambda: time.monotonic() - began > seconds))
        for seed in range(CLIENTS)
    ]
    failures: list[str] = []
    pending: set[asyncio.Task[None]] = set(workers)
    while pending and not failures:
        finished, pending = await asyncio.wait(pending, timeout=min(1.0, seconds / 60))
        for task in finished:
            error = task.exception()
            if isinstance(error, Unexpected):
                failures.append(str(error))
            elif error is not None:
                failures.append(repr(error))
        elapsed, count = time.monotonic() - began, sum(done.values())
        for worker in _workers(parent):
            samples.setdefault(worker, []).append((elapsed, count, _resident(worker), _blocks(counts, worker)))
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    return done, samples, failures


async def _ready(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if time.monotonic() > deadline:
                sys.exit("uvicorn does not listen")
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return


def _workers(parent: int) -> list[int]:
    """Return the processes that serve: children of uvicorn's own that have the application, not Python's helpers."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def _resident(process: int) -> int:
    """Return the bytes of memory that a process has, without the files that it maps."""
    fields = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"^RssAnon:\s+(\d+) kB", fields, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _blocks(counts: Path, process: int) -> int:
    """Return how many blocks Python has given out in a process, as that wrote it down last; 0 before it did."""
    try:
        return int((counts / f"{process}.blocks").read_text() or 0)
    except FileNotFoundError:
        return 0


def _judge_log(text: str, done: Counter[str]) -> list[str]:
    """Return what is in the log besides one traceback for each planned fault."""
    failures = []
    ends: Counter[str] = Counter()
    headings = 0
    for line in text.splitlines():
        if _HEADING in line:
            headings += 1
        elif planned := _PLANNED.match(line):
            ends[planned[1]] += 1
        elif _TROUBLE.search(line):
            failures.append(f"in the log: {line[:300]}")
    if ends["Planned"] != done["planned failures"]:
        failures.append(f"{ends['Planned']} errors logged for {done['planned failures']} planned ones")
    if ends["ClientDisconnect"] > done["planned disconnects"]:
        failures.append(f"{ends['ClientDisconnect']} disconnects for {done['planned disconnects']} planned ones")
    if headings != ends.total():
        failures.append(f"{headings} tracebacks for {ends.total()} planned faults")
    return failures


def _judge_memory(samples: dict[int, list[Sample]], requests: int, seconds: float) -> list[str]:
    """Print how the memory of each worker went after the warm-up, and return whose grew."""
    failures = []
    warm_up = min(120.0, seconds / 3)
    if len(samples) != WORKERS:
        failures.append(f"{len(samples)} workers were seen in place of {WORKERS}: one was replaced, or none was found")
    for worker, taken in enumerate(samples.values(), 1):
        warm = [sample for sample in taken if sample[0] >= warm_up]
        if len(warm) < 3:
            failures.append(f"worker {worker} ended within the warm-up")
            continue
        times = [when for when, _, _, _ in warm]
        counts = [count / WORKERS for _, count, _, _ in warm]
        memory = [size for _, _, size, _ in warm]
        blocks = [(count / WORKERS, number) for _, count, _, number in warm if number]
        a_block = slope(*zip(*blocks, strict=True)) if blocks else 0.0
        a_minute, a_request = 60 * slope(times, memory), slope(counts, memory)
        climbed = slope(times, memory) * (times[-1] - times[0])
        print(
            f"worker {worker}: {memory[0] / 2**20:.1f} MiB after {times[0]:.0f} s, {memory[-1] / 2**20:.1f} MiB at "
            f"the end, most {max(memory) / 2**20:.1f} MiB; slope {a_minute / 1024:+.1f} KiB a minute, "
            f"{a_request * 1000 / 1024:+.2f} KiB and {a_block * 1000:+.2f} blocks of Python per 1,000 exchanges"
        )
        if seconds >= LONG_ENOUGH and a_block > BLOCKS_AN_EXCHANGE and a_block * counts[-1] > NOISY_BLOCKS:
            failures.append(f"worker {worker} keeps {a_block:.3f} blocks of each exchange")
        if seconds >= LONG_ENOUGH and a_request > BYTES_AN_EXCHANGE and climbed > NOISE:
            failures.append(f"the memory of worker {worker} grows by {a_request:.1f} bytes an exchange")
    return failures


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Return the slope of the line with the least squares of errors."""
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    spread = sum((value - mean_x) ** 2 for value in x)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / spread if spread else 0.0


if __name__ == "__main__":
    sys.exit(main())
