"""What a connection says about its scope: requests R1 to R36, R57 to R61, threats T16."""

from __future__ import annotations

import subprocess
import sys
import weakref
from collections.abc import Mapping
from typing import Any

import pytest

from starlette import requests
from starlette.datastructures import URL, Address, Headers, QueryParams, State, URLPath
from starlette.requests import (
    SERVER_PUSH_HEADERS_TO_COPY,
    ClientDisconnect,
    HTTPConnection,
    Request,
    StateT,
    cookie_parser,
    empty_receive,
    empty_send,
)
from starlette.types import Scope
from tests.asgi import Record, Script, http_scope, websocket_scope

LAZY = ("_url", "_base_url", "_headers", "_query_params", "_cookies", "_state", "_body", "_json")


def test_public_names() -> None:
    # R1, R2, R3
    assert {
        "accept",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "user-agent",
    } == SERVER_PUSH_HEADERS_TO_COPY
    assert type(SERVER_PUSH_HEADERS_TO_COPY) is set
    assert ClientDisconnect.__bases__ == (Exception,)
    assert str(ClientDisconnect()) == ""
    assert cookie_parser(cookie_string="a=b") == {"a": "b"}


def test_generic_classes_are_subscriptable() -> None:
    # R4
    assert StateT.__name__ == "StateT"
    assert isinstance(Request[Any](http_scope()).state, State)
    assert isinstance(HTTPConnection[State](http_scope()).state, State)


def test_importing_warns_of_nothing_and_needs_no_form_library() -> None:
    # R5, formparsers R4
    code = "import sys; sys.modules['python_multipart'] = None; import starlette.requests, starlette.formparsers"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("kind", "scope", "error"),
    [
        pytest.param(HTTPConnection, http_scope(), None, id="R6-http"),
        pytest.param(HTTPConnection, websocket_scope(), None, id="R6-websocket"),
        pytest.param(HTTPConnection, {"type": "lifespan"}, AssertionError, id="R6-lifespan"),
        pytest.param(HTTPConnection, {}, KeyError, id="R6-no-type"),
        pytest.param(Request, http_scope(), None, id="R7-http"),
        pytest.param(Request, websocket_scope(), AssertionError, id="R7-websocket"),
        pytest.param(Request, {}, KeyError, id="R7-no-type"),
    ],
)
def test_the_type_of_the_scope_is_checked(
    kind: type[HTTPConnection[State]], scope: Scope, error: type[Exception] | None
) -> None:
    if error is None:
        assert kind(scope).scope is scope  # R9
    else:
        with pytest.raises(error) as info:
            kind(scope)
        assert str(info.value) in ("", "'type'")


