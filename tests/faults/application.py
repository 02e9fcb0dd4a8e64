"""An application that can be held in every phase, notes how each ended, and counts what is left of all of it.

A request names itself by `?key=`. `/notes/KEY` lists what happened to it, `/open/KEY` lets it go on where it waits.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import threading
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated

import anyio
import anyio.lowlevel

from asterism.dependencies import Depends, inject
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.datastructures import UploadFile
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket
from tests.faults.census import census, worker_threads
from tests.faults.content import CHUNK, chunk
from tests.servers import pouring

# Where the tests put files to serve.
SHARED = os.environ["FAULTS_SHARED"]


class Fault(Exception):
    """What fails on purpose. Its text is unique, so that the log can be searched for it."""


class Gate:
    """Where a request waits, in a task or in a thread."""

    def __init__(self) -> None:
        self.for_tasks = anyio.Event()
        self.for_threads = threading.Event()

    def open(self) -> None:
        self.for_tasks.set()
        self.for_threads.set()


NOTES: defaultdict[str, list[str]] = defaultdict(list)
GATES: defaultdict[str, Gate] = defaultdict(Gate)
PRODUCED: Counter[str] = Counter()


def key_of(connection: HTTPConnection) -> str:
    return connection.query_params["key"]


@contextmanager
def noting(key: str, name: str) -> Iterator[list[str]]:
    """Note that something began, and how it ended."""
    notes = NOTES[key]
    notes.append(f"{name} began")
    try:
        yield notes
    except BaseException as exc:
        notes.append(f"{name}: {type(exc).__name__}")
        raise
    finally:
        notes.append(f"{name} ended")


# What tests ask


async def show_census(request: Request) -> JSONResponse:
    return JSONResponse(census())


async def show_workers(request: Request) -> JSONResponse:
    return JSONResponse(worker_threads())


async def show_notes(request: Request) -> JSONResponse:
    return JSONResponse(NOTES[request.path_params["key"]])


async def show_produced(request: Request) -> JSONResponse:
    return JSONResponse(PRODUCED[request.path_params["key"]])


async def open_gate(request: Request) -> Response:
    GATES[request.path_params["key"]].open()
    return Response(status_code=204)


# What is held, left and broken


async def read(request: Request) -> JSONResponse:
    """Read the body in one of the ways there are."""
    key, how = key_of(request), request.query_params["how"]
    size = 0
    with noting(key, "reading") as notes:
        if how == "gate":
            await GATES[key].for_tasks.wait()
            how = "stream"
        if how == "stream":
            checksum = hashlib.sha256()
            async for chunk in request.stream():
                if chunk and not size:
                    notes.append("body began")
                checksum.update(chunk)
                size += len(chunk)
            return JSONResponse({"size": size, "sha256": checksum.hexdigest()})
        if how == "json":
            return JSONResponse(await request.json())
        if how == "form":
            async with request.form() as form:
                return JSONResponse({name: _described(value) for name, value in form.items()})
        return JSONResponse({"size": len(await request.body())})


def _described(value: UploadFile | str) -> object:
    return value if isinstance(value, str) else {"filename": value.filename, "size": value.size}


async def hold(request: Request) -> PlainTextResponse:
    """Answer when the gate is opened."""
    with noting(key_of(request), "handler"):
        await GATES[key_of(request)].for_tasks.wait()
    return PlainTextResponse("x" * CHUNK)


def dependency(request: Request) -> Iterator[str]:
    """Open something that blocks."""
    with noting(key_of(request), "dependency"):
        yield key_of(request)


@inject
async def hold_dependency(key: Annotated[str, Depends(dependency)]) -> PlainTextResponse:
    """Answer when the gate is opened, with something open meanwhile."""
    await GATES[key].for_tasks.wait()
    return PlainTextResponse("x" * CHUNK)


async def poll(request: Request) -> PlainTextResponse:
    """Ask whether the client is still there until it is not."""
    with noting(key_of(request), "handler"):
        while not await request.is_disconnected():
            await anyio.lowlevel.checkpoint()
    return PlainTextResponse("")


def hold_thread(request: Request) -> PlainTextResponse:
    """Hold a worker thread until the gate is opened."""
    with noting(key_of(request), "thread"):
        GATES[key_of(request)].for_threads.wait()
    return PlainTextResponse("from a thread")


async def stream(request: Request) -> StreamingResponse:
    """Stream as many chunks as asked for, with a wait before one of them if so asked."""
    key, query = key_of(request), request.query_params
    count, wait_before = int(query.get("chunks", "0")), int(query.get("wait", "-1"))

    async def chunks() -> AsyncIterator[bytes]:
        with noting(key, "generator"):
            for number in range(count):
                if number == wait_before:
                    await GATES[key].for_tasks.wait()
                PRODUCED[key] += 1
                yield chunk(number)
                await anyio.lowlevel.checkpoint()  # where the server never waits, nobody else would get to run

    return StreamingResponse(chunks(), media_type="application/octet-stream")


async def stream_from_thread(request: Request) -> StreamingResponse:
    """Do the same with a plain generator."""
    key, query = key_of(request), request.query_params
    count, wait_before = int(query.get("chunks", "0")), int(query.get("wait", "-1"))

    def chunks() -> Iterator[bytes]:
        with noting(key, "generator"):
            for number in range(count):
                if number == wait_before:
                    GATES[key].for_threads.wait()
                PRODUCED[key] += 1
                yield chunk(number)

    return StreamingResponse(chunks(), media_type="application/octet-stream")


async def file(request: Request) -> FileResponse:
    name = os.path.basename(request.path_params["name"])
    return FileResponse(os.path.join(SHARED, name), background=BackgroundTask(NOTES[name].append, "file sent"))


async def background(request: Request) -> PlainTextResponse:
    key = key_of(request)

    async def task() -> None:
        with noting(key, "background"):
            await GATES[key].for_tasks.wait()

    def task_in_thread() -> None:
        with noting(key, "background"):
            GATES[key].for_threads.wait()

    in_thread = request.query_params["kind"] == "sync"
    return PlainTextResponse("sent", background=BackgroundTask(task_in_thread if in_thread else task))


async def fail(request: Request) -> Response:
    """Fail where the path says, with the key as the text."""
    key, where = key_of(request), request.path_params["where"]
    if where == "before":
        raise Fault(key)
    if where == "group":
        async with anyio.create_task_group() as group:
            group.start_soon(_fail, key)
    if where == "background":
        return PlainTextResponse("sent", background=BackgroundTask(_fail, key))

    async def chunks() -> AsyncIterator[bytes]:
        with noting(key, "generator"):
            if where != "first":
                yield b"x" * CHUNK
            raise OSError(f"Fault: {key}") if where == "oserror" else Fault(key)

    return StreamingResponse(chunks())


async def _fail(key: str) -> None:
    raise Fault(key)


def fail_in_thread(request: Request) -> Response:
    if request.path_params["where"] == "handler":
        raise Fault(key_of(request))

    def chunks() -> Iterator[bytes]:
        with noting(key_of(request), "generator"):
            yield b"x" * CHUNK
            raise Fault(key_of(request))

    return StreamingResponse(chunks())


async def fail_short(scope: object, receive: object, send: object) -> None:
    """Return without an answer."""


async def echo(websocket: WebSocket) -> None:
    """Send back what comes, and wait for more."""
    with noting(key_of(websocket), "socket"):
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(text)


async def pour(websocket: WebSocket) -> None:
    """Send until the client is gone."""
    with noting(key_of(websocket), "socket"):
        await pouring.pour(websocket, b"x" * CHUNK)


async def fail_socket(websocket: WebSocket) -> None:
    if websocket.path_params["where"] == "after":
        await websocket.accept()
    raise Fault(key_of(websocket))


async def passing(request: Request, call_next: RequestResponseEndpoint) -> Response:
    return await call_next(request)


async def failing(request: Request, call_next: RequestResponseEndpoint) -> Response:
    await call_next(request)
    raise Fault(key_of(request))


HELD: list[BaseRoute] = [
    Route("/read", read, methods=["POST"]),
    Route("/hold", hold),
    Route("/hold-dependency", hold_dependency),
    Route("/poll", poll),
    Route("/hold-thread", hold_thread),
    Route("/stream/async", stream),
    Route("/stream/sync", stream_from_thread),
    Route("/file/{name}", file),
    Route("/background", background),
    Route("/fail/thread-{where}", fail_in_thread),
    Route("/fail/{where}", fail),
]


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    yield
    for gate in tuple(GATES.values()):
        gate.for_threads.set()  # a thread cannot be cancelled
    print("lifespan ended", flush=True)


@atexit.register
def report() -> None:
    """Tell at the very end what was begun and what was ended."""
    counts = Counter(note for notes in NOTES.values() for note in notes)
    print("at exit:", *(f"{note}={count};" for note, count in sorted(counts.items())), flush=True)


app = Starlette(
    routes=[
        Route("/census", show_census),
        Route("/workers", show_workers),
        Route("/notes/{key}", show_notes),
        Route("/produced/{key}", show_produced),
        Route("/open/{key}", open_gate, methods=["POST"]),
        WebSocketRoute("/echo", echo),
        WebSocketRoute("/pour", pour),
        WebSocketRoute("/fail/{where}", fail_socket),
        Mount("/static", StaticFiles(directory=SHARED)),
        Mount("/base", routes=HELD, middleware=[Middleware(BaseHTTPMiddleware, dispatch=passing)]),
        Mount("/after", routes=HELD, middleware=[Middleware(BaseHTTPMiddleware, dispatch=failing)]),
        Mount("/gzip", routes=HELD, middleware=[Middleware(GZipMiddleware)]),
        Mount("/silent", fail_short),
        *HELD,
    ],
    lifespan=lifespan,
)
