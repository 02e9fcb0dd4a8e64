"""Every response class, from arguments as data, sent in every way a client may leave."""

from __future__ import annotations

import datetime
import io
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import anyio
import anyio.lowlevel

from starlette import responses
from starlette.applications import Starlette
from starlette.background import BackgroundTask, BackgroundTasks
from starlette.datastructures import URL, Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket
from tests.differential.transcript import described, note, noter


async def chunks(*items: Any, ends: Any = None) -> AsyncIterator[Any]:
    """Yield the items, then end as told: return, raise, or wait until the client has left."""
    note = noter()
    try:
        for item in items:
            await anyio.lowlevel.checkpoint()
            yield item
        if ends == "waits":
            await anyio.sleep_forever()
        elif ends == "raises":
            raise LookupError("no more chunks")
        elif ends == "group":
            raise ExceptionGroup("of the user", [LookupError("one")])
        elif ends == "oserror":
            raise OSError("of the generator")
    finally:
        note("stream ended")


def plain_chunks(*items: Any, ends: Any = None) -> Iterator[Any]:
    """The same in a worker thread."""
    note = noter()
    try:
        yield from items
        if ends == "raises":
            raise LookupError("no more chunks")
    finally:
        note("stream ended")


class OnlyIterable:
    """An asynchronous iterable that is no iterator."""

    def __init__(self, *items: Any) -> None:
        self._items = items

    def __aiter__(self) -> AsyncIterator[Any]:
        return chunks(*self._items)


def view_of(data: bytes, cast: Any = "B", step: int = 1) -> Any:
    """Return a view with items of another type, or only every so many octets."""
    view: Any = memoryview(data)
    return view.cast(cast)[::step]


# What data cannot say: `{"$": "async", "items": [...]}` among the arguments.
VALUES: dict[str, Any] = {
    "async": lambda items=(), ends=None: chunks(*items, ends=ends),
    "sync": lambda items=(), ends=None: plain_chunks(*items, ends=ends),
    "iterable": lambda items=(): OnlyIterable(*items),
    "file": lambda data: io.BytesIO(data),
    "memoryview": view_of,
    "status": lambda code: HTTPStatus(code),
    "url": lambda text: URL(text),
    "headers": lambda pairs: Headers(raw=pairs),
    "mutable": lambda pairs: MutableHeaders(raw=pairs),
    "datetime": lambda year, zone=True: datetime.datetime(year, 1, 2, 3, 4, 5, tzinfo=datetime.UTC if zone else None),
    "stat": lambda path: os.stat(path),
    "nan": lambda: float("nan"),
    "object": lambda: object(),
    "set": lambda: {1},
    "bytearray": lambda data: bytearray(data),
}


def value(described: Any) -> Any:
    """Return the value that data stands for."""
    if isinstance(described, dict):
        if "$" in described:
            rest = {key: value(item) for key, item in described.items() if key != "$"}
            return VALUES[described["$"]](**rest)
        return {key: value(item) for key, item in described.items()}
    return [value(item) for item in described] if isinstance(described, list) else described


async def in_background(*texts: str) -> None:
    """A background task."""
    await anyio.lowlevel.checkpoint()
    note("background", *texts)


def in_thread(text: str) -> None:
    """A background task that is no coroutine."""
    note("background in a thread", text)


async def failing() -> None:
    """A background task that fails."""
    note("background fails")
    raise ValueError("in the background")


def background(kind: str) -> Any:
    """Return a background task of a kind."""
    if kind == "several":
        tasks = BackgroundTasks([BackgroundTask(in_background, "1")])
        tasks.add_task(in_thread, "2")
        tasks.add_task(in_background, "3", "4")
        return tasks
    if kind == "failing":
        return BackgroundTasks(
            [BackgroundTask(in_background, "1"), BackgroundTask(failing), BackgroundTask(in_background, "3")]
        )
    return BackgroundTask(in_thread, "t") if kind == "thread" else BackgroundTask(in_background, "a")


class Reversed(responses.Response):
    """A class with everything overridden that is meant to be."""

    media_type = "text/x-reversed"
    charset = "latin-1"

    def render(self, content: Any) -> bytes:
        return bytes(reversed(str(content).encode(self.charset)))


class SmallChunks(responses.FileResponse):
    """A file in small pieces, with few ranges."""

    chunk_size = 4
    max_ranges = 3


CLASSES: dict[str, Any] = {"Reversed": Reversed, "SmallChunks": SmallChunks}


def response(kind: str, arguments: Mapping[str, Any], then: Sequence[Any] = ()) -> Response:
    """Return the response that data describes.

    Args:
        kind: The name of a class.
        arguments: Its keyword arguments.
        then: What is done with it afterwards: method (or header operation) and keyword arguments.
    """
    keys = {name: value(item) for name, item in arguments.items()}
    if "background" in keys:
        keys["background"] = background(keys["background"])
    made: Response = (CLASSES.get(kind) or getattr(responses, kind))(**keys)
    for step, options in then:
        options = {name: value(item) for name, item in options.items()}
        try:
            if step in {"set_cookie", "delete_cookie"}:
                getattr(made, step)(**options)
            elif step == "set":
                made.headers[options["key"]] = options["value"]
            elif step == "delete":
                del made.headers[options["key"]]
            elif step == "attribute":
                setattr(made, options["key"], options["value"])
            else:
                getattr(made.headers, step)(*options.values())
        except Exception as error:
            note(step, "raised", described(error))
    return made


def bare(kind: str, arguments: Mapping[str, Any], then: Sequence[Any] = (), times: int = 1) -> ASGIApp:
    """The response itself as an application, made for the exchange and sent so many times."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        made = response(kind, arguments, then)
        for _ in range(times):
            await made(scope, receive, send)

    return application


def inside(kind: str, arguments: Mapping[str, Any], then: Sequence[Any] = ()) -> ASGIApp:
    """An application whose endpoints return the response, or deny a WebSocket with it."""

    async def endpoint(request: Request) -> Response:
        return response(kind, arguments, then)

    async def deny(websocket: WebSocket) -> None:
        await websocket.send_denial_response(response(kind, arguments, then))
        note("denied", websocket.application_state.name, websocket.client_state.name)

    routes = [Route("/", endpoint, methods=["GET", "POST", "PUT"]), WebSocketRoute("/", deny)]
    return Starlette(routes=routes)
