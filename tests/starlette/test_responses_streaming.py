"""Streamed responses: pieces, disconnects, and iterators that are closed in every case."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.types import Message, Send
from tests.asgi import Record, Script, call, http_scope, websocket_scope

GONE: Message = {"type": "http.disconnect"}
OLD: dict[str, Any] = {"asgi": {"spec_version": "2.3"}}


class Numbers:
    """An async generator with a record of whether it was closed."""

    def __init__(self, count: int = 3, *, waits: bool = False) -> None:
        self.ended = 0
        self.closed_calmly = False
        self.yielded = 0
        self._count = count
        self._waits = waits

    async def pieces(self) -> AsyncIterator[bytes]:
        try:
            for number in range(self._count):
                self.yielded += 1
                yield b"%d" % number
                if self._waits:
                    await anyio.lowlevel.checkpoint()
        finally:
            self.ended += 1
            # Closing is shielded, so that a cancelled response may wait here; not so where the cancellation came in.
            if not self._waits:
                await anyio.lowlevel.checkpoint()
                self.closed_calmly = True


class Failing(Record):
    """A `send` that fails at the given message."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._at = at
        self.error = OSError("connection lost")

    async def __call__(self, message: Message) -> None:
        if len(self.messages) == self._at:
            raise self.error
        await super().__call__(message)


def only_aiter() -> Any:
    class Iterable:
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"a"
            yield b"b"

    return Iterable()


def by_hand() -> Any:
    class ByHand:
        left = 2

        def __aiter__(self) -> ByHand:
            return self

        async def __anext__(self) -> bytes:
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return b"ba"[self.left :][:1]

    return ByHand()


@pytest.mark.anyio
@pytest.mark.parametrize("keys", [{}, OLD])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda: ["a", b"b"], id="list"),
        pytest.param(lambda: ("a", memoryview(b"b")), id="tuple"),
        pytest.param(lambda: "ab", id="R30-text-by-characters"),
        pytest.param(lambda: iter(["a", b"b"]), id="iterator"),
        pytest.param(lambda: {"a": 1, "b": 2}, id="iterable"),
        pytest.param(only_aiter, id="R29-only-aiter"),
        pytest.param(by_hand, id="R29-by-hand"),
    ],
)
async def test_pieces_are_sent_one_by_one(content: Any, keys: dict[str, Any]) -> None:
    script = Script()
    sent = await call(StreamingResponse(content(), 201, {"a": "b"}, "text/x"), http_scope(**keys), script)
    assert sent.messages == [
        {
            "type": "http.response.start",
            "status": 201,
            "headers": [(b"a", b"b"), (b"content-type", b"text/x; charset=utf-8")],
        },
        {"type": "http.response.body", "body": b"a", "more_body": True},
        {"type": "http.response.body", "body": b"b", "more_body": True},
        {"type": "http.response.body", "body": b"", "more_body": False},
    ]  # R30
    if not keys:
        assert script.calls == 0  # R33


@pytest.mark.anyio
async def test_empty_pieces_are_sent_and_typed_views_are_cast() -> None:
    sent = await call(StreamingResponse([b"", memoryview(b"12345678").cast("I")]))
    assert [len(message["body"]) for message in sent.messages[1:]] == [0, 8, 0]  # R30, D16


