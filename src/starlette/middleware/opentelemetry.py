"""A trace span for each HTTP request (OpenTelemetry semantic conventions for HTTP). Needs opentelemetry-api."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from starlette import __version__ as __version__
from starlette.datastructures import URL as URL
from starlette.routing import Mount as Mount
from starlette.types import ASGIApp as ASGIApp
from starlette.types import Message as Message
from starlette.types import Receive as Receive
from starlette.types import Scope as Scope
from starlette.types import Send as Send

try:
    from opentelemetry import metrics, propagate, trace
    from opentelemetry.propagators.textmap import Getter
except ImportError:
    # COMPAT: opentelemetry R27
    raise ImportError("The `opentelemetry-api` package is required to use `OpenTelemetryMiddleware`.") from None

# Set while a request is handled, so that it gets one span however many of these middlewares it passes.
_HANDLED: Final = "starlette.opentelemetry"

_Carrier = Iterable[tuple[bytes, bytes]]


class OpenTelemetryMiddleware:
    """Record a server span for each HTTP request, named after its route: `GET /users/{id}`. Experimental.

        app = Starlette(routes=routes, middleware=[Middleware(OpenTelemetryMiddleware, excluded_urls="/health$")])

    It belongs outside of everything whose time and errors are to be counted. The parent comes from the fields of the
    request, by the propagators that are configured globally. WebSockets are not recorded, and nothing is when the
    provider is the API's `NoOpTracerProvider`.

    Args:
        app: The application around which to stand.
        excluded_urls: Regular expressions, in a sequence or with commas in between; a request whose whole URL, query
            included, has a match for one of them gets no span.
        tracer_provider: Where spans come from; None: the global provider, which may be configured later.
        meter_provider: Not used yet.

    Raises:
        re.error: One of `excluded_urls` is no regular expression.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        excluded_urls: str | Sequence[str] = (),
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
    ) -> None:
        self.app = app
        self._asterism_meter_provider = meter_provider
        self._asterism_excluded = _compiled(excluded_urls)
        # COMPAT: `trace.get_tracer_provider` is replaced in its module.
        provider = trace.get_tracer_provider() if tracer_provider is None else tracer_provider
        self._asterism_tracer: trace.Tracer | None = None
        if not isinstance(provider, trace.NoOpTracerProvider):
            self._asterism_tracer = provider.get_tracer("starlette", __version__)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _HANDLED in scope:
            await self.app(scope, receive, send)
            return
        scope[_HANDLED] = True
        try:
            if self._asterism_tracer is None or self._asterism_excludes(scope):
                await self.app(scope, receive, send)
            else:
                await self._asterism_trace(self._asterism_tracer, scope, receive, send)
        finally:
            scope.pop(_HANDLED, None)

    def _asterism_excludes(self, scope: Scope) -> bool:
        if not self._asterism_excluded:
            return False
        url = str(URL(scope=scope))
        return any(pattern.search(url) for pattern in self._asterism_excluded)

    async def _asterism_trace(self, tracer: trace.Tracer, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request within a span."""
        method: str = scope["method"].upper()
        span = tracer.start_span(
            method,
            context=propagate.extract(scope["headers"], getter=_FIELDS),
            kind=trace.SpanKind.SERVER,
            attributes=_request_attributes(scope, method),
        )
        with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            if not span.is_recording():
                await self.app(scope, receive, send)
                return
            try:
                await self.app(scope, receive, _Observed(span, send).send)
            except Exception as exc:
                kind = type(exc)
                span.set_attribute("error.type", kind.__qualname__)
                span.record_exception(exc)
                span.set_status(trace.Status(trace.StatusCode.ERROR, f"{kind.__name__}: {exc}"))
                raise
            finally:
                route = _route_template(scope)
                if route is not None:
                    span.update_name(f"{method} {route}")
                    span.set_attribute("http.route", route)


class _Observed:
    """The way of the messages of one response, whose status goes into the span."""

    __slots__ = ("_send", "_span")

    def __init__(self, span: trace.Span, send: Send) -> None:
        self._span = span
        self._send = send

    async def send(self, message: Message) -> None:
        """Pass on a message."""
        if message["type"] == "http.response.start":
            status: int = message["status"]
            self._span.set_attribute("http.response.status_code", status)
            if status >= 500:
                self._span.set_attribute("error.type", str(status))
                self._span.set_status(trace.Status(trace.StatusCode.ERROR))
        await self._send(message)


class _Fields(Getter[_Carrier]):
    """Reads the fields of a request for the propagators."""

    def get(self, carrier: _Carrier, key: str) -> list[str] | None:
        name = key.lower().encode("latin-1", "replace")
        return [value.decode("latin-1") for field, value in carrier if field.lower() == name] or None

    def keys(self, carrier: _Carrier) -> list[str]:
        return [field.decode("latin-1").lower() for field, _ in carrier]


_FIELDS: Final = _Fields()


def _compiled(patterns: str | Sequence[str]) -> list[re.Pattern[str]]:
    if isinstance(patterns, str):
        # An empty item, as after a final comma, would match every URL.
        patterns = [stripped for item in patterns.split(",") if (stripped := item.strip())]
    return [re.compile(pattern) for pattern in patterns]


def _request_attributes(scope: Scope, method: str) -> dict[str, str | int]:
    """Return what is known when a request begins. Any but the method and the path may be missing in the scope."""
    scheme: str = scope.get("scheme") or "http"
    attributes: dict[str, str | int] = {
        "http.request.method": method,
        "url.path": scope["path"],
        "url.scheme": scheme,
    }
    if scope["method"] != method:
        attributes["http.request.method_original"] = scope["method"]
    if query := scope.get("query_string"):
        attributes["url.query"] = query.decode("utf-8", "backslashreplace")
    url = URL(scope=scope)
    if host := url.hostname:
        attributes["server.address"] = host
    server = scope.get("server")
    port = url.port or (server[1] if server else None)
    if port is not None:
        attributes["server.port"] = port
    if version := scope.get("http_version"):
        attributes["network.protocol.version"] = version
    if client := scope.get("client"):
        attributes["client.address"] = client[0]
    for name, value in scope["headers"]:
        if name == b"user-agent":
            attributes["user_agent.original"] = value.decode("latin-1")
            break
    return attributes


def _route_template(scope: Scope) -> str | None:
    """Return the template of the route that has served a request, such as `/api/users/{id}`; None without one."""
    route: Any = scope.get("route")
    if isinstance(route, Mount):
        return scope.get("root_path", "") or "/"
    template = getattr(route, "path_format", None)
    if not isinstance(template, str):
        return None
    return scope.get("root_path", "").rstrip("/") + template or "/"
