# ruff: noqa: E501  (tables of data are easier to compare in long lines)
"""Responses: all classes and arguments, cookies, streams and what ends them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.differential.case import CONNECT, Case, body, http, older, websocket

CONTENTS: Final[dict[str, Any]] = {
    "none": None, "empty": "", "text": "hé", "bytes": b"\xff\x00", "view": {"$": "memoryview", "data": b"01234567"},
    "typed view": {"$": "memoryview", "data": b"01234567", "cast": "I"}, "strided view": {"$": "memoryview", "data": b"01234567", "step": 2},
    "int": 1, "dict": {"a": 1}, "bytearray": {"$": "bytearray", "data": b"x"}, "list": ["a"], "surrogate": "\ud800",
}  # fmt: skip
JSONS: Final[dict[str, Any]] = {
    "null": None, "nested": {"b": [1, 2.5, True], "a": {"é": None}}, "text": "\u2028é\U0001f600", "nan": {"$": "nan"}, "object": {"$": "object"},
    "set": {"$": "set"}, "keys": {"1": 1, "": 2}, "surrogate": "\ud800", "list": [], "number": 1e30, "quotes": "\"\\/\n\t\x7f\x00",
}  # fmt: skip
STATUSES: Final[list[Any]] = [
    100,
    103,
    200,
    201,
    204,
    205,
    206,
    304,
    307,
    404,
    500,
    599,
    999,
    {"$": "status", "code": 404},
]
MEDIA: Final = [
    "text/plain",
    "text/html; charset=latin-1",
    "TEXT/plain",
    "text/x; CHARSET=x",
    "application/json",
    "",
    "text/",
    "image/svg+xml",
]
HEADERS: Final[list[Any]] = [
    {}, {"X-A": "1", "x-b": "é"}, {"Content-Length": "99"}, {"CONTENT-TYPE": "a/b"}, {"x": "\u20ac"}, {"x": 1}, {"": ""},
    {"content-type": "text/plain", "content-length": "0", "Set-Cookie": "a=b"}, {"location": "/mine"}, {"vary": "a", "Vary": "b"},
    {"$": "headers", "pairs": [(b"x", b"1"), (b"x", b"2"), (b"etag", b"e")]}, {"$": "mutable", "pairs": [(b"X-Up", b"1")]},
]  # fmt: skip
LOCATIONS: Final[list[Any]] = [
    "/", "", "/I ♥ Starlette/", "https://h.org/a?b=c#d", "//host/x", "/%41%zz", "/<>\"\\^{|}`", "/a\tb", "/\u00e9?q=\u00e9", "x y", "\ud800",
    {"$": "url", "text": "https://u:p@h:1/x?y"}, b"/bytes", 5, "/a;b,c!$&'()*+=:@[]~_.-", "javascript:alert(1)",
]  # fmt: skip


def case(name: str, kind: str, arguments: Mapping[str, Any], scope: Any = None, app: str = "bare", **keys: Any) -> Case:
    """Return a case for one response."""
    options: dict[str, Any] = {"kind": kind, "arguments": arguments}
    options.update({key: keys.pop(key) for key in ("then", "times") if key in keys})
    messages = keys.pop("messages", ())
    return Case(f"responses/{name}", f"responses.{app}", scope or http(), options, messages, **keys)


def cases() -> Iterator[Case]:
    """Yield the cases of this topic."""
    for kind in ["Response", "PlainTextResponse", "HTMLResponse", "Reversed"]:
        for label, content in CONTENTS.items():
            if kind == "Reversed" and "view" in label:
                continue  # shown as an address
            yield case(f"{kind} {label}", kind, {"content": content})
        for status in STATUSES:
            yield case(f"{kind} status {status}", kind, {"content": "body", "status_code": status})
        for index, headers in enumerate(HEADERS):
            yield case(f"{kind} headers {index}", kind, {"content": "x", "headers": headers})
        for media in MEDIA:
            yield case(f"{kind} media {media}", kind, {"content": "x", "media_type": media})
    for label, content in JSONS.items():
        yield case(f"JSONResponse {label}", "JSONResponse", {"content": content})
        yield case(f"JSONResponse inside {label}", "JSONResponse", {"content": content}, app="inside", messages=body())
    for status in [200, 204, 304, 422]:
        yield case(f"JSONResponse status {status}", "JSONResponse", {"content": {}, "status_code": status})
        yield case(
            f"JSONResponse null status {status}",
            "JSONResponse",
            {"content": None, "status_code": status, "media_type": "a/b+json"},
        )
    for index, url in enumerate(LOCATIONS):
        yield case(f"RedirectResponse {index}", "RedirectResponse", {"url": url})
    for index, headers in enumerate(HEADERS):
        yield case(
            f"RedirectResponse headers {index}",
            "RedirectResponse",
            {"url": "/to", "headers": headers, "status_code": 303},
        )
    yield case("JSONResponse without content", "JSONResponse", {})
    yield case("FileResponse without path", "FileResponse", {})
    yield case("unknown argument", "Response", {"body": b""})
    yield from _cookies()
    yield from _headers()
    yield from _background()
    yield from _streams()


def _cookies() -> Iterator[Case]:
    rows: list[dict[str, Any]] = [
        {"key": "k", "value": "v"}, {"key": "k"}, {"key": "k", "value": "a b"}, {"key": "k", "value": "é"}, {"key": "k", "value": "a=b;c,d"},
        {"key": "k", "value": '"\\'}, {"key": "k", "value": "\u20ac"}, {"key": "k k"}, {"key": ""}, {"key": "a=b"}, {"key": "é"}, {"key": "$x"},
        {"key": "k", "max_age": 0}, {"key": "k", "max_age": -5}, {"key": "k", "max_age": 10, "expires": 10}, {"key": "k", "expires": 0},
        {"key": "k", "expires": -1}, {"key": "k", "expires": "tomorrow"}, {"key": "k", "expires": ""},
        {"key": "k", "expires": {"$": "datetime", "year": 2037}}, {"key": "k", "expires": {"$": "datetime", "year": 2037, "zone": False}},
        {"key": "k", "path": None}, {"key": "k", "path": ""}, {"key": "k", "path": "/a b"}, {"key": "k", "domain": "localhost"}, {"key": "k", "domain": ""},
        {"key": "k", "secure": True, "httponly": True}, {"key": "k", "samesite": "Strict"}, {"key": "k", "samesite": None}, {"key": "k", "samesite": "x"},
        {"key": "k", "samesite": "none", "secure": True}, {"key": "k", "partitioned": True}, {"key": "path", "value": "x"}, {"key": "k", "value": "\x00\n"},
        {"key": "all", "value": "v", "max_age": 10, "expires": 10, "path": "/p", "domain": "d", "secure": True, "httponly": True, "samesite": "lax"},
    ]  # fmt: skip
    for index, row in enumerate(rows):
        yield case(f"cookie {index}", "Response", {}, then=[("set_cookie", row)])
        options = {key: item for key, item in row.items() if key not in {"value", "max_age", "expires"}}
        if len(options) > 1 or index < 12:
            yield case(f"delete cookie {index}", "Response", {}, then=[("delete_cookie", options)])
    two = [
        ("set_cookie", {"key": "a", "value": "1"}),
        ("set_cookie", {"key": "a", "value": "2"}),
        ("delete_cookie", {"key": "a"}),
    ]
    yield case("cookies in turn", "PlainTextResponse", {"content": "x", "headers": {"set-cookie": "z=1"}}, then=two)
    chance = random.Random(3)
    for index in range(40):
        text = "".join(
            chr(chance.choice([chance.randrange(33, 127), chance.randrange(256)])) for _ in range(chance.randint(1, 9))
        )
        yield case(f"cookie random {index}", "Response", {}, then=[("set_cookie", {"key": "k", "value": text})])


def _headers() -> Iterator[Case]:
    rows: dict[str, list[tuple[str, dict[str, Any]]]] = {
        "set": [("set", {"key": "X", "value": "1"}), ("set", {"key": "x", "value": "2"})],
        "set repeated": [
            ("append", {"key": "x", "value": "1"}),
            ("append", {"key": "x", "value": "2"}),
            ("set", {"key": "X", "value": "3"}),
        ],
        "delete": [
            ("append", {"key": "x", "value": "1"}),
            ("append", {"key": "x", "value": "2"}),
            ("delete", {"key": "X"}),
            ("delete", {"key": "no"}),
        ],
        "default": [("setdefault", {"key": "x", "value": "1"}), ("setdefault", {"key": "X", "value": "2"})],
        "update": [("update", {"other": {"A": "1", "content-type": "b"}})],
        "vary": [("add_vary_header", {"value": "Accept"}), ("add_vary_header", {"value": "Accept"})],
        "body": [("attribute", {"key": "body", "value": b"other"})],
        "raw": [("attribute", {"key": "raw_headers", "value": []})],
        "status": [("attribute", {"key": "status_code", "value": 299})],
        "bad": [
            ("set", {"key": "x", "value": "\u20ac"}),
            ("set", {"key": "\u20ac", "value": "x"}),
            ("append", {"key": "x", "value": 1}),
        ],
    }
    for label, then in rows.items():
        for kind in ["PlainTextResponse", "StreamingResponse"]:
            content: Any = "x" if kind == "PlainTextResponse" else {"$": "async", "items": ["x"]}
            yield case(f"headers {label} {kind}", kind, {"content": content}, then=then, app="inside", messages=body())
    yield case("sent twice", "PlainTextResponse", {"content": "x", "background": "async"}, times=2)
    yield case("streamed twice", "StreamingResponse", {"content": ["a", "b"], "background": "async"}, times=2)


KINDS: Final[dict[str, dict[str, Any]]] = {
    "PlainTextResponse": {"content": "x"},
    "RedirectResponse": {"url": "/"},
    "StreamingResponse": {"content": {"$": "async", "items": ["a", b"b"]}},
    "FileResponse": {"path": "site/a.txt"},
}


def _background() -> Iterator[Case]:
    for kind, arguments in KINDS.items():
        for background in ["async", "thread", "several", "failing"]:
            for app in ["bare", "inside"]:
                keys = {**arguments, "background": background}
                yield case(f"background {kind} {background} {app}", kind, keys, app=app, messages=body())
        for method in ["HEAD", "POST", "PUT"]:
            yield case(
                f"method {kind} {method}",
                kind,
                {**arguments, "background": "async"},
                http(method=method),
                "inside",
                messages=body(),
            )
        yield case(
            f"denial {kind}", kind, {**arguments, "background": "async"}, websocket(), "inside", messages=(CONNECT,)
        )
        yield case(f"denial not known {kind}", kind, arguments, websocket(extensions={}), "inside", messages=(CONNECT,))
        yield case(f"websocket bare {kind}", kind, {**arguments, "background": "async"}, websocket())
        for position in range(3):
            for label, scope in {"now": http(), "older": older(http()), "websocket": websocket()}.items():
                keys = {**arguments, "background": "async"}
                yield case(
                    f"send fails {kind} {position} {label}", kind, keys, scope, fails_at=position, messages=body()
                )
                if label != "websocket":
                    yield case(
                        f"send fails inside {kind} {position} {label}",
                        kind,
                        keys,
                        scope,
                        "inside",
                        fails_at=position,
                        messages=body(),
                    )


def _streams() -> Iterator[Case]:
    items: dict[str, Any] = {
        "text": ["a", "é"], "bytes": [b"\xff"], "empty chunks": ["", b"", "x"], "nothing": [], "view": [{"$": "memoryview", "data": b"abcd", "cast": "I"}],
        "int": [1], "none": ["a", None], "bytearray": [{"$": "bytearray", "data": b"x"}],
    }  # fmt: skip
    scopes = {"now": http(), "older": older(http()), "none": older(http(), None), "no asgi": {"type": "http"}, "2.10": older(http(), "2.10"), "3.0": older(http(), "3.0"), "websocket": websocket()}  # fmt: skip
    for label, scope in scopes.items():
        for source in ["async", "sync"]:
            for name, sent in items.items():
                if label in {"now", "older"} or name == "text":
                    yield case(
                        f"stream {source} {name} {label}",
                        "StreamingResponse",
                        {"content": {"$": source, "items": sent}},
                        scope,
                    )
            for ends in ["raises", "group", "oserror"]:
                if label in {"now", "older", "websocket"} and (source == "async" or ends == "raises"):
                    content: Any = {"$": source, "items": ["a"], "ends": ends}
                    keys = {"content": content, "background": "async"}
                    yield case(f"stream {source} {ends} {label}", "StreamingResponse", keys, scope, messages=body())
                    yield case(f"stream {source} {ends} inside {label}", "StreamingResponse", keys, scope, "inside", messages=body() if label != "websocket" else (CONNECT,))  # fmt: skip
        for name, content in dict[str, Any]({"list": ["a", "b"], "text": "abc", "bytes": b"abc", "none": None, "file": {"$": "file", "data": b"1\n2\n"}, "iterable": {"$": "iterable", "items": ["a"]}, "int": 5}).items():  # fmt: skip
            if label in {"now", "older"}:
                yield case(f"stream content {name} {label}", "StreamingResponse", {"content": content}, scope)
    for media in [None, "text/plain", "text/event-stream", "a/b"]:
        for index, headers in enumerate([None, {"content-length": "3"}, {"Content-Type": "x/y"}]):
            yield case(
                f"stream media {media} {index}",
                "StreamingResponse",
                {"content": ["abc"], "media_type": media, "headers": headers},
            )
    for status in [204, 304, 404]:
        yield case(f"stream status {status}", "StreamingResponse", {"content": [], "status_code": status})
    for app in ["bare", "inside"]:
        for chunks in list[list[str]]([[], ["a"]]):
            keys = {"content": {"$": "async", "items": chunks, "ends": "waits"}, "background": "async"}
            for version in ["2.3", None]:
                name = f"left after {len(chunks) + 1} {app} {version}"
                scope = older(http(), version)
                yield case(name, "StreamingResponse", keys, scope, app, messages=body(), leaves_after=len(chunks) + 1)
        path: dict[str, Any] = {"path": "site/long.bin", "background": "async"}
        messages = (*body(), {"type": "http.other"})
        yield case(f"file received {app}", "FileResponse", path, older(http()), app, messages=messages, leaves_after=9)
