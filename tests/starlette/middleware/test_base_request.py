"""`BaseHTTPMiddleware`: one request body for the dispatch function and for the application."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import anyio
import pytest

from starlette.background import BackgroundTask
from starlette.middleware.base import RequestResponseEndpoint, _CachedRequest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send
from tests.asgi import Record, Script, body, call, http_scope
from tests.starlette.middleware.base_apps import END, behind, pass_on, start

pytestmark = pytest.mark.anyio

GONE: Message = {"type": "http.disconnect"}


def chunk(content: bytes, more_body: bool = False) -> Message:
    return {"type": "http.request", "body": content, "more_body": more_body}


class Reader:
    """An application that receives up to `count` messages, and answers."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.messages: list[Message] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(self.count):
            self.messages.append(await receive())
        await PlainTextResponse("ok")(scope, receive, send)


async def untouched(request: Request) -> None:
    pass


async def read_body(request: Request) -> None:
    await request.body()
    assert await request.body() == b"123"


async def read_json(request: Request) -> None:
    assert await request.json() == 123


async def read_stream(request: Request) -> None:
    assert b"".join([piece async for piece in request.stream()]) == b"123"


async def first(request: Request) -> bytes:
    async with aclosing(request.stream()) as stream:
        return await anext(stream)


async def read_form(request: Request) -> None:
    assert dict(await request.form()) == {"123": ""}


async def read_body_and_form(request: Request) -> None:
    await read_body(request)
    await read_form(request)


async def put_body(request: Request) -> None:
    request._body = b"other"


PARTS = [chunk(b"1", True), chunk(b"", True), chunk(b"23", True), chunk(b"")]
FORM = [(b"content-type", b"application/x-www-form-urlencoded")]


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize(
    ("prepare", "given", "expected"),
    [
        pytest.param(untouched, PARTS, [PARTS[0], PARTS[2], PARTS[3]], id="R32-one-at-a-time"),
        pytest.param(untouched, [{"type": "http.request"}], [chunk(b"")], id="R32-normalised"),
        pytest.param(untouched, [{"type": "other"}, chunk(b"1")], [chunk(b"1")], id="R32-unknown-before-the-body"),
        pytest.param(read_body, PARTS, [chunk(b"123")], id="R33-body"),
        pytest.param(read_json, PARTS, [chunk(b"123")], id="R33-json"),
        pytest.param(read_body, [*PARTS, GONE], [chunk(b"123"), GONE, GONE], id="R33-though-disconnected"),
        pytest.param(read_stream, PARTS, [chunk(b"")], id="R34-stream"),
        pytest.param(read_form, PARTS, [chunk(b"")], id="R35-form"),
        pytest.param(read_body_and_form, PARTS, [chunk(b"123")], id="R35-form-of-a-kept-body"),
        pytest.param(put_body, [*PARTS, GONE], [chunk(b"other"), GONE], id="a-body-put-in-its-place"),
        pytest.param(untouched, [chunk(b"1"), GONE], [chunk(b"1"), GONE, GONE, GONE], id="R38-disconnect-stays"),
        pytest.param(untouched, [GONE], [GONE, GONE], id="R39-disconnect-before-the-body"),
        pytest.param(untouched, [chunk(b"1", True), GONE], [chunk(b"1", True), GONE], id="R39-within-the-body"),
    ],
)
async def test_the_application_receives(
    prepare: Callable[[Request], Any], given: list[Message], expected: list[Message], layers: int
) -> None:
    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        await prepare(request)
        return await call_next(request)

    app = Reader(len(expected))
    server = Script(*given)
    await call(behind(app, dispatch, *[pass_on] * (layers - 1)), http_scope(headers=FORM), server)
    assert app.messages == expected
    assert server.calls <= len(given)


async def test_what_follows_the_body_can_only_be_a_disconnect() -> None:  # R38, D1
    with pytest.raises(RuntimeError, match=r"^Unexpected message received: http\.request$"):
        await call(behind(Reader(2), layers=2), receive=Script(chunk(b""), chunk(b"")))


async def test_a_middleware_between_may_change_the_kept_body() -> None:  # R33
    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        await request.body()
        return await call_next(request)

    reader = Reader(1)

    async def between(scope: Scope, receive: Receive, send: Send) -> None:
        async def changed() -> Message:
            message = await receive()
            return {**message, "body": message["body"] + b"!"}

        await reader(scope, changed, send)

    await call(behind(between, dispatch), receive=body(b"a"))
    assert reader.messages == [chunk(b"a!")]


async def test_parts_are_shared_in_the_order_of_reading() -> None:  # R36
    parts: list[bytes] = []

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        stream = request.stream()
        parts.append(await anext(stream))
        response = await call_next(request)
        parts.append(await anext(stream))
        await stream.aclose()
        return response

    app = Reader(1)
    server = body(b"1", b"2", b"3")
    await call(behind(app, dispatch), receive=server)
    assert (parts, app.messages, server.calls) == ([b"1", b"3"], [chunk(b"2", True)], 3)


