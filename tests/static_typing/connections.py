"""Types of requests and websockets as callers see them. Checked by mypy and pyright, never run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, TypedDict, assert_type

from starlette.datastructures import URL, Address, FormData, Headers, QueryParams, State, UploadFile
from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket, WebSocketState


class Shared(TypedDict):
    count: int


def reading(request: Request) -> None:
    assert_type(request.headers, Headers)
    assert_type(request.headers["a"], str)
    assert_type(request.headers.get("a"), str | None)
    assert_type(request.headers.getlist("a"), list[str])
    assert_type(request.query_params, QueryParams)
    assert_type(request.query_params["a"], str)
    assert_type(request.cookies, dict[str, str])
    assert_type(request.path_params, dict[str, Any])
    assert_type(request.url, URL)
    assert_type(request.base_url, URL)
    assert_type(request.url.port, int | None)
    assert_type(request.url_for("name", name=1), URL)
    assert_type(request.client, Address | None)
    assert_type(request.method, str)


async def bodies(request: Request) -> None:
    assert_type(await request.body(), bytes)
    assert_type(request.stream(), AsyncGenerator[bytes, None])
    assert_type(await request.json(), Any)
    assert_type(await request.is_disconnected(), bool)
    assert_type(await request.form(), FormData)
    async with request.form(max_files=1) as form:
        assert_type(form, FormData)
        assert_type(form["a"], UploadFile | str)
        assert_type(form.get("a"), UploadFile | str | None)
        assert_type(form.multi_items(), list[tuple[str, UploadFile | str]])


async def uploads(file: UploadFile) -> None:
    assert_type(file.filename, str | None)
    assert_type(file.size, int | None)
    assert_type(file.content_type, str | None)
    assert_type(await file.read(), bytes)


def state(plain: Request, typed: Request[Shared], connection: HTTPConnection, socket: WebSocket[Shared]) -> None:
    assert_type(plain.state, State)
    assert_type(plain.state.anything, Any)
    assert_type(connection.state, State)
    assert_type(typed.state, Shared)
    assert_type(typed.state["count"], int)
    assert_type(socket.state["count"], int)
    typed.state["count"] = "one"  # type: ignore[typeddict-item]


async def sockets(websocket: WebSocket) -> None:
    assert_type(websocket.headers, Headers)
    assert_type(websocket.client_state, WebSocketState)
    assert_type(await websocket.receive_text(), str)
    assert_type(await websocket.receive_bytes(), bytes)
    async for text in websocket.iter_text():
        assert_type(text, str)
    async for data in websocket.iter_bytes():
        assert_type(data, bytes)
    await websocket.close(1000, reason="done")
    await websocket.send_text(b"bytes")  # type: ignore[arg-type]