def test_the_type_is_checked_without_assertions() -> None:
    # D7, T27
    code = (
        "from starlette.requests import Request, HTTPConnection\n"
        "for kind in Request, HTTPConnection:\n"
        "    try: kind({'type': 'lifespan'})\n"
        "    except AssertionError: print('refused')"
    )
    done = subprocess.run([sys.executable, "-O", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "refused\nrefused\n"


def test_construction_reads_and_changes_nothing() -> None:
    # R8, R61
    request = Request({"type": "http", "method": "GET", "path": "/abc/"})
    assert len(request) == 3
    assert dict(request) == {"type": "http", "method": "GET", "path": "/abc/"}
    assert vars(request) == {"scope": request.scope, "_receive": empty_receive, "_send": empty_send}
    assert (request._stream_consumed, request._is_disconnected, request._form) == (False, False, None)
    assert not any(hasattr(request, name) for name in LAZY)


def test_arguments_may_be_given_by_keyword() -> None:
    # R6, R7, R22
    receive, send = Script(), Record()
    request = Request(scope=http_scope(), receive=receive, send=send)
    assert request.receive is request._receive is receive
    assert request._send is send
    HTTPConnection(http_scope(), receive=receive)


def test_a_connection_is_a_read_only_mapping_over_the_scope() -> None:
    # R10
    scope = {"type": "http", "path": "/"}
    request = Request(scope)
    assert isinstance(request, Mapping)
    assert (request["path"], request.get("x", 1), "type" in request, "x" in request) == ("/", 1, True, False)
    assert (list(request), len(request)) == (["type", "path"], 2)
    assert (list(request.keys()), list(request.values())) == (list(scope), list(scope.values()))
    assert list(request.items()) == list(scope.items())
    with pytest.raises(KeyError, match="'x'"):
        request["x"]
    with pytest.raises(TypeError, match="'Request' object does not support item assignment"):
        request["x"] = 1  # type: ignore[index]


def test_connections_are_equal_by_identity() -> None:
    # R11
    scope = http_scope()
    request, other = Request(scope), Request(scope)
    assert request == request
    assert request != other
    assert request != scope
    assert len({request, other, request}) == 2


def test_a_connection_takes_attributes_and_weak_references() -> None:
    request = Request(http_scope())
    request.anything = 1  # type: ignore[attr-defined]
    assert weakref.ref(request)() is request


CONNECTION: dict[str, Any] = {
    "app": object(),
    "session": {"a": 1},
    "auth": object(),
    "user": object(),
    "path_params": {"id": 1},
    "method": "pUt",
}


@pytest.mark.parametrize("name", sorted(CONNECTION))
def test_values_are_those_of_the_scope(name: str) -> None:
    # R12, R13, R17, R19, R20: not cached either
    request = Request(http_scope(**CONNECTION))
    assert getattr(request, name) is CONNECTION[name]
    request.scope[name] = replaced = {"b": 2}
    assert getattr(request, name) is replaced


SESSION = "SessionMiddleware must be installed to access request.session"
AUTH = "AuthenticationMiddleware must be installed to access request."


@pytest.mark.parametrize(
    ("name", "error", "text"),
    [
        pytest.param("app", KeyError, "'app'", id="R12"),
        pytest.param("method", KeyError, "'method'", id="R13"),
        pytest.param("headers", KeyError, "'headers'", id="R15"),
        pytest.param("query_params", KeyError, "'query_string'", id="R16"),
        pytest.param("session", AssertionError, SESSION, id="R19"),
        pytest.param("auth", AssertionError, AUTH + "auth", id="R20-auth"),
        pytest.param("user", AssertionError, AUTH + "user", id="R20-user"),
    ],
)
def test_missing_keys(name: str, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as info:
        getattr(Request({"type": "http"}), name)
    assert str(info.value) == text


def test_missing_path_parameters() -> None:
    # R17
    assert Request({"type": "http"}).path_params == {}
    assert Request({"type": "http", "path_params": None}).path_params is None


@pytest.mark.parametrize("name", ["url", "base_url", "headers", "query_params", "cookies", "state"])
def test_what_is_made_is_made_once(name: str) -> None:
    # R14, R15, R16, R21, R23, R29
    request = Request(http_scope(query_string=b"a=1", headers=[(b"host", b"h"), (b"cookie", b"a=b")]))
    first = getattr(request, name)
    request.scope.update(headers=[], query_string=b"", path="/other", state={})
    assert getattr(request, name) is first


@pytest.mark.parametrize("name", ["url", "base_url", "headers", "query_params", "cookies", "state"])
def test_assignments_to_private_names_win(name: str) -> None:
    request = Request({"type": "http"})
    value = object()
    setattr(request, f"_{name}", value)
    assert getattr(request, name) is value


def test_the_url() -> None:
    # R14, R25
    scope = http_scope("/p", root_path="/x", query_string=b"a=1", headers=[], server=("h", 80))
    before = dict(scope)
    assert Request(scope).url == URL("http://h/p?a=1")
    assert scope == before


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        pytest.param({}, "http://h/", id="R24-no-root"),
        pytest.param({"root_path": "/x"}, "http://h/x/", id="R24-root"),
        pytest.param({"root_path": "/x/"}, "http://h/x/", id="R24-slash"),
        pytest.param({"root_path": "/x", "app_root_path": "/y"}, "http://h/y/", id="R24-app-root"),
        pytest.param({"root_path": "/x", "app_root_path": ""}, "http://h/", id="R24-empty-app-root"),
        pytest.param({"server": None}, "/", id="R24-no-server"),
        pytest.param({"headers": [(b"host", b"zz:99")], "root_path": "/x"}, "http://zz:99/x/", id="R24-host"),
        pytest.param({"server": ("/run/app.sock", None)}, "/", id="T02.2-unix-socket"),
    ],
)
def test_the_base_url(keys: dict[str, Any], expected: str) -> None:
    # R23
    scope = http_scope("/p", **{"server": ("h", 80), "headers": [], "query_string": b"a=1", **keys})
    before = dict(scope)
    assert str(Request(scope).base_url) == expected
    assert scope == before


def test_the_base_url_without_a_root_path() -> None:
    # R23
    scope = http_scope("/p", server=("h", 80), headers=[])
    del scope["root_path"]
    assert str(Request(scope).base_url) == "http://h/"


def test_headers_replace_the_list_of_the_scope() -> None:
    # R15
    scope = http_scope()
    scope["headers"] = ((b"a", b"1"),)
    headers = HTTPConnection(scope).headers
    assert isinstance(headers, Headers)
    assert headers["A"] == "1"
    assert scope["headers"] == [(b"a", b"1")]


def test_query_parameters() -> None:
    # R16
    assert Request(http_scope(query_string=b"a=1&a=2")).query_params == QueryParams("a=1&a=2")


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        pytest.param(["client", 42], Address("client", 42), id="R18-list"),
        pytest.param(("/sock", None), ("/sock", None), id="R18-no-port"),
        pytest.param(None, None, id="R18-none"),
    ],
)
def test_the_client(client: Any, expected: object) -> None:
    assert Request(http_scope(client=client)).client == expected


