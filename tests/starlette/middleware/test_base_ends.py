"""`BaseHTTPMiddleware`: exceptions, cancellation and disconnects, in every phase of a request."""

from __future__ import annotations

import asyncio
import gc
import threading
import traceback
from collections.abc import AsyncIterator
from typing import Any

import anyio
import anyio.to_thread
import pytest

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send
from tests.asgi import Record, Script, body, call, http_scope
from tests.starlette.middleware.base_apps import END, Dispatch, behind, part, pass_on, sends, serve, start

pytestmark = pytest.mark.anyio

LAYERS = pytest.mark.parametrize("layers", [1, 3, 10])
FEW_LAYERS = pytest.mark.parametrize("layers", [1, 3])
EXCEPTIONS = pytest.mark.parametrize(
    "error",
    [
        pytest.param(ValueError("plain"), id="plain"),
        pytest.param(ExceptionGroup("own", [ValueError("only")]), id="R28-group-of-one"),
        pytest.param(ExceptionGroup("own", [ValueError(), KeyError()]), id="R28-group"),
        pytest.param(SystemExit(3), id="R04.1-exit"),
        pytest.param(BaseExceptionGroup("own", [SystemExit()]), id="R04.1-base-group"),
    ],
)


def raises(error: BaseException, *before: Message, after_waiting: bool = False) -> Any:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if after_waiting:
            await anyio.lowlevel.checkpoint()
        for message in before:
            await send(message)
        raise error

    return app


# R24-R28, R30: exceptions


@LAYERS
@EXCEPTIONS
@pytest.mark.parametrize("after_waiting", [False, True])
async def test_an_exception_before_the_response_leaves_as_itself(
    error: BaseException, layers: int, after_waiting: bool
) -> None:  # R24, R28
    sent = Record()
    with pytest.raises(type(error)) as caught:
        await behind(raises(error, after_waiting=after_waiting), layers=layers)(http_scope(), body(), sent)
    assert caught.value is error
    assert sent.messages == []


@LAYERS
@EXCEPTIONS
async def test_an_exception_of_dispatch_leaves_as_itself(error: BaseException, layers: int) -> None:  # R23, R28
    ended: list[str] = []

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        await call_next(request)
        raise error

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send(start())
            await send(part(b"a"))
        finally:
            ended.append("cancelled")

    sent = Record()
    with pytest.raises(type(error)) as caught:
        await behind(app, *[pass_on] * (layers - 1), dispatch)(http_scope(), body(), sent)
    assert caught.value is error
    assert (ended, sent.messages) == (["cancelled"], [])


async def test_an_exception_that_dispatch_handled_is_not_raised_again() -> None:  # R24
    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        try:
            return await call_next(request)
        except ValueError as exc:
            return PlainTextResponse(str(exc), 400)

    sent = await call(behind(raises(ValueError("no")), pass_on, dispatch, pass_on))
    assert (sent.status, sent.body) == (400, b"no")


@FEW_LAYERS
@pytest.mark.parametrize("waits", [False, True])
async def test_an_application_without_a_response_is_an_error(layers: int, waits: bool) -> None:  # R25
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if waits:
            await anyio.lowlevel.checkpoint()

    with pytest.raises(RuntimeError, match=r"^No response returned\.$"):
        await call(behind(app, layers=layers))


