"""Requests of other origins, and what a middleware adds to their responses."""

from __future__ import annotations

from typing import Any

from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from tests.asgi import Record, call, http_scope

ORIGIN = "https://example.org"
PREFLIGHT_VARY = (
    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network"
)
SAFE = "Accept, Accept-Language, Content-Language, Content-Type"

Headers = dict[str, str]


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("page")(scope, receive, send)


def answering(*headers: tuple[bytes, bytes]) -> Any:
    """Return an application that answers with these header fields only."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": list(headers)})
        await send({"type": "http.response.body", "body": b""})

    return app


def scope_of(origin: str | None, method: str = "GET", **headers: str) -> dict[str, Any]:
    """Return a request of this origin; `request_method="GET"` adds `Access-Control-Request-Method`."""
    fields = [(b"host", b"testserver")]
    if origin is not None:
        fields.append((b"origin", origin.encode("latin-1")))
    for name, value in headers.items():
        fields.append((f"access-control-{name.replace('_', '-')}".encode(), value.encode("latin-1")))
    return http_scope(method=method, headers=fields)


async def preflight(
    options: dict[str, Any], origin: str = ORIGIN, request_method: str = "GET", **headers: str
) -> Record:
    scope = scope_of(origin, "OPTIONS", request_method=request_method, **headers)
    return await call(CORSMiddleware(page, **options), scope)


async def simple(options: dict[str, Any], origin: str | None = ORIGIN, app: Any = page) -> Record:
    return await call(CORSMiddleware(app, **options), scope_of(origin))


def cors_headers(sent: Record) -> Headers:
    """Return what the middleware has added."""
    names = [name.decode() for name, _ in sent.headers]
    assert len(names) == len(set(names))
    return {name: sent.header(name) or "" for name in names if name == "vary" or name.startswith("access-control-")}
