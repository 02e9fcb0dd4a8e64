"""Each entry of docs/compatibility.md has the test of its name here, and no test lacks its entry."""

from __future__ import annotations

import base64
import functools
import gzip
import io
import os
import pickle
import re
import subprocess
import sys
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import itsdangerous
import jinja2
import pytest

from starlette.applications import Starlette
from starlette.authentication import AuthenticationBackend, AuthenticationError
from starlette.config import Config
from starlette.datastructures import MutableHeaders
from starlette.endpoints import WebSocketEndpoint
from starlette.exceptions import HTTPException, StarletteDeprecationWarning
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.schemas import SchemaGenerator
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketClose
from tests.asgi import Record, Script, body, call, http_scope, websocket_scope

with warnings.catch_warnings():
    warnings.simplefilter("ignore", StarletteDeprecationWarning)
    from starlette.middleware.wsgi import WSGIMiddleware, build_environ

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"
MULTIPART = [(b"content-type", b"multipart/form-data; boundary=b")]
PART = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n'


def test_every_entry_has_its_test() -> None:
    entries = re.findall(r"^- `([a-z0-9-]+)`:", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    tests = [name.removeprefix("test_").replace("_", "-") for name in globals() if name.startswith("test_")]
    tests.remove("every-entry-has-its-test")
    assert sorted(entries) == sorted(tests)


def test_parameters_in_urls() -> None:
    seen: list[str] = []

    async def links(request: Request) -> Response:
        seen.append(str(request.url_for("page", name="a?b#c\n")))
        return Response()

    app = Starlette(routes=[Route("/", links), Route("/p/{name}", links, name="page")])
    anyio.run(call, app)
    assert seen == ["http://testserver/p/a%3Fb%23c%0A"]


def url(path: str = "/", **keys: Any) -> Any:
    return Request(http_scope(path, **keys)).url


async def echo(request: Request) -> JSONResponse:
    return JSONResponse({name: repr(value) for name, value in request.path_params.items()})


async def echo_form(request: Request) -> JSONResponse:
    return JSONResponse((await request.form()).multi_items())


def serving(endpoint: Callable[[Request], Awaitable[Response]], path: str = "/", **options: Any) -> Starlette:
    return Starlette(routes=[Route(path, endpoint, **options)])


async def ranged(path: Path, field: bytes) -> Record:
    return await call(FileResponse(path), http_scope(headers=[(b"range", field)]))


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    path = tmp_path / "digits"
    path.write_bytes(b"0123456789")
    return path


def rewritten(path: Path, content: bytes) -> os.stat_result:
    """Give the file other content, and return what was known of it before."""
    before = path.stat()
    path.write_bytes(content)
    return before


# -- refused where it is made ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda text: Response(headers={"x": text}), id="value"),
        pytest.param(lambda text: Response(headers={text: "x"}), id="name"),
        pytest.param(lambda text: Response(media_type=text), id="media-type"),
        pytest.param(lambda text: MutableHeaders().__setitem__("x", text), id="mutable-headers"),
        pytest.param(lambda text: FileResponse("x", filename="x", content_disposition_type=text), id="disposition"),
    ],
)
@pytest.mark.parametrize("octet", ["\r", "\n", "\0"])
def test_header_injection(make: Callable[[str], object], octet: str) -> None:  # threats T03
    with pytest.raises(ValueError, match="CR, LF"):
        make(f"a{octet}b: c")


@pytest.mark.anyio
async def test_header_injection_by_exception() -> None:  # T03
    async def endpoint(request: Request) -> Response:
        raise HTTPException(400, headers={"x": "a\r\nb: c"})

    sent = Record()
    with pytest.raises(ValueError, match="CR, LF"):
        await serving(endpoint)(http_scope(), body(), sent)
    assert sent.status == 500
    assert sent.header("x") is None


@pytest.mark.parametrize("name", ["path", "domain", "expires"])
@pytest.mark.parametrize("octet", ["\r", "\n", "\0", ";"])
def test_cookie_attributes(name: str, octet: str) -> None:  # threats T04.2
    arguments: dict[str, Any] = {name: f"a{octet}b"}
    with pytest.raises(ValueError, match=name):
        Response().set_cookie("name", "value", **arguments)