async def test_a_rest_that_dispatch_read_is_not_repeated_to_who_began() -> None:  # R36
    begun = anyio.Event()
    rest = anyio.Event()
    messages: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        messages.append(await receive())
        await send(start())
        begun.set()
        await rest.wait()
        messages.append(await receive())
        await send(END)

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        await begun.wait()
        assert await request.body() == b"23"
        rest.set()
        return response

    await call(behind(app, dispatch), receive=body(b"1", b"2", b"3"))
    assert messages == [chunk(b"1", True), chunk(b"")]


@pytest.mark.parametrize(
    ("prepare", "reads", "outcome"),
    [
        pytest.param(untouched, 1, "Stream consumed", id="R37-the-application-read-it"),
        pytest.param(read_body, 1, b"123", id="R37-kept-before"),
        pytest.param(untouched, 0, b"123", id="R37-nobody-read-it"),
    ],
)
async def test_reading_after_call_next(prepare: Callable[[Request], Any], reads: int, outcome: object) -> None:
    found: list[object] = []

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        await prepare(request)
        response = await call_next(request)
        for read in (request.body, lambda: first(request)):
            try:
                found.append(await read())
            except RuntimeError as exc:
                found.append(str(exc))
        return response

    await call(behind(Reader(reads), dispatch), receive=body(b"123"))
    assert found == [outcome, outcome]


async def test_a_known_disconnect_is_told_without_asking() -> None:  # R38, R39
    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        with pytest.raises(ClientDisconnect):
            await request.body()
        return await call_next(request)

    app, server = Reader(2), Script(GONE)
    await call(behind(app, dispatch), receive=server)
    assert (app.messages, server.calls) == ([GONE, GONE], 1)


async def test_what_polling_saw_is_delivered_before_the_disconnect() -> None:  # R38, threats R15
    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        assert not await request.is_disconnected()
        assert await request.is_disconnected()
        return await call_next(request)

    app, server = Reader(2), Script(chunk(b"1"), GONE)
    await call(behind(app, dispatch), receive=server)
    assert (app.messages, server.calls) == ([chunk(b"1"), GONE], 2)


async def test_dispatch_knows_what_the_application_was_told() -> None:  # R39
    known: list[bool] = []

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        known.append(await request.is_disconnected())
        return response

    server = Script(GONE)
    await call(behind(Reader(1), dispatch), receive=server)
    assert (known, server.calls) == ([True], 1)


@pytest.mark.parametrize("layers", [1, 3])
async def test_a_handler_that_polls_sees_the_disconnect(layers: int) -> None:  # threats R15, R02
    seen: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        seen.extend([await request.is_disconnected(), await request.is_disconnected(), await request.body()])
        await PlainTextResponse("ok")(scope, receive, send)

    await call(behind(app, layers=layers), receive=Script(chunk(b"1"), GONE))
    assert seen == [False, True, b"1"]


@pytest.mark.parametrize("layers", [1, 3])
async def test_polling_does_not_wait(layers: int) -> None:  # threats R15
    seen: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(await Request(scope, receive).is_disconnected())
        await PlainTextResponse("ok")(scope, receive, send)

    await call(behind(app, layers=layers), receive=Script())
    assert seen == [False]


async def test_after_the_response_receive_returns_at_once() -> None:  # R40
    late: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("ok")(scope, receive, send)
        late.append(await receive())

    server = Script()
    await call(behind(app, layers=2), receive=server)
    assert (late, server.calls) == ([GONE], 0)


async def test_the_server_is_not_asked_for_nothing() -> None:  # R41
    async def nothing() -> None:
        pass

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.background = BackgroundTask(nothing)
        return response

    server = Script()
    await call(behind(Reader(0), dispatch, dispatch), receive=server)
    assert server.calls == 0


async def test_a_stack_of_ten_on_a_client_that_is_gone() -> None:  # R42, R43
    events: list[str] = []

    async def note(event: str) -> None:
        events.append(event)

    def numbered(number: int) -> Any:
        async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
            response = await call_next(request)
            events.append(f"dispatch {number}")
            response.background = BackgroundTask(note, f"background {number}")
            return response

        return dispatch

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with pytest.raises(ClientDisconnect):
            await Request(scope, receive).body()
        await Response()(scope, receive, send)

    sent = Record()
    await behind(app, *map(numbered, range(10)))(http_scope(), Script(GONE), sent)
    gc.collect()
    assert sent.types == ["http.response.start", "http.response.body"]
    assert sent.messages[1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert sorted(events) == sorted(f"{kind} {number}" for kind in ("dispatch", "background") for number in range(10))
    assert [event for event in events if event[0] == "d"] == [f"dispatch {number}" for number in reversed(range(10))]


async def test_streams_are_closed_in_every_layer() -> None:  # R43
    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        await first(request)
        return await call_next(request)

    app = Reader(1)
    await call(behind(app, *[dispatch] * 3), receive=body(b"1", b"2", b"3", b"4"))
    gc.collect()
    assert app.messages == [chunk(b"4")]


async def test_the_request_can_be_built_alone() -> None:
    request = _CachedRequest(http_scope(), body(b"a"), Record())
    assert await request.wrapped_receive() == chunk(b"a")
    assert isinstance(request, Request)
