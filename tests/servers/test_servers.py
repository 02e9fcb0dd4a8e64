"""The README's program under each ASGI server that people run it with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from tests.servers.readme import first_program
from tests.servers.support import HOST, eventually, serve, uvicorn

pytestmark = pytest.mark.server


def hypercorn(worker: str) -> Callable[[int], Sequence[str]]:
    options = ["--bind", f"{HOST}:{{}}", "--worker-class", worker, "--graceful-timeout", "2"]
    return lambda port: [sys.executable, "-m", "hypercorn", "main:app", *(option.format(port) for option in options)]


def granian(port: int) -> Sequence[str]:
    return [sys.executable, "-m", "granian", "--interface", "asgi", "--host", HOST, "--port", str(port), "main:app"]


def daphne(port: int) -> Sequence[str]:
    return [sys.executable, "-m", "daphne", "-b", HOST, "-p", str(port), "main:app"]


# Its id, the modules it needs, and the command.
SERVERS = [
    pytest.param(["uvicorn", "h11"], uvicorn("main:app", "--http", "h11"), id="uvicorn-h11"),
    pytest.param(["uvicorn", "httptools"], uvicorn("main:app", "--http", "httptools"), id="uvicorn-httptools"),
    pytest.param(["hypercorn"], hypercorn("asyncio"), id="hypercorn-asyncio"),
    pytest.param(["hypercorn", "trio"], hypercorn("trio"), id="hypercorn-trio"),
    pytest.param(["granian"], granian, id="granian"),
    pytest.param(["daphne"], daphne, id="daphne"),
]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A directory with the README's program in `main.py`."""
    (tmp_path / "main.py").write_text(first_program(), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(("modules", "command"), SERVERS)
def test_the_first_application_answers(
    modules: list[str], command: Callable[[int], Sequence[str]], program: Path
) -> None:
    for module in modules:
        if find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    with serve(command, program) as server, httpx.Client(base_url=server.url, timeout=20) as client:
        response = client.get("/")
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json"
        assert response.json() == {"message": "Hello, Starlette!"}
        assert client.head("/").content == b""
        assert client.get("/nowhere").status_code == 404
        refused = client.post("/")
        assert refused.status_code == 405
        assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD"}
        client.close()
        # `serve` fails the test unless the server then ends by itself.
        assert server.stop() == 0, server.log
        assert "Traceback" not in server.log


def test_reload_serves_the_changed_program(program: Path) -> None:
    main = program / "main.py"
    with serve(uvicorn("main:app", "--reload"), program) as server:
        assert httpx.get(server.url, timeout=20).json() == {"message": "Hello, Starlette!"}

        def changed() -> bool:
            if "detected changes" not in server.log:
                # Again and again, because the watcher may begin after the first answer.
                main.write_text(first_program().replace("Hello, Starlette!", "Hello again!"), encoding="utf-8")
            try:
                return "Hello again!" in httpx.get(server.url, timeout=20).text
            except httpx.TransportError:
                return False  # between two workers

        assert eventually(changed, server.process), server.log
