"""A client for tests: an HTTP library whose requests go straight into an ASGI application.

Where the application runs. A test is synchronous and the application is not, so it runs in the event loop of another
thread, with the context variables of the caller:

- Inside `with client:` there is one loop in one thread (an AnyIO blocking portal, `client.portal`). The lifespan runs
  there, and so does every request and WebSocket session.
- Outside, every request has a loop and a thread of its own, which end with it: what a request left behind (tasks,
  loop-bound objects, thread-locals) cannot reach the next one, and a test that forgets the `with` notices it.

PERF: that is what an application can see, and it costs little. What cost much was talking to the loop: a future, a
condition and two thread switches for each step of a request. Here a request is posted to the loop once and answers
once, when the whole body is wanted; only streamed responses go step by step. A bare request skips the portal and is
the main task of its loop. Running it in the thread of the caller would save the thread (a fifth of such a request),
but could be seen: in `threading.current_thread()`, in thread-locals, under a loop that is running already, and where a
streamed response leaves the application waiting half-way. So it is not done.
"""

from __future__ import annotations

import functools
import inspect
import sys
import threading
import warnings
import weakref
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final, Literal, TypeGuard, cast
from urllib.parse import urljoin

import anyio
import anyio.from_thread
import anyio.lowlevel

from starlette._legacy.testclient import EarlierVerbs
from starlette._testing.exchange import Exchange
from starlette._testing.lifespan import AsyncBackend as _AsyncBackend
from starlette._testing.lifespan import Serving
from starlette._testing.loops import loop_of, run_alone
from starlette._testing.session import Session
from starlette._utils import is_async_callable as is_async_callable
from starlette.exceptions import StarletteDeprecationWarning as StarletteDeprecationWarning
from starlette.types import ASGIApp as ASGIApp
from starlette.types import Message as Message
from starlette.types import Receive as Receive
from starlette.types import Scope as Scope
from starlette.types import Send as Send
from starlette.websockets import WebSocketDisconnect as WebSocketDisconnect

if TYPE_CHECKING:
    import httpx2 as httpx
    from httpx2._client import UseClientDefault
    from httpx2._types import (
        AuthTypes,
        CookieTypes,
        HeaderTypes,
        QueryParamTypes,
        RequestContent,
        RequestFiles,
        TimeoutTypes,
        URLTypes,
    )
else:
    try:
        import httpx2 as httpx
    except ModuleNotFoundError:
        try:
            import httpx
        except ModuleNotFoundError:
            # COMPAT: the kind and the text of this error.
            raise RuntimeError(
                "The starlette.testclient module requires the httpx2 package to be installed.\n"
                "You can install this with:\n"
                "    $ pip install httpx2\n"
            ) from None
        warnings.warn(
            "Using `httpx` with `starlette.testclient` is deprecated; install `httpx2` instead.",
            StarletteDeprecationWarning,
            stacklevel=2,
        )

ASGIInstance = Callable[[Receive, Send], Awaitable[None]]
ASGI2App = Callable[[Scope], ASGIInstance]
ASGI3App = Callable[[Scope, Receive, Send], Awaitable[None]]

_PortalFactoryType = Callable[[], AbstractContextManager[anyio.from_thread.BlockingPortal]]
_RequestData = Mapping[str, str | Iterable[str] | bytes]

# A client remembers this many joined URLs.
_KNOWN_URLS: Final = 256
_DEFAULT_PORTS: Final = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_USE_CLIENT_DEFAULT: Final = httpx.USE_CLIENT_DEFAULT
_START_PORTAL: Final = anyio.from_thread.start_blocking_portal


class WebSocketDenialResponse(httpx.Response, WebSocketDisconnect):  # type: ignore[misc]  # both know how to be pickled
    """Raised where the application answered a WebSocket handshake with an HTTP response.

    It is that response: `exc.status_code`, `exc.headers`, `exc.text` (ASGI "WebSocket Denial Response").
    """


