"""`BaseHTTPMiddleware`: dispatching, and the response that `call_next` returns."""

from __future__ import annotations

import gc
import inspect
import weakref
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any

import anyio
import pytest

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint, _CachedRequest, _StreamingResponse
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send
from tests.asgi import Record, Script, body, call, http_scope, websocket_scope
from tests.starlette.middleware.base_apps import END, Dispatch, behind, part, pass_on, sends, serve, start

pytestmark = pytest.mark.anyio

HELLO = sends(start(), part(b"hello", more_body=False))
LAYERS = pytest.mark.parametrize("layers", [1, 3, 10])


async def request_of(call_next: RequestResponseEndpoint) -> Response:
    """Call `call_next` with a request that has nothing to do with the one served."""
    return await call_next(Request({"type": "http"}))


# R1-R7: construction and dispatching


async def test_a_subclass_overrides_dispatch_and_both_attributes_are_the_objects_own() -> None:  # R1
    class Marked(BaseHTTPMiddleware):
        async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
            response = await call_next(request)
            response.headers["x-marked"] = "yes"
            return response

    middleware = Marked(HELLO)
    assert vars(middleware) == {"app": HELLO, "dispatch_func": middleware.dispatch}
    assert (await call(middleware)).header("x-marked") == "yes"


async def test_a_given_function_wins_over_the_method() -> None:  # R1
    middleware = BaseHTTPMiddleware(HELLO, dispatch=pass_on)
    assert middleware.dispatch_func is pass_on
    assert (await call(middleware)).body == b"hello"


async def test_without_dispatch_it_fails_when_a_request_comes() -> None:  # R1
    with pytest.raises(NotImplementedError):
        await call(BaseHTTPMiddleware(HELLO))


@pytest.mark.parametrize("scope", [websocket_scope(), {"type": "lifespan"}], ids=["websocket", "lifespan"])
async def test_other_connections_pass_with_their_own_channels(scope: dict[str, Any]) -> None:  # R2
    seen: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend([scope, receive, send])

    receive, send = Script(), Record()
    await BaseHTTPMiddleware(app)(scope, receive, send)
    assert [got is given for got, given in zip(seen, [scope, receive, send], strict=True)] == [True] * 3


async def test_a_response_can_be_given_without_the_application() -> None:  # R3
    async def refuse(request: Request, call_next: RequestResponseEndpoint) -> Response:
        return PlainTextResponse("no", 403)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("it must not run")

    sent = await call(behind(app, refuse))
    assert (sent.status, sent.body) == (403, b"no")


async def test_any_asgi_callable_is_a_response() -> None:  # R3
    async def other(request: Request, call_next: RequestResponseEndpoint) -> Any:
        return HELLO

    assert (await call(behind(sends(), other))).body == b"hello"


async def test_none_is_no_response() -> None:  # R3
    async def nothing(request: Request, call_next: RequestResponseEndpoint) -> Any:
        return None

    with pytest.raises(TypeError, match="'NoneType' object is not callable"):
        await call(behind(HELLO, nothing))


async def test_scope_and_state_are_shared_in_both_directions() -> None:  # R4, R5
    seen: list[object] = []

    async def outer(request: Request, call_next: RequestResponseEndpoint) -> Response:
        request.state.outer = 1
        request.scope["path"] = "/changed"
        response = await call_next(request)
        seen.append(request.state.inner)
        return response

    async def inner(request: Request, call_next: RequestResponseEndpoint) -> Response:
        request.state.inner = request.state.outer + 1
        return await call_next(request)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend([scope["path"], scope["state"]])
        await HELLO(scope, receive, send)

    scope = http_scope()
    await call(behind(app, outer, inner), scope)
    assert seen == ["/changed", {"outer": 1, "inner": 2}, 2]


async def test_the_request_has_the_very_scope() -> None:  # R4
    scope = http_scope()

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        assert request.scope is scope
        assert isinstance(request, _CachedRequest)
        return await call_next(request)

    assert (await call(behind(HELLO, dispatch), scope)).body == b"hello"


