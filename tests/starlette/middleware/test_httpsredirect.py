"""Plain requests are sent to the same URL over TLS."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from tests.asgi import Record, Script, body, call, http_scope, websocket_scope

DENIAL: dict[str, Any] = {"websocket.http.response": {}}


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("page")(scope, receive, send)


middleware = HTTPSRedirectMiddleware(page)


async def location(host: bytes | None, **keys: Any) -> str | None:
    sent = await call(middleware, http_scope(headers=[] if host is None else [(b"host", host)], **keys))
    assert sent.status == 307
    assert sent.body == b""
    return sent.header("location")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("host", "expected"),
    [
        pytest.param(b"testserver", "https://testserver/", id="R2"),
        pytest.param(b"testserver:123", "https://testserver:123/", id="R3-other-port"),
        pytest.param(b"testserver:80", "https://testserver/", id="R3-80"),
        pytest.param(b"testserver:443", "https://testserver/", id="R3-443"),
        pytest.param(b"testserver:000080", "https://testserver/", id="R3-zeros"),
        pytest.param(b"testserver:" + b"0" * 9999 + b"80", "https://testserver/", id="R3-many-zeros"),
        pytest.param(b"testserver:0", "https://testserver:0/", id="R3-zero"),
        pytest.param(b"testserver:8080", "https://testserver:8080/", id="R3-begins-with-80"),
        pytest.param(b"TestServer", "https://TestServer/", id="R6-as-written"),
        pytest.param(b"TestServer:81", "https://TestServer:81/", id="R6-as-written-with-port"),
        pytest.param(b"TestServer:80", "https://testserver/", id="R6-lower-case"),
        pytest.param(b"[::1]", "https://[::1]/", id="T05-IPv6"),
        pytest.param(b"[::1]:80", "https://[::1]/", id="T05-IPv6-80"),
        pytest.param(b"[::1]:443", "https://[::1]/", id="T05-IPv6-443"),
        pytest.param(b"[::80]", "https://[::80]/", id="T05-IPv6-that-ends-in-80"),
        pytest.param(b"[2001:DB8::1]:8443", "https://[2001:DB8::1]:8443/", id="T05-IPv6-other-port"),
        pytest.param(b"[v1.a:80]", "https://[v1.a:80]/", id="T05-address-of-the-future"),
        pytest.param(b"testserver:65536", "https://server/", id="R4-impossible-port"),
        pytest.param(b"user@evil", "https://server/", id="R4-user"),
        pytest.param(b"evil/", "https://server/", id="R4-path"),
        pytest.param(b"evil?", "https://server/", id="R4-query"),
        pytest.param(b"evil#", "https://server/", id="R4-fragment"),
        pytest.param(b"evil\\", "https://server/", id="R4-backslash"),
        pytest.param(b"evil\r\nx: y", "https://server/", id="T03-line-end"),
        pytest.param(b"[:::]", "https://server/", id="R4-bracket"),
        pytest.param(b"a b", "https://server/", id="R4-blank"),
        pytest.param(b"\xff", "https://server/", id="R4-not-ASCII"),
        pytest.param(b"", "https://server/", id="R4-empty"),
        pytest.param(None, "https://server/", id="R4-absent"),
    ],
)
async def test_authority(host: bytes | None, expected: str) -> None:
    assert await location(host, server=("server", 80)) == expected


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("server", "expected"),
    [
        pytest.param(("::1", 80), "https://[::1]/", id="R4-IPv6"),
        pytest.param(("::1", 443), "https://[::1]/", id="T05-IPv6-443"),
        pytest.param(("::1", 8000), "https://[::1]:8000/", id="T05-IPv6-other-port"),
        pytest.param(("10.0.0.1", 443), "https://10.0.0.1/", id="R3-443"),
    ],
)
async def test_the_address_of_the_server_stands_in(server: Any, expected: str) -> None:
    assert await location(None, server=server) == expected


@pytest.mark.anyio
@pytest.mark.parametrize("server", [None, ("/run/app.sock", None)])
@pytest.mark.parametrize("host", [None, b"a@b"])
async def test_without_any_authority_it_is_a_bad_request(host: bytes | None, server: Any) -> None:  # R5, T02.2
    headers = [] if host is None else [(b"host", host)]
    sent = await call(middleware, http_scope(headers=headers, server=server))
    assert (sent.status, sent.body) == (400, b"Invalid host header")
    assert sent.header("content-type") == "text/plain; charset=utf-8"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        pytest.param({"path": "/a b/\u00e9"}, "https://a/a%20b/%C3%A9", id="R2-escaped"),
        pytest.param({"path": "/r/x", "root_path": "/r"}, "https://a/r/x", id="R2-root-path"),
        pytest.param({"query_string": b"q=1&r=%2F"}, "https://a/?q=1&r=%2F", id="R2-query"),
        pytest.param({"query_string": b"q#f"}, "https://a/?q%23f", id="T05-no-fragment-of-the-query"),
        pytest.param({"path": "/?x#y"}, "https://a/%3Fx%23y", id="T05-no-query-of-the-path"),
        pytest.param({"path": "//evil.org"}, "https://a//evil.org", id="T05-slashes"),
        pytest.param({"path": "/\\evil.org"}, "https://a/%5Cevil.org", id="T05-backslash"),
        pytest.param({"path": "@evil.org"}, "https://a/@evil.org", id="T05-user"),
        pytest.param({"path": ":80@evil.org"}, "https://a/:80@evil.org", id="T05-port"),
        pytest.param({"path": "http://evil.org"}, "https://a/http://evil.org", id="T05-scheme"),
        pytest.param({"path": "/\t/evil\r\n"}, "https://a/%09/evil%0D%0A", id="T05-controls"),
        pytest.param({"method": "POST"}, "https://a/", id="R2-any-method"),
    ],
)
async def test_path_and_query_stay(keys: dict[str, Any], expected: str) -> None:
    assert await location(b"a", **keys) == expected


@given(path=st.text(st.characters(exclude_categories=["Cs"])), query=st.binary())
@settings(max_examples=200, deadline=None)
def test_no_path_leaves_the_host(path: str, query: bytes) -> None:  # T05
    import asyncio

    async def ask() -> str | None:
        return await location(b"a.example", path=path, query_string=query)

    target = asyncio.run(ask())
    assert target is not None
    # As browsers read it: controls are dropped, backslashes are slashes.
    parts = urlsplit(target.replace("\\", "/"))
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "a.example", "")
    assert target.isascii()
    assert target.isprintable()


@pytest.mark.anyio
async def test_websockets_are_redirected_by_a_denial() -> None:  # R7
    sent = await call(middleware, websocket_scope("/chat", headers=[(b"host", b"a:80")], extensions=DENIAL))
    assert sent.types == ["websocket.http.response.start", "websocket.http.response.body"]
    assert (sent.status, sent.header("location")) == (307, "wss://a/chat")


@pytest.mark.anyio
async def test_websockets_without_authority_are_denied() -> None:  # R5, R7
    sent = await call(middleware, websocket_scope(headers=[], server=None, extensions=DENIAL))
    assert (sent.status, sent.body) == (400, b"Invalid host header")


@pytest.mark.anyio
@pytest.mark.parametrize("extensions", [None, {}])
async def test_websockets_are_closed_where_the_server_cannot_deny(extensions: Any) -> None:  # D2
    sent = await call(middleware, websocket_scope(extensions=extensions))
    assert sent.messages == [{"type": "websocket.close", "code": 1008, "reason": ""}]


@pytest.mark.anyio
async def test_what_is_secure_or_no_request_passes_untouched() -> None:  # R1; no loops (T05)
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope, receive, send))

    scopes: list[dict[str, Any]] = [
        http_scope(scheme="https"),
        websocket_scope(scheme="wss"),
        http_scope(scheme="HTTP"),
        {"type": "lifespan"},
        {"type": "other"},
    ]
    receive, send = body(), Record()
    for scope in scopes:
        await HTTPSRedirectMiddleware(app)(scope, receive, send)
    assert [found[0] is scope for scope, found in zip(scopes, seen, strict=True)] == [True] * len(scopes)
    assert all(found[1:] == (receive, send) for found in seen)


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_a_scope_without_a_scheme_is_an_error(kind: str) -> None:  # R1
    with pytest.raises(KeyError, match="scheme"):
        await middleware({"type": kind}, Script(), Record())


@pytest.mark.anyio
@pytest.mark.parametrize("name", [b"x-forwarded-host", b"x-forwarded-proto", b"forwarded", b"x-original-url"])
async def test_forwarding_fields_are_not_believed(name: bytes) -> None:  # T02.6
    sent = await call(middleware, http_scope(headers=[(name, b"https"), (b"host", b"a")]))
    assert sent.header("location") == "https://a/"


@pytest.mark.anyio
async def test_failures_of_the_application_pass() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise LookupError

    sent = Record()
    with pytest.raises(LookupError):
        await HTTPSRedirectMiddleware(app)(http_scope(scheme="https"), body(), sent)
    assert sent.types == ["http.response.start"]
    assert middleware.app is page  # R1
