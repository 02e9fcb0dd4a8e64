"""What every framework serves, and what is asked of it. Standard library only: each environment imports this.

An application is of one of three kinds: `main` has an endpoint for each case, `routes` has a thousand routes, `layers`
has five middlewares around one endpoint. All of them answer `/hello`.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

KINDS: Final = ("main", "routes", "layers")
KIND: Final = os.environ.get("FIELD_KIND", "main")
FOLDER: Final = Path(os.environ.get("FIELD_FILES", "."))

HELLO: Final = {"hello": "world"}
ROUTES: Final = 1000
LAYERS: Final = 5
CHUNK: Final = b"x" * 1024
CHUNKS: Final = 10

STATIC: Final = {"small.txt": b"x" * 1024, "large.bin": bytes(range(256)) * 4096}


def document(size: int) -> dict[str, Any]:
    """Return a document whose JSON text is about `size` bytes: a list of small records, as an API has them."""
    record = {"id": 17, "name": "Ada Lovelace", "active": True, "score": 3.25, "tags": ["first", "second"]}
    length = len(json.dumps(record, separators=(",", ":"))) + 1
    return {"items": [{**record, "id": 10 + number % 90} for number in range(size // length)]}


FORM: Final = {"name": "Ada Lovelace", "email": "ada@example.org", "age": "36"}


@dataclass(frozen=True)
class Case:
    """One request and its answer.

    Args:
        name: As the report has it.
        path: With its query.
        answer: The body: bytes as they are, anything else as JSON of this value.
        kind: The kind of application that is asked.
        body: Makes the request a POST.
        content_type: Of `body`.
        websocket: Measured as echoes over WebSockets instead; `path` alone counts.
    """

    name: str
    path: str
    answer: Any = None
    kind: str = "main"
    body: bytes = b""
    content_type: str = ""
    websocket: bool = False

    @property
    def method(self) -> str:
        return "POST" if self.body else "GET"

    def wrong(self, status: int, body: bytes) -> str:
        """Tell what is wrong with an answer; the empty string when nothing is."""
        if status != 200:
            return f"status {status}: {body[:200]!r}"
        if isinstance(self.answer, bytes):
            good = body == self.answer
        else:
            try:
                good = json.loads(body) == self.answer
            except ValueError:
                good = False
        return "" if good else f"another body: {body[:200]!r} ({len(body)} bytes)"


def _json(size: int) -> dict[str, Any]:
    text = json.dumps(document(size), separators=(",", ":")).encode()
    return {"body": text, "content_type": "application/json", "answer": document(size)}


def _form() -> dict[str, Any]:
    text = b"name=Ada+Lovelace&email=ada%40example.org&age=36"
    return {"body": text, "content_type": "application/x-www-form-urlencoded", "answer": FORM}


CASES: Final[tuple[Case, ...]] = (
    Case("hello JSON", "/hello", HELLO),
    Case("path and query", "/items/42?q=search&page=2", {"id": 42, "q": "search", "page": 2}),
    Case("JSON echo, 1 KiB", "/echo", **_json(1024)),
    Case("JSON echo, 64 KiB", "/echo", **_json(64 * 1024)),
    Case("form post", "/form", **_form()),
    Case("1,000 routes: last, static", f"/section/{ROUTES - 1}/page", {"page": ROUTES - 1}, kind="routes"),
    Case("1,000 routes: last, parameter", f"/section/{ROUTES - 2}/item/7", {"item": 7}, kind="routes"),
    Case("static file, 1 KiB", "/static/small.txt", STATIC["small.txt"]),
    Case("static file, 1 MiB", "/static/large.bin", STATIC["large.bin"]),
    Case("streamed response", "/stream", CHUNK * CHUNKS),
    Case("WebSocket echo", "/socket", websocket=True),
    Case("sync endpoint", "/sync", HELLO),
    Case("five middlewares", "/hello", HELLO, kind="layers"),
)


def sections() -> list[tuple[str, bool]]:
    """Return the prefixes of the thousand routes, and whether `/item/{id}` (an integer) follows instead of `/page`."""
    return [(f"/section/{number}", number % 2 == 0) for number in range(ROUTES)]


def write_files(folder: Path) -> None:
    """Put the static files there."""
    for name, content in STATIC.items():
        (folder / name).write_bytes(content)


@dataclass(frozen=True)
class Frames:
    """WebSocket bytes as a client sends and gets them."""

    text: str = "hello, websocket"
    mask: bytes = field(default=b"\x21\x43\x65\x87")

    @property
    def sent(self) -> bytes:
        content = self.text.encode()
        masked = bytes(octet ^ self.mask[index % 4] for index, octet in enumerate(content))
        return bytes([0x81, 0x80 | len(content)]) + self.mask + masked

    @property
    def received(self) -> bytes:
        content = self.text.encode()
        return bytes([0x81, len(content)]) + content

    @staticmethod
    def upgrade(path: str) -> bytes:
        key = base64.b64encode(b"0123456789abcdef").decode()
        head = f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
        return f"{head}sec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n\r\n".encode()
