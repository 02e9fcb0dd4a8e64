"""`starlette.middleware.gzip` (gzip R1-R22, threats T15, R07, R13)."""

from __future__ import annotations

import functools
import gzip
import threading
import zlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette.middleware import gzip as module
from starlette.middleware.gzip import (
    DEFAULT_EXCLUDED_CONTENT_TYPES,
    GZipMiddleware,
    GZipResponder,
    IdentityResponder,
    unattached_send,
)
from starlette.responses import FileResponse, PlainTextResponse, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from tests.asgi import Record, body, call, http_scope, websocket_scope

TEXT = b"compress me, please! " * 50
ACCEPTING = [(b"host", b"h"), (b"accept-encoding", b"gzip, deflate")]
REFUSING = [(b"host", b"h"), (b"accept-encoding", b"br")]
Fields = Sequence[tuple[bytes, bytes]]


def start(headers: Fields = (), status: int = 200, **keys: Any) -> Message:
    return {"type": "http.response.start", "status": status, "headers": list(headers), **keys}


def part(content: bytes, more_body: bool = False) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": more_body}


def sending(*messages: Message) -> ASGIApp:
    """An application that sends these messages."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return app


async def serve(*messages: Message, headers: Fields = ACCEPTING, method: str = "GET", **options: Any) -> Record:
    return await call(GZipMiddleware(sending(*messages), **options), http_scope(method=method, headers=headers))


def decoded(sent: Record) -> bytes:
    """The content of a complete response."""
    if sent.header("content-encoding") != "gzip":
        return sent.body
    reader = zlib.decompressobj(31)
    content = reader.decompress(sent.body)
    assert reader.eof
    assert reader.unused_data == b""
    return content


# Construction


def test_options_are_attributes() -> None:  # R1, R3
    app = sending()
    layer = GZipMiddleware(app, 1, 2, 3, exclude_content_types=("Image/PNG; a=b", "text/* "))
    assert (layer.app, layer.minimum_size, layer.compresslevel, layer.thread_minimum_size) == (app, 1, 2, 3)
    assert layer.exclude_content_types == ("image/png", "text/*")
    assert isinstance(layer.exclude_content_types, tuple)
    layer = GZipMiddleware(app)
    assert (layer.minimum_size, layer.compresslevel, layer.thread_minimum_size) == (500, 9, 131072)
    assert layer.exclude_content_types == DEFAULT_EXCLUDED_CONTENT_TYPES


def test_svg_is_compressed_by_default() -> None:
    assert len(DEFAULT_EXCLUDED_CONTENT_TYPES) == 14
    assert "image/svg+xml" not in DEFAULT_EXCLUDED_CONTENT_TYPES


@pytest.mark.parametrize("level", [10, -2, "9", None])
def test_a_level_that_zlib_does_not_know_is_refused_at_construction(level: Any) -> None:  # R18
    with pytest.raises(ValueError, match="compresslevel must be a whole number from 0 to 9"):
        GZipMiddleware(sending(), compresslevel=level)


def test_a_string_of_excluded_types_is_refused_at_construction() -> None:
    exclude: Any = "image/png"
    with pytest.raises(TypeError, match="list or tuple"):
        GZipMiddleware(sending(), exclude_content_types=exclude)


# Which requests


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["websocket", "lifespan", "other"])
async def test_other_connections_pass_untouched(kind: str) -> None:  # R4
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend((scope, receive, send))

    scope, receive, send = {"type": kind}, body(), Record()
    await GZipMiddleware(app)(scope, receive, send)
    assert seen[0] is scope
    assert seen[1] is receive
    assert seen[2] is send
    assert scope == {"type": kind}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("headers", "coding"),
    [
        pytest.param([(b"accept-encoding", b"gzip")], "gzip", id="R5-gzip"),
        pytest.param([(b"accept-encoding", b"gzip;q=0")], None, id="T15.2-refused"),
        pytest.param([(b"accept-encoding", b"br"), (b"accept-encoding", b"GZIP")], "gzip", id="T15.2-second-line"),
        pytest.param([(b"accept-encoding", b"\xff\x00,;=,,q")], None, id="T15.2-junk"),
        pytest.param([], None, id="R5-absent"),
    ],
)
async def test_the_client_chooses_the_coding(headers: Fields, coding: str | None) -> None:
    sent = await serve(start(), part(TEXT), headers=headers)
    assert sent.header("content-encoding") == coding
    assert sent.header("vary") == "Accept-Encoding"
    assert decoded(sent) == TEXT


# Which responses are left alone

LEFT_ALONE = [
    pytest.param(start([(b"content-encoding", b"br")]), id="R6-coded"),
    pytest.param(start([(b"Content-Encoding", b"br")]), id="D8-coded-in-capitals"),
    pytest.param(start(status=206), id="R6-R21-partial"),
    pytest.param(start([(b"content-type", b"text/event-stream; charset=utf-8")]), id="T15.6-event-stream"),
    pytest.param(start([(b"content-type", b"Video/MP4")]), id="R7-family"),
    pytest.param(start([(b"content-type", b"application/grpc+proto")]), id="R7-grpc"),
    pytest.param(start([(b"cache-control", b"no-transform")]), id="T15.3-no-transform"),
    pytest.param(start(status=204), id="T15.4-204"),
    pytest.param(start(status=304), id="T15.4-304"),
]


@pytest.mark.anyio
@pytest.mark.parametrize("headers", [ACCEPTING, REFUSING], ids=["gzip", "identity"])
@pytest.mark.parametrize("message", LEFT_ALONE)
async def test_a_response_that_is_left_alone_is_sent_as_it_is_and_at_once(message: Message, headers: Fields) -> None:
    hint = {"type": "http.response.early_hint", "links": []}
    rest = [part(TEXT, True), hint, part(b""), {"type": "http.response.trailers", "headers": []}]
    seen: list[int] = []
    sent = Record()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for item in (message, *rest):
            await send(item)
            seen.append(len(sent.messages))

    await GZipMiddleware(app, minimum_size=0)(http_scope(headers=headers), body(), sent)
    assert sent.messages == [message, *rest]
    assert all(mine is theirs for mine, theirs in zip(sent.messages, [message, *rest], strict=True))
    assert seen == [1, 2, 3, 4, 5]


@pytest.mark.anyio
async def test_exclusion_can_be_turned_off() -> None:  # R3
    sent = await serve(start([(b"content-type", b"image/png")]), part(TEXT), exclude_content_types=())
    assert sent.header("content-encoding") == "gzip"


@pytest.mark.anyio
async def test_exclusions_of_a_responder_may_be_reassigned() -> None:
    responder = GZipResponder(sending(start([(b"content-type", b"text/plain")]), part(TEXT)), 0)
    responder.exclude_content_types = ("text/plain",)
    sent = await call(responder)
    assert sent.body == TEXT
    assert (responder.started, responder.content_type_is_excluded, responder.content_encoding_set) == (
        True,
        True,
        False,
    )


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("message", "flag"),
    [
        pytest.param(start([(b"content-encoding", b"br")]), "content_encoding_set", id="coded"),
        pytest.param(start(status=206), "partial_response", id="partial"),
        pytest.param(start([(b"content-type", b"audio/x")]), "content_type_is_excluded", id="excluded"),
    ],
)
async def test_a_responder_tells_why_it_left_a_response_alone(message: Message, flag: str) -> None:
    responder = GZipResponder(sending(message, part(TEXT)), 0)
    flags = ("started", "content_encoding_set", "content_type_is_excluded", "partial_response")
    assert [getattr(responder, name) for name in flags] == [False] * 4
    assert responder.initial_message == {}
    await call(responder)
    assert [name for name in flags if getattr(responder, name)] == ["started", flag]
    assert responder.initial_message is message


# One part


@pytest.mark.anyio
@pytest.mark.parametrize("headers", [ACCEPTING, REFUSING], ids=["gzip", "identity"])
async def test_a_short_body_stays_as_it_is(headers: Fields) -> None:  # R9
    messages = [start([(b"content-length", b"499")]), part(b"x" * 499)]
    sent = await serve(*messages, headers=headers)
    assert all(mine is theirs for mine, theirs in zip(sent.messages, messages, strict=True))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("message", "length"),
    [
        pytest.param(start([(b"content-length", b"1050")]), True, id="R10-declared"),
        pytest.param(start(), True, id="R10-length-is-added"),
        pytest.param({"type": "http.response.start", "status": 200}, True, id="R22-no-headers-key"),
        pytest.param(start([(b"content-length", b"1050")], trailers=True), False, id="R10-R19-trailers"),
    ],
)
async def test_a_long_body_is_compressed(message: Message, length: bool) -> None:
    before = {**message, "headers": list(message.get("headers", ()))}
    sent = await serve(message, part(TEXT))
    assert sent.types == ["http.response.start", "http.response.body"]
    assert decoded(sent) == TEXT
    assert sent.header("content-encoding") == "gzip"
    assert sent.header("content-length") == (str(len(sent.body)) if length else None)
    assert sent.header("vary") == "Accept-Encoding"
    assert sent.messages[0].get("trailers", False) is message.get("trailers", False)
    assert {**message, "headers": list(message.get("headers", ()))} == before  # T15.5


@pytest.mark.anyio
async def test_500_bytes_are_enough_by_default() -> None:  # R9
    assert (await serve(start(), part(b"x" * 500))).header("content-encoding") == "gzip"


@pytest.mark.anyio
async def test_without_gzip_only_vary_is_added() -> None:  # R11
    sent = await serve(start([(b"content-length", b"9"), (b"etag", b'"a"')]), part(TEXT), headers=REFUSING)
    assert sent.headers == [(b"content-length", b"9"), (b"etag", b'"a"'), (b"vary", b"Accept-Encoding")]
    assert sent.body == TEXT


@pytest.mark.anyio
@pytest.mark.parametrize("last", [part(b""), {"type": "http.response.body"}], ids=["R12", "D2-T15.4-no-body-key"])
async def test_an_empty_body_is_compressed_if_it_is_to_be(last: Message) -> None:
    sent = await serve(start(), last, minimum_size=0)
    assert len(sent.body) == 20
    assert decoded(sent) == b""


@pytest.mark.anyio
async def test_the_container_tells_no_time() -> None:  # R16
    sent = await serve(start(), part(TEXT))
    assert sent.body[:2] == b"\x1f\x8b"
    assert sent.body[4:8] == bytes(4)
    assert sent.body == (await serve(start(), part(TEXT))).body
    assert gzip.decompress(sent.body) == TEXT


@pytest.mark.anyio
async def test_a_strong_etag_becomes_weak() -> None:  # T15.3
    assert (await serve(start([(b"etag", b'"a"')]), part(TEXT))).header("etag") == 'W/"a"'


@pytest.mark.anyio
async def test_vary_keeps_what_was_there() -> None:  # R15
    sent = await serve(start([(b"vary", b"Accept-Language"), (b"vary", b"Cookie")]), part(TEXT))
    assert [value for name, value in sent.headers if name == b"vary"] == [b"Accept-Language, Cookie, Accept-Encoding"]


@pytest.mark.anyio
@pytest.mark.parametrize("level", range(-1, 10))
async def test_all_levels_work(level: int) -> None:  # R18
    assert decoded(await serve(start(), part(TEXT), compresslevel=level)) == TEXT


@pytest.mark.anyio
async def test_a_response_object_can_be_used_again_for_other_clients() -> None:  # T15.5, R16, threats R16
    response = PlainTextResponse(TEXT, headers={"etag": '"a"'})
    layer = GZipMiddleware(response)
    for headers, coding in ((ACCEPTING, "gzip"), (REFUSING, None), (ACCEPTING, "gzip")):
        sent = await call(layer, http_scope(headers=headers))
        assert sent.header("content-encoding") == coding
        assert sent.header("content-length") == str(len(sent.body))
        assert decoded(sent) == TEXT
    assert response.headers["etag"] == '"a"'
    assert "vary" not in response.headers


@pytest.mark.anyio
async def test_head_is_answered_like_get() -> None:  # D9
    assert (await serve(start(), part(TEXT), method="HEAD")).headers == (await serve(start(), part(TEXT))).headers


# Streams


@pytest.mark.anyio
@pytest.mark.parametrize("headers", [ACCEPTING, REFUSING], ids=["gzip", "identity"])
async def test_what_was_sent_can_be_read_at_once(headers: Fields) -> None:  # R13, R14, T15.1, R07
    pieces = [b"a" * 10, b"", b"b", TEXT, b""]
    sent = Record()
    reader = zlib.decompressobj(31)
    read = reader.decompress if headers is ACCEPTING else bytes

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start([(b"content-length", b"9999")]))
        assert sent.messages == []
        for number, piece in enumerate(pieces):
            await send(part(piece, more_body=True))
            assert len(sent.messages) == number + 2
            assert sent.messages[-1]["more_body"] is True
            assert read(sent.messages[-1]["body"]) == piece
        await send({"type": "http.response.body"})

    await GZipMiddleware(app)(http_scope(headers=headers), body(), sent)
    assert sent.messages[-1].get("more_body", False) is False
    assert read(sent.messages[-1]["body"]) == b""
    assert reader.eof is (headers is ACCEPTING)
    assert sent.header("vary") == "Accept-Encoding"
    assert sent.header("content-length") == (None if headers is ACCEPTING else "9999")


@pytest.mark.anyio
async def test_a_stream_may_begin_without_a_body_key() -> None:  # D2, T15.4
    sent = await serve(start(), {"type": "http.response.body", "more_body": True}, part(TEXT))
    assert decoded(sent) == TEXT


@given(st.lists(st.binary(max_size=300), max_size=8), st.integers(0, 400))
@settings(max_examples=100, deadline=None)
def test_the_decoded_bytes_are_those_of_the_application(pieces: list[bytes], limit: int) -> None:  # T15.1
    messages = [part(piece, more_body=True) for piece in pieces] + [part(b"end")]
    serving = functools.partial(serve, thread_minimum_size=limit)
    sent = anyio.run(serving, start(), *messages)
    assert decoded(sent) == b"".join(pieces) + b"end"
    assert len(sent.messages) == len(messages) + 1


@pytest.mark.anyio
async def test_streaming_responses_are_not_gathered() -> None:  # R07, threats R07
    sent = Record()
    ahead: list[int] = []

    async def produce() -> AsyncIterator[bytes]:
        for number in range(5):
            ahead.append(number - len(sent.messages))
            yield b"x"

    await GZipMiddleware(StreamingResponse(produce()))(http_scope(headers=ACCEPTING), body(), sent)
    assert max(ahead) <= 1


# Other messages


@pytest.mark.anyio
@pytest.mark.parametrize("headers", [ACCEPTING, REFUSING], ids=["gzip", "identity"])
async def test_unknown_messages_and_early_hints_pass_in_any_state(headers: Fields) -> None:  # R19, D1
    hint = {"type": "http.response.early_hint", "links": []}
    debug = {"type": "http.response.debug", "info": {}}
    trailers = {"type": "http.response.trailers", "headers": []}
    sent = await serve(hint, start(trailers=True), debug, part(TEXT, True), hint, part(b""), trailers, headers=headers)
    assert [kind.removeprefix("http.response.") for kind in sent.types] == [
        "early_hint",
        "debug",
        "start",
        "body",
        "early_hint",
        "body",
        "trailers",
    ]
    assert sent.messages[2]["trailers"] is True
    assert sent.messages[-1] is trailers


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["pathsend", "zerocopysend", "trailers"])
async def test_a_held_start_goes_before_what_must_follow_it(kind: str) -> None:  # R20
    messages = [start([(b"content-length", b"9")]), {"type": f"http.response.{kind}"}, part(TEXT)]
    assert (await serve(*messages)).messages == messages


@pytest.mark.anyio
async def test_a_start_without_a_body_is_released_at_the_end() -> None:  # D3
    message = start()
    assert (await serve(message)).messages == [message]


@pytest.mark.anyio
async def test_what_breaks_the_protocol_reaches_the_server() -> None:
    begin, more = start(), part(TEXT)
    assert (await serve(more)).messages == [more]
    sent = await serve(begin, part(b"short"), begin, more)
    assert sent.messages[2:] == [begin, more]
    sent = await serve(begin, more, more)
    assert sent.messages[2] is more
    sent = await serve(start(status=500), start(status=200), part(TEXT))
    assert sent.status == 200


# Failures


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        pytest.param([], 0, id="before-the-start"),
        pytest.param([start()], 0, id="start-held-back"),
        pytest.param([start(), part(TEXT, True)], 2, id="in-the-body"),
    ],
)
async def test_a_response_that_broke_off_is_not_completed(messages: list[Message], expected: int) -> None:  # R04.4
    # threats R04.4
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)
        raise LookupError("broken")

    sent = Record()
    with pytest.raises(LookupError, match="broken"):
        await GZipMiddleware(app)(http_scope(headers=ACCEPTING), body(), sent)
    assert len(sent.messages) == expected
    assert all(message.get("more_body", True) for message in sent.messages)


@pytest.mark.anyio
async def test_an_error_of_the_server_reaches_the_application() -> None:
    async def send(message: Message) -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await GZipMiddleware(sending(start(), part(TEXT)))(http_scope(headers=ACCEPTING), body(), send)


# Threads


@pytest.mark.anyio
@pytest.mark.parametrize("size", [99, 100])
async def test_long_pieces_are_compressed_in_a_thread(size: int, monkeypatch: pytest.MonkeyPatch) -> None:  # R17, R13
    # threats R13
    threads: list[threading.Thread] = []
    compress = GZipResponder._asterism_compress

    def noting(self: GZipResponder, content: bytes, more_body: bool) -> bytes:
        threads.append(threading.current_thread())
        return compress(self, content, more_body)

    monkeypatch.setattr(GZipResponder, "_asterism_compress", noting)
    sent = await serve(start(), part(b"x" * size, True), part(b""), minimum_size=0, thread_minimum_size=100)
    assert decoded(sent) == b"x" * size
    assert [thread is threading.current_thread() for thread in threads] == [size < 100, True]


@pytest.mark.anyio
async def test_threads_are_limited_apart_from_others() -> None:  # R17
    default = anyio.to_thread.current_default_thread_limiter()
    own = module._own_limiter()
    assert own is module._own_limiter()
    assert own is not default
    assert own.total_tokens == 40
    tokens = default.total_tokens
    default.total_tokens = 1
    await default.acquire()
    try:
        sent = await serve(start(), part(TEXT), thread_minimum_size=0)
    finally:
        default.release()
        default.total_tokens = tokens
    assert decoded(sent) == TEXT


@pytest.mark.anyio
async def test_the_loop_goes_on_while_a_large_body_is_compressed(monkeypatch: pytest.MonkeyPatch) -> None:  # R13
    small_is_done = threading.Event()
    compress = GZipResponder._asterism_compress

    def waiting(self: GZipResponder, content: bytes, more_body: bool) -> bytes:
        if content == large:
            assert small_is_done.wait(timeout=30)
        return compress(self, content, more_body)

    monkeypatch.setattr(GZipResponder, "_asterism_compress", waiting)
    large = bytes(131072)

    async def run(content: bytes) -> None:
        assert decoded(await serve(start(), part(content))) == content

    async with anyio.create_task_group() as group:
        group.start_soon(run, large)
        await anyio.lowlevel.checkpoint()
        await run(TEXT)
        small_is_done.set()


# Responders


@pytest.mark.anyio
async def test_a_responder_can_be_used_alone() -> None:
    sent = await call(GZipResponder(sending(start(), part(TEXT)), 500))
    assert decoded(sent) == TEXT
    sent = await call(IdentityResponder(sending(start(), part(TEXT)), 500))
    assert sent.body == TEXT
    responder = GZipResponder(sending(), 500, 3, thread_minimum_size=4, exclude_content_types=("A/B",))
    assert (responder.compresslevel, responder.thread_minimum_size) == (3, 4)
    assert responder.exclude_content_types == ("a/b",)


@pytest.mark.anyio
async def test_a_responder_has_no_send_before_it_is_called() -> None:
    assert GZipResponder(sending(), 1).send is unattached_send
    with pytest.raises(RuntimeError, match=r"^send awaitable not set$"):
        await unattached_send(start())


@pytest.mark.anyio
async def test_zlib_is_asked_for_nothing_until_a_body_is_compressed() -> None:  # R16
    responder = GZipResponder(sending(start(), part(b"short")), 500)
    await call(responder)
    assert responder._asterism_compressor is None
    assert responder.compressor is responder.compressor


@pytest.mark.anyio
async def test_another_coding_is_a_subclass() -> None:  # R2
    class Reversed(IdentityResponder):
        content_encoding = "reversed"

        async def apply_compression(self, body: bytes, *, more_body: bool) -> bytes:
            return body[::-1] if more_body else body[::-1] + b"!"

    sent = await call(Reversed(sending(start([(b"content-length", b"3")]), part(b"abc")), 0))
    assert sent.body == b"cba!"
    assert sent.header("content-encoding") == "reversed"
    assert sent.header("content-length") == "4"
    sent = await call(Reversed(sending(start(), part(b"abc", True), part(b"")), 0))
    assert [message["body"] for message in sent.messages[1:]] == [b"cba", b"!"]


@pytest.mark.anyio
async def test_the_middleware_can_be_subclassed() -> None:
    class Selective(GZipMiddleware):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            if scope.get("path") == "/plain":
                await self.app(scope, receive, send)
            else:
                await super().__call__(scope, receive, send)

    layer = Selective(PlainTextResponse(TEXT), minimum_size=1)
    assert (await call(layer, http_scope("/plain", headers=ACCEPTING))).body == TEXT
    assert decoded(await call(layer, http_scope("/", headers=ACCEPTING))) == TEXT


# Files


@pytest.mark.anyio
async def test_files(tmp_path: Path) -> None:  # R21
    path = tmp_path / "page.txt"
    path.write_bytes(TEXT)
    layer = GZipMiddleware(FileResponse(path))
    sent = await call(layer, http_scope(headers=ACCEPTING))
    assert decoded(sent) == TEXT
    assert (sent.header("etag") or "").startswith('W/"')
    sent = await call(layer, http_scope(headers=[*ACCEPTING, (b"range", b"bytes=0-599")]))
    assert sent.status == 206
    assert (sent.header("content-encoding"), sent.header("content-length")) == (None, "600")
    assert sent.body == TEXT[:600]


@pytest.mark.anyio
async def test_websockets_are_untouched() -> None:  # R4
    sent = await call(GZipMiddleware(sending({"type": "websocket.close"})), websocket_scope(headers=ACCEPTING))
    assert sent.types == ["websocket.close"]
