"""What is sent for what an endpoint returns."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any, TypedDict

import msgspec
import pytest

from asterism.api import Answer, Depends, Problem, Reply, endpoint, plan_of
from asterism.api._refusals import Refuser
from starlette.applications import Starlette
from starlette.background import BackgroundTask, BackgroundTasks
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send
from tests.asgi import body, call, http_scope
from tests.asterism.api.support import client

JOURNAL: list[str] = []


class User(msgspec.Struct):
    name: str


class Admin(User):
    password: str


@dataclasses.dataclass
class Person:
    name: str
    password: str = "secret"


class Named(TypedDict):
    name: str


class Lazy:
    """An iterable that no engine knows."""

    def __iter__(self) -> Iterator[int]:
        return iter([1, 2])


class Foreign:
    """A response of some other package: an ASGI application."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("foreign")(scope, receive, send)


def returning(value: Any, annotation: Any = Any) -> Callable[..., Any]:
    """Return an endpoint that returns a value, with this annotation."""

    async def show() -> Any:
        return value

    show.__annotations__["return"] = annotation
    return show


@pytest.mark.parametrize(
    ("value", "annotation", "expected"),
    [
        pytest.param(User("a"), User, {"name": "a"}, id="as-declared"),
        pytest.param(Admin("a", "secret"), User, {"name": "a"}, id="fields-of-a-subclass-stay-here"),
        pytest.param(Person("a"), User, {"name": "a"}, id="from-another-object"),
        pytest.param({"name": "a", "password": "b"}, User, {"name": "a"}, id="from-a-dict"),
        pytest.param({"name": "a", "password": "b"}, Named, {"name": "a"}, id="typed-dict"),
        pytest.param([Person("a"), User("b")], list[User], [{"name": "a"}, {"name": "b"}], id="inside-of-a-list"),
        pytest.param(None, User | None, None, id="none-of-several"),
        pytest.param(Person("a"), Any, {"name": "a", "password": "secret"}, id="undeclared"),
        pytest.param(decimal.Decimal("1.10"), decimal.Decimal, "1.10", id="decimal"),
        pytest.param(datetime.date(2026, 1, 31), datetime.date, "2026-01-31", id="date"),
        pytest.param({"a": float("nan")}, dict, {"a": None}, id="nan-is-null"),
        pytest.param(Lazy(), Any, [1, 2], id="iterable"),
        pytest.param(range(2), Any, [0, 1], id="range"),
        pytest.param(Headers({"a": "b"}), Any, {"a": "b"}, id="mapping"),
    ],
)
def test_results(value: Any, annotation: Any, expected: Any) -> None:
    response = client(returning(value, annotation)).get("/")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.json() == expected


def test_returns_replaces_the_annotation() -> None:
    assert client(returning(Admin("a", "b"), Any), returns=User).get("/").json() == {"name": "a"}


@pytest.mark.parametrize(
    ("value", "annotation", "message"),
    [
        (User(3), User, None),  # type: ignore[arg-type]  # not looked at: it is a `User`
        ({"nom": "a"}, User, "show returned a dict that is not what it declares"),
        (object(), Any, "a object cannot be sent: return a model"),
        (Problem(404), Any, "a Problem cannot be sent: raise it"),
    ],
)
def test_a_result_that_is_not_what_was_declared_is_the_servers_failure(
    value: Any, annotation: Any, message: str | None
) -> None:
    asked = client(returning(value, annotation))
    if message is None:
        assert asked.get("/").status_code == 200
        return
    with pytest.raises((TypeError, NotImplementedError), match=message):
        asked.get("/")


@pytest.mark.parametrize(
    ("annotation", "options", "status", "content"),
    [
        pytest.param(None, {}, 204, b"", id="none"),
        pytest.param(type(None), {"status_code": 202}, 202, b"null", id="none-with-a-status"),
        pytest.param(Any, {}, 200, b"null", id="undeclared-none"),
        pytest.param(Any, {"status_code": 204}, 204, b"", id="a-status-without-content"),
        pytest.param(Any, {"status_code": 201}, 201, b"null", id="another-status"),
    ],
)
def test_statuses(annotation: Any, options: dict[str, Any], status: int, content: bytes) -> None:
    response = client(returning(None, annotation), **options).get("/")
    assert (response.status_code, response.content) == (status, content)


@pytest.mark.parametrize("annotation", [Response, PlainTextResponse, Any, User, None])
def test_a_raw_response_is_passed_on(annotation: Any) -> None:
    raw = PlainTextResponse("text", 418, {"x-a": "b"})
    response = client(returning(raw, annotation)).get("/")
    assert (response.status_code, response.text, response.headers["x-a"]) == (418, "text", "b")


def test_a_foreign_response_is_passed_on() -> None:
    assert client(returning(Foreign())).get("/").text == "foreign"


