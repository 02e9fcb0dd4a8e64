"""Which responses pages of other origins may read."""

from __future__ import annotations

import re
from typing import Any

import pytest

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import ALL_METHODS, SAFELISTED_HEADERS, CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send
from tests.asgi import Record, body, call, http_scope
from tests.starlette.middleware.origins import (
    ORIGIN,
    PREFLIGHT_VARY,
    SAFE,
    Headers,
    answering,
    cors_headers,
    page,
    preflight,
    scope_of,
    simple,
)

# -- construction ------------------------------------------------------------------------------------------------------


def test_constants() -> None:
    assert ALL_METHODS == ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY")
    assert {"Accept", "Accept-Language", "Content-Language", "Content-Type"} == SAFELISTED_HEADERS


def test_attributes_without_options() -> None:  # R1, R4
    middleware = CORSMiddleware(page)
    assert middleware.app is page
    assert middleware.allow_origins == ()
    assert middleware.allow_methods == ("GET",)
    assert middleware.allow_headers == ["accept", "accept-language", "content-language", "content-type"]
    assert (middleware.allow_all_origins, middleware.allow_all_headers) == (False, False)
    assert middleware.preflight_explicit_allow_origin is True
    assert middleware.allow_origin_regex is None
    assert (middleware.allow_credentials, middleware.allow_private_network) == (False, False)
    assert middleware.simple_headers == {}
    assert middleware.preflight_headers == {
        "Vary": PREFLIGHT_VARY,
        "Access-Control-Allow-Methods": "GET",
        "Access-Control-Max-Age": "600",
        "Access-Control-Allow-Headers": SAFE,
    }


def test_attributes_with_options() -> None:  # R2, R4
    origins = ["*"]
    middleware = CORSMiddleware(
        page,
        allow_origins=origins,
        allow_methods=["CUSTOM", "*"],
        allow_headers=frozenset({"X-B", "a"}),
        allow_credentials=True,
        allow_origin_regex="https://.*",
        allow_private_network=True,
        expose_headers=["A", "B"],
        max_age=5,
    )
    assert middleware.allow_origins is origins
    assert middleware.allow_methods == ALL_METHODS
    assert middleware.allow_headers[-2:] == ["x-b", "a"]  # R4: sorted in the original spelling
    assert middleware.allow_all_origins is True
    assert middleware.preflight_explicit_allow_origin is True
    assert middleware.allow_origin_regex == re.compile("https://.*")
    assert middleware.allow_private_network is True
    assert middleware.simple_headers == {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "A, B",
    }
    assert middleware.preflight_headers == {
        "Vary": PREFLIGHT_VARY,
        "Access-Control-Allow-Methods": ", ".join(ALL_METHODS),
        "Access-Control-Max-Age": "5",
        "Access-Control-Allow-Headers": f"{SAFE}, X-B, a",
        "Access-Control-Allow-Credentials": "true",
    }


def test_a_bad_pattern_is_refused_at_construction() -> None:  # R3
    with pytest.raises(re.error):
        CORSMiddleware(page, allow_origin_regex="(")


@pytest.mark.parametrize("option", ["allow_origins", "allow_methods", "allow_headers", "expose_headers"])
@pytest.mark.parametrize("value", ["A, B", "A B", b"A"])
def test_several_words_in_one_string_are_refused(option: str, value: Any) -> None:  # T06.3
    options: dict[str, Any] = {option: value}
    with pytest.raises(TypeError, match=f"{option} must be a list"):
        CORSMiddleware(page, **options)


@pytest.mark.parametrize("option", ["allow_methods", "allow_headers", "expose_headers"])
@pytest.mark.parametrize("octet", ["\r\n", "\n", "\0"])
def test_options_that_would_end_a_header_are_refused(option: str, octet: str) -> None:  # T03
    options: dict[str, Any] = {option: [f"A{octet}B"]}
    with pytest.raises(ValueError, match="CR, LF"):
        CORSMiddleware(page, **options)


