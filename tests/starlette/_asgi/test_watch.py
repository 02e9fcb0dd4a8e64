"""`starlette._asgi.watch` (exceptions R20, R36, D3)."""

from __future__ import annotations

from typing import Any

import pytest

from starlette._asgi.watch import SendWatch
from tests.asgi import Record


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
