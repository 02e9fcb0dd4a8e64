"""What preflight requests are told."""

from __future__ import annotations

from typing import Any

import pytest

from starlette.datastructures import Headers as RequestHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Receive, Scope, Send
from tests.asgi import body, call
from tests.growth import per_doubling
from tests.starlette.middleware.origins import (
    ORIGIN,
    PREFLIGHT_VARY,
    SAFE,
    Headers,
    cors_headers,
    page,
    preflight,
    scope_of,
)

FIXED = {"vary": PREFLIGHT_VARY, "access-control-allow-methods": "GET", "access-control-max-age": "600"}
LISTED = {**FIXED, "access-control-allow-headers": SAFE}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({}, LISTED, id="R9-always"),
        pytest.param(
            {"allow_origins": [ORIGIN]}, {**LISTED, "access-control-allow-origin": ORIGIN}, id="R10-the-origin"
        ),
        pytest.param({"allow_origins": ["*"]}, {**LISTED, "access-control-allow-origin": "*"}, id="R10-any"),
        pytest.param(
            {"allow_origins": ["*"], "allow_credentials": True},
            {**LISTED, "access-control-allow-origin": ORIGIN, "access-control-allow-credentials": "true"},
            id="R10-any-with-credentials",
        ),
        pytest.param(
            {"allow_credentials": True}, {**LISTED, "access-control-allow-credentials": "true"}, id="R9-credentials"
        ),
        pytest.param(
            {"allow_methods": ("PUT", "GET"), "max_age": 1},
            {**LISTED, "access-control-allow-methods": "PUT, GET", "access-control-max-age": "1"},
            id="R9-methods-in-order",
        ),
        pytest.param(
            {"allow_headers": ["X-Example", "accept"]},
            {**LISTED, "access-control-allow-headers": f"{SAFE}, X-Example, accept"},
            id="R9-headers-sorted",
        ),
        pytest.param({"allow_headers": ["*"]}, FIXED, id="R12-all-and-none-asked"),
        pytest.param({"expose_headers": ["X"]}, LISTED, id="R14-nothing-exposed"),
    ],
)
async def test_headers_of_preflights(options: dict[str, Any], expected: Headers) -> None:
    sent = await preflight(options)
    assert cors_headers(sent) == expected
    assert sent.header("content-type") == "text/plain; charset=utf-8"  # R8
    assert sent.header("content-length") == str(len(sent.body))


HEADERS = {"allow_origins": [ORIGIN], "allow_headers": ["X-A", "x-b"]}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("options", "asked", "text"),
    [
        pytest.param(HEADERS, {}, "OK", id="R12-none-asked"),
        pytest.param(HEADERS, {"request_headers": "X-A"}, "OK", id="R12-listed"),
        pytest.param(HEADERS, {"request_headers": "x-a,X-B , accept,\tContent-Type"}, "OK", id="R12-case-and-blanks"),
        pytest.param(HEADERS, {"request_headers": "x-a, x-c, x-d"}, "Disallowed CORS headers", id="R8-once"),
        pytest.param(HEADERS, {"request_headers": ""}, "Disallowed CORS headers", id="R12-empty"),
        pytest.param(HEADERS, {"request_headers": "x-a,"}, "Disallowed CORS headers", id="R12-final-comma"),
        pytest.param(HEADERS, {"request_headers": "\xe9"}, "Disallowed CORS headers", id="R12-not-ASCII"),
        pytest.param(HEADERS, {"request_headers": "x-a\r\nb"}, "Disallowed CORS headers", id="T03-listed"),
        pytest.param(HEADERS, {"request_method": "get"}, "Disallowed CORS method", id="R11-case"),
        pytest.param(HEADERS, {"request_method": "PUT"}, "Disallowed CORS method", id="R11-unlisted"),
        pytest.param(HEADERS, {"request_method": ""}, "Disallowed CORS method", id="R11-empty"),
        pytest.param({"allow_origins": ["*"], "allow_methods": ["*"]}, {"request_method": "QUERY"}, "OK", id="R11-all"),
        pytest.param(
            {"allow_origins": ["*"], "allow_methods": ["*", "CUSTOM"]},
            {"request_method": "CUSTOM"},
            "Disallowed CORS method",
            id="R11-custom-is-lost-beside-a-star",
        ),
        pytest.param(
            HEADERS, {"request_private_network": "true"}, "Disallowed CORS private-network", id="R13-not-allowed"
        ),
        pytest.param(
            HEADERS, {"request_private_network": "false"}, "Disallowed CORS private-network", id="R13-any-value"
        ),
        pytest.param(
            {},
            {"request_method": "PUT", "request_headers": "X", "request_private_network": ""},
            "Disallowed CORS origin, method, headers, private-network",
            id="R8-order",
        ),
    ],
)
async def test_what_preflights_may_ask_for(options: dict[str, Any], asked: Headers, text: str) -> None:  # T06.1
    sent = await preflight(options, **asked)
    assert sent.body.decode() == text
    assert sent.status == (200 if text == "OK" else 400)
    assert sent.types == ["http.response.start", "http.response.body"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("names", "status", "mirrored"),
    [
        pytest.param("X-A ,,\tx-b, \xe9", 200, "X-A ,,\tx-b, \xe9", id="R12-verbatim"),
        pytest.param("", 200, "", id="R12-empty"),
        pytest.param("a\r\nset-cookie: b", 400, None, id="T03-line-end"),
        pytest.param("a\nb", 400, None, id="T03-line-feed"),
        pytest.param("a\0b", 400, None, id="T03-NUL"),
    ],
)
async def test_all_headers_are_mirrored(names: str, status: int, mirrored: str | None) -> None:
    sent = await preflight({"allow_origins": ["*"], "allow_headers": ["*"]}, request_headers=names)
    assert sent.status == status
    assert sent.header("access-control-allow-headers") == mirrored
    if status == 400:
        assert sent.body == b"Disallowed CORS headers"


