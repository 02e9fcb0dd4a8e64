# ruff: noqa: E501  (tables of data are easier to compare in long lines)
"""Routing: tables times scopes, reverse lookup, and random tables times random paths."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, Final

from tests.differential.case import CONNECT, Case, body, http, websocket

UUID: Final = "123e4567-e89b-12d3-a456-426614174000"

TABLE: Final[list[Any]] = [
    ["route", "/", {"name": "home"}],
    ["route", "/plain"],
    ["route", "/post", {"methods": ["POST"]}],
    ["route", "/lower", {"methods": ["post", "get"]}],
    ["route", "/two", {"methods": ["GET"], "name": "two-get"}],
    ["route", "/two", {"methods": ["POST"], "name": "two-post"}],
    ["route", "/none", {"methods": []}],
    ["route", "/query", {"methods": ["QUERY"]}],
    ["route", "/slash/"],
    ["route", "/int/{x:int}"],
    ["route", "/float/{x:float}"],
    ["route", "/uuid/{x:uuid}"],
    ["route", "/path/{x:path}"],
    ["route", "/path/{x:path}/tail"],
    ["route", "/str/{x}"],
    ["route", "/str/{x}/and/{y}"],
    ["route", "/year/{x:year}"],
    ["route", "/hex/{x:hex}"],
    ["route", "/date/{year:int}-{month:int}-{day:int}"],
    ["route", "/file/{name}.{suffix}"],
    ["route", "/{user}:disable"],
    ["route", "/paren({x:int})"],
    ["route", "/literal/{1x}/{}"],
    ["route", "/dots/a.b"],
    ["route", "/sp ace/{x}"],
    ["route", "/umlaut/\u00e4/{x}"],
    ["class", "/view", ["get", "post"]],
    ["class", "/view-post", ["post"]],
    ["class", "/view-limited", ["get", "post"], {"methods": ["GET"]}],
    ["class", "/view-empty", []],
    ["ws", "/ws"],
    ["ws", "/both/{x}"],
    ["route", "/both/{x}"],
    ["route", "/inside", {"middleware": ["a", "b"]}],
    ["mount", "/users", [["route", "/"], ["route", "/{name}"], ["ws", "/ws"], ["route", "/s/"]], {"name": "users"}],
    ["mount", "/{tenant}/api", [["route", "/v/{x:int}"], ["route", "/{tenant}/inner"], ["raw", "/deep"]]],
    ["application", "/app", [["route", "/"], ["route", "/x", {"methods": ["PUT"]}]]],
    ["mount", "/stamped", [["route", "/x"], ["class", "/view", ["get"]]], {"middleware": ["m"]}],
    ["raw", "/raw"],
    ["mount", "/m/", [["mount", "/n", [["route", "/o"], ["ws", "/w"]]]]],
]

PATHS: Final = [
    "/", "", "//", "/plain", "/plain/", "/plain//", "/Plain", "/plain%20", "/plain;v=1", "/./plain", "/x/../plain",
    "/post", "/lower", "/two", "/none", "/query", "/slash", "/slash/", "/slash//", "/missing", "/missing/",
    "/int/5", "/int/05", "/int/-5", "/int/5.0", "/int/\u0665", "/int/", "/int/5/", "/int/5 ", "/int/" + "7" * 30,
    "/float/1", "/float/1.5", "/float/01.50", "/float/1.", "/float/.5", "/float/1-0", "/float/1.5.2", "/float/1e5",
    f"/uuid/{UUID}", f"/uuid/{UUID.upper()}", f"/uuid/{UUID.replace('-', '')}", "/uuid/not-a-uuid", f"/uuid/{UUID}0",
    "/path/", "/path", "/path/a", "/path/a/b/", "/path//a", "/path/a/tail", "/path/a b", "/path/\u00e9",
    "/str/a", "/str/", "/str/a/", "/str/a/b", "/str/a/and/b", "/str/a/and/", "/str//and/b", "/str/%2F", "/str/{x}",
    "/year/2024", "/year/24", "/year/20245", "/year/0000", "/hex/0xff", "/hex/ff", "/hex/xyz",
    "/date/2024-01-02", "/date/2024-1-2-3", "/date/2024-01", "/date/--", "/file/a.b", "/file/a.b.c", "/file/.b", "/file/a.",
    "/tom:disable", "/:disable", "/tom:enable", "/a:b:disable", "/paren(7)", "/paren7", "/literal/{1x}/{}", "/literal/a/b",
    "/dots/a.b", "/dots/aXb", "/sp ace/1", "/umlaut/\u00e4/1", "/umlaut/a/1",
    "/view", "/view/", "/view-post", "/view-limited", "/view-empty", "/ws", "/ws/", "/both/1", "/both/", "/inside",
    "/users", "/users/", "/users/tom", "/users/tom/", "/users/ws", "/users/s", "/users/s/", "/usersx", "/users//",
    "/acme/api", "/acme/api/", "/acme/api/v/5", "/acme/api/v/x", "/acme/api/inner/inner", "/acme/api/deep/x/y", "/acme/api/deep",
    "/app", "/app/", "/app/x", "/app/y", "/app//", "/stamped/x", "/stamped/view", "/stamped/none", "/raw", "/raw/", "/raw/a/b",
    "/m", "/m/", "/m/n", "/m/n/o", "/m/n/o/", "/m/n/w", "/m//n/o",
]  # fmt: skip

METHODS: Final = ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "get", "QUERY", "TRACE", "CUSTOM"]
WITH_METHODS: Final = [
    "/plain", "/plain/", "/post", "/lower", "/two", "/none", "/query", "/view", "/view-post", "/view-limited", "/view-empty",
    "/users/tom", "/app/x", "/stamped/view", "/stamped/x", "/raw/x", "/inside", "/missing",
]  # fmt: skip

HOSTS: Final[list[Any]] = [
    ["host", "api.example.org", [["route", "/", {"name": "api"}]]],
    ["host", "port.example.org:3600", [["route", "/"]]],
    ["host", "{sub}.Example.com", [["route", "/"], ["route", "/{x}"], ["ws", "/ws"]]],
    ["host", "{a}-{b:int}.net", [["route", "/"]]],
    ["host", "[::1]", [["route", "/"]]],
    ["route", "/", {"name": "fallback"}],
]
NAMES: Final = [
    "api.example.org", "API.example.ORG", "api.example.org:80", "api.example.org:evil", "api.example.org.", "api.example.org:",
    "port.example.org", "port.example.org:3600", "port.example.org:000080", "port.example.org:100000", "api.example.org:65536",
    "a.example.com", "A.b.EXAMPLE.com", ".example.com", "example.com", "x-5.net", "x-y.net", "x-y-5.net", "-5.net",
    "[::1]", "[::1]:8000", "[0:0:0:0:0:0:0:1]", "[:::]", "user@api.example.org", "api.example.org/x", "api.example.org#",
    " api.example.org", "", "api.example.org,api.example.org", "a%2eexample.com",
]  # fmt: skip

LOOKED_UP: Final[list[Any]] = [
    ["route", "/", {"name": "home"}],
    ["route", "/int/{x:int}", {"name": "int"}],
    ["route", "/float/{x:float}", {"name": "float"}],
    ["route", "/uuid/{x:uuid}", {"name": "uuid"}],
    ["route", "/path/{x:path}", {"name": "path"}],
    ["route", "/str/{x}", {"name": "str"}],
    ["route", "/{category}/{id}", {"name": "two"}],
    ["route", "/same", {"name": "same"}],
    ["route", "/same/{x}", {"name": "same"}],
    ["route", "/{path:path}", {"name": "catchall"}],
    ["route", "/year/{x:year}", {"name": "year"}],
    ["ws", "/ws/{x}", {"name": "ws"}],
    ["mount", "/users", [["route", "/{name}", {"name": "user"}], ["ws", "/w", {"name": "w"}]], {"name": "users"}],
    ["mount", "/{tenant}", [["route", "/list", {"name": "list"}], ["route", "/{tenant}/x", {"name": "twice"}]]],
    ["mount", "/t/{tenant}", [["route", "/list", {"name": "list"}]], {"name": "t"}],
    ["mount", "/empty", [["route", "/z", {"name": "z"}]], {"name": ""}],
    ["raw", "/raw", {"name": "raw"}],
    ["host", "{sub}.example.org:3600", [["route", "/h/{x}", {"name": "h"}], ["ws", "/hw", {"name": "hw"}]], {"name": "host"}],
    ["host", "plain.org", [["route", "/p", {"name": "p"}]]],
    ["mount", "/o", [["mount", "/i", [["route", "/deep", {"name": "deep"}]], {"name": "i"}]], {"name": "o"}],
]  # fmt: skip

LOOKUPS: Final[list[tuple[str, dict[str, Any]]]] = [
    ("home", {}), ("home", {"x": 1}), ("missing", {}), ("missing", {"a": 1, "b": 2}), ("int", {"x": 7}), ("int", {"x": "7"}),
    ("int", {"x": 7.9}), ("int", {"x": -1}), ("int", {"x": "x"}), ("int", {}), ("int", {"y": 1}), ("float", {"x": 25.5}),
    ("float", {"x": 1.0}), ("float", {"x": 0.1}), ("float", {"x": 1e22}), ("float", {"x": 1e-25}), ("float", {"x": "2.50"}),
    ("float", {"x": -1.0}), ("float", {"x": float("nan")}), ("float", {"x": float("inf")}), ("float", {"x": -0.0}),
    ("uuid", {"x": UUID}), ("uuid", {"x": "garbage"}), ("path", {"x": "a/b"}), ("path", {"x": ""}), ("path", {"x": "a b?c#d\u00e9"}),
    ("str", {"x": "a"}), ("str", {"x": "a/b"}), ("str", {"x": ""}), ("str", {"x": 5}), ("str", {"x": "{y}"}),
    ("two", {"category": "{id}", "id": "42"}), ("two", {"id": 1, "category": "c"}), ("same", {}), ("same", {"x": "1"}),
    ("catchall", {"path": "/example.org/a"}), ("catchall", {"path": "\\example.org/a"}), ("catchall", {"path": "a"}),
    ("year", {"x": 5}), ("ws", {"x": "1"}), ("users", {"path": "/a"}), ("users", {"path": "//a"}), ("users", {"path": ""}),
    ("users", {}), ("users", {"path": "a", "foo": 1}), ("users:user", {"name": "tom"}), ("users:w", {}), ("users:nope", {}),
    ("user", {"name": "tom"}), ("list", {}), ("list", {"tenant": "acme"}), ("twice", {"tenant": "acme"}), ("t", {"tenant": "a", "path": "b"}),
    ("t:list", {"tenant": "a"}), ("t:list", {}), ("z", {}), (":z", {}), ("raw", {"path": "x"}), ("raw:x", {}),
    ("host", {"sub": "s", "path": "/q"}), ("host", {"path": "q"}), ("host:h", {"sub": "s", "x": "1"}), ("host:h", {"x": "1"}),
    ("host:hw", {"sub": "s"}), ("p", {}), ("o:i:deep", {}), ("o:deep", {}), ("i:deep", {}), ("o:i", {"path": "x"}),
]  # fmt: skip

BAD: Final[list[Any]] = [
    ["route", "no-slash"], ["route", ""], ["ws", "no-slash"], ["mount", "no-slash", []], ["host", "/slash", []],
    ["route", "/{x:nope}"], ["route", "/{x}/{x}"], ["route", "/{x}/{y}/{y}/{x}"], ["mount", "/{path}", []], ["route", "/{x:nope}/{x}"],
    ["route", "/a/{b:int}.json"], ["route", "/x", {"methods": "GET"}], ["route", "/x", {"methods": ("get",)}], ["route", "/x", {"name": "n"}],
    ["mount", "/", []], ["mount", "/a//", []], ["mount", "", []], ["host", "EX.org:80", []], ["host", "[::1]:80", []], ["host", "", []],
    ["ws", "/w/{x}"], ["class", "/c", ["get"]], ["class", "/c", ["get"], {"methods": ["GET"]}], ["raw", "/r/{x:int}"],
]  # fmt: skip


def exchange(name: str, rows: list[Any], scope: dict[str, Any], app: str = "routing.table", **options: Any) -> Case:
    """Return a case for a table; WebSocket scopes get the message of a connecting client."""
    messages = (CONNECT,) if scope["type"] == "websocket" else body()
    return Case(f"routing/{name}", app, scope, {"rows": rows, **options}, messages)


def cases() -> Iterator[Case]:
    """Yield the cases of this topic."""
    for path in PATHS:
        yield exchange(f"path {path[:50]!r}", TABLE, http(path))
        yield exchange(f"bare {path[:50]!r}", TABLE, http(path), bare=True)
    for path in WITH_METHODS:
        for method in METHODS:
            yield exchange(f"method {method} {path}", TABLE, http(path, method))
            if method in {"HEAD", "PUT"}:
                yield exchange(f"method bare {method} {path}", TABLE, http(path, method), bare=True)
    for path in [
        "/ws",
        "/ws/",
        "/both/1",
        "/plain",
        "/missing",
        "/users/ws",
        "/users/",
        "/m/n/w",
        "/raw/x",
        "/raw",
        "/view",
        "/app/",
    ]:
        yield exchange(f"websocket {path}", TABLE, websocket(path))
        yield exchange(f"websocket bare {path}", TABLE, websocket(path), bare=True)
    yield from _roots()
    for name in NAMES:
        yield exchange(f"host {name}", HOSTS, http("/", headers={"host": name}))
        yield exchange(f"host with a path {name}", HOSTS, http("/x/", headers={"host": name}))
    yield exchange("host websocket", HOSTS, websocket("/ws", headers={"host": "s.example.com"}))
    yield exchange("host websocket without route", HOSTS, websocket("/no", headers={"host": "s.example.com"}))
    yield Case("routing/host absent", "routing.table", {**http(), "headers": []}, {"rows": HOSTS}, body())
    two = http(headers=[("host", "api.example.org"), ("host", "a.example.com")])
    yield exchange("host twice", HOSTS, two)
    yield from _reverse()
    yield from _others()
    yield from _random()


def _roots() -> Iterator[Case]:
    for root in ["/root", "/root/", "/", "/plain", "/other"]:
        for path in ["/root", "/root/", "/root/plain", "/root/plain/", "/rootplain", "/root/users/tom", "/root/users", "/plain", "/root/app/x", "/root/slash"]:  # fmt: skip
            yield exchange(f"root {root} {path}", TABLE, http(path, root_path=root))
    for path in ["/slash", "/plain/", "/plain//", "/users", "/app", "/a b/api/v/5/", "/umlaut/\u00e4/1/"]:
        for label, keys in dict[str, dict[str, Any]](
            {
                "query": {"query": b"a=1&b=%C3%A9"},
                "https": {"scheme": "https", "server": ("testserver", 443)},
                "server": {"headers": {"host": "bad host"}, "server": ("10.0.0.1", 8000)},
                "port": {"headers": {"host": "h.org:8080"}},
                "no-server": {"headers": {"host": "/"}, "server": None},
                "root": {"root_path": "/r", "path": "/r" + path},
            }
        ).items():
            keys = dict(keys)
            yield exchange(f"redirect {path} {label}", TABLE, http(keys.pop("path", path), **keys))
    for path in ["/plain/", "/slash", "/users", "/missing/"]:
        yield exchange(f"no redirects {path}", TABLE, http(path), redirect_slashes=False)
        yield exchange(f"no redirects bare {path}", TABLE, http(path), redirect_slashes=False, bare=True)


def _reverse() -> Iterator[Case]:
    for index, lookup in enumerate(LOOKUPS):
        yield exchange(f"reverse {index} {lookup[0]}", LOOKED_UP, http("/at"), "routing.reverse", lookups=[lookup])
    some = [("home", {}), ("users:user", {"name": "a b\u00e9"}), ("ws", {"x": "1"}), ("p", {}), ("str", {"x": "%2F;="})]
    for label, scope in {
        "https": http("/at", scheme="https"),
        "root": http("/r/at", root_path="/r"),
        "root with slash": http("/r/at", root_path="/r/"),
        "app root": http("/at", app_root_path="/y"),
        "bad host": http("/at", headers={"host": "a b"}),
        "port": http("/at", headers={"host": "h:8000"}),
        "nothing": http("/at", headers={"host": "?"}, server=None),
        "ipv6": http("/at", headers={"host": "[::1]:80"}),
    }.items():
        yield exchange(f"reverse from {label}", LOOKED_UP, scope, "routing.reverse", lookups=some)


def _others() -> Iterator[Case]:
    for row in list[Any]([["route", "/a/{x:int}"], ["route", "/p", {"methods": ["POST"]}], ["mount", "/a", [["route", "/1"]]], ["host", "testserver", [["route", "/a/1"]]], ["ws", "/a/1"]]):  # fmt: skip
        for path in ["/a/1", "/a/x", "/p"]:
            yield Case(
                f"routing/standalone {row[0]} {row[1]} {path}", "routing.standalone", http(path), {"row": row}, body()
            )
        yield Case(
            f"routing/standalone {row[0]} {row[1]} websocket",
            "routing.standalone",
            websocket("/a/1"),
            {"row": row},
            (CONNECT,),
        )
    simple: list[Any] = [["route", "/a"], ["route", "/b/", {"methods": ["POST"]}]]
    for scope in [http("/a"), http("/x"), http("/a", "PUT"), http("/a/"), http("/b"), websocket("/x")]:
        label = f"{scope['type']} {scope.get('method')} {scope['path']}"
        yield exchange(f"default {label}", simple, scope, "routing.with_default")
        yield exchange(f"handled {label}", simple, scope, "routing.handled", statuses=[404, 405])
        yield exchange(f"changing {label}", simple, scope, "routing.changing", added=[["route", "/x"], ["ws", "/x"]])
        yield exchange(f"middleware {label}", simple, scope, middleware=["a", "b"])
        yield exchange(f"router middleware {label}", simple, scope, middleware=["a", "b"], bare=True)
    yield Case("routing/unknown scope", "routing.table", {"type": "other"}, {"rows": simple})
    yield Case("routing/unknown scope bare", "routing.table", {"type": "other"}, {"rows": simple, "bare": True})
    for index, row in enumerate(BAD):
        yield exchange(f"definition {index} {row[0]} {row[1]}", [row], http(), "routing.description")


SEGMENTS: Final = ["a", "b", "ab", "1", "22", "1.5", "x-y", "a.b", "{x}", ""]
PIECES: Final = ["a", "b", "ab", "1", "{p}", "{p:int}", "{p:path}", "{p:float}", "x-{p}", "{p}.{q}", "a{p:int}"]


def _pattern(chance: random.Random, prefix: str) -> str:
    pieces = [chance.choice(PIECES) for _ in range(chance.randint(1, 3))]
    found = ""
    for number, piece in enumerate(pieces):
        found += "/" + piece.replace("{p", "{" + f"{prefix}p{number}").replace("{q", "{" + f"{prefix}q{number}")
    return found + chance.choice(["", "", "", "/"])


def _rows(chance: random.Random, prefix: str, depth: int) -> list[Any]:
    rows: list[Any] = []
    for number in range(chance.randint(1, 7)):
        kind = chance.choice(["route"] * 6 + ["ws", "class", "mount", "raw"])
        path = _pattern(chance, f"{prefix}{number}")
        options: dict[str, Any] = {"name": f"n{prefix}{number}"}
        if kind == "mount":
            if depth:
                rows.append(
                    [kind, chance.choice([path, "", "/"]), _rows(chance, f"{prefix}{number}", depth - 1), options]
                )
        elif kind == "class":
            rows.append([kind, path, chance.sample(["get", "post", "put"], chance.randint(0, 3)), options])
        elif kind == "route":
            methods = chance.choice([None, ["GET"], ["POST"], ["PUT", "DELETE"]])
            rows.append([kind, path, {**options, "methods": methods}])
        else:
            rows.append([kind, path, options])
    return rows or [["route", "/a", {"name": "a"}]]


def _path(chance: random.Random) -> str:
    path = "".join("/" + chance.choice(SEGMENTS) for _ in range(chance.randint(1, 4)))
    return path + chance.choice(["", "", "/"])


def _random() -> Iterator[Case]:
    chance = random.Random(20260)
    for number in range(60):
        rows = _rows(chance, "k", 2)
        for attempt in range(6):
            path = _path(chance)
            root = chance.choice(["", "", "", "/a", "/a/b"])
            if chance.random() < 0.15:
                scope = websocket(path, root_path=root)
            else:
                scope = http(path, chance.choice(["GET", "GET", "POST", "HEAD", "DELETE"]), root_path=root)
            yield exchange(f"random {number}-{attempt} {path} {root}", rows, scope, bare=chance.random() < 0.2)
