"""The middleware that lets pages of other origins read responses (Fetch, "CORS protocol")."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection
from typing import Final

from starlette._asgi.watch import UntilStart, beyond_start
from starlette._http.options import word_list
from starlette._http.origins import ALLOW_ORIGIN, Amendments, Field, ReadyFields
from starlette._http.vary import add_vary
from starlette.datastructures import Headers as Headers
from starlette.datastructures import MutableHeaders as MutableHeaders
from starlette.responses import PlainTextResponse as PlainTextResponse
from starlette.responses import Response as Response
from starlette.types import ASGIApp as ASGIApp
from starlette.types import Message as Message
from starlette.types import Receive as Receive
from starlette.types import Scope as Scope
from starlette.types import Send as Send

ALL_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY")
SAFELISTED_HEADERS = {"Accept", "Accept-Language", "Content-Language", "Content-Type"}

# What the answer to a preflight depends on.
_PREFLIGHT_VARY: Final = ", ".join(
    (
        "Origin",
        "Access-Control-Request-Method",
        "Access-Control-Request-Headers",
        "Access-Control-Request-Private-Network",
    )
)

_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")
_OK_FIELDS: Final = ((b"content-length", b"2"), _TEXT)

# What responses to requests without an `Origin` get: it could have been there.
_SAME_ORIGIN: Final = Amendments({})


class CORSMiddleware:
    """Answer the preflight requests of browsers, and mark responses as readable by other origins.

        app = Starlette(routes=routes, middleware=[Middleware(CORSMiddleware, allow_origins=["https://example.org"])])

    Browsers enforce the rules: a request of an origin that is not allowed still reaches the application. Responses that
    an application's error middleware makes are further out; put the application into the middleware to reach them:
    `app = CORSMiddleware(app, ...)`.

    Args:
        app: The application around which to stand.
        allow_origins: Origins as browsers send them: `["https://example.org", "http://localhost:8000"]`. `"*"` allows
            all of them. For this and the other lists one string stands for a list of it.
        allow_methods: Methods that a preflight may ask for; `"*"` stands for `ALL_METHODS`.
        allow_headers: Header fields that a preflight may ask for, besides `SAFELISTED_HEADERS`; `"*"` allows all.
        allow_credentials: Let pages send cookies. Together with `allow_origins=["*"]` this trusts every page there is.
        allow_origin_regex: A pattern that the whole of an origin may match instead.
        allow_private_network: Let public pages reach this server in a private network.
        expose_headers: Fields of responses that pages may read.
        max_age: Seconds for which browsers may keep the answer to a preflight; -1 forbids that.

    Raises:
        TypeError: A list is bytes, or one string with blanks or commas.
        ValueError: What would be sent contains CR, LF, NUL, or characters outside of latin-1.
        re.error: `allow_origin_regex` is no regular expression.
    """

    def __init__(
        self,
        app: ASGIApp,
        allow_origins: Collection[str] = (),
        allow_methods: Collection[str] = ("GET",),
        allow_headers: Collection[str] = (),
        allow_credentials: bool = False,
        allow_origin_regex: str | None = None,
        allow_private_network: bool = False,
        expose_headers: Collection[str] = (),
        max_age: int = 600,
    ) -> None:
        # SECURITY: "https://example.co" is in "https://example.com" (threats T06.3).
        allow_origins = word_list("allow_origins", allow_origins)
        allow_methods = word_list("allow_methods", allow_methods)
        allow_headers = word_list("allow_headers", allow_headers)
        expose_headers = word_list("expose_headers", expose_headers)
        self.app = app
        self.allow_origins = allow_origins
        self.allow_methods = ALL_METHODS if "*" in allow_methods else allow_methods
        self.allow_all_origins = "*" in allow_origins
        self.allow_all_headers = "*" in allow_headers
        self.allow_credentials = allow_credentials
        self.allow_origin_regex = None if allow_origin_regex is None else re.compile(allow_origin_regex)
        self.allow_private_network = allow_private_network
        self.preflight_explicit_allow_origin = allow_credentials or not self.allow_all_origins
        names = sorted(SAFELISTED_HEADERS.union(allow_headers))
        self.allow_headers = [name.lower() for name in names]
        self._star_header_names = _Names(self.allow_headers)
        self.simple_headers = self._star_simple_headers(expose_headers)
        self.preflight_headers = self._star_preflight_headers(names, max_age)
        self._star_amendments = Amendments(self.simple_headers)
        self._star_preflight = ReadyFields(self.preflight_headers)

    def _star_simple_headers(self, expose_headers: Collection[str]) -> dict[str, str]:
        headers = {"Access-Control-Allow-Origin": "*"} if self.allow_all_origins else {}
        if self.allow_credentials:
            headers["Access-Control-Allow-Credentials"] = "true"
        if expose_headers:
            headers["Access-Control-Expose-Headers"] = ", ".join(expose_headers)
        return headers

    def _star_preflight_headers(self, names: list[str], max_age: int) -> dict[str, str]:
        headers = {"Vary": _PREFLIGHT_VARY}
        if not self.preflight_explicit_allow_origin:
            headers["Access-Control-Allow-Origin"] = "*"
        headers["Access-Control-Allow-Methods"] = ", ".join(self.allow_methods)
        headers["Access-Control-Max-Age"] = str(max_age)
        if not self.allow_all_headers:
            headers["Access-Control-Allow-Headers"] = ", ".join(names)
        if self.allow_credentials:
            headers["Access-Control-Allow-Credentials"] = "true"
        return headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        origin: bytes | None = None
        for name, value in scope["headers"]:
            if name == b"origin":
                origin = value
                break
        if origin is not None and scope["method"] == "OPTIONS":
            asked = dict(reversed([*scope["headers"]]))  # of several fields the first counts
            if b"access-control-request-method" in asked:
                await self._star_answer(asked, scope, receive, send)
                return
        # PERF: without a Headers object, and without four calls for each message: a third of the time.
        # COMPAT: subclasses override these three, and tools may replace them, so they are asked per request.
        kind = type(self)
        if (
            kind.send is _SEND
            and kind.simple_response is _SIMPLE_RESPONSE
            and kind.allow_explicit_origin is _ALLOW_EXPLICIT_ORIGIN
        ):
            await self.app(scope, receive, self._star_amending(origin, send).send)
        else:
            await self.simple_response(scope, receive, send, request_headers=Headers(scope=scope))

    def is_allowed_origin(self, origin: str) -> bool:
        """Tell whether pages of `origin` may read responses: by `allow_origins` or the whole of it by the pattern."""
        if self.allow_all_origins:
            return True
        if self.allow_origin_regex is not None and self.allow_origin_regex.fullmatch(origin):
            return True
        return origin in self.allow_origins

    def preflight_response(self, request_headers: Headers) -> Response:
        """Return the answer to a preflight: `OK`, or 400 with what is not allowed."""
        status, fields, body = self._star_preflight_parts(dict(reversed(request_headers.raw)))
        response = PlainTextResponse(body, status)
        response.raw_headers = fields
        return response

    async def _star_answer(self, asked: dict[bytes, bytes], scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight."""
        # PERF: without Headers and Response: 0.6 of the time.
        if type(self).preflight_response is _PREFLIGHT_RESPONSE:
            status, fields, body = self._star_preflight_parts(asked)
            await send({"type": "http.response.start", "status": status, "headers": fields})
            await beyond_start(send)({"type": "http.response.body", "body": body})
        else:
            response = self.preflight_response(request_headers=Headers(scope=scope))
            await response(scope, receive, send)

    def _star_preflight_parts(self, asked: dict[bytes, bytes]) -> tuple[int, list[Field], bytes]:
        """Return status, header list and body for a preflight with these fields."""
        failed: list[str] = []
        added: list[Field] = []
        origin = asked.get(b"origin", b"")
        text = origin.decode("latin-1")
        if not self.is_allowed_origin(origin=text) or not _is_repeatable(text):
            failed.append("origin")
        elif self.preflight_explicit_allow_origin:
            added.append((ALLOW_ORIGIN, origin))
        if asked.get(b"access-control-request-method", b"").decode("latin-1") not in self.allow_methods:
            failed.append("method")
        names = asked.get(b"access-control-request-headers")
        if names is not None:
            if not self._star_allows(names.decode("latin-1")):
                failed.append("headers")
            elif self.allow_all_headers:
                added.append((b"access-control-allow-headers", names))
        if b"access-control-request-private-network" in asked:
            if self.allow_private_network:
                added.append((b"access-control-allow-private-network", b"true"))
            else:
                failed.append("private-network")
        ready = self._star_preflight
        if ready.source != self.preflight_headers:  # it is a public dict, and may have been changed
            ready = self._star_preflight = ReadyFields(self.preflight_headers)
        fields = ready.with_added(added)
        if not failed:
            fields += _OK_FIELDS
            return 200, fields, b"OK"
        body = f"Disallowed CORS {', '.join(failed)}".encode()
        fields += ((b"content-length", b"%d" % len(body)), _TEXT)
        return 400, fields, body

    def _star_allows(self, names: str) -> bool:
        """Tell whether all names of an `Access-Control-Request-Headers` are allowed."""
        if self.allow_all_headers:
            return _is_repeatable(names)
        # COMPAT: an empty name, such as that after a final comma, is not allowed (middleware_cors R12).
        allowed = self._star_header_names
        if allowed.source != self.allow_headers:  # it is a public list, and may have been changed
            allowed = self._star_header_names = _Names(self.allow_headers)
        for name in names.lower().split(","):  # noqa: SIM110  # PERF: a generator is a fifth of the answer
            if name.strip(" \t") not in allowed.names:
                return False
        return True

    async def simple_response(self, scope: Scope, receive: Receive, send: Send, request_headers: Headers) -> None:
        """Run the application; its messages go through `send`."""
        await self.app(scope, receive, functools.partial(self.send, send=send, request_headers=request_headers))

    async def send(self, message: Message, send: Send, request_headers: Headers) -> None:
        """Pass on a message of the application; the start of a response gets its header fields."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message.get("headers", ())))
            origin = request_headers.get("origin")
            if origin is not None and _is_repeatable(origin):
                headers.update(self.simple_headers)
                if self._star_names(origin):
                    self.allow_explicit_origin(headers, origin)
            add_vary(headers.raw, b"Origin")
            message = {**message, "headers": headers.raw}
        await send(message)

    @staticmethod
    def allow_explicit_origin(headers: MutableHeaders, origin: str) -> None:
        """Let pages of this one origin read the response."""
        headers["Access-Control-Allow-Origin"] = origin

    def _star_names(self, origin: str) -> bool:
        """Tell whether the responses to this origin name it: never all origins together with credentials."""
        return self.allow_credentials if self.allow_all_origins else self.is_allowed_origin(origin=origin)

    def _star_amending(self, origin: bytes | None, send: Send) -> _Amending:
        """Return the owner of what passes on messages as `self.send` does."""
        # SECURITY: what would end the header field is no origin, though a pattern may match it (threats T03).
        if origin is None or not _is_repeatable(text := origin.decode("latin-1")):
            return _Amending(_SAME_ORIGIN, _SAME_ORIGIN.plain, send)
        amendments = self._star_amendments
        if amendments.source != self.simple_headers:  # it is a public dict, and may have been changed
            amendments = self._star_amendments = Amendments(self.simple_headers)
        return _Amending(amendments, amendments.naming(origin) if self._star_names(text) else amendments.plain, send)


class _Names:
    """A list of names, for membership.

    Attributes:
        source: A copy of the list, to tell whether it has been changed since.
        names: What is in it.
    """

    __slots__ = ("names", "source")

    def __init__(self, names: list[str]) -> None:
        self.source = [*names]
        self.names = frozenset(names)


class _Amending(UntilStart):
    """The header fields for one request, on their way into the response."""

    __slots__ = ("_added", "_amendments")

    def __init__(self, amendments: Amendments, added: list[Field], send: Send) -> None:
        self._amendments = amendments
        self._added = added
        self.unwatched = send

    async def send(self, message: Message) -> None:
        """Pass on a message; the start of the response gets the fields."""
        if message["type"] == "http.response.start":
            message = dict(message)
            message["headers"] = self._amendments.amended(message.get("headers", ()), self._added)
        await self.unwatched(message)


def _is_repeatable(value: str) -> bool:
    """Tell whether a value of a request may stand in the response: no CR, LF or NUL (RFC 9110 §5.5)."""
    return "\r" not in value and "\n" not in value and "\0" not in value


_PREFLIGHT_RESPONSE: Final = CORSMiddleware.preflight_response
_SEND: Final = CORSMiddleware.send
_SIMPLE_RESPONSE: Final = CORSMiddleware.simple_response
_ALLOW_EXPLICIT_ORIGIN: Final = CORSMiddleware.allow_explicit_origin
