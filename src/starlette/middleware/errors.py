"""The outermost layer: an unexpected exception becomes a 500 response, or a page that helps to debug it."""

from __future__ import annotations

import inspect
from typing import Any

from starlette._asgi.signals import ResponseSent
from starlette._asgi.watch import SendWatch
from starlette._http import traceback_page
from starlette._utils import is_async_callable as is_async_callable
from starlette.concurrency import run_in_threadpool as run_in_threadpool
from starlette.requests import Request as Request
from starlette.responses import HTMLResponse as HTMLResponse
from starlette.responses import PlainTextResponse as PlainTextResponse
from starlette.responses import Response as Response
from starlette.types import ASGIApp as ASGIApp
from starlette.types import ExceptionHandler as ExceptionHandler
from starlette.types import Message as Message
from starlette.types import Receive as Receive
from starlette.types import Scope as Scope
from starlette.types import Send as Send

# The templates of the debug page, for `str.format`. Their text is no interface.
STYLES = traceback_page.STYLES
JS = traceback_page.JS
TEMPLATE = traceback_page.TEMPLATE
FRAME_TEMPLATE = traceback_page.FRAME_TEMPLATE
LINE = traceback_page.LINE
CENTER_LINE = traceback_page.CENTER_LINE


class ServerErrorMiddleware:
    """Answer an exception that nothing else handled with a 500, and raise it again for the server to log.

    `Starlette` puts it around everything else; with `handlers={500: ...}` and `debug=` of the application it rarely
    has to be named. By hand:

        app = ServerErrorMiddleware(app, handler=apologise)

    Only HTTP is answered; exceptions of WebSockets and of the lifespan pass. Nothing is sent when a response had begun,
    but the handler still runs, so that it can report.

    Args:
        app: The application around which to stand.
        handler: `(request, exc) -> Response`, async or not; None gives `Internal Server Error` as plain text. The body
            of the request cannot be read in it.
        debug: Show the traceback with source lines to the client instead; never in production.
    """

    def __init__(self, app: ASGIApp, handler: ExceptionHandler | None = None, debug: bool = False) -> None:
        self.debug = debug
        self.handler = handler
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        watch = SendWatch(send)
        try:
            await self.app(scope, receive, watch.send)
        except Exception as exc:
            await self._asterism_answer(exc, scope, receive, send, watch.started)
            raise

    async def _asterism_answer(self, exc: Exception, scope: Scope, receive: Receive, send: Send, started: bool) -> None:
        """Choose the response for `exc`, always, and send it unless one had `started`. `exc` is not raised here."""
        if isinstance(exc, ResponseSent):
            return  # a layer around this one has answered; no error happened
        # COMPAT: the request has no `receive`; what is left of the body may never come.
        response = await self._asterism_response(Request(scope), exc)
        if not started:
            await response(scope, receive, send)

    async def _asterism_response(self, request: Request, exc: Exception) -> Any:
        if self.debug:
            return await run_in_threadpool(self.debug_response, request, exc)  # it reads source files
        handler: Any = self.handler
        if handler is None:
            return self.error_response(request, exc)
        if is_async_callable(handler):
            return await handler(request, exc)
        return await run_in_threadpool(handler, request, exc)

    def error_response(self, request: Request, exc: Exception) -> Response:
        """Return what a client sees of an error in production, which is nothing of it."""
        return PlainTextResponse("Internal Server Error", status_code=500)

    def debug_response(self, request: Request, exc: Exception) -> Response:
        """Return the traceback: as a page when `Accept` names `text/html`, else as plain text."""
        if "text/html" in request.headers.get("accept", "").lower():
            return HTMLResponse(_sendable(self.generate_html(exc)), status_code=500)
        return PlainTextResponse(_sendable(self.generate_plain_text(exc)), status_code=500)

    def generate_html(self, exc: Exception, limit: int = 7) -> str:
        """Return the debug page, with up to `limit` source lines for each frame. All text is escaped."""
        frames = traceback_page.innermost_first(exc.__traceback__, limit)
        return TEMPLATE.format(
            styles=STYLES,
            js=JS,
            error=_escape(traceback_page.describe(exc)),
            frames="\n".join(self.generate_frame_html(frame, place > 0) for place, frame in enumerate(frames)),
        )

    def generate_frame_html(self, frame: inspect.FrameInfo, is_collapsed: bool) -> str:
        """Return the block of one frame; a collapsed one shows its lines when its button is pressed."""
        at = frame.index or 0
        lines = [self.format_line(index, line, frame.lineno, at) for index, line in enumerate(frame.code_context or ())]
        return FRAME_TEMPLATE.format(
            filename=_escape(frame.filename),
            lineno=frame.lineno,
            function=_escape(frame.function),
            lines="".join(lines),
            expanded="false" if is_collapsed else "true",
            sign="+" if is_collapsed else "\N{MINUS SIGN}",
            hidden=" hidden" if is_collapsed else "",
        )

    def format_line(self, index: int, line: str, frame_lineno: int, frame_index: int) -> str:
        """Return one source line.

        Args:
            index: Its place in the listing, from 0.
            line: Its text.
            frame_lineno: The number of the failing line.
            frame_index: The place of the failing line in the listing.
        """
        template = CENTER_LINE if index == frame_index else LINE
        return template.format(lineno=frame_lineno - frame_index + index, line=_escape(line.rstrip("\r\n")))

    def generate_plain_text(self, exc: Exception) -> str:
        """Return the traceback as Python prints it, chained exceptions included."""
        import traceback

        return "".join(traceback.format_exception(exc))


def _escape(text: str) -> str:
    import html  # PERF: its table of entities is for this page only

    return html.escape(text)


def _sendable(text: str) -> str:
    """Write lone surrogates, as of undecodable file names, as escapes; UTF-8 cannot hold them."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
