"""What one exchange is, as data: it is made in the test process and played in others, under both packages."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

Message = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Case:
    """One exchange with one application.

    Args:
        name: Unique; its first word, up to the slash, is the topic.
        app: The name that the application is registered under in `tests.differential.apps`: `"routing.table"`.
        options: Keyword arguments for the function that makes the application.
        scope: A complete ASGI scope. `{state}` values are not shared between plays.
        messages: What `receive` returns, in order.
        leaves_after: `receive` returns a disconnect once this many messages were sent and `messages` ran out.
            None: it then waits for ever, as it does for a silent client.
        fails_at: From this message on, counted from 0, `send` raises `OSError`, as a server does whose client left.
    """

    name: str
    app: str
    scope: Mapping[str, Any]
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    messages: tuple[Message, ...] = ()
    leaves_after: int | None = None
    fails_at: int | None = None

    @property
    def topic(self) -> str:
        """The part of the name before the first slash."""
        return self.name.split("/", 1)[0]

    @property
    def shows_causes(self) -> bool:
        """Whether the causes of what is raised are compared: where they are the user's, not ours."""
        return self.topic == "errors"


def http(
    path: str = "/",
    method: str = "GET",
    headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
    query: bytes = b"",
    **keys: Any,
) -> dict[str, Any]:
    """Return an HTTP scope; header values are latin-1 text, and `headers` adds to a Host of `testserver`."""
    pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers or ())
    if not any(name == "host" for name, _ in pairs):
        pairs.insert(0, ("host", "testserver"))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("utf-8", "surrogatepass"),
        "query_string": query,
        "root_path": "",
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs],
        "client": ("127.0.0.1", 50000),
        "server": ("testserver", 80),
        "extensions": {},
        **keys,
    }


def websocket(path: str = "/", headers: Mapping[str, str] | None = None, **keys: Any) -> dict[str, Any]:
    """Return a WebSocket scope whose server knows denial responses."""
    extensions: dict[str, Any] = {"websocket.http.response": {}}
    merged = {"scheme": "ws", "subprotocols": [], "extensions": extensions, **keys}
    scope = http(path, headers=headers, **merged)
    scope["type"] = "websocket"
    del scope["method"]
    return scope


def lifespan(**keys: Any) -> dict[str, Any]:
    """Return a lifespan scope with state, unless `keys` say otherwise."""
    return {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}, **keys}


def older(scope: Mapping[str, Any], version: str | None = "2.3") -> dict[str, Any]:
    """Return the scope as a server of an earlier specification sends it; None: without a version."""
    asgi = {"version": "3.0"} if version is None else {"version": "3.0", "spec_version": version}
    return {**scope, "asgi": asgi}


def body(*chunks: bytes) -> tuple[Message, ...]:
    """Return the messages of a request body in these chunks; none: an empty body."""
    pieces = chunks or (b"",)
    last = len(pieces) - 1
    return tuple(
        {"type": "http.request", "body": chunk, "more_body": index < last} for index, chunk in enumerate(pieces)
    )


CONNECT: Message = {"type": "websocket.connect"}
DISCONNECT: Message = {"type": "http.disconnect"}


def text(data: str) -> Message:
    """Return a text frame as a client sends it."""
    return {"type": "websocket.receive", "text": data}


def binary(data: bytes) -> Message:
    """Return a binary frame as a client sends it."""
    return {"type": "websocket.receive", "bytes": data}


def gone(code: int | None = 1001, **keys: Any) -> Message:
    """Return the message of a WebSocket client that left."""
    return {"type": "websocket.disconnect", "code": code, **keys}
