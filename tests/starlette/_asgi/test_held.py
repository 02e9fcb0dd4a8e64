"""Messages that were seen before they were asked for: threats R15, R09.2."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import pytest

from starlette._asgi.held import HELD_LIMIT, HeldMessages
from tests.asgi import Script

pytestmark = pytest.mark.anyio


def chunk(size: int, more: bool = True) -> MutableMapping[str, Any]:
    return {"type": "http.request", "body": b"x" * size, "more_body": more}


async def test_held_messages_come_first_and_in_order() -> None:
    last = chunk(3)
    held = HeldMessages(Script(last))
    first, second = chunk(1), {"type": "http.request"}
    held.hold(first)
    held.hold(second)
    assert [await held() for _ in range(3)] == [first, second, last]


async def test_looking_ahead_ends_at_the_limit() -> None:
    held = HeldMessages(Script())
    assert not held.full
    held.hold(chunk(HELD_LIMIT))
    assert held.full
    await held()
    assert not held.full


async def test_looking_ahead_goes_on_behind_the_end_of_a_body() -> None:
    held = HeldMessages(Script())
    held.hold(chunk(2 * HELD_LIMIT, more=False))
    assert not held.full


async def test_empty_messages_count_too() -> None:
    held = HeldMessages(Script())
    for _ in range(HELD_LIMIT // 256):
        held.hold(chunk(0))
    assert held.full
