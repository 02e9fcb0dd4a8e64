"""Counts what a request costs in bytecode instructions and Python calls. No clock is asked, so no noise is counted.

`python -m tests.architecture.costs` prints the figures, `--record` writes them to `costs.json` for this version of
Python. It counts in a process of its own, with nothing that traces, and with a fixed hash seed.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import importlib.metadata
import json
import platform
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

import asterism
import starlette
from benchmarks.case import Work
from benchmarks.cases import find
from benchmarks.environments import ROOT, clean

# Names of benchmark cases. An endpoint in a worker thread is not among them: it takes one of several ways, by which of
# two threads is first, and so its cost varies by a tenth.
CASES: Final = (
    "hello JSON",
    "path, query and header parameters",
    "1,000 routes: last",
    "1,000 routes: none",
    "1,000 routes: a parameter, behind them",
    "two nested mounts",
    "five ASGI middlewares",
    "BaseHTTPMiddleware",
    "three BaseHTTPMiddlewares",
    "handled exception",
    "404",
    "405",
    "slash redirect",
    "CORS preflight",
    "CORS, gzip, session, trusted host",
    "session: load and save",
    "Request: header, query and cookie",
    "url_for, into a mount",
    "JSON body",
    "url-encoded form: 3 fields",
    "multipart: 3 fields",
    "websocket: 100 echoes",
    "Response: headers and a cookie, sent",
    "StreamingResponse: 1,000 chunks",
    "static file: 1 KiB",
)

# What waits for a thread has no totals: the event loop turns as often as the thread takes.
THREADED: Final = {"static file: 1 KiB"}

# What the totals depend on besides ours. They are compared only where these, and Python, are as they were recorded.
USED: Final = ("anyio", "itsdangerous", "python-multipart")

DATA: Final = Path(__file__).with_name("costs.json")
VERSION: Final = f"{sys.version_info.major}.{sys.version_info.minor}"

OURS: Final = tuple(str(Path(str(package.__file__)).parent) for package in (starlette, asterism))
HARNESS: Final = (str(ROOT / "benchmarks"), str(Path(__file__)))

Figures = dict[str, int]


class Meter:
    """Counts, while it is on, instructions and calls: those of our package, and all but the harness's."""

    def __init__(self) -> None:
        self.on = False
        # Turns events on and off, where they cost something even when nothing is counted.
        self.switch: Callable[[bool], None] = lambda on: None
        self.instructions = {True: 0, False: 0}
        self.calls = {True: 0, False: 0}

    def read(self) -> Figures:
        """Return the counts, and begin anew."""
        ours, others = self.instructions[True], self.instructions[False]
        calls, other_calls = self.calls[True], self.calls[False]
        self.instructions = {True: 0, False: 0}
        self.calls = {True: 0, False: 0}
        return {"ours": ours, "our calls": calls, "all": ours + others, "all calls": calls + other_calls}


@functools.cache
def is_ours(file: str) -> bool | None:
    """Tell whether the code of a file is ours; None when it belongs to the harness, which is not counted."""
    if file.startswith(HARNESS):
        return None
    return file.startswith(OURS)


if sys.version_info >= (3, 12):

    @contextmanager
    def counting(meter: Meter) -> Any:
        """Count instructions by the events of `sys.monitoring`, which all threads give."""
        monitoring = sys.monitoring
        tool = monitoring.PROFILER_ID
        events = monitoring.events

        def call(code: CodeType, offset: int, *rest: object) -> None:
            if meter.on and (ours := is_ours(code.co_filename)) is not None:
                meter.calls[ours] += 1

        def instruction(code: CodeType, offset: int) -> None:
            if meter.on and (ours := is_ours(code.co_filename)) is not None:
                meter.instructions[ours] += 1

        wanted = events.PY_START | events.PY_RESUME | events.PY_THROW | events.INSTRUCTION
        monitoring.use_tool_id(tool, "costs")
        for event in (events.PY_START, events.PY_RESUME, events.PY_THROW):
            monitoring.register_callback(tool, event, call)
        monitoring.register_callback(tool, events.INSTRUCTION, instruction)
        meter.switch = lambda on: monitoring.set_events(tool, wanted if on else 0)
        try:
            yield
        finally:
            monitoring.free_tool_id(tool)