def test_odd_clients() -> None:
    # R18
    assert Request({"type": "http"}).client is None
    with pytest.raises(TypeError):
        Request(http_scope(client=("h",))).client  # noqa: B018


def test_looking_at_the_session_is_noted() -> None:
    # R19
    class Session(dict[str, Any]):
        accesses = 0

        def mark_accessed(self) -> None:
            self.accesses += 1

    session = Session()
    request = Request(http_scope(session=session))
    assert request.session is session
    assert request.session is session
    assert session.accesses == 2


def test_state_is_shared_through_the_scope() -> None:
    # R21
    scope = http_scope()
    first, second = Request(scope), Request(scope)
    first.state.x = 1
    assert (second.state.x, second.state["x"]) == (1, 1)
    assert scope["state"] == {"x": 1}
    existing = http_scope(state={"y": 2})
    request = Request(existing)
    request.state["z"] = 3
    assert existing["state"] == {"y": 2, "z": 3}


class Provider:
    """Makes paths as routers and applications do."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def url_path_for(self, name: str, /, **params: Any) -> URLPath:
        return URLPath(f"/{self.prefix}/{name}" + "".join(f"/{key}={value}" for key, value in params.items()))

    def __len__(self) -> int:
        return 0


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        pytest.param({"router": Provider("router"), "app": Provider("app")}, "http://h/x/router/n/name=1", id="R26-D9"),
        pytest.param({"app": Provider("app")}, "http://h/x/app/n/name=1", id="R28-only-an-app"),
        pytest.param({"router": None, "app": Provider("app")}, "http://h/x/app/n/name=1", id="R26-no-router"),
    ],
)
def test_url_for(keys: dict[str, Any], expected: str) -> None:
    url = Request(http_scope(server=("h", 80), headers=[], root_path="/x", **keys)).url_for("n", name=1)
    assert isinstance(url, URL)
    assert str(url) == expected


def test_url_for_without_a_provider() -> None:
    # R26, R27
    with pytest.raises(RuntimeError) as info:
        Request(http_scope()).url_for("n")
    text = "The `url_for` method can only be used inside a Starlette application or with a router."
    assert str(info.value) == text
    with pytest.raises(TypeError):
        Request(http_scope()).url_for(name="x")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param([], {}, id="R29-none"),
        pytest.param([b"a=abc", b"b=def", b"c=ghi"], {"a": "abc", "b": "def", "c": "ghi"}, id="R30-several"),
        pytest.param([b"a=1; b=2", b"a=3"], {"a": "3", "b": "2"}, id="R30-later-wins"),
        pytest.param([b"", b"a=1", b""], {"a": "1"}, id="R30-empty-ones"),
        pytest.param([b"a=\xe9"], {"a": "é"}, id="R36-latin-1"),
    ],
)
def test_cookies_of_all_headers_are_merged(fields: list[bytes], expected: dict[str, str]) -> None:
    headers = [(b"host", b"h"), *[(b"cookie", field) for field in fields]]
    cookies = HTTPConnection(http_scope(headers=headers)).cookies
    assert type(cookies) is dict
    assert cookies == expected


def test_the_cookie_parser_can_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def parse(field: str) -> dict[str, str]:
        seen.append(field)
        return {"n": field}

    monkeypatch.setattr(requests, "cookie_parser", parse)
    scope = http_scope(headers=[(b"cookie", b"a=1"), (b"cookie", b"b=2")])
    assert Request(scope).cookies == {"n": "b=2"}
    assert seen == ["a=1", "b=2"]


PUSH: dict[str, Any] = {"extensions": {"http.response.push": {}}}
HINTS: dict[str, Any] = {"extensions": {"http.response.early_hint": {}}}


@pytest.mark.anyio
async def test_a_push_promise_inherits_headers() -> None:
    # R57, D5
    headers = [(b"user-agent", b"\xe9"), (b"accept", b"a"), (b"x", b"y"), (b"accept", b"b"), (b"cookie", b"c")]
    sent = Record()
    await Request(http_scope(headers=headers, **PUSH), send=sent).send_push_promise("/style.css")
    copied = [(b"accept", b"a"), (b"accept", b"b"), (b"user-agent", b"\xe9")]
    assert sent.messages == [{"type": "http.response.push", "path": "/style.css", "headers": copied}]


@pytest.mark.anyio
async def test_early_hints_are_one_message() -> None:
    # R58
    sent = Record()
    request = Request(http_scope(**HINTS), send=sent)
    await request.send_early_hints("</a>; rel=preload", "</é>")
    assert sent.messages == [{"type": "http.response.early_hint", "links": [b"</a>; rel=preload", b"</\xe9>"]}]
    with pytest.raises(TypeError):
        await request.send_early_hints()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        await request.send_early_hints(link="</a>")  # type: ignore[call-arg]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("link", "error"),
    [
        pytest.param("</€>", UnicodeEncodeError, id="R60"),
        pytest.param("</a>\r\nx: y", ValueError, id="T03-crlf"),
        pytest.param("</a>\0", ValueError, id="T03-nul"),
    ],
)
async def test_links_that_cannot_be_sent(link: str, error: type[Exception]) -> None:
    sent = Record()
    with pytest.raises(error):
        await Request(http_scope(**HINTS), send=sent).send_early_hints("</a>", link)
    assert sent.messages == []
    await Request(http_scope(), send=sent).send_early_hints(link)  # nothing is encoded without the extension


@pytest.mark.anyio
@pytest.mark.parametrize("extensions", [{}, {"extensions": {}}, {"extensions": None}], ids=["none", "empty", "D6"])
async def test_nothing_is_sent_without_the_extension(extensions: dict[str, Any]) -> None:
    # R57, R58
    scope = {"type": "http", "headers": [], **extensions}
    await Request(scope).send_push_promise("/a")
    await Request(scope).send_early_hints("</a>")


@pytest.mark.anyio
async def test_a_send_channel_is_needed() -> None:
    # R59
    text = r"^Send channel has not been made available$"
    with pytest.raises(RuntimeError, match=text):
        await Request(http_scope(**PUSH)).send_push_promise("/a")
    with pytest.raises(RuntimeError, match=text):
        await Request(http_scope(**HINTS)).send_early_hints("</a>")


def test_warnings_fail_these_tests(pytestconfig: pytest.Config) -> None:  # R62
    assert "error" in pytestconfig.getini("filterwarnings")