def test_checks_without_asserts() -> None:  # threats T04.3, T27
    program = "from starlette.responses import Response; Response().set_cookie('a', 'b', samesite='never')"
    ended = subprocess.run([sys.executable, "-O", "-c", program], capture_output=True, text=True, check=False)
    assert "AssertionError: samesite must be" in ended.stderr


@pytest.mark.parametrize("key", ["", None])
def test_empty_secret_keys(key: Any) -> None:  # threats T08.4
    with pytest.raises(ValueError, match="secret_key"):
        SessionMiddleware(ok, key)


def test_compression_levels() -> None:
    with pytest.raises(ValueError, match="compresslevel"):
        GZipMiddleware(ok, compresslevel=11)


# -- addresses ---------------------------------------------------------------------------------------------------------


def test_unix_socket_address() -> None:  # threats T02.2
    assert str(url("/a", headers=[], server=("/run/app.sock", None))) == "/a"


def test_path_is_no_scheme() -> None:  # threats T02.3
    assert url("http://evil/x", headers=[], server=None).hostname is None


def test_control_characters_in_paths() -> None:  # threats T02.4
    assert str(url("/a\nb\tc")) == "http://testserver/a%0Ab%09c"
    assert url("/a\nb\tc").path == "/a%0Ab%09c"


def test_any_octet_in_queries() -> None:  # threats T02.5
    found = url(query_string=b"a=\xff#b")
    assert (str(found), found.fragment) == ("http://testserver/?a=%FF%23b", "")


# -- routing -----------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize(("path", "asked"), [("/admin", "/admin\n"), ("/{number:int}", "/5\n")])
async def test_whole_path(path: str, asked: str) -> None:  # threats T13.2
    assert (await call(serving(echo, path), http_scope(asked))).status == 404


@pytest.mark.anyio
async def test_values_that_cannot_be_converted() -> None:  # threats T13.5
    assert (await call(serving(echo, "/{number:int}"), http_scope("/" + "9" * 5000))).status == 404


@pytest.mark.anyio
async def test_finite_floats() -> None:  # threats T13.5
    assert (await call(serving(echo, "/{number:float}"), http_scope("/" + "9" * 400))).status == 404


@pytest.mark.anyio
async def test_linear_matching() -> None:  # threats T14
    app = serving(echo, "/{a:path}-{b:path}-{c:path}-end")

    async def seconds(length: int) -> float:
        scope = http_scope("/" + "-" * length)
        begin = time.perf_counter()
        await call(app, scope)
        return time.perf_counter() - begin

    await seconds(1)
    short, long = min([await seconds(500) for _ in range(5)]), min([await seconds(4000) for _ in range(3)])
    # Eight times the length: a cubic matcher takes 512 times as long. Both bounds leave room for a busy machine.
    assert long < 64 * short + 0.05


@pytest.mark.anyio
async def test_sorted_allow() -> None:
    sent = await call(serving(echo, methods=["POST", "GET", "DELETE"]), http_scope(method="PUT"))
    assert sent.header("allow") == "DELETE, GET, HEAD, POST"


# -- bodies and forms --------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_unfinished_form() -> None:  # threats T09.3
    app = serving(echo_form, methods=["POST"])
    sent = await call(app, http_scope(method="POST", headers=MULTIPART), body(PART + b"1\r\n" + PART + b"hal"))
    assert (sent.status, sent.body) == (400, b"Invalid multipart data.")


@pytest.mark.anyio
async def test_form_charsets() -> None:  # threats T09.5
    headers = [(b"content-type", b"multipart/form-data; boundary=b; charset=unicode_escape")]
    app = serving(echo_form, methods=["POST"])
    sent = await call(app, http_scope(method="POST", headers=headers), body(PART + b"\\x41\r\n--b--\r\n"))
    assert sent.body == rb'[["a","\\x41"]]'


@pytest.mark.anyio
async def test_failed_form() -> None:
    async def twice(request: Request) -> Response:
        with pytest.raises(HTTPException):
            await request.form(max_fields=1)
        return await echo_form(request)

    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    sent = await call(
        serving(twice, methods=["POST"]), http_scope(method="POST", headers=headers), body(b"a=1&b=2&", b"c=3")
    )
    assert sent.status == 400


