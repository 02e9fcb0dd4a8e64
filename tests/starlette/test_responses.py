"""Responses whose body is known: construction, headers, cookies, sending."""

from __future__ import annotations

import builtins
import http
import sys
import weakref
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest

from starlette import responses
from starlette.background import BackgroundTask
from starlette.datastructures import URL, Headers, MutableHeaders
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    MalformedRangeHeader,
    PlainTextResponse,
    RangeNotSatisfiable,
    RedirectResponse,
    Response,
    UJSONResponse,
)
from tests.asgi import Record, Script, call, http_scope, websocket_scope


def field(response: Response, name: bytes) -> list[bytes]:
    return [value for key, value in response.raw_headers if key == name]


@pytest.mark.parametrize(
    ("response", "body", "headers"),
    [
        pytest.param(Response(), b"", [(b"content-length", b"0")], id="R7-plain-has-no-type"),
        pytest.param(
            Response("hi", 201, {}, "text/html"),
            b"hi",
            [(b"content-length", b"2"), (b"content-type", b"text/html; charset=utf-8")],
            id="R8-positional",
        ),
        pytest.param(Response("é"), "é".encode(), [(b"content-length", b"2")], id="R3-length-in-bytes"),
        pytest.param(
            Response(memoryview(b"01234567").cast("I")), b"01234567", [(b"content-length", b"8")], id="R8-typed-view"
        ),
        pytest.param(Response(memoryview(b"01234567")[::2]), b"0246", [(b"content-length", b"4")], id="R8-sparse-view"),
        pytest.param(
            Response(memoryview(b"abcdef").cast("B", (2, 3))), b"abcdef", [(b"content-length", b"6")], id="R8-matrix"
        ),
        pytest.param(Response(b"x" * 5000), b"x" * 5000, [(b"content-length", b"5000")], id="R6-long-body"),
        pytest.param(Response(b"abc", 205), b"abc", [(b"content-length", b"3")], id="R6-205"),
        pytest.param(
            Response(b"", media_type=""), b"", [(b"content-length", b"0"), (b"content-type", b"")], id="R7-empty"
        ),
        pytest.param(
            Response(b"", media_type="text/plain; charset=latin-1"),
            b"",
            [(b"content-length", b"0"), (b"content-type", b"text/plain; charset=latin-1")],
            id="R7-charset-given",
        ),
        pytest.param(
            Response(b"", headers={"Content-Length": "7", "X-A": "b", "Content-Type": "a/b"}, media_type="c/d"),
            b"",
            [(b"content-length", b"7"), (b"x-a", b"b"), (b"content-type", b"a/b")],
            id="R5-R6-R7-the-callers-win",
        ),
        pytest.param(
            Response(b"", headers=Headers(raw=[(b"a", b"1"), (b"a", b"2")])),
            b"",
            [(b"a", b"1"), (b"a", b"2"), (b"content-length", b"0")],
            id="R5-repeated",
        ),
        pytest.param(
            PlainTextResponse("a"),
            b"a",
            [(b"content-length", b"1"), (b"content-type", b"text/plain; charset=utf-8")],
            id="R25-plain-text",
        ),
        pytest.param(
            HTMLResponse("a"),
            b"a",
            [(b"content-length", b"1"), (b"content-type", b"text/html; charset=utf-8")],
            id="R25-html",
        ),
        pytest.param(
            JSONResponse({"é": [1, None]}),
            '{"é":[1,null]}'.encode(),
            [(b"content-length", b"15"), (b"content-type", b"application/json")],
            id="R26-json",
        ),
        pytest.param(JSONResponse(None, 204), b"null", [(b"content-type", b"application/json")], id="R26-204"),
        pytest.param(
            RedirectResponse(URL("/a b")),
            b"",
            [(b"content-length", b"0"), (b"location", b"/a%20b")],
            id="R27-redirect",
        ),
        pytest.param(
            RedirectResponse("/x", 303, {"Location": "/y", "a": "b"}),
            b"",
            [(b"location", b"/x"), (b"a", b"b"), (b"content-length", b"0")],
            id="R27-location-in-place",
        ),
    ],
)
def test_body_and_headers(response: Response, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    assert bytes(response.body) == body
    assert response.raw_headers == headers


@pytest.mark.parametrize("status", [100, 199, 204, 304])
def test_bodiless_statuses_have_no_length(status: int) -> None:
    assert field(Response(b"", status), b"content-length") == []  # R6


def test_attributes() -> None:
    task = BackgroundTask(print)
    response = Response(b"x", http.HTTPStatus.CREATED, None, "a/b", task)
    assert response.status_code is http.HTTPStatus.CREATED  # R2
    assert (response.media_type, response.background, response.charset) == ("a/b", task, "utf-8")
    assert "media_type" not in vars(Response())
    assert weakref.ref(response)() is response
    content = b"same"
    assert Response(content).body is content  # R3
    assert isinstance(Response(memoryview(b"a")).body, memoryview)


@pytest.mark.parametrize("content", [5, {"a": 1}, bytearray(b"x")])
def test_other_content_is_refused(content: Any) -> None:
    with pytest.raises(AttributeError, match="encode"):
        Response(content)  # R3


def test_subclasses_of_text_and_bytes_are_content() -> None:
    class Text(str):
        pass

    class Octets(bytes):
        pass

    assert Response(Text("a")).body == b"a"
    assert Response(Octets(b"a")).body == b"a"


def test_hooks_are_called_through_the_object(monkeypatch: pytest.MonkeyPatch) -> None:
    class Custom(Response):
        media_type = "text/x"
        charset = "latin-1"

        def render(self, content: Any) -> bytes:
            self.seen = content
            return b"rendered"

        def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
            super().init_headers({"x-body": bytes(self.body).decode(), **(headers or {})})

    response = Custom("given")  # R4
    assert response.seen == "given"
    assert response.raw_headers == [
        (b"x-body", b"rendered"),
        (b"content-length", b"8"),
        (b"content-type", b"text/x; charset=latin-1"),
    ]
    monkeypatch.setattr(Response, "render", lambda self, content: bytearray(b"patched"))
    patched = PlainTextResponse("x")
    assert patched.body == b"patched"
    assert field(patched, b"content-length") == [b"7"]


def test_headers_can_be_made_without_a_body_and_made_again() -> None:
    class Stream(Response):
        def __init__(self) -> None:
            self.status_code = 200
            self.init_headers(MutableHeaders({"a": "b"}))

    assert Stream().raw_headers == [(b"a", b"b")]
    response: Any = Response(b"x")
    response.body = None
    response.init_headers({})
    assert response.raw_headers == []


def test_headers_share_the_list_of_the_moment_of_their_first_use() -> None:
    response = Response(b"")
    response.raw_headers = [(b"a", b"1")]
    assert response.headers["a"] == "1"  # R10
    assert response.headers.raw is response.raw_headers
    assert response.headers is response.headers
    response.headers["b"] = "2"
    assert response.raw_headers == [(b"a", b"1"), (b"b", b"2")]
    given = {"X": "y"}
    Response(b"", headers=given).headers["z"] = "1"
    assert given == {"X": "y"}  # R5


@pytest.mark.parametrize("bad", ["a\rb", "a\nb", "a\0b"])
def test_fields_cannot_be_split(bad: str) -> None:
    arguments: dict[str, Any]
    for arguments in ({"headers": {"x": bad}}, {"headers": {bad: "x"}}, {"media_type": bad}):
        with pytest.raises(ValueError, match="must not contain CR, LF or NUL"):
            Response(b"", **arguments)  # T03
    assert b"%0" in field(RedirectResponse(bad), b"location")[0]


def test_fields_are_latin_1() -> None:
    with pytest.raises(UnicodeEncodeError):
        Response(b"", headers={"x": "♥"})  # R9
    with pytest.raises(AttributeError):
        Response(b"", headers={"x": 5})  # type: ignore[dict-item]  # on purpose


def test_the_table_of_media_types_is_bounded() -> None:
    for number in range(400):
        assert field(Response(b"", media_type=f"x/{number}"), b"content-type") == [f"x/{number}".encode()]
    assert len(responses._TYPES) <= 256


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("/I ♥ Starlette/", b"/I%20%E2%99%A5%20Starlette/"),
        ("/a%20b%zz", b"/a%20b%zz"),
        ('"<>\\^{|}`', b"%22%3C%3E%5C%5E%7B%7C%7D%60"),
        ("//host/:@[]!$&'()*+,;=?#", b"//host/:@[]!$&'()*+,;=?#"),
    ],
)
def test_locations_are_quoted(url: str, location: bytes) -> None:  # T03
    assert field(RedirectResponse(url), b"location") == [location]  # R28