async def consumed(request: Request, call_next: RequestResponseEndpoint) -> Response:
    response: Any = await call_next(request)

    async def same(pieces: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for piece in pieces:
            yield piece

    response.body_iterator = same(response.body_iterator)
    return response  # type: ignore[no-any-return]


@LAYERS
@EXCEPTIONS
@pytest.mark.parametrize("dispatch", [pass_on, consumed])
@pytest.mark.parametrize("after_waiting", [False, True])
async def test_a_body_that_broke_off_is_not_completed(
    error: BaseException, layers: int, dispatch: Dispatch, after_waiting: bool
) -> None:  # R26, D6, threats R04.4
    sent = Record()
    app = raises(error, start(), part(b"a"), after_waiting=after_waiting)
    with pytest.raises(type(error)) as caught:
        await behind(app, *[dispatch] * layers)(http_scope(), body(), sent)
    assert caught.value is error
    assert sent.messages == [start(), part(b"a")]


async def test_a_broken_body_cannot_pass_for_a_whole_one() -> None:  # threats R04.4
    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response: Any = await call_next(request)
        return Response(b"".join([piece async for piece in response.body_iterator]))

    sent = Record()
    with pytest.raises(ValueError, match="broke"):
        await behind(raises(ValueError("broke"), start(), part(b"a")), dispatch)(http_scope(), body(), sent)
    assert sent.messages == []


async def test_trailers_that_fail_are_not_made_up() -> None:  # D2, threats R04.4
    sent = Record()
    promise = start(trailers=True)
    with pytest.raises(ValueError, match="broke"):
        await behind(raises(ValueError("broke"), promise, END))(http_scope(), body(), sent)
    assert {"type": "http.response.trailers", "headers": [], "more_trailers": False} not in sent.messages


@LAYERS
@EXCEPTIONS
async def test_an_exception_after_the_response_is_raised_after_it(error: BaseException, layers: int) -> None:  # R26
    sent = Record()
    app = raises(error, start(), part(b"a", more_body=False))
    with pytest.raises(type(error)) as caught:
        await behind(app, layers=layers)(http_scope(), body(), sent)
    assert caught.value is error
    assert sent.messages == [start(), part(b"a"), END]


@pytest.mark.parametrize("after_waiting", [False, True])
async def test_an_exception_after_a_discarded_response_is_raised_too(after_waiting: bool) -> None:  # R26
    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        await call_next(request)
        return PlainTextResponse("other")

    sent = Record()
    with pytest.raises(ValueError, match="late"):
        await behind(raises(ValueError("late"), start(), after_waiting=after_waiting), dispatch)(
            http_scope(), body(), sent
        )
    assert sent.body == b"other"


def with_cause() -> Exception:
    try:
        try:
            raise KeyError("first")
        except KeyError as exc:
            raise ValueError("second") from exc
    except ValueError as exc:
        return exc


def with_context() -> Exception:
    try:
        try:
            raise KeyError("first")
        except KeyError:
            raise ValueError("second")
    except ValueError as exc:
        return exc


def with_hidden_context() -> Exception:
    try:
        try:
            raise KeyError("first")
        except KeyError:
            raise ValueError("second") from None
    except ValueError as exc:
        return exc


@LAYERS
@pytest.mark.parametrize(
    ("make", "cause"),
    [
        pytest.param(lambda: ValueError("second"), None, id="R27-nothing-before"),
        pytest.param(with_context, KeyError, id="R27-context-becomes-the-cause"),
        pytest.param(with_cause, KeyError, id="R27-cause-is-kept"),
        pytest.param(with_hidden_context, None, id="hidden-context-stays-hidden"),
    ],
)
async def test_what_led_to_an_exception_is_all_that_shows(make: Any, cause: Any, layers: int) -> None:  # R27, D5
    with pytest.raises(ValueError, match="second") as caught:
        await call(behind(raises(make()), layers=layers))
    assert caught.value.__suppress_context__
    found = caught.value.__cause__
    assert found is None if cause is None else type(found) is cause
    text = "".join(traceback.format_exception(caught.value))
    assert "Group" not in text
    assert text.count("Error: ") == (1 if cause is None else 2)


@LAYERS
@pytest.mark.parametrize("begins", [False, True])
async def test_an_exception_of_receive_leaves_as_itself(layers: int, begins: bool) -> None:  # D1, threats R04.3
    error = OSError("from the server")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if begins:
            await send(start())
        await receive()

    with pytest.raises(OSError, match="from the server") as caught:
        await call(behind(app, layers=layers), receive=Script(error))
    assert caught.value is error


@LAYERS
@pytest.mark.parametrize("failing", ["http.response.start", "http.response.body"])
async def test_an_exception_of_send_leaves_as_itself(layers: int, failing: str) -> None:  # R30, threats R04.3
    closed: list[str] = []
    error = OSError("gone")

    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            closed.append("generator")

    async def send(message: Message) -> None:
        await anyio.lowlevel.checkpoint()
        if message["type"] == failing:
            raise error

    with pytest.raises(OSError, match="gone") as caught:
        await behind(StreamingResponse(pieces()), layers=layers)(http_scope(), body(), send)
    assert caught.value is error
    gc.collect()
    assert closed in ([], ["generator"])


@FEW_LAYERS
async def test_a_body_over_the_limit_is_413(layers: int) -> None:  # D1, threats T20.2
    async def endpoint(request: Request) -> Response:
        return Response(await request.body())

    app = Starlette(
        routes=[Route("/", endpoint, methods=["POST"])],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=pass_on)] * layers,
        max_body_size=5,
    )
    sent = await call(app, http_scope(method="POST"), body(b"1234", b"5678"))
    assert sent.status == 413