async def test_call_next_ignores_its_argument() -> None:  # R6, D4
    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        return await request_of(call_next)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(scope["path"])(scope, receive, send)

    assert (await call(behind(app, dispatch), http_scope("/original"))).body == b"/original"


async def test_call_next_can_be_used_once() -> None:  # R7
    runs: list[int] = []

    async def twice(request: Request, call_next: RequestResponseEndpoint) -> Response:
        await call_next(request)
        return await call_next(request)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        runs.append(1)
        await HELLO(scope, receive, send)

    with pytest.raises(AssertionError, match=r"^$"):
        await call(behind(app, twice))
    assert runs == [1]


async def test_after_an_exception_call_next_raises_it_again() -> None:  # R7
    raised: list[BaseException] = []

    async def again(request: Request, call_next: RequestResponseEndpoint) -> Response:
        try:
            return await call_next(request)
        except ValueError as exc:
            raised.append(exc)
        return await call_next(request)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("once")

    with pytest.raises(ValueError, match="once") as caught:
        await call(behind(app, again))
    assert raised == [caught.value]


async def test_call_next_that_was_given_up_can_be_called_again() -> None:
    """The application goes on meanwhile; a second call waits for the same response."""
    ready = anyio.Event()

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await call_next(request)
        ready.set()
        return await call_next(request)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await ready.wait()
        await HELLO(scope, receive, send)

    assert (await call(behind(app, dispatch))).body == b"hello"


async def test_two_calls_at_once_are_refused() -> None:  # R7
    failed: list[bool] = []
    responses: list[Response] = []
    ready = anyio.Event()

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        async def second() -> None:
            with pytest.raises(AssertionError):
                await call_next(request)
            failed.append(True)
            ready.set()

        async with anyio.create_task_group() as group:
            group.start_soon(second)
            responses.append(await call_next(request))
        return responses[0]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await ready.wait()
        await HELLO(scope, receive, send)

    assert (await call(behind(app, dispatch))).body == b"hello"
    assert failed == [True]


# R8-R18: the response


async def test_the_response_has_what_a_streamed_one_has() -> None:  # R8
    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        assert type(response) is _StreamingResponse
        assert not isinstance(response, StreamingResponse)
        assert not hasattr(response, "body")
        assert inspect.isasyncgen(response.body_iterator)
        assert (response.status_code, response.background, response.media_type) == (201, None, None)
        assert (response.charset, response.info) == ("utf-8", None)
        response.set_cookie("a", "b")
        response.delete_cookie("c")
        response.status_code = 202
        return response

    sent = await call(behind(sends(start(201), END), dispatch))
    assert sent.status == 202
    assert [name for name, _ in sent.headers] == [b"set-cookie", b"set-cookie"]


async def test_it_is_there_as_soon_as_the_application_starts_it() -> None:  # R8
    returned = anyio.Event()

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        returned.set()
        return response

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        await returned.wait()
        await send(part(b"late", more_body=False))

    assert (await call(behind(app, dispatch))).body == b"late"


@pytest.mark.parametrize(
    ("given", "same"),
    [
        pytest.param({"headers": []}, True, id="empty-list"),
        pytest.param({"headers": [(b"a", b"1")]}, True, id="list"),
        pytest.param({"headers": ((b"a", b"1"),)}, False, id="tuple"),
        pytest.param({}, False, id="missing"),
    ],
)
async def test_the_raw_headers_are_those_of_the_start(given: dict[str, Any], same: bool) -> None:  # R9
    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        assert (response.raw_headers is given.get("headers")) is same
        response.headers["b"] = "2"
        return response

    message = {"type": "http.response.start", "status": 200, **given}
    sent = await call(behind(sends(message, END), dispatch))
    assert sent.headers == ([(b"a", b"1")] if given.get("headers") and not same else sent.headers[:-1]) + [(b"b", b"2")]


