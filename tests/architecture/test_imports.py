"""What importing costs: which modules come along, and that none of them does anything yet."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.architecture.imports import modules

# What `import starlette.applications` loads of ours. A line added here makes every application start slower.
LOADED_BY_APPLICATIONS: list[str] = []

# Libraries that an application without forms, sessions, templates, tests or tracing does not wait for.
OPTIONAL = (
    "httpx",
    "httpx2",
    "itsdangerous",
    "jinja2",
    "opentelemetry",
    "python_multipart",
    "multipart",
    "trio",
    "yaml",
)

PROBE = """
import json, os, sys, threading
# Python's own: the dependency may do as it likes, and reading code is what importing means.
import anyio, anyio.abc, anyio.from_thread, anyio.to_thread
opened = []
known = set(sys.modules)
def listen(event, args):
    if event == "open" and not str(args[0]).endswith((".py", ".pyc", ".so")):
        opened.append(str(args[0]))
    elif event in ("socket.__new__", "subprocess.Popen", "tempfile.mkstemp"):
        opened.append(event)
descriptors = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
sys.addaudithook(listen)
__import__(sys.argv[1])
seen = list(opened)
print(json.dumps({
    "modules": sorted(set(sys.modules) - known),
    "threads": [thread.name for thread in threading.enumerate()],
    "opened": seen,
    "descriptors": (len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0) - descriptors,
}))
"""

ALONE = """
import os, sys
import anyio, anyio.abc, anyio.from_thread, anyio.to_thread
failed = []
for module in sys.argv[1:]:
    child = os.fork()
    if not child:
        try:
            __import__(module)
        except BaseException as exc:
            print(f"{module}: {exc!r}", flush=True)
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        failed.append(module)
sys.exit(len(failed))
"""


def run(program: str, *arguments: str, flags: tuple[str, ...] = ()) -> str:
    """Run a program in a fresh interpreter in which warnings are errors; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", *flags, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def probe(module: str) -> Any:
    return json.loads(run(PROBE, module))


def test_an_application_loads_a_known_set_of_modules() -> None:
    loaded = [name for name in probe("starlette.applications")["modules"] if name.partition(".")[0] in modules()]
    assert loaded == LOADED_BY_APPLICATIONS


def test_an_application_loads_no_optional_library() -> None:
    loaded = {name.partition(".")[0] for name in probe("starlette.applications")["modules"]}
    assert loaded.isdisjoint(OPTIONAL)


@pytest.mark.parametrize("module", ["starlette.applications", "starlette.staticfiles", "starlette.middleware.base"])
def test_importing_starts_no_thread_and_opens_no_file(module: str) -> None:
    # T27
    seen = probe(module)
    assert (seen["threads"], seen["opened"], seen["descriptors"]) == (["MainThread"], [], 0)


@pytest.mark.parametrize("flags", [(), ("-O",), ("-OO",)], ids=["plain", "O", "OO"])
def test_every_module_can_be_the_first_to_be_imported(flags: tuple[str, ...]) -> None:
    # T27: the same without assertions, and without docstrings.
    run(ALONE, *sorted(modules()), flags=flags)