def test_one_string_is_a_list_of_it() -> None:  # T06.3, D2
    middleware = CORSMiddleware(page, ORIGIN, "PUT", "X-A", expose_headers="X-B")
    assert middleware.allow_origins == (ORIGIN,)
    assert middleware.allow_methods == ("PUT",)
    assert middleware.allow_headers[-1] == "x-a"
    assert middleware.simple_headers["Access-Control-Expose-Headers"] == "X-B"
    assert middleware.is_allowed_origin(ORIGIN)
    assert not middleware.is_allowed_origin("https://example.or")


def test_one_star_is_a_list_of_it() -> None:  # T06.3
    middleware = CORSMiddleware(page, "*", "*", "*")
    assert middleware.allow_all_origins
    assert middleware.allow_methods == ALL_METHODS
    assert middleware.allow_all_headers


# -- origins -----------------------------------------------------------------------------------------------------------

PATTERN = r"https://[^.]+\.example\.org|http://localhost(:\d+)?"
SOME = {"allow_origins": [ORIGIN, "null"], "allow_origin_regex": PATTERN, "allow_credentials": True}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        pytest.param(ORIGIN, True, id="R7-listed"),
        pytest.param("null", True, id="R7-null-is-a-string"),
        pytest.param("https://a.example.org", True, id="R7-pattern"),
        pytest.param("http://localhost:80", True, id="R7-pattern-port"),
        pytest.param("https://Example.org", False, id="R7-case"),
        pytest.param("https://example.org/", False, id="R7-slash"),
        pytest.param("https://example.org:443", False, id="R7-port"),
        pytest.param("http://example.org", False, id="R7-scheme"),
        pytest.param("https://example.or", False, id="T06.1-beginning"),
        pytest.param("xhttps://example.org", False, id="T06.1-end"),
        pytest.param("https://example.org.evil.net", False, id="T06.1-more"),
        pytest.param("https://a.example.org.evil.net", False, id="T06.1-pattern-and-more"),
        pytest.param("https://evil.net/https://a.example.org", False, id="T06.1-pattern-inside"),
        pytest.param("https://axexample.org", False, id="T06.1-dot-of-the-pattern"),
        pytest.param("https://example.org, https://evil.net", False, id="T06.1-list"),
        pytest.param("https://example.org null", False, id="T06.1-blank"),
        pytest.param("*", False, id="T06.1-star"),
        pytest.param("", False, id="T06.1-empty"),
        pytest.param("Null", False, id="T06.1-null-in-other-case"),
        pytest.param("\xff", False, id="T06.1-not-ASCII"),
        pytest.param("https://a\r\nx:y.example.org", False, id="T03-line-end-that-the-pattern-matches"),
        pytest.param("https://a\n.example.org", False, id="T03-line-feed"),
        pytest.param("https://a\0.example.org", False, id="T03-NUL"),
        pytest.param("https://a.example.org\n", False, id="T03-final-line-feed"),
    ],
)
async def test_only_allowed_origins_are_named(origin: str, allowed: bool) -> None:  # T06.1
    sent = await simple(SOME, origin)
    assert sent.header("access-control-allow-origin") == (origin if allowed else None)
    assert (sent.status, sent.body) == (200, b"page")  # R20
    sent = await preflight(SOME, origin)
    assert sent.header("access-control-allow-origin") == (origin if allowed else None)
    assert (sent.status, sent.body) == ((200, b"OK") if allowed else (400, b"Disallowed CORS origin"))


@pytest.mark.anyio
@pytest.mark.parametrize("origin", ["https://a\r\nset-cookie: a=b", "a\nb", "a\0b"])
@pytest.mark.parametrize("credentials", [True, False])
async def test_what_would_end_a_header_is_not_repeated(origin: str, credentials: bool) -> None:  # T03
    options = {"allow_origins": ["*"], "allow_credentials": credentials}
    sent = await simple(options, origin)
    assert cors_headers(sent) == {"vary": "Origin"}
    sent = await preflight(options, origin)
    assert (sent.status, sent.body) == (400, b"Disallowed CORS origin")
    assert not any(octet in value for _, value in sent.headers for octet in (b"\r", b"\n", b"\0"))


