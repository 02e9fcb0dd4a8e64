"""What importing costs: which modules come along, and that none of them does anything yet."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.architecture.imports import modules

# What `import starlette.applications` loads of ours. A line added here makes every application start slower.
LOADED_BY_APPLICATIONS: list[str] = [
    "starlette",
    "starlette._asgi",
    "starlette._asgi.denial",
    "starlette._asgi.disconnect",
    "starlette._asgi.files",
    "starlette._asgi.held",
    "starlette._asgi.lifespan",
    "starlette._asgi.signals",
    "starlette._asgi.streams",
    "starlette._asgi.transitions",
    "starlette._asgi.watch",
    "starlette._exception_handler",
    "starlette._http",
    "starlette._http.authority",
    "starlette._http.cookies",
    "starlette._http.disposition",
    "starlette._http.fields",
    "starlette._http.forms",
    "starlette._http.json_text",
    "starlette._http.multipart",
    "starlette._http.query",
    "starlette._http.ranges",
    "starlette._http.set_cookie",
    "starlette._http.traceback_page",
    "starlette._http.urls",
    "starlette._http.validators",
    "starlette._legacy",
    "starlette._legacy.applications",
    "starlette._legacy.calls",
    "starlette._legacy.events",
    "starlette._legacy.routing",
    "starlette._legacy.uploads",
    "starlette._routing",
    "starlette._routing.building",
    "starlette._routing.index",
    "starlette._routing.matching",
    "starlette._routing.paths",
    "starlette._routing.route_list",
    "starlette._routing.selection",
    "starlette._routing.table",
    "starlette._routing.templates",
    "starlette._threads",
    "starlette._utils",
    "starlette.applications",
    "starlette.background",
    "starlette.concurrency",
    "starlette.convertors",
    "starlette.datastructures",
    "starlette.datastructures._headers",
    "starlette.datastructures._multidicts",
    "starlette.datastructures._settings",
    "starlette.datastructures._state",
    "starlette.datastructures._uploads",
    "starlette.datastructures._urls",
    "starlette.exceptions",
    "starlette.formparsers",
    "starlette.middleware",
    "starlette.middleware.body_limit",
    "starlette.middleware.errors",
    "starlette.middleware.exceptions",
    "starlette.requests",
    "starlette.responses",
    "starlette.routing",
    "starlette.types",
    "starlette.websockets",
]

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
import os, sys, warnings
# The one module whose import is to warn.
warnings.filterwarnings("ignore", "starlette.middleware.wsgi is deprecated")
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
    # Coverage would follow into the process, come along as a module, and cost more than the imports.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COV")}
    command = [sys.executable, "-W", "error", *flags, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
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


# What takes long to load and an application may do without; most come with others, such as `email` with `ssl`.
LATE = frozenset(
    [
        "asyncio",
        "email",
        "hashlib",
        "html",
        "http.client",
        "http.cookies",
        "logging",
        "mimetypes",
        "random",
        "secrets",
        "shutil",
        "ssl",
        "tempfile",
        "traceback",
        "typing_extensions",
        "uuid",
        "anyio.abc",
        "anyio._core._fileio",
        "anyio._core._synchronization",
    ]
)


def test_an_application_leaves_slow_modules_to_their_first_use() -> None:
    loaded = set(run("import sys, starlette.applications; print(*sys.modules)").split())
    assert not loaded & LATE - set(run("import sys, anyio, anyio.to_thread; print(*sys.modules)").split())


@pytest.mark.parametrize(
    ("module", "name", "home"),
    [("starlette.formparsers", "SpooledTemporaryFile", "tempfile"), ("starlette.responses", "guess_type", "mimetypes")],
)
def test_a_name_that_comes_late_is_in_its_module(
    module: str, name: str, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = importlib.import_module(module)
    monkeypatch.delitem(vars(public), name, raising=False)
    assert name in dir(public)
    assert name not in vars(public)
    assert getattr(public, name) is getattr(importlib.import_module(home), name)
    assert name in vars(public)
    with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'absent'"):
        _ = public.absent


@pytest.mark.parametrize("module", ["starlette.applications", "starlette.staticfiles", "starlette.middleware.base"])
def test_importing_starts_no_thread_and_opens_no_file(module: str) -> None:
    # T27
    seen = probe(module)
    assert (seen["threads"], seen["opened"], seen["descriptors"]) == (["MainThread"], [], 0)


@pytest.mark.parametrize("flags", [(), ("-O",), ("-OO",)], ids=["plain", "O", "OO"])
def test_every_module_can_be_the_first_to_be_imported(flags: tuple[str, ...]) -> None:
    # T27: the same without assertions, and without docstrings.
    run(ALONE, *sorted(modules()), flags=flags)


if __name__ == "__main__":
    # python -m tests.architecture.test_imports: the list, to be pasted over the one above.
    for name in probe("starlette.applications")["modules"]:
        if name.partition(".")[0] in modules():
            print(f'    "{name}",')
