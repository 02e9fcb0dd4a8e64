"""The middleware that answers requests for known hosts only (RFC 9110 §7.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette._asgi.refusal import refuse
from starlette._http.authority import ParsedHost
from starlette._http.host_patterns import HostPatterns, is_pattern
from starlette._http.options import word_list
from starlette._utils import parse_host_header as parse_host_header
from starlette.datastructures import URL as URL
from starlette.datastructures import Headers as Headers
from starlette.responses import PlainTextResponse as PlainTextResponse
from starlette.responses import RedirectResponse as RedirectResponse
from starlette.responses import Response as Response
from starlette.types import ASGIApp as ASGIApp
from starlette.types import Receive as Receive
from starlette.types import Scope as Scope
from starlette.types import Send as Send

ENFORCE_DOMAIN_WILDCARD = "Domain wildcard patterns must be like '*.example.com'."

_REFUSAL: Final = "Invalid host header"  # COMPAT: text, middleware_others R11


class TrustedHostMiddleware:
    """Answer requests and WebSockets for unknown hosts with `400 Invalid host header`.

        app = Starlette(middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["example.com", "*.example.com"])])

    The `Host` field decides: there has to be exactly one, and it has to be well-formed. Its port does not matter, nor
    does case. No forwarding field is looked at. It belongs outside of everything that builds URLs or redirects.

    Args:
        app: The application around which to stand.
        allowed_hosts: Names, addresses (IPv6 in brackets), and `*.example.com` for every name below `example.com`, at
            any depth, but not for itself. `"*"` trusts all, as does None. Without any, nobody is answered.
        www_redirect: Send a request for `example.com` to `www.example.com` (307) if only that is allowed.

    Raises:
        AssertionError: A star stands anywhere else.
        TypeError: `allowed_hosts` is one string with blanks or commas. Any other one string is that one pattern.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: Sequence[str] | None = None, www_redirect: bool = True) -> None:
        if allowed_hosts is None:
            allowed_hosts = ["*"]
        allowed_hosts = word_list("allowed_hosts", allowed_hosts)
        if not all(map(is_pattern, allowed_hosts)):
            raise AssertionError(ENFORCE_DOMAIN_WILDCARD)
        self.app = app
        self.allowed_hosts = [pattern.lower() for pattern in allowed_hosts]
        self.allow_any = "*" in self.allowed_hosts
        self.www_redirect = www_redirect
        self._star_patterns = HostPatterns(self.allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if self.allow_any or (kind != "http" and kind != "websocket"):
            await self.app(scope, receive, send)
            return
        value: bytes | None = None
        count = 0
        for name, content in scope["headers"]:
            if name == b"host":
                value = content
                count += 1
        patterns = self._star_patterns
        if patterns.patterns != self.allowed_hosts:  # it is a public list, and may have been changed
            patterns = self._star_patterns = HostPatterns(self.allowed_hosts)
        if count == 1 and value is not None and patterns.has_name(value):
            await self.app(scope, receive, send)
            return
        # SECURITY: of two fields, this and a proxy in front may believe different ones (threats T07.2).
        parsed = parse_host_header(value.decode("latin-1")) if count == 1 and value is not None else None
        if parsed is None:
            await refuse(PlainTextResponse(_REFUSAL, 400), scope, receive, send)
            return
        host = parsed.host.lower()
        if patterns.match(host):
            await self.app(scope, receive, send)
        elif self.www_redirect and f"www.{host}" in patterns.exact:
            await refuse(_with_www(scope, parsed), scope, receive, send)
        else:
            await refuse(PlainTextResponse(_REFUSAL, 400), scope, receive, send)


def _with_www(scope: Scope, host: ParsedHost) -> Response:
    """Return the redirect to the same URL with `www.` before its host."""
    # A port that cannot exist is left out, as nobody could connect to it.
    authority = host.authority if host.is_valid_port else host.host
    return RedirectResponse(URL(scope=scope).replace(scheme=scope.get("scheme", "http"), netloc=f"www.{authority}"))
