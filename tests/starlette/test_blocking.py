"""Nothing blocks the event loop (threats R13), and what would is noticed by every test in this folder."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.datastructures import UploadFile
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from tests.asgi import body, call, http_scope
from tests.starlette.forms import file

# Where CPython runs, conftest.py fails without it; no other implementation lets it replace methods of built-in types.
BlockingError = pytest.importorskip("blockbuster").BlockingError

# Each is something that a handler may do by mistake.
BLOCKING = [
    pytest.param(lambda path: time.sleep(0.001), id="sleeping"),
    pytest.param(lambda path: path.read_bytes(), id="reading"),
    pytest.param(lambda path: os.stat(path), id="asking-for-the-size"),
    pytest.param(lambda path: os.listdir(path.parent), id="listing"),
]


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
@pytest.mark.parametrize("block", BLOCKING)
async def test_what_would_block_the_event_loop_is_noticed(block: Callable[[Path], object], tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")

    async def endpoint(request: Request) -> Response:
        block(tmp_path / "f")
        return Response()

    with pytest.raises(BlockingError):
        await call(Starlette(routes=[Route("/", endpoint)]))


@pytest.mark.anyio
async def test_nothing_blocks_the_event_loop(tmp_path: Path) -> None:  # threats R13
    (tmp_path / "large").write_bytes(bytes(1_000_000))
    ran: list[int] = []

    def work() -> None:
        os.stat(tmp_path)
        ran.append(threading.get_ident())

    def blocking(request: Request) -> Response:
        work()
        return JSONResponse({}, background=BackgroundTask(work))

    def lines() -> Iterator[bytes]:
        for _ in range(3):
            work()
            yield b"line\n"

    async def stream(request: Request) -> Response:
        return StreamingResponse(lines())

    async def sent(request: Request) -> Response:
        return FileResponse(tmp_path / "large")

    async def upload(request: Request) -> Response:
        async with request.form() as form:
            taken = form["f"]
            assert isinstance(taken, UploadFile)
            await taken.seek(0)
            return JSONResponse(len(await taken.read()))

    def failing(request: Request) -> Response:
        raise LookupError

    def answer(request: Request, exc: Exception) -> Response:
        work()
        return Response(status_code=418)

    app = Starlette(
        routes=[
            Route("/blocking", blocking),
            Route("/stream", stream),
            Route("/file", sent),
            Route("/upload", upload, methods=["POST"]),
            Route("/failing", failing),
            Mount("/static", StaticFiles(directory=tmp_path)),
        ],
        middleware=[Middleware(GZipMiddleware)],
        exception_handlers={LookupError: answer},
    )
    coded = [(b"accept-encoding", b"gzip"), (b"content-type", b"multipart/form-data; boundary=B")]
    for path, status in [
        ("/blocking", 200),
        ("/stream", 200),
        ("/file", 200),
        ("/static/large", 200),
        ("/failing", 418),
    ]:
        assert (await call(app, http_scope(path, headers=coded))).status == status
    form = file("f", "large", bytes(3_000_000)) + b"--B--\r\n"
    pieces = [form[start : start + 65536] for start in range(0, len(form), 65536)]
    assert (await call(app, http_scope("/upload", "POST", headers=coded[1:]), body(*pieces))).body == b"3000000"
    assert threading.get_ident() not in ran
    assert len(ran) == 6
