"""A bridge to WSGI applications (PEP 3333). Deprecated: importing this module warns."""

from __future__ import annotations

import io
import sys
import warnings
from collections.abc import Callable
from typing import Any, Final

import anyio
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread

from starlette._http.fields import checked_field
from starlette._utils import create_collapsing_task_group as create_collapsing_task_group
from starlette.exceptions import StarletteDeprecationWarning as StarletteDeprecationWarning
from starlette.types import Message as Message
from starlette.types import Receive as Receive
from starlette.types import Scope as Scope
from starlette.types import Send as Send

warnings.warn(
    # COMPAT: wsgi R15
    "starlette.middleware.wsgi is deprecated and will be removed in a future release. "
    "Please refer to https://github.com/abersheeran/a2wsgi as a replacement.",
    StarletteDeprecationWarning,
    stacklevel=2,
)

# The two request fields that have no `HTTP_` before their name (RFC 3875 §4.1).
_BARE_NAMES: Final = {"content-length": "CONTENT_LENGTH", "content-type": "CONTENT_TYPE"}


def build_environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """Return the environment of a request for a WSGI application (PEP 3333 "environ Variables").

    Fields whose name has an underscore, and `Proxy`, are left out.

    Args:
        scope: An ASGI HTTP scope.
        body: The whole body of the request.
    """
    root: str = scope.get("root_path", "")
    server_name, server_port = scope.get("server") or ("localhost", 80)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": _as_wsgi_text(root),
        "PATH_INFO": _as_wsgi_text(_path_below(root, scope["path"])),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server_name,
        "SERVER_PORT": server_port,  # COMPAT: wsgi R23; a number as in the scope, no text
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stdout,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if client := scope.get("client"):
        environ["REMOTE_ADDR"] = client[0]
    environ.update(_header_variables(scope["headers"]))
    return environ


def _as_wsgi_text(path: str) -> str:
    """Return the UTF-8 octets of a path as the text that PEP 3333 asks for, a character for each octet."""
    return path.encode("utf-8", "surrogatepass").decode("latin-1")


def _path_below(root: str, path: str) -> str:
    """Return `path` without `root`, if that ends where a segment does. COMPAT: wsgi R25, also for `/app/`."""
    if root and path.startswith(root):
        rest = path[len(root) :]
        if not rest or rest[0] == "/" or root[-1] == "/":
            return rest
    return path


def _header_variables(headers: Any) -> dict[str, str]:
    values: dict[str, list[str]] = {}
    for raw_name, raw_value in headers:
        name = raw_name.decode("latin-1").lower()
        # SECURITY: `X_Forwarded_For` would become what `X-Forwarded-For` is, which a proxy has set; and HTTP libraries
        # take HTTP_PROXY for a proxy to use (CVE-2016-5385). Threats T22.
        if "_" not in name and name != "proxy":
            values.setdefault(name, []).append(raw_value.decode("latin-1"))
    variables: dict[str, str] = {}
    for name, several in values.items():
        key = _BARE_NAMES.get(name) or "HTTP_" + name.upper().replace("-", "_")
        # Cookie is the one request field that is no list with commas (RFC 6265 §5.4).
        variables[key] = ("; " if name == "cookie" else ",").join(several)
    return variables


class WSGIMiddleware:
    """Serve a WSGI application as an ASGI application, its code in a worker thread.

        app = Starlette(routes=[Mount("/old", WSGIMiddleware(flask_app))])

    The body of a request is read to its end before the application starts; one that breaks off never gets there. Each
    piece of the response is sent before the next one is asked for. Deprecated: use a2wsgi.

    Args:
        app: The WSGI application.
        workers: Without effect; earlier releases took it.

    Raises:
        AssertionError: It was called for something else than an HTTP request.
    """

    def __init__(self, app: Callable[..., Any], workers: int = 10) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise AssertionError  # COMPAT: wsgi R17
        await WSGIResponder(self.app, scope)(receive, send)


