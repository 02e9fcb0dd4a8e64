"""What subclasses and tools override in the CORS middleware, and the shortcuts that stand in for it."""

from __future__ import annotations

from typing import Any

import pytest

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send
from tests.asgi import call
from tests.starlette.middleware.origins import (
    ORIGIN,
    answering,
    page,
    scope_of,
)


class PlainPath(CORSMiddleware):
    """Overrides the hooks with what they do anyway, which switches the shortcuts off."""

    async def send(self, message: Message, send: Send, request_headers: Any) -> None:
        await super().send(message, send, request_headers)

    def preflight_response(self, request_headers: Any) -> Response:
        return super().preflight_response(request_headers)


@pytest.mark.anyio
@pytest.mark.parametrize("origin", [None, ORIGIN, "https://evil.net", "", "a\r\nb", "https://b.org"])
@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"allow_origins": ["*"]}, id="any"),
        pytest.param({"allow_origins": ["*"], "allow_credentials": True, "expose_headers": ["A"]}, id="any-cred"),
        pytest.param({"allow_origins": [ORIGIN], "allow_headers": ["*"], "expose_headers": ["A"]}, id="listed"),
        pytest.param({"allow_origin_regex": r"(?s)[^:]*://b\..*|a.*", "allow_credentials": True}, id="pattern"),
    ],
)
@pytest.mark.parametrize(
    "fields",
    [
        pytest.param([(b"x", b"y")], id="others"),
        pytest.param([(b"vary", b"A"), (b"x", b"y"), (b"vary", b"B")], id="vary"),
        pytest.param([(b"access-control-allow-origin", b"o")] * 2, id="own-origin"),
        pytest.param([(b"access-control-expose-headers", b"Z"), (b"vary", b"Origin")], id="own-exposed"),
    ],
)
async def test_the_shortcut_does_what_the_plain_path_does(
    options: dict[str, Any], origin: str | None, fields: list[tuple[bytes, bytes]]
) -> None:
    asked = {"request_method": "GET", "request_headers": "x", "request_private_network": "1"}
    for scope in (scope_of(origin), scope_of(origin, "OPTIONS", **asked)):
        short = await call(CORSMiddleware(answering(*fields), **options), dict(scope))
        plain = await call(PlainPath(answering(*fields), **options), dict(scope))
        assert short.messages == plain.messages


@pytest.mark.anyio
async def test_hooks_of_subclasses_are_called() -> None:
    called: list[str] = []

    class Hooked(CORSMiddleware):
        def is_allowed_origin(self, origin: str) -> bool:
            called.append(f"is_allowed_origin {origin}")
            return super().is_allowed_origin(origin)

        def preflight_response(self, request_headers: Any) -> Response:
            called.append(f"preflight_response {request_headers['origin']}")
            return super().preflight_response(request_headers)

        async def simple_response(self, scope: Scope, receive: Receive, send: Send, request_headers: Any) -> None:
            called.append("simple_response")
            await super().simple_response(scope, receive, send, request_headers)

        async def send(self, message: Message, send: Send, request_headers: Any) -> None:
            called.append(f"send {message['type']}")
            await super().send(message, send, request_headers)

        @staticmethod
        def allow_explicit_origin(headers: Any, origin: str) -> None:
            called.append(f"allow_explicit_origin {origin}")
            CORSMiddleware.allow_explicit_origin(headers, origin)

    middleware = Hooked(page, [ORIGIN])
    sent = await call(middleware, scope_of(ORIGIN))
    assert sent.header("access-control-allow-origin") == ORIGIN
    assert called == [
        "simple_response",
        "send http.response.start",
        f"is_allowed_origin {ORIGIN}",
        f"allow_explicit_origin {ORIGIN}",
        "send http.response.body",
    ]
    called.clear()
    await call(middleware, scope_of(ORIGIN, "OPTIONS", request_method="GET"))
    assert called == [f"preflight_response {ORIGIN}", f"is_allowed_origin {ORIGIN}"]


@pytest.mark.anyio
async def test_one_hook_is_enough() -> None:
    class OnlyOrigins(CORSMiddleware):
        def is_allowed_origin(self, origin: str) -> bool:
            return origin.endswith(".org")

    class OnlyExplicit(CORSMiddleware):
        @staticmethod
        def allow_explicit_origin(headers: Any, origin: str) -> None:
            headers["x-origin"] = origin

    class OnlySimple(CORSMiddleware):
        async def simple_response(self, scope: Scope, receive: Receive, send: Send, request_headers: Any) -> None:
            await PlainTextResponse("instead")(scope, receive, send)

    assert (await call(OnlyOrigins(page), scope_of(ORIGIN))).header("access-control-allow-origin") == ORIGIN
    assert (await call(OnlyExplicit(page, [ORIGIN]), scope_of(ORIGIN))).header("x-origin") == ORIGIN
    assert (await call(OnlySimple(page), scope_of(None))).body == b"instead"


@pytest.mark.anyio
async def test_a_method_replaced_while_serving_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    middleware = CORSMiddleware(page, [ORIGIN])
    assert (await call(middleware, scope_of(ORIGIN))).body == b"page"
    monkeypatch.setattr(CORSMiddleware, "preflight_response", lambda self, request_headers: PlainTextResponse("mine"))
    sent = await call(middleware, scope_of(ORIGIN, "OPTIONS", request_method="GET"))
    assert sent.body == b"mine"


@pytest.mark.anyio
async def test_public_attributes_may_be_changed_while_serving() -> None:  # R4
    middleware = CORSMiddleware(page, [ORIGIN])
    preflight_scope = scope_of("https://b.org", "OPTIONS", request_method="PUT", request_headers="x-a")
    assert (await call(middleware, preflight_scope)).body == b"Disallowed CORS origin, method, headers"
    middleware.allow_origins = ["https://b.org"]
    middleware.allow_methods = ["PUT"]
    middleware.allow_headers.append("x-a")
    middleware.preflight_headers["X-Preflight"] = "1"
    middleware.preflight_headers["Access-Control-Allow-Origin"] = "replaced"
    middleware.simple_headers["X-Simple"] = "2"
    sent = await call(middleware, preflight_scope)
    assert (sent.body, sent.header("x-preflight")) == (b"OK", "1")
    assert sent.header("access-control-allow-origin") == "https://b.org"
    sent = await call(middleware, scope_of("https://b.org"))
    assert sent.header("x-simple") == "2"
    assert sent.header("access-control-allow-origin") == "https://b.org"


def test_preflight_response_can_be_called_by_itself() -> None:
    headers = Request(scope_of(ORIGIN, "OPTIONS", request_method="GET")).headers
    response = CORSMiddleware(page, [ORIGIN]).preflight_response(headers)
    assert (response.status_code, response.body) == (200, b"OK")
    assert response.headers["access-control-allow-origin"] == ORIGIN
    response.headers["x"] = "y"
    assert "x" not in CORSMiddleware(page, [ORIGIN]).preflight_response(headers).headers
