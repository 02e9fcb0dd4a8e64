# ruff: noqa: E501  (tables of data are easier to compare in long lines)
"""Files: paths of all kinds, conditional requests, ranges, and options of both ways to serve them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, Final

from tests.differential.case import CONNECT, Case, body, http, older, websocket

PATHS: Final = [
    "/", "", "/a.txt", "/a.txt/", "//a.txt", "/./a.txt", "/sub/../a.txt", "/../site/a.txt", "/../site_private/secret.txt", "/..", "/../..",
    "/%2e%2e/site_private/secret.txt", "/..%2fx", "\\a.txt", "/\\a.txt", "/..\\x", "/C:\\x", "/\\\\server\\share", "///etc/passwd", "/etc/passwd",
    "/missing", "/missing/", "/sub", "/sub/", "/sub//", "/sub/index.html", "/sub/b.css", "/plain", "/plain/", "/plain/c.js", "/a.txt/x",
    "/sp ace/\u00e9.txt", "/sp ace", "/.hidden", "/empty.txt", "/exact.bin", "/digits", "/data.json", "/404.html", "/index.html", "/inside.txt",
    "/outside.txt", "/outdir/secret.txt", "/outdir", "/outdir/", "/outdir/../a.txt", "/nul\0byte", "/" + "n" * 300, "/" + "d/" * 3000, "/A.TXT",
    "/a.txt ", "/a.txt.", "/only.txt", "/folder", "/folder/", "/folder/d.txt", "/~", "/*", "/?", "/a.txt;v=1", "/\ud800".encode("utf-8", "replace").decode(),
]  # fmt: skip

OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "plain": {"directory": "site"},
    "html": {"directory": "site", "html": True},
    "follow": {"directory": "site", "follow_symlink": True},
    "mounted": {"directory": "site", "html": True, "at": "/st"},
}

# Of `site/a.txt`.
ETAG: Final = '"6add7f7e31797212231560d21bc890e8"'
MODIFIED: Final = "Sun, 17 Mar 2030 17:46:40 GMT"

NONE_MATCH: Final = [
    ETAG, f"W/{ETAG}", "*", " * ", '"*"', '"foo",*', f'"123",\tW/{ETAG}', f'"x" , {ETAG}', ETAG.strip('"'), f"w/{ETAG}", f"W/W/{ETAG}", '""', "",
    ",", f"{ETAG},", f"{ETAG[:-1]}", '"a", "b"', f"x{ETAG}",
]  # fmt: skip
SINCE: Final = [
    MODIFIED, "Sun, 17 Mar 2030 17:46:39 GMT", "Sun, 17 Mar 2030 17:46:41 GMT", "Sunday, 17-Mar-30 17:46:40 GMT", "Sun Mar 17 17:46:40 2030",
    "yesterday", "", "0", "Sun, 17 Mar 2030 17:46:40", "Sun, 17 Mar 2030 25:46:40 GMT", "Sun, 99 Mar 2030 17:46:40 GMT", "17 Mar 2030 17:46:40 GMT",
    "Mon, 17 Mar 2030 17:46:40 GMT", "Sun, 17 Mar 99999 17:46:40 GMT", "x" * 500, "Sun, 17 Mar 2030",
]  # fmt: skip
RANGES: Final = [
    "bytes=0-4", "bytes=5-", "bytes=-3", "bytes=-99", "bytes=-0", "bytes=9-9", "bytes=10-", "bytes=0-99", "bytes=4-2", "bytes=5-4", "bytes=5-5",
    "bytes=0-1,3-4", "bytes=3-4, 0-1", "bytes=0-3,2-5", "bytes=0-1,2-3", "bytes=0-0,9-9,5-5", "bytes=0-1,", "bytes=,0-1", "bytes=,", "bytes=-", "bytes=",
    "bytes", "bytes:0-1", "items=0-1", "BYTES=0-1", " bytes =0-1", "bytes=a-b", "bytes=a-b,0-1", "bytes=0-x", "bytes=1", "bytes=1,0-2", "bytes= 0 - 4 ",
    "bytes=0-4=5", "bytes=--5", "bytes=0--5", "", "=", "bytes=" + ",".join(["0-0"] * 100), "bytes=" + ",".join(["0-0"] * 101), "bytes=" + "," * 200,
    "bytes=0-,-1", "bytes=0-,0-,0-", "bytes=\t0-1", "bytes=0-1;2-3", "bytes=99-98", "bytes=1-0",
]  # fmt: skip


def files(name: str, scope: dict[str, Any], app: str = "files", **options: Any) -> Case:
    """Return a case for static files, or with `app="one"` for one file."""
    messages = (CONNECT,) if scope["type"] == "websocket" else body()
    return Case(f"static/{name}", f"static.{app}", scope, options, messages)


def cases() -> Iterator[Case]:
    """Yield the cases of this topic."""
    for label, options in OPTIONS.items():
        for index, path in enumerate(PATHS):
            full = "/st" + path if label == "mounted" else path
            yield files(f"path {label} {index} {path[:30]!r}", http(full), **options)
    for index, path in enumerate(PATHS[:40]):
        yield files(f"bare {index} {path[:30]!r}", http(path), at=None, noting=True, directory="site", html=True)
    for path in ["/a.txt", "/sub", "/missing", "/st/a.txt", "/st", "/st/sub", "/stx/a.txt"]:
        for root in ["/st", "/st/", "/other"]:
            yield files(
                f"root {root} {path}", http(path, root_path=root), at=None, directory="site", html=True, noting=True
            )
        for method in ["HEAD", "POST", "get", "OPTIONS"]:
            yield files(f"method {method} {path}", http(path, method), directory="site", html=True)
            yield files(f"method bare {method} {path}", http(path, method), at=None, directory="site")
    for label, keys in dict[str, dict[str, Any]](
        {
            "query": {"query": b"a=1"},
            "no host": {"headers": {"host": "?"}, "server": None},
            "https": {"scheme": "https"},
        }
    ).items():
        for path in ["/sub", "//sub", "/sp ace/../sub", "/@evil/../sub"]:
            yield files(f"redirect {label} {path}", http(path, **keys), at=None, directory="site", html=True)
    yield files("websocket", websocket("/a.txt"), directory="site")
    yield files("websocket bare", websocket("/a.txt"), at=None, directory="nowhere", check_dir=False)
    yield files("lifespan bare", {"type": "lifespan"}, at=None, directory="site")
    yield files("behind middleware", http("/a.txt", "HEAD"), directory="site", stamped=True)
    yield from _conditional()
    yield from _options()
    yield from _ranges()
    yield from _one()


def _conditional() -> Iterator[Case]:
    for index, value in enumerate(NONE_MATCH):
        for method in ["GET", "HEAD"]:
            yield files(
                f"none match {index} {method}", http("/a.txt", method, {"if-none-match": value}), directory="site"
            )
        yield files(
            f"none match and since {index}",
            http("/a.txt", headers={"if-none-match": value, "if-modified-since": MODIFIED}),
            directory="site",
        )
    for index, value in enumerate(SINCE):
        yield files(f"since {index}", http("/a.txt", headers={"if-modified-since": value}), directory="site")
        yield files(
            f"since of a missing file {index}",
            http("/no", headers={"if-modified-since": value}),
            directory="site",
            html=True,
        )
    for label, headers in {
        "both and range": {"if-none-match": ETAG, "range": "bytes=0-1"},
        "no match and range": {"if-none-match": '"x"', "range": "bytes=0-1"},
        "since and range": {"if-modified-since": "Sun, 17 Mar 2029 17:46:40 GMT", "range": "bytes=0-1"},
    }.items():
        for path in ["/a.txt", "/sub/", "/sub", "/no"]:
            yield files(f"conditional {label} {path}", http(path, headers=headers), directory="site", html=True)
    twice = http("/a.txt", headers=[("if-none-match", '"x"'), ("if-none-match", ETAG)])
    yield files("none match twice", twice, directory="site")


def _options() -> Iterator[Case]:
    rows: dict[str, dict[str, Any]] = {
        "missing": {"directory": "nowhere"}, "missing unchecked": {"directory": "nowhere", "check_dir": False}, "a file": {"directory": "site/a.txt"},
        "a file unchecked": {"directory": "site/a.txt", "check_dir": False}, "nothing": {}, "no package": {"packages": ["no_such_package"]},
        "no statics": {"packages": ["json"]}, "statics": {"packages": [("json", "__pycache__")]}, "no parent": {"packages": ["no_such.package"]},
        "linked": {"directory": "linked"}, "linked and followed": {"directory": "linked", "follow_symlink": True}, "dots": {"directory": "site/../site"},
        "slash": {"directory": "site/"}, "bare": {"directory": "bare", "html": True},
    }  # fmt: skip
    for label, options in rows.items():
        for path in ["/a.txt", "/../a.txt", "/missing"]:
            yield files(f"options {label} {path}", http(path), **options)
        if label not in {"missing", "a file", "no package", "no statics", "no parent"}:
            keys = {key: item for key, item in options.items() if key != "check_dir"}
            yield files(f"late {label}", http("/a.txt"), "late", **keys)


def _ranges() -> Iterator[Case]:
    for index, value in enumerate(RANGES):
        yield files(f"range {index} {value[:20]}", http("/digits", headers={"range": value}), directory="site")
        yield files(f"range of nothing {index}", http("/", headers={"range": value}), "one", path="site/empty.txt")
        yield files(f"range small {index}", http("/", "HEAD" if index % 3 == 0 else "GET", {"range": value}), "one", path="site/digits", kind="SmallChunks")  # fmt: skip
    for method in ["HEAD", "head", "get", "POST", "PUT"]:
        for value in ["bytes=0-4", "bytes=0-1,3-4", "bytes=99-", "nonsense"]:
            yield files(
                f"range method {method} {value}", http("/", method, {"range": value}), "one", path="site/digits"
            )
    for status in [206, 404, 201]:
        yield files(
            f"range status {status}",
            http("/", headers={"range": "bytes=0-1"}),
            "one",
            path="site/digits",
            status_code=status,
        )
    for index, value in enumerate(
        [ETAG, f"W/{ETAG}", MODIFIED, "Sunday, 17-Mar-30 17:46:40 GMT", "", "x", ETAG.strip('"'), f" {ETAG}", ETAG[:-1]]
    ):
        headers = {"if-range": value, "range": "bytes=0-1"}
        yield files(f"if range {index}", http("/a.txt", headers=headers), directory="site")
        own = {"ETag": 'W/"mine"' if index % 2 else ETAG, "last-modified": "yesterday"}
        yield files(f"if range own {index}", http("/", headers=headers), "one", path="site/a.txt", headers=own)
    for value in ["bytes=0-70000", "bytes=65536-131071", "bytes=0-65535", "bytes=0-65536,100000-"]:
        yield files(f"range long {value}", http("/", headers={"range": value}), "one", path="site/long.bin")
    chance = random.Random(5)
    for index in range(120):
        # In order and satisfiable, or nothing is: what lies between is `partly-satisfiable-ranges`.
        items = []
        for _ in range(chance.randint(1, 4)):
            start = chance.randrange(10)
            items.append(
                chance.choice([f"{start}-{start + chance.randrange(12)}", f"{start}-", f"-{chance.randint(1, 14)}"])
            )
        noise = chance.choice(["", "", " ", ",", ", "])
        value = "bytes=" + noise + chance.choice([",", ", ", ",,"]).join(items)
        kind = chance.choice(["FileResponse", "SmallChunks"])
        yield files(f"range random {index}", http("/", headers={"range": value}), "one", path="site/digits", kind=kind)


def _one() -> Iterator[Case]:
    rows: dict[str, dict[str, Any]] = {
        "plain": {}, "named": {"filename": "example.png"}, "unicode": {"filename": "\u4f60\u597d.txt"}, "blank": {"filename": "a b.txt"},
        "quote": {"filename": 'a"b.txt'}, "percent": {"filename": "a%b.txt"}, "empty name": {"filename": ""}, "no extension": {"filename": "noext"},
        "slash": {"filename": "a/b.txt"}, "control": {"filename": "a\r\nb"}, "surrogate": {"filename": "\ud800"},
        "inline": {"filename": "x.html", "content_disposition_type": "inline"}, "media": {"media_type": "a/b"}, "status": {"status_code": 418},
        "headers": {"headers": {"ETag": '"mine"', "Content-Length": "3", "last-modified": "now", "accept-ranges": "none", "content-type": "x/y"}},
        "disposition": {"filename": "f", "headers": {"content-disposition": "mine"}}, "stat": {"stat_result": {"$": "stat", "path": "site/digits"}},
    }  # fmt: skip
    for label, options in rows.items():
        for path in ["site/a.txt", "site/empty.txt"]:
            yield files(f"one {label} {path}", http(), "one", path=path, **options)
    for path in [
        "site/nowhere",
        "site",
        "site/a.txt/x",
        "site/exact.bin",
        "site/inside.txt",
        "site/long.bin",
        "site/data.json",
        "site/page.html",
        "",
    ]:
        for method in ["GET", "HEAD"]:
            for label, scope in {"now": http(method=method), "older": older(http(method=method))}.items():
                yield files(f"one {method} {label} {path}", scope, "one", path=path)
    for extensions in list[dict[str, Any]]([{"http.response.pathsend": {}}, {"other": {}}]):
        for method in ["GET", "HEAD"]:
            for index, headers in enumerate([{}, {"range": "bytes=0-1"}, {"range": "bytes=x"}]):
                scope = http("/a.txt", method, headers, extensions=extensions)
                yield files(f"pathsend {sorted(extensions)} {method} {index}", scope, "one", path="site/a.txt")
                yield files(f"pathsend static {sorted(extensions)} {method} {index}", scope, directory="site")
    yield files("websocket one", websocket(headers={"range": "bytes=0-3"}), "one", path="site/digits")
    yield files("one twice", http(headers={"range": "bytes=0-1,4-5"}), "one", path="site/digits", times=2)
    for position in range(4):
        for label, scope in {"now": http(), "older": older(http())}.items():
            yield Case(
                f"static/send fails {position} {label}",
                "static.one",
                scope,
                {"path": "site/long.bin"},
                body(),
                fails_at=position,
            )
