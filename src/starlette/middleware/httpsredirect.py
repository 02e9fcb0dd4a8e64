"""The middleware that sends plain requests to the same URL over TLS (RFC 9110 §4.2.2)."""

from __future__ import annotations

from typing import Final

from starlette._asgi.refusal import refuse
from starlette._http.authority import port_number
from starlette.datastructures import URL as URL
from starlette.responses import PlainTextResponse as PlainTextResponse
from starlette.responses import RedirectResponse as RedirectResponse
from starlette.responses import Response
from starlette.types import ASGIApp as ASGIApp
from starlette.types import Receive as Receive
from starlette.types import Scope as Scope
from starlette.types import Send as Send

_SECURE: Final = {"http": "https", "ws": "wss"}
_DEFAULT_PORTS: Final = frozenset({80, 443})


class HTTPSRedirectMiddleware:
    """Redirect `http` and `ws` to `https` and `wss` (307, which keeps the method).

        app = Starlette(routes=routes, middleware=[Middleware(HTTPSRedirectMiddleware)])

    Host, path and query stay; port 80 goes, any other port stays. The scheme is that of the scope: behind a proxy that
    ends TLS, the server has to be told to take it from the proxy, or the redirect leads to itself. It belongs at the
    outside. A request without a usable address, neither by `Host` nor by the server, is `400 Invalid host header`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if (kind == "http" or kind == "websocket") and (scheme := _SECURE.get(scope["scheme"])) is not None:
            await refuse(_redirect(scope, scheme), scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _redirect(scope: Scope, scheme: str) -> Response:
    url = URL(scope=scope)
    if not url.netloc:
        return PlainTextResponse("Invalid host header", 400)  # COMPAT: text, middleware_others R5
    return RedirectResponse(url.replace(scheme=scheme, netloc=_without_default_port(url.netloc)))


def _without_default_port(authority: str) -> str:
    """Return an authority without `:80` or `:443`, the brackets of an IPv6 address kept (threats T05)."""
    host, colon, digits = authority.rpartition(":")
    if colon and digits.isdecimal() and port_number(digits) in _DEFAULT_PORTS:
        return host.lower()  # COMPAT: in lower case only here (middleware_others R6)
    return authority