@pytest.mark.anyio
async def test_polling_loses_nothing() -> None:  # threats R15
    async def endpoint(request: Request) -> Response:
        return JSONResponse([await request.is_disconnected(), (await request.body()).decode()])

    sent = await call(serving(endpoint, methods=["POST"]), http_scope(method="POST"), body(b"da", b"ta"))
    assert sent.body == b'[false,"data"]'


def test_cookie_blanks() -> None:  # threats T16.2
    cookie = "\u00a0__Host-session=forged".encode("latin-1")
    assert Request(http_scope(headers=[(b"cookie", cookie)])).cookies == {"\u00a0__Host-session": "forged"}


# -- static files ------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/loop", "/loop/below", "/nowhere", "/folder/"])
async def test_files_that_cannot_be_resolved(tmp_path: Path, path: str) -> None:  # threats T01.3
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "nowhere").symlink_to("does not exist")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "index.html").symlink_to("index.html")
    files = StaticFiles(directory=tmp_path)
    assert (await call(Starlette(routes=[Mount("/", files)]), http_scope(path))).status == 404
    (tmp_path / "404.html").write_text("not here")
    pages = StaticFiles(directory=tmp_path, html=True)
    sent = await call(Starlette(routes=[Mount("/", pages)]), http_scope(path))
    assert (sent.status, sent.body) == (404, b"not here")


@pytest.mark.anyio
@pytest.mark.parametrize(("zone", "status"), [("GMT", 304), ("+0500", 200), ("PST", 200)])
async def test_dates_of_other_zones(tmp_path: Path, zone: str, status: int) -> None:
    (tmp_path / "file").write_text("content")
    app = Starlette(routes=[Mount("/", StaticFiles(directory=tmp_path))])
    headers = [(b"if-modified-since", f"Fri, 01 Jan 2999 00:00:00 {zone}".encode())]
    assert (await call(app, http_scope("/file", headers=headers))).status == status


@pytest.mark.anyio
@pytest.mark.parametrize(("day", "status"), [(28, 304), (31, 200)])
async def test_dates_that_do_not_exist(tmp_path: Path, day: int, status: int) -> None:  # threats T01.6
    (tmp_path / "file").write_text("content")
    headers = [(b"if-modified-since", f"Thu, {day} Feb 2999 00:00:00 GMT".encode())]
    assert (await call(StaticFiles(directory=tmp_path), http_scope("/file", headers=headers))).status == status


# -- responses ---------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("status", [204, 304])
async def test_no_body_for_204_and_304(status: int) -> None:  # threats T23.1
    assert (await call(PlainTextResponse("text", status_code=status))).body == b""


@pytest.mark.anyio
async def test_strict_range_digits(digits: Path) -> None:  # threats T12.3
    assert (await ranged(digits, b"bytes=0_0-1_0")).status == 400
    assert (await ranged(digits, b"bytes=+1-2")).status == 400
    assert (await ranged(digits, b"bytes=1-" + b"9" * 5000)).body == b"123456789"


@pytest.mark.anyio
async def test_partly_satisfiable_ranges(digits: Path) -> None:  # threats T12.4
    sent = await ranged(digits, b"bytes=0-1,100-200")
    assert (sent.status, sent.body, sent.header("content-range")) == (206, b"01", "bytes 0-1/10")


@pytest.mark.anyio
async def test_file_that_grows(digits: Path) -> None:  # threats T23.3
    before = rewritten(digits, b"x" * 20)
    sent = await call(FileResponse(digits, stat_result=before))
    assert (sent.header("content-length"), len(sent.body)) == ("10", 10)


@pytest.mark.anyio
async def test_file_that_shrinks(digits: Path) -> None:  # threats T23.3
    before = rewritten(digits, b"01")
    sent = Record()
    with pytest.raises(RuntimeError, match="shorter than expected"):
        await FileResponse(digits, stat_result=before)(http_scope(), body(), sent)
    assert all(message.get("more_body", True) for message in sent.messages)


@pytest.mark.anyio
async def test_file_response_again(digits: Path) -> None:  # threats T23.4
    response = FileResponse(digits)
    assert (await call(response)).header("content-length") == "10"
    rewritten(digits, b"01")
    sent = await call(response)
    assert (sent.header("content-length"), sent.body) == ("2", b"01")


