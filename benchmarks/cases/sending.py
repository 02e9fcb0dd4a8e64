"""Responses: made and sent, from memory, from files, as streams."""

from __future__ import annotations

import atexit
import functools
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from benchmarks.case import App, Case, Repeat, Work, answer, equals, get


def _made(make: Callable[[Any], Any], expected: bytes) -> Work:
    from starlette import responses

    step = make(responses)
    return Repeat(lambda: step().body, equals(expected))


def _sent(make: Callable[[Any], Any], body: bytes) -> Work:
    from starlette import responses

    step = make(responses)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await step()(scope, receive, send)

    return get(app, "/", answer(200, body))


def _plain(responses: Any) -> Callable[[], Any]:
    return functools.partial(responses.PlainTextResponse, "hello")


def _json(responses: Any) -> Callable[[], Any]:
    return functools.partial(responses.JSONResponse, {"id": 1, "name": "é", "tags": ["a", "b"], "ok": True})


JSON_BODY = '{"id":1,"name":"é","tags":["a","b"],"ok":true}'.encode()


def _headers(responses: Any) -> Callable[[], Any]:
    def make() -> Any:
        response = responses.Response("hello", headers={"x-one": "1", "x-two": "2"}, media_type="text/plain")
        response.headers["x-three"] = "3"
        response.set_cookie("session", "abc", httponly=True)
        return response

    return make


@functools.cache
def _folder() -> Path:
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    path = Path(folder.name)
    (path / "small.txt").write_bytes(b"x" * 1024)
    (path / "large.bin").write_bytes(bytes(10 * 1024 * 1024))
    return path


def _static() -> Work:
    from starlette.applications import Starlette
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles

    app: App = Starlette(routes=[Mount("/static", StaticFiles(directory=_folder()))])
    return get(app, "/static/small.txt", answer(200, b"x" * 1024))


def _large_file() -> Work:
    path = _folder() / "large.bin"
    return _sent(lambda responses: lambda: responses.FileResponse(path), bytes(10 * 1024 * 1024))


def _stream(number: int) -> Work:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(number):
            yield b"a small chunk"

    return _sent(lambda responses: lambda: responses.StreamingResponse(chunks()), b"a small chunk" * number)


CASES = (
    Case("PlainTextResponse: made", lambda: _made(_plain, b"hello")),
    Case("PlainTextResponse: made and sent", lambda: _sent(_plain, b"hello")),
    Case("JSONResponse: made", lambda: _made(_json, JSON_BODY)),
    Case("JSONResponse: made and sent", lambda: _sent(_json, JSON_BODY)),
    Case("Response: headers and a cookie, sent", lambda: _sent(_headers, b"hello")),
    Case("static file: 1 KiB", _static),
    Case("FileResponse: 10 MiB", _large_file),
    Case("StreamingResponse: 1,000 chunks", lambda: _stream(1000)),
)
