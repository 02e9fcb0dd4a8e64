"""Ours and upstream: one program for both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from benchmarks.field.programs.bare import Passing
from benchmarks.field.workload import CHUNK, CHUNKS, FOLDER, HELLO, KIND, LAYERS, sections
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect


async def hello(request: Request) -> JSONResponse:
    return JSONResponse(HELLO)


async def item(request: Request) -> JSONResponse:
    query = request.query_params
    return JSONResponse({"id": request.path_params["id"], "q": query["q"], "page": int(query["page"])})


async def echo(request: Request) -> JSONResponse:
    return JSONResponse(await request.json())


async def form(request: Request) -> JSONResponse:
    fields = await request.form()
    return JSONResponse({"name": fields["name"], "email": fields["email"], "age": fields["age"]})


async def chunks() -> AsyncIterator[bytes]:
    for _ in range(CHUNKS):
        yield CHUNK


async def stream(request: Request) -> StreamingResponse:
    return StreamingResponse(chunks(), media_type="text/plain")


def sync(request: Request) -> JSONResponse:
    return JSONResponse(HELLO)


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect:
        pass


def page(number: int) -> Any:
    async def endpoint(request: Request) -> JSONResponse:
        return JSONResponse({"page": number})

    return endpoint


async def section_item(request: Request) -> JSONResponse:
    return JSONResponse({"item": request.path_params["id"]})


routes: list[BaseRoute] = [
    Route("/hello", hello),
    Route("/items/{id:int}", item),
    Route("/echo", echo, methods=["POST"]),
    Route("/form", form, methods=["POST"]),
    Route("/stream", stream),
    Route("/sync", sync),
    WebSocketRoute("/socket", socket),
    Mount("/static", StaticFiles(directory=FOLDER)),
]
if KIND == "routes":
    for number, (prefix, parameter) in enumerate(sections()):
        if parameter:
            routes.append(Route(f"{prefix}/item/{{id:int}}", section_item))
        else:
            routes.append(Route(f"{prefix}/page", page(number)))

app = Starlette(routes=routes, middleware=[Middleware(Passing)] * LAYERS if KIND == "layers" else [])