@pytest.mark.anyio
async def test_generators_are_closed() -> None:  # threats R14
    events: list[str] = []

    async def chunks() -> AsyncIterator[bytes]:
        try:
            yield b"one"
            yield b"two"
        finally:
            events.append("closed")

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            raise OSError("the client left")

    with pytest.raises(Exception):  # noqa: B017, PT011  # which one is not the matter here
        await StreamingResponse(chunks())(http_scope(), Script(), send)
    assert events == ["closed"]


@pytest.mark.anyio
async def test_errors_of_generators() -> None:  # responses D1
    async def chunks() -> AsyncIterator[bytes]:
        yield b"one"
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        await call(StreamingResponse(chunks()))


@pytest.mark.anyio
async def test_files_in_blocks() -> None:  # responses R30
    sent = await call(StreamingResponse(io.BytesIO(b"1\n2\n3\n")))
    assert [message["body"] for message in sent.messages[1:]] == [b"1\n2\n3\n", b""]


# -- WebSockets --------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_long_close_reasons() -> None:  # threats T18.4
    sent = Record()
    await WebSocketClose(reason="é" * 200)({}, Script(), sent)
    assert sent.messages == [{"type": "websocket.close", "code": 1000, "reason": "é" * 61}]


@pytest.mark.anyio
@pytest.mark.parametrize("absent", [{}, {"text": None}], ids=["no-key", "none"])
async def test_payloads_of_the_other_kind(absent: dict[str, None]) -> None:  # threats T18.2
    receive = Script({"type": "websocket.connect"}, {"type": "websocket.receive", "bytes": b"x", **absent})
    session = WebSocket(websocket_scope(), receive, Record())
    await session.accept()
    with pytest.raises(RuntimeError, match="text"):
        await session.receive_text()


@pytest.mark.anyio
async def test_undecodable_payloads() -> None:  # threats T18.3
    class Endpoint(WebSocketEndpoint):
        encoding = "json"

    receive = Script({"type": "websocket.connect"}, {"type": "websocket.receive", "bytes": b"\xff"})
    sent = Record()
    with pytest.raises(RuntimeError):
        await Starlette(routes=[WebSocketRoute("/", Endpoint)])(websocket_scope(), receive, sent)
    assert sent.messages[-1]["code"] == 1003


@pytest.mark.anyio
async def test_one_denial() -> None:  # exceptions D3
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.receive()
        await websocket.send({"type": "websocket.http.response.start", "status": 403, "headers": []})
        raise HTTPException(401)

    sent = Record()
    scope = websocket_scope(extensions={"websocket.http.response": {}})
    with pytest.raises(RuntimeError, match="already started"):
        await Starlette(routes=[WebSocketRoute("/", endpoint)])(scope, Script({"type": "websocket.connect"}), sent)
    assert [message["status"] for message in sent.messages] == [403]


# -- behind `BaseHTTPMiddleware` ---------------------------------------------------------------------------------------


