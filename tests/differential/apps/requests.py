"""What a request tells of its scope, and what reading its body in any order gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anyio

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.differential.transcript import described, note

# What is asked of a connection, by name.
QUESTIONS: dict[str, Any] = {
    "url": lambda c: str(c.url),
    "url parts": lambda c: [
        getattr(c.url, name)
        for name in ("scheme", "netloc", "path", "query", "fragment", "username", "hostname", "port", "is_secure")
    ],
    "url repr": lambda c: repr(c.url),
    "base_url": lambda c: str(c.base_url),
    "headers": lambda c: list(c.headers.items()),
    "one header": lambda c: [
        c.headers.get("x-many"),
        c.headers.getlist("X-Many"),
        "x-many" in c.headers,
        len(c.headers),
    ],
    "header keys": lambda c: [c.headers.keys(), c.headers.values(), dict(c.headers), c.headers.raw],
    "query": lambda c: c.query_params.multi_items(),
    "query text": lambda c: [
        str(c.query_params),
        dict(c.query_params),
        c.query_params.getlist("a"),
        len(c.query_params),
    ],
    "cookies": lambda c: c.cookies,
    "client": lambda c: c.client,
    "path_params": lambda c: c.path_params,
    "state": lambda c: c.state._state,
    "session": lambda c: c.session,
    "auth": lambda c: c.auth,
    "user": lambda c: c.user,
    "app": lambda c: type(c.app).__name__,
    "method": lambda c: c.method,
    "keys": lambda c: sorted(c),
    "length": lambda c: len(c),
    "url again": lambda c: [c.url is c.url, c.headers is c.headers, c.cookies is c.cookies, c == c, c == c.scope],
    "replaced": lambda c: [
        str(c.url.replace(path="/p")),
        str(c.url.replace(query="a=1", fragment="f")),
        str(c.url.replace(port=99)),
        str(c.url.include_query_params(z="1", a="2")),
        str(c.url.remove_query_params("a")),
        str(c.url.replace_query_params(only="x y")),
    ],
    "hostname": lambda c: str(c.url.replace(hostname="other.org", scheme="https")),
}


def told(questions: Sequence[str] = (), bare: bool = True) -> ASGIApp:
    """Answers questions about the connection, all of them unless told which; `bare`: with no application around."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        connection = Request(scope, receive, send) if scope["type"] == "http" else HTTPConnection(scope)
        for name in questions or QUESTIONS:
            try:
                note(name, QUESTIONS[name](connection))
            except Exception as error:
                note(name, "raised", described(error))

    async def endpoint(request: Request) -> Response:
        await application(request.scope, request.receive, request._send)
        return PlainTextResponse("told")

    return application if bare else Starlette(routes=[Mount("/in", routes=[Route("/{rest:path}", endpoint)])])


async def _form(request: Request, **limits: Any) -> list[Any]:
    form = await request.form(**limits)
    found: list[Any] = []
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            content = await value.read()
            await value.seek(0)
            headers = list(value.headers.items())
            size, end = value.size, (len(content), content[:60])
            found.append((name, "file", value.filename, size, value.content_type, headers, end))
        else:
            found.append((name, value))
    return found


async def _streamed(request: Request) -> list[bytes]:
    return [chunk async for chunk in request.stream()]


async def _first(request: Request) -> Any:
    stream = request.stream()
    chunk = await anext(stream)
    await stream.aclose()
    return chunk


async def _alternating(request: Request) -> Any:
    one, two = request.stream(), request.stream()
    found = [await anext(one, None), await anext(two, None), await anext(one, None), await anext(two, None)]
    await one.aclose()
    await two.aclose()
    return found


async def _context(request: Request) -> Any:
    async with request.form() as form:
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    return [file.file.closed for file in files]


async def _hints(request: Request) -> Any:
    await request.send_early_hints("</a.css>; rel=preload", "</b.js>; rel=preload")


# What is done with a request, by name.
STEPS: dict[str, Any] = {
    "body": lambda r: r.body(),
    "json": lambda r: r.json(),
    "form": _form,
    "stream": _streamed,
    "first": _first,
    "alternating": _alternating,
    "disconnected": lambda r: r.is_disconnected(),
    "close": lambda r: r.close(),
    "context": _context,
    "push": lambda r: r.send_push_promise("/style.css"),
    "hints": _hints,
    "bad hint": lambda r: r.send_early_hints("\u20ac"),
}


def read(steps: Sequence[Any], inside: bool = True, caught: bool = True) -> ASGIApp:
    """Does the steps in order, each a name or a pair of name and keyword arguments, and notes what comes of them.

    Args:
        steps: Names of `STEPS`.
        inside: Whether an application stands around, which turns faults of forms into answers.
        caught: Whether exceptions are noted and the next step is done; else they leave the endpoint.
    """

    async def endpoint(request: Request) -> Response:
        for step in steps:
            name, options = (step, {}) if isinstance(step, str) else step
            try:
                note(name, await STEPS[name](request, **options))
            except anyio.get_cancelled_exc_class():
                note(name, "was cancelled")
                raise
            except Exception as error:
                note(name, "raised", described(error))
                if not caught:
                    raise
                if isinstance(error, ClientDisconnect):
                    note("disconnected afterwards", await request.is_disconnected())
        return PlainTextResponse("read")

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        response = await endpoint(request)
        await response(scope, receive, send)

    if inside:
        return Starlette(routes=[Route("/", endpoint, methods=["GET", "POST"])])
    return application