# -- content types -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/msgpack", "application/msgpack"),
        ("application/json;q=0.5, application/msgpack", "application/msgpack"),
        ("text/html, application/*;q=0.1", "application/json"),
        ("text/html", None),
    ],
)
def test_the_client_chooses_the_format(accept: str | None, expected: str | None) -> None:
    asked = client(returning({"a": 1}), produces=["json", "msgpack"])
    for _ in range(2):  # the second time it is remembered
        response = asked.get("/", headers={"accept": accept} if accept else {"accept": ""})
        if expected is None:
            assert response.status_code == 406
            assert response.json()["detail"] == "This is sent as application/json or application/msgpack."
        else:
            decode = json.loads if expected == "application/json" else msgspec.msgpack.decode
            assert (response.headers["content-type"], decode(response.content)) == (expected, {"a": 1})
            assert response.headers["vary"] == "accept"


def test_several_accept_fields_are_one() -> None:
    asked = client(returning(1), produces=["json", "msgpack"])
    headers = [("accept", "text/html"), ("accept", "application/msgpack")]
    response = asked.get("/", headers=headers)
    assert response.headers["content-type"] == "application/msgpack"


def test_what_clients_accept_is_remembered_within_bounds() -> None:
    asked = client(returning(1))
    for number in range(100):
        assert asked.get("/", headers={"accept": f"application/json, text/x{number}"}).status_code == 200
    assert asked.get("/", headers={"accept": "application/json," + "x" * 300}).status_code == 200


def test_nothing_is_done_for_who_cannot_be_answered() -> None:
    done: list[int] = []

    async def create() -> Any:
        done.append(1)

    assert client(create).get("/", headers={"accept": "text/html"}).status_code == 406
    assert done == []


# -- streams -----------------------------------------------------------------------------------------------------------


async def opened() -> AsyncIterator[str]:
    JOURNAL.append("open")
    yield "a"
    JOURNAL.append("close")


async def feed(name: Annotated[str, Depends(opened)], count: int = 2) -> AsyncIterator[User]:
    for _ in range(count):
        yield User(name)
    JOURNAL.append("end")


def blocking_feed() -> Iterator[User]:
    yield User("b")


class Steps:
    """An async iterator that cannot be closed."""

    def __init__(self) -> None:
        self.left = [User("c")]

    def __aiter__(self) -> Steps:
        return self

    async def __anext__(self) -> User:
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop()


async def returned_feed() -> AsyncIterator[User]:
    return Steps()


async def raw_feed() -> AsyncIterator[User]:
    return PlainTextResponse("raw")  # type: ignore[return-value]  # as one may


@pytest.mark.parametrize(
    ("accept", "media_type", "expected"),
    [
        ("*/*", "application/x-ndjson", b'{"name":"a"}\n{"name":"a"}\n'),
        ("application/json-seq", "application/json-seq", b'\x1e{"name":"a"}\n\x1e{"name":"a"}\n'),
        ("text/event-stream", "text/event-stream; charset=utf-8", b'data: {"name":"a"}\n\ndata: {"name":"a"}\n\n'),
    ],
)
def test_results_are_streamed_and_dependencies_closed_after_the_last(
    accept: str, media_type: str, expected: bytes
) -> None:
    JOURNAL.clear()
    response = client(feed).get("/", headers={"accept": accept})
    assert (response.headers["content-type"], response.content) == (media_type, expected)
    assert response.headers.get("cache-control") == ("no-store" if "event" in accept else None)
    assert JOURNAL == ["open", "end", "close"]


class Keeper(User):
    secret: str = "internal"


class Row:
    """What an ORM returns."""

    name = "row"
    secret = "internal"


async def mixed_feed() -> AsyncIterator[User]:
    yield Keeper("a")
    yield Row()  # type: ignore[misc]  # as one may


async def wrong_feed() -> AsyncIterator[User]:
    yield 7  # type: ignore[misc]  # the mistake


def test_only_declared_fields_of_items_are_streamed() -> None:
    assert client(mixed_feed).get("/").content == b'{"name":"a"}\n{"name":"row"}\n'
    with pytest.raises(TypeError, match=r"wrong_feed returned a int that is not what it declares"):
        client(wrong_feed).get("/")


def test_other_ways_to_stream() -> None:
    assert client(blocking_feed).get("/").content == b'{"name":"b"}\n'
    assert client(returning(iter([User("e")]), Iterator[User])).get("/").content == b'{"name":"e"}\n'
    assert client(returned_feed, streamed=["json-seq"]).get("/").content == b'\x1e{"name":"c"}\n'
    assert client(raw_feed).get("/").text == "raw"
    assert client(feed, streamed=["sse"]).get("/", headers={"accept": "application/json"}).status_code == 406


def noting_feed() -> Iterator[User]:
    try:
        while True:
            yield User("d")
    finally:
        JOURNAL.append("closed")


async def noting_async_feed() -> AsyncIterator[User]:
    try:
        while True:
            yield User("d")
    finally:
        JOURNAL.append("closed")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("made", "annotation"), [(noting_feed, Iterator[User]), (noting_async_feed, AsyncIterator[User])]
)
async def test_a_generator_is_closed_when_the_client_leaves(made: Callable[[], Any], annotation: Any) -> None:
    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            raise OSError

    kept = made()
    JOURNAL.clear()
    app = Starlette(routes=[Route("/", endpoint(returning(kept, annotation)))])
    with pytest.raises(ClientDisconnect):
        await app(http_scope(), body(), send)
    assert JOURNAL == ["closed"]


