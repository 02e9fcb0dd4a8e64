"""What a case is: something to repeat, and a check of its last result.

A case uses the public API only, so the same file runs under both implementations. `prepare` builds everything that is
not to be measured: the application, the payload, the template of the scope.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

Message = dict[str, Any]
Scope = dict[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]
Check = Callable[[list[Message]], None]


class Work(Protocol):
    """Something that can be repeated and timed."""

    async def seconds(self, count: int) -> float:
        """Repeat `count` times, check the last result, and return how long the repetitions took."""
        ...


@dataclass(frozen=True)
class Case:
    """A named measurement. `prepare` may raise ImportError or AttributeError where the feature is missing."""

    name: str
    prepare: Callable[[], Work]


class Repeat:
    """Repeats a plain function; `check` sees its last result."""

    def __init__(self, step: Callable[[], Any], check: Callable[[Any], None]) -> None:
        self._step = step
        self._check = check

    async def seconds(self, count: int) -> float:
        step = self._step
        result: Any = None
        began = time.perf_counter()
        for _ in range(count):
            result = step()
        took = time.perf_counter() - began
        self._check(result)
        return took


class Exchanges:
    """Repeats one exchange with an ASGI application; `check` sees the messages of the last one.

    Args:
        app: The application.
        scope: The template; each exchange gets a copy of it.
        messages: What `receive` hands out, in order; after them it waits for ever, as a silent client does.
    """

    def __init__(self, app: App, scope: Scope, messages: Iterable[Message], check: Check) -> None:
        self._app = app
        self._scope = scope
        self._messages = list(messages)
        self._check = check

    async def seconds(self, count: int) -> float:
        app, template, messages = self._app, self._scope, self._messages
        sent: list[Message] = []
        waiting = iter(messages)
        silence = asyncio.get_running_loop().create_future()

        async def receive() -> Message:
            for message in waiting:
                return message
            return await asyncio.shield(silence)

        async def send(message: Message) -> None:
            sent.append(message)

        began = time.perf_counter()
        for _ in range(count):
            sent.clear()
            waiting = iter(messages)
            await app(template.copy(), receive, send)
        took = time.perf_counter() - began
        silence.cancel()
        self._check(sent)
        return took


class Awaits:
    """Repeats an async function, made anew by `step` each time; `check` sees its last result."""

    def __init__(self, step: Callable[[], Awaitable[Any]], check: Callable[[Any], None]) -> None:
        self._step = step
        self._check = check

    async def seconds(self, count: int) -> float:
        step = self._step
        result: Any = None
        began = time.perf_counter()
        for _ in range(count):
            result = await step()
        took = time.perf_counter() - began
        self._check(result)
        return took


def http_scope(path: str = "/", method: str = "GET", **keys: Any) -> Scope:
    """Return a scope as uvicorn makes it, with the headers a browser might send; given ones replace those."""
    given = list(keys.pop("headers", ()))
    names = {name for name, _ in given}
    usual = [
        (b"host", b"example.org"),
        (b"user-agent", b"benchmark/1.0"),
        (b"accept", b"text/html,application/json;q=0.9,*/*;q=0.8"),
        (b"accept-encoding", b"identity"),
        (b"connection", b"keep-alive"),
    ]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [field for field in usual if field[0] not in names] + given,
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "state": {},
        **keys,
    }


def answer(status: int, body: bytes | None = None) -> Check:
    """Return a check that the response has this status and, unless None, this whole body."""

    def check(messages: list[Message]) -> None:
        found = messages[0]["status"]
        if found != status:
            raise AssertionError(f"expected status {status}, got {found}")
        content = b"".join(message.get("body", b"") for message in messages[1:])
        if body is not None and content != body:
            raise AssertionError(f"expected {body[:80]!r}, got {content[:80]!r} ({len(content)} bytes)")
        if messages[-1].get("more_body", False):
            raise AssertionError("the response was not completed")

    return check


def equals(expected: object) -> Callable[[Any], None]:
    """Return a check that the result equals `expected`."""

    def check(result: Any) -> None:
        if result != expected:
            raise AssertionError(f"expected {expected!r}, got {result!r}")

    return check


EMPTY_BODY: Message = {"type": "http.request", "body": b"", "more_body": False}


def get(app: App, path: str, check: Check, **keys: Any) -> Exchanges:
    """Return exchanges of one GET without a body."""
    return Exchanges(app, http_scope(path, **keys), [EMPTY_BODY], check)


def post(app: App, chunks: Iterable[bytes], content_type: str, check: Check) -> Exchanges:
    """Return exchanges of one POST whose body arrives in these chunks."""
    pieces = list(chunks)
    messages: list[Message] = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages[-1]["more_body"] = False
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(sum(map(len, pieces))).encode()),
    ]
    return Exchanges(app, http_scope(method="POST", headers=headers), messages, check)
