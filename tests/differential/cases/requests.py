# ruff: noqa: E501  (tables of data are easier to compare in long lines)
"""Requests: addresses, fields, queries and cookies of all kinds, and bodies read in all orders."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any, Final

from tests.differential.case import DISCONNECT, Case, Message, body, http, websocket

HOSTS: Final = [
    "testserver", "example.org:8000", "example.org:80", "example.org:443", "EXAMPLE.org", "a.b.c:1", "[::1]", "[::1]:8000", "[::ffff:1.2.3.4]",
    "[v1.foo]", "[V1.foo]", "10.0.0.1:0080", "h:65535", "h:65536", "h:", "h:x", ":80", "", "a b", "a/b", "a?b", "a#b", "user@h", "user:pw@h",
    "h\\x", "[::1", "::1", "[fe80::1%25eth0]", "[1.2.3.4]", "a,b", "a..b", "a_b", "%41", "\u00e9", "a\tb", "h:80:80", "*", "-",
]  # fmt: skip

ADDRESSES: Final[dict[str, dict[str, Any]]] = {
    "https": {"scheme": "https", "server": ("testserver", 443)},
    "https-host-443": {"scheme": "https", "headers": {"host": "h:443"}},
    "https-host-80": {"scheme": "https", "headers": {"host": "h:80"}},
    "root": {"root_path": "/x", "path": "/x/p"},
    "root-slash": {"root_path": "/x/"},
    "root-other": {"root_path": "/x", "path": "/p"},
    "app-root": {"root_path": "/x", "app_root_path": "/y"},
    "app-root-empty": {"root_path": "/x", "app_root_path": ""},
    "umlaut": {"path": "/\u00e4 b/%41"},
    "reserved": {"path": "/a;b=c,d:e@f!$&'()*+=~"},
    "escaped": {"path": "/a%b?c#d[e]\"<>^`{|}"},
    "double": {"path": "//evil.org/x"},
    "back": {"path": "\\\\evil.org"},
    "at": {"path": "@evil.org/"},
    "no-slash": {"path": "x"},
    "port-path": {"path": ":80@x"},
    "empty": {"path": ""},
    "query": {"query": b"a=1&a=2&b=%C3%A9+x"},
    "query-odd": {"query": b"&&=&a&b=&=c&;d=e"},
    "query-bad": {"query": b"a=%zz&b=%FF&c=%"},
    "query-only-mark": {"query": b"?"},
    "server-port": {"headers": {"host": "?"}, "server": ("10.0.0.1", 8080)},
    "server-default": {"headers": {"host": "?"}, "server": ("10.0.0.1", 80)},
    "server-https": {"headers": {"host": "?"}, "server": ("10.0.0.1", 443), "scheme": "https"},
    "server-ipv6": {"headers": {"host": "?"}, "server": ("::1", 8080)},
    "server-name": {"headers": {"host": "?"}, "server": ("a b", 80)},
    "server-none": {"headers": {"host": "?"}, "server": None},
    "server-none-double": {"headers": {"host": "?"}, "server": None, "path": "//x/y"},
    "two-hosts": {"headers": [("host", "a"), ("host", "b")]},
    "forwarded": {"headers": {"x-forwarded-host": "evil", "x-forwarded-proto": "https", "forwarded": "host=evil"}},
    "client-none": {"client": None},
    "client-list": {"client": ["h", 1]},
    "client-unix": {"client": ("/sock", None)},
    "state": {"state": {"a": 1}},
    "params": {"path_params": {"a": 1}},
    "params-none": {"path_params": None},
    "session": {"session": {"a": 1}},
    "auth": {"auth": "scopes", "user": "me"},
    "app": {"app": 1},
    "many": {"headers": [("x-many", "1"), ("accept", "*/*"), ("x-many", "2"), ("X-Upper", "u"), ("x-latin", "\u00e9")]},
    "tuple-headers": {"headers": {"a": "b"}, "http_version": "2"},
    "upper-method": {"method": "get"},
}  # fmt: skip

QUERIES: Final = [
    b"", b"a", b"a=", b"=a", b"=", b"&", b"a=1;b=2", b"a=1&&b=2", b"a=b=c", b"a=%26%3D", b"a+b=c+d", b"%61=1", b"a=1&a=2&a=3", b"a=%",
    b"a=%4", b"a=%e4", b"a=%C3%A4", b"a=%F0%9F%98%80", b"a[]=1&a[]=2", b"a=\\", b"a=%00", b"a=%0a", b"x" * 300, b"a=%2B+%20", b"a=b#c",
]  # fmt: skip

COOKIES: Final = [
    "chips=ahoy; vienna=finger", r'keebler="E=mc2; L=\"Loves\"; fudge=\012;"', "keebler=E=mc2", "key:term=value:term", "a=b; c=[; d=r; f=h",
    "a=b; Domain=example.com", "a=b; h=i; a=c", 'a=b; "; c=d', "a b c=d e = f; gh=i", 'a   b,c<>@:/[]?{}=d  "  =e,f g', "  =  b  ;  ;  =  ;   c  =  ;  ",
    "a=1, b=2", "foo", "", ";", "=", "a=", "=v", "=__Host-x=v", 'a="x y"', 'a=""', 'a="', r'a="x\054y\"z"', 'a="x', 'a=x"y"', "a=%20", "a=\u00e9",
    r'a="\303\251"', r'a="\400"', r'a="\\"', r'a="\"', 'j={"a":[1,2],"b":"c"}; k=1; l="2"; m=3', "a=1;b=2;c=3", "a=1; a=2; =3; 4", "\ta=1\t;\tb=2",
    r'a="\1\12\123\1234"', r'a="a\b\c"', "a" * 200 + "=1", "$Version=1; a=b; $Path=/", "a=b;" * 50,
]  # fmt: skip

ODD: Final = r'ab=;" \,01289%é'


def _told(name: str, questions: tuple[str, ...] = (), bare: bool = True, **keys: Any) -> Case:
    return Case(f"requests/{name}", "requests.told", http(**keys), {"questions": questions, "bare": bare}, body())


def cases() -> Iterator[Case]:
    """Yield the cases of this topic."""
    for host in HOSTS:
        addresses = ("url", "url parts", "url repr", "base_url", "replaced", "hostname")
        yield _told(f"host {host!r}", addresses, headers={"host": host}, path="/p/q", query=b"a=1&b")
        yield _told(f"host with server {host!r}", addresses, headers={"host": host}, server=("::1", 81), scheme="https")
        scope = websocket("/ws", headers={"host": host})
        yield Case(f"requests/websocket host {host!r}", "requests.told", scope, {"questions": addresses})
    for label, keys in ADDRESSES.items():
        yield _told(f"address {label}", **keys)
        yield _told(f"mounted {label}", bare=False, **{**keys, "path": keys.get("root_path", "").rstrip("/") + "/in/x"})
    for index, query in enumerate(QUERIES):
        yield _told(f"query {index} {query[:20]!r}", ("query", "query text", "url", "replaced"), query=query)
    for index, cookie in enumerate(COOKIES):
        yield _told(f"cookie {index}", ("cookies",), headers={"cookie": cookie})
    yield _told("cookie headers", ("cookies",), headers=[("cookie", "a=abc"), ("cookie", "b=def"), ("cookie", "a=ghi")])
    chance = random.Random(7)
    for index in range(80):
        cookie = "".join(chance.choice(ODD) for _ in range(chance.randint(1, 24)))
        yield _told(f"cookie random {index}", ("cookies",), headers={"cookie": cookie})
        query = bytes(chance.choice(b"ab=&%+;4F\xe9C3") for _ in range(chance.randint(1, 24)))
        if query.isascii():
            yield _told(f"query random {index}", ("query", "query text", "url"), query=query)
    yield from _missing()
    yield from _reading()
    yield from _paths()


def _missing() -> Iterator[Case]:
    full = http()
    for key in sorted(full):
        scope = {name: value for name, value in full.items() if name != key}
        if key != "type":
            yield Case(f"requests/without {key}", "requests.told", scope, {}, body())
    yield Case("requests/only type", "requests.told", {"type": "http"}, {})
    scope = {"type": "http", "method": "GET", "path": "/abc/"}
    yield Case("requests/short", "requests.told", scope, {})


STEPS: Final = ["body", "json", "form", "stream", "first", "disconnected", "close"]
URLENCODED: Final = {"content-type": "application/x-www-form-urlencoded"}

BODIES: Final[dict[str, tuple[Message, ...]]] = {
    "empty": body(),
    "one": body(b"a=1&b=2"),
    "parts": body(b"a=", b"", b"1&b", b"=2", b""),
    "gone": (*body(b"a=1&", b"x")[:1], DISCONNECT),
    "gone-at-once": (DISCONNECT,),
    "short-messages": ({"type": "http.request"}, DISCONNECT),
    "unknown-message": ({"type": "http.other"}, *body(b"{}")),
}  # fmt: skip


def _read(
    name: str, steps: Any, messages: tuple[Message, ...], headers: dict[str, str] | None = None, **keys: Any
) -> Case:
    options: dict[str, Any] = {key: keys.pop(key) for key in ("inside", "caught") if key in keys}
    scope = http(method="POST", headers=headers, **keys)
    # A disconnect follows the body, as with every server, so that nothing waits for ever.
    return Case(f"requests/{name}", "requests.read", scope, {"steps": steps, **options}, messages, leaves_after=1)


def _reading() -> Iterator[Case]:
    for label, messages in BODIES.items():
        for pair in itertools.product(STEPS, repeat=2):
            # What polling for a disconnect finds is kept by us (`polling-loses-nothing`): one case shows it.
            if pair[0] != "disconnected" or label == "gone-at-once" or (pair[1], label) == ("body", "empty"):
                yield _read(f"read {' '.join(pair)} {label}", list(pair), messages, URLENCODED)
    for steps in [["body", "stream", "stream", "body"], ["stream", "stream"], ["form", "form", "body"], ["body", "form", "body", "json"], ["json", "json", "form"], ["first", "stream"], ["alternating", "body"], ["disconnected", "disconnected"]]:  # fmt: skip
        yield _read(f"steps {' '.join(steps)}", steps, body(b"1", b"2", b"3"), URLENCODED)
        yield _read(f"steps outside {' '.join(steps)}", steps, body(b"1", b"2", b"3"), URLENCODED, inside=False)
    texts = [b"", b"{}", b"null", b"[1, 2", b"\xff", b"\xef\xbb\xbf{}", '{"a": "é"}'.encode("utf-16"), b"NaN", b"[" * 3000, b'"\\ud800"', b" 1 ", b"1 2", b"'a'", b'{"a":1,"a":2}', b"1e999", b"-0"]  # fmt: skip
    for index, text in enumerate(texts):
        yield _read(f"json {index}", ["json", "json", "body"] if len(text) < 99 else ["json"], body(text))
    for index, kind in enumerate(["application/json", "text/plain", "multipart/mixed; boundary=b", "APPLICATION/X-WWW-FORM-URLENCODED; charset=x", "", "application/x-www-form-urlencoded;", " application/x-www-form-urlencoded"]):  # fmt: skip
        yield _read(f"form by content type {index}", ["form", "body"], body(b"a=1"), {"content-type": kind})
    yield _read("form without content type", ["form", "body"], body(b"a=1"))
    for extensions in list[dict[str, Any]]([{}, {"http.response.push": {}}, {"http.response.early_hint": {}}]):
        wanted = {
            "accept": "*/*",
            "user-agent": "x",
            "accept-encoding": "gzip",
            "cookie": "a=b",
            "cache-control": "no-cache",
            "accept-language": "de",
        }
        for step in ["push", "hints", "bad hint"]:
            yield _read(f"extension {step} {sorted(extensions)}", [step], body(), wanted, extensions=extensions)
    for label, messages in BODIES.items():
        for step in ["body", "json", "form", "stream"]:
            yield _read(f"uncaught {step} {label}", [step], messages, URLENCODED, caught=False)


def _paths() -> Iterator[Case]:
    chance = random.Random(11)
    for index in range(60):
        path = "/" + "".join(chance.choice("ab/%?#@:\\.;= é\u20ac[]{}|^\"'<>+&") for _ in range(chance.randint(1, 12)))
        host = chance.choice(["testserver", "h:81", "bad host", "[::1]:9"])
        server = chance.choice([("srv", 80), ("srv", 8080), None])
        yield _told(
            f"path random {index}", ("url", "url parts", "base_url"), path=path, headers={"host": host}, server=server
        )
