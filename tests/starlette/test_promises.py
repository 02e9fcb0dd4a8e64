"""Promises that no single module keeps: each is shown through a whole application, often behind a stack of middleware.

The numbers are those of docs/threats.md.
"""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette._utils import get_route_path
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route
from starlette.types import Message, Receive, Scope, Send
from tests.asgi import Record, Script, body, call, http_scope
from tests.growth import per_doubling
from tests.starlette.forms import field, run


class Passing(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        return await call_next(request)


STACKS = {
    "alone": [],
    "base": [Middleware(Passing)],
    "two bases, gzip and cors": [
        Middleware(Passing),
        Middleware(GZipMiddleware, minimum_size=0),
        Middleware(CORSMiddleware, allow_origins=["*"]),
        Middleware(Passing),
    ],
}


async def named(request: Request) -> Response:
    return PlainTextResponse(request.scope["path"])


# --- routing


@pytest.mark.anyio
@pytest.mark.parametrize(
    "path",
    [
        "//page",
        "/page//",
        "/./page",
        "/page/.",
        "/x/../page",
        "/Page",
        "/page;v=1",
        "/page%2F",
        "/p%61ge",
        "/page\\",
        "/page ",
        "/page\x00",
        "/pag\N{LATIN SMALL LETTER E WITH ACUTE}",
        "/file_txt",
    ],
)
async def test_paths_are_taken_as_they_come(path: str) -> None:  # T13.3
    # In `scope["path"]` a percent sign is one: what was encoded has been decoded, once.
    app = Starlette(routes=[Route("/page", named), Route("/file.txt", named)])
    assert (await call(app, http_scope("/page"))).status == 200
    assert (await call(app, http_scope(path))).status in {307, 404}
    bare = Starlette(routes=app.routes)
    bare.router.redirect_slashes = False
    assert (await call(bare, http_scope(path))).status == 404


segments = st.text(st.characters(exclude_characters="\r\n"), min_size=1, max_size=6)


@given(st.lists(segments, min_size=1, max_size=4), st.sampled_from(["", "/root"]))
@settings(max_examples=200, deadline=None)
def test_root_path_and_rest_make_the_path(parts: list[str], root: str) -> None:  # T13.6
    seen: list[tuple[str, str, str]] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope["root_path"], get_route_path(scope), scope["path"]))

    app = Starlette(
        routes=[Mount("/{a}", routes=[Mount("/{b}", app=inner), Mount("", app=inner)]), Mount("", app=inner)]
    )
    path = root + "/" + "/".join(parts)
    run(app(http_scope(path, root_path=root), Script(), Record()))
    ((root_path, rest, whole),) = seen
    assert (whole, root_path + rest) == (path, path)
    assert rest[:1] in ("", "/")


@pytest.mark.anyio
async def test_nothing_overrides_the_method() -> None:  # T17
    async def remove(request: Request) -> Response:
        raise AssertionError("reached")

    app = Starlette(routes=[Route("/", named, methods=["POST"]), Route("/", remove, methods=["DELETE"])])
    names = ["x-http-method-override", "x-http-method", "x-method-override", "_method"]
    headers = [(name.encode(), b"DELETE") for name in names]
    headers.append((b"content-type", b"application/x-www-form-urlencoded"))
    scope = http_scope(method="POST", query_string=b"_method=DELETE", headers=headers)
    assert (await call(app, scope, body(b"_method=DELETE"))).body == b"/"


# --- framing


async def letters() -> AsyncIterator[bytes]:
    for letter in b"abc":
        yield bytes([letter])


def blocking_letters() -> Iterator[str]:
    yield from "abc"


RESPONSES: dict[str, Callable[[Path], Response]] = {
    "empty": lambda path: Response(),
    "text": lambda path: PlainTextResponse("d\N{LATIN SMALL LETTER E WITH ACUTE}j\N{LATIN SMALL LETTER A WITH GRAVE}"),
    "html": lambda path: HTMLResponse("<p>" * 1000),
    "json": lambda path: JSONResponse({"a": ["\N{SNOWMAN}"] * 500}),
    "redirect": lambda path: RedirectResponse("/elsewhere"),
    "file": lambda path: FileResponse(path),
    "stream": lambda path: StreamingResponse(letters()),
    "blocking stream": lambda path: StreamingResponse(blocking_letters()),
    "stream of nothing": lambda path: StreamingResponse([]),
    "no content": lambda path: Response("ignored", status_code=204),
}