async def upper(pieces: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for piece in pieces:
        yield piece.upper()


async def test_the_body_can_be_wrapped() -> None:  # R10
    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response: Any = await call_next(request)
        response.body_iterator = upper(response.body_iterator)
        return response  # type: ignore[no-any-return]

    sent = await call(behind(sends(start(), part(b"a"), part(b"b", False)), dispatch))
    assert sent.messages == [start(), part(b"A"), part(b"B"), END]


async def test_the_body_can_be_read_into_another_response() -> None:  # R10
    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response: Any = await call_next(request)
        return Response(b"".join([piece async for piece in response.body_iterator]))

    sent = await call(behind(sends(start(), part(b"a"), part(b"b", False)), dispatch))
    assert (sent.body, sent.header("content-length")) == (b"ab", "2")


async def test_a_body_that_was_begun_is_sent_from_where_it_stands() -> None:  # R10
    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response: Any = await call_next(request)
        assert await anext(response.body_iterator) == b"a"
        return response  # type: ignore[no-any-return]

    sent = await call(behind(sends(start(), part(b"a"), part(b"b", False)), dispatch))
    assert sent.messages == [start(), part(b"b"), END]


PART = {"type": "http.response.body"}
PATH = {"type": "http.response.pathsend", "path": "/file"}
ZERO = {"type": "http.response.zerocopysend", "file": 3}
HINT: Message = {"type": "http.response.early_hint", "links": [b"</a>"]}
PUSH: Message = {"type": "http.response.push", "path": "/a", "headers": []}
NEW: Message = {"type": "http.response.new_extension"}
DEBUG: Message = {"type": "http.response.debug", "info": {"a": 1}}
DEBUG2: Message = {"type": "http.response.debug", "info": {"a": 2}}
TRAILERS: Message = {"type": "http.response.trailers", "headers": [(b"t", b"1")], "more_trailers": False}
MORE_TRAILERS: Message = {**TRAILERS, "more_trailers": True}
NO_TRAILERS: Message = {**TRAILERS, "headers": []}
PROMISE = start(trailers=True)
ONE = part(b"a", more_body=False)

PASSED = [
    pytest.param([start(), ONE], [start(), part(b"a"), END], id="R11-one-part-becomes-two"),
    pytest.param([start(), part(b"a"), part(b""), ONE], [start(), part(b"a"), part(b"a"), END], id="R11-no-empty"),
    pytest.param([start(trailers=False), END], [start(), END], id="R11-no-other-keys"),
    pytest.param([start(), part(b"a"), END, ONE, PATH], [start(), part(b"a"), END], id="R15-after-the-end"),
    pytest.param([start(), PART], [start(), END], id="R15-defaults"),
    pytest.param([start()], [start(), END], id="R16-no-body"),
    pytest.param([start(), part(b"a")], [start(), part(b"a"), END], id="R16-no-end"),
    pytest.param([DEBUG, DEBUG2, start(), END], [DEBUG2, start(), END], id="R12-the-last-debug"),
    pytest.param([DEBUG, HINT, start(), END], [HINT, DEBUG, start(), END], id="R13-hint-at-once"),
    pytest.param([start(), PATH], [start(), PATH], id="R14-pathsend"),
    pytest.param([start(), PATH, ONE], [start(), PATH], id="R14-nothing-after-it"),
    pytest.param([start(), ZERO], [start(), ZERO], id="zerocopysend"),
    pytest.param(
        [start(), {**ZERO, "more_body": True}, ONE],
        [start(), {**ZERO, "more_body": True}, part(b"a"), END],
        id="zerocopysend-and-body",
    ),
    pytest.param([PUSH, NEW, start(), END], [PUSH, NEW, start(), END], id="D3-before-the-start"),
    pytest.param([start(), NEW, DEBUG, HINT, ONE], [start(), NEW, DEBUG, HINT, part(b"a"), END], id="D3-after-it"),
    pytest.param([PROMISE, ONE, TRAILERS, ONE], [PROMISE, part(b"a"), END, TRAILERS], id="D2-trailers"),
    pytest.param(
        [PROMISE, END, MORE_TRAILERS, TRAILERS], [PROMISE, END, MORE_TRAILERS, TRAILERS], id="D2-two-trailers"
    ),
    pytest.param([PROMISE, ONE], [PROMISE, part(b"a"), END, NO_TRAILERS], id="D2-promised-only"),
    pytest.param([PROMISE, PATH, TRAILERS], [PROMISE, PATH, TRAILERS], id="D2-after-pathsend"),
    pytest.param([start(204), ONE], [start(204), END], id="T23.1-no-content"),
    pytest.param([start(304), ONE], [start(304), END], id="T23.1-not-modified"),
]


def iterated(request: Request, call_next: RequestResponseEndpoint) -> Any:
    """Have the pieces made, where `pass_on` has the messages passed without them."""

    async def dispatch() -> Response:
        response: Any = await call_next(request)

        async def same(pieces: AsyncIterator[Any]) -> AsyncIterator[Any]:
            async for piece in pieces:
                yield piece

        response.body_iterator = same(response.body_iterator)
        return response  # type: ignore[no-any-return]

    return dispatch()


@pytest.mark.parametrize("dispatch", [pass_on, iterated], ids=["passed", "iterated"])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize(("messages", "expected"), PASSED)
async def test_messages_arrive_as(
    messages: list[Message], expected: list[Message], layers: int, dispatch: Dispatch
) -> None:
    sent = await call(behind(sends(*messages), *[dispatch] * layers))
    assert sent.messages == expected


async def test_a_length_without_content_is_left_out_unless_it_is_that_of_a_304() -> None:  # T23.1
    fields = [(b"content-length", b"1"), (b"a", b"1")]
    sent = await call(behind(sends(start(204, headers=fields), ONE)))
    assert sent.headers == [(b"a", b"1")]
    sent = await call(behind(sends(start(304, headers=fields), ONE)))
    assert sent.headers == fields


async def test_trailers_that_cannot_come_any_more_are_sent_empty() -> None:  # D2
    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response: Any = await call_next(request)
        await response.body_iterator.aclose()
        return response  # type: ignore[no-any-return]

    sent = await call(behind(sends(PROMISE, part(b"a"), END, TRAILERS), dispatch))
    assert sent.messages == [PROMISE, END, NO_TRAILERS]


async def test_hints_of_the_dispatch_function_go_out_at_once() -> None:  # R13
    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        await request.send_early_hints("</a>")
        return await call_next(request)

    scope = http_scope(extensions={"http.response.early_hint": {}})
    assert (await call(behind(HELLO, dispatch), scope)).messages[0] == HINT


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(part(b"a"), id="body"),
        pytest.param(PATH, id="pathsend"),
        pytest.param(TRAILERS, id="trailers"),
        pytest.param({"type": "http.request"}, id="of-a-request"),
        pytest.param({"type": "websocket.accept"}, id="of-a-websocket"),
    ],
)
async def test_what_cannot_start_a_response_is_refused(message: Message) -> None:  # R17
    with pytest.raises(AssertionError, match=r"^$"):
        await call(behind(sends(message)))


