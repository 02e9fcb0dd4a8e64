"""HTTP connections as an application sees them: what the scope says, and the body (ASGI HTTP).

Everything is read at first use: between construction and use, middlewares rewrite the scope.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, cast

from starlette import formparsers as _formparsers
from starlette._asgi.disconnect import receive_at_once
from starlette._asgi.held import HeldMessages
from starlette._http.cookies import cookie_parser as cookie_parser
from starlette._http.fields import checked_value
from starlette._http.urls import escape_path
from starlette._utils import AwaitableOrContextManager as AwaitableOrContextManager
from starlette._utils import AwaitableOrContextManagerWrapper as AwaitableOrContextManagerWrapper
from starlette.datastructures import URL as URL
from starlette.datastructures import Address as Address
from starlette.datastructures import FormData as FormData
from starlette.datastructures import Headers as Headers
from starlette.datastructures import QueryParams as QueryParams
from starlette.datastructures import State as State
from starlette.datastructures import URLPath
from starlette.exceptions import HTTPException as HTTPException
from starlette.formparsers import FormParser as FormParser
from starlette.formparsers import MultiPartException as MultiPartException
from starlette.formparsers import MultiPartParser as MultiPartParser
from starlette.types import Message as Message
from starlette.types import Receive as Receive
from starlette.types import Scope as Scope
from starlette.types import Send as Send

if sys.version_info >= (3, 13) or not TYPE_CHECKING:
    from typing import TypeVar
else:  # pragma: no cover  # read by type checkers only
    from typing_extensions import TypeVar

if TYPE_CHECKING:
    # Only named in annotations; at run time both modules come after this one.
    from starlette.applications import Starlette
    from starlette.routing import Router

# The fields of a request that its pushed follower inherits. A public set: applications may add to it.
SERVER_PUSH_HEADERS_TO_COPY = {"accept", "accept-encoding", "accept-language", "cache-control", "user-agent"}

if sys.version_info >= (3, 13) or TYPE_CHECKING:
    StateT = TypeVar("StateT", bound="Mapping[str, Any] | State", default=State)
else:
    # PERF: what `typing_extensions` would make of it; loading that is a twentieth of what an application takes.
    StateT = TypeVar("StateT", bound="Mapping[str, Any] | State")
    StateT.__default__ = State
    StateT.has_default = lambda: True

# Marks a cache that was not filled yet; None is a value.
_ABSENT: Final[Any] = object()


class ClientDisconnect(Exception):
    """The client went away before its request body, or the response to it, was complete."""


class HTTPConnection(Mapping[str, Any], Generic[StateT]):
    """What HTTP and WebSocket connections have in common: a read-only mapping over the scope, with properties.

    Args:
        scope: The ASGI connection scope, of type `http` or `websocket`; kept, never copied.
        receive: Accepted for symmetry with `Request`, and ignored.

    Raises:
        AssertionError: The scope has another type.
    """

    scope: Scope

    def __init__(self, scope: Scope, receive: Receive | None = None) -> None:
        if scope["type"] not in ("http", "websocket"):
            raise AssertionError
        self.scope = scope

    def __getitem__(self, key: str) -> Any:
        return self.scope[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.scope)

    def __len__(self) -> int:
        return len(self.scope)

    # COMPAT: connections are compared and hashed by identity; `Mapping` would compare contents and forbid hashing.
    __eq__ = object.__eq__
    __hash__ = object.__hash__  # pyright: ignore[reportAssignmentType]  # `Mapping` has none

    # PERF: `getattr` with a default takes 35 ns when there is nothing yet; catching AttributeError takes 400 ns.

    @property
    def app(self) -> Any:
        """The innermost application that handles the connection."""
        return self.scope["app"]

    @property
    def url(self) -> URL:
        """The URL that was asked for. Its path is the routed one; `Host` and path can change nothing else in it."""
        url: URL | None = getattr(self, "_url", None)
        if url is None:
            url = self._url = URL(scope=self.scope)
        return url

    @property
    def base_url(self) -> URL:
        """The URL of the application's root, with a final slash: `http://example.org/mounted/`."""
        url: URL | None = getattr(self, "_base_url", None)
        if url is None:
            scope = dict(self.scope)
            # A mount moves `root_path`; `app_root_path` stays that of the whole application.
            root = scope.get("app_root_path", scope.get("root_path", ""))
            scope["path"] = root if root.endswith("/") else f"{root}/"
            scope["root_path"] = root
            scope["query_string"] = b""
            url = self._base_url = URL(scope=scope)
        return url

    @property
    def headers(self) -> Headers:
        """The request headers; names compare without case, the first of several is looked up."""
        headers: Headers | None = getattr(self, "_headers", None)
        if headers is None:
            headers = self._headers = Headers(scope=self.scope)
        return headers

    @property
    def query_params(self) -> QueryParams:
        """The parameters behind the `?`; the last of several is looked up."""
        params: QueryParams | None = getattr(self, "_query_params", None)
        if params is None:
            params = self._query_params = QueryParams(self.scope["query_string"])
        return params

    @property
    def path_params(self) -> dict[str, Any]:
        """What the route took from the path, converted."""
        params: dict[str, Any] = self.scope.get("path_params", {})
        return params

    @property
    def cookies(self) -> dict[str, str]:
        """All cookies of all `Cookie` headers; later ones replace earlier ones of the same name."""
        cookies: dict[str, str] | None = getattr(self, "_cookies", None)
        if cookies is None:
            cookies = {}
            for name, value in self.headers._list:
                if name == b"cookie":
                    # COMPAT: tools replace `cookie_parser` in this module.
                    found = cookie_parser(value.decode("latin-1"))
                    if cookies:
                        cookies.update(found)
                    else:
                        cookies = found
            self._cookies = cookies
        return cookies

    @property
    def client(self) -> Address | None:
        """Host and port of the peer as the server gives them, or None."""
        client = self.scope.get("client")
        return None if client is None else Address(*client)

    @property
    def session(self) -> dict[Any, Any]:
        """The session; looking at it is an access, which varies the response by cookie.

        Raises:
            AssertionError: There is no `SessionMiddleware`.
        """
        session: dict[Any, Any] = self._star_installed("session", "SessionMiddleware")
        mark_accessed = getattr(session, "mark_accessed", None)
        if mark_accessed is not None:
            mark_accessed()
        return session

    @property
    def auth(self) -> Any:
        """The credentials; AssertionError without `AuthenticationMiddleware`."""
        return self._star_installed("auth", "AuthenticationMiddleware")

    @property
    def user(self) -> Any:
        """The user; AssertionError without `AuthenticationMiddleware`."""
        return self._star_installed("user", "AuthenticationMiddleware")

    @property
    def state(self) -> StateT:
        """Values that belong to this request, shared by every connection object over the same scope."""
        state: Any = getattr(self, "_state", None)
        if state is None:
            state = self._state = State(self.scope.setdefault("state", {}))
        return cast(StateT, state)

    def url_for(self, name: str, /, **path_params: Any) -> URL:
        """Return the absolute URL of a route: `request.url_for("user", name="ada")`.

        Args:
            name: The name of the route; `mount:route` for a route inside of a named mount.
            path_params: A value for each parameter of its path, and no others.

        Raises:
            NoMatchFound: There is no such route, or a parameter does not fit.
            RuntimeError: The scope has neither a router nor an application.
        """
        provider: Router | Starlette | None = self.scope.get("router")
        if provider is None:
            provider = self.scope.get("app")
        if provider is None:
            raise RuntimeError(
                "The `url_for` method can only be used inside a Starlette application or with a router."
            )  # COMPAT: requests R27
        path = provider.url_path_for(name, **path_params)
        escaped = escape_path(path)
        if escaped is not path:
            # SECURITY: a parameter with `?` or `#` must not begin the query or the fragment (threats T24.2).
            path = URLPath(escaped, protocol=path.protocol, host=path.host)
        return path.make_absolute_url(self.base_url)

    def _star_installed(self, key: str, middleware: str) -> Any:
        try:
            return self.scope[key]
        except KeyError:
            # COMPAT: requests R19, R20
            raise AssertionError(f"{middleware} must be installed to access request.{key}") from None