class WebSocketTestSession(Session):
    """One end of a WebSocket, for a test; use it as a context manager, as often as wanted.

    Entering calls the application and waits for its answer to the handshake. Leaving disconnects with code 1000, then
    cancels the application, waits for it, and raises what it raised.

    Args:
        app: The ASGI application.
        scope: The scope to call it with.
        portal_factory: Gives a context manager for the portal in whose loop the application is to run.
        receive_timeout: Seconds that entering and each `receive*()` wait unless told otherwise; None is for ever.

    Attributes:
        accepted_subprotocol: What the application accepted; None before that, or when it chose none.
        extra_headers: The headers it accepted with.
    """

    def _denial(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> Exception:
        return WebSocketDenialResponse(status, headers=headers, content=body)


class _Upgrade(Exception):
    """Carries a session out of the HTTP library, which knows no WebSockets."""

    def __init__(self, session: WebSocketTestSession) -> None:
        self.session = session


class _Exchange(Exchange):
    """An exchange for a request of the HTTP library."""

    def __init__(self, app: ASGI3App, scope: Scope, request: httpx.Request, *, whole: bool) -> None:
        super().__init__(app, scope, whole=whole)
        self._request: httpx.Request | None = request

    # COMPAT: detectors of blocking calls know that uploads are read in a function of this name, in this file.
    async def receive(self) -> Message:
        """Give the application the body in one message; then, when the response is complete, the disconnect."""
        if self._request is None:
            await self.wait_complete()
            return {"type": "http.disconnect"}
        # A poll for the disconnect, which is cancelled at once, must not swallow the body.
        await anyio.lowlevel.checkpoint_if_cancelled()
        request, self._request = self._request, None
        return {"type": "http.request", "body": request.read()}


class _Body(httpx.SyncByteStream):
    """The body of a response, and the owner of the exchange that it comes from."""

    def __init__(self, transport: _TestClientTransport, exchange: _Exchange) -> None:
        self._transport = transport
        self._exchange = exchange
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield from self._exchange.chunks()
        self.close()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._transport.finish(self._exchange)

    def __del__(self) -> None:
        if not self._closed:
            # Nobody can read it any more, and nobody closed it: its thread must not wait for ever.
            self._transport.abandon(self._exchange)


class _TestClientTransport(httpx.BaseTransport):
    """Turns requests of the HTTP library into calls of the application."""

    def __init__(
        self,
        app: ASGI3App,
        portal_factory: _PortalFactoryType,
        raise_server_exceptions: bool = True,
        root_path: str = "",
        *,
        client: tuple[str, int],
        app_state: dict[str, Any],
    ) -> None:
        self.app = app
        self.portal_factory = portal_factory
        self.raise_server_exceptions = raise_server_exceptions
        self.root_path = root_path
        self.client = client
        self.app_state = app_state
        self._owner: Callable[[], TestClient | None] = _nobody
        self._open: set[_Exchange] = set()
        self._intent = threading.local()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Call the application and return when its response has begun."""
        scope = self._scope(request)
        if scope["type"] == "websocket":
            raise _Upgrade(WebSocketTestSession(self.app, scope, self.portal_factory))
        exchange = _Exchange(self.app, scope, request, whole=self.reads_whole)
        self._start(exchange)
        self._open.add(exchange)
        try:
            exchange.wait_started()
            if exchange.status is None:
                return self._no_response(exchange, request)
            return self._response(exchange, request)
        except BaseException:
            self.abandon(exchange)
            exchange.wait_ended()
            raise

    def close(self) -> None:
        """Cancel the application wherever a response is still open."""
        for exchange in list(self._open):
            self._open.discard(exchange)
            exchange.close()

    @property
    def reads_whole(self) -> bool:
        """Whether this thread is in a call that reads each response to its end before anything else looks at it."""
        return getattr(self._intent, "whole", False)

    @reads_whole.setter
    def reads_whole(self, value: bool) -> None:
        self._intent.whole = value

    def finish(self, exchange: _Exchange) -> None:
        """Wait for the application, cancelled if the response is not complete, and raise what it raised."""
        self._open.discard(exchange)
        exchange.close()
        error = exchange.take_error(expected=self.raise_server_exceptions)
        if error is not None and not isinstance(sys.exc_info()[1], (KeyboardInterrupt, SystemExit)):
            raise error

    def abandon(self, exchange: _Exchange) -> None:
        """Cancel the application if the response is not complete, and do not wait for it."""
        self._open.discard(exchange)
        if not (exchange.complete or exchange.ended):
            exchange.cancel()

    def _start(self, exchange: _Exchange) -> None:
        owner = self._owner()
        # A tool that replaced the maker of portals wants to see them; so does a factory that is not the client's.
        if owner is None or anyio.from_thread.start_blocking_portal is not _START_PORTAL:
            manager = self.portal_factory()
            exchange.spawn(loop_of(manager.__enter__()))
            exchange.join = functools.partial(manager.__exit__, None, None, None)
        elif owner.portal is not None:
            exchange.spawn(loop_of(owner.portal))
        else:
            exchange.join = run_alone(exchange.run_alone, **owner.async_backend, ended=exchange.end).join

    def _scope(self, request: httpx.Request) -> Scope:
        url = request.url
        scheme = url.scheme
        default_port = _DEFAULT_PORTS[scheme]
        # COMPAT: these keys and no others; there is no `asgi`.
        scope: Scope = {
            "type": "http",
            "path": url.path,
            "raw_path": url.raw_path.partition(b"?")[0],
            "root_path": self.root_path,
            "scheme": scheme,
            "query_string": url.query,
            "headers": _fields(request),
            "client": self.client,
            "server": [url.raw_host.decode("ascii"), default_port if url.port is None else url.port],
            "state": self.app_state.copy(),
        }
        if scheme in ("ws", "wss"):
            offered = request.headers.get("sec-websocket-protocol")
            scope["type"] = "websocket"
            scope["subprotocols"] = [name.strip() for name in offered.split(",")] if offered else []
            scope["extensions"] = {"websocket.http.response": {}}
        else:
            scope["http_version"] = "1.1"
            scope["method"] = request.method
            scope["extensions"] = {"http.response.debug": {}, "http.response.trailers": {}}
        return scope

    def _no_response(self, exchange: _Exchange, request: httpx.Request) -> httpx.Response:
        self.finish(exchange)
        if self.raise_server_exceptions:
            raise AssertionError("TestClient did not receive any response.")
        return httpx.Response(500, stream=httpx.ByteStream(b""), request=request)

    def _response(self, exchange: _Exchange, request: httpx.Request) -> httpx.Response:
        response = httpx.Response(
            cast(int, exchange.status), headers=exchange.headers, stream=_Body(self, exchange), request=request
        )
        if exchange.trailers is not None:
            response.extensions["http.response.trailers"] = exchange.trailers
        if not exchange.ended:
            exchange.on_debug = functools.partial(_show_debug, weakref.ref(response))
        if exchange.debug is not None:
            _show_debug(lambda: response, exchange.debug)
        return response


class TestClient(Serving, EarlierVerbs, httpx.Client):
    """Call an ASGI application from synchronous test code, as if it were served at `http://testserver`.

    Used as a context manager, it runs the lifespan of the application around the block. The rest is the API of the
    HTTP library's `Client`.

    Args:
        app: An ASGI 3 application, or an ASGI 2 one.
        base_url: What relative URLs are appended to.
        raise_server_exceptions: Raise what escapes from the application in the test; if false, it is a 500 response.
        root_path: The `root_path` of scopes.
        backend: The event loop: `"asyncio"` or `"trio"`.
        backend_options: What AnyIO passes to that library: `{"use_uvloop": True}`.
        cookies: Cookies to begin with.
        headers: Headers of all requests; the user agent is `testclient` unless it is among them.
        follow_redirects: Whether to follow redirects; each is one more call of the application.
        client: The `client` of scopes: host and port.

    Attributes:
        app: The application, as ASGI 3.
        app_state: What the lifespan left in its state; each request gets a shallow copy.
        portal: The portal to the event loop inside of the `with` block, else None.
    """

    __test__ = False

    def __init__(
        self,
        app: ASGIApp,
        base_url: str = "http://testserver",
        raise_server_exceptions: bool = True,
        root_path: str = "",
        backend: Literal["asyncio", "trio"] = "asyncio",
        backend_options: dict[str, Any] | None = None,
        cookies: CookieTypes | None = None,
        headers: dict[str, str] | None = None,
        follow_redirects: bool = True,
        client: tuple[str, int] = ("testclient", 50000),
    ) -> None:
        self.async_backend = _AsyncBackend(backend=backend, backend_options=backend_options or {})
        self.app = app if _is_asgi3(app) else _WrapASGI2(cast(ASGI2App, app))
        self.app_state: dict[str, Any] = {}
        transport = _TestClientTransport(
            self.app,
            self._portal_factory,
            raise_server_exceptions,
            root_path,
            client=client,
            app_state=self.app_state,
        )
        transport._owner = weakref.ref(self)
        self._asgi_transport = transport
        self._close_responses = transport.close
        self._asgi_urls: tuple[httpx.URL | None, dict[str, httpx.URL]] = (None, {})
        super().__init__(
            base_url=base_url,
            headers=_with_defaults(headers, {"user-agent": "testclient"}),
            follow_redirects=follow_redirects,
            cookies=cookies,
            transport=transport,
        )

    def request(
        self,
        method: str,
        url: URLTypes,
        *,
        content: RequestContent | None = None,
        data: _RequestData | None = None,
        files: RequestFiles | None = None,
        json: Any = None,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        auth: AuthTypes | UseClientDefault | None = _USE_CLIENT_DEFAULT,
        follow_redirects: bool | UseClientDefault = _USE_CLIENT_DEFAULT,
        timeout: TimeoutTypes | UseClientDefault = _USE_CLIENT_DEFAULT,
        extensions: Mapping[str, Any] | None = None,
        allow_redirects: bool | None = None,
    ) -> httpx.Response:
        """Send a request and return the response with its whole body; see the HTTP library.

        `timeout` has no effect and is deprecated. `allow_redirects` is the earlier name of `follow_redirects`.
        """
        if allow_redirects is not None and follow_redirects is _USE_CLIENT_DEFAULT:
            follow_redirects = allow_redirects
        if timeout is not _USE_CLIENT_DEFAULT:
            warnings.warn(
                "You should not use the 'timeout' argument with the TestClient. "
                "See https://github.com/Kludex/starlette/issues/1108 for more information.",
                StarletteDeprecationWarning,
                stacklevel=2,
            )
        return super().request(
            method,
            url,
            content=content,
            data=cast(Any, data),
            files=files,
            json=json,
            params=params,
            headers=headers,
            cookies=cookies,
            auth=auth,
            follow_redirects=follow_redirects,
            timeout=timeout,
            extensions=extensions,
        )

    def send(
        self,
        request: httpx.Request,
        *,
        stream: bool = False,
        auth: AuthTypes | UseClientDefault | None = _USE_CLIENT_DEFAULT,
        follow_redirects: bool | UseClientDefault = _USE_CLIENT_DEFAULT,
    ) -> httpx.Response:
        """Send a request that was built before; see the HTTP library."""
        transport = self._asgi_transport
        before = transport.reads_whole
        transport.reads_whole = not stream and self._nothing_looks_first(auth)
        try:
            return super().send(request, stream=stream, auth=auth, follow_redirects=follow_redirects)
        finally:
            transport.reads_whole = before

    def websocket_connect(
        self,
        url: str,
        subprotocols: Sequence[str] | None = None,
        *,
        receive_timeout: float | None = None,
        **kwargs: Any,
    ) -> WebSocketTestSession:
        """Return a WebSocket session, which calls the application when it is entered.

        Args:
            url: A path, or a whole `ws://` or `wss://` URL; relative to `ws://testserver`, whatever the base URL is.
            subprotocols: What to offer (RFC 6455 §1.9).
            receive_timeout: Seconds after which entering and each `receive*()` give up; None waits for ever.
            kwargs: As for `get`: headers, cookies, auth, params and so on.

        Raises:
            RuntimeError: The URL is not one of a WebSocket.
        """
        defaults = {
            "connection": "upgrade",
            "sec-websocket-key": "testserver==",
            "sec-websocket-version": "13",
        }
        if subprotocols is not None:
            defaults["sec-websocket-protocol"] = ", ".join(subprotocols)
        kwargs["headers"] = _with_defaults(kwargs.get("headers"), defaults)
        try:
            super().request("GET", urljoin("ws://testserver", url), **kwargs)
        except _Upgrade as upgrade:
            session = upgrade.session
        else:
            raise RuntimeError("Expected WebSocket upgrade")
        session.receive_timeout = receive_timeout
        return session

    def _merge_url(self, url: URLTypes) -> httpx.URL:
        """Join a URL to the base URL.

        PERF: tests ask for the same URLs again and again, and parsing them is a fifth of a request in a block.
        """
        if type(url) is not str:
            return super()._merge_url(url)
        base, known = self._asgi_urls
        if base is not self.base_url:
            known = {}
            self._asgi_urls = self.base_url, known
        merged = known.get(url)
        if merged is None:
            merged = super()._merge_url(url)
            if len(known) < _KNOWN_URLS:
                known[url] = merged
        return merged

    def _nothing_looks_first(self, auth: Any) -> bool:
        """Tell whether a response goes to nobody before its body was read: neither to a hook nor to an auth flow."""
        if self.event_hooks["response"]:
            return False
        chosen = self.auth if auth is _USE_CLIENT_DEFAULT else auth
        return chosen is None or isinstance(chosen, (tuple, httpx.BasicAuth))


class _WrapASGI2:
    """Makes an ASGI 3 application of an ASGI 2 one, which is called in two steps."""

    def __init__(self, app: ASGI2App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope)(receive, send)


def _is_asgi3(app: ASGI2App | ASGI3App) -> TypeGuard[ASGI3App]:
    return hasattr(app, "__await__") if inspect.isclass(app) else is_async_callable(app)


def _nobody() -> None:
    return None


def _fields(request: httpx.Request) -> list[tuple[bytes, bytes]]:
    """Return the headers as a server would get them: names in lower case, octets as they are, a host."""
    fields = [(name.lower(), value) for name, value in request.headers.raw]
    if not any(name == b"host" for name, _ in fields):
        fields.insert(0, (b"host", request.url.netloc))
    return fields


def _with_defaults(headers: HeaderTypes | None, defaults: Mapping[str, str]) -> httpx.Headers:
    """Return a copy with the defaults added that are missing, whatever the case of names."""
    merged = httpx.Headers(headers)
    for name, value in defaults.items():
        merged.setdefault(name, value)
    return merged


def _show_debug(find: Callable[[], httpx.Response | None], info: dict[str, Any]) -> None:
    """Put debug information on a response: the last one counts as a whole."""
    response = find()
    if response is None:
        return
    response.extensions["http.response.debug"] = info
    for name in ("template", "context"):
        response.__dict__.pop(name, None)
        if name in info:
            response.__dict__[name] = info[name]