@pytest.mark.parametrize("message", [start(), TRAILERS, {"type": "websocket.send"}], ids=lambda found: found["type"])
@pytest.mark.parametrize("dispatch", [pass_on, iterated], ids=["passed", "iterated"])
async def test_what_has_no_place_in_a_body_is_refused(message: Message, dispatch: Dispatch) -> None:  # R17
    with pytest.raises(AssertionError) as caught:
        await call(behind(sends(start(), message), dispatch))
    assert str(caught.value) == f"Unexpected message: {message}"


async def test_only_trailers_come_after_a_body_that_promised_them() -> None:  # R17
    with pytest.raises(AssertionError, match=r"^Unexpected message: "):
        await call(behind(sends(PROMISE, END, start())))


async def test_text_pieces_are_encoded_and_typed_messages_kept() -> None:
    async def pieces() -> AsyncIterator[Any]:
        yield "é"
        yield memoryview(b"m")
        yield ""

    response = _StreamingResponse(pieces(), 201, {"X-A": "1"}, "text/plain", {"debug": True})
    sent = await call(response)
    assert sent.messages == [
        {"type": "http.response.debug", "info": {"debug": True}},
        start(201, headers=[(b"x-a", b"1"), (b"content-type", b"text/plain; charset=utf-8")]),
        part("é".encode()),
        part(memoryview(b"m")),  # type: ignore[arg-type]
        END,
    ]


