"""The body of a request, and whether its client is still there: requests R37 to R46, R54 to R56, threats R02, R15."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import anyio
import pytest
import trio

from starlette._asgi.held import HELD_LIMIT
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive
from tests.asgi import Script, body, http_scope

pytestmark = pytest.mark.anyio

GONE: Message = {"type": "http.disconnect"}
CONSUMED = "^Stream consumed$"


def chunk(data: bytes, more: bool = True) -> Message:
    return {"type": "http.request", "body": data, "more_body": more}


def make(*chunks: bytes, kind: type[Request] = Request) -> Request:
    return kind(http_scope(method="POST"), body(*chunks))


async def collect(request: Request) -> list[bytes]:
    return [data async for data in request.stream()]


class Streams(Request):
    """Overrides `stream`, so that `body()` has to go through it."""

    async def stream(self) -> AsyncGenerator[bytes, None]:
        async for data in super().stream():
            yield data.upper()


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        pytest.param([chunk(b"a"), chunk(b""), chunk(b"b", False)], [b"a", b"b", b""], id="R37-empty-between"),
        pytest.param([{"type": "http.request"}], [b""], id="R37-no-keys"),
        pytest.param([{"type": "http.request", "body": b"a"}], [b"a", b""], id="R37-no-more-body"),
        pytest.param([chunk(b"a"), chunk(b"", False)], [b"a", b""], id="R37-empty-end"),
        pytest.param([{"type": "x"}, chunk(b"a", False)], [b"a", b""], id="R38-unknown-message"),
    ],
)
async def test_the_stream_yields_what_arrives(messages: list[Message], expected: list[bytes]) -> None:
    receive = Script(*messages)
    request = Request(http_scope(), receive)
    stream = request.stream()
    assert receive.calls == 0
    assert [data async for data in stream] == expected
    assert receive.calls == len(messages)
    assert await Request(http_scope(), Script(*messages)).body() == b"".join(expected)


async def test_two_streams_share_the_channel() -> None:
    # R40
    receive = body(b"1", b"2", b"3")
    request = Request(http_scope(), receive)
    first, second = request.stream(), request.stream()
    assert [await anext(first), await anext(second), await anext(first)] == [b"1", b"2", b"3"]
    for stream in (first, second):
        assert [data async for data in stream] == [b""]
    assert receive.calls == 3


@pytest.mark.parametrize("kind", [Request, Streams])
async def test_a_stream_cannot_be_read_twice(kind: type[Request]) -> None:
    # R41
    request = make(b"1", kind=kind)
    await collect(request)
    for again in (collect, Request.body, Request.json):
        with pytest.raises(RuntimeError, match=CONSUMED):
            await again(request)


async def test_the_rest_of_a_begun_stream_can_be_collected() -> None:
    # D1: kept
    request = make(b"1", b"2", b"3")
    stream = request.stream()
    assert await anext(stream) == b"1"
    await stream.aclose()
    assert await request.body() == b"23"


async def test_the_body_is_kept() -> None:
    # R42, R61
    receive = body(b"a", b"b")
    request = Request(http_scope(), receive)
    assert not hasattr(request, "_body")
    assert await request.body() == b"ab"
    assert await request.body() is request._body
    assert request._stream_consumed
    assert await collect(request) == await collect(request) == [b"ab", b""]
    assert receive.calls == 2
    assert await collect(make_read := make()) == [b""]
    assert make_read._stream_consumed


async def test_an_empty_body_is_kept() -> None:
    # R42
    request = make()
    assert await request.body() == b""
    assert await collect(request) == [b"", b""]


async def test_an_overridden_stream_feeds_the_body() -> None:
    # R44, and the guard of the shortcut
    assert await make(b"a", b"b", kind=Streams).body() == b"AB"
    request = make(b"a")

    async def stream() -> AsyncGenerator[bytes, None]:
        yield b"mine"

    request.stream = stream  # type: ignore[method-assign]
    assert await request.body() == b"mine"


@pytest.mark.parametrize("kind", [Request, Streams])
async def test_a_disconnect_ends_every_way_to_read(kind: type[Request]) -> None:
    # R39, R46, threats R02
    for read in (collect, Request.body, Request.json):
        receive = Script(chunk(b"1"), GONE, chunk(b"2", False))
        request = kind(http_scope(), receive)
        with pytest.raises(ClientDisconnect) as info:
            await read(request)
        assert info.value.args == ()
        assert await request.is_disconnected()
        assert receive.calls == 2
        assert not hasattr(request, "_body")
        assert await request.body() == (b"2")  # asks again


@pytest.mark.parametrize("name", ["body", "json", "is_disconnected"])
async def test_a_receive_channel_is_needed(name: str) -> None:
    # R45
    with pytest.raises(RuntimeError, match=r"^Receive channel has not been made available$"):
        await getattr(Request(http_scope()), name)()


async def test_errors_of_the_channel_propagate() -> None:
    # R56, threats R04
    error = OSError("broken")
    for read in (collect, Request.body, Request.is_disconnected):
        with pytest.raises(OSError, match="broken") as info:
            await read(Request(http_scope(), Script(error)))
        assert info.value is error


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b'{"a": [1, null]}', {"a": [1, None]}, id="R43-utf-8"),
        pytest.param("\ufeff1".encode(), 1, id="R43-bom"),
        pytest.param('"é"'.encode("utf-16"), "é", id="R43-utf-16"),
        pytest.param('"é"'.encode("utf-32"), "é", id="R43-utf-32"),
        pytest.param(b"Infinity", float("inf"), id="R43-no-number"),
    ],
)
async def test_json(data: bytes, expected: object) -> None:
    request = make(data)
    value = await request.json()
    assert value == expected
    assert await request.json() is value


async def test_json_null_is_kept() -> None:
    # R43
    request = make(b"null")
    assert not hasattr(request, "_json")
    assert await request.json() is None
    request._body = b"1"
    assert await request.json() is None


@pytest.mark.parametrize(
    ("data", "error"),
    [
        pytest.param(b"", json.JSONDecodeError, id="R43-empty"),
        pytest.param(b"{", json.JSONDecodeError, id="R43-broken"),
        pytest.param(b'"\xff"', UnicodeDecodeError, id="R43-no-utf-8"),
        pytest.param(b"[" * 200_000, RecursionError, id="T11-deep"),
    ],
)
async def test_bad_json_is_an_ordinary_exception(data: bytes, error: type[Exception]) -> None:
    request = make(data)
    with pytest.raises(error) as info:
        await request.json()
    if not data:
        with pytest.raises(json.JSONDecodeError) as own:  # "Expecting value: line 1 column 1 (char 0)", on CPython
            json.loads("")
        assert str(info.value) == str(own.value)
    assert await request.body() == data
    assert await make(b"1").json() == 1


async def test_assignments_to_private_names_win() -> None:
    # R61
    request = Request({"type": "http"})
    request._body = b"[1]"
    assert await request.body() == b"[1]"
    assert await request.json() == [1]
    request._json = 2
    assert await request.json() == 2
    replayed = make(b"first")
    await collect(replayed)
    replayed._receive = body(b"second")
    replayed._stream_consumed = False
    assert await replayed.body() == b"second"
    assert replayed.receive is replayed._receive


async def test_a_silent_client_is_connected() -> None:
    # R54
    request = Request(http_scope(), Script())
    assert await request.is_disconnected() is False


async def test_a_disconnect_is_seen_and_remembered() -> None:
    # R54, R55
    receive = Script(chunk(b"", False), GONE)
    request = Request(http_scope(), receive)
    await request.body()
    assert await request.is_disconnected() is True
    assert await request.is_disconnected() is True
    assert receive.calls == 2


@pytest.mark.parametrize("read", [Request.body, collect])
async def test_polling_loses_no_data(read: Any) -> None:
    # threats R15, D2
    request = make(b"a", b"b", b"c")
    assert await request.is_disconnected() is False
    assert await request.is_disconnected() is False
    found = await read(request)
    assert (found if isinstance(found, bytes) else b"".join(found)) == b"abc"
    assert await request.is_disconnected() is False


async def test_what_polling_saw_is_delivered_to_others() -> None:
    # threats R15: other ASGI applications are handed `request.receive`
    request = make(b"a", b"b")
    await request.is_disconnected()
    assert [(await request.receive())["body"] for _ in range(2)] == [b"a", b"b"]


async def test_a_disconnect_behind_unread_data_is_seen() -> None:
    # threats R15; R02: and reading still ends by it
    request = Request(http_scope(), Script(chunk(b"a"), GONE))
    assert [await request.is_disconnected() for _ in range(3)] == [False, True, True]
    stream = request.stream()
    assert await anext(stream) == b"a"
    with pytest.raises(ClientDisconnect):
        await anext(stream)


async def test_polling_gathers_a_bounded_part_of_a_body() -> None:
    # threats R09.2
    receive = Script(*[chunk(b"x" * (HELD_LIMIT // 4)) for _ in range(100)])
    request = Request(http_scope(), receive)
    for _ in range(50):
        assert await request.is_disconnected() is False
    assert receive.calls < 6
    stream = request.stream()
    assert len(await anext(stream)) == HELD_LIMIT // 4
    await stream.aclose()


async def test_what_a_channel_holds_is_seen(anyio_backend_name: str) -> None:
    # threats R15, R11: the queues of servers, each with its own idea of what cancellation does to them
    if anyio_backend_name == "trio":
        to_application, from_server = trio.open_memory_channel[Message](2)
        put: Any = to_application.send_nowait
        receive: Any = from_server.receive
    else:
        queue: asyncio.Queue[Message] = asyncio.Queue(2)
        put, receive = queue.put_nowait, queue.get
    request = Request(http_scope(), receive)
    assert await request.is_disconnected() is False
    put(chunk(b"a"))
    put(GONE)
    assert [await request.is_disconnected() for _ in range(2)] == [False, True]
    stream = request.stream()
    assert await anext(stream) == b"a"
    await stream.aclose()


async def test_polling_is_no_checkpoint_for_an_outer_cancellation() -> None:
    # threats R01: the cancellation of the caller is not swallowed
    request = Request(http_scope(), Script())
    with anyio.CancelScope() as scope:
        scope.cancel()
        await request.is_disconnected()
        await anyio.lowlevel.checkpoint()
        raise AssertionError("not cancelled")


async def test_a_polled_channel_may_be_replaced() -> None:
    request = make(b"a")
    await request.is_disconnected()
    other: Receive = body(b"other")
    request._receive = other
    assert await request.body() == b"other"