@pytest.mark.anyio
async def test_a_second_origin_is_no_bypass() -> None:  # T06.2
    for first, second in [("https://evil.net", ORIGIN), (ORIGIN, "https://evil.net")]:
        scope = http_scope(headers=[(b"origin", first.encode()), (b"origin", second.encode())])
        sent = await call(CORSMiddleware(page, [ORIGIN]), scope)
        assert sent.header("access-control-allow-origin") == (ORIGIN if first == ORIGIN else None)


# -- responses ---------------------------------------------------------------------------------------------------------

CREDENTIALS = {"access-control-allow-credentials": "true"}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("options", "origin", "expected"),
    [
        pytest.param({"allow_origins": ["*"], "expose_headers": ["A"]}, None, {}, id="R16-no-origin"),
        pytest.param({"allow_origins": ["*"]}, ORIGIN, {"access-control-allow-origin": "*"}, id="R17-any"),
        pytest.param({"allow_origins": ["*"]}, "", {"access-control-allow-origin": "*"}, id="R17-any-and-empty"),
        pytest.param(
            {"allow_origins": ["*"], "allow_credentials": True},
            ORIGIN,
            {"access-control-allow-origin": ORIGIN, **CREDENTIALS},
            id="R17-any-with-credentials",
        ),
        pytest.param({"allow_origins": [ORIGIN]}, ORIGIN, {"access-control-allow-origin": ORIGIN}, id="R17-listed"),
        pytest.param({"allow_origins": [ORIGIN]}, "https://evil.net", {}, id="R17-not-listed"),
        pytest.param(
            {"allow_origins": [ORIGIN], "allow_credentials": True, "expose_headers": ["A", "B"]},
            "https://evil.net",
            {"access-control-expose-headers": "A, B", **CREDENTIALS},
            id="R17-not-listed-gets-the-rest",
        ),
        pytest.param(
            {"allow_origins": [ORIGIN], "allow_credentials": True, "expose_headers": ["A", "B"]},
            ORIGIN,
            {"access-control-expose-headers": "A, B", "access-control-allow-origin": ORIGIN, **CREDENTIALS},
            id="R17-everything",
        ),
    ],
)
async def test_headers_of_simple_responses(options: dict[str, Any], origin: str | None, expected: Headers) -> None:
    # T06.2
    sent = await simple(options, origin)
    assert cors_headers(sent) == {"vary": "Origin", **expected}
    assert (sent.status, sent.body, sent.header("content-length")) == (200, b"page", "4")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("origin", "expected"),
    [pytest.param(ORIGIN, ORIGIN, id="set"), pytest.param("https://evil.net", "https://own.org", id="left-alone")],
)
async def test_headers_of_the_application_are_replaced_where_set(origin: str, expected: str) -> None:  # R18
    app = answering((b"access-control-allow-origin", b"https://own.org"), (b"x", b"y"))
    sent = await simple({"allow_origins": [ORIGIN]}, origin, app)
    assert sent.headers == [
        (b"access-control-allow-origin", expected.encode()),
        (b"x", b"y"),
        (b"vary", b"Origin"),
    ]


@pytest.mark.anyio
@pytest.mark.parametrize("origin", [None, ORIGIN])
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([b"Accept-Encoding"], "Accept-Encoding, Origin"),
        ([b"Accept-Encoding", b"Accept-Language"], "Accept-Encoding, Accept-Language, Origin"),
        ([b"origin"], "origin"),
        ([b"*"], "*"),
    ],
)
async def test_vary_is_merged(values: list[bytes], expected: str, origin: str | None) -> None:  # R19, D1
    app = answering(*((b"vary", value) for value in values))
    sent = await simple({"allow_origins": ["*"]}, origin, app)
    assert [value for name, value in sent.headers if name == b"vary"] == [expected.encode()]


