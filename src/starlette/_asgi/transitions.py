"""Which WebSocket message may come when, and where it leads (ASGI WebSocket; "WebSocket Denial Response").

Two machines run side by side: what the server delivers moves the client's state, what the application sends moves its
own. Both are tables here; `starlette.websockets` walks them. Nothing here awaits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from starlette._http.fields import checked_value
from starlette.types import Message

# The values of `WebSocketState`, in the order of its members.
CONNECTING: Final = 0
CONNECTED: Final = 1
DISCONNECTED: Final = 2
RESPONSE: Final = 3


class Row(NamedTuple):
    """One state: the message types that are legal in it with the state after each, and the refusal of all others."""

    after: dict[str, int]
    refusal: str


def _row(after: dict[str, int]) -> Row:
    # COMPAT: the names in the order of the table, as in `Expected ASGI message "a", "b" or "c", but got 'd'`.
    *others, last = [f'"{kind}"' for kind in after]
    expected = f"{', '.join(others)} or {last}" if others else last
    return Row(after, f"Expected ASGI message {expected}, but got ")


# What the server may deliver, by the state of the client. A state without a row has nothing more to come.
RECEIVABLE: Final[dict[int, Row]] = {
    CONNECTING: _row({"websocket.connect": CONNECTED}),
    CONNECTED: _row({"websocket.receive": CONNECTED, "websocket.disconnect": DISCONNECTED}),
}

# What the application may send, by its own state. A state without a row takes nothing more.
SENDABLE: Final[dict[int, Row]] = {
    CONNECTING: _row(
        {
            "websocket.accept": CONNECTED,
            "websocket.close": DISCONNECTED,
            "websocket.http.response.start": RESPONSE,
        }
    ),
    CONNECTED: _row({"websocket.send": CONNECTED, "websocket.close": DISCONNECTED}),
    # The body that says that more follows keeps the state; see `after_send`.
    RESPONSE: _row({"websocket.http.response.body": DISCONNECTED}),
}


def after_receive(row: Row, kind: str) -> int:
    """Return the client's state after a message of type `kind` came; RuntimeError when it may not come now."""
    return _step(row, kind)


def after_send(row: Row, message: Message) -> int:
    """Return the application's state after it sends `message`; RuntimeError when it may not be sent now."""
    kind: str = message["type"]
    state = _step(row, kind)
    if kind == "websocket.http.response.body" and message.get("more_body", False):
        return RESPONSE
    return state


def _step(row: Row, kind: str) -> int:
    try:
        return row.after[kind]
    except KeyError:
        raise RuntimeError(f"{row.refusal}{kind!r}") from None


# A close frame is a control frame: 125 bytes, two of which are the code (RFC 6455 §5.5, §5.5.1).
_REASON_BYTES: Final = 123


def clip_reason(reason: str) -> str:
    """Cut a close reason to what fits in a close frame: 123 bytes of UTF-8, never inside a character.

    Lone surrogates, which no UTF-8 can hold, become `?`.
    """
    if reason.isascii() and len(reason) <= _REASON_BYTES:
        return reason
    return reason.encode("utf-8", "replace")[:_REASON_BYTES].decode("utf-8", "ignore")


def fit_to_send(message: Message) -> Message:
    """Return `message` with what would break the handshake or the closing refused or repaired.

    The same object comes back unless something had to change; the given message is never modified.

    Raises:
        ValueError: CR, LF or NUL in a header or in the subprotocol.
    """
    kind: str = message["type"]
    if kind == "websocket.close":
        return _with_fitting_reason(message)
    if kind in _WITH_HEADERS:
        return _with_checked_headers(message)
    return message


_WITH_HEADERS: Final = frozenset({"websocket.accept", "websocket.http.response.start"})


def _with_fitting_reason(message: Message) -> Message:
    reason: str = message.get("reason") or ""
    clipped = clip_reason(reason)
    return message if clipped == reason else {**message, "reason": clipped}


def _with_checked_headers(message: Message) -> Message:
    # SECURITY: a line end in one of these would let its text write further headers of the handshake (threats T03).
    checked_value(message.get("subprotocol") or "")
    headers: Any = message.get("headers") or ()
    if isinstance(headers, Iterator):  # looking at it uses it up
        headers = list(headers)
        message = {**message, "headers": headers}
    for name, value in headers:
        checked_value(_text(name))
        checked_value(_text(value))
    return message


def _text(octets: bytes | str) -> str:
    # ASGI says bytes, and some servers and test tools take text all the same.
    return octets if isinstance(octets, str) else octets.decode("latin-1")