@pytest.mark.anyio
async def test_private_networks_are_opt_in() -> None:  # R13, T06.2
    options: dict[str, Any] = {"allow_origins": [ORIGIN], "allow_private_network": True}
    sent = await preflight(options, request_private_network="true")
    assert (sent.status, sent.header("access-control-allow-private-network")) == (200, "true")
    assert (await preflight(options)).header("access-control-allow-private-network") is None
    sent = await call(CORSMiddleware(page, **options), scope_of(ORIGIN, request_private_network="true"))
    assert sent.header("access-control-allow-private-network") is None


@pytest.mark.anyio
async def test_any_origin_is_told_so_on_refusals_too() -> None:  # R10, D5
    sent = await preflight({"allow_origins": ["*"]}, request_method="PUT")
    assert (sent.status, sent.header("access-control-allow-origin")) == (400, "*")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("scope", "is_preflight"),
    [
        pytest.param(scope_of(ORIGIN, "OPTIONS", request_method="GET"), True, id="all-three"),
        pytest.param(scope_of("https://evil.net", "OPTIONS", request_method="GET"), True, id="T06.2-not-allowed"),
        pytest.param(scope_of("", "OPTIONS", request_method=""), True, id="empty-fields-are-there"),
        pytest.param(scope_of(ORIGIN, "OPTIONS"), False, id="no-request-method"),
        pytest.param(scope_of(None, "OPTIONS", request_method="GET"), False, id="no-origin"),
        pytest.param(scope_of(ORIGIN, "GET", request_method="GET"), False, id="another-method"),
        pytest.param(scope_of(ORIGIN, "options", request_method="GET"), False, id="T17-case-of-the-method"),
    ],
)
async def test_what_a_preflight_is(scope: dict[str, Any], is_preflight: bool) -> None:  # R6
    sent = await call(CORSMiddleware(page, [ORIGIN]), scope)
    assert (sent.body == b"page") is not is_preflight
    assert (sent.header("vary") == PREFLIGHT_VARY) is is_preflight


@pytest.mark.anyio
async def test_preflights_do_not_read_and_do_not_reach_the_application() -> None:  # T06.2
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise LookupError

    receive = body()
    await call(CORSMiddleware(app, [ORIGIN]), scope_of(ORIGIN, "OPTIONS", request_method="GET"), receive)
    assert receive.calls == 0


def test_the_time_grows_with_the_requested_headers() -> None:  # T25
    middleware = CORSMiddleware(page, [ORIGIN], allow_headers=[f"x-{number}" for number in range(100)])

    def work(size: int) -> None:
        names = b"x-99, " * size
        middleware.preflight_response(RequestHeaders(raw=[(b"access-control-request-headers", names)]))

    assert per_doubling(work, 5000) < 3
