"""GraphQL over WebSocket: the protocol `graphql-transport-ws` (graphql-ws, PROTOCOL.md)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, NoReturn

import anyio
from anyio.abc import TaskGroup

from starlette._graphql.answers import Outcome, may_ask, refused
from starlette._graphql.engine import Engine
from starlette._graphql.limits import GraphQLLimits
from starlette._graphql.operations import Operation, Refusal, from_json, load_json
from starlette._utils import create_collapsing_task_group
from starlette.background import BackgroundTasks
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

PROTOCOL: Final = "graphql-transport-ws"

OnConnect = Callable[[WebSocket, Any], Awaitable[Any]]

# Close codes of the protocol, with their reasons.
_INVALID: Final = 4400
_UNAUTHORIZED: Final = (4401, "Unauthorized")
_FORBIDDEN: Final = (4403, "Forbidden")
_NO_PROTOCOL: Final = (4406, "Subprotocol not acceptable")
_INIT_TIMEOUT: Final = (4408, "Connection initialisation timeout")
_TAKEN: Final = 4409
_INIT_TWICE: Final = (4429, "Too many initialisation requests")


class _Closing(Exception):
    """The connection ends with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


async def serve_websocket(
    engine: Engine,
    limits: GraphQLLimits,
    allow_origins: Sequence[str],
    on_connect: OnConnect | None,
    websocket: WebSocket,
) -> None:
    """Speak the protocol on one connection until either side ends it."""
    headers = websocket.headers
    if not may_ask(headers.get("origin"), headers.get("host", ""), allow_origins):
        # SECURITY: browsers open WebSockets to any site with its cookies, and ask nobody before.
        await websocket.close(*_FORBIDDEN)
        return
    try:
        if PROTOCOL not in websocket.scope.get("subprotocols", ()):
            await websocket.accept()
            await websocket.close(*_NO_PROTOCOL)
            return
        await websocket.accept(PROTOCOL)
        await _Connection(engine, limits, on_connect, websocket).serve()
    except WebSocketDisconnect:
        pass  # the client has gone, and its operations with it


class _Connection:
    """One connection: its state, and the operations that run on it."""

    __slots__ = ("_context", "_engine", "_limits", "_on_connect", "_running", "_websocket")

    def __init__(
        self, engine: Engine, limits: GraphQLLimits, on_connect: OnConnect | None, websocket: WebSocket
    ) -> None:
        self._engine = engine
        self._limits = limits
        self._on_connect = on_connect
        self._websocket = websocket
        self._context: dict[str, Any] = {"request": websocket}
        self._running: dict[str, anyio.CancelScope] = {}

    async def serve(self) -> None:
        try:
            with anyio.move_on_after(self._limits.init_timeout) as scope:
                await self._initialise()
            if scope.cancelled_caught:
                raise _Closing(*_INIT_TIMEOUT)
            async with create_collapsing_task_group() as group:
                try:
                    while True:
                        await self._handle(await self._receive(), group)
                finally:
                    group.cancel_scope.cancel()
        except _Closing as closing:
            await self._websocket.close(closing.code, closing.reason)

    async def _initialise(self) -> None:
        """Answer pings until the client has introduced itself, and accept or refuse it."""
        while True:
            message = await self._receive()
            if message["type"] == "connection_init":
                break
            if message["type"] == "subscribe":
                raise _Closing(*_UNAUTHORIZED)
            await self._answer_other(message)
        payload = message.get("payload")
        self._context["connection_params"] = payload
        accepted = True if self._on_connect is None else await self._on_connect(self._websocket, payload)
        if accepted is False:
            raise _Closing(*_FORBIDDEN)
        answer: dict[str, Any] = {"type": "connection_ack"}
        if isinstance(accepted, dict):
            answer["payload"] = accepted
        await self._websocket.send_json(answer)

    async def _receive(self) -> dict[str, Any]:
        """Return the next message: an object with a type."""
        try:
            text = await self._websocket.receive_text()
        except KeyError:
            _refuse("Only text messages are understood")
        if len(text) > self._limits.body:
            raise _Closing(1009, "Message too big")
        try:
            message = load_json(text, "The message")
        except Refusal as refusal:
            _refuse(refusal.text)
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            _refuse("The message is not an object with a type")
        return message

    async def _handle(self, message: dict[str, Any], group: TaskGroup) -> None:
        kind = message["type"]
        if kind == "subscribe":
            await self._subscribe(_identifier(message), message.get("payload"), group)
        elif kind == "complete":
            scope = self._running.pop(_identifier(message), None)
            if scope is not None:
                scope.cancel()
        elif kind == "connection_init":
            raise _Closing(*_INIT_TWICE)
        else:
            await self._answer_other(message)

    async def _answer_other(self, message: dict[str, Any]) -> None:
        if message["type"] == "ping":
            await self._websocket.send_json({"type": "pong"})
        elif message["type"] != "pong":
            _refuse("The type of the message is unknown here")

    async def _subscribe(self, identifier: str, payload: Any, group: TaskGroup) -> None:
        if identifier in self._running:
            raise _Closing(_TAKEN, f"Subscriber for {identifier} already exists")
        try:
            operation = from_json(payload)
        except Refusal as refusal:
            _refuse(refusal.text)
        if len(self._running) >= self._limits.subscriptions:
            await self._send_outcome(identifier, refused("Too many operations run on this connection"))
            return
        scope = self._running[identifier] = anyio.CancelScope()
        group.start_soon(self._operate, identifier, operation, scope)

    async def _operate(self, identifier: str, operation: Operation, scope: anyio.CancelScope) -> None:
        """Run one operation to its end, unless the client or the connection ends it."""
        background = BackgroundTasks()
        context = {**self._context, "background": background}
        try:
            with scope:
                is_refused = await self._run(identifier, operation, context)
                # The identifier is free before the client learns of the end.
                self._forget(identifier, scope)
                if not is_refused:
                    await self._websocket.send_json({"id": identifier, "type": "complete"})
                await background()
        except (WebSocketDisconnect, WebSocketDisconnected):
            pass  # whoever reads learns of it, too
        finally:
            self._forget(identifier, scope)

    async def _run(self, identifier: str, operation: Operation, context: dict[str, Any]) -> bool:
        """Send what an operation gives; tell whether that ended with a refusal."""
        engine = self._engine
        is_refused = False
        if await run_in_threadpool(engine.kind, operation) != "subscription":
            return await self._send_outcome(identifier, await engine.execute(operation, context, ("query", "mutation")))
        async with engine.subscribed(operation, context) as outcomes:
            async for outcome in outcomes:
                is_refused = await self._send_outcome(identifier, outcome)
        return is_refused

    async def _send_outcome(self, identifier: str, outcome: Outcome) -> bool:
        answer: dict[str, Any] = {"id": identifier, "type": "next", "payload": outcome.body()}
        if outcome.is_refused:
            answer = {"id": identifier, "type": "error", "payload": list(outcome.errors)}
        await self._websocket.send_json(answer)
        return outcome.is_refused

    def _forget(self, identifier: str, scope: anyio.CancelScope) -> None:
        if self._running.get(identifier) is scope:
            del self._running[identifier]


def _identifier(message: dict[str, Any]) -> str:
    identifier = message.get("id")
    if not isinstance(identifier, str) or not identifier:
        _refuse("The message needs an id")
    return identifier


def _refuse(reason: str) -> NoReturn:
    raise _Closing(_INVALID, reason) from None
