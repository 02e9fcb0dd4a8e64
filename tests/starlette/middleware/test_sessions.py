"""`starlette.middleware.sessions` (sessions R1-R23, threats T08, R10, R16)."""

from __future__ import annotations

import base64
import copy
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import itsdangerous
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette.datastructures import Secret
from starlette.middleware.sessions import Session, SessionMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from tests.architecture.seams import by_cloudpickle
from tests.asgi import Record, body, call, http_scope, websocket_scope

KEY = "example"
FLAGS = "httponly; samesite=lax"
NULL = f"session=null; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT; {FLAGS}"
Use = Callable[[Request], object]


def signed(content: Any, key: str = KEY) -> str:
    """A cookie as any version of the framework makes it."""
    return signed_bytes(base64.b64encode(json.dumps(content).encode()), key)


def signed_bytes(payload: bytes, key: str = KEY) -> str:
    return itsdangerous.TimestampSigner(key).sign(payload).decode()


def opened(set_cookie: str, key: str = KEY) -> Any:
    """What any version of the framework reads from a `Set-Cookie`."""
    value = set_cookie.partition("=")[2].partition(";")[0]
    return json.loads(base64.b64decode(itsdangerous.TimestampSigner(key).unsign(value, max_age=10)))


def using(use: Use, *headers: tuple[bytes, bytes]) -> ASGIApp:
    """An application that does something with its request and answers."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        result = use(Request(scope))
        response = PlainTextResponse(json.dumps(result, default=str))
        response.raw_headers.extend(headers)
        await response(scope, receive, send)

    return app


async def visit(
    use: Use, cookie: str | bytes | None = None, *headers: tuple[bytes, bytes], name: str = "session", **options: Any
) -> Record:
    layer = SessionMiddleware(using(use, *headers), KEY, **options)
    fields = [(b"host", b"h")]
    if cookie is not None:
        raw = cookie if isinstance(cookie, bytes) else cookie.encode("latin-1")
        fields.append((b"cookie", name.encode() + b"=" + raw))
    return await call(layer, http_scope(headers=fields))


def set_cookies(sent: Record) -> list[str]:
    return [value.decode("latin-1") for name, value in sent.headers if name == b"set-cookie"]


def put(request: Request) -> None:
    request.session["a"] = 1


# Construction


def test_options_are_attributes() -> None:  # R1, R3
    app = using(put)
    layer = SessionMiddleware(app, KEY)
    assert layer.app is app
    assert isinstance(layer.signer, itsdangerous.TimestampSigner)
    assert (layer.session_cookie, layer.max_age, layer.path) == ("session", 1209600, "/")
    assert layer.security_flags == FLAGS


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        pytest.param({}, "httponly; samesite=lax", id="R3-T08.5-default"),
        pytest.param({"same_site": "strict"}, "httponly; samesite=strict", id="R3-same-site"),
        pytest.param({"same_site": "whatever"}, "httponly; samesite=whatever", id="R3-not-validated"),
        pytest.param({"https_only": True}, "httponly; samesite=lax; secure", id="R3-T08.5-secure"),
        pytest.param({"domain": "a.org"}, "httponly; samesite=lax; domain=a.org", id="R3-domain"),
        pytest.param({"domain": ""}, "httponly; samesite=lax; domain=", id="R3-empty-domain"),
        pytest.param(
            {"same_site": "none", "https_only": True, "domain": "a.org", "partitioned": True},
            "httponly; samesite=none; secure; domain=a.org; partitioned",
            id="R3-R19-all",
        ),
    ],
)
def test_flags(options: dict[str, Any], flags: str) -> None:
    assert SessionMiddleware(using(put), KEY, **options).security_flags == flags


@pytest.mark.parametrize("key", [KEY, Secret(KEY)], ids=["str", "Secret"])
def test_the_key_may_be_a_secret(key: Any) -> None:  # R2
    assert SessionMiddleware(using(put), key).signer.secret_key == KEY.encode()


@pytest.mark.parametrize("key", ["", None, Secret(""), "**********"], ids=["empty", "None", "Secret", "masked"])
def test_a_missing_key_is_refused(key: Any) -> None:  # T08.4
    with pytest.raises(ValueError, match="secret_key must be a secret text"):
        SessionMiddleware(using(put), key)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        pytest.param({"path": "/; domain=evil"}, ValueError, id="path-with-an-attribute"),
        pytest.param({"domain": "a;b"}, ValueError, id="domain-with-an-attribute"),
        pytest.param({"session_cookie": "a;b"}, ValueError, id="name-with-an-attribute"),
        pytest.param({"session_cookie": "a=b"}, ValueError, id="name-that-never-comes-back"),
        pytest.param({"path": "/\r\nx: y"}, ValueError, id="T03-path"),
        pytest.param({"same_site": "lax\r\nx: y"}, ValueError, id="T03-same-site"),
        pytest.param({"session_cookie": "\u0416"}, ValueError, id="name-outside-of-latin-1"),
        pytest.param({"same_site": None}, TypeError, id="D7-no-same-site"),
    ],
)
def test_what_cannot_stand_in_a_cookie_is_refused(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        SessionMiddleware(using(put), KEY, **options)


def test_without_itsdangerous_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['itsdangerous'] = None\n"
        "from starlette.middleware.sessions import Session, SessionMiddleware\n"
        "try: SessionMiddleware(None, 'key')\n"
        "except ModuleNotFoundError as exc: print(exc)\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown == 'SessionMiddleware needs the itsdangerous package: install the "full" extra\n'


# Which connections


@pytest.mark.anyio
async def test_other_connections_pass_untouched() -> None:  # R4
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend((scope, receive, send))

    scope, receive, send = {"type": "lifespan"}, body(), Record()
    await SessionMiddleware(app, KEY)(scope, receive, send)
    assert seen[0] is scope
    assert seen[1] is receive
    assert seen[2] is send
    assert scope == {"type": "lifespan"}


@pytest.mark.anyio
async def test_a_websocket_reads_but_never_writes() -> None:  # R21
    seen: list[Any] = []
    denial: Message = {"type": "websocket.http.response.start", "status": 403, "headers": []}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        session = HTTPConnection(scope).session
        seen.extend((dict(session), send))
        session["b"] = 2
        await send({"type": "websocket.accept", "headers": []})
        await send(denial)

    sent = Record()
    scope = websocket_scope(headers=[(b"cookie", f"session={signed({'a': 1})}".encode())])
    await SessionMiddleware(app, KEY)(scope, body(), sent)
    assert seen == [{"a": 1}, sent]
    assert sent.messages == [{"type": "websocket.accept", "headers": []}, denial]
    await SessionMiddleware(app, KEY)(websocket_scope(headers=[]), body(), sent)
    assert seen[2:] == [{}, sent]


# Reading


@pytest.mark.anyio
@pytest.mark.parametrize("content", [{"a": 1}, {"é": ["\u5c0f", None, 1.5], "n": {"d": True}}, {}])
async def test_cookies_of_other_versions_can_be_read(content: dict[str, Any]) -> None:  # R5, T08.1
    sent = await visit(lambda request: dict(request.session), signed(content))
    assert json.loads(sent.body) == content
    assert set_cookies(sent) == []  # R17


@pytest.mark.anyio
@pytest.mark.parametrize(
    "cookie",
    [
        pytest.param(None, id="R6-missing"),
        pytest.param("", id="R6-empty"),
        pytest.param(signed({"a": 1}, "another"), id="R6-another-key"),
        pytest.param(signed({"a": 1})[:-1], id="R6-cut"),
        pytest.param(signed({"a": 1}).rpartition(".")[0], id="R6-no-signature"),
        pytest.param(itsdangerous.Signer(KEY).sign("e30=").decode(), id="R6-no-time"),
        pytest.param(b"\xff\xfe\x80.\x00.\x01", id="T08.2-octets"),
        pytest.param("." * 5000, id="T08.2-dots"),
        pytest.param('"quoted', id="T08.2-quote"),
        pytest.param(signed_bytes(b"%"), id="T08.3-no-base64"),
        pytest.param(signed_bytes(base64.b64encode(b"{")), id="T08.3-no-json"),
        pytest.param(signed([1]), id="T08.3-a-list"),
        pytest.param(signed_bytes(base64.b64encode(b"[" * 3000 + b"]" * 3000)), id="T08.3-too-deep"),
    ],
)
async def test_what_is_no_session_is_an_empty_one(cookie: str | bytes | None) -> None:
    # T08.3 stands above R7.
    sent = await visit(lambda request: dict(request.session), cookie)
    assert (sent.status, json.loads(sent.body)) == (200, {})
    assert set_cookies(sent) == []
    cleared = await visit(lambda request: request.session.clear(), cookie)
    assert set_cookies(cleared) == []  # R16


@given(st.binary(max_size=60))
@settings(max_examples=100, deadline=None)
def test_no_octet_of_a_cookie_raises(junk: bytes) -> None:  # T08.2
    layer = SessionMiddleware(using(put), KEY)
    assert layer._asterism_load(http_scope(headers=[(b"cookie", b"session=" + junk), (b"cookie", junk)])) is None


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("age", "max_age", "expected"),
    [
        pytest.param(0, 0, {"a": 1}, id="R6-0-within-the-same-second"),
        pytest.param(0, -1, {}, id="R6-always-expired"),
        pytest.param(11, 10, {}, id="R6-expired"),
        pytest.param(10, 10, {"a": 1}, id="R5-just-valid"),
        pytest.param(10**9, None, {"a": 1}, id="R5-no-check"),
        pytest.param(-5, 10, {}, id="T08.1-from-the-future"),
    ],
)
async def test_the_age_is_checked(
    age: int, max_age: int | None, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = signed({"a": 1})
    stamp = itsdangerous.TimestampSigner(KEY).unsign(cookie, return_timestamp=True)[1].timestamp()
    monkeypatch.setattr(itsdangerous.TimestampSigner, "get_timestamp", lambda self: int(stamp) + age)
    sent = await visit(lambda request: dict(request.session), cookie, max_age=max_age)
    assert json.loads(sent.body) == expected


@pytest.mark.anyio
async def test_the_cookie_is_found_among_others() -> None:  # R5, T16
    cookie = signed({"a": 1})
    sent = await visit(lambda request: dict(request.session), f"x; other=1; sid={cookie}; z=", session_cookie="sid")
    assert json.loads(sent.body) == {"a": 1}
    for other in (f"1; xsid={cookie}", f"sid{cookie}", f"1; sidx={cookie}"):
        sent = await visit(lambda request: dict(request.session), other, session_cookie="sid")
        assert json.loads(sent.body) == {}


# The object

CHANGES = [
    pytest.param(lambda s: s.__setitem__("a", 2), True, id="set"),
    pytest.param(lambda s: s.__delitem__("a"), True, id="delete"),
    pytest.param(lambda s: s.clear(), True, id="clear"),
    pytest.param(lambda s: s.pop("a"), True, id="pop"),
    pytest.param(lambda s: s.pop("z", None), False, id="pop-a-missing-one"),
    pytest.param(lambda s: s.popitem(), True, id="popitem"),
    pytest.param(lambda s: s.setdefault("a", 2), False, id="setdefault-of-an-existing-one"),
    pytest.param(lambda s: s.setdefault("z", 2), True, id="setdefault"),
    pytest.param(lambda s: s.update(), True, id="update-with-nothing"),
    pytest.param(lambda s: s.update({"z": 2}, y=3), True, id="update"),
    pytest.param(lambda s: s.__ior__({"z": 2}), True, id="in-place-or"),
    pytest.param(lambda s: s["a"], False, id="R10-get-item"),
    pytest.param(lambda s: (s.get("a"), list(s), "a" in s, len(s), s | {"b": 2}, s.copy()), False, id="R10-read"),
]


@pytest.mark.parametrize(("use", "modified"), CHANGES)
def test_changes_are_noted(use: Callable[[Session], object], modified: bool) -> None:  # R8, R9
    session, plain = Session(a=1), {"a": 1}
    assert (session.accessed, session.modified) == (False, False)
    assert use(session) == use(plain)  # type: ignore[arg-type]  # it does what a dict does
    assert session == plain
    assert (session.accessed, session.modified) == (modified, modified)


@pytest.mark.parametrize(
    ("use", "modified"),
    [
        pytest.param(lambda s: s.__delitem__("z"), True, id="R9-delete"),
        pytest.param(lambda s: s.pop("z"), False, id="R10-pop"),
        pytest.param(lambda s: s.popitem(), False, id="R9-popitem"),
    ],
)
def test_what_is_missing_is_a_key_error(use: Callable[[Session], object], modified: bool) -> None:
    session = Session()
    with pytest.raises(KeyError):
        use(session)
    assert session.modified is modified


def test_a_session_is_a_dict() -> None:  # R8, R10
    session = Session({"a": 1})
    assert isinstance(session, dict)
    assert json.dumps(session) == '{"a": 1}'
    assert type(session | {}) is dict
    assert type(session.copy()) is dict
    same = session
    session |= {"b": 2}
    assert same is session
    session.mark_accessed()
    assert Session().accessed is False


def test_marks() -> None:  # R8
    session = Session()
    session.mark_accessed()
    assert (session.accessed, session.modified) == (True, False)
    session = Session()
    session.mark_modified()
    assert (session.accessed, session.modified) == (True, True)


# Writing


@pytest.mark.anyio
@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda request: "a" in request.session, id="in"),
        pytest.param(lambda request: len(request.session), id="len"),
        pytest.param(lambda request: list(request.session), id="iteration"),
        pytest.param(lambda request: bool(request.session), id="R18-truth"),
        pytest.param(lambda request: request.session, id="R18-nothing"),
    ],
)
@pytest.mark.parametrize("cookie", [None, signed({"a": 1})], ids=["absent", "present"])
async def test_every_look_varies_the_response_and_saves_nothing(use: Use, cookie: str | None) -> None:
    sent = await visit(use, cookie)
    assert sent.header("vary") == "Cookie"  # R13, T08.6
    assert set_cookies(sent) == []  # R17


@pytest.mark.anyio
@pytest.mark.parametrize(
    "use", [lambda request: None, lambda request: len(request.scope["session"])], ids=["unused", "R12-scope"]
)
async def test_without_a_look_nothing_is_sent(use: Use) -> None:  # R13
    sent = await visit(use, signed({"a": 1}))
    assert sent.header("vary") is None
    assert set_cookies(sent) == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param([b"Accept"], [b"Accept, Cookie"], id="R13-joined"),
        pytest.param([b"Accept", b"Origin"], [b"Accept, Origin, Cookie"], id="R13-several-lines"),
        pytest.param([b"cookie"], [b"cookie"], id="D4-there-already"),
    ],
)
async def test_vary_keeps_what_was_there(before: list[bytes], after: list[bytes]) -> None:
    sent = await visit(put, None, *((b"vary", value) for value in before))
    assert [value for name, value in sent.headers if name == b"vary"] == after


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("options", "before", "after"),
    [
        pytest.param({}, "session=", f"; path=/; Max-Age=1209600; {FLAGS}", id="R14-default"),
        pytest.param({"max_age": None}, "session=", f"; path=/; {FLAGS}", id="R14-until-the-browser-is-closed"),
        pytest.param({"max_age": 0}, "session=", f"; path=/; Max-Age=0; {FLAGS}", id="R14-zero"),
        pytest.param(
            {"session_cookie": "sid", "path": "/app", "domain": "a.org", "https_only": True, "partitioned": True},
            "sid=",
            f"; path=/app; Max-Age=1209600; {FLAGS}; secure; domain=a.org; partitioned",
            id="R19-R22-all",
        ),
    ],
)
async def test_a_change_is_saved(options: dict[str, Any], before: str, after: str) -> None:
    sent = await visit(put, **options)
    (cookie,) = set_cookies(sent)
    assert cookie.startswith(before)
    assert cookie.endswith(after)
    assert cookie.count(";") == after.count(";")
    assert opened(cookie) == {"a": 1}  # R5: other versions read it
    assert cookie.startswith(before + "eyJhIjogMX0=.")


@pytest.mark.anyio
async def test_what_was_saved_is_there_at_the_next_visit() -> None:
    (cookie,) = set_cookies(await visit(lambda request: request.session.update({"é": ["\u5c0f"]}), signed({"a": 1})))
    value = cookie.partition("=")[2].partition(";")[0]
    sent = await visit(lambda request: dict(request.session), value)
    assert json.loads(sent.body) == {"a": 1, "é": ["\u5c0f"]}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({}, NULL, id="R15-default"),
        pytest.param(
            {"path": "/a", "domain": "a.org", "partitioned": True, "max_age": None},
            NULL.replace("path=/", "path=/a") + "; domain=a.org; partitioned",
            id="R15-domain-and-partition-repeated",
        ),
    ],
)
async def test_emptying_removes_the_cookie(options: dict[str, Any], expected: str) -> None:  # T08.6
    sent = await visit(lambda request: request.session.clear(), signed({"a": 1}), **options)
    assert set_cookies(sent) == [expected]
    assert sent.header("vary") == "Cookie"


@pytest.mark.anyio
async def test_emptying_nothing_sends_nothing() -> None:  # R16
    assert set_cookies(await visit(lambda request: request.session.clear())) == []


@pytest.mark.anyio
async def test_a_session_that_cannot_be_saved_is_an_error() -> None:  # R20, T08.7
    with pytest.raises(TypeError, match="not JSON serializable"):
        await visit(lambda request: request.session.update(a=object()))


@pytest.mark.anyio
async def test_a_start_without_headers_and_other_messages() -> None:  # R20
    debug: Message = {"type": "http.response.debug", "info": {}}
    rest: Message = {"type": "http.response.body", "body": b"x", "more_body": True}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(debug)
        Request(scope).session["a"] = 1
        await send({"type": "http.response.start", "status": 200})
        assert sent.types[-1] == "http.response.start"
        await send(rest)
        raise LookupError("late")

    sent = Record()
    with pytest.raises(LookupError, match="late"):
        await SessionMiddleware(app, KEY)(http_scope(), body(), sent)
    assert opened(set_cookies(sent)[0]) == {"a": 1}
    assert sent.messages[0] is debug
    assert sent.messages[2] is rest
    assert len(sent.messages) == 3


@pytest.mark.anyio
async def test_an_application_that_fails_first_sends_nothing() -> None:
    def fail(request: Request) -> None:
        request.session["a"] = 1
        raise LookupError("early")

    with pytest.raises(LookupError, match="early"):
        await visit(fail)


@pytest.mark.anyio
async def test_a_response_object_can_be_used_again() -> None:  # T15.5, R16
    response = PlainTextResponse("same")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/in":
            Request(scope).session["a"] = 1
        await response(scope, receive, send)

    layer = SessionMiddleware(app, KEY)
    assert len(set_cookies(await call(layer, http_scope("/in")))) == 1
    sent = await call(layer, http_scope("/"))
    assert sent.headers == response.raw_headers
    assert b"set-cookie" not in dict(sent.headers)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("content", "cookie", "expected"),
    [
        pytest.param({"b": 2}, None, {"b": 2}, id="D2-written"),
        pytest.param({}, signed({"a": 1}), NULL, id="D2-emptied"),
        pytest.param({}, None, None, id="D2-nothing-there"),
        pytest.param(Session(b=2), None, None, id="D2-a-session-that-nobody-changed"),
    ],
)
async def test_the_session_may_be_replaced(content: dict[str, Any], cookie: str | None, expected: Any) -> None:
    sent = await visit(lambda request: request.scope.update(session=content), cookie)
    if isinstance(expected, dict):
        assert opened(set_cookies(sent)[0]) == expected
    else:
        assert set_cookies(sent) == ([] if expected is None else [expected])


@pytest.mark.anyio
async def test_removing_the_session_removes_the_cookie() -> None:  # D2
    assert set_cookies(await visit(lambda request: request.scope.pop("session"), signed({"a": 1}))) == [NULL]


# The signer


@pytest.mark.anyio
async def test_the_signer_may_be_replaced_or_changed() -> None:
    layer = SessionMiddleware(using(put), KEY)
    layer.signer.secret_keys.append(b"newer")  # the last one signs, all verify
    sent = await call(layer, http_scope(headers=[(b"cookie", f"session={signed({'b': 2})}".encode())]))
    assert opened(set_cookies(sent)[0], "newer") == {"b": 2, "a": 1}
    layer.signer = itsdangerous.TimestampSigner("other")
    sent = await call(layer, http_scope(headers=[(b"cookie", f"session={signed({'b': 2}, 'other')}".encode())]))
    assert opened(set_cookies(sent)[0], "other") == {"b": 2, "a": 1}


@pytest.mark.anyio
async def test_another_default_of_the_library_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(itsdangerous.TimestampSigner, "default_key_derivation", "hmac")
    sent = await visit(put, signed({"b": 2}))
    assert opened(set_cookies(sent)[0]) == {"b": 2, "a": 1}


@pytest.mark.anyio
async def test_attributes_may_be_changed_in_a_subclass() -> None:
    class Prioritised(SessionMiddleware):
        def __init__(self, app: ASGIApp) -> None:
            super().__init__(app, KEY)
            self.security_flags += "; priority=high"
            self.session_cookie = "other"

    sent = await call(Prioritised(using(put)))
    assert set_cookies(sent)[0].startswith("other=")
    assert set_cookies(sent)[0].endswith("; samesite=lax; priority=high")


@pytest.mark.anyio
async def test_the_middleware_can_be_copied() -> None:
    layer = SessionMiddleware(using(put), KEY)
    for twin in (copy.deepcopy(layer), by_cloudpickle(layer)):
        sent = await call(twin)
        assert opened(set_cookies(sent)[0]) == {"a": 1}


@pytest.mark.anyio
async def test_changes_inside_of_values_have_to_be_assigned() -> None:  # R11
    def inside(request: Request) -> None:
        request.session["a"].append(2)

    def assigned(request: Request) -> None:
        request.session["a"] = [*request.session["a"], 2]

    assert set_cookies(await visit(inside, signed({"a": [1]}))) == []
    (cookie,) = set_cookies(await visit(assigned, signed({"a": [1]})))
    assert opened(cookie) == {"a": [1, 2]}


def test_a_secure_cookie_does_not_come_back_over_http() -> None:  # R23
    def count(request: Request) -> int:
        request.session["visits"] = request.session.get("visits", 0) + 1
        return int(request.session["visits"])

    app = SessionMiddleware(using(count), KEY, https_only=True)
    plain, secure = TestClient(app), TestClient(app, base_url="https://testserver")
    assert [plain.get("/").json() for _ in range(2)] == [1, 1]
    assert [secure.get("/").json() for _ in range(2)] == [1, 2]
