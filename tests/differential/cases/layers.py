# ruff: noqa: E501  (tables of data are easier to compare in long lines)
"""Stacks of middlewares, body limits at every level, and lifespans."""

from __future__ import annotations

import base64
import itertools
import json
import random
from collections.abc import Iterator, Sequence
from typing import Any, Final

from tests.differential.case import CONNECT, DISCONNECT, Case, Message, body, gone, http, lifespan, older, websocket

DISPATCH: Final = [
    "passes", "adds", "answers", "raises", "raises_http", "raises_after", "catches", "replaces", "discards", "background", "body", "stream",
    "form", "reads_after", "first_chunk", "none", "scope",
]  # fmt: skip
PATHS: Final = [
    "/echo", "/unread", "/stream", "/raise", "/http", "/group", "/late", "/none", "/nothing/", "/odd/", "/start/", "/hints", "/empty", "/view", "/file",
]  # fmt: skip


def case(name: str, layers: Sequence[Any], scope: dict[str, Any], messages: Any = None, **keys: Any) -> Case:
    """Return a case for a stack of middlewares, whose client stays."""
    options: dict[str, Any] = {"layers": list(layers)}
    options.update({key: keys.pop(key) for key in ("limits", "handlers", "outside") if key in keys})
    default = (CONNECT, gone()) if scope["type"] == "websocket" else body(b"some ", b"data")
    sent: tuple[Message, ...] = default if messages is None else messages
    if scope["path"].startswith("/receives/"):
        sent = (*sent, DISCONNECT)
    return Case(f"layers/{name}", "layers.stack", scope, options, tuple(sent), **keys)


def cases() -> Iterator[Case]:
    """Yield the cases of this topic."""
    yield from _base()
    yield from _limits()
    yield from _lifespans()
    yield from _cors()
    yield from _gzip()
    yield from _sessions()
    yield from _hosts()
    yield from _authentication()
    yield from _wsgi()
    yield from _random()


def _base() -> Iterator[Case]:
    for name in DISPATCH:
        for path in PATHS:
            yield case(f"base {name} {path}", [name], http(path, "POST"))
        yield case(f"base {name} twice", [name, name], http("/echo", "POST"))
        yield case(f"base {name} websocket", [name], websocket("/ws"))
        yield case(f"base {name} outside", [name], http("/raise"), outside=True)
        for position in range(3):
            yield case(f"base {name} send fails {position}", [name], http("/stream"), fails_at=position)
    for first, second in itertools.product(
        ["passes", "adds", "body", "catches", "replaces", "background", "stream"], repeat=2
    ):
        for path in ["/echo", "/raise", "/stream"]:
            yield case(f"base pair {first} {second} {path}", [first, second], http(path, "POST"))
    for path in ["/echo", "/swallows", "/receives/", "/stream"]:
        yield case(f"base left {path}", ["passes"], http(path, "POST"), (DISCONNECT,))
        yield case(
            f"base left in the body {path}",
            ["passes", "passes"],
            http(path, "POST"),
            (*body(b"1", b"2")[:1], DISCONNECT),
        )
        yield case(f"base older {path}", ["passes", "adds"], older(http(path, "POST")))
    yield case("base with a pure one between", ["body", "reader", "passes"], http("/echo", "POST"))
    yield case("base pathsend", ["passes"], http("/file", extensions={"http.response.pathsend": {}}))
    yield case("base hints", ["passes"], http("/hints", extensions={"http.response.early_hint": {}}))


