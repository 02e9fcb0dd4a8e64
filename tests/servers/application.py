"""An application that tells what happened to it: lifespan events, streams that ended, clients that left."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import TypedDict

import anyio
import anyio.lowlevel

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route


class State(TypedDict):
    events: list[str]


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[State]:
    print("lifespan: startup", flush=True)
    yield {"events": ["startup"]}
    print("lifespan: shutdown", flush=True)


async def events(request: Request) -> JSONResponse:
    return JSONResponse(request.state.events)


async def endless(request: Request) -> StreamingResponse:
    """Stream until the client leaves, and note that the generator was closed."""
    log: list[str] = request.state.events

    async def chunks() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 65536
                await anyio.lowlevel.checkpoint()
        finally:
            log.append("generator closed")

    return StreamingResponse(chunks(), media_type="application/octet-stream")


async def numbers(request: Request) -> StreamingResponse:
    """Stream lines from a plain generator, then note that the background task ran."""
    log: list[str] = request.state.events

    def chunks() -> Iterator[str]:
        for number in range(1000):
            yield f"{number}\n"

    task = BackgroundTask(log.append, "background task ran")
    return StreamingResponse(chunks(), media_type="text/plain", background=task)


async def digest(request: Request) -> JSONResponse:
    """Hash a body while it arrives, and note when the client leaves before its end."""
    log: list[str] = request.state.events
    checksum, size = hashlib.sha256(), 0
    try:
        async for chunk in request.stream():
            if not size:
                log.append("body began")
            checksum.update(chunk)
            size += len(chunk)
    except ClientDisconnect:
        log.append("client left while sending")
        raise
    return JSONResponse({"size": size, "sha256": checksum.hexdigest()})


app = Starlette(
    routes=[
        Route("/events", events),
        Route("/endless", endless),
        Route("/numbers", numbers),
        Route("/digest", digest, methods=["POST"]),
    ],
    lifespan=lifespan,
)
