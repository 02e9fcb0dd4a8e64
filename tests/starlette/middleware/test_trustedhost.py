"""Requests for known hosts only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import ENFORCE_DOMAIN_WILDCARD, TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send
from tests.asgi import Record, Script, body, call, http_scope, websocket_scope

DENIAL: dict[str, Any] = {"websocket.http.response": {}}
REFUSAL = [
    {
        "type": "http.response.start",
        "status": 400,
        "headers": [(b"content-length", b"19"), (b"content-type", b"text/plain; charset=utf-8")],
    },
    {"type": "http.response.body", "body": b"Invalid host header"},
]


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("page")(scope, receive, send)


async def ask(host: bytes | None, hosts: Any, *, www_redirect: bool = True, **keys: Any) -> Record:
    app = TrustedHostMiddleware(page, allowed_hosts=hosts, www_redirect=www_redirect)
    return await call(app, http_scope(headers=[] if host is None else [(b"host", host)], **keys))


@pytest.mark.parametrize(
    ("hosts", "kept", "allow_any"),
    [
        pytest.param(None, ["*"], True, id="R8-none-is-everything"),
        pytest.param(["*"], ["*"], True, id="R8-star"),
        pytest.param(["Example.COM", "*.B.org"], ["example.com", "*.b.org"], False, id="R8-lower-case"),
        pytest.param(("a", "*"), ["a", "*"], True, id="R10-one-star-is-enough"),
        pytest.param([], [], False, id="T07.5-nothing"),
        pytest.param("example.com", ["example.com"], False, id="T07.4-one-name"),
        pytest.param("*.example.com", ["*.example.com"], False, id="T07.4-one-pattern"),
        pytest.param("*", ["*"], True, id="T07.4-one-star"),
    ],
)
def test_attributes(hosts: Any, kept: list[str], allow_any: bool) -> None:  # R8
    middleware = TrustedHostMiddleware(page, allowed_hosts=hosts)
    assert middleware.app is page
    assert middleware.allowed_hosts == kept
    assert middleware.allow_any is allow_any
    assert middleware.www_redirect is True


@pytest.mark.parametrize("pattern", ["*example.com", "ex*mple.com", "*.*.com", "a*", "**"])
def test_stars_elsewhere_are_refused_at_construction(pattern: str) -> None:  # R9, T07.5, T27
    with pytest.raises(AssertionError) as caught:
        TrustedHostMiddleware(page, allowed_hosts=["*", pattern])
    assert str(caught.value) == ENFORCE_DOMAIN_WILDCARD == "Domain wildcard patterns must be like '*.example.com'."


@pytest.mark.parametrize("hosts", ["a.org, b.org", "a.org b.org", b"a.org"])
def test_several_hosts_in_one_string_are_refused(hosts: Any) -> None:  # T07.4
    with pytest.raises(TypeError, match="allowed_hosts must be a list"):
        TrustedHostMiddleware(page, allowed_hosts=hosts)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("host", "hosts", "status"),
    [
        pytest.param(b"example.com", ["example.com"], 200, id="R12-equal"),
        pytest.param(b"EXAMPLE.com:100000", ["Example.com"], 200, id="R11-case-and-port"),
        pytest.param(b"a.b.example.com", ["x", "*.example.com"], 200, id="R12-below"),
        pytest.param(b"[::1]:80", ["[::1]"], 200, id="R12-address"),
        pytest.param(b"other.org", ["example.com"], 400, id="T07.1-unlisted"),
        pytest.param(None, ["example.com"], 400, id="T07.1-absent"),
        pytest.param(None, [""], 400, id="T07.1-absent-and-empty-listed"),
        pytest.param(b"", [""], 400, id="T07.1-empty"),
        pytest.param(b"example.com/", ["example.com"], 400, id="T07.1-path"),
        pytest.param(b"example.com?", ["example.com"], 400, id="T07.1-query"),
        pytest.param(b"example.com#", ["example.com"], 400, id="T07.1-fragment"),
        pytest.param(b"evil@example.com", ["example.com"], 400, id="T07.1-user"),
        pytest.param(b"example.com@evil", ["example.com"], 400, id="T07.1-user-too"),
        pytest.param(b"example.com:80@evil", ["example.com"], 400, id="T07.1-password"),
        pytest.param(b"evil.org\\.example.com", ["*.example.com"], 400, id="T07.1-backslash"),
        pytest.param(b"example.com\r\nx: y", ["example.com"], 400, id="T07.1-line-end"),
        pytest.param(b"example.com\n", ["example.com"], 400, id="T07.1-final-line-feed"),
        pytest.param(b"example.com\0", ["example.com"], 400, id="T07.1-NUL"),
        pytest.param(b" example.com", ["example.com"], 400, id="T07.1-blank"),
        pytest.param(b"[::1", ["[::1]"], 400, id="T07.1-bracket"),
        pytest.param(b"[::1]x", ["[::1]"], 400, id="T07.1-after-the-bracket"),
        pytest.param(b"[fe80::1%25eth0]", ["[fe80::1%25eth0]"], 400, id="T07.1-zone"),
        pytest.param(b"\xff", ["\xff"], 400, id="T07.1-not-ASCII"),
        pytest.param(b"a,b.example.com", ["*.example.com"], 400, id="T07.3-list"),
        pytest.param(b"example.com", [], 400, id="T07.5-empty-list"),
        pytest.param(b"e", "example", 400, id="T07.4-no-letters-of-a-string"),
        pytest.param(b"not a host", ["a", "*"], 200, id="R10-anything-goes"),
        pytest.param(None, None, 200, id="R10-absent-goes"),
    ],
)
async def test_who_is_answered(host: bytes | None, hosts: Any, status: int) -> None:
    sent = await ask(host, hosts)
    assert sent.status == status
    if status == 400:
        assert sent.messages == REFUSAL


@pytest.mark.anyio
@pytest.mark.parametrize("second", [b"example.com", b"evil.org", b""])
@pytest.mark.parametrize("first", [b"example.com", b"evil.org"])
async def test_two_hosts_are_refused(first: bytes, second: bytes) -> None:  # T07.2
    headers = [(b"host", first), (b"accept", b"*/*"), (b"host", second)]
    sent = await call(TrustedHostMiddleware(page, ["example.com"]), http_scope(headers=headers))
    assert sent.messages == REFUSAL


@pytest.mark.anyio
@pytest.mark.parametrize("name", [b"x-forwarded-host", b"forwarded", b"x-original-host", b"x-host"])
async def test_forwarding_fields_are_not_believed(name: bytes) -> None:  # T02.6
    headers = [(name, b"example.com"), (b"host", b"evil.org")]
    sent = await call(TrustedHostMiddleware(page, ["example.com"]), http_scope(headers=headers))
    assert sent.status == 400


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("host", "keys", "location"),
    [
        pytest.param(b"example.com", {}, "http://www.example.com/", id="R13"),
        pytest.param(b"EXAMPLE.com:8080", {}, "http://www.EXAMPLE.com:8080/", id="R13-spelling-and-port"),
        pytest.param(b"example.com:00443", {}, "http://www.example.com:00443/", id="R13-zeros"),
        pytest.param(b"example.com:65536", {}, "http://www.example.com/", id="R13-impossible-port"),
        pytest.param(b"example.com:65536", {"server": None}, "http://www.example.com/", id="R13-and-no-server"),
        pytest.param(
            b"example.com",
            {"scheme": "https", "path": "/a b/\u00e9", "query_string": b"q=1&r=%20#"},
            "https://www.example.com/a%20b/%C3%A9?q=1&r=%20%23",
            id="R13-path-and-query",
        ),
        pytest.param(b"example.com", {"path": "//evil.org/x"}, "http://www.example.com//evil.org/x", id="T05-slashes"),
        pytest.param(b"example.com", {"path": "\\\\evil.org"}, "http://www.example.com/%5C%5Cevil.org", id="T05-back"),
        pytest.param(b"example.com", {"path": "@evil.org"}, "http://www.example.com/@evil.org", id="T05-user"),
        pytest.param(b"example.com", {"path": "/\t\n"}, "http://www.example.com/%09%0A", id="T05-controls"),
    ],
)
async def test_www_is_added_where_only_that_is_missing(host: bytes, keys: dict[str, Any], location: str) -> None:
    sent = await ask(host, ["a.org", "www.example.com"], **keys)
    assert sent.status == 307
    assert sent.header("location") == location
    assert sent.body == b""


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("hosts", "www_redirect", "status"),
    [
        pytest.param(["www.example.com", "example.com"], True, 200, id="R13-an-exact-match-wins"),
        pytest.param(["www.example.com"], False, 400, id="R13-switched-off"),
        pytest.param(["*.example.com"], True, 400, id="R13-not-for-a-star"),
        pytest.param(["www.other.com"], True, 400, id="R13-another-name"),
    ],
)
async def test_www_is_not_added(hosts: list[str], www_redirect: bool, status: int) -> None:
    assert (await ask(b"example.com", hosts, www_redirect=www_redirect)).status == status


@pytest.mark.anyio
@pytest.mark.parametrize(("host", "status"), [(b"other.org", 400), (b"example.com", 307), (b"a@b", 400)])
async def test_websockets_are_denied(host: bytes, status: int) -> None:  # R14, T07.1
    app = TrustedHostMiddleware(page, ["www.example.com"])
    sent = await call(app, websocket_scope(headers=[(b"host", host)], extensions=DENIAL))
    assert sent.types == ["websocket.http.response.start", "websocket.http.response.body"]
    assert sent.status == status
    if status == 307:
        assert sent.header("location") == "ws://www.example.com/"
    else:
        assert sent.body == b"Invalid host header"


@pytest.mark.anyio
@pytest.mark.parametrize("extensions", [None, {}, {"http.response.push": {}}])
async def test_websockets_are_closed_where_the_server_cannot_deny(extensions: Any) -> None:  # D2
    app = TrustedHostMiddleware(page, ["www.example.com"])
    sent = await call(app, websocket_scope(headers=[(b"host", b"example.com")], extensions=extensions))
    assert sent.messages == [{"type": "websocket.close", "code": 1008, "reason": ""}]


@pytest.mark.anyio
async def test_a_trusted_websocket_passes() -> None:  # R10
    async def accept(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})

    app = TrustedHostMiddleware(accept, ["example.com"])
    sent = await call(app, websocket_scope(headers=[(b"host", b"example.com")]))
    assert sent.messages == [{"type": "websocket.accept"}]


@pytest.mark.anyio
async def test_what_passes_is_handed_on_untouched() -> None:  # R10; other scope types
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope, receive, send))

    middleware = TrustedHostMiddleware(app, ["testserver"])
    receive, send = body(), Record()
    scopes: list[dict[str, Any]] = [{"type": "lifespan"}, {"type": "other"}, http_scope()]
    for scope in scopes:
        before = dict(scope)
        await middleware(scope, receive, send)
        assert scope == before
    assert [scope is found[0] for scope, found in zip(scopes, seen, strict=True)] == [True, True, True]
    assert all(found[1:] == (receive, send) for found in seen)


@pytest.mark.anyio
async def test_the_public_list_may_be_changed_while_serving() -> None:
    middleware = TrustedHostMiddleware(page, ["a.org"])
    scope = http_scope(headers=[(b"host", b"b.org")])
    assert (await call(middleware, scope)).status == 400
    middleware.allowed_hosts.append("b.org")
    assert (await call(middleware, scope)).status == 200
    middleware.allowed_hosts[-1] = "c.org"
    assert (await call(middleware, scope)).status == 400
    middleware.allow_any = True
    assert (await call(middleware, scope)).status == 200


@pytest.mark.anyio
async def test_an_application_may_fail_before_and_after_the_start() -> None:
    async def before(scope: Scope, receive: Receive, send: Send) -> None:
        raise LookupError("before")

    async def after(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise LookupError("after")

    for app, types in [(before, []), (after, ["http.response.start"])]:
        sent = Record()
        with pytest.raises(LookupError):
            await TrustedHostMiddleware(app, ["testserver"])(http_scope(), body(), sent)
        assert sent.types == types


@pytest.mark.anyio
async def test_streams_and_unknown_messages_pass_one_by_one() -> None:
    order: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.early_hint", "links": []})
        order.append("made")
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Message) -> None:
        order.append(message["type"])

    await TrustedHostMiddleware(app, ["testserver"])(http_scope(), body(), send)
    assert order == ["http.response.early_hint", "made", "http.response.start"]


@pytest.mark.anyio
async def test_routing_is_not_reached_by_strangers() -> None:  # applications R36
    async def chunks() -> AsyncIterator[bytes]:
        yield b"one"

    async def endpoint(request: Request) -> Response:
        return StreamingResponse(chunks())

    app = Starlette(
        routes=[Route("/", endpoint)],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["testserver"])],
    )
    assert (await call(app)).body == b"one"
    stranger = http_scope("/nowhere", headers=[(b"host", b"evil.org")])
    assert (await call(app, stranger, Script())).messages == REFUSAL
