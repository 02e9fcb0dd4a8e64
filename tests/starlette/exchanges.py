"""Exchanges of every kind, each of which can be ended at any point that it passes.

`KINDS` are what clients ask for. A `Peer` is the other end of one exchange: it counts the points (each `receive`, each
`send`, and those that the application names), and at one of them it leaves, fails, or cancels the exchange, as a
server does that shuts down.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.from_thread

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.exceptions import HTTPException, WebSocketException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import Message
from starlette.websockets import WebSocket
from tests.asgi import http_scope, websocket_scope


class Fault(Exception):
    """What fails here on purpose."""


class Ending(Enum):
    """How an exchange ends at its point."""

    ERROR = "error"
    LEAVE = "client leaves"
    CANCEL = "cancelled"


@dataclass
class Peer:
    """The server's side of one exchange.

    Attributes:
        passed: The points so far, such as `"receive 0"`, `"handler"` and `"send 1"`.
        open_generators: How many generators of the application have begun and not ended.
        waits: Whether it lets the application wait for ever, so that only a cancellation can end that.
    """

    messages: list[Message]
    scope: anyio.CancelScope
    point: str = ""
    ending: Ending | None = None
    passed: list[str] = field(default_factory=list)
    open_generators: int = 0
    waits: bool = False
    left: anyio.Event = field(default_factory=anyio.Event)
    _counts: dict[str, int] = field(default_factory=dict)

    def touch(self, point: str) -> bool:
        """Pass a point; True when the exchange is to be cancelled at it."""
        self.passed.append(point)
        if point != self.point:
            return False
        if self.ending is Ending.ERROR:
            raise Fault(point)
        if self.ending is Ending.LEAVE:
            self.left.set()
            return False
        self.scope.cancel()
        return True

    async def reach(self, point: str) -> None:
        """Pass a point, and wait there for ever when the exchange is to be cancelled at it."""
        if self.touch(point):
            self.waits = True
            await anyio.sleep_forever()

    def _next(self, kind: str) -> str:
        number = self._counts.get(kind, 0)
        self._counts[kind] = number + 1
        return f"{kind} {number}"

    async def receive(self) -> Message:
        await self.reach(self._next("receive"))
        if self.messages and not self.left.is_set():
            return self.messages.pop(0)
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        await self.reach(self._next("send"))
        if self.left.is_set():
            raise OSError("the client has left")


class SocketPeer(Peer):
    async def receive(self) -> Message:
        message = await super().receive()
        return {"type": "websocket.disconnect", "code": 1006} if message["type"] == "http.disconnect" else message


def peer_of(connection: Request | WebSocket) -> Peer:
    peer: Peer = connection.scope["peer"]
    return peer


async def pieces(peer: Peer) -> AsyncIterator[bytes]:
    peer.open_generators += 1
    try:
        for number in range(3):
            await peer.reach(f"generator {number}")
            yield b"x" * 2000
    finally:
        peer.open_generators -= 1


def blocking_pieces(peer: Peer) -> Iterator[bytes]:
    peer.open_generators += 1
    try:
        for number in range(2):
            anyio.from_thread.run_sync(peer.touch, f"generator {number}")
            yield b"x" * 2000
    finally:
        peer.open_generators -= 1


def background(connection: Request | WebSocket) -> BackgroundTask:
    return BackgroundTask(peer_of(connection).reach, "background task")


def blocking(request: Request) -> Response:
    """A sync endpoint, with a sync background task."""
    peer = peer_of(request)
    anyio.from_thread.run_sync(peer.touch, "handler")
    task = BackgroundTask(lambda: anyio.from_thread.run_sync(peer.touch, "background task"))
    return PlainTextResponse("done", background=task)


async def body(request: Request) -> Response:
    received = await request.body()
    await peer_of(request).reach("handler")
    return PlainTextResponse(str(len(received)), background=background(request))


async def echo(request: Request) -> Response:
    """Read while answering, which needs ASGI 2.4: before, whoever listens for the disconnect may get the body."""
    return StreamingResponse(request.stream(), background=background(request))


async def form(request: Request) -> Response:
    async with request.form() as received:
        await peer_of(request).reach("handler")
        sizes = [getattr(value, "size", 0) for value in received.values()]
    return JSONResponse(sizes, background=background(request))


async def stream(request: Request) -> Response:
    return StreamingResponse(pieces(peer_of(request)), background=background(request))


async def blocking_stream(request: Request) -> Response:
    return StreamingResponse(blocking_pieces(peer_of(request)), background=background(request))


async def file(request: Request) -> Response:
    return FileResponse(request.app.state.file, background=background(request))


async def missing(request: Request) -> Response:
    await peer_of(request).reach("handler")
    raise HTTPException(404)


async def on_teapot(request: Request, exc: Exception) -> Response:
    await peer_of(request).reach("exception handler")
    return StreamingResponse(pieces(peer_of(request)), status_code=418)


async def teapot(request: Request) -> Response:
    raise ZeroDivisionError


class Endpoint(HTTPEndpoint):
    async def get(self, request: Request) -> Response:
        await peer_of(request).reach("handler")
        return PlainTextResponse("done")


async def socket(websocket: WebSocket) -> None:
    peer = peer_of(websocket)
    await websocket.accept()
    # Closed on the spot: Trio warns of generators that are left to the garbage collector.
    frames: Any = websocket.iter_text()
    async with aclosing(frames) as texts:
        async for text in texts:
            await peer.reach("handler")
            await websocket.send_text(text)


async def socket_group(websocket: WebSocket) -> None:
    """Listen and speak at the same time, as a chat does."""
    peer = peer_of(websocket)
    await websocket.accept()

    async def speak() -> None:
        parts: Any = pieces(peer)
        async with aclosing(parts) as speech:
            async for piece in speech:
                await websocket.send_bytes(piece)

    async with anyio.create_task_group() as group:
        group.start_soon(speak)
        frames: Any = websocket.iter_bytes()
        async with aclosing(frames) as received:
            async for _ in received:
                await peer.reach("handler")
        group.cancel_scope.cancel()


class SocketEndpoint(WebSocketEndpoint):
    encoding = "json"

    async def on_connect(self, websocket: WebSocket) -> None:
        await peer_of(websocket).reach("on_connect")
        await websocket.accept()

    async def on_receive(self, websocket: WebSocket, data: Any) -> None:
        await peer_of(websocket).reach("on_receive")
        await websocket.send_json(data)

    async def on_disconnect(self, websocket: WebSocket, close_code: int) -> None:
        await peer_of(websocket).reach("on_disconnect")


async def socket_denied(websocket: WebSocket) -> None:
    peer = peer_of(websocket)
    await websocket.send_denial_response(StreamingResponse(pieces(peer), 403, background=background(websocket)))


async def socket_refused(websocket: WebSocket) -> None:
    await peer_of(websocket).reach("handler")
    raise HTTPException(403)


async def socket_closed(websocket: WebSocket) -> None:
    await websocket.accept()
    await peer_of(websocket).reach("handler")
    raise WebSocketException(4000)


class Passing(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        peer = peer_of(request)
        await peer.reach("before call_next")
        response = await call_next(request)
        await peer.reach("after call_next")
        return response


async def pass_on(request: Request, call_next: RequestResponseEndpoint) -> Response:
    return await call_next(request)


# What stands around the application.
STACKS: Final = {
    "alone": [],
    "base": [Middleware(Passing)],
    "gzip-base-base": [
        Middleware(GZipMiddleware),
        Middleware(Passing),
        Middleware(BaseHTTPMiddleware, dispatch=pass_on),
    ],
}


def application(stack: str, directory: Path) -> Starlette:
    """Return the application with a stack of middleware, serving the files of `directory`."""
    (directory / "file").write_bytes(b"x" * 200_000)
    app = Starlette(
        routes=[
            Route("/blocking", blocking),
            Route("/body", body, methods=["POST"]),
            Route("/echo", echo, methods=["POST"]),
            Route("/form", form, methods=["POST"]),
            Route("/stream", stream),
            Route("/blocking-stream", blocking_stream),
            Route("/file", file),
            Route("/missing", missing),
            Route("/teapot", teapot),
            Route("/endpoint", Endpoint),
            Mount("/static", StaticFiles(directory=directory)),
            WebSocketRoute("/socket", socket),
            WebSocketRoute("/socket-group", socket_group),
            WebSocketRoute("/socket-endpoint", SocketEndpoint),
            WebSocketRoute("/socket-denied", socket_denied),
            WebSocketRoute("/socket-refused", socket_refused),
            WebSocketRoute("/socket-closed", socket_closed),
        ],
        middleware=STACKS[stack],
        exception_handlers={ZeroDivisionError: on_teapot},
    )
    app.state.file = directory / "file"
    return app


@dataclass(frozen=True)
class Kind:
    """What a client asks for, and what it sends: parts of a body, or the frames of a WebSocket."""

    path: str
    sent: tuple[bytes, ...] = (b"",)
    method: str = "GET"
    content_type: bytes = b""
    is_socket: bool = False
    version: str = "2.4"

    def scope(self, peer: Peer) -> dict[str, Any]:
        asgi = {"version": "3.0", "spec_version": self.version}
        if self.is_socket:
            extensions: dict[str, Any] = {"websocket.http.response": {}}
            return websocket_scope(self.path, asgi=asgi, extensions=extensions, peer=peer)
        headers = [(b"host", b"testserver"), (b"accept-encoding", b"gzip"), (b"content-type", self.content_type)]
        return http_scope(self.path, self.method, headers=headers, asgi=asgi, peer=peer)

    def peer(self, scope: anyio.CancelScope, point: str = "", ending: Ending | None = None) -> Peer:
        """Return the other end of an exchange that ends at `point`, or, with none, when all is done."""
        messages: list[Message]
        if self.is_socket:
            frames: list[Message] = [{"type": "websocket.receive", **_frame(octets)} for octets in self.sent]
            messages = [{"type": "websocket.connect"}, *frames, {"type": "websocket.disconnect", "code": 1000}]
            return SocketPeer(messages, scope, point, ending)
        last = len(self.sent) - 1
        messages = [
            {"type": "http.request", "body": chunk, "more_body": number < last}
            for number, chunk in enumerate(self.sent)
        ]
        return Peer(messages, scope, point, ending)


def _frame(octets: bytes) -> Message:
    return {"bytes": octets[1:]} if octets.startswith(b"\0") else {"text": octets.decode()}


_HEAD: Final = b'--b\r\ncontent-disposition: form-data; name="f"; filename="f"\r\n\r\n'

# Two files, the first of which is too large to be kept in memory.
MULTIPART: Final = (_HEAD, b"x" * 700_000, b"x" * 700_000, b"\r\n" + _HEAD + b"short", b"\r\n--b--\r\n")

KINDS: Final = {
    "blocking": Kind("/blocking"),
    "body": Kind("/body", (b"x" * 1000, b"y" * 1000, b"z"), "POST"),
    "echo": Kind("/echo", (b"x" * 1000, b"y" * 1000, b"z"), "POST"),
    "multipart": Kind("/form", MULTIPART, "POST", b"multipart/form-data; boundary=b"),
    "multipart-broken": Kind("/form", (*MULTIPART[:3], b"\r\n--b~"), "POST", b"multipart/form-data; boundary=b"),
    "urlencoded": Kind("/form", (b"a=1&", b"b=2"), "POST", b"application/x-www-form-urlencoded"),
    "stream": Kind("/stream"),
    "stream-asgi-2.3": Kind("/stream", version="2.3"),
    "blocking-stream": Kind("/blocking-stream"),
    "blocking-stream-asgi-2.3": Kind("/blocking-stream", version="2.3"),
    "file": Kind("/file"),
    "file-asgi-2.3": Kind("/file", version="2.3"),
    "static": Kind("/static/file"),
    "not-found": Kind("/missing"),
    "exception-handler": Kind("/teapot"),
    "endpoint": Kind("/endpoint"),
    "socket": Kind("/socket", (b"a", b"b"), is_socket=True),
    "socket-group": Kind("/socket-group", (b"\0a", b"\0b"), is_socket=True),
    "socket-endpoint": Kind("/socket-endpoint", (b"1", b"[2]", b"not JSON"), is_socket=True),
    "socket-denied": Kind("/socket-denied", (), is_socket=True),
    "socket-refused": Kind("/socket-refused", (), is_socket=True),
    "socket-closed": Kind("/socket-closed", (), is_socket=True),
    "socket-without-route": Kind("/nowhere", (), is_socket=True),
}