class PassOn(BaseHTTPMiddleware):
    """Does nothing but stand in between."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        return await call_next(request)


@pytest.mark.anyio
async def test_broken_streams_stay_broken() -> None:  # threats R04.4
    async def chunks() -> AsyncIterator[bytes]:
        yield b"one"
        raise LookupError("no more")

    async def endpoint(request: Request) -> Response:
        return StreamingResponse(chunks())

    sent = Record()
    with pytest.raises(LookupError, match="no more"):
        await PassOn(serving(endpoint))(http_scope(), body(), sent)
    assert [message["more_body"] for message in sent.messages[1:]] == [True]


@pytest.mark.anyio
async def test_disconnects_are_seen() -> None:  # threats R15
    async def endpoint(request: Request) -> Response:
        await request.body()
        with anyio.fail_after(10):
            while not await request.is_disconnected():
                await anyio.lowlevel.checkpoint()
        return PlainTextResponse("seen")

    receive = Script({"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"})
    assert (await call(PassOn(serving(endpoint)), receive=receive)).body == b"seen"


@pytest.mark.anyio
async def test_disconnects_are_remembered() -> None:
    class Reads(BaseHTTPMiddleware):
        async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
            with pytest.raises(ClientDisconnect):
                await request.body()
            return await call_next(request)

    async def endpoint(request: Request) -> Response:
        with pytest.raises(ClientDisconnect):
            await request.body()
        return PlainTextResponse("gone")

    receive = Script({"type": "http.request", "body": b"half", "more_body": True}, {"type": "http.disconnect"})
    with anyio.fail_after(10):
        assert (await call(Reads(serving(endpoint)), receive=receive)).body == b"gone"


@pytest.mark.anyio
async def test_exceptions_of_receive() -> None:
    async def endpoint(request: Request) -> Response:
        return Response(await request.body())

    app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(PassOn)], max_body_size=3)
    assert (await call(app, receive=body(b"1234"))).status == 413
    with pytest.raises(LookupError, match="of the server"):
        await call(PassOn(serving(endpoint)), receive=Script(LookupError("of the server")))


@pytest.mark.anyio
@pytest.mark.parametrize("shares", [False, True])
async def test_context_variables(shares: bool) -> None:  # base R31
    variable = ContextVar("variable", default=False)
    seen: list[bool] = []

    class Looks(BaseHTTPMiddleware):
        shares_context = shares

        async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
            response = await call_next(request)
            seen.append(variable.get())
            return response

    async def endpoint(request: Request) -> Response:
        variable.set(True)
        return Response()

    await call(Looks(serving(endpoint)))
    assert seen == [shares]


# -- origins, hosts and redirects --------------------------------------------------------------------------------------


async def ok(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("ok")(scope, receive, send)


async def ask_host(patterns: Any, *hosts: bytes) -> Record:
    return await call(TrustedHostMiddleware(ok, patterns), http_scope(headers=[(b"host", host) for host in hosts]))


@pytest.mark.anyio
async def test_one_string_for_a_list() -> None:  # threats T06.3, T07.4
    assert not CORSMiddleware(ok, "https://example.org").is_allowed_origin("https://example.or")
    assert (await ask_host("*.example.org", b"evil.net")).status == 400
    with pytest.raises(TypeError, match="allow_origins must be a list"):
        CORSMiddleware(ok, "https://a.org, https://b.org")


@pytest.mark.anyio
async def test_origins_that_end_a_header() -> None:  # threats T03
    cors = CORSMiddleware(ok, ["*"], allow_credentials=True)
    sent = await call(cors, http_scope(headers=[(b"origin", b"a\r\nb: c")]))
    assert (sent.status, sent.header("access-control-allow-origin")) == (200, None)


@pytest.mark.anyio
async def test_vary_names_origin_once() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("ok", headers={"vary": "Origin"})(scope, receive, send)

    assert (await call(CORSMiddleware(app))).header("vary") == "Origin"


@pytest.mark.anyio
async def test_two_hosts() -> None:  # threats T07.2
    assert (await ask_host(["a.org"], b"a.org", b"a.org")).status == 400


@pytest.mark.anyio
@pytest.mark.parametrize("host", [b".example.com", b"a,b.example.com", b"%00.example.com", b"*.example.com"])
async def test_star_stands_for_labels(host: bytes) -> None:  # threats T07.3
    assert (await ask_host(["*.example.com"], host)).status == 400


@pytest.mark.anyio
async def test_www_with_an_impossible_port() -> None:  # threats T05
    assert (await ask_host(["www.a.org"], b"a.org:65536")).header("location") == "http://www.a.org/"


@pytest.mark.anyio
async def test_brackets_stay() -> None:  # threats T05
    sent = await call(HTTPSRedirectMiddleware(ok), http_scope(headers=[(b"host", b"[::1]:80")]))
    assert sent.header("location") == "https://[::1]/"


@pytest.mark.anyio
@pytest.mark.parametrize("app", [HTTPSRedirectMiddleware(ok), TrustedHostMiddleware(ok, ["a.org"])])
async def test_denials_without_the_extension(app: ASGIApp) -> None:
    sent = await call(app, websocket_scope(extensions={}))
    assert sent.messages == [{"type": "websocket.close", "code": 1008, "reason": ""}]


@pytest.mark.anyio
async def test_async_on_error() -> None:
    class Refuses(AuthenticationBackend):
        async def authenticate(self, conn: HTTPConnection) -> None:
            raise AuthenticationError

    async def on_error(conn: HTTPConnection, exc: AuthenticationError) -> Response:
        return PlainTextResponse("who?", 401)

    assert (await call(AuthenticationMiddleware(ok, Refuses(), on_error))).status == 401


# -- compression -------------------------------------------------------------------------------------------------------


async def compressed(response: Response, accepted: bytes = b"gzip", **options: Any) -> Record:
    return await call(GZipMiddleware(response, **options), http_scope(headers=[(b"accept-encoding", accepted)]))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("accepted", "coding"), [(b"gzip;q=0", None), (b"GZIP", "gzip"), (b"br;q=1, gzip;q=0.5", "gzip"), (b"nogzip", None)]
)
async def test_weights_of_codings(accepted: bytes, coding: str | None) -> None:  # gzip D4
    assert (await compressed(PlainTextResponse("x" * 1000), accepted)).header("content-encoding") == coding


@pytest.mark.anyio
async def test_weak_tags_of_compressed_content() -> None:  # threats T15.3
    response = PlainTextResponse("x" * 1000, headers={"etag": '"a"'})
    assert (await compressed(response)).header("etag") == 'W/"a"'
    assert (await compressed(response, b"")).header("etag") == '"a"'


@pytest.mark.anyio
async def test_no_transform() -> None:  # T15.3
    response = PlainTextResponse("x" * 1000, headers={"cache-control": "private, no-transform"})
    assert (await compressed(response)).header("content-encoding") is None


@pytest.mark.anyio
@pytest.mark.parametrize("status", [204, 304])
async def test_nothing_to_compress(status: int) -> None:  # T15.4
    sent = await compressed(Response(status_code=status), minimum_size=0)
    assert (sent.header("content-encoding"), sent.body) == (None, b"")


@pytest.mark.anyio
async def test_debug_messages_pass() -> None:  # gzip D1
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.debug", "info": {}})
        await ok(scope, receive, send)

    sent = await call(GZipMiddleware(app), http_scope(headers=[(b"accept-encoding", b"gzip")]))
    assert sent.types[0] == "http.response.debug"


@pytest.mark.anyio
async def test_messages_without_a_body() -> None:  # threats T15.4
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "more_body": True})
        await send({"type": "http.response.body"})

    sent = await call(GZipMiddleware(app), http_scope(headers=[(b"accept-encoding", b"gzip")]))
    assert (sent.header("content-encoding"), gzip.decompress(sent.body)) == ("gzip", b"")


# -- sessions ----------------------------------------------------------------------------------------------------------


async def echo_session(scope: Scope, receive: Receive, send: Send) -> None:
    response = JSONResponse(HTTPConnection(scope).session, headers={"vary": "Cookie"})
    await response(scope, receive, send)


@pytest.mark.anyio
@pytest.mark.parametrize("value", [b"[1]", b'"text"', b"\xff"])
async def test_sessions_of_other_shapes(value: bytes) -> None:  # sessions D1
    cookie = b"session=" + itsdangerous.TimestampSigner("key").sign(base64.b64encode(value))
    sent = await call(SessionMiddleware(echo_session, "key"), http_scope(headers=[(b"cookie", cookie)]))
    assert (sent.status, sent.body) == (200, b"{}")


@pytest.mark.anyio
async def test_sessions_that_were_replaced() -> None:  # sessions D2
    async def replace(scope: Scope, receive: Receive, send: Send) -> None:
        scope["session"] = {"user": "ada"}
        await ok(scope, receive, send)

    assert str((await call(SessionMiddleware(replace, "key"))).header("set-cookie")).startswith("session=")


@pytest.mark.anyio
async def test_vary_names_cookie_once() -> None:  # sessions D4, gzip D6
    assert (await call(SessionMiddleware(echo_session, "key"))).header("vary") == "Cookie"
    response = PlainTextResponse("x" * 1000, headers={"vary": "Accept-Encoding"})
    assert (await compressed(response)).header("vary") == "Accept-Encoding"


# -- WSGI applications -------------------------------------------------------------------------------------------------


def environment(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return build_environ(http_scope(headers=headers), b"")


def test_names_with_underscores() -> None:  # threats T22
    environ = environment((b"x_forwarded_for", b"forged"), (b"x-forwarded-for", b"192.0.2.1"))
    assert environ["HTTP_X_FORWARDED_FOR"] == "192.0.2.1"


def test_proxy_is_no_variable() -> None:  # threats T22
    assert "HTTP_PROXY" not in environment((b"proxy", b"http://evil"))


def test_cookies_for_wsgi() -> None:
    assert environment((b"cookie", b"a=1"), (b"cookie", b"b=2"))["HTTP_COOKIE"] == "a=1; b=2"


@pytest.mark.anyio
async def test_results_are_closed() -> None:
    closed: list[bool] = []

    class Content:
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"content"])

        def close(self) -> None:
            closed.append(True)

    def app(environ: dict[str, Any], start_response: Callable[..., None]) -> Content:
        start_response("200 OK", [])
        return Content()

    assert (await call(WSGIMiddleware(app))).body == b"content"
    assert closed == [True]


@pytest.mark.anyio
async def test_broken_off_bodies() -> None:  # threats T22
    called: list[bytes] = []

    def app(environ: dict[str, Any], start_response: Callable[..., None]) -> list[bytes]:
        called.append(environ["wsgi.input"].read())
        start_response("200 OK", [])
        return []

    half: Message = {"type": "http.request", "body": b"half", "more_body": True}
    await call(WSGIMiddleware(app), receive=Script(half, {"type": "http.disconnect"}))
    assert called == []
    await call(WSGIMiddleware(app), receive=body(b"half", b"half"))
    assert called == [b"halfhalf"]


# -- configuration, templates and schemas ------------------------------------------------------------------------------


def test_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("KEY=1", encoding="utf-8-sig")
    assert Config(tmp_path / ".env")("KEY") == "1"


def test_casts_without_a_name() -> None:
    with pytest.raises(ValueError, match="Not a valid functools"):
        Config(environ={"KEY": "2"})("KEY", cast=functools.partial(int, base=2))


@pytest.mark.anyio
async def test_async_environments() -> None:
    loader = jinja2.DictLoader({"page.html": "{{ text() }}"})
    environment = jinja2.Environment(loader=loader, autoescape=True, enable_async=True)

    async def text() -> str:
        return "text"

    environment.globals["text"] = text
    templates = Jinja2Templates(env=environment)

    async def page(request: Request) -> Response:
        return templates.TemplateResponse(request, "page.html")

    assert (await call(serving(page))).body == b"text"


def test_options_beside_an_environment(tmp_path: Path) -> None:
    assert Jinja2Templates(tmp_path, autoescape=False).env.autoescape is False
    with pytest.raises(TypeError, match="autoescape"):
        Jinja2Templates(env=jinja2.Environment(), autoescape=True)


def documented(request: Request) -> Response:
    """summary: documented"""
    return PlainTextResponse("documented")


def test_base_schema_stays() -> None:
    base: dict[str, Any] = {"paths": {}}
    assert list(SchemaGenerator(base).get_schema([Route("/", documented)])["paths"]) == ["/"]
    assert base == {"paths": {}}


def test_partials_in_schemas() -> None:
    schema = SchemaGenerator({}).get_schema([Route("/", functools.partial(documented))])
    assert schema == {"paths": {"/": {"get": {"summary": "documented"}}}}


# -- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_detail_of_any_type() -> None:
    async def endpoint(request: Request) -> Response:
        raise HTTPException(400, detail={"a": 1})  # type: ignore[arg-type]  # as FastAPI's users do

    sent = await call(serving(endpoint))
    assert (sent.status, sent.body) == (400, b"{'a': 1}")


def test_pickled_exceptions() -> None:
    restored = pickle.loads(pickle.dumps(HTTPException(status_code=404)))
    assert (restored.status_code, restored.detail) == (404, "Not Found")


@pytest.mark.anyio
async def test_media_types_without_case() -> None:  # exceptions D7
    async def endpoint(request: Request) -> Response:
        raise LookupError("a mistake")

    sent = Record()
    with pytest.raises(LookupError):
        await Starlette(debug=True, routes=[Route("/", endpoint)])(
            http_scope(headers=[(b"accept", b"TEXT/HTML")]), body(), sent
        )
    assert sent.header("content-type") == "text/html; charset=utf-8"
