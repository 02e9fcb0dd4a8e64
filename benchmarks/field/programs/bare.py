"""Bare ASGI: each case by hand, with nothing between the server and the work. What no framework can be faster than."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote_plus

from benchmarks.field.workload import CHUNK, CHUNKS, FOLDER, HELLO, KIND, LAYERS, sections

Endpoint = Callable[[Any, Any, Any], Awaitable[None]]


async def _send(send: Any, body: bytes, media_type: bytes = b"application/json") -> None:
    headers = [(b"content-length", b"%d" % len(body)), (b"content-type", media_type)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _fields(text: str) -> dict[str, str]:
    found = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        found[name] = unquote_plus(value)
    return found


async def _read(receive: Any) -> bytes:
    message = await receive()
    if not message.get("more_body"):
        return bytes(message["body"])
    pieces = [message["body"]]
    while message.get("more_body"):
        message = await receive()
        pieces.append(message["body"])
    return b"".join(pieces)


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await _send(send, _dumps(HELLO))


async def item(scope: Any, receive: Any, send: Any) -> None:
    query = _fields(scope["query_string"].decode())
    await _send(send, _dumps({"id": int(scope["path"][7:]), "q": query["q"], "page": int(query["page"])}))


async def echo(scope: Any, receive: Any, send: Any) -> None:
    await _send(send, _dumps(json.loads(await _read(receive))))


async def form(scope: Any, receive: Any, send: Any) -> None:
    await _send(send, _dumps(_fields((await _read(receive)).decode())))


async def static(scope: Any, receive: Any, send: Any) -> None:
    with open(FOLDER / scope["path"].rpartition("/")[2], "rb") as file:  # noqa: ASYNC230  # a thread costs more
        await _send(send, file.read(), b"application/octet-stream")


async def stream(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    for _ in range(CHUNKS):
        await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def sync(scope: Any, receive: Any, send: Any) -> None:
    await _send(send, await asyncio.get_running_loop().run_in_executor(None, _dumps, HELLO))


async def socket(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


def page(number: int) -> Endpoint:
    async def endpoint(scope: Any, receive: Any, send: Any) -> None:
        await _send(send, _dumps({"page": number}))

    return endpoint


async def section_item(scope: Any, receive: Any, send: Any) -> None:
    await _send(send, _dumps({"item": int(scope["path"].rpartition("/")[2])}))


EXACT: dict[str, Endpoint] = {
    "/hello": hello,
    "/echo": echo,
    "/form": form,
    "/stream": stream,
    "/sync": sync,
    "/socket": socket,
}
PREFIX: dict[str, Endpoint] = {"/items": item, "/static": static}

if KIND == "routes":
    for number, (prefix, parameter) in enumerate(sections()):
        if parameter:
            PREFIX[f"{prefix}/item"] = section_item
        else:
            EXACT[f"{prefix}/page"] = page(number)


async def router(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        for answer in ("lifespan.startup.complete", "lifespan.shutdown.complete"):
            await receive()
            await send({"type": answer})
        return
    path = scope["path"]
    endpoint = EXACT.get(path) or PREFIX[path.rpartition("/")[0]]
    await endpoint(scope, receive, send)


class Passing:
    """The least that a middleware can do."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


app: Any = router
if KIND == "layers":
    for _ in range(LAYERS):
        app = Passing(app)
