"""Programs written for earlier releases, each under the servers that they were run with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tests.docs.pages import blocks
from tests.servers.support import HOST, ROOT, STOP_DEADLINE, Server, eventually, serve, uvicorn

pytestmark = pytest.mark.server


def hypercorn(application: str) -> Callable[[int], Sequence[str]]:
    return lambda port: [sys.executable, "-m", "hypercorn", application, "--bind", f"{HOST}:{port}"]


def gunicorn(worker: str) -> Callable[[str], Callable[[int], Sequence[str]]]:
    return lambda application: (
        lambda port: [*(sys.executable, "-m", "gunicorn", application, "-k", worker, "-b", f"{HOST}:{port}")]
    )


# Its id, the modules it needs, and the command for an application.
SERVERS = [
    pytest.param(["uvicorn"], uvicorn, id="uvicorn"),
    pytest.param(["hypercorn"], hypercorn, id="hypercorn"),
    pytest.param(["gunicorn", "uvicorn_worker"], gunicorn("uvicorn_worker.UvicornWorker"), id="gunicorn"),
]


def decorators(server: Server) -> None:
    response = httpx.get(server.url, timeout=20)
    assert response.json() == {"hello": "world"}
    assert response.headers["x-greeting"] == "hello"
    assert httpx.post(f"{server.url}/users/ada", timeout=20).text == "POST ada"
    missing = httpx.get(f"{server.url}/nowhere", timeout=20)
    assert (missing.status_code, missing.text) == (404, "nobody here")


def hello(server: Server) -> None:
    response = httpx.get(f"{server.url}/anywhere", timeout=20)
    assert (response.status_code, response.text) == (200, "Hello, world!")


def middleware(server: Server) -> None:
    response = httpx.get(server.url, timeout=20)
    assert response.text == "Hello, world!"
    assert response.headers.get_list("x-passed") == ["simple", "outer"]


def background(server: Server) -> None:
    answer = httpx.post(f"{server.url}/notify/ada@example.org", timeout=20)
    assert answer.json() == {"status": "sent in the background"}

    def written() -> bool:
        # The answer comes before the task has run: the file may not be there yet.
        return "notification for ada@example.org" in httpx.get(f"{server.url}/log", timeout=20).text

    assert eventually(written, server.process), server.log


def websocket(server: Server) -> None:
    address = server.url.replace("http:", "ws:")
    with connect(f"{address}/ws") as session:
        session.send("hi")
        assert session.recv(timeout=20) == "Message text was: hi"
    with connect(f"{address}/greet/ada") as session:
        assert session.recv(timeout=20) == '{"hello":"ada"}'


def static(server: Server) -> None:
    path = httpx.get(server.url, timeout=20).text
    response = httpx.get(server.url + path, timeout=20)
    assert (response.status_code, response.headers["content-type"]) == (200, "text/css; charset=utf-8")


PROGRAMS = [
    pytest.param("earlier_decorators", decorators, id="decorators"),
    pytest.param("earlier_class", hello, id="class"),
    pytest.param("earlier_class_in_two_steps", hello, id="class-in-two-steps"),
    pytest.param("earlier_middleware", middleware, id="middleware"),
    pytest.param("earlier_background", background, id="background"),
    pytest.param("earlier_websocket", websocket, id="websocket"),
    pytest.param("earlier_static", static, id="static"),
]


def need(modules: list[str]) -> None:
    if missing := [module for module in modules if find_spec(module) is None]:
        pytest.skip(f"{missing} not installed")


def end(server: Server, modules: list[str]) -> None:
    if "gunicorn" in modules:
        # The signal that its workers end at once for.
        server.process.terminate()
        server.process.wait(STOP_DEADLINE)
    assert server.stop() == 0, server.log


@pytest.mark.parametrize(("program", "check"), PROGRAMS)
@pytest.mark.parametrize(("modules", "server"), SERVERS)
def test_a_program_of_earlier_releases_is_served(
    modules: list[str],
    server: Callable[[str], Callable[[int], Sequence[str]]],
    program: str,
    check: Callable[[Server], None],
) -> None:
    need(modules)
    # Hypercorn serves ASGI 3 only, and so the same program below an application of today.
    name = "mounted" if program == "earlier_class_in_two_steps" and modules == ["hypercorn"] else "app"
    with serve(server(f"examples.{program}:{name}")) as running:
        check(running)
        end(running, modules)
        if program not in ("earlier_class", "earlier_class_in_two_steps", "earlier_background"):
            assert "Traceback" not in running.log


@pytest.mark.parametrize(("modules", "server"), SERVERS)
def test_the_documented_calls_are_served(
    modules: list[str], server: Callable[[str], Callable[[int], Sequence[str]]], tmp_path: Path
) -> None:
    """The program of docs/earlier_api.md, in a folder with the directory that it names."""
    need(modules)
    page = blocks(ROOT / "docs" / "earlier_api.md")
    (tmp_path / "main.py").write_text(next(block.code for block in page if "app.mount" in block.code), encoding="utf-8")
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "style.css").write_text("body { color: navy }", encoding="utf-8")
    with serve(server("main:app"), tmp_path) as running:
        home = httpx.get(running.url, timeout=20)
        assert (home.text, home.headers["content-encoding"]) == ("Hello, world! " * 100, "gzip")
        style = httpx.get(f"{running.url}/static/style.css", timeout=20)
        assert (style.text, style.headers["content-type"]) == ("body { color: navy }", "text/css; charset=utf-8")
        with connect(f"{running.url.replace('http:', 'ws:')}/ws") as session:
            session.send("hi")
            assert session.recv(timeout=20) == "Message text was: hi"
        end(running, modules)
        assert "Traceback" not in running.log
