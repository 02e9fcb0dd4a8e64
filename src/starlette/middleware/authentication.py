"""The middleware that asks a backend who is connecting, and puts the answer into the scope."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import isawaitable

from starlette.authentication import AuthCredentials as AuthCredentials
from starlette.authentication import AuthenticationBackend as AuthenticationBackend
from starlette.authentication import AuthenticationError as AuthenticationError
from starlette.authentication import UnauthenticatedUser as UnauthenticatedUser
from starlette.requests import HTTPConnection as HTTPConnection
from starlette.responses import PlainTextResponse as PlainTextResponse
from starlette.responses import Response as Response
from starlette.types import ASGIApp as ASGIApp
from starlette.types import Receive as Receive
from starlette.types import Scope as Scope
from starlette.types import Send as Send

ErrorHandler = Callable[[HTTPConnection, AuthenticationError], Response | Awaitable[Response]]


class AuthenticationMiddleware:
    """Ask `backend` about every request and WebSocket, and fill `request.auth` and `request.user`.

        app = Starlette(routes=routes, middleware=[Middleware(AuthenticationMiddleware, backend=TokenBackend())])

    It only tells who is asking; `@requires` refuses. It belongs inside of whatever the backend reads, such as sessions.
    An exception of the backend other than `AuthenticationError` is an error of the application (500).

    Args:
        app: The application around which to stand.
        backend: What knows the users.
        on_error: What answers an `AuthenticationError`, as a function or an async function; by default status 400 with
            the text of the error. A WebSocket is closed, and the answer is dropped.
    """

    def __init__(self, app: ASGIApp, backend: AuthenticationBackend, on_error: ErrorHandler | None = None) -> None:
        self.app = app
        self.backend = backend
        self.on_error: ErrorHandler = self.default_on_error if on_error is None else on_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind != "http" and kind != "websocket":
            await self.app(scope, receive, send)
            return
        conn: HTTPConnection = HTTPConnection(scope)
        try:
            found = await self.backend.authenticate(conn)
        except AuthenticationError as exc:
            response = self.on_error(conn, exc)
            if isawaitable(response):
                response = await response
            if kind == "http":
                await response(scope, receive, send)
            else:
                # COMPAT: no denial response and no reason, whatever the server could send (authentication R8).
                await send({"type": "websocket.close", "code": 1000})
            return
        scope["auth"], scope["user"] = (AuthCredentials(), UnauthenticatedUser()) if found is None else found
        await self.app(scope, receive, send)

    @staticmethod
    def default_on_error(conn: HTTPConnection, exc: Exception) -> Response:
        """Return status 400 with the text of the error."""
        return PlainTextResponse(str(exc), status_code=400)
