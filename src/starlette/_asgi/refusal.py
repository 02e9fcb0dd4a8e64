"""The answer of a middleware in place of the application's, to requests and to WebSockets."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

# RFC 6455 §7.4.1: the connection violates a policy. Before the handshake servers answer 403, whatever the code.
_POLICY_VIOLATION: Final = 1008


async def refuse(response: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Send `response`; close a WebSocket whose server cannot send one (ASGI "WebSocket Denial Response")."""
    if scope["type"] == "websocket" and "websocket.http.response" not in (scope.get("extensions") or ()):
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": ""})
        return
    await response(scope, receive, send)
