"""Request bodies: JSON, forms, uploads; and websockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.case import App, Awaits, Case, Exchanges, Work, answer, equals, http_scope, post

CHUNK = 64 * 1024


def _app(read: Callable[[Any], Any]) -> App:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def endpoint(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(await read(request)))

    return Starlette(routes=[Route("/", endpoint, methods=["POST"])])


async def _fields(request: Any) -> int:
    form = await request.form(max_fields=2000)
    return len(form.multi_items())


async def _upload(request: Any) -> int:
    async with request.form() as form:
        size: int = form["file"].size
        return size


async def _json(request: Any) -> int:
    return len(await request.json())


def _chunks(data: bytes) -> list[bytes]:
    return [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]


def _urlencoded(number: int) -> Work:
    data = "&".join(f"field{index}=value+{index}%21" for index in range(number)).encode()
    return post(_app(_fields), _chunks(data), "application/x-www-form-urlencoded", answer(200, str(number).encode()))


def _multipart(number: int) -> Work:
    part = '--limit\r\nContent-Disposition: form-data; name="field{0}"\r\n\r\nvalue {0}\r\n'
    data = ("".join(part.format(index) for index in range(number)) + "--limit--\r\n").encode()
    return post(_app(_fields), _chunks(data), "multipart/form-data; boundary=limit", answer(200, str(number).encode()))


def _file(size: int) -> Work:
    head = (
        b'--limit\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n"
    )
    data = head + bytes(range(256)) * (size // 256) + b"\r\n--limit--\r\n"
    return post(_app(_upload), _chunks(data), "multipart/form-data; boundary=limit", answer(200, str(size).encode()))


def _websocket() -> Work:
    from starlette.applications import Starlette
    from starlette.routing import WebSocketRoute
    from starlette.websockets import WebSocket

    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        for _ in range(100):
            await websocket.send_text(await websocket.receive_text())
        await websocket.close()

    def check(messages: list[Any]) -> None:
        equals(102)(len(messages))
        equals({"type": "websocket.send", "text": "hello"})({key: messages[1][key] for key in ("type", "text")})

    scope = http_scope(scheme="ws") | {"type": "websocket", "subprotocols": []}
    del scope["method"]
    messages = [{"type": "websocket.connect"}, *([{"type": "websocket.receive", "text": "hello"}] * 100)]
    return Exchanges(Starlette(routes=[WebSocketRoute("/", echo)]), scope, messages, check)


def _test_client() -> Work:
    from benchmarks.cases.applications import hello_app
    from starlette.testclient import TestClient

    client: Any = TestClient(hello_app())

    async def step() -> Any:
        return client.get("/").json()

    return Awaits(step, equals({"hello": "world"}))


CASES = (
    Case("JSON body", lambda: post(_app(_json), [b"[1,2,3]"], "application/json", answer(200, b"3"))),
    Case("url-encoded form: 3 fields", lambda: _urlencoded(3)),
    Case("url-encoded form: 1,000 fields", lambda: _urlencoded(1000)),
    Case("multipart: 3 fields", lambda: _multipart(3)),
    Case("multipart: 1,000 fields", lambda: _multipart(1000)),
    Case("multipart: 10 MiB file", lambda: _file(10 * 1024 * 1024)),
    Case("websocket: 100 echoes", _websocket),
    Case("TestClient: get", _test_client),
)
