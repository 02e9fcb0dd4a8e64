"""Programs of docs/toolkit.md, as their reader saves them, under a server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tests.docs.pages import ROOT, blocks
from tests.servers.support import Server, serve, uvicorn

pytestmark = pytest.mark.server

PAGE = ROOT / "docs" / "toolkit.md"


def program(title: str) -> str:
    """Return the first `python` block below the heading `title`."""
    text = PAGE.read_text(encoding="utf-8")
    line = text[: text.index(f"\n## {title}\n")].count("\n")
    return next(block.code for block in blocks(PAGE) if block.line > line and block.language == "python")


def response(server: Server) -> None:
    assert httpx.get(server.url, timeout=20).text == "hello"
    moved = httpx.get(f"{server.url}/old", timeout=20)
    assert (moved.status_code, moved.headers["location"]) == (301, "/")
    assert httpx.get(f"{server.url}/nowhere", timeout=20).status_code == 404


def request(server: Server) -> None:
    answer = httpx.post(f"{server.url}/items?color=red&color=blue", content=iter([b"123", b"45"]), timeout=20).json()
    assert (answer["colors"], answer["bytes"]) == (["red", "blue"], 5)


def router(server: Server) -> None:
    assert httpx.get(f"{server.url}/users/ada", timeout=20).text == "ada is at /users/ada"
    assert httpx.get(f"{server.url}/users/ada/", timeout=20).headers["location"] == f"{server.url}/users/ada"


def middleware(server: Server) -> None:
    answer = httpx.get(server.url, headers={"origin": "https://example.org"}, timeout=20)
    assert answer.text == "foreign " * 1000
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["access-control-allow-origin"] == "https://example.org"
    assert httpx.get(server.url, headers={"host": "evil.example"}, timeout=20).status_code == 400


def websocket(server: Server) -> None:
    with connect(f"{server.url.replace('http:', 'ws:')}/echo") as session:
        session.send("hello")
        assert session.recv(timeout=20) == "/echo: hello"


@pytest.mark.parametrize(
    ("title", "check"),
    [
        pytest.param("A response", response, id="response"),
        pytest.param("A request", request, id="request"),
        pytest.param("A router", router, id="router"),
        pytest.param("Middleware around an application of another framework", middleware, id="middleware"),
        pytest.param("A WebSocket", websocket, id="websocket"),
    ],
)
def test_a_part_alone_is_served(title: str, check: Callable[[Server], None], tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(program(title), encoding="utf-8")
    with serve(uvicorn("main:app"), tmp_path) as server:
        check(server)
        assert server.stop() == 0, server.log
        assert "ERROR" not in server.log