def test_construction() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b""

    content = pieces()
    response = StreamingResponse(content)
    assert response.body_iterator is content
    assert not hasattr(response, "body")
    assert response.raw_headers == []
    assert vars(response)["media_type"] is None  # R29
    assert StreamingResponse([], headers={"content-length": "3"}).raw_headers == [(b"content-length", b"3")]
    StreamingResponse(5)  # type: ignore[arg-type]  # fails when it is sent


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("content", "error"), [(5, TypeError), (b"ab", AttributeError), ([bytearray()], AttributeError)]
)
async def test_unfit_content_fails_when_it_is_sent(content: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        await call(StreamingResponse(content))  # R30


@pytest.mark.anyio
async def test_the_iterator_may_be_replaced() -> None:
    response = StreamingResponse([b"a"])
    inner: Any = response.body_iterator

    async def doubled() -> AsyncIterator[Any]:
        async for piece in inner:
            yield piece * 2

    response.body_iterator = doubled()
    assert (await call(response)).body == b"aa"  # R65


@pytest.mark.anyio
@pytest.mark.parametrize("keys", [{}, OLD])
@pytest.mark.parametrize("status", [103, 204, 304])
async def test_some_statuses_have_no_body(status: int, keys: dict[str, Any]) -> None:
    numbers = Numbers()
    pieces = numbers.pieces()
    sent = await call(StreamingResponse(pieces, status, {"content-length": "3", "a": "b"}), http_scope(**keys))
    assert (sent.body, sent.headers, numbers.yielded) == (b"", [(b"a", b"b")], 0)  # T23.1
    assert len(sent.messages) == 2
    assert [piece async for piece in pieces] == []  # R14


@pytest.mark.anyio
@pytest.mark.parametrize("at", [0, 1, 4])
async def test_an_error_of_send_is_a_disconnect(at: int) -> None:  # threats R02
    numbers, sent = Numbers(), Failing(at)
    ran: list[int] = []
    response = StreamingResponse(numbers.pieces(), background=BackgroundTask(ran.append, 1))
    with pytest.raises(ClientDisconnect) as raised:
        await response(http_scope(), Script(), sent)
    assert raised.value.__context__ is sent.error  # R33
    assert ran == []
    assert numbers.ended == (1 if numbers.yielded else 0)  # R14
    assert response._star_send_error is None


@pytest.mark.anyio
@pytest.mark.parametrize("scope", [http_scope(**OLD), websocket_scope()])
async def test_an_error_of_send_stays_itself_elsewhere(scope: dict[str, Any]) -> None:
    numbers, sent = Numbers(), Failing(2)
    with pytest.raises(OSError, match="connection lost") as raised:
        await StreamingResponse(numbers.pieces())(scope, Script(), sent)
    assert raised.value is sent.error  # R35
    assert numbers.ended == 1


@pytest.mark.anyio
@pytest.mark.parametrize("keys", [{}, OLD])
@pytest.mark.parametrize("blocking", [False, True])
async def test_an_error_of_the_content_stays_itself(keys: dict[str, Any], blocking: bool) -> None:  # threats R04.4
    cause = KeyError("cause")
    error = FileNotFoundError("content")

    def failing() -> Iterator[bytes]:
        yield b"a"
        raise error from cause

    async def failing_async() -> AsyncIterator[bytes]:
        for piece in failing():
            yield piece

    ran: list[int] = []
    content: Any = failing() if blocking else failing_async()
    response = StreamingResponse(content, background=BackgroundTask(ran.append, 1))
    sent = Record()
    with pytest.raises(FileNotFoundError) as raised:
        await response(http_scope(**keys), Script(), sent)
    assert raised.value is error  # D1, R35
    assert raised.value.__cause__ is cause
    assert not any(message.get("more_body") is False for message in sent.messages)  # R04.4
    assert ran == []


@pytest.mark.anyio
async def test_replaced_streaming_is_called_and_its_send_errors_are_disconnects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def own(self: StreamingResponse, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        async for piece in self.body_iterator:
            if piece == b"1":
                raise OSError("content")
            await send({"type": "http.response.body", "body": b"own", "more_body": True})

    monkeypatch.setattr(StreamingResponse, "stream_response", own)
    numbers, sent = Numbers(), Failing(1)
    with pytest.raises(ClientDisconnect):
        await StreamingResponse(numbers.pieces())(http_scope(), Script(), sent)
    assert numbers.ended == 1
    numbers, sent = Numbers(), Failing(9)
    with pytest.raises(OSError, match="content"):
        await StreamingResponse(numbers.pieces())(http_scope(), Script(), sent)
    assert sent.body == b"own"
    assert numbers.ended == 1
    assert (await call(StreamingResponse([b"a"]))).body == b"own"


@pytest.mark.anyio
async def test_a_disconnect_stops_an_old_server_and_the_task_runs() -> None:  # threats R02
    ran: list[int] = []
    numbers = Numbers(1_000_000, waits=True)
    response = StreamingResponse(numbers.pieces(), background=BackgroundTask(ran.append, 1))
    sent = await call(response, http_scope(**OLD), Script({"type": "http.request"}, GONE))
    assert numbers.yielded < 10  # R34
    assert numbers.ended == 1
    assert ran == [1]
    assert sent.messages[-1]["more_body"] is True


class Closing(StreamingResponse):
    """One that streams in its own way."""

    async def stream_response(self, send: Send) -> None:
        await super().stream_response(send)


def streamed(path: Path) -> Response:
    return StreamingResponse(Numbers(waits=True).pieces())


def streamed_otherwise(path: Path) -> Response:
    return Closing(Numbers(waits=True).pieces())


def file(path: Path) -> Response:
    (path / "file").write_bytes(bytes(100_000))
    return FileResponse(path / "file")


@pytest.mark.anyio
@pytest.mark.parametrize("make", [streamed, streamed_otherwise, file])
async def test_a_server_that_ends_its_connection_is_not_cancelled(
    make: Callable[[Path], Response], tmp_path: Path
) -> None:  # threats R02
    over, ended = anyio.Event(), []

    async def receive() -> Message:
        await over.wait()
        return GONE

    async def send(message: Message) -> None:
        await anyio.lowlevel.checkpoint()
        if message.get("more_body") is False:
            over.set()  # as Hypercorn does: it tells that the exchange is over, then it closes the connection
            await anyio.wait_all_tasks_blocked()
            ended.append(True)

    response = make(tmp_path)
    await response(http_scope(**OLD), receive, send)
    assert ended == [True]


@pytest.mark.anyio
@pytest.mark.parametrize("scope", [{"type": "http"}, http_scope(**OLD)])
async def test_a_disconnect_ends_an_idle_stream_before_its_first_piece(scope: dict[str, Any]) -> None:  # threats R02
    closed = []

    async def idle() -> AsyncIterator[bytes]:
        try:
            await anyio.sleep_forever()
            yield b""
        finally:
            closed.append(True)

    sent = await call(StreamingResponse(idle()), scope, Script(GONE))
    assert sent.types == ["http.response.start"]  # R34, R02
    assert closed == [True]


@pytest.mark.anyio
async def test_the_listener_is_a_hook() -> None:
    class Deaf(StreamingResponse):
        async def listen_for_disconnect(self, receive: Any) -> None:
            await anyio.sleep_forever()

    sent = await call(Deaf(Numbers(waits=True).pieces()), http_scope(**OLD), Script(GONE))
    assert sent.body == b"012"  # R31


@pytest.mark.anyio
@pytest.mark.parametrize("keys", [{}, OLD])
async def test_a_cancelled_response_closes_its_iterator(keys: dict[str, Any]) -> None:  # threats R14
    numbers = Numbers()

    async def blocked(message: Message) -> None:
        if message["type"] == "http.response.body":
            scope.cancel()
            await anyio.sleep_forever()

    ran: list[int] = []
    with anyio.CancelScope() as scope:
        response = StreamingResponse(numbers.pieces(), background=BackgroundTask(ran.append, 1))
        await response(http_scope(**keys), Script(), blocked)
    assert scope.cancelled_caught  # R01
    assert (numbers.yielded, numbers.ended, ran) == (1, 1, [])
    assert numbers.closed_calmly


@pytest.mark.anyio
async def test_a_blocking_generator_is_closed_after_an_error() -> None:  # threats R14
    closed = []

    def pieces() -> Iterator[bytes]:
        try:
            yield b"a"
            yield b"b"
        finally:
            closed.append(True)

    with pytest.raises(ClientDisconnect):
        await StreamingResponse(pieces())(http_scope(), Script(), Failing(1))
    assert closed == [True]  # R14


@pytest.mark.anyio
async def test_a_generator_is_not_ahead_of_its_client() -> None:  # threats R07
    taken = []

    def pieces() -> Iterator[bytes]:
        for number in range(5):
            taken.append(number)
            yield b"x"

    class Slow(Record):
        async def __call__(self, message: Message) -> None:
            await super().__call__(message)
            assert len(taken) == len(self.messages) - 1 or not message.get("more_body", True)

    await StreamingResponse(pieces())(http_scope(), Script(), Slow())  # R07


@pytest.mark.anyio
async def test_a_denial_response_is_streamed() -> None:
    ran: list[int] = []
    script = Script()
    response = StreamingResponse([b"no"], 403, background=BackgroundTask(ran.append, 1))
    sent = await call(response, websocket_scope(), script)
    assert set(sent.types) == {"websocket.http.response.start", "websocket.http.response.body"}  # R36
    assert (sent.body, sent.status, script.calls, ran) == (b"no", 403, 0, [1])