def _limits() -> Iterator[Case]:
    levels: list[dict[str, int]] = [
        {}, {"app": 5}, {"app": 0}, {"app": 99}, {"route": 5}, {"mount": 5}, {"deep": 5}, {"router": 5}, {"app": 5, "route": 20}, {"app": 20, "route": 5},
        {"app": 5, "mount": 20}, {"app": 5, "mount": 5, "deep": 20}, {"app": 20, "mount": 20, "deep": 5}, {"app": -1}, {"app": 9, "route": 9},
    ]  # fmt: skip
    for limits in levels:
        for path in [
            "/echo",
            "/mounted/deep",
            "/mounted/unread",
            "/router/echo",
            "/unread",
            "/swallows",
            "/none",
            "/http",
        ]:
            for label, length in {
                "chunked": None,
                "declared": "9",
                "too small": "1",
                "malformed": "abc",
                "negative": "-1",
            }.items():
                if label in {"chunked", "declared"} or path in {"/echo", "/unread"}:
                    headers = {} if length is None else {"content-length": length}
                    yield case(f"limit {limits} {path} {label}", [], http(path, "POST", headers), limits=limits)
        yield case(f"limit {limits} handled", [], http("/echo", "POST"), limits=limits, handlers=True)
        yield case(
            f"limit {limits} handled declared",
            [],
            http("/unread", "POST", {"content-length": "9"}),
            limits=limits,
            handlers=True,
        )
        yield case(f"limit {limits} websocket", [], websocket("/ws"), limits=limits)
        yield case(f"limit {limits} read by a middleware", ["reader"], http("/echo", "POST"), limits=limits)
    for size in [8, 9, 10]:
        yield case(f"limit outside {size}", [["limit", {"max_body_size": size}]], http("/echo", "POST"), outside=True)
        yield case(
            f"limit outside declared {size}",
            [["limit", {"max_body_size": size}]],
            http("/raise", "POST", {"content-length": "9"}),
            outside=True,
        )
        form = {"content-type": "application/x-www-form-urlencoded"}
        yield case(
            f"limit {size} body left",
            [],
            http("/echo", "POST", form),
            (*body(b"12345", b"")[:1], DISCONNECT),
            limits={"app": size},
        )