else:

    @contextmanager
    def counting(meter: Meter) -> Any:
        """Count instructions by a trace function, in this thread and in those that start from now on."""

        def counter(ours: bool) -> Callable[[FrameType, str, Any], Any]:
            def step(frame: FrameType, event: str, argument: Any) -> Any:
                if event == "opcode" and meter.on:
                    meter.instructions[ours] += 1
                return step

            return step

        steps = {True: counter(True), False: counter(False)}

        def call(frame: FrameType, event: str, argument: Any) -> Any:
            if not meter.on or (ours := is_ours(frame.f_code.co_filename)) is None:
                return None
            frame.f_trace_lines = False
            frame.f_trace_opcodes = True
            meter.calls[ours] += 1
            return steps[ours]

        threading.settrace(call)
        sys.settrace(call)
        try:
            yield
        finally:
            sys.settrace(None)
            threading.settrace(None)


def count(work: Work, meter: Meter, runner: asyncio.Runner) -> Figures:
    """Return what one repetition costs: the difference that two more make, after some that build what is built once."""

    def cost(repetitions: int) -> Figures:
        meter.switch(True)
        meter.on = True
        try:
            runner.run(work.seconds(repetitions))
        finally:
            meter.on = False
            meter.switch(False)
        return meter.read()

    cost(3)
    gc.collect()
    few, more = cost(1), cost(3)
    return {name: (more[name] - few[name]) // 2 for name in more}


def measure() -> dict[str, Figures]:
    """Return the figures of all cases, counted in this process."""
    meter = Meter()
    # Neither the collector nor another thread may step in between two instructions.
    gc.disable()
    sys.setswitchinterval(60)
    found = {}
    how: AbstractContextManager[None] = counting(meter)
    with how:
        for name in CASES:
            # A loop for each: nothing that one case left behind is counted for the next.
            with asyncio.Runner() as runner:
                work = find(name).prepare()
                figures = count(work, meter, runner)
            if name in THREADED:
                del figures["all"], figures["all calls"]
            found[name] = figures
    return found


def measure_apart() -> dict[str, Figures]:
    """Return the figures of all cases, counted in a process that nothing else traces."""
    command = [sys.executable, "-m", "tests.architecture.costs", "--json"]
    environment = clean() | {"PYTHONHASHSEED": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"counting ended with {done.returncode}:\n{done.stderr}")
    found: dict[str, Figures] = json.loads(done.stdout)
    return found


def surroundings() -> dict[str, str]:
    """Return the versions of everything but ours that the totals depend on."""
    return {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in USED}}


def recorded() -> dict[str, Any]:
    """Return what `costs.json` says, by minor version of Python."""
    found: dict[str, Any] = json.loads(DATA.read_text(encoding="utf-8")) if DATA.exists() else {}
    return found


def record() -> None:
    """Write the figures of this version of Python to `costs.json`; those of other versions stay."""
    found = recorded() | {VERSION: {"with": surroundings(), "cases": measure_apart()}}
    lines = []
    for version in sorted(found, key=lambda text: [int(part) for part in text.split(".")]):
        rows = [f"   {json.dumps(name)}: {json.dumps(row)}" for name, row in found[version]["cases"].items()]
        around = f'  "with": {json.dumps(found[version]["with"])},'
        lines.append("\n".join([f' "{version}": {{', around, '  "cases": {', ",\n".join(rows), "  }", " }"]))
    DATA.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def main() -> None:
    """Print the figures beside those that were recorded, or record them."""
    if "--json" in sys.argv:
        print(json.dumps(measure()))
        return
    before = recorded().get(VERSION, {}).get("cases", {})
    found = measure_apart()
    print(f"{'instructions (calls) of ours, per request':<42} {'now':>14} {'recorded':>14}")
    for name, figures in found.items():
        was = before.get(name)
        shown = f"{was['ours']} ({was['our calls']})" if was else "-"
        now = f"{figures['ours']} ({figures['our calls']})"
        print(f"{name:<42} {now:>14} {shown:>14}")
    if "--record" in sys.argv:
        record()


if __name__ == "__main__":
    main()
