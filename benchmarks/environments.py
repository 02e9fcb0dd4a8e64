"""The interpreters: ours is the one that runs, others are made on demand in folders `.venv-*` of the checkout."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable, Sequence
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
    wanted = [f"starlette[full]=={UPSTREAM}", *(f"{name}=={importlib.metadata.version(name)}" for name in SHARED)]
    return ensure(f".venv-upstream-{UPSTREAM}-{tag}", wanted)


def ensure(name: str, requirements: Sequence[str], note: str = "") -> Path:
    """Return the interpreter of an environment of the checkout, made anew unless it is there with these requirements.

    Args:
        name: Of its folder.
        requirements: As `pip install` takes them.
        note: What else it depends on: another note, another environment.

    Raises:
        RuntimeError: The registry cannot be reached, or does not have the packages.
    """
    folder = ROOT / name
    python = folder / "bin" / "python"
    stamp = folder / "stamp"
    wanted = "\n".join([*requirements, *([note] if note else [])])
    if stamp.exists() and stamp.read_text(encoding="utf-8").strip() == wanted:
        return python
    print(f"Installing {requirements[0]} into {name}; this happens once.", file=sys.stderr)
    venv.create(folder, with_pip=True, clear=True, symlinks=True)
    command = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    for requirement in requirements:
        command += ["--editable", requirement] if requirement.startswith("/") else [requirement]
    done = subprocess.run(command, env=clean(), check=False)
    if done.returncode:
        raise RuntimeError(f"could not install {requirements[0]}; is the package registry reachable?")
    stamp.write_text(wanted, encoding="utf-8")
    return python


def versions(python: Path | str, names: Iterable[str]) -> dict[str, str]:
    """Return the versions of the distributions that an interpreter has installed; those it lacks are left out."""
    program = (
        "import importlib.metadata as m, json, sys\n"
        "have = {d.name.lower(): d.version for d in m.distributions() if d.name}\n"
        "print(json.dumps({n: have[n] for n in sys.argv[1:] if n in have}))"
    )
    command = [str(python), "-c", program, *names]
    done = subprocess.run(command, env=clean(), cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def version(python: Path | str) -> str:
    """Return the version of the starlette that an interpreter has installed."""
    program = "import importlib.metadata as m; print(m.version('starlette'))"
    command = [str(python), "-c", program]
    return subprocess.run(command, env=clean(), cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def pinned(core: int | None) -> list[str]:
    """Return the command prefix that keeps a process on one core; nothing where there is no `taskset`."""
    return ["taskset", "-c", str(core)] if core is not None and shutil.which("taskset") else []