def test_a_location_has_no_lone_surrogates() -> None:
    with pytest.raises(UnicodeEncodeError):
        RedirectResponse("/\ud800")


@pytest.mark.anyio
@pytest.mark.parametrize(("scope", "prefix"), [({"type": "http"}, ""), ({"type": "websocket"}, "websocket.")])
async def test_two_messages_and_the_background_task(scope: dict[str, Any], prefix: str) -> None:  # threats R05
    ran = []
    response = Response(b"x", 201, background=BackgroundTask(lambda: ran.append(len(sent.messages))))
    script, sent = Script(), Record()
    for _ in range(2):  # R15
        sent.messages.clear()
        await response(scope, script, sent)
        assert sent.messages == [
            {"type": f"{prefix}http.response.start", "status": 201, "headers": response.raw_headers},
            {"type": f"{prefix}http.response.body", "body": b"x"},
        ]  # R12, R14
    assert ran == [2, 2]  # R05
    assert script.calls == 0
    if not prefix:
        assert sent.messages[0]["headers"] is response.raw_headers


@pytest.mark.anyio
async def test_an_error_of_the_background_task_is_raised() -> None:
    def fail() -> None:
        raise KeyError("task")

    with pytest.raises(KeyError):
        await call(Response(background=BackgroundTask(fail)))  # R15