async def test_built_by_hand_it_also_denies_a_websocket() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"no"

    scope = websocket_scope(extensions={"websocket.http.response": {}})
    sent = await call(_StreamingResponse(pieces(), 403), scope, Script())
    assert sent.types == ["websocket.http.response.start", *["websocket.http.response.body"] * 2]


async def test_a_replaced_body_is_closed_when_sending_fails() -> None:  # threats R14
    closed: list[bool] = []

    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            closed.append(True)

    async def fail(message: Message) -> None:
        if message.get("body"):
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await _StreamingResponse(pieces())(http_scope(), body(), fail)
    assert closed == [True]


# R18-R22: life time


class Log(Record):
    """Notes what was sent, among other events."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[str] = []

    async def __call__(self, message: Message) -> None:
        kind = message["type"].rpartition(".")[2]
        self.events.append(kind if kind == "start" else f"{kind}:{message['body'].decode()}")

    async def note(self, event: str) -> None:
        self.events.append(event)


@LAYERS
async def test_background_tasks_run_after_the_response(layers: int) -> None:  # R18, R20, threats R05
    log = Log()

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.background = BackgroundTask(log.note, "dispatch")
        return response

    app = PlainTextResponse("a", background=BackgroundTask(log.note, "app"))
    await behind(app, *[dispatch] * layers)(http_scope(), body(), log)
    assert log.events == ["start", "body:a", "body:", *["dispatch"] * layers, "app"]


@LAYERS
async def test_nothing_is_gathered(layers: int) -> None:  # R19, threats R07
    made: list[int] = []
    ahead: list[int] = []
    taken = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        for number in range(40):
            made.append(number)
            await send(part(b"%d," % number, more_body=number < 39))

    async def send(message: Message) -> None:
        nonlocal taken
        await anyio.lowlevel.checkpoint()
        await anyio.lowlevel.checkpoint()
        taken += bool(message.get("body"))
        ahead.append(len(made) - taken)

    await behind(app, layers=layers)(http_scope(), body(), send)
    assert taken == 40
    assert max(ahead) <= 2 * layers


async def test_the_application_waits_for_its_response_to_be_taken() -> None:  # R19
    steps: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        steps.append("started")
        await send(part(b"a"))
        steps.append("taken")
        await send(END)

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        for _ in range(5):
            await anyio.lowlevel.checkpoint()
        assert steps == ["started"]
        return response

    await call(behind(app, dispatch))
    assert steps == ["started", "taken"]


async def test_the_middleware_waits_for_work_after_the_response() -> None:  # R21
    done: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await HELLO(scope, receive, send)
        assert await receive() == {"type": "http.disconnect"}
        await anyio.lowlevel.checkpoint()
        done.append("cleaned up")

    await call(behind(app, layers=2))
    assert done == ["cleaned up"]


@pytest.mark.parametrize("parts", [1, 50])
async def test_a_discarded_application_is_let_run_out(parts: int) -> None:  # R22
    received: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(headers=[(b"from", b"app")]))
        for _ in range(parts):
            await send(part(b"dropped"))
        await send(END)
        received.append(await receive())

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        await call_next(request)
        return PlainTextResponse("other")

    sent = await call(behind(app, dispatch))
    assert sent.body == b"other"
    assert received == [{"type": "http.disconnect"}]


async def test_a_receive_that_waits_is_woken_when_the_response_is_complete() -> None:  # R22, R40
    received: list[Message] = []
    waiting = anyio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def listen() -> None:
            waiting.set()
            received.append(await receive())

        async with anyio.create_task_group() as group:
            group.start_soon(listen)
            await waiting.wait()
            await HELLO(scope, receive, send)

    await call(behind(app, layers=2), receive=Script())
    assert received == [{"type": "http.disconnect"}]


async def test_a_discarded_producer_that_never_waits_can_still_be_cancelled() -> None:  # threats R01
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        while True:
            await send(part(b"x"))

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        await call_next(request)
        return PlainTextResponse("other")

    sent = Record()
    async with anyio.create_task_group() as group:
        group.start_soon(serve, behind(app, dispatch), body(), sent)
        while sent.types != ["http.response.start", "http.response.body"]:
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()


async def test_messages_of_two_tasks_take_turns() -> None:
    """Illegal, and yet nothing may be lost or hang."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def produce(name: bytes) -> None:
            for _ in range(20):
                await send(part(name))

        await send(start())
        async with anyio.create_task_group() as group:
            for name in (b"a", b"b", b"c"):
                group.start_soon(produce, name)
        await send(END)

    sent = await call(behind(app, layers=2))
    assert sorted(sent.body.decode()) == sorted("abc" * 20)