@pytest.mark.anyio
async def test_compression_outside_adds_to_vary() -> None:  # R22
    app = answering((b"vary", b"X"), (b"content-type", b"text/plain"))
    scope = scope_of(ORIGIN)
    scope["headers"].append((b"accept-encoding", b"gzip"))
    sent = await call(GZipMiddleware(CORSMiddleware(app, ["*"]), minimum_size=0), scope)
    assert [value for name, value in sent.headers if name == b"vary"] == [b"X, Origin, Accept-Encoding"]


@pytest.mark.anyio
async def test_nothing_is_kept_between_requests() -> None:  # R21, threats R16, T15.5
    constant = PlainTextResponse("constant", headers={"x": "y"})
    message: Message = {"type": "http.response.start", "status": 200, "headers": ((b"x", b"y"),)}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/response":
            await constant(scope, receive, send)
        else:
            await send(message)

    middleware = CORSMiddleware(app, [ORIGIN, "https://b.org"], allow_credentials=True)
    for path in ("/response", "/message"):
        for origin in (ORIGIN, "https://b.org", "https://evil.net", None):
            sent = await call(middleware, {**scope_of(origin), "path": path})
            allowed = None if origin == "https://evil.net" else origin
            assert sent.header("access-control-allow-origin") == allowed
            assert [value for name, value in sent.headers if name == b"vary"] == [b"Origin"]
    assert constant.raw_headers == PlainTextResponse("constant", headers={"x": "y"}).raw_headers
    assert message == {"type": "http.response.start", "status": 200, "headers": ((b"x", b"y"),)}


@pytest.mark.anyio
async def test_a_start_without_headers_gets_some() -> None:  # R15
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204})

    sent = await simple({}, None, app)
    assert sent.messages == [{"type": "http.response.start", "status": 204, "headers": [(b"vary", b"Origin")]}]


@pytest.mark.anyio
async def test_other_messages_pass_unchanged_and_one_by_one() -> None:  # R15; streams are not gathered
    others: list[Message] = [
        {"type": "http.response.early_hint", "links": [b"x"]},
        {"type": "http.response.start", "status": 200, "headers": []},
        {"type": "http.response.body", "body": b"a", "more_body": True},
        {"type": "http.response.unknown"},
        {"type": "http.response.body", "body": b"b"},
        {"type": "http.response.trailers", "headers": []},
    ]
    passed: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in others:
            await send(message)
            assert passed[-1] is message or message["type"] == "http.response.start"

    async def send(message: Message) -> None:
        passed.append(message)

    await CORSMiddleware(app, ["*"])(scope_of(ORIGIN), body(), send)
    assert [message["type"] for message in passed] == [message["type"] for message in others]


@pytest.mark.anyio
async def test_other_scope_types_pass_untouched() -> None:  # R5
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope, receive, send))

    middleware = CORSMiddleware(app, ["*"])
    receive, send = body(), Record()
    for kind in ("websocket", "lifespan", "other"):
        scope = {"type": kind}
        await middleware(scope, receive, send)
        assert seen.pop() == (scope, receive, send)
        assert scope == {"type": kind}


@pytest.mark.anyio
async def test_an_application_may_fail_before_and_after_the_start() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/after":
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise LookupError

    for path, types in (("/before", []), ("/after", ["http.response.start"])):
        sent = Record()
        with pytest.raises(LookupError):
            await CORSMiddleware(app, ["*"])({**scope_of(ORIGIN), "path": path}, body(), sent)
        assert sent.types == types


async def failing(request: Request) -> Response:
    raise LookupError


@pytest.mark.anyio
async def test_errors_made_further_out_are_reached_from_outside_only() -> None:  # R23
    inside = Starlette(routes=[Route("/", failing)], middleware=[Middleware(CORSMiddleware, allow_origins=["*"])])
    outside = CORSMiddleware(Starlette(routes=[Route("/", failing)]), allow_origins=["*"])
    for app, allowed in ((inside, None), (outside, "*")):
        sent = Record()
        with pytest.raises(LookupError):
            await app(scope_of(ORIGIN), body(), sent)
        assert (sent.status, sent.header("access-control-allow-origin")) == (500, allowed)
