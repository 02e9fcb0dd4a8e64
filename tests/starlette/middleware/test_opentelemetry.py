"""`starlette.middleware.opentelemetry` (opentelemetry R27-R38)."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from opentelemetry import trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.propagate import get_global_textmap, set_global_textmap
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import starlette
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.opentelemetry import OpenTelemetryMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Host, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.asgi import Record, body, call, http_scope, websocket_scope

MARK = "starlette.opentelemetry"
TRACE = "0af7651916cd43dd8448eb211c80319c"


class Spans:
    """A provider of real spans, and what has become of them."""

    def __init__(self, **options: Any) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False, **options)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    @property
    def all(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    @property
    def only(self) -> ReadableSpan:
        (span,) = self.all
        return span

    @property
    def attributes(self) -> dict[str, Any]:
        """Those of the only span."""
        return dict(self.only.attributes or {})

    def around(self, app: ASGIApp, **options: Any) -> OpenTelemetryMiddleware:
        return OpenTelemetryMiddleware(app, tracer_provider=self.provider, **options)


@pytest.fixture
def spans() -> Iterator[Spans]:
    spans = Spans()
    yield spans
    spans.provider.shutdown()


def answering(status: int = 200) -> ASGIApp:
    return PlainTextResponse("x", status_code=status)


async def endpoint(request: Request) -> Response:
    return PlainTextResponse("x")


async def raw(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("raw")(scope, receive, send)


class Outer:
    class Error(Exception):
        pass


# The module and construction


def test_without_the_api_the_package_is_named() -> None:  # R27
    code = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "try: import starlette.middleware.opentelemetry\n"
        "except ImportError as exc: print(exc, exc.__suppress_context__, exc.__cause__)\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown == ("The `opentelemetry-api` package is required to use `OpenTelemetryMiddleware`. True None\n")


@pytest.mark.anyio
async def test_the_provider_is_the_global_one_by_default(spans: Spans, monkeypatch: pytest.MonkeyPatch) -> None:  # R28
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: spans.provider)
    layer = OpenTelemetryMiddleware(answering(), meter_provider=None)
    monkeypatch.undo()
    await call(layer)
    assert spans.only.name == "GET"


@pytest.mark.anyio
async def test_without_a_configured_provider_nothing_happens() -> None:  # R28
    sent = await call(OpenTelemetryMiddleware(answering()))
    assert sent.body == b"x"


@pytest.mark.anyio
async def test_the_global_provider_may_be_configured_later(
    spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:  # R28
    layer = OpenTelemetryMiddleware(answering())
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", spans.provider)
    await call(layer)
    assert spans.only.name == "GET"


def test_a_bad_pattern_is_refused_at_construction() -> None:  # R29
    with pytest.raises(re.error):
        OpenTelemetryMiddleware(answering(), excluded_urls="(")


# Which requests


@pytest.mark.anyio
@pytest.mark.parametrize("scope", [websocket_scope(), {"type": "lifespan"}], ids=["websocket", "lifespan"])
async def test_other_connections_pass_untouched(scope: dict[str, Any], spans: Spans) -> None:  # R30
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend((scope, receive, send))

    before, receive, send = dict(scope), body(), Record()
    await spans.around(app)(scope, receive, send)
    assert seen[0] is scope
    assert seen[1] is receive
    assert seen[2] is send
    assert scope == before
    assert spans.all == ()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("excluded", "expected"),
    [
        pytest.param("", 1, id="R29-none"),
        pytest.param((), 1, id="R29-none-in-a-sequence"),
        pytest.param("/health$", 0, id="R29-path"),
        pytest.param("other, /health$ ", 0, id="R29-one-of-several"),
        pytest.param("other,", 1, id="D6-an-empty-item"),
        pytest.param(["a{1,2}z", r"^http://testserver/health\?full=true$"], 0, id="R29-whole-url"),
        pytest.param(["health$"], 1, id="R29-not-matched"),
    ],
)
async def test_urls_can_be_excluded(excluded: Any, expected: int, spans: Spans) -> None:
    query = b"full=true" if isinstance(excluded, list) else b""
    sent = await call(spans.around(answering(), excluded_urls=excluded), http_scope("/health", query_string=query))
    assert len(spans.all) == expected
    assert sent.body == b"x"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("outer", "expected"),
    [
        pytest.param({}, 1, id="R31-nested"),
        pytest.param({"excluded_urls": "/"}, 0, id="R31-outer-excludes"),
        pytest.param({"tracer_provider": trace.NoOpTracerProvider()}, 0, id="R30-outer-has-the-no-op-provider"),
    ],
)
async def test_a_request_gets_one_span(outer: dict[str, Any], expected: int, spans: Spans) -> None:
    marks: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        marks.append(scope[MARK])
        await raw(scope, receive, send)

    layer = OpenTelemetryMiddleware(spans.around(app), **{"tracer_provider": spans.provider, **outer})
    scope = http_scope()
    await call(layer, scope)
    assert len(spans.all) == expected
    assert marks == [True]
    assert MARK not in scope


@pytest.mark.anyio
async def test_the_mark_goes_with_an_exception(spans: Spans) -> None:  # R31
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise LookupError

    scope = http_scope()
    with pytest.raises(LookupError):
        await call(spans.around(app), scope)
    assert MARK not in scope


@pytest.mark.anyio
async def test_a_request_within_a_request_gets_its_own_span(spans: Spans) -> None:  # R31
    inner = spans.around(answering())

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await call(inner, http_scope("/inner"))
        await raw(scope, receive, send)

    await call(spans.around(app))
    assert len(spans.all) == 2


@pytest.mark.anyio
async def test_what_is_not_recorded_is_not_watched() -> None:
    quiet = Spans(sampler=ALWAYS_OFF)
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(send)

    send = Record()
    await quiet.around(app)(http_scope(), body(), send)
    assert seen[0] is send
    quiet.provider.shutdown()


# The span


@pytest.mark.anyio
async def test_the_span_of_a_simple_request(spans: Spans) -> None:  # R32, R33, R34, R35
    await call(spans.around(answering()), http_scope("/a", query_string=b"x=1"))
    span = spans.only
    assert span.name == "GET"
    assert span.kind is SpanKind.SERVER
    assert span.parent is None
    assert span.status.status_code is StatusCode.UNSET
    assert span.instrumentation_scope is not None
    assert (span.instrumentation_scope.name, span.instrumentation_scope.version) == (
        "starlette",
        starlette.__version__,
    )
    assert spans.attributes == {
        "http.request.method": "GET",
        "url.path": "/a",
        "url.scheme": "http",
        "url.query": "x=1",
        "server.address": "testserver",
        "server.port": 80,
        "network.protocol.version": "1.1",
        "client.address": "testclient",
        "http.response.status_code": 200,
    }


def host(value: bytes) -> dict[str, Any]:
    return {"headers": [(b"host", value)]}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        pytest.param(
            {"method": "get"},
            {"http.request.method": "GET", "http.request.method_original": "get"},
            id="R34-method-as-it-was-spelled",
        ),
        pytest.param({"query_string": b""}, {"url.query": None}, id="R34-no-query"),
        pytest.param({"query_string": "é".encode()}, {"url.query": "é"}, id="R34-query-utf-8"),
        pytest.param({"query_string": b"\xff"}, {"url.query": "\\xff"}, id="R34-query-of-any-octets"),
        pytest.param({"root_path": "/r", "path": "/r/p"}, {"url.path": "/r/p"}, id="R34-path-with-root"),
        pytest.param(host(b"[::1]:8000"), {"server.address": "::1", "server.port": 8000}, id="R34-ipv6"),
        pytest.param(host(b"EXAMPLE.com"), {"server.address": "example.com", "server.port": 80}, id="R34-lower-case"),
        pytest.param(
            {**host(b"a/b"), "server": ("s", 9)}, {"server.address": "s", "server.port": 9}, id="R34-bad-host"
        ),
        pytest.param(
            {"headers": [(b"user-agent", b"a\xe9"), (b"user-agent", b"b")]},
            {"user_agent.original": "aé"},
            id="R34-user-agent",
        ),
        pytest.param(
            {"headers": [], "server": ("/run/s", None)},
            {"server.address": None, "server.port": None},
            id="R34-unix-socket",
        ),
        pytest.param(
            {"headers": [], "server": None, "client": None, "http_version": None},
            {"server.address": None, "server.port": None, "client.address": None, "network.protocol.version": None},
            id="R38-None",
        ),
    ],
)
async def test_attributes_of_requests(keys: dict[str, Any], expected: dict[str, Any], spans: Spans) -> None:
    await call(spans.around(raw), http_scope(**keys))
    assert {name: spans.attributes.get(name) for name in expected} == expected
    assert spans.attributes["url.scheme"] == "http"


@pytest.mark.anyio
async def test_optional_keys_may_be_missing(spans: Spans) -> None:  # R38
    scope = http_scope(headers=[])
    for key in ("server", "client", "http_version", "scheme", "query_string", "root_path"):
        del scope[key]
    await call(spans.around(raw), scope)
    assert set(spans.attributes) == {"http.request.method", "url.path", "url.scheme", "http.response.status_code"}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        pytest.param(404, None, StatusCode.UNSET, id="R35-4xx"),
        pytest.param(499, None, StatusCode.UNSET, id="R35-499"),
        pytest.param(500, "500", StatusCode.ERROR, id="R35-500"),
        pytest.param(503, "503", StatusCode.ERROR, id="R35-503"),
    ],
)
async def test_the_status_of_the_response(status: int, error: str | None, code: StatusCode, spans: Spans) -> None:
    sent = await call(spans.around(answering(status)))
    assert sent.status == status
    assert spans.attributes["http.response.status_code"] == status
    assert spans.attributes.get("error.type") == error
    assert spans.only.status.status_code is code
    assert spans.only.events == ()


@pytest.mark.anyio
async def test_an_exception_is_recorded_and_raised(spans: Spans) -> None:  # R36
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise Outer.Error("what")

    with pytest.raises(Outer.Error, match="what"):
        await call(spans.around(app))
    span = spans.only
    assert spans.attributes["error.type"] == "Outer.Error"
    assert "http.response.status_code" not in spans.attributes
    assert [event.name for event in span.events] == ["exception"]
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "Error: what")


@pytest.mark.anyio
async def test_a_cancellation_is_no_error(spans: Spans) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await anyio.sleep_forever()

    with anyio.move_on_after(0):
        await call(spans.around(app))
    assert spans.only.status.status_code is StatusCode.UNSET
    assert spans.only.events == ()


@pytest.mark.anyio
async def test_messages_pass_as_they_are(spans: Spans) -> None:
    messages: list[dict[str, Any]] = [
        {"type": "http.response.debug", "info": {}},
        {"type": "http.response.start", "status": 200, "headers": []},
        {"type": "http.response.body", "body": b"a", "more_body": True},
    ]
    sent = Record()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for number, message in enumerate(messages):
            await send(message)
            assert len(sent.messages) == number + 1
        raise LookupError("late")

    with pytest.raises(LookupError, match="late"):
        await spans.around(app)(http_scope(), body(), sent)
    assert all(mine is theirs for mine, theirs in zip(sent.messages, messages, strict=True))


@pytest.mark.anyio
async def test_the_span_is_the_current_one(spans: Spans) -> None:  # R32
    tracer = spans.provider.get_tracer("test")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with tracer.start_as_current_span("inner"):
            await raw(scope, receive, send)

    await call(spans.around(app))
    inner, outer = spans.all
    assert inner.parent is not None
    assert outer.context is not None
    assert inner.parent.span_id == outer.context.span_id


@pytest.mark.anyio
@pytest.mark.parametrize("name", [b"traceparent", b"TraceParent"])
async def test_the_parent_comes_from_the_fields(name: bytes, spans: Spans) -> None:  # R32
    parent = f"00-{TRACE}-b7ad6b7169203331-01".encode()
    states = [(b"tracestate", b"a=1"), (b"TraceState", b"b=2")]
    await call(spans.around(answering()), http_scope(headers=[(name, parent), *states]))
    span = spans.only
    assert span.parent is not None
    assert span.parent.trace_id == int(TRACE, 16)
    assert dict(span.parent.trace_state) == {"a": "1", "b": "2"}


@pytest.mark.anyio
@pytest.mark.parametrize("value", [b"", b"junk", b"\xff\x00", b"00-" + b"0" * 5000])
async def test_a_bad_parent_is_none(value: bytes, spans: Spans) -> None:
    await call(spans.around(answering()), http_scope(headers=[(b"traceparent", value)]))
    assert spans.only.parent is None


@pytest.mark.anyio
async def test_the_global_propagators_are_asked(spans: Spans) -> None:  # R32
    seen: list[Any] = []

    class Keys(W3CBaggagePropagator):
        def extract(self, carrier: Any, context: Any = None, getter: Any = None) -> Any:
            seen.append((getter.keys(carrier), getter.get(carrier, "X-B"), getter.get(carrier, "\u0416")))
            return super().extract(carrier, context, getter)

    before = get_global_textmap()
    set_global_textmap(CompositePropagator([TraceContextTextMapPropagator(), Keys()]))
    try:
        headers = [(b"host", b"h"), (b"X-A", b"1"), (b"x-b", b"\xe9"), (b"x-b", b"3")]
        await call(spans.around(answering()), http_scope(headers=headers))
    finally:
        set_global_textmap(before)
    assert seen == [(["host", "x-a", "x-b", "x-b"], ["é", "3"], None)]


# The route


def make_app(spans: Spans) -> Starlette:
    routes = [
        Route("/", endpoint),
        Route("/u/{id:int}", endpoint),
        Route("/posted", endpoint, methods=["POST"]),
        Mount("/api", routes=[Route("/users/{username}", endpoint), Mount("/in", routes=[Route("/", endpoint)])]),
        Mount("/raw", app=raw),
        Host("raw.org", app=raw),
        Mount("/sub", app=Starlette(routes=[Route("/x", endpoint)])),
    ]
    return Starlette(routes=routes, middleware=[Middleware(OpenTelemetryMiddleware, tracer_provider=spans.provider)])


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "keys", "route"),
    [
        pytest.param("/", {}, "/", id="R37-root"),
        pytest.param("/u/7", {}, "/u/{id}", id="R37-convertors-are-removed"),
        pytest.param("/posted", {}, "/posted", id="R37-another-method-counts"),
        pytest.param("/api/users/ada", {}, "/api/users/{username}", id="R37-mounted"),
        pytest.param("/api/in/", {}, "/api/in/", id="R37-mounted-twice"),
        pytest.param("/api/nothing", {}, "/api", id="R37-nothing-below-a-mount"),
        pytest.param("/raw/x/y", {}, "/raw", id="R37-raw-app"),
        pytest.param("/sub/x", {}, "/sub/x", id="R37-application-in-a-mount"),
        pytest.param("/nothing", {}, None, id="R37-no-route"),
        pytest.param("/x", {"headers": [(b"host", b"raw.org")]}, None, id="R37-host-with-a-raw-app"),
        pytest.param("/root/api/users/a", {"root_path": "/root"}, "/root/api/users/{username}", id="R37-root-path"),
    ],
)
async def test_a_span_is_named_after_its_route(
    path: str, keys: dict[str, Any], route: str | None, spans: Spans
) -> None:  # R33
    await call(make_app(spans), http_scope(path, **keys))
    assert spans.attributes.get("http.route") == route
    assert spans.only.name == ("GET" if route is None else f"GET {route}")


class Formatted:
    def __init__(self, path_format: Any) -> None:
        self.path_format = path_format


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("route", "root", "expected"),
    [
        pytest.param(Formatted("/a"), "/r/", "/r/a", id="R37-slash-of-the-root"),
        pytest.param(Formatted(""), "", "/", id="R37-empty"),
        pytest.param(Formatted(None), "", None, id="R37-no-string"),
        pytest.param(object(), "", None, id="R37-no-format"),
        pytest.param(Mount("", routes=[]), "", "/", id="R37-mount-at-the-root"),
    ],
)
async def test_routes_of_other_kinds(route: Any, root: str, expected: str | None, spans: Spans) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = route
        await raw(scope, receive, send)

    await call(spans.around(app), http_scope(root_path=root))
    assert spans.attributes.get("http.route") == expected


@pytest.mark.anyio
async def test_the_route_is_known_after_an_exception_too(spans: Spans) -> None:  # R36, R37
    async def fail(request: Request) -> Response:
        raise LookupError("what")

    app = Starlette(
        routes=[Route("/fail", fail)],
        middleware=[Middleware(OpenTelemetryMiddleware, tracer_provider=spans.provider)],
    )
    sent = Record()
    with pytest.raises(LookupError):
        await app(http_scope("/fail"), body(), sent)
    assert sent.status == 500
    assert spans.only.name == "GET /fail"
    assert "http.response.status_code" not in spans.attributes
