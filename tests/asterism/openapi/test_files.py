"""Fetching the files of a page from a copy of their host, on the loopback interface."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from asterism._cli import main
from asterism.openapi import _pages as pages
from asterism.openapi._files import fetch, is_right

CONTENT = b"window.started = true;\n"
ASSET = pages.Asset(
    "https://unpkg.com/@scope/name@1.0/dist/a.js",
    "a.js",
    f"sha384-{base64.b64encode(hashlib.sha384(CONTENT).digest()).decode()}",
)


class Mirror(BaseHTTPRequestHandler):
    served: list[str]

    def do_GET(self) -> None:
        self.served.append(self.path)
        content = {"/copy/@scope/name@1.0/dist/a.js": CONTENT, "/changed/@scope/name@1.0/dist/a.js": b"changed"}
        found = content.get(self.path)
        self.send_response(404 if found is None else 200)
        self.end_headers()
        self.wfile.write(found or b"")

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a host that has one file, which is all that the page has."""
    page = pages.Page("Test", (ASSET,), (), "", ())
    monkeypatch.setitem(pages.PAGES, "swagger", page)
    Mirror.served = []
    with HTTPServer(("127.0.0.1", 0), Mirror) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_files_are_fetched_once(mirror: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "a" / "b"
    for _ in range(2):
        assert main(["docs-files", str(folder), "--mirror", f"{mirror}/copy/"]) == 0
        assert capsys.readouterr().out == f"{folder / 'a.js'}\n"
    assert (folder / "a.js").read_bytes() == CONTENT
    assert Mirror.served == ["/copy/@scope/name@1.0/dist/a.js"]


def test_a_file_that_was_changed_is_fetched_again(mirror: str, tmp_path: Path) -> None:
    (tmp_path / "a.js").write_bytes(b"old")
    assert not is_right(tmp_path / "a.js", ASSET)
    assert fetch("swagger", tmp_path, f"{mirror}/copy") == [tmp_path / "a.js"]
    assert is_right(tmp_path / "a.js", ASSET)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (
            "{mirror}/changed",
            "{mirror}/changed/@scope/name@1.0/dist/a.js is not the file that it was: its hash is not ",
        ),
        ("{mirror}/nowhere", "{mirror}/nowhere/@scope/name@1.0/dist/a.js cannot be fetched: Not Found"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1/@scope/name@1.0/dist/a.js cannot be fetched: "),
        ("http://[::1", "http://[::1/@scope/name@1.0/dist/a.js cannot be fetched: "),
        ("file:///etc", "a mirror is the URL of a host, such as https://unpkg.com, not 'file:///etc'"),
    ],
)
def test_what_cannot_be_had(
    mirror: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str, message: str
) -> None:
    assert main(["docs-files", str(tmp_path), "--mirror", place.format(mirror=mirror)]) == 1
    assert capsys.readouterr().err.startswith(f"asterism: {message.format(mirror=mirror)}")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to(mirror: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["docs-files", str(tmp_path / "file"), "--mirror", f"{mirror}/copy"]) == 1
    assert "a.js cannot be written: " in capsys.readouterr().err


def test_every_page_has_its_files_in_one_place() -> None:
    names = [asset.name for page in pages.PAGES.values() for asset in page.assets]
    assert len(names) == len(set(names))
    for page in pages.PAGES.values():
        assert all(asset.url.startswith("https://unpkg.com/") for asset in page.assets)
