"""`starlette._asgi.watch` (exceptions R20, R36, D3)."""

from __future__ import annotations

from typing import Any

import pytest

from starlette._asgi.watch import SendWatch, beyond_start
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.sessions import SessionMiddleware
from tests.asgi import Record, Script, http_scope


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("kinds", "started"),
    [
        pytest.param([], False, id="nothing"),
        pytest.param(["http.response.debug"], False, id="something-before"),
        pytest.param(["http.response.start", "http.response.body"], True, id="a-response"),
        pytest.param(["websocket.accept", "websocket.send"], False, id="R20-an-open-websocket"),
        pytest.param(["websocket.http.response.start"], True, id="D3-a-denial"),
    ],
)
async def test_a_start_is_noted(kinds: list[str], started: bool) -> None:
    sent = Record()
    watch = SendWatch(sent)
    messages: list[Any] = [{"type": kind} for kind in kinds]
    for message in messages:
        await watch.send(message)
    assert watch.started is started
    assert all(passed is message for passed, message in zip(sent.messages, messages, strict=True))


@pytest.mark.anyio
async def test_a_start_that_the_server_fails_to_send_counts() -> None:  # exceptions R36
    async def broken(message: Any) -> None:
        raise OSError("lost")

    watch = SendWatch(broken)
    with pytest.raises(OSError, match="lost"):
        await watch.send({"type": "http.response.start"})
    assert watch.started


def test_what_comes_after_a_start_needs_no_watch() -> None:
    sent = Record()
    assert beyond_start(SendWatch(SendWatch(sent).send).send) is sent
    assert beyond_start(sent.__call__).__self__ is sent  # type: ignore[attr-defined]


@pytest.mark.anyio
async def test_pieces_of_a_stream_go_past_the_layers_that_look_at_its_start() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        scope["session"]["user"] = "ada"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await beyond_start(send)({"type": "http.response.body", "body": b"x"})
        assert beyond_start(send) is sent

    sent = Record()
    layers = CORSMiddleware(SessionMiddleware(application, "secret"), allow_origins=["*"])
    await layers(http_scope("/", headers=[(b"origin", b"https://example.org")]), Script(), SendWatch(sent).send)
    names = {name for name, _ in sent.messages[0]["headers"]}
    assert names == {b"set-cookie", b"vary", b"access-control-allow-origin"}
    assert sent.messages[1:] == [{"type": "http.response.body", "body": b"x"}]