# -- what else can be said ---------------------------------------------------------------------------------------------


async def say(reply: Reply) -> User:
    reply.status_code = 201
    reply.headers["location"] = "/users/a"
    reply.set_cookie("a", "1")
    reply.delete_cookie("b")
    return User("a")


async def say_more(reply: Reply, first: Annotated[User, Depends(say)]) -> Any:
    reply.headers["content-type"] = "application/vnd.user+json"
    return first


async def say_raw(reply: Reply, foreign: bool = False) -> Any:
    reply.set_cookie("a", "1")
    return Foreign() if foreign else PlainTextResponse("raw", headers={"set-cookie": "own=1"})


async def say_nothing(reply: Reply, status: int = 204) -> Any:
    reply.status_code = status


async def say_in_a_stream(reply: Reply) -> AsyncIterator[int]:
    reply.status_code = 203
    reply.headers["x-a"] = "b"

    async def steps() -> AsyncIterator[int]:
        yield 1

    return steps()


def test_a_reply_adds_status_fields_and_cookies() -> None:
    response = client(say).get("/")
    assert (response.status_code, response.headers["location"]) == (201, "/users/a")
    assert [field.partition("=")[0] for field in response.headers.get_list("set-cookie")] == ["a", "b"]
    assert response.headers.get_list("content-length") == ["12"]


def test_dependencies_share_the_reply_and_fields_are_replaced() -> None:
    response = client(say_more).get("/")
    assert (response.status_code, response.headers.get_list("content-type")) == (201, ["application/vnd.user+json"])


def test_a_reply_reaches_raw_responses_and_streams() -> None:
    response = client(say_raw).get("/")
    assert [field.partition(";")[0] for field in response.headers.get_list("set-cookie")] == ["own=1", "a=1"]
    assert client(say_raw).get("/?foreign=true").text == "foreign"
    streamed = client(say_in_a_stream).get("/")
    assert (streamed.status_code, streamed.headers["x-a"], streamed.content) == (203, "b", b"1\n")


def test_a_reply_may_take_the_content_away() -> None:
    response = client(say_nothing).get("/")
    assert (response.status_code, response.content, response.headers.get("content-length")) == (204, b"", None)
    assert client(say_nothing).get("/?status=202").content == b"null"


async def work(tasks: BackgroundTasks, own: bool = False) -> Any:
    tasks.add_task(JOURNAL.append, "task")
    return Response(background=BackgroundTask(JOURNAL.append, "own")) if own else 1


async def no_work(tasks: BackgroundTasks) -> Any:
    return Response(background=BackgroundTask(JOURNAL.append, "own"))


@pytest.mark.parametrize(
    ("function", "query", "expected"),
    [(work, "", ["task"]), (work, "?own=true", ["task", "own"]), (no_work, "", ["own"])],
)
def test_background_tasks_run_after_the_response(function: Any, query: str, expected: list[str]) -> None:
    JOURNAL.clear()
    assert client(function).get("/" + query).status_code == 200
    assert expected == JOURNAL


# -- problems ----------------------------------------------------------------------------------------------------------


async def fails(status: int) -> Any:
    raise Problem(status, "Paid.", order=7)


async def own_handler(request: Request, exc: Exception) -> Response:
    return PlainTextResponse(f"own {type(exc).__name__}", 499)


def test_problems_need_no_handler() -> None:
    response = client(fails).get("/?status=409")
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {"title": "Conflict", "status": 409, "detail": "Paid.", "order": 7}


@pytest.mark.parametrize("key", [Problem, 409, 422])
def test_handlers_of_the_application_come_first(key: Any) -> None:
    app = Starlette(routes=[Route("/", endpoint(fails))], exception_handlers={key: own_handler})
    asked = TestClient(app)
    own = [asked.get(f"/?status={status}").status_code == 499 for status in ("409", "x")]
    assert own == {Problem: [True, True], 409: [True, False], 422: [False, True]}[key]


@pytest.mark.anyio
async def test_an_endpoint_can_be_called_without_an_application() -> None:
    response = await endpoint(fails)(Request(http_scope(query_string=b"status=x"), body()))
    assert response.status_code == 422
    route = Route("/", endpoint(fails))
    assert (await call(route, http_scope(query_string=b"status=404"))).status == 404


def test_a_refusal_that_cannot_be_explained_says_what_was_raised() -> None:
    problem = Refuser([], [], None)(Request(http_scope()), None, None, ValueError("odd"))
    assert problem.extensions["errors"] == [{"location": "request", "message": "odd", "kind": "invalid"}]


def test_other_answers_are_documented() -> None:
    plan = plan_of(endpoint(fails, responses={404: None, 409: User, 418: Answer(418, Any, description="tea")}))
    assert plan is not None
    assert [(answer.status, answer.type) for answer in plan.answers] == [(404, None), (409, User), (418, Any)]
