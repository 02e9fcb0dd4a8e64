"""Middleware written as a function of a request and of what produces its response (ASGI HTTP)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Mapping, MutableMapping
from contextvars import Context
from typing import Any, ClassVar, Final, NoReturn, TypeVar

from starlette._asgi.denial import DenialSend
from starlette._asgi.eager import MANY_SHELLS, EagerTask
from starlette._asgi.handover import GroupHandover, Handover, TaskHandover
from starlette._asgi.held import HeldMessages
from starlette._asgi.streams import close_steps
from starlette._utils import create_collapsing_task_group as create_collapsing_task_group
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect as ClientDisconnect
from starlette.requests import Request as Request
from starlette.responses import Response as Response
from starlette.types import ASGIApp as ASGIApp
from starlette.types import Message as Message
from starlette.types import Receive as Receive
from starlette.types import Scope as Scope
from starlette.types import Send as Send

RequestResponseEndpoint = Callable[[Request], Awaitable[Response]]
DispatchFunction = Callable[[Request, RequestResponseEndpoint], Awaitable[Response]]
BodyStreamGenerator = AsyncGenerator[bytes | MutableMapping[str, Any], None]
AsyncContentStream = AsyncIterable[str | bytes | memoryview | MutableMapping[str, Any]]
T = TypeVar("T")

_BODY: Final = "http.response.body"
_TRAILERS: Final = "http.response.trailers"

# Sent instead of the body; after the last of them no body message may follow.
_REPLACES_BODY: Final = frozenset({"http.response.pathsend", "http.response.zerocopysend"})

# RFC 9110 §6.4.1: responses of these statuses have no content.
_BODILESS: Final = frozenset({*range(100, 200), 204, 304})

_ABSENT: Final[Any] = object()


class BaseHTTPMiddleware:
    """Wrap an application by `dispatch(request, call_next)`, which returns the response to send.

    Example:
        class Timing(BaseHTTPMiddleware):
            async def dispatch(self, request, call_next):
                began = time.perf_counter()
                response = await call_next(request)
                response.headers["server-timing"] = f"app;dur={(time.perf_counter() - began) * 1000:.1f}"
                return response

        app = Starlette(routes=routes, middleware=[Middleware(Timing)])

    It may stand anywhere in the stack. Connections that are not HTTP requests pass it untouched.

    `call_next` runs the wrapped application in a task of its own and returns when that starts its response; the body
    follows piece by piece, as it is sent. It always hands on the request of this middleware: another one given to it
    is ignored; to change what the application sees, change `request.scope`. It can be used once per request. What
    the application raises before its response comes out of `call_next`. What it raises later comes out of the body,
    which is then not completed, or out of the middleware when the body was complete.

    Reading the body by `await request.body()` leaves it readable for the application; `stream()` and `form()` use it
    up. The request ends when the application has returned: its background tasks are waited for, and not cancelled
    when the client leaves. An exception of `dispatch` or of the server's `send` cancels the application.

    Context variables that are set before `call_next` are seen by the application. What the application sets is seen
    by `dispatch` after `call_next` only with `shares_context = True` in the class, as far as it was set before the
    start of the response; it is not seen in background tasks of `dispatch` when set later, while the body is sent.

    Args:
        app: The application to wrap.
        dispatch: The function to call instead of the method `dispatch`.
    """

    # COMPAT: base R31. Off, since applications count on the isolation of what they wrap.
    shares_context: ClassVar[bool] = False

    def __init__(self, app: ASGIApp, dispatch: DispatchFunction | None = None) -> None:
        self.app = app
        self.dispatch_func = self.dispatch if dispatch is None else dispatch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request through `dispatch`; pass everything else on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = _CachedRequest(scope, receive, send)
        loop = asyncio._get_running_loop()
        # Trio as a guest of asyncio has a running loop as well, but no current task of it.
        if loop is not None and asyncio.current_task(loop) is not None:
            handover = TaskHandover(self.app, scope, request.wrapped_receive, send, loop)
            call_next = _Exchange(handover, self.shares_context).call_next
            try:
                response = await self.dispatch_func(request, call_next)
                await response(scope, request.wrapped_receive, send)
                handover.close()
                if handover.running:
                    await handover.join()
                elif EagerTask.shells >= MANY_SHELLS:
                    await EagerTask.let_loop_drop_shells()
            except GeneratorExit:
                raise  # the loop is gone: nothing can be waited for
            except BaseException as exc:
                await handover.stop()
                _chain(exc, handover.error)
                raise
            if handover.error is not None:
                handover.raise_error()
        else:
            await self._star_serve_in_group(request, send)

    async def _star_serve_in_group(self, request: _CachedRequest, send: Send) -> None:
        """Do the same with a task group around it."""
        handover = GroupHandover(self.app, request.scope, request.wrapped_receive, send)
        call_next = _Exchange(handover, self.shares_context).call_next

        async def respond() -> None:
            response = await self.dispatch_func(request, call_next)
            await response(request.scope, request.wrapped_receive, send)
            handover.close()

        failure = await handover.serve(respond)
        if failure is not None:
            _chain(failure, handover.error)
            raise failure
        handover.raise_error()

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Return the response to `request`: what `await call_next(request)` gives, changed or not, or another one."""
        raise NotImplementedError  # COMPAT: base R1


