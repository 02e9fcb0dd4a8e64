"""Server-sent events by sse-starlette: whole streams, and clients that leave."""

# The package is in an environment of its own, where no type checker looks.
# mypy: ignore-errors
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportInvalidTypeForm=false
# ruff: noqa: E402

from __future__ import annotations

import anyio
import pytest

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from tests.asgi import Record, Script, call, http_scope
from tests.downstream.support import package

package("sse_starlette")

from sse_starlette import EventSourceResponse, JSONServerSentEvent, ServerSentEvent

EXPECTED = (
    'data: text\r\n\r\nid: 7\r\nevent: named\r\ndata: 1\r\n\r\ndata: {"a":1}\r\n\r\ndata: two\r\ndata: lines\r\n\r\n'
)


async def events():
    yield "text"
    yield {"data": "1", "event": "named", "id": "7"}
    yield JSONServerSentEvent({"a": 1})
    yield ServerSentEvent("two\nlines")


class PassOn(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        return await call_next(request)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize(
    "middleware",
    [
        pytest.param([], id="alone"),
        pytest.param([Middleware(PassOn)], id="behind-base"),
        pytest.param([Middleware(GZipMiddleware), Middleware(CORSMiddleware, allow_origins=["*"])], id="behind-others"),
    ],
)
def test_a_stream_of_events(backend, middleware) -> None:
    done: list[str] = []

    async def stream(request):
        return EventSourceResponse(events(), background=BackgroundTask(done.append, "done"), headers={"x-a": "1"})

    app = Starlette(routes=[Mount("/api", routes=[Route("/events", stream)])], middleware=middleware)
    response = TestClient(app, backend=backend).get("/api/events", headers={"origin": "http://a"})
    assert response.text == EXPECTED
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert (response.headers["x-a"], response.headers["cache-control"]) == ("1", "no-store")
    assert "content-encoding" not in response.headers
    assert done == ["done"]


@pytest.mark.anyio
@pytest.mark.parametrize("wrap", [lambda app: app, PassOn], ids=["alone", "behind-base"])
async def test_the_generator_ends_when_the_client_leaves(wrap) -> None:
    ended: list[str] = []

    async def endless():
        try:
            yield "first"
            await anyio.sleep_forever()
        finally:
            ended.append("ended")

    async def stream(request):
        return EventSourceResponse(endless())

    sent = Record()
    receive = Script({"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"})
    with anyio.fail_after(10):
        await wrap(Starlette(routes=[Route("/", stream)]))(http_scope(), receive, sent)
    assert sent.status == 200
    assert set(ended) <= {"ended"}


@pytest.mark.anyio
async def test_a_response_is_an_application() -> None:
    sent = await call(EventSourceResponse(iter(["a", "b"])))
    assert sent.body == b"data: a\r\n\r\ndata: b\r\n\r\n"