async def test_the_exception_of_dispatch_wins_and_keeps_the_one_of_the_application() -> None:  # R23
    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        await call_next(request)
        raise ValueError("dispatch")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send(start())
            await send(part(b""))
        finally:
            raise KeyError("clean-up")

    with pytest.raises(ValueError, match="dispatch") as caught:
        await call(behind(app, dispatch))
    assert isinstance(caught.value.__context__, KeyError)


async def test_a_group_of_a_cancellation_and_an_error_gives_the_error() -> None:
    waiting = anyio.Event()

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        await call_next(request)
        await waiting.wait()
        raise ValueError("dispatch")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        waiting.set()
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class() as exc:
            raise BaseExceptionGroup("mixed", [exc, KeyError("clean-up")])

    with pytest.raises(ValueError, match="dispatch") as caught:
        await call(behind(app, dispatch))
    context = caught.value.__context__
    assert isinstance(context, ExceptionGroup)
    assert [type(exc) for exc in context.exceptions] == [KeyError]


# R01, R02: cancellation and disconnects


class Phases:
    """A request that can be held in each of its phases; what is held says so, and when it was unwound."""

    def __init__(self, phase: str) -> None:
        self.phase = phase
        self.reached = anyio.Event()
        self.unwound: list[str] = []

    async def at(self, phase: str) -> None:
        if phase == self.phase:
            self.reached.set()
            await anyio.sleep_forever()

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.at("application")
            if self.phase == "receive":
                self.reached.set()
                await receive()
            await send(start())
            await self.at("body")
            await send(part(b"a"))
            await self.at("later")
            await send(END)
            await self.at("background")
        finally:
            # A clean-up that is shielded runs to its end; one that is not is cancelled again.
            with anyio.CancelScope(shield=True):
                await anyio.lowlevel.checkpoint()
                self.unwound.append("shielded")
            if self.phase not in ("before", "response"):
                try:
                    await anyio.sleep_forever()
                finally:
                    self.unwound.append("application")

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        try:
            await self.at("before")
            response = await call_next(request)
            await self.at("dispatch")
        finally:
            self.unwound.append("dispatch")
        return response

    async def send(self, message: Message) -> None:
        if message.get("body"):
            await self.at("sending")


PHASES = ["before", "application", "receive", "dispatch", "body", "sending", "later", "background"]


def no_task_is_left() -> None:
    """Check that only the task of the test is there. (Trio has no tasks outside of nurseries.)"""
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:
        return
    left = [task for task in tasks if task.get_name() == "starlette.middleware.base"]
    assert left == []


@LAYERS
@pytest.mark.parametrize("phase", PHASES)
async def test_a_cancelled_scope_ends_the_request(phase: str, layers: int) -> None:  # threats R01
    held = Phases(phase)
    app = behind(held.app, *[pass_on] * (layers - 1), held.dispatch)
    async with anyio.create_task_group() as group:
        group.start_soon(serve, app, Script(), held.send)
        await held.reached.wait()
        for _ in range(4):
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    no_task_is_left()
    assert held.unwound.count("dispatch") == 1
    if phase != "before":
        assert held.unwound.count("shielded") == 1
        assert held.unwound.count("application") == 1


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
@LAYERS
@pytest.mark.parametrize("phase", PHASES)
async def test_a_cancelled_task_ends_the_request(phase: str, layers: int) -> None:  # threats R01
    held = Phases(phase)
    app = behind(held.app, *[pass_on] * (layers - 1), held.dispatch)
    task = asyncio.ensure_future(serve(app, Script(), held.send))
    await held.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)
    no_task_is_left()
    assert held.unwound.count("dispatch") == 1
    if phase != "before":
        assert held.unwound.count("shielded") == 1
        assert held.unwound.count("application") == 1


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
@pytest.mark.parametrize("phase", PHASES)
async def test_a_timeout_of_asyncio_ends_the_request(phase: str) -> None:  # threats R01
    held = Phases(phase)
    task = asyncio.current_task()
    assert task is not None
    timeout = asyncio.timeout(None)

    async def expire() -> None:
        await held.reached.wait()
        timeout.reschedule(asyncio.get_running_loop().time())

    expiring = asyncio.ensure_future(expire())
    with pytest.raises(TimeoutError):
        async with timeout:
            await serve(behind(held.app, held.dispatch), Script(), held.send)
    await expiring
    assert task.cancelling() == 0
    no_task_is_left()
    assert held.unwound.count("dispatch") == 1


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_a_task_can_be_cancelled_again_while_it_ends() -> None:  # threats R01
    cleaning, go_on = anyio.Event(), anyio.Event()
    ended: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                cleaning.set()
                await go_on.wait()
                ended.append("clean")

    task = asyncio.ensure_future(serve(behind(app), Script(), Record()))
    await asyncio.sleep(0)
    task.cancel()
    await cleaning.wait()
    task.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["clean"]