class _Exchange:
    """What one request has behind its `call_next`."""

    __slots__ = ("_handover", "_raised", "_taken")

    def __init__(self, handover: Handover, keeps_context: bool) -> None:
        self._handover = handover
        handover.keeps_context = keeps_context
        self._taken = False
        self._raised: BaseException | None = None

    async def call_next(self, request: Request) -> Response:
        """Start the application and return its response once that has started.

        Args:
            request: Not looked at (base R6); the application gets the scope and the body of the original request.

        Raises:
            AssertionError: It was called before.
            RuntimeError: The application returned without a response.
        """
        handover = self._handover
        if not handover.begun:
            handover.begin()
        elif self._raised is not None:
            raise self._raised
        elif self._taken:
            raise AssertionError  # COMPAT: base R7
        start = await handover.take()
        if start is None:
            self._raised = handover.error
            if self._raised is None:
                raise RuntimeError("No response returned.")  # COMPAT: base R25
            handover.error = None
            _raise_chained(self._raised)
        self._taken = True
        if start["type"] != "http.response.start":
            raise AssertionError  # COMPAT: base R17
        if handover.context is not None:
            _adopt(handover.context)
        body = _pieces(handover)
        response = _StreamingResponse(body, start["status"], None, None, handover.info)
        # COMPAT: base R9: the list itself, so that what is done to it is sent.
        fields: Any = start.get("headers", ())
        response.raw_headers = fields if isinstance(fields, list) else [*fields]
        response._star_source = handover
        response._star_own_body = body
        return response


