"""The application under load: a little of everything that keeps something for the time of a request."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.soak.sizes import CHUNK
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

# The same in both workers: a browser meets either.
SECRET = os.environ["SOAK_SECRET"]


class Planned(Exception):
    """What fails because the traffic asks for it."""


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Write down each second how many blocks of memory Python has given out."""
    counting = asyncio.create_task(count_blocks())
    yield
    counting.cancel()


async def count_blocks() -> None:
    counts = Path(os.environ["SOAK_FILES"], f"{os.getpid()}.blocks")
    while True:
        counts.write_text(str(sys.getallocatedblocks()))  # noqa: ASYNC240  # a few octets, once a second
        await asyncio.sleep(1)


async def hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def double(request: Request) -> JSONResponse:
    """Answer a JSON document with what was in it and in the URL."""
    document = await request.json()
    return JSONResponse({"n": document["n"] * 2, "id": request.path_params["id"], "q": request.query_params["q"]})


async def fields(request: Request) -> JSONResponse:
    async with request.form() as form:
        return JSONResponse({name: len(value) for name, value in form.items() if isinstance(value, str)})


async def upload(request: Request) -> JSONResponse:
    """Hash a file, which is on disk when it is larger than a megabyte."""
    async with request.form() as form:
        file = form["file"]
        if isinstance(file, str):
            raise HTTPException(400)
        checksum = hashlib.sha256()
        while block := await file.read(CHUNK * 16):
            checksum.update(block)
        return JSONResponse({"sha256": checksum.hexdigest(), "size": file.size})


async def stream(request: Request) -> StreamingResponse:
    async def chunks() -> AsyncIterator[bytes]:
        for number in range(int(request.query_params["chunks"])):
            yield b"%08d" % number + bytes(CHUNK - 8)

    return StreamingResponse(chunks(), background=BackgroundTask(len, b""))


async def stream_from_thread(request: Request) -> StreamingResponse:
    def chunks() -> Iterator[bytes]:
        for number in range(int(request.query_params["chunks"])):
            yield b"%08d" % number + bytes(CHUNK - 8)

    return StreamingResponse(chunks())


async def visit(request: Request) -> PlainTextResponse:
    """Count the visits of one browser."""
    request.session["visits"] = visits = request.session.get("visits", 0) + 1
    return PlainTextResponse(str(visits))


def blocking(request: Request) -> PlainTextResponse:
    return PlainTextResponse("from a thread")


async def fail(request: Request) -> Response:
    raise Planned


async def refuse(request: Request) -> Response:
    raise HTTPException(418, "refused")


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)


async def add_header(request: Request, call_next: RequestResponseEndpoint) -> Response:
    response = await call_next(request)
    response.headers["x-passed"] = "yes"
    return response


LARGE = [
    Route("/stream", stream),
    Route("/hello", hello),
    Route("/upload", upload, methods=["POST"]),
    Route("/refuse", refuse),
]

app = Starlette(
    routes=[
        Route("/hello", hello),
        Route("/double/{id:int}", double, methods=["POST"]),
        Route("/fields", fields, methods=["POST"]),
        Route("/upload", upload, methods=["POST"]),
        Route("/stream", stream),
        Route("/stream-thread", stream_from_thread),
        Route("/blocking", blocking),
        Route("/fail", fail),
        Route("/refuse", refuse),
        Mount("/visit", routes=[Route("/", visit)], middleware=[Middleware(SessionMiddleware, secret_key=SECRET)]),
        Mount("/base", routes=LARGE, middleware=[Middleware(BaseHTTPMiddleware, dispatch=add_header)]),
        Mount("/gzip", routes=LARGE, middleware=[Middleware(GZipMiddleware)]),
        Mount("/static", StaticFiles(directory=os.environ["SOAK_FILES"])),
        WebSocketRoute("/echo", echo),
    ],
    lifespan=lifespan,
)