async def finish(send: Send) -> None:
    await send(ONE)


async def test_what_a_second_task_sends_after_the_end_is_dropped() -> None:  # R15
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(finish, send)

    assert (await call(behind(app))).messages == [start(), part(b"a"), END]


async def test_a_message_whose_sending_was_given_up_is_not_sent() -> None:  # threats R01
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        async with anyio.create_task_group() as group:

            async def late() -> None:
                await send(part(b"late"))

            with anyio.CancelScope() as scope_:
                group.start_soon(late)
                scope_.cancel()
                await send(part(b"given up"))
        await send(END)

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        for _ in range(10):
            await anyio.lowlevel.checkpoint()
        return response

    assert (await call(behind(app, dispatch))).body == b"late"


# R29, R31


async def test_an_http_exception_of_dispatch_is_not_handled_inside() -> None:  # R29
    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        raise HTTPException(418)

    app = Starlette(routes=[Route("/", HELLO)], middleware=[Middleware(BaseHTTPMiddleware, dispatch=dispatch)])
    sent = Record()
    with pytest.raises(HTTPException):
        await app(http_scope(), body(), sent)
    assert sent.status == 500


async def test_an_http_exception_of_an_endpoint_is_answered_inside() -> None:  # R29
    async def endpoint(request: Request) -> Response:
        raise HTTPException(418)

    app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(BaseHTTPMiddleware, dispatch=pass_on)])
    assert (await call(app)).status == 418


VARIABLE: ContextVar[str] = ContextVar("variable", default="unset")
OTHER: ContextVar[str] = ContextVar("other", default="unset")


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("waits", [False, True])
async def test_context_variables(shared: bool, waits: bool) -> None:  # R31, threats R10
    seen: list[str] = []

    class Sharing(BaseHTTPMiddleware):
        shares_context = shared

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        token = VARIABLE.set("dispatch")
        OTHER.set("same")
        response = await call_next(request)
        seen.append(VARIABLE.get())
        VARIABLE.reset(token)
        seen.append(VARIABLE.get())
        return response

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(VARIABLE.get())
        if waits:
            await anyio.lowlevel.checkpoint()
        VARIABLE.set("app")
        await HELLO(scope, receive, send)
        seen.append(VARIABLE.get())

    await call(Sharing(app, dispatch=dispatch))
    assert seen == ["dispatch", "app" if shared else "dispatch", "unset", "app"]


# Objects


async def test_a_request_leaves_nothing_behind() -> None:  # threats R03, R09.3
    requests: list[weakref.ref[Request]] = []

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        requests.append(weakref.ref(request))
        return await call_next(request)

    middleware = behind(HELLO, dispatch)
    before = dict(vars(middleware))
    for _ in range(100):
        await call(middleware)
    await anyio.lowlevel.checkpoint()
    await anyio.lowlevel.checkpoint()
    gc.collect()
    assert [ref for ref in requests if ref() is not None] == []
    assert vars(middleware) == before


@LAYERS
async def test_concurrent_requests_are_apart(layers: int) -> None:  # threats R16
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(int(scope["path"][1:]) % 7):
            await anyio.lowlevel.checkpoint()
        await PlainTextResponse(scope["path"])(scope, receive, send)

    middleware = behind(app, layers=layers)
    bodies: dict[str, bytes] = {}

    async def one(path: str) -> None:
        bodies[path] = (await call(middleware, http_scope(path))).body

    async with anyio.create_task_group() as group:
        for number in range(50):
            group.start_soon(one, f"/{number}")
    assert bodies == {f"/{number}": b"/%d" % number for number in range(50)}
