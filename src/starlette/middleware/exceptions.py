"""The inner error layer: runs the handlers for exceptions that stand for an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette._exception_handler import AT_ONCE, HANDLERS_KEY, handle_exception, watch_of
from starlette._exception_handler import ExceptionHandlers as ExceptionHandlers
from starlette._exception_handler import StatusHandlers as StatusHandlers
from starlette._exception_handler import wrap_app_handling_exceptions as wrap_app_handling_exceptions
from starlette.exceptions import HTTPException as HTTPException
from starlette.exceptions import WebSocketException as WebSocketException
from starlette.requests import Request as Request
from starlette.responses import PlainTextResponse as PlainTextResponse
from starlette.responses import Response as Response
from starlette.types import ASGIApp as ASGIApp
from starlette.types import ExceptionHandler as ExceptionHandler
from starlette.types import Message
from starlette.types import Receive as Receive
from starlette.types import Scope as Scope
from starlette.types import Send as Send
from starlette.websockets import WebSocket as WebSocket

# A response to one of these has no body (RFC 9110 §15.3.5, §15.4.5).
_WITHOUT_BODY = frozenset({204, 304})

# Nor is one of these a plain one: they are no answers yet (§15.2).
_NOT_PLAIN = _WITHOUT_BODY.union(range(100, 200))


class ExceptionMiddleware:
    """Answer exceptions by the handlers for their class or status; what has none is raised on.

    Stands directly around the router, inside of all user middleware.

    Args:
        app: The application to run.
        handlers: Handlers by exception class or by status; `HTTPException` and `WebSocketException` have handlers
            from the start, which these may replace.
        debug: Stored; has no effect here.
    """

    def __init__(
        self,
        app: ASGIApp,
        handlers: Mapping[Any, ExceptionHandler] | None = None,
        debug: bool = False,
    ) -> None:
        self.app = app
        self.debug = debug
        self._status_handlers: StatusHandlers = {}
        self._exception_handlers: ExceptionHandlers = {
            HTTPException: self.http_exception,
            WebSocketException: self.websocket_exception,
        }
        for key, handler in (handlers or {}).items():
            self.add_exception_handler(key, handler)

    def add_exception_handler(self, exc_class_or_status_code: int | type[Exception], handler: ExceptionHandler) -> None:
        """Use `handler` for a status of `HTTPException`, or for an exception class and its subclasses.

        Raises:
            AssertionError: A class that does not derive from Exception.
            TypeError: Neither an integer nor a class.
        """
        if isinstance(exc_class_or_status_code, int):
            self._status_handlers[exc_class_or_status_code] = handler
            return
        if not issubclass(exc_class_or_status_code, Exception):
            raise AssertionError(f"a handler needs a subclass of Exception, got {exc_class_or_status_code!r}")
        self._exception_handlers[exc_class_or_status_code] = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind != "http" and kind != "websocket":
            await self.app(scope, receive, send)
            return
        # COMPAT: these very dicts, so that handlers which tools replace later are found.
        tables = scope[HANDLERS_KEY] = (self._exception_handlers, self._status_handlers)
        watch = watch_of(send)
        try:
            await self.app(scope, receive, watch.send)
        except Exception as exc:
            # PERF: the connection that handlers are given is not made before there is one to call.
            await handle_exception(exc, tables, None, scope, receive, watch)

    async def http_exception(self, request: Request, exc: Exception) -> Response:
        """Render an `HTTPException`: its detail as plain text, or no body where the status has none."""
        if not isinstance(exc, HTTPException):
            raise AssertionError(f"http_exception renders an HTTPException, got {exc!r}")
        if exc.status_code in _WITHOUT_BODY:
            return Response(status_code=exc.status_code, headers=exc.headers)
        detail = exc.detail if isinstance(exc.detail, (str, bytes)) else str(exc.detail)
        return PlainTextResponse(detail, status_code=exc.status_code, headers=exc.headers)

    async def websocket_exception(self, websocket: WebSocket, exc: Exception) -> None:
        """Close the connection with the code and the reason of a `WebSocketException`."""
        if not isinstance(exc, WebSocketException):
            raise AssertionError(f"websocket_exception closes for a WebSocketException, got {exc!r}")
        await websocket.close(code=exc.code, reason=exc.reason)


def _plain_answer(exc: Exception) -> tuple[Message, Message] | None:
    """Return the messages that the response of `http_exception` would send; None when it must be asked."""
    if (
        type(exc) is not HTTPException
        or exc.status_code in _NOT_PLAIN
        or type(detail := exc.detail) is not str
        or _parts(PlainTextResponse) != _PARTS
    ):
        return None
    if exc.headers:
        response = PlainTextResponse(detail, exc.status_code, exc.headers)
        fields, body = response.raw_headers, response.body
    else:
        body = detail.encode()
        fields = [(b"content-length", str(len(body)).encode()), (b"content-type", b"text/plain; charset=utf-8")]
    return (
        {"type": "http.response.start", "status": exc.status_code, "headers": fields},
        {"type": "http.response.body", "body": body},
    )


def _parts(response: type[Response]) -> tuple[object, ...]:
    return (
        response,
        response.__init__,
        response.render,
        response.init_headers,
        response.__call__,
        response.charset,
        response.media_type,
    )


# PERF: an unknown path, or what an endpoint raises for a client to see, makes no request and seldom a response.
# COMPAT: what tools replace on the class of responses, or the class itself, is noticed by comparison.
_PARTS = _parts(PlainTextResponse)
AT_ONCE[ExceptionMiddleware.http_exception] = _plain_answer
