"""Which WebSocket message may come when, and where it leads (ASGI WebSocket; "WebSocket Denial Response").

Two machines run side by side: what the server delivers moves the client's state, what the application sends moves its
own. Both are tables here; `starlette.websockets` walks them. Nothing here awaits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from starlette._http.fields import checked_value
from starlette.types import Message

# The values of `WebSocketState`, in the order of its members.
CONNECTING: Final = 0
CONNECTED: Final = 1
DISCONNECTED: Final = 2
RESPONSE: Final = 3


class Row(NamedTuple):
    """One state: the message types that are legal in it with the state after each, and the refusal of all others.

    `more`, if set, is the state after a message that announces another one with `more_body`.
    """

    after: dict[str, int]
    refusal: str
    more: int | None = None


def _row(after: dict[str, int], *, more: int | None = None) -> Row:
    # COMPAT: the names in the order of the table, as in `Expected ASGI message "a", "b" or "c", but got 'd'`.
    *others, last = [f'"{kind}"' for kind in after]
    expected = f"{', '.join(others)} or {last}" if others else last
    return Row(after, f"Expected ASGI message {expected}, but got ", more)


OPEN_CLIENT: Final = _row({"websocket.receive": CONNECTED, "websocket.disconnect": DISCONNECTED})

# What the server may deliver, by the state of the client. None: nothing more is to come.
RECEIVABLE: Final[dict[int, Row | None]] = {
    CONNECTING: _row({"websocket.connect": CONNECTED}),
    CONNECTED: OPEN_CLIENT,
    DISCONNECTED: None,
    RESPONSE: None,
}

# What the application may send, by its own state. None: it has said its last word.
SENDABLE: Final[dict[int, Row | None]] = {
    CONNECTING: _row(
        {
            "websocket.accept": CONNECTED,
            "websocket.close": DISCONNECTED,
            "websocket.http.response.start": RESPONSE,
        }
    ),
    CONNECTED: _row({"websocket.send": CONNECTED, "websocket.close": DISCONNECTED}),
    RESPONSE: _row({"websocket.http.response.body": DISCONNECTED}, more=RESPONSE),
    DISCONNECTED: None,
}


def step(row: Row, message: Message) -> int:
    """Return the state that `message` leads to; RuntimeError when it is not legal in the state of `row`."""
    kind: str = message["type"]
    state = row.after.get(kind)
    if state is None:
        raise RuntimeError(f"{row.refusal}{kind!r}")
    if row.more is not None and message.get("more_body", False):
        return row.more
    return state


# A close frame is a control frame: 125 bytes, two of which are the code (RFC 6455 §5.5, §5.5.1).
_REASON_BYTES: Final = 123


def clip_reason(reason: Any) -> Any:
    """Cut a close reason to what fits in a close frame: 123 bytes of UTF-8, never inside a character.

    Lone surrogates, which no UTF-8 can hold, become `?`. What is no text is returned as it is.
    """
    if not isinstance(reason, str):
        return reason  # COMPAT: FastAPI closes with a list of errors; what becomes of it is up to the server
    if reason.isascii() and len(reason) <= _REASON_BYTES:
        return reason
    return reason.encode("utf-8", "replace")[:_REASON_BYTES].decode("utf-8", "ignore")


def fit_to_send(message: Message) -> Message:
    """Return `message` with what would break the handshake or the closing refused or repaired.

    The same object comes back unless something had to change; the given message is never modified.

    Raises:
        ValueError: CR, LF or NUL in a header or in the subprotocol.
    """
    fit = _FITTING.get(message["type"])
    return message if fit is None else fit(message)


def _with_fitting_reason(message: Message) -> Message:
    reason = message.get("reason")
    if not reason:
        return message
    clipped = clip_reason(reason)
    return message if clipped == reason else {**message, "reason": clipped}


def _with_checked_headers(message: Message) -> Message:
    # SECURITY: a line end in one of these would let its text write further headers of the handshake (threats T03).
    subprotocol: str | None = message.get("subprotocol")
    if subprotocol:
        checked_value(subprotocol)
    headers: Any = message.get("headers")
    if not headers:
        return message
    if isinstance(headers, Iterator):  # looking at it uses it up
        headers = list(headers)
        message = {**message, "headers": headers}
    for name, value in headers:
        checked_value(_text(name))
        checked_value(_text(value))
    return message


_FITTING: Final[dict[str, Callable[[Message], Message]]] = {
    "websocket.accept": _with_checked_headers,
    "websocket.http.response.start": _with_checked_headers,
    "websocket.close": _with_fitting_reason,
}


def _text(octets: bytes | str) -> str:
    # ASGI says bytes, and some servers and test tools take text all the same.
    return octets if isinstance(octets, str) else octets.decode("latin-1")
