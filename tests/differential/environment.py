"""Upstream's interpreter for the tests: the one that `UPSTREAM_PYTHON` names, or the one that the benchmarks use."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from benchmarks import environments


def python() -> Path:
    """Return upstream's interpreter; the first time, its environment is made, which needs the package registry.

    Raises:
        RuntimeError: The environment cannot be made, or the interpreter named has another version of Starlette.
    """
    named = os.environ.get("UPSTREAM_PYTHON")
    found = Path(named) if named else _made()
    version = environments.version(found)
    if version != environments.UPSTREAM:
        raise RuntimeError(f"{found} has Starlette {version}; the tests compare with {environments.UPSTREAM}")
    return found


def _made() -> Path:
    # Processes that test at the same time must not make the environment at the same time.
    with (environments.ROOT / ".venv-upstream.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return environments.upstream()


def is_required() -> bool:
    """Tell whether a missing environment is a failure: in continuous integration it is."""
    return bool(os.environ.get("CI") or os.environ.get("UPSTREAM_PYTHON"))
