"""Applications and dispatch functions that the tests of `BaseHTTPMiddleware` share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from tests.asgi import http_scope

Dispatch = Callable[[Request, RequestResponseEndpoint], Awaitable[Response]]


def start(status: int = 200, **keys: Any) -> Message:
    return {"type": "http.response.start", "status": status, "headers": [], **keys}


def part(body: bytes, more_body: bool = True) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more_body}


END = part(b"", more_body=False)


def sends(*messages: Message) -> ASGIApp:
    """Return an application that sends these messages and returns."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(dict(message))

    return app


async def pass_on(request: Request, call_next: RequestResponseEndpoint) -> Response:
    return await call_next(request)


def behind(app: ASGIApp, *dispatches: Dispatch, layers: int = 1) -> ASGIApp:
    """Return `app` behind middlewares with these dispatch functions, the first one outermost."""
    for dispatch in reversed(dispatches or (pass_on,) * layers):
        app = BaseHTTPMiddleware(app, dispatch=dispatch)
    return app


async def serve(app: ASGIApp, receive: Receive, send: Send) -> None:
    """Run one exchange; what task groups can start."""
    await app(http_scope(), receive, send)
