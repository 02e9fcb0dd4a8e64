"""Counts what a process has: tasks, busy threads, descriptors and temporary files. Runs inside of the server."""

from __future__ import annotations

import os
import re
import threading
from collections import Counter
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import anyio
import anyio.to_thread

# Threads that both libraries keep for some seconds to use them again, by their names; Trio calls one that is busy
# "FUNCTION from TASK". Whether one is busy, the limiter knows.
_WORKER = re.compile(r"AnyIO worker|Trio thread|.+ from ")

# What Python calls the threads of a server that is not written in Python, once they have run some of it.
_FOREIGN = "Dummy-"


def census() -> dict[str, dict[str, int]]:
    """Return numbers of things by their kind, each with the number of its like: `{"tasks": {"Server.serve": 1}}`."""
    return {"tasks": _tasks(), "threads": _threads(), "descriptors": _descriptors(), "temporary files": _files()}


def worker_threads() -> int:
    """Return how many worker threads there are, busy or not."""
    return sum(bool(_WORKER.match(thread.name)) for thread in threading.enumerate())


def _tasks() -> dict[str, int]:
    current = anyio.get_current_task().id
    tasks = [task for task in anyio.get_running_tasks() if task.id != current]
    return Counter(_coroutine_name(task.coro) for task in tasks)


def _coroutine_name(coroutine: Any) -> str:
    return str(getattr(coroutine, "__qualname__", coroutine))


def _threads() -> dict[str, int]:
    names = [name for thread in threading.enumerate() if not _WORKER.match(name := thread.name)]
    busy = anyio.to_thread.current_default_thread_limiter().borrowed_tokens
    return Counter(name for name in names if not name.startswith(_FOREIGN)) + Counter({"busy worker": busy})


def _descriptors() -> dict[str, int]:
    found: Counter[str] = Counter()
    for entry in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{entry}")
        except FileNotFoundError:
            continue  # that of the listing itself
        # "socket:[4711]": the number is that of one socket. A deleted file has a name that nobody chose.
        found["temporary file" if target.endswith("(deleted)") else target.partition("[")[0]] += 1
    return found


def _files() -> dict[str, int]:
    return Counter(path.name for path in Path(gettempdir()).iterdir())
