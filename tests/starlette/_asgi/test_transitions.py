"""The tables of `starlette._asgi.transitions` (websockets R9, R12; threats T18.1, T18.4)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette._asgi.transitions import (
    CONNECTED,
    CONNECTING,
    DISCONNECTED,
    RECEIVABLE,
    RESPONSE,
    SENDABLE,
    Row,
    clip_reason,
    fit_to_send,
    step,
)
from starlette.websockets import WebSocketState

KINDS = sorted({kind for table in (RECEIVABLE, SENDABLE) for row in table.values() if row for kind in row.after})
TABLES = {"receive": RECEIVABLE, "send": SENDABLE}
ROWS = [(f"{name}-{state}", row) for name, table in TABLES.items() for state, row in table.items() if row]


def test_every_state_has_a_row_in_both_tables() -> None:
    values = {state.value for state in WebSocketState}
    assert set(RECEIVABLE) == set(SENDABLE) == values == {CONNECTING, CONNECTED, DISCONNECTED, RESPONSE}


@pytest.mark.parametrize("row", [pytest.param(row, id=name) for name, row in ROWS])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("more", [True, False])
def test_every_message_is_in_the_table_or_refused(row: Row, kind: str, more: bool) -> None:  # T18.1
    message = {"type": kind, "more_body": more}
    if kind not in row.after:
        with pytest.raises(RuntimeError, match=f"^Expected ASGI message .*{kind!r}$"):
            step(row, message)
    elif row.more is not None and more:
        assert step(row, message) == row.more
    else:
        assert step(row, message) == row.after[kind]


def test_nothing_leaves_the_end() -> None:
    assert RECEIVABLE[DISCONNECTED] is SENDABLE[DISCONNECTED] is None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_a_clipped_reason_fits_and_is_a_prefix(reason: str) -> None:  # T18.4
    clipped = clip_reason(reason)
    octets = clipped.encode("utf-8")
    assert len(octets) <= 123
    readable = reason.encode("utf-8", "replace").decode("utf-8")
    assert readable.startswith(clipped)
    # Nothing is cut that would have fitted.
    assert clipped == readable or len(readable[: len(clipped) + 1].encode("utf-8")) > 123


@pytest.mark.parametrize(
    "message",
    [
        {"type": "websocket.send", "text": "a\r\nb"},
        {"type": "websocket.close"},
        {"type": "websocket.close", "reason": None},
        {"type": "websocket.close", "reason": "fine"},
        {"type": "websocket.accept"},
        {"type": "websocket.accept", "subprotocol": "chat", "headers": [(b"x-a", b"\xe9")]},
        {"type": "websocket.http.response.start", "status": 403, "headers": []},
    ],
)
def test_a_message_that_fits_is_the_same_object(message: dict[str, Any]) -> None:
    assert fit_to_send(message) is message


@pytest.mark.parametrize("reason", [[{"loc": ["query", "token"]}], {"a": 1}])
def test_a_reason_that_is_no_text_is_passed_on(reason: object) -> None:
    assert clip_reason(reason) is reason
    message = {"type": "websocket.close", "code": 1008, "reason": reason}
    assert fit_to_send(message) is message