async def empty_receive() -> NoReturn:
    """Stand for the channel of a request that was built without one."""
    raise RuntimeError("Receive channel has not been made available")


async def empty_send(message: Message) -> NoReturn:
    """Stand for the channel of a request that was built without one."""
    raise RuntimeError("Send channel has not been made available")


class Request(HTTPConnection[StateT], Generic[StateT]):
    """One HTTP request. Its body can be streamed once, or collected by `body()`, `json()` or `form()`.

    Args:
        scope: The ASGI scope, of type `http`; only that key is looked at here.
        receive: Where the body comes from. Without it, reading the body raises RuntimeError.
        send: Where pushes and early hints go.

    Raises:
        AssertionError: The scope has another type.
    """

    # PERF: where a request begins; the object has its own once one of them changes.
    _stream_consumed: bool = False
    _is_disconnected: bool = False
    _form: FormData | None = None

    def __init__(self, scope: Scope, receive: Receive = empty_receive, send: Send = empty_send) -> None:
        # PERF: one frame; the check of the base class would be a second one.
        if scope["type"] != "http":
            raise AssertionError
        self.scope = scope
        self._receive = receive
        self._send = send

    @property
    def method(self) -> str:
        """The method, as the client spelled it."""
        return cast(str, self.scope["method"])

    @property
    def receive(self) -> Receive:
        """The channel to the server. After `is_disconnected()` it also hands out what that has seen."""
        return self._receive

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Yield the body as it arrives, and `b""` at its end. Nothing is received before the first step.

        Raises:
            ClientDisconnect: The client went away before the end.
            RuntimeError: The body was streamed already, and `body()` did not keep it.
        """
        body = getattr(self, "_body", _ABSENT)
        if body is not _ABSENT:
            yield body
            yield b""
            return
        if self._stream_consumed:
            raise RuntimeError("Stream consumed")
        while not self._stream_consumed:
            chunk = self._star_take(await self._receive())
            if chunk:
                yield chunk
        yield b""

    async def body(self) -> bytes:
        """Return the whole body; it is kept, so that it can be read again in every form.

        Raises:
            ClientDisconnect: The client went away before the end.
            RuntimeError: The body was streamed already.
        """
        body = getattr(self, "_body", _ABSENT)
        if body is _ABSENT:
            chunks: list[bytes] = []
            # PERF: 0.6 us less than through the generator. Subclasses and tools replace `stream`, on class or object.
            if getattr(self.stream, "__func__", None) is _STREAM:
                if self._stream_consumed:
                    raise RuntimeError("Stream consumed")
                while not self._stream_consumed:
                    chunks.append(self._star_take(await self._receive()))
            else:
                stream = self.stream()
                try:
                    async for chunk in stream:
                        chunks.append(chunk)  # noqa: PERF401  # what is closed afterwards has to have a name
                finally:
                    await stream.aclose()
            body = self._body = b"".join(chunks)
        return cast(bytes, body)

    async def json(self) -> Any:
        """Return the body parsed as JSON, whatever its content type says; the value is kept.

        Raises:
            ValueError: It is not JSON, or not in a Unicode encoding. A document nested too deep is a RecursionError.
            ClientDisconnect: The client went away before the end of the body.
        """
        value = getattr(self, "_json", _ABSENT)
        if value is _ABSENT:
            value = self._json = json.loads(await self.body())
        return value

    def form(
        self,
        *,
        max_files: int | float = 1000,
        max_fields: int | float = 1000,
        max_part_size: int = 1024 * 1024,
    ) -> AwaitableOrContextManager[FormData]:
        """Return the form in the body: `await request.form()`, or `async with request.form() as form`.

        Only the second closes the files of the form at the end; with the first, `close()` does.

        Args:
            max_files: How many files a multipart form may have.
            max_fields: How many other fields it may have.
            max_part_size: Bytes of one field; files are not limited by it.

        Raises:
            HTTPException: Status 400: the form is malformed or over a limit. Outside of an application it is a
                MultiPartException. A later call raises it again.
            ClientDisconnect: The client went away before the end of the body.
            AssertionError: The python-multipart package is not there.
        """
        return AwaitableOrContextManagerWrapper(
            self._get_form(max_files=max_files, max_fields=max_fields, max_part_size=max_part_size)
        )

    async def close(self) -> None:
        """Close the files of the form, if one was read."""
        if self._form is not None:
            await self._form.close()

    async def is_disconnected(self) -> bool:
        """Tell whether the client has gone, without waiting. What arrives instead is kept for whoever reads the body.

        A client that goes while more than 1 MiB of its body is waiting to be read is not noticed before it is read.
        """
        if not self._is_disconnected:
            receive = self._receive
            held = receive if isinstance(receive, HeldMessages) else None
            if held is not None:
                if held.full:
                    return False
                receive = held.receive
            message = await receive_at_once(receive)
            if message is not None:
                if held is None:
                    held = self._receive = HeldMessages(receive)
                held.hold(message)
                self._is_disconnected = message["type"] == "http.disconnect"
        return self._is_disconnected

    async def send_push_promise(self, path: str) -> None:
        """Announce that the client will need `path`, where the server can (ASGI extension `http.response.push`)."""
        if "http.response.push" in self._star_extensions():
            headers = self.headers
            copied = [
                (name.encode("latin-1"), value.encode("latin-1"))
                for name in sorted(SERVER_PUSH_HEADERS_TO_COPY)
                for value in headers.getlist(name)
            ]
            await self._send({"type": "http.response.push", "path": path, "headers": copied})

    async def send_early_hints(self, link: str, /, *additional_links: str) -> None:
        """Send 103 Early Hints (RFC 8297), where the server can (ASGI extension `http.response.early_hint`).

        Args:
            link: The value of a `Link` field (RFC 8288): `"</style.css>; rel=preload; as=style"`.
            additional_links: Further ones, for the same message.

        Raises:
            ValueError: A link contains CR, LF or NUL, or characters outside of latin-1.
        """
        if "http.response.early_hint" in self._star_extensions():
            links = [checked_value(value) for value in (link, *additional_links)]
            await self._send({"type": "http.response.early_hint", "links": links})

    async def _get_form(self, *, max_files: int | float, max_fields: int | float, max_part_size: int) -> FormData:
        if self._form is None:
            _formparsers.require_multipart()
            refusal: str | None = getattr(self, "_star_form_refusal", None)
            if refusal is not None:
                # The rest of the body must not pass for a complete form.
                self._star_refuse_form(MultiPartException(refusal))
            kind = self.headers.get("content-type", "").partition(";")[0].strip(" \t").lower()
            parser: FormParser | MultiPartParser
            if kind == "multipart/form-data":
                stream = self.stream()
                parser = MultiPartParser(
                    self.headers, stream, max_files=max_files, max_fields=max_fields, max_part_size=max_part_size
                )
            elif kind == "application/x-www-form-urlencoded":
                begun = await self._star_begin_form(max_fields, max_part_size)
                if isinstance(begun, FormData):
                    self._form = begun
                    return begun
                stream = begun
                parser = FormParser(self.headers, stream, max_fields=max_fields, max_part_size=max_part_size)
            else:
                self._form = FormData()
                return self._form
            try:
                self._form = await parser.parse()
            except MultiPartException as exc:
                self._star_form_refusal = exc.message
                self._star_refuse_form(exc)
            finally:
                await stream.aclose()
        return self._form

    async def _star_begin_form(
        self, max_fields: int | float, max_part_size: int
    ) -> FormData | AsyncGenerator[bytes, None]:
        """Return a url-encoded form if the first message has all of it; else the body in chunks, for the parser."""
        # PERF: nearly every form is in one message: a quarter less, without a generator and a parser.
        if (
            self._stream_consumed
            or hasattr(self, "_body")
            or getattr(self.stream, "__func__", None) is not _STREAM
            or not _formparsers.is_plain_form_parser(FormParser)
        ):
            return self.stream()
        chunk = self._star_take(await self._receive())
        form = _formparsers.form_at_once(chunk, max_fields, max_part_size) if self._stream_consumed else None
        return self._star_rest(chunk) if form is None else form

    async def _star_rest(self, chunk: bytes) -> AsyncGenerator[bytes, None]:
        """Yield the body of which `chunk` has been taken."""
        yield chunk
        while not self._stream_consumed:
            yield self._star_take(await self._receive())

    def _star_refuse_form(self, exc: MultiPartException) -> NoReturn:
        if "app" not in self.scope:
            raise exc
        refusal = HTTPException(status_code=400, detail=exc.message)
        refusal.__context__ = exc
        raise refusal

    def _star_take(self, message: Message) -> bytes:
        """Return what a message adds to the body, and note what it says about the stream."""
        kind = message["type"]
        if kind == "http.request":
            if not message.get("more_body", False):
                self._stream_consumed = True
            return message.get("body") or b""
        if kind == "http.disconnect":
            self._is_disconnected = True
            raise ClientDisconnect()
        return b""

    def _star_extensions(self) -> Mapping[str, Any]:
        return self.scope.get("extensions") or {}


_STREAM: Final = Request.stream