class _StreamingResponse(Response):
    """What `call_next` returns: a response whose body is passed on as it comes.

    Attributes:
        body_iterator: The pieces, an async generator; may be replaced by another async iterable. Besides pieces it
            may yield whole messages, such as `http.response.pathsend`.
        info: What the application said for debugging before its start, or None (ASGI extension "http.response.debug").
    """

    _star_source: Handover | None = None
    _star_own_body: BodyStreamGenerator | None = None

    def __init__(
        self,
        content: AsyncContentStream,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        info: Mapping[str, Any] | None = None,
    ) -> None:
        self.info = info
        self.body_iterator = content
        self.status_code = status_code
        self.media_type = media_type
        self.background: BackgroundTask | None = None
        if headers is None and media_type is None:
            self.raw_headers = []
        else:
            self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the start, the pieces and an empty end; then run the background task, if one was added."""
        if scope["type"] == "websocket":
            send = DenialSend(send).send
        if self.info is not None:
            await send({"type": "http.response.debug", "info": self.info})
        source = self._star_source
        start: Message = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        promised = source is not None and source.promised
        if promised:
            start["trailers"] = True
        if self.status_code in _BODILESS:
            if self.status_code != 304:  # whose length is that of the content which is not sent (RFC 9110 §8.6)
                start["headers"] = [field for field in self.raw_headers if field[0] != b"content-length"]
            await send(start)
            replaced = False
        elif source is not None and _is_unused(source, self._star_own_body, self.body_iterator):
            # PERF: what the generator would do, without it.
            await send(start)
            replaced = False
            while not source.body_taken:
                message = source.poll_body() or await source.take_body()
                if message is None:
                    break
                if message["type"] != _BODY:
                    await send(message)
                    replaced = replaced or _replaces_body(message)
                elif body := message.get("body", b""):
                    await send({"type": _BODY, "body": body, "more_body": True})
        else:
            await send(start)
            try:
                replaced = await self._star_send_pieces(send)
            finally:
                await close_steps(self.body_iterator)
        broken_off = source is not None and source.left and not source.body_taken
        if not replaced and not broken_off:
            await send({"type": _BODY, "body": b"", "more_body": False})
        if promised and source is not None and not broken_off:
            await _send_trailers(source, send)
        if self.background is not None:
            await self.background()

    async def _star_send_pieces(self, send: Send) -> bool:
        """Send what the iterator yields; return whether it was something that replaces the body."""
        replaced = False
        async for piece in self.body_iterator:
            if isinstance(piece, MutableMapping):
                await send(piece)
                replaced = replaced or _replaces_body(piece)
            elif piece:
                chunk = piece.encode(self.charset) if isinstance(piece, str) else piece
                await send({"type": _BODY, "body": chunk, "more_body": True})
        return replaced


class _CachedRequest(Request):
    """The request given to `dispatch`, which shares its body with the application."""

    _star_begun = False  # the application has got a part of the body
    _star_passed = False  # it knows that there is no more
    _star_left = False  # it knows that the client has left

    async def wrapped_receive(self) -> Message:
        """Return the next message for the application: what `dispatch` has left of the body, or all of it if kept."""
        if self._star_left:
            return {"type": "http.disconnect"}
        if not self._star_passed:
            if not self._star_begun:
                body = getattr(self, "_body", _ABSENT)
                if body is not _ABSENT:
                    self._star_passed = True
                    return {"type": "http.request", "body": body, "more_body": False}
            if self._stream_consumed:
                self._star_passed = True
                return {"type": "http.request", "body": b"", "more_body": False}
        while not self._star_knows_disconnect():
            message = await self._receive()
            kind = message["type"]
            if kind == "http.disconnect":
                break
            if kind == "http.request" and not self._stream_consumed:
                chunk = message.get("body") or b""
                more = message.get("more_body", False)
                self._stream_consumed = not more
                # After a body that was put in its place, the one of the client is of no interest.
                if not self._star_passed and (chunk or not more):
                    self._star_begun = True
                    self._star_passed = not more
                    return {"type": "http.request", "body": chunk, "more_body": bool(more)}
            elif self._stream_consumed:
                raise RuntimeError(f"Unexpected message received: {kind}")  # COMPAT: base R38
        self._is_disconnected = self._star_left = True
        return {"type": "http.disconnect"}

    def _star_knows_disconnect(self) -> bool:
        """Tell whether the client is known to have left, and nothing that came before is still to be read."""
        if not self._is_disconnected:
            return False
        receive = self._receive
        return not (isinstance(receive, HeldMessages) and receive._messages)


def _chain(failure: BaseException, error: BaseException | None) -> None:
    """Keep the application's exception as the context of the one that ends the request."""
    if error is not None and error is not failure and failure.__context__ is None:
        failure.__context__ = error


def _raise_chained(error: BaseException) -> NoReturn:
    # COMPAT: base R27: what led to it is its cause, and nothing of ours.
    raise error from (error.__cause__ if error.__suppress_context__ else error.__cause__ or error.__context__)


def _adopt(context: Context) -> None:
    for variable, value in context.items():
        if variable.get(_ABSENT) is not value:
            variable.set(value)


async def _pieces(source: Handover) -> BodyStreamGenerator:
    """Yield the body, and whole messages where something else takes its place or comes between."""
    source.streamed = True
    while (message := await source.take_body()) is not None:
        if message["type"] != _BODY:
            yield message
        elif body := message.get("body", b""):
            yield body


def _is_unused(source: Handover, made: object, body: object) -> bool:
    """Tell whether the body is still the generator that `call_next` made, and nobody has begun or closed it."""
    return body is made and not source.streamed and getattr(body, "ag_frame", None) is not None


def _replaces_body(message: Message) -> bool:
    return message["type"] in _REPLACES_BODY and not message.get("more_body", False)


async def _send_trailers(source: Handover, send: Send) -> None:
    """Send the trailers that the start promised: those of the application, or none."""
    while (message := await source.take_trailers()) is not None:
        await send(message)
    if not source.complete:
        await send({"type": _TRAILERS, "headers": [], "more_trailers": False})
