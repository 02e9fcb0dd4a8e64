"""The two interpreters: ours is the one that runs, upstream's is made on demand beside the checkout."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
UPSTREAM: Final = "1.10.0"

# What both sides must have in the same version, so that only Starlette differs.
SHARED: Final = (
    "anyio",
    "httptools",
    "httpx2",
    "itsdangerous",
    "jinja2",
    "python-multipart",
    "trio",
    "uvicorn",
    "uvloop",
    "websockets",
)


def clean() -> dict[str, str]:
    """Return the environment for a worker: nothing that would change what it imports or how fast it runs."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "COV_", "COVERAGE"))}


def upstream() -> Path:
    """Return upstream's interpreter; the first time, its environment is made and filled from the package registry.

    Raises:
        RuntimeError: The registry cannot be reached, or does not have the packages.
    """
    tag = f"{sys.implementation.cache_tag}"
    folder = ROOT / f".venv-upstream-{UPSTREAM}-{tag}"
    python = folder / "bin" / "python"
    wanted = [f"starlette[full]=={UPSTREAM}", *(f"{name}=={importlib.metadata.version(name)}" for name in SHARED)]
    stamp = folder / "stamp"
    if stamp.exists() and stamp.read_text(encoding="utf-8").split() == wanted:
        return python
    print(f"Installing upstream Starlette {UPSTREAM} into {folder.name}; this happens once.", file=sys.stderr)
    venv.create(folder, with_pip=True, clear=True, symlinks=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted]
    done = subprocess.run(command, env=clean(), check=False)
    if done.returncode:
        raise RuntimeError(f"could not install {wanted[0]}; is the package registry reachable? (`--upstream PYTHON`)")
    stamp.write_text("\n".join(wanted), encoding="utf-8")
    return python


def version(python: Path | str) -> str:
    """Return the version of the starlette that an interpreter has installed."""
    program = "import importlib.metadata as m; print(m.version('starlette'))"
    command = [str(python), "-c", program]
    return subprocess.run(command, env=clean(), cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def pinned(core: int | None) -> list[str]:
    """Return the command prefix that keeps a process on one core; nothing where there is no `taskset`."""
    return ["taskset", "-c", str(core)] if core is not None and shutil.which("taskset") else []
