"""Problem details: errors that programs and people can read (RFC 9457).

    app = Starlette(routes=routes, exception_handlers=handlers())

    async def show(request: Request) -> Response:
        raise Problem(409, "The order was already paid.", type="https://example.org/paid", order=7)

answers `{"type": "https://example.org/paid", "title": "Conflict", "status": 409, "detail": "The order was already
paid.", "order": 7}` as `application/problem+json`, and every other `HTTPException` in the same form.
`ProblemMiddleware` around an application does the same for errors that are no exceptions.
Stands alone: needs nothing but starlette.
"""

from __future__ import annotations

import http
import http.client
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA_TYPE: Final = "application/problem+json"

_PHRASES: Final = {status.value: status.phrase for status in http.HTTPStatus} | {
    # RFC 9110 renamed these after older releases of Python.
    413: "Content Too Large",
    422: "Unprocessable Content",
}

# Such a response has no content (RFC 9110 §6.4.1).
_BODILESS: Final = frozenset({*range(100, 200), 204, 304})


class Problem(HTTPException):
    """End the request with problem details.

    Args:
        status: The status to answer with.
        detail: What went wrong this time, for people.
        title: What kind of problem it is, the same each time; the phrase of the status unless given.
        type: A URI that identifies the kind; without it the status says it all.
        instance: A URI that identifies this occurrence.
        headers: Fields to add to the response.
        extensions: Further members: `balance=30`.
    """

    def __init__(
        self,
        status: int,
        detail: str | None = None,
        *,
        title: str | None = None,
        type: str | None = None,
        instance: str | None = None,
        headers: Mapping[str, str] | None = None,
        **extensions: Any,
    ) -> None:
        super().__init__(status, detail, headers)
        self.text = detail
        self.title = title
        self.type = type
        self.instance = instance
        self.extensions = extensions

    def document(self) -> dict[str, Any]:
        """Return the members to send: those that are set, and always the status and a title."""
        members = {
            "type": self.type,
            "title": self.title or _PHRASES.get(self.status_code) or "Error",
            "status": self.status_code,
            "detail": self.text,
            "instance": self.instance,
        }
        return {name: value for name, value in members.items() if value is not None} | self.extensions


class ProblemResponse(Response):
    """A response of problem details.

    Args:
        problem: What to say.
    """

    media_type = MEDIA_TYPE

    def __init__(self, problem: Problem) -> None:
        bodiless = problem.status_code in _BODILESS
        content = b"" if bodiless else _dump(problem.document())
        super().__init__(content, problem.status_code, problem.headers, None if bodiless else MEDIA_TYPE)
        if bodiless:
            del self.headers["content-type"]


async def answer(request: Request, exc: Exception) -> Response:
    """Answer an `HTTPException` with problem details; a handler for `exception_handlers`."""
    if isinstance(exc, Problem):
        return ProblemResponse(exc)
    if not isinstance(exc, HTTPException):
        return await answer_error(request, exc)
    detail = _own_detail(exc.status_code, exc.detail)
    headers = _allowing_all(request, exc.headers) if exc.status_code == 405 else exc.headers
    if detail is None or isinstance(detail, str):
        return ProblemResponse(Problem(exc.status_code, detail, headers=headers))
    return ProblemResponse(Problem(exc.status_code, None, headers=headers, errors=detail))


async def answer_error(request: Request, exc: Exception) -> Response:
    """Answer what nobody handled with status 500. Says nothing of the exception, which the server logs."""
    return ProblemResponse(Problem(500, "The server failed. The error was recorded."))


def handlers() -> dict[Any, Callable[[Request, Exception], Any]]:
    """Return exception handlers that give all errors of an application the form of problem details."""
    return {HTTPException: answer, Exception: answer_error}


def install(app: Any) -> None:
    """Add the handlers to a Starlette application that does not serve yet, where it has none of its own.

    Raises:
        RuntimeError: It serves already.
    """
    if app.middleware_stack is not None:
        raise RuntimeError("install() must come before the application serves its first request")
    for key, handler in handlers().items():
        app.exception_handlers.setdefault(key, handler)


class ProblemMiddleware:
    """Gives the errors of other middlewares and of mounted applications the form of problem details, too.

        app = ProblemMiddleware(Starlette(routes=routes, exception_handlers=handlers()))

    Exception handlers see what endpoints raise; `TrustedHostMiddleware`, say, answers by itself. A response with a
    status of 400 or more whose content is plain text of at most 1 KiB becomes problem details with this text as the
    detail; its other header fields stay. All other responses, and what is no HTTP, pass as they come.

    Stands outermost. Around the application it sees the body limit of the application as well.

    Args:
        app: The application, or the next middleware.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            send = _Rewriting(send).send
        await self.app(scope, receive, send)


class _Rewriting:
    """A `send` that keeps an error back until its text is known."""

    __slots__ = ("_held", "_send", "_text")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._held: Message | None = None
        self._text = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_plain_error(message):
            self._held = message
        elif self._held is None or message["type"] != "http.response.body":
            await self._send(message)
        else:
            await self._on_body(self._held, message)

    async def _on_body(self, start: Message, message: Message) -> None:
        self._text += message.get("body", b"")
        more = message.get("more_body", False)
        if len(self._text) > _LONGEST:
            await self._release(start, self._text, more)
        elif not more:
            problem = Problem(start["status"], _own_detail(start["status"], self._text.decode("utf-8", "replace")))
            content = _dump(problem.document())
            fields = [(name, value) for name, value in start.get("headers", ()) if name.lower() not in _OF_CONTENT]
            fields += [(b"content-length", b"%d" % len(content)), (b"content-type", MEDIA_TYPE.encode())]
            await self._release({**start, "headers": fields}, content, more)

    async def _release(self, start: Message, content: bytes, more: bool) -> None:
        self._held = None
        await self._send(start)
        await self._send({"type": "http.response.body", "body": content, "more_body": more})


# What is longer is no message, but a page, or a traceback for developers.
_LONGEST: Final = 1024
_OF_CONTENT: Final = frozenset({b"content-length", b"content-type"})


def _is_plain_error(start: Message) -> bool:
    if start["status"] < 400:
        return False
    headers = {name.lower(): value for name, value in start.get("headers", ())}
    kind = headers.get(b"content-type", b"text/plain").partition(b";")[0].strip().lower()
    return kind == b"text/plain" and b"content-encoding" not in headers


def _own_detail(status: int, detail: Any) -> Any:
    """Return what an error says beyond the phrase of its status, which the title says."""
    phrases = (None, "", _PHRASES.get(status), http.client.responses.get(status))
    return None if detail in phrases else detail


def _allowing_all(request: Request, headers: Mapping[str, str] | None) -> Mapping[str, str] | None:
    """Return the headers of a 405 with the methods of every route at the path (RFC 9110 §15.5.6).

    COMPAT: a router says those of the first route that has the path, as upstream does.
    """
    scope = request.scope
    methods: set[str] = set()
    if "app_root_path" not in scope:  # not below a mount, where the path is no longer what the routes of the app see
        for route in getattr(scope.get("app"), "routes", ()):
            if isinstance(route, Route) and route.methods and route.matches(scope)[0] is not Match.NONE:
                methods |= route.methods
    return {**(headers or {}), "Allow": ", ".join(sorted(methods))} if methods else headers


def _dump(document: dict[str, Any]) -> bytes:
    # What an extension may hold is up to the application: a value that is no JSON is shown as text.
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=str).encode("utf-8", "replace")