@pytest.mark.anyio
async def test_what_was_replaced_before_sending_is_sent() -> None:
    response = Response(b"x")
    response.body, response.status_code, response.raw_headers = b"other", 202, [(b"a", b"b")]
    sent = await call(response)
    assert (sent.status, sent.headers, sent.body) == (202, [(b"a", b"b")], b"other")  # R11
    assert sent.header("content-length") is None
    assert (await call(Response(b"x"), http_scope(method="HEAD"))).body == b"x"  # R13
    view = memoryview(b"x")
    assert isinstance((await call(Response(view))).messages[1]["body"], memoryview)


@pytest.mark.anyio
@pytest.mark.parametrize("status", [103, 204, 304])
async def test_some_statuses_have_no_body_whatever_the_content(status: int) -> None:
    response = Response(b"content")
    response.status_code = status
    sent = await call(response)
    assert (sent.body, sent.header("content-length")) == (b"", None)  # T23.1
    assert (await call(JSONResponse(None, status))).body == b""
    kept = await call(Response(b"", 304, {"content-length": "5"}))
    assert kept.header("content-length") == "5"


def test_cookies_are_added() -> None:
    response = Response(b"")
    response.set_cookie("a", "1")
    response.set_cookie("a", "2", path=None, samesite=None)
    response.delete_cookie("b")
    first, second, third = field(response, b"set-cookie")
    assert (first, second) == (b"a=1; Path=/; SameSite=lax", b"a=2")  # R16, R18
    assert third.startswith(b'b=""; expires=')  # R24
    assert third.endswith(b"GMT; Max-Age=0; Path=/; SameSite=lax")


@pytest.mark.parametrize(
    "arguments",
    [{"path": "/;x"}, {"domain": "a\nb"}, {"samesite": "x"}, {"value": "♥"}, {"key": "a b"}],
)
def test_a_bad_cookie_adds_nothing(arguments: dict[str, Any]) -> None:
    response = Response(b"")
    with pytest.raises((ValueError, AssertionError, Exception)):
        response.set_cookie(**{"key": "k", **arguments})  # R22, R23, T04.2
    assert field(response, b"set-cookie") == []
    if "path" in arguments or "domain" in arguments:
        with pytest.raises(ValueError, match="of a cookie"):
            response.delete_cookie("k", **arguments)


def test_range_exceptions_tell_what_they_are_about() -> None:
    assert MalformedRangeHeader().content == "Malformed range header."  # R63
    assert MalformedRangeHeader("x").content == "x"
    assert RangeNotSatisfiable(5).max_size == 5


def test_ujson_responses_need_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    # legacy R26, R27
    imported = builtins.__import__
    monkeypatch.setitem(sys.modules, "ujson", None)
    with pytest.raises(AssertionError, match="ujson must be installed to use UJSONResponse"):
        UJSONResponse({"a": 1})
    assert builtins.__import__ is imported
    ujson: Any = ModuleType("ujson")
    ujson.dumps = lambda content, ensure_ascii: f"<{content!r} {ensure_ascii}>"
    monkeypatch.setitem(sys.modules, "ujson", ujson)
    assert UJSONResponse().body == b"<None False>"
    assert UJSONResponse.media_type == "application/json"


@pytest.mark.anyio
async def test_a_denial_response_of_a_whole_scope() -> None:
    sent = await call(JSONResponse({"a": 1}, 403), websocket_scope())
    assert (sent.types, sent.status) == (["websocket.http.response.start", "websocket.http.response.body"], 403)