@pytest.mark.anyio
@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("kind", RESPONSES)
@pytest.mark.parametrize("coding", [b"identity", b"gzip"])
async def test_responses_are_as_long_as_they_say_and_end_once(  # T23.2
    kind: str, stack: str, coding: bytes, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(bytes(range(256)) * 1000)

    async def endpoint(request: Request) -> Response:
        return RESPONSES[kind](tmp_path / "file")

    app = Starlette(routes=[Route("/", endpoint)], middleware=STACKS[stack])
    sent = await call(app, http_scope(headers=[(b"accept-encoding", coding), (b"origin", b"http://o")]))
    assert sent.types[0] == "http.response.start"
    assert set(sent.types[1:]) == {"http.response.body"}
    lasts = [not message.get("more_body", False) for message in sent.messages[1:]]
    assert lasts.index(True) == len(lasts) - 1
    length = sent.header("content-length")
    assert length is None or int(length) == len(sent.body)


# --- exceptions


@pytest.mark.anyio
@pytest.mark.parametrize("stack", STACKS)
async def test_an_exception_that_is_raised_again_does_not_grow(stack: str) -> None:  # threats R04.5
    refusal = HTTPException(403)

    async def endpoint(request: Request) -> Response:
        raise refusal

    app = Starlette(routes=[Route("/", endpoint)], middleware=STACKS[stack])

    def depth() -> tuple[int, int]:
        frames, traceback = 0, refusal.__traceback__
        while traceback is not None:
            frames, traceback = frames + 1, traceback.tb_next
        chained, link = 0, refusal.__context__
        while link is not None:
            chained, link = chained + 1, link.__context__
        return frames, chained

    assert (await call(app)).status == 403
    first = depth()
    for _ in range(20):
        assert (await call(app)).status == 403
    assert depth() == first


# --- slow clients and large bodies


async def length(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def streamed(request: Request) -> Response:
    return PlainTextResponse(str(sum([len(piece) async for piece in request.stream()])))


async def form(request: Request) -> Response:
    async with request.form() as data:
        return PlainTextResponse(str(len(data)))


@pytest.mark.parametrize("endpoint", [length, streamed, form])
@pytest.mark.parametrize("stack", ["alone", "base"])
def test_a_client_that_sends_octet_by_octet_costs_linear_time(endpoint: Any, stack: str) -> None:  # threats R08
    app = Starlette(routes=[Route("/", endpoint, methods=["POST"])], middleware=STACKS[stack], max_body_size=10_000_000)
    headers = [(b"content-type", b"multipart/form-data; boundary=B")]

    async def post(content: bytes) -> None:
        octets = iter(content)

        async def receive() -> Message:
            octet = next(octets, None)
            return {
                "type": "http.request",
                "body": b"" if octet is None else bytes([octet]),
                "more_body": octet is not None,
            }

        sent = Record()
        await app(http_scope(method="POST", headers=headers), receive, sent)
        assert sent.status == 200

    assert per_doubling(lambda n: anyio.run(post, field("a", b"x" * n) + b"--B--\r\n"), 2000) < 3


@pytest.mark.anyio
@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("kind", ["file", "stream"])
async def test_large_responses_use_constant_memory(kind: str, stack: str, tmp_path: Path) -> None:  # threats R09.2
    size = 32 * 1024 * 1024
    (tmp_path / "large").touch()
    os.truncate(tmp_path / "large", size)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(size // 65536):
            yield bytes(65536)

    async def endpoint(request: Request) -> Response:
        return FileResponse(tmp_path / "large") if kind == "file" else StreamingResponse(pieces())

    app = Starlette(routes=[Route("/", endpoint)], middleware=STACKS[stack])
    received = 0

    async def send(message: Message) -> None:
        nonlocal received
        received += len(message.get("body", b""))

    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        await app(http_scope(), Script(), send)
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert received == size
    assert peak < 4 * 1024 * 1024