@FEW_LAYERS
async def test_a_worker_thread_is_waited_for(layers: int) -> None:  # threats R01: no thread is left
    begun, go_on = anyio.Event(), threading.Event()
    ended: list[str] = []

    def work() -> None:
        anyio.from_thread.run_sync(begun.set)
        go_on.wait(5)
        ended.append("work")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await anyio.to_thread.run_sync(work)

    async with anyio.create_task_group() as group:
        group.start_soon(serve, behind(app, layers=layers), body(), Record())
        await begun.wait()
        group.cancel_scope.cancel()
        go_on.set()
    assert ended == ["work"]


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
@pytest.mark.parametrize("waits", [False, True])
async def test_an_application_that_cancels_itself_ends_the_request(waits: bool) -> None:  # threats R04.1
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if waits:
            await asyncio.sleep(0)
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await send(start())
        await send(END)

    with pytest.raises(asyncio.CancelledError):
        await call(behind(app))
    no_task_is_left()


@FEW_LAYERS
async def test_giving_up_call_next_answers_in_its_place(layers: int) -> None:
    """The application is not cancelled; what it sends is dropped, and it is waited for."""
    given_up = anyio.Event()
    ended: list[str] = []

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        with anyio.CancelScope() as scope:
            scope.cancel()
            return await call_next(request)
        given_up.set()
        return PlainTextResponse("slow", 504)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await given_up.wait()
        await sends(start(), END)(scope, receive, send)
        ended.append("app")

    sent = await call(behind(app, dispatch, *[pass_on] * (layers - 1)))
    assert (sent.status, sent.body, ended) == (504, b"slow", ["app"])


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_call_next_may_be_awaited_by_another_task() -> None:
    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        return await asyncio.ensure_future(call_next(request))

    app = sends(start(), part(b"a"), END)
    assert (await call(behind(app, dispatch, dispatch))).body == b"a"


@FEW_LAYERS
async def test_scopes_of_the_application_are_its_own(layers: int) -> None:
    """A scope opened before the first message and left after the last one; a timeout around `call_next`."""

    async def dispatch(request: Request, call_next: RequestResponseEndpoint) -> Response:
        with anyio.fail_after(5):
            return await call_next(request)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep_forever)
            with anyio.CancelScope() as own:
                await send(start())
                await send(part(b"a"))
                own.cancel()
                await anyio.sleep_forever()
            await send(END)
            group.cancel_scope.cancel()

    assert (await call(behind(app, *[dispatch] * layers))).messages == [start(), part(b"a"), END]


@FEW_LAYERS
@pytest.mark.parametrize("version", ["2.3", "2.4"])
async def test_a_stream_stops_when_the_client_leaves(layers: int, version: str) -> None:  # threats R02, R04.4
    left = anyio.Event()
    closed: list[str] = []
    sent: list[Message] = []

    async def pieces() -> AsyncIterator[bytes]:
        try:
            yield b"a"
            if version == "2.3":
                await anyio.sleep_forever()
            while True:
                yield b"b"
        finally:
            closed.append("closed")

    async def receive() -> Message:
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)
        if version == "2.4" and left.is_set():
            raise OSError("gone")
        if message.get("body"):
            left.set()

    scope = http_scope(asgi={"version": "3.0", "spec_version": version})
    app = behind(StreamingResponse(pieces()), layers=layers)
    with anyio.fail_after(5):
        if version == "2.3":
            await app(scope, receive, send)
        else:
            with pytest.raises(OSError, match="gone"):
                await app(scope, receive, send)
    assert closed == ["closed"]
    assert all(message.get("more_body", True) for message in sent)


@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)
async def test_a_request_whose_loop_went_away_is_dropped_quietly() -> None:
    coroutine = behind(raises(ValueError(), after_waiting=True))(http_scope(), body(), Record())
    step: Any = coroutine
    step.send(None)
    step.close()
    for _ in range(4):
        await asyncio.sleep(0)
