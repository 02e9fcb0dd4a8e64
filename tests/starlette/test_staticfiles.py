"""Static files: lookup, containment, conditions, pages, and hooks."""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope
from tests.asgi import Record, Script, call, http_scope, websocket_scope


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A served directory beside a secret one."""
    site = tmp_path / "static"
    (site / "sub").mkdir(parents=True)
    (site / "empty").mkdir()
    (site / "a.txt").write_text("text")
    (site / "sub" / "index.html").write_text("<p>index")
    (tmp_path / "static-private").mkdir()
    (tmp_path / "static-private" / "x").write_text("secret")
    (tmp_path / "secret.txt").write_text("secret")
    return site


def put(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def fields(**headers: str) -> dict[str, Any]:
    return {"headers": [(key.replace("_", "-").encode(), value.encode("latin-1")) for key, value in headers.items()]}


async def status_of(app: StaticFiles, path: str, **keys: Any) -> int:
    try:
        return (await call(app, http_scope(path, **keys))).status
    except HTTPException as exc:
        return exc.status_code


# --- construction ---


def test_construction(site: Path) -> None:
    app = StaticFiles(directory=site, html=True, follow_symlink=True)
    assert (app.directory, app.packages, app.html, app.follow_symlink) == (site, None, True, True)  # R1
    assert (app.all_directories, app.config_checked) == ([site], False)
    assert StaticFiles().all_directories == []  # R6
    with pytest.raises(TypeError):
        StaticFiles(site)  # type: ignore[call-arg]  # keyword-only
    for wrong in (site / "missing", site / "a.txt"):
        with pytest.raises(RuntimeError, match=f"^Directory '{wrong}' does not exist$"):
            StaticFiles(directory=wrong)  # R3
        StaticFiles(directory=wrong, check_dir=False)


def test_nothing_of_construction_needs_an_event_loop_or_warns(site: Path) -> None:  # R7
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        StaticFiles(directory=site, packages=[("json", "../json")], html=True)


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/static", ""])
async def test_it_is_served_below_a_mount_and_behind_middleware(site: Path, path: str) -> None:  # R39
    async def dispatch(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        response.headers["x-passed"] = "yes"
        return response

    app = Starlette(
        routes=[Mount(path, StaticFiles(directory=site), name="static")],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=dispatch)],
    )
    for method, content in (("GET", b"text"), ("HEAD", b"")):
        sent = await call(app, http_scope(f"{path}/a.txt", method=method))
        assert (sent.status, sent.body) == (200, content)
        assert (sent.header("content-length"), sent.header("x-passed")) == ("4", "yes")


@pytest.mark.anyio
async def test_packages_and_relative_directories_are_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # R40
    (tmp_path / "somepackage" / "statics").mkdir(parents=True)
    (tmp_path / "somepackage" / "__init__.py").touch()
    (tmp_path / "somepackage" / "statics" / "example.txt").write_text("123\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for app in (
        StaticFiles(packages=["somepackage"]),
        StaticFiles(packages=[("somepackage", "statics")]),
        StaticFiles(directory=os.path.join("somepackage", "statics"), follow_symlink=True),
    ):
        assert (await call(app, http_scope("/example.txt"))).body == b"123\n"
    assert "somepackage" not in sys.modules  # R4: found, not imported


def test_packages(site: Path) -> None:  # R4
    app = StaticFiles(directory=site, packages=[("json", "../json")])
    assert app.all_directories[0] == site
    assert os.path.samefile(app.all_directories[1], os.path.dirname(json.__file__))  # R6
    for wrong, text in (
        ("nope_pkg", "Package 'nope_pkg' could not be found."),
        ("json", "Directory ''statics'' in package 'json' could not be found."),
    ):
        with pytest.raises(AssertionError) as raised:
            StaticFiles(packages=[wrong])  # R5
        assert str(raised.value) == text
    with pytest.raises(ModuleNotFoundError):
        StaticFiles(packages=["nope_pkg.inner"])


@pytest.mark.anyio
async def test_the_directory_is_checked_until_it_is_there(tmp_path: Path) -> None:
    directory = tmp_path / "later"
    app = StaticFiles(directory=directory, check_dir=False)
    for _ in range(2):
        with pytest.raises(RuntimeError, match=f"^StaticFiles directory '{directory}' does not exist.$"):
            await call(app, http_scope(method="POST"))  # R9: before the method
    directory.write_text("")
    with pytest.raises(RuntimeError, match=f"^StaticFiles path '{directory}' is not a directory.$"):
        await call(app)
    assert not app.config_checked
    directory.unlink()
    directory.mkdir()
    assert await status_of(app, "/x") == 404
    assert app.config_checked
    directory.rmdir()
    assert await status_of(app, "/x") == 404
    assert await status_of(StaticFiles(), "/x") == 404


# --- requests ---


@pytest.mark.anyio
async def test_a_file_is_sent_with_its_validators(site: Path) -> None:
    app = StaticFiles(directory=site)
    for path in ("/a.txt", "/a.txt/", "//a.txt", "/sub/../a.txt", "/./a.txt"):  # R11, R33
        sent = await call(app, http_scope(path))
        assert (sent.status, sent.body) == (200, b"text")
    assert [name for name, _ in sent.headers] == [
        b"content-type",
        b"accept-ranges",
        b"content-length",
        b"last-modified",
        b"etag",
    ]  # R26
    head = await call(app, http_scope("/a.txt", "HEAD"))
    assert (head.headers, head.body) == (sent.headers, b"")
    mounted = await call(app, http_scope("/static/a.txt", root_path="/static"))
    assert mounted.body == b"text"


@pytest.mark.anyio
async def test_one_trip_to_a_worker_thread_serves_a_small_file(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # R17

    trips: list[Any] = []
    run_sync: Any = anyio.to_thread.run_sync

    async def counted(function: Any, *args: Any, **options: Any) -> Any:
        trips.append(function)
        return await run_sync(function, *args, **options)

    monkeypatch.setattr(anyio.to_thread, "run_sync", counted)
    app = StaticFiles(directory=site)
    await call(app, http_scope("/a.txt"))
    trips.clear()
    assert (await call(app, http_scope("/a.txt", asgi={}))).body == b"text"
    assert len(trips) == 1
    # The plain way gives the same.
    monkeypatch.setattr(
        anyio, "open_file", lambda *args, open_file=anyio.open_file, **options: open_file(*args, **options)
    )
    assert (await call(app, http_scope("/a.txt"))).body == b"text"
    assert len(trips) > 2


@pytest.mark.anyio
async def test_larger_files_and_empty_files(site: Path) -> None:
    for size in (0, 65535, 65536, 300_000):
        put(site / "b", b"x" * size)
        for version in ("2.0", "2.4"):
            scope = http_scope("/b", asgi={"spec_version": version})
            sent = await call(StaticFiles(directory=site), scope, Script())
            assert len(sent.body) == size
            assert [message["more_body"] for message in sent.messages[1:]].index(False) == len(sent.messages) - 2


@pytest.mark.anyio
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "get", "head"])
@pytest.mark.parametrize("path", ["/a.txt", "/missing"])
async def test_other_methods_are_refused(site: Path, method: str, path: str) -> None:
    with pytest.raises(HTTPException) as raised:
        await call(StaticFiles(directory=site, html=True), http_scope(path, method))
    assert (raised.value.status_code, raised.value.headers) == (405, {"Allow": "GET, HEAD"})  # R12, T01.5


@pytest.mark.anyio
async def test_other_scopes(tmp_path: Path) -> None:  # T01.5
    script = Script()
    sent = await call(StaticFiles(directory=tmp_path / "x", check_dir=False), websocket_scope(), script)
    assert sent.messages == [{"type": "websocket.close", "code": 1000, "reason": ""}]  # R8
    assert script.calls == 0
    with pytest.raises(AssertionError):
        await call(StaticFiles(directory=tmp_path), {"type": "lifespan"})


@pytest.mark.anyio
async def test_missing_files_need_nothing_but_the_method(site: Path) -> None:
    with pytest.raises(HTTPException) as raised:
        await StaticFiles(directory=site).get_response("missing", {"method": "GET"})
    assert (raised.value.status_code, raised.value.detail) == (404, "Not Found")  # R13, R16


# --- containment ---

ATTACKS = {
    "parent": "/../secret.txt",
    "parents": "/../../../../../../../../etc/passwd",
    "inner-parents": "/sub/../../secret.txt",
    "sibling-with-the-same-beginning": "/../static-private/x",
    "encoded": "/%2e%2e/secret.txt",
    "encoded-slash": "/..%2fsecret.txt",
    "twice-encoded": "/%252e%252e/secret.txt",
    "backslash": "/..\\secret.txt",
    "leading-backslash": "/\\..\\secret.txt",
    "unc": "/\\\\server\\share\\x",
    "unc-by-slashes": "//server/share/x",
    "drive": "/C:/Windows/win.ini",
    "drive-relative": "/C:secret.txt",
    "verbatim": "/\\\\?\\C:\\x",
    "device": "/CON",
    "device-in-a-directory": "/sub/AUX",
    "device-with-extension": "/NUL.txt",
    "stream": "/a.txt::$DATA",
    "trailing-dot": "/a.txt.",
    "nul": "/a.txt\0",
    "nul-and-extension": "/a.txt\0.png",
    "nul-and-parent": "/a\0/../a.txt",
    "nul-and-parents": "/a\0/../../secret.txt",
    "two-dots-full-width": "/\uff0e\uff0e/secret.txt",
    "one-dot-leader": "/\u2025/secret.txt",
    "division-slash": "/..\u2215secret.txt",
    "three-dots": "/.../secret.txt",
    "dots-and-blank": "/.. /secret.txt",
    "semicolon": "/..;/secret.txt",
    "absolute": "/{root}/secret.txt",
    "lone-surrogate": "/\ud800",
    "escaped-byte": "/\udcff",
    "too-long-name": "/" + "a" * 300,
    "too-long-path": "/" + "a/" * 4000,
    "below-a-file": "/a.txt/x",
    "directory": "/sub",
    "root": "/",
    "empty": "",
}


@pytest.mark.anyio
@pytest.mark.parametrize("follow_symlink", [False, True])
@pytest.mark.parametrize("html", [False, True])
@pytest.mark.blocks
async def test_attacks_find_nothing(site: Path, html: bool, follow_symlink: bool) -> None:
    app = StaticFiles(directory=site, html=html, follow_symlink=follow_symlink)
    for name, attack in ATTACKS.items():
        if html and name == "directory":
            continue
        path = attack.replace("{root}", str(site.parent))
        assert await status_of(app, path) == 404, name  # T01.1, T01.3, R14, R15
    assert app.lookup_path("/etc/passwd") == ("", None)  # R19
    assert app.lookup_path("\\\\server\\share") == ("", None)
    assert app.lookup_path("../static-private/x") == ("", None)  # R21


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(st.sampled_from(["..", ".", "", "a.txt", "sub", "x", "secret.txt", "static-private", "\\", "\0"]))
)
@pytest.mark.parametrize("follow_symlink", [False, True])
def test_no_path_finds_anything_outside(site: Path, follow_symlink: bool, parts: list[str]) -> None:  # T01.1
    app = StaticFiles(directory=site, follow_symlink=follow_symlink)
    for path in ("/".join(parts), app.get_path({"path": "/" + "/".join(parts)})):
        try:
            full_path, found = app.lookup_path(path)
        except ValueError:
            continue
        assert found is None or Path(full_path).resolve().is_relative_to(site.resolve())


@pytest.mark.anyio
@pytest.mark.blocks
async def test_parents_that_stay_inside_are_fine(site: Path) -> None:
    for follow_symlink in (False, True):
        app = StaticFiles(directory=site, follow_symlink=follow_symlink)
        for path in ("../static/a.txt", "sub/../a.txt", "./a.txt", "a.txt"):
            full_path, found = app.lookup_path(path)  # R21, R24
            assert full_path == str(site / "a.txt")
            assert found is not None
        assert app.lookup_path(".")[0] == str(site)


@pytest.mark.anyio
@pytest.mark.blocks
async def test_links(site: Path) -> None:
    (site / "inner").symlink_to(site / "a.txt")
    (site / "inner-directory").symlink_to(site / "sub")
    (site / "outer").symlink_to(site.parent / "secret.txt")
    (site / "outer-directory").symlink_to(site.parent / "static-private")
    strict, open_ = StaticFiles(directory=site), StaticFiles(directory=site, follow_symlink=True)
    for path, refused in (
        ("/inner", False),
        ("/inner-directory/index.html", False),
        ("/outer", True),
        ("/outer-directory/x", True),
    ):
        assert await status_of(strict, path) == (404 if refused else 200), path  # R22, T01.2
        assert await status_of(open_, path) == 200, path  # R23
    assert strict.lookup_path("inner")[0] == str(site / "a.txt")  # R24
    assert open_.lookup_path("inner")[0] == str(site / "inner")
    # Not even through a directory that is a link: `..` is taken off the text.
    (site.parent / "link").symlink_to(site / "sub")
    linked = StaticFiles(directory=site.parent / "link", follow_symlink=True)
    assert linked.lookup_path("../a.txt") == ("", None)
    assert linked.lookup_path("index.html")[1] is not None
    assert await status_of(StaticFiles(directory=site.parent / "link"), "/index.html") == 200


@pytest.mark.anyio
@pytest.mark.parametrize("html", [False, True])
@pytest.mark.parametrize("follow_symlink", [False, True])
async def test_links_to_nowhere_are_missing(site: Path, html: bool, follow_symlink: bool) -> None:
    (site / "loop").symlink_to(site / "loop")
    (site / "dangling").symlink_to(site / "nothing")
    (site / "dir").mkdir()
    (site / "dir" / "index.html").symlink_to("index.html")
    (site / "404.html").symlink_to("404.html")
    app = StaticFiles(directory=site, html=html, follow_symlink=follow_symlink)
    for path in ("/loop", "/loop/x", "/dangling", "/dangling/x", "/dir/", "/dir"):
        assert await status_of(app, path) == 404, path  # T01.3


@pytest.mark.anyio
async def test_what_is_no_regular_file_is_missing(site: Path) -> None:
    os.mkfifo(site / "fifo")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(site / "s"))
        for path in ("/fifo", "/s", "/empty", "/sub"):
            with anyio.fail_after(10):
                assert await status_of(StaticFiles(directory=site), path) == 404  # T01.4


def test_the_directory_may_move_while_serving(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    current = site.parent / "current"
    current.symlink_to(site)
    app = StaticFiles(directory=current)
    assert app.lookup_path("a.txt")[0] == str(site / "a.txt")
    other = site.parent / "other"
    other.mkdir()
    (other / "b.txt").write_text("")
    current.unlink()
    current.symlink_to(other)
    assert app.lookup_path("a.txt") == ("", None)
    assert app.lookup_path("b.txt")[0] == str(other / "b.txt")
    current.unlink()
    assert app.lookup_path("b.txt") == ("", None)
    monkeypatch.chdir(site.parent)
    for follow_symlink in (False, True):  # R2, R23
        assert StaticFiles(directory="static", follow_symlink=follow_symlink).lookup_path("a.txt")[1] is not None


@pytest.mark.anyio
async def test_the_first_directory_with_an_entry_wins(site: Path) -> None:
    class Two(StaticFiles):
        def get_directories(self, directory: Any = None, packages: Any = None) -> list[Any]:
            return [site, site.parent / "static-private", site.parent]

    app = Two()
    assert (await call(app, http_scope("/x"))).body == b"secret"  # R20
    assert await status_of(app, "/sub") == 404


@pytest.mark.anyio
async def test_errors_of_the_system(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = StaticFiles(directory=site, html=True)
    (site / "404.html").write_text("page")

    def failing(error: OSError) -> Any:
        def lookup_path(self: StaticFiles, path: str) -> Any:
            raise error

        return lookup_path

    monkeypatch.setattr(StaticFiles, "lookup_path", failing(PermissionError()))
    assert await status_of(app, "/a.txt") == 401  # R15
    monkeypatch.setattr(StaticFiles, "lookup_path", failing(OSError(errno.ENAMETOOLONG, "")))
    assert await status_of(app, "/a.txt") == 404  # R36
    monkeypatch.setattr(StaticFiles, "lookup_path", failing(OSError(errno.ELOOP, "")))
    assert await status_of(app, "/a.txt") == 404
    monkeypatch.setattr(StaticFiles, "lookup_path", failing(TimeoutError()))
    with pytest.raises(TimeoutError):
        await call(app)


# --- conditions ---


@pytest.mark.anyio
async def test_conditional_requests(site: Path) -> None:
    app = StaticFiles(directory=site)
    full = await call(app, http_scope("/a.txt"))
    etag, modified = full.header("etag") or "", full.header("last-modified") or ""
    old = "Sat, 01 Jan 2000 00:00:00 GMT"
    for keys, expected in (
        (fields(if_none_match=etag), 304),
        (fields(if_none_match="*"), 304),
        (fields(if_none_match='"x"', if_modified_since=modified), 200),  # R27: decides alone
        (fields(if_none_match="", if_modified_since=modified), 304),  # R28
        (fields(if_modified_since=old), 200),
        (fields(if_modified_since="nonsense"), 200),
        (fields(if_none_match=etag, range="bytes=0-1"), 304),  # R30
        (fields(range="bytes=0-1"), 206),
        (fields(range="\xff", if_range="\xff", if_none_match="\xff"), 200),  # T01.6
    ):
        sent = await call(app, http_scope("/a.txt", **keys))
        assert sent.status == expected, keys
        if expected == 304:
            assert (sent.headers, sent.body) == ([(b"etag", etag.encode())], b"")  # R29
    assert (await call(app, http_scope("/a.txt", "HEAD", **fields(if_none_match=etag)))).status == 304


def test_not_modified_responses_repeat_some_fields() -> None:
    given_fields = Headers(raw=[(b"etag", b"1"), (b"vary", b"a"), (b"vary", b"b"), (b"content-length", b"5")])
    response = NotModifiedResponse(given_fields)
    assert (response.status_code, response.raw_headers) == (304, [(b"etag", b"1"), (b"vary", b"b")])  # R29


def test_a_file_response_for_another_status_ignores_conditions(site: Path) -> None:
    path = site / "a.txt"
    response = StaticFiles(directory=site).file_response(
        path, path.stat(), http_scope(**fields(if_none_match="*")), 404
    )
    assert (type(response), response.status_code) == (FileResponse, 404)


# --- pages ---


@pytest.mark.anyio
async def test_index_pages(site: Path) -> None:
    app = StaticFiles(directory=site, html=True)
    page = await call(app, http_scope("/sub/"))
    assert (page.status, page.body) == (200, b"<p>index")  # R31
    assert (await call(app, http_scope("/sub/index.html"))).body == b"<p>index"  # R32
    assert (await call(app, http_scope("/sub/", **fields(if_none_match="*")))).status == 304
    assert await status_of(app, "/empty/") == 404
    (site / "index.html").write_text("root")
    assert (await call(app, http_scope("/"))).body == b"root"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "keys", "location"),
    [
        pytest.param("/sub", {"query_string": b"a=1"}, "http://testserver/sub/?a=1", id="R31-query"),
        pytest.param("/st/sub", {"root_path": "/st"}, "http://testserver/st/sub/", id="R31-mounted"),
        pytest.param("/sub", {"headers": [], "server": None}, "/sub/", id="R31-relative"),
        pytest.param("//sub", {"headers": [], "server": None}, "/%2Fsub/", id="T05-no-authority"),
        pytest.param("/sub", {"headers": [(b"host", b"e@vil/")]}, "http://testserver/sub/", id="T05-bad-host"),
        pytest.param("//testserver.evil/../sub", {}, "http://testserver//testserver.evil/../sub/", id="T05-slashes"),
    ],
)
async def test_a_directory_without_its_slash_is_redirected(
    site: Path, path: str, keys: dict[str, Any], location: str
) -> None:  # T01.7
    app = StaticFiles(directory=site, html=True)
    for method in ("GET", "HEAD"):
        sent = await call(app, http_scope(path, method, **keys))
        assert (sent.status, sent.header("location")) == (307, location)


@pytest.mark.anyio
async def test_the_page_for_what_is_missing(site: Path) -> None:
    page = site / "404.html"
    page.write_text("not here")
    app = StaticFiles(directory=site, html=True)
    modified = "Tue, 01 Jan 2030 00:00:00 GMT"
    for keys in ({}, fields(if_none_match="*"), fields(if_modified_since=modified), fields(range="bytes=0-1")):
        sent = await call(app, http_scope("/missing", **keys))
        assert (sent.status, sent.body) == (404, b"not here")  # R34, R37
    assert sent.header("etag")
    head = await call(app, http_scope("/missing", "HEAD"))
    assert (head.status, head.body, head.header("content-length")) == (404, b"", "8")
    assert (await call(app, http_scope("/404.html"))).status == 200  # R35
    for path in ("/" + "a" * 300, "/\0"):
        with pytest.raises(HTTPException):
            await call(app, http_scope(path))  # R36
    assert await status_of(StaticFiles(directory=site), "/missing") == 404


# --- hooks ---


@pytest.mark.anyio
async def test_each_step_is_called_through_the_object(site: Path) -> None:
    calls: list[Any] = []

    class Custom(StaticFiles):
        def get_path(self, scope: Scope) -> str:
            calls.append("get_path")
            return super().get_path(scope)

        async def get_response(self, path: str, scope: Scope) -> Response:
            calls.append(("get_response", path))
            return await super().get_response(path, scope)

        def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
            calls.append(("lookup_path", path, threading.get_ident() != loop_thread))
            return super().lookup_path(path)

        def file_response(self, full_path: Any, stat_result: Any, scope: Scope, status_code: int = 200) -> Response:
            calls.append(("file_response", full_path))
            return super().file_response(full_path, stat_result, scope, status_code)

        def is_not_modified(self, response_headers: Headers, request_headers: Headers) -> bool:
            calls.append(("is_not_modified", response_headers["content-length"], request_headers["host"]))
            return False

    loop_thread = threading.get_ident()
    app = Custom(directory=site, html=True)
    assert (await call(app, http_scope("/sub/"))).body == b"<p>index"  # R10, R18, R25, R38, R41
    assert calls == [
        "get_path",
        ("get_response", "sub"),
        ("lookup_path", "sub", True),
        ("lookup_path", os.path.join("sub", "index.html"), True),
        ("file_response", str(site / "sub" / "index.html")),
        ("is_not_modified", "8", "testserver"),
    ]


@pytest.mark.anyio
@pytest.mark.blocks
async def test_what_was_read_ahead_is_not_sent_for_another_file(site: Path) -> None:
    (site / "b.txt").write_text("other")

    class Switching(StaticFiles):
        async def get_response(self, path: str, scope: Scope) -> Response:
            response = await super().get_response(path, scope)
            assert isinstance(response, FileResponse)
            response.path = str(site / "b.txt")
            response.stat_result = os.stat(response.path)
            response.raw_headers = []
            response.set_stat_headers(response.stat_result)
            return response

    sent = Record()
    await Switching(directory=site)(http_scope("/a.txt"), Script(), sent)
    assert sent.body == b"other"


@pytest.mark.anyio
async def test_a_smaller_chunk_size_counts_for_static_files(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FileResponse, "chunk_size", 3)
    sent = await call(StaticFiles(directory=site), http_scope("/a.txt"))
    assert [message["body"] for message in sent.messages[1:]] == [b"tex", b"t"]


@pytest.mark.anyio
async def test_pathsend_is_used(site: Path) -> None:
    sent = await call(StaticFiles(directory=site), http_scope("/a.txt", extensions={"http.response.pathsend": {}}))
    assert sent.messages[1] == {"type": "http.response.pathsend", "path": str(site / "a.txt")}