class WSGIResponder:
    """Serve one request by a WSGI application.

    Attributes:
        status: What the application called `start_response` with, or None.
        response_headers: The same.
        response_started: True once the start of the response was sent.
        exc_info: What the last call of `start_response` told of an exception, or None.
        stream_send: Where the worker thread puts messages. There is no room: it waits until each is taken.
        stream_receive: Where `sender` takes them from.
    """

    def __init__(self, app: Callable[..., Any], scope: Scope) -> None:
        self.app = app
        self.scope = scope
        self.status: str | None = None
        self.response_headers: list[tuple[str, str]] | None = None
        self.stream_send, self.stream_receive = anyio.create_memory_object_stream[Message](0)
        self.response_started = False
        self.exc_info: Any = None

    async def __call__(self, receive: Receive, send: Send) -> None:
        """Read the request, run the application and send its response.

        Raises:
            Exception: What the application raised, or, after the whole response, passed to `start_response`.
        """
        failure: Exception | None = None
        with self.stream_send, self.stream_receive:
            body = await _whole_body(receive)
            if body is None:
                return
            environ = build_environ(self.scope, body)
            async with create_collapsing_task_group() as group:
                group.start_soon(self.sender, send)
                try:
                    await anyio.to_thread.run_sync(self.wsgi, environ, self.start_response)
                    # The thread may have ended because of a cancellation, which it cannot pass on by itself.
                    await anyio.lowlevel.checkpoint_if_cancelled()
                except Exception as exc:
                    # Raised below: a failing group would cancel the sender, with a message in its hands.
                    failure = exc
                finally:
                    self.stream_send.close()
        if failure is not None:
            raise failure
        if self.exc_info is not None:
            raise self.exc_info[1].with_traceback(self.exc_info[2])

    async def sender(self, send: Send) -> None:
        """Send what comes out of the thread, until it is done."""
        with self.stream_receive:
            async for message in self.stream_receive:
                await send(message)

    def start_response(self, status: str, response_headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        """Start the response; for the application to call, in its thread. After the first call only `exc_info` counts.

        Args:
            status: `"200 OK"`.
            response_headers: Pairs of strings.
            exc_info: As of `sys.exc_info()`; the exception is raised when the response was sent.

        Raises:
            ValueError: The status does not begin with a number and a blank, or a header has a CR, LF or NUL within.
            UnicodeEncodeError: A header is not ASCII.
        """
        self.exc_info = exc_info
        if self.response_started:
            return
        start = {
            "type": "http.response.start",
            "status": _status_code(status),
            "headers": [_response_field(name, value) for name, value in response_headers],
        }
        self.status = status
        self.response_headers = response_headers
        self.response_started = True
        self._asterism_deliver(start)

    def wsgi(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> None:
        """Run the application, in a worker thread, and deliver its response."""
        try:
            content = self.app(environ, start_response)
            try:
                for chunk in content:
                    self._asterism_deliver({"type": "http.response.body", "body": chunk, "more_body": True})
            finally:
                if hasattr(content, "close"):
                    content.close()
            self._asterism_deliver({"type": "http.response.body", "body": b""})
        except _NobodyListens:
            pass  # the sender has failed, or was cancelled, and says so itself

    def _asterism_deliver(self, message: Message) -> None:
        """Hand a message to the event loop and wait until it is taken."""
        if not self.response_started:
            raise RuntimeError("the WSGI application must call start_response before its response has a body")
        try:
            anyio.from_thread.run(self.stream_send.send, message)
        except Exception:
            # The other end is closed, or the request was cancelled, for which asyncio and trio have names of their own.
            raise _NobodyListens from None


class _NobodyListens(BaseException):
    """Ends the thread; no Exception, since applications catch those around `start_response`."""


async def _whole_body(receive: Receive) -> bytes | None:
    """Return the body of the request; None if the client left before its end."""
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            # SECURITY: half of a document must not be taken for all of it (threats T22).
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


def _status_code(status: str) -> int:
    code, blank, _ = status.partition(" ")
    if not (blank and code.isascii() and code.isdigit()):
        raise ValueError(f"a WSGI status is a number, a blank and a phrase, got {status[:80]!r}")
    return int(code)


def _response_field(name: str, value: str) -> tuple[bytes, bytes]:
    name, value = name.strip(), value.strip()
    f"{name}{value}".encode("ascii")  # COMPAT: wsgi R20; raises UnicodeEncodeError
    return checked_field(name, value)
