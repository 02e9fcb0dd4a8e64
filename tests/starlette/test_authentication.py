"""Users, credentials, and the decorator that asks for a scope."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any

import pytest

from starlette.applications import Starlette
from starlette.authentication import (
    AuthCredentials,
    AuthenticationBackend,
    AuthenticationError,
    BaseUser,
    SimpleUser,
    UnauthenticatedUser,
    has_required_scope,
    requires,
)
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import NoMatchFound, Route
from starlette.websockets import WebSocket
from tests.asgi import Record, Script, body, call, http_scope, websocket_scope


def request_with(*scopes: str, **keys: Any) -> Request:
    return Request(http_scope(auth=AuthCredentials(scopes), **keys))


def websocket_with(*scopes: str) -> tuple[WebSocket, Record]:
    sent = Record()
    return WebSocket(websocket_scope(auth=AuthCredentials(scopes)), Script(), sent), sent


# -- data classes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        pytest.param(None, [], id="R1-none"),
        pytest.param(["a", "b"], ["a", "b"], id="R1-list"),
        pytest.param(("a",), ["a"], id="R1-tuple"),
        pytest.param("ab", ["a", "b"], id="R1-characters-of-a-string"),
    ],
)
def test_credentials_copy_their_scopes(given: Any, kept: list[str]) -> None:
    credentials = AuthCredentials(given)
    assert credentials.scopes == kept
    assert credentials.scopes is not given
    assert AuthCredentials(given).scopes is not credentials.scopes


@pytest.mark.parametrize("name", ["is_authenticated", "display_name", "identity"])
def test_base_users_leave_everything_open(name: str) -> None:  # R2
    with pytest.raises(NotImplementedError):
        getattr(BaseUser(), name)


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        pytest.param(SimpleUser("ada"), (True, "ada", "ada"), id="R3"),
        pytest.param(UnauthenticatedUser(), (False, "", ""), id="R4"),
    ],
)
def test_users(user: BaseUser, expected: tuple[bool, str, str]) -> None:
    assert (user.is_authenticated, user.display_name, user.identity) == expected
    assert isinstance(user, BaseUser)
    assert SimpleUser("eve").username == "eve"


@pytest.mark.anyio
async def test_backends_leave_everything_open() -> None:  # R5
    with pytest.raises(NotImplementedError):
        await AuthenticationBackend().authenticate(HTTPConnection(http_scope()))
    assert issubclass(AuthenticationError, Exception)


# -- has_required_scope ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("needed", "expected"),
    [
        pytest.param([], True, id="R13-none"),
        pytest.param(["a"], True, id="R13-one"),
        pytest.param(["b", "a"], True, id="R13-all"),
        pytest.param(["a", "c"], False, id="R13-not-all"),
        pytest.param(("A",), False, id="R13-case"),
    ],
)
def test_all_scopes_are_needed(needed: Any, expected: bool) -> None:  # T21
    assert has_required_scope(request_with("a", "b"), needed) is expected


def test_without_the_middleware_it_is_an_error() -> None:  # R14, T21
    with pytest.raises(AssertionError, match=r"^AuthenticationMiddleware must be installed to access request.auth$"):
        has_required_scope(Request(http_scope()), ["a"])


# -- requires: decorating ----------------------------------------------------------------------------------------------


def test_metadata_stays() -> None:  # R15
    async def endpoint(request: Request, extra: int = 1) -> Response:
        """Documented."""
        raise NotImplementedError

    guarded = requires("a")(endpoint)
    assert (guarded.__name__, guarded.__doc__) == ("endpoint", "Documented.")
    assert guarded.__wrapped__ is endpoint  # type: ignore[attr-defined]
    assert inspect.signature(guarded) == inspect.signature(endpoint)


def test_a_function_without_a_connection_is_refused() -> None:  # R16
    def foo(connection: Request) -> None: ...

    with pytest.raises(Exception, match="No ") as caught:
        requires("a")(foo)
    assert type(caught.value) is Exception
    assert str(caught.value) == f'No "request" or "websocket" argument on function "{foo}"'


@pytest.mark.parametrize(
    ("make", "is_async"),
    [
        pytest.param(lambda: requires("a")(answer), True, id="R19-async"),
        pytest.param(lambda: requires("a")(answer_in_thread), False, id="R19-sync"),
        pytest.param(lambda: requires("a")(listen), True, id="R20-websocket"),
    ],
)
def test_async_stays_async(make: Callable[[], Any], is_async: bool) -> None:
    assert inspect.iscoroutinefunction(make()) is is_async


async def answer(request: Request) -> Response:
    return PlainTextResponse("in")


def answer_in_thread(request: Request) -> Response:
    return PlainTextResponse(f"in {threading.current_thread() is not threading.main_thread()}")


async def listen(websocket: WebSocket) -> str:
    await websocket.send({"type": "websocket.accept"})
    return "dropped"


# -- requires: finding the connection ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda guarded, request: guarded(0, request), id="R17-position"),
        pytest.param(lambda guarded, request: guarded(0, request=request), id="R17-keyword"),
        pytest.param(lambda guarded, request: guarded(0, request, extra=2), id="R17-extra"),
        pytest.param(lambda guarded, request: guarded(first=0, request=request, extra=2), id="R22-all-by-keyword"),
    ],
)
def test_the_connection_is_found(use: Callable[..., Any]) -> None:
    @requires("a")
    def endpoint(first: int, request: Request, extra: int = 1) -> str:
        return "in"

    assert use(endpoint, request_with("a")) == "in"
    with pytest.raises(HTTPException):
        use(endpoint, request_with())


def test_the_first_of_two_parameters_counts() -> None:  # R16, D3
    @requires("a")
    def endpoint(request: Request, websocket: WebSocket) -> str:
        return "in"

    assert endpoint(request_with("a"), websocket_with()[0]) == "in"


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        pytest.param(("text",), "str", id="R18-str"),
        pytest.param((), "NoneType", id="R17-missing"),
        pytest.param((None,), "NoneType", id="R18-none"),
    ],
)
@pytest.mark.anyio
async def test_a_connection_of_another_type_is_an_error(arguments: tuple[Any, ...], found: str) -> None:
    loose: Any = requires("a")(answer)
    with pytest.raises(AssertionError) as caught:
        await loose(*arguments)
    assert str(caught.value) == f"Parameter with name 'request' is required to be of type 'Request' not '{found}'"
    loose = requires("a")(answer_in_thread)
    with pytest.raises(AssertionError, match="of type 'Request'"):
        loose(*arguments)
    loose = requires("a")(listen)
    with pytest.raises(AssertionError) as caught:
        await loose(*arguments)
    assert str(caught.value) == f"Parameter with name 'websocket' is required to be of type 'WebSocket' not '{found}'"


def test_a_websocket_is_no_request() -> None:  # R18
    loose: Any = requires("a")(answer_in_thread)
    with pytest.raises(AssertionError, match="not 'WebSocket'"):
        loose(websocket_with("a")[0])


# -- requires: requests ------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("needed", "scopes", "passes"),
    [
        pytest.param("a", ["a"], True, id="R15-string"),
        pytest.param("ab", ["a", "b"], False, id="R15-a-string-is-one-scope"),
        pytest.param(["a", "b"], ["b", "a", "c"], True, id="R15-all"),
        pytest.param(("a", "b"), ["a"], False, id="T21-not-all"),
        pytest.param([], [], True, id="R13-none"),
    ],
)
async def test_who_may_pass(needed: Any, scopes: list[str], passes: bool) -> None:
    request = request_with(*scopes)
    for use in (requires(needed)(answer), requires(needed, status_code=404)(answer)):
        if passes:
            assert (await use(request)).body == b"in"
        else:
            with pytest.raises(HTTPException):
                await use(request)


def test_the_needed_scopes_are_copied() -> None:
    needed = ["a"]
    guarded = requires(needed)(answer_in_thread)
    needed.clear()
    with pytest.raises(HTTPException):
        guarded(request_with())


def serving(*routes: Route) -> Any:
    """Return an application whose requests have no scope but those in the query: `/?a&b`."""
    app = Starlette(routes=[*routes, Route("/login", answer, name="login")])

    async def authenticated(scope: Any, receive: Any, send: Any) -> None:
        scope["auth"] = AuthCredentials(scope["query_string"].decode("latin-1").split("&"))
        await app(scope, receive, send)

    return authenticated


@pytest.mark.anyio
@pytest.mark.parametrize("endpoint", [answer, answer_in_thread])
async def test_refusals(endpoint: Any) -> None:  # R19
    app = serving(Route("/", requires("a")(endpoint)), Route("/hidden", requires("a", status_code=404)(endpoint)))
    sent = await call(app)
    assert (sent.status, sent.body) == (403, b"Forbidden")
    sent = await call(app, http_scope("/hidden"))
    assert (sent.status, sent.body) == (404, b"Not Found")
    sent = await call(app, http_scope(query_string=b"a"))
    assert sent.body == (b"in" if endpoint is answer else b"in True")


@pytest.mark.anyio
@pytest.mark.parametrize("endpoint", [answer, answer_in_thread])
@pytest.mark.parametrize(
    ("keys", "following"),
    [
        pytest.param({}, "http%3A%2F%2Ftestserver%2Fred", id="R19"),
        pytest.param({"query_string": b"q=1&r=2"}, "http%3A%2F%2Ftestserver%2Fred%3Fq%3D1%26r%3D2", id="R19-query"),
        pytest.param({"query_string": b"\xff#"}, "http%3A%2F%2Ftestserver%2Fred%3F%25FF%2523", id="T05-any-octet"),
        pytest.param({"query_string": b"next=//evil"}, "http%3A%2F%2Ftestserver%2Fred%3Fnext%3D%2F%2Fevil", id="T05"),
        pytest.param({"headers": [(b"host", b"a@b")]}, "http%3A%2F%2Ftestserver%2Fred", id="T02-host"),
    ],
)
async def test_redirects(endpoint: Any, keys: dict[str, Any], following: str) -> None:  # R19, T05: one parameter
    app = serving(Route("/red", requires("a", status_code=500, redirect="login")(endpoint)))
    sent = await call(app, http_scope("/red", **keys))
    assert sent.status == 303
    assert sent.header("location") == f"http://testserver/login?next={following}"


@pytest.mark.anyio
async def test_any_path_can_be_redirected_from() -> None:  # threats rule 1
    app = serving(Route("/{path:path}", requires("a", redirect="login")(answer)))
    sent = await call(app, http_scope("/\ud800\r\t/\u00e9"))
    assert sent.status == 303
    assert sent.header("location") == "http://testserver/login?next=http%3A%2F%2Ftestserver%2F%3F%250D%2509%2F%C3%A9"


@pytest.mark.anyio
async def test_an_unknown_name_to_redirect_to_is_an_error() -> None:  # R19
    app = serving(Route("/", requires("a", redirect="nowhere")(answer)))
    sent = Record()
    with pytest.raises(NoMatchFound):
        await app(http_scope(), body(), sent)
    assert sent.status == 500


@pytest.mark.anyio
async def test_endpoint_methods() -> None:  # R21
    class Endpoint(HTTPEndpoint):
        @requires("a")
        def get(self, request: Request) -> Response:
            return PlainTextResponse("in")

        @requires("a")
        async def post(self, request: Request) -> Response:
            return PlainTextResponse("in")

    app = serving(Route("/", Endpoint))
    for method in ("GET", "POST"):
        assert (await call(app, http_scope(method=method))).status == 403
        assert (await call(app, http_scope(method=method, query_string=b"a"))).body == b"in"


@pytest.mark.anyio
async def test_other_decorators_may_stand_outside_and_inside() -> None:  # R22
    def adding(func: Any) -> Any:
        @functools.wraps(func)
        async def wrapper(request: Request) -> Any:
            return await func(request=request, extra=1)

        return wrapper

    @adding
    @requires("a")
    async def endpoint(request: Request, extra: int) -> Response:
        return PlainTextResponse(f"in {extra}")

    assert (await endpoint(request_with("a"))).body == b"in 1"
    with pytest.raises(HTTPException):
        await endpoint(request_with())


@pytest.mark.anyio
async def test_an_async_partial_is_awaited() -> None:  # R19
    async def endpoint(extra: int, request: Request) -> Response:
        return PlainTextResponse(f"in {extra}")

    guarded: Any = requires("a")(functools.partial(endpoint, 1))
    assert (await guarded(request_with("a"))).body == b"in 1"


def test_what_the_endpoint_returns_is_passed_on() -> None:
    @requires("a")
    def endpoint(request: Request) -> Any:
        return None

    assert endpoint(request_with("a")) is None


def test_the_scope_test_can_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    guarded = requires("a", redirect="login")(answer_in_thread)
    monkeypatch.setattr("starlette.authentication.has_required_scope", lambda conn, scopes: True)
    assert not isinstance(guarded(request_with()), RedirectResponse)


# -- requires: WebSockets ----------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_websockets_that_may_pass() -> None:  # R20
    websocket, sent = websocket_with("a")
    result: Any = await requires("a")(listen)(websocket)
    assert result is None
    assert sent.types == ["websocket.accept"]


@pytest.mark.anyio
async def test_websockets_that_may_not_are_closed() -> None:  # R20
    websocket, sent = websocket_with("b")
    await requires(["a", "b"], status_code=404, redirect="login")(listen)(websocket=websocket)
    assert sent.messages == [{"type": "websocket.close", "code": 1000, "reason": ""}]