def _lifespans() -> Iterator[Case]:
    messages = ({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    for form in ["context", "async generator", "generator", "none"]:
        for yields in [None, {}, {"count": 1}]:
            for fails in ["", "start", "end"]:
                for bare in [False, True]:
                    options = {"form": form, "yields": yields, "fails": fails, "bare": bare}
                    name = f"layers/lifespan {form} {yields} {fails} {bare}"
                    yield Case(name, "layers.lifespan", lifespan(), options, messages)
                    if form == "context":
                        yield Case(f"{name} stateless", "layers.lifespan", {"type": "lifespan"}, options, messages)
    stacked = {"form": "context", "layers": ["passes", "adds", "reader"]}
    yield Case("layers/lifespan below middlewares", "layers.lifespan", lifespan(), stacked, messages)


ORIGINS: Final[dict[str, dict[str, Any]]] = {
    "default": {}, "all": {"allow_origins": ["*"]}, "all with credentials": {"allow_origins": ["*"], "allow_credentials": True},
    "one": {"allow_origins": ["https://a.org"], "allow_methods": ["GET", "PUT"], "allow_headers": ["X-Own", "x-low"], "expose_headers": ["X-E", "x-f"]},
    "regex": {"allow_origin_regex": "https://.*\\.org", "allow_methods": ["*"], "allow_headers": ["*"], "allow_credentials": True, "max_age": 5},
    "private": {"allow_origins": ("https://a.org", "null"), "allow_private_network": True, "allow_methods": ("POST",)},
    "frozen": {"allow_origins": frozenset({"https://a.org"}), "allow_headers": {"X-Own"}},
}  # fmt: skip


def _cors() -> Iterator[Case]:
    asked = {
        "plain": {}, "header": {"access-control-request-headers": "X-Own"}, "several": {"access-control-request-headers": "x-own, X-LOW,accept"},
        "unknown": {"access-control-request-headers": "x-other, x-third"}, "empty": {"access-control-request-headers": ""},
        "comma": {"access-control-request-headers": "x-own,"}, "private": {"access-control-request-private-network": "true"},
        "all": {"access-control-request-headers": "nope", "access-control-request-private-network": "false"},
    }  # fmt: skip
    for label, options in ORIGINS.items():
        stack = [["cors", options]]
        for origin in ["https://a.org", "https://b.org.evil", "null", "", "HTTPS://A.ORG"]:
            for method in ["GET", "PUT", "get", "CUSTOM"]:
                for more, headers in asked.items():
                    if (
                        method in {"GET", "PUT"} and (origin == "https://a.org" or more in {"plain", "all"})
                    ) or more == "plain":
                        fields = {"origin": origin, "access-control-request-method": method, **headers}
                        yield case(
                            f"cors {label} preflight {origin!r} {method} {more}",
                            stack,
                            http("/unread", "OPTIONS", fields),
                        )
            for path in ["/unread", "/cors", "/stream", "/http", "/raise"]:
                yield case(f"cors {label} simple {origin!r} {path}", stack, http(path, headers={"origin": origin}))
        for path in ["/unread", "/cors", "/stream", "/start/", "/long", "/raise"]:
            yield case(f"cors {label} no origin {path}", stack, http(path))
        yield case(
            f"cors {label} options without a method", stack, http("/unread", "OPTIONS", {"origin": "https://a.org"})
        )
        yield case(
            f"cors {label} options without origin",
            stack,
            http("/unread", "OPTIONS", {"access-control-request-method": "GET"}),
        )
        yield case(f"cors {label} websocket", stack, websocket("/ws", headers={"origin": "https://a.org"}))
        yield case(f"cors {label} outside", stack, http("/raise", headers={"origin": "https://a.org"}), outside=True)


def _gzip() -> Iterator[Case]:
    rows: dict[str, dict[str, Any]] = {
        "default": {}, "always": {"minimum_size": 0}, "level": {"minimum_size": 10, "compresslevel": 1}, "threads": {"minimum_size": 10, "thread_minimum_size": 100},
        "excluded": {"exclude_content_types": ["Text/Plain; x", "image/*"]}, "nothing excluded": {"exclude_content_types": ()},
    }  # fmt: skip
    paths = [
        "/long",
        "/unread",
        "/stream",
        "/encoded",
        "/file",
        "/http",
        "/raise",
        "/odd/",
        "/hints",
        "/redirect",
        "/late",
    ]
    for label, options in rows.items():
        for accepted in ["gzip", "gzip, deflate, br", "br", "identity", None]:
            headers = {} if accepted is None else {"accept-encoding": accepted}
            for path in paths:
                yield case(f"gzip {label} {accepted} {path}", [["gzip", options]], http(path, headers=headers))
        types = [
            "text/plain",
            "image/png",
            "image/svg+xml",
            "application/json",
            "text/event-stream",
            "application/grpc%2Bproto",
            "video/mp4",
            "",
        ]
        for kind, size in itertools.product(types, [499, 500, 600]):
            query = f"type={kind}&size={size}".encode()
            yield case(
                f"gzip {label} {kind} {size}",
                [["gzip", options]],
                http("/kinds", headers={"accept-encoding": "gzip"}, query=query),
            )
    headers = {"accept-encoding": "gzip", "range": "bytes=0-9"}
    yield case("gzip of a range", [["gzip", {}]], http("/file", headers=headers))
    yield case("gzip HEAD", [["gzip", {}]], http("/long", "HEAD", {"accept-encoding": "gzip"}))
    pathsend: dict[str, Any] = {"http.response.pathsend": {}, "http.response.early_hint": {}}
    for path in ["/file", "/hints"]:
        yield case(
            f"gzip extensions {path}",
            [["gzip", {}]],
            http(path, headers={"accept-encoding": "gzip"}, extensions=pathsend),
        )


def signed(value: bytes, secret: str = "secret", moment: int = 2_000_000_000) -> str:
    """Return a value signed as `itsdangerous.TimestampSigner` does at a moment."""
    import itsdangerous

    class Signer(itsdangerous.TimestampSigner):
        def get_timestamp(self) -> int:
            return moment

    return Signer(secret).sign(value).decode()


def _sessions() -> Iterator[Case]:
    stored = base64.b64encode(json.dumps({"a": 1}).encode())
    cookies = {
        "none": None, "valid": signed(stored), "other key": signed(stored, "other"), "expired": signed(stored, moment=2_000_000_000 - 14 * 86400 - 1),
        "last second": signed(stored, moment=2_000_000_000 - 14 * 86400), "future": signed(stored, moment=2_000_000_001), "junk": "junk", "dots": "a.b.c",
        "empty": "", "cut": signed(stored)[:-1], "empty session": signed(base64.b64encode(b"{}")),
    }  # fmt: skip
    steps = [
        "",
        "get",
        "set",
        "clear",
        "pop",
        "delete",
        "update",
        "bad",
        "scope",
        "nested",
        "set&do=clear",
        "pop&do=set",
        "get&do=pop&do=pop",
    ]
    for label, cookie in cookies.items():
        headers = {} if cookie is None else {"cookie": f"session={cookie}"}
        for step in steps:
            query = f"do={step}".encode() if step else b""
            yield case(
                f"session {label} {step}",
                [["sessions", {"secret_key": "secret"}]],
                http("/session", headers=headers, query=query),
            )
        yield case(
            f"session {label} websocket", [["sessions", {"secret_key": "secret"}]], websocket("/ws", headers=headers)
        )
    rows: dict[str, dict[str, Any]] = {
        "name": {"session_cookie": "s", "path": "/p", "domain": "d"}, "https": {"https_only": True, "same_site": "strict"}, "no age": {"max_age": None},
        "age 0": {"max_age": 0}, "negative age": {"max_age": -1}, "partitioned": {"partitioned": True, "same_site": "none"},
    }  # fmt: skip
    for label, options in rows.items():
        for step in ["set", "clear", "get"]:
            headers = {"cookie": f"session={signed(stored)}; s={signed(stored)}"}
            stack = [["sessions", {"secret_key": "secret", **options}]]
            yield case(
                f"session options {label} {step}", stack, http("/session", headers=headers, query=f"do={step}".encode())
            )
    yield case("session without middleware", [], http("/session", query=b"do=get"))


def _hosts() -> Iterator[Case]:
    rows = {
        "any": ["*"], "one": ["example.com"], "sub": ["*.example.com"], "www": ["www.example.com"], "both": ["example.com", "www.example.com"],
        "none": None, "empty": [], "ipv6": ["[::1]"], "upper": ["EXAMPLE.com"], "port": ["example.com:80"],
    }  # fmt: skip
    names = [
        "example.com", "EXAMPLE.com", "example.com:8000", "www.example.com", "a.b.example.com", "example.com.evil.org", "xexample.com", "[::1]:80", "::1",
        "bad host", "user@example.com", "example.com:99999", "example.com:x", "",
    ]  # fmt: skip
    for label, allowed in rows.items():
        for name in names:
            yield case(
                f"hosts {label} {name!r}",
                [["hosts", {"allowed_hosts": allowed}]],
                http("/unread", headers={"host": name}, query=b"a=1"),
            )
        yield case(
            f"hosts {label} websocket",
            [["hosts", {"allowed_hosts": allowed}]],
            websocket("/ws", headers={"host": "example.com"}),
        )
        yield case(f"hosts {label} absent", [["hosts", {"allowed_hosts": allowed}]], {**http("/unread"), "headers": []})
    options = {"allowed_hosts": ["www.example.com"], "www_redirect": False}
    yield case("hosts without redirect", [["hosts", options]], http("/unread", headers={"host": "example.com"}))
    for pattern in ["*example.com", "ex*mple.com", "*.*.com", "a*", "**"]:
        yield case(f"hosts bad pattern {pattern}", [["hosts", {"allowed_hosts": [pattern]}]], http("/unread"))
    for name in ["testserver", "testserver:123", "testserver:80", "testserver:000080", "[::1]:8080", "[:::]", "user@evil", "testserver:65536", "TestServer:1", "TestServer"]:  # fmt: skip
        for scheme in ["http", "https"]:
            scope = http("/a b/\u00e9", headers={"host": name}, query=b"x=1&y=%20", scheme=scheme, root_path="/a b")
            yield case(f"https {name} {scheme}", [["https", {}]], scope)
            secure = "ws" if scheme == "http" else "wss"
            yield case(
                f"https websocket {name} {scheme}",
                [["https", {}]],
                websocket("/ws", headers={"host": name}, scheme=secure),
            )
        yield case(
            f"https without server {name}", [["https", {}]], http("/unread", headers={"host": name}, server=None)
        )
        yield case(f"https server {name}", [["https", {}]], http("/unread", headers={"host": name}, server=("::1", 80)))


def _authentication() -> Iterator[Case]:
    fields = {"none": None, "valid": "Basic " + base64.b64encode(b"tom:x").decode(), "bad": "Basic !!!", "boom": "boom"}
    for label, field in fields.items():
        headers = {} if field is None else {"authorization": field}
        for own in [{}, {"own": True}]:
            for path in ["/user", "/none", "/raise"]:
                yield case(
                    f"authentication {label} {own} {path}", [["authentication", own]], http(path, headers=headers)
                )
            yield case(
                f"authentication {label} {own} websocket", [["authentication", own]], websocket("/ws", headers=headers)
            )
    yield case("authentication without middleware", [], http("/user"))


def _wsgi() -> Iterator[Case]:
    for path in ["/wsgi/", "/wsgi/status", "/wsgi/exc", "/wsgi/raises", "/wsgi/\u5c0f/a b", "/wsgi/x/"]:
        for label, keys in dict[str, dict[str, Any]]({
            "plain": {}, "fields": {"headers": [("content-type", "a/b"), ("content-length", "9"), ("x-a", "1"), ("x-a", "2")], "query": b"a=1&b=%20"},
            "no server": {"server": None, "client": None}, "root": {"root_path": "/r", "path": "/r" + path}, "https": {"scheme": "https", "http_version": "2"},
        }).items():  # fmt: skip
            keys = dict(keys)
            scope = http(keys.pop("path", path), "POST", **keys)
            yield Case(f"layers/wsgi {path} {label}", "layers.wsgi", scope, {}, body(b"some ", b"data"))
    yield Case("layers/wsgi websocket", "layers.wsgi", websocket("/wsgi/"), {}, (CONNECT,))


def _random() -> Iterator[Case]:
    chance = random.Random(23)
    packaged: list[Any] = [
        ["cors", {"allow_origins": ["https://a.org"], "allow_credentials": True}], ["gzip", {"minimum_size": 10}], ["sessions", {"secret_key": "secret"}],
        ["hosts", {"allowed_hosts": ["testserver"]}], ["stamp", {"name": "s"}], "reader", ["limit", {"max_body_size": 12}], ["authentication", {}],
    ]  # fmt: skip
    functions = ["passes", "adds", "catches", "background", "body", "reads_after", "replaces", "stream"]
    for index in range(200):
        layers = chance.sample(packaged, chance.randint(0, 4)) + [
            chance.choice(functions) for _ in range(chance.randint(0, 3))
        ]
        chance.shuffle(layers)
        path = chance.choice(
            ["/echo", "/unread", "/stream", "/raise", "/http", "/long", "/session", "/user", "/empty", "/late", "/none"]
        )
        headers = chance.choice(
            [{}, {"origin": "https://a.org", "accept-encoding": "gzip"}, {"accept-encoding": "gzip"}, {"host": "evil"}]
        )
        scope = http(path, chance.choice(["GET", "POST"]), headers, query=b"do=set" if path == "/session" else b"")
        yield case(f"random {index} {path}", layers, scope, outside=chance.random() < 0.15)
