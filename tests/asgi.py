"""The two ends of an ASGI connection for tests: a scripted `receive` and a recording `send`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import anyio

from starlette.types import ASGIApp, Message, Scope


def http_scope(path: str = "/", method: str = "GET", **keys: Any) -> dict[str, Any]:
    """Return a complete HTTP scope as a server makes it; `keys` replace or add entries."""
    headers: Iterable[tuple[bytes, bytes]] = keys.pop("headers", [(b"host", b"testserver")])
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("utf-8", "surrogatepass"),
        "query_string": b"",
        "root_path": "",
        "headers": list(headers),
        "client": ("testclient", 50000),
        "server": ("testserver", 80),
        "extensions": {},
        **keys,
    }


def websocket_scope(path: str = "/", **keys: Any) -> dict[str, Any]:
    """Return a complete WebSocket scope as a server makes it."""
    scope = http_scope(path, **{"scheme": "ws", "subprotocols": [], **keys})
    scope["type"] = "websocket"
    del scope["method"]
    return scope


class Script:
    """A `receive` that hands out the given messages, and then waits for ever, as a silent client does.

    `calls` counts how often it was asked. An item that is an exception is raised instead of returned.
    """

    def __init__(self, *messages: Message | BaseException) -> None:
        self._messages = list(messages)
        self.calls = 0

    async def __call__(self) -> Message:
        self.calls += 1
        if not self._messages:
            await anyio.sleep_forever()
        message = self._messages.pop(0)
        if isinstance(message, BaseException):
            raise message
        return message


class Record:
    """A `send` that keeps every message, with the parts tests ask for most."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def types(self) -> list[str]:
        return [message["type"] for message in self.messages]

    @property
    def status(self) -> int:
        """The status of the only response start."""
        (start,) = [message for message in self.messages if message["type"].endswith("http.response.start")]
        return int(start["status"])

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The header list of the only response start."""
        (start,) = [message for message in self.messages if message["type"].endswith("http.response.start")]
        return list(start["headers"])

    def header(self, name: str) -> str | None:
        """The first value of a header of the only response start."""
        wanted = name.lower().encode("latin-1")
        return next((value.decode("latin-1") for key, value in self.headers if key == wanted), None)

    @property
    def body(self) -> bytes:
        """All body parts joined."""
        parts = [message for message in self.messages if message["type"].endswith("http.response.body")]
        return b"".join(bytes(message.get("body", b"")) for message in parts)


def body(*chunks: bytes) -> Script:
    """Return a `receive` for a request body in these chunks (none: an empty body), with no disconnect after it."""
    pieces = chunks or (b"",)
    last = len(pieces) - 1
    return Script(
        *({"type": "http.request", "body": chunk, "more_body": index < last} for index, chunk in enumerate(pieces))
    )


async def call(app: ASGIApp, scope: Scope | None = None, receive: Script | None = None) -> Record:
    """Run one exchange and return what the application sent; a GET of `/` with an empty body unless told otherwise."""
    sent = Record()
    await app(http_scope() if scope is None else scope, body() if receive is None else receive, sent)
    return sent
