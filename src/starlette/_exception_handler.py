"""Turns an exception into a response by the handlers that the application installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette._asgi.watch import SendWatch
from starlette._utils import is_async_callable as is_async_callable
from starlette.concurrency import run_in_threadpool as run_in_threadpool
from starlette.exceptions import HTTPException as HTTPException
from starlette.requests import Request as Request
from starlette.responses import Response
from starlette.types import ASGIApp as ASGIApp
from starlette.types import ExceptionHandler as ExceptionHandler
from starlette.types import Message as Message
from starlette.types import Receive as Receive
from starlette.types import Scope as Scope
from starlette.types import Send as Send
from starlette.websockets import WebSocket as WebSocket

ExceptionHandlers = dict[Any, ExceptionHandler]
StatusHandlers = dict[int, ExceptionHandler]
HandlerTables = tuple[Mapping[Any, ExceptionHandler], Mapping[int, ExceptionHandler]]

HANDLERS_KEY: Final = "starlette.exception_handlers"
_RESPONSE_CALL: Final = Response.__call__
NO_HANDLERS: Final[HandlerTables] = ({}, {})

#: For the function of a handler, what tells the messages of its response without running it; None where it cannot.
AT_ONCE: Final[dict[Any, Callable[[Exception], tuple[Message, Message] | None]]] = {}


def wrap_app_handling_exceptions(app: ASGIApp, conn: Request | WebSocket) -> ASGIApp:
    """Return `app` behind the exception handlers that are in force for `conn` now.

    Args:
        app: Called once with (scope, receive, send).
        conn: What handlers are given; of it only the scope is read here.
    """
    tables = conn.scope.get(HANDLERS_KEY, NO_HANDLERS)

    async def handled(scope: Scope, receive: Receive, send: Send) -> None:
        watch = watch_of(send)
        try:
            await app(scope, receive, watch.send)
        except Exception as exc:
            await handle_exception(exc, tables, conn, scope, receive, watch)

    return handled


def watch_of(send: Send) -> SendWatch:
    """Return the watch that `send` belongs to, or a new one around it."""
    owner = getattr(send, "__self__", None)
    return owner if type(owner) is SendWatch else SendWatch(send)


async def handle_exception(
    exc: Exception,
    tables: HandlerTables,
    conn: Request | WebSocket | None,
    scope: Scope,
    receive: Receive,
    watch: SendWatch,
) -> None:
    """Answer with the handler for `exc`, or raise it again.

    The status handler of an `HTTPException` comes first, then the handlers along the exception's MRO.

    Args:
        conn: What the handler is given; made here when there is none yet.

    Raises:
        RuntimeError: There is a handler, but a response has begun already.
    """
    by_class, by_status = tables
    handler = by_status.get(exc.status_code) if isinstance(exc, HTTPException) else None
    if handler is None:
        handler = _lookup_exception_handler(by_class, exc)
    if handler is None:
        raise exc
    if watch.started:
        raise RuntimeError("Caught handled exception, but response already started.") from exc
    call: Any = handler
    at_once = AT_ONCE.get(getattr(call, "__func__", None))
    messages = at_once(exc) if at_once is not None and scope["type"] == "http" else None
    if messages is not None:
        watch.started = True
        await watch.unwatched(messages[0])
        await watch.unwatched(messages[1])
        exc.__traceback__ = None
        return
    if conn is None:
        conn = (Request if scope["type"] == "http" else WebSocket)(scope, receive, watch.send)
    if is_async_callable(call):
        response = await call(conn, exc)
    else:
        # Looked up in this module each time: tests and tools replace it here.
        response = await run_in_threadpool(call, conn, exc)
    if response is not None:
        if type(response).__call__ is _RESPONSE_CALL:
            # PERF: such a response begins with its start message, so nobody needs to watch for it.
            watch.started = True
            await response(scope, receive, watch.unwatched)
        else:
            await response(scope, receive, watch.send)
    # An instance that is raised again and again must not collect the frames of every request.
    exc.__traceback__ = None


def _lookup_exception_handler(exc_handlers: Mapping[Any, ExceptionHandler], exc: Exception) -> ExceptionHandler | None:
    for kind in type(exc).__mro__:
        if kind in exc_handlers:
            return exc_handlers[kind]
    return None
