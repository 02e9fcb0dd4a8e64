"""Values of the path, the query, headers and cookies: where they come from and what they become."""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional, TypedDict

import annotated_types
import attrs
import msgspec
import pytest

from asterism.api import Cookie, Header, Path, Query, endpoint
from asterism.dependencies import DependencyError, Depends
from starlette.applications import Starlette
from starlette.background import BackgroundTasks
from starlette.datastructures import State
from starlette.requests import HTTPConnection, Request
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from tests.asterism.api.support import client, errors


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


Number = NewType("Number", int)


class Level(enum.IntEnum):
    LOW = 1


class Filters(msgspec.Struct):
    """All of a query, or of headers, or of cookies."""

    size: Annotated[int, msgspec.Meta(le=9)] = 3
    tag: list[str] = []
    word: str | None = None


class Exact(msgspec.Struct, forbid_unknown_fields=True, rename="kebab"):
    """A query without anything else."""

    first_name: str


@dataclass
class Place:
    x: int
    y: int = 0


class Span(TypedDict, total=False):
    begin: int
    end: int


@attrs.define
class Pair:
    left: int


class Point(NamedTuple):
    x: int


async def of_path(id: int, name: str = "-") -> Any:
    return [id, name]


async def of_marked_path(number: Annotated[int, Path(alias="id", ge=1)]) -> Any:
    return number


async def of_query(
    q: str, limit: Annotated[int, Query(ge=1, le=100)] = 10, tag: Sequence[str] = (), flag: bool | None = None
) -> Any:
    return [q, limit, tag, flag]


async def of_headers(
    user_agent: Annotated[str, Header()],
    count: Annotated[int, Header(alias="X-Count")] = 0,
    accept: Annotated[Sequence[str], Header()] = (),
) -> Any:
    return [user_agent, count, accept]


async def of_cookies(
    session: Annotated[str, Cookie()], visits: Annotated[Sequence[int], Cookie(alias="n")] = ()
) -> Any:
    return [session, visits]


async def of_filters(filters: Annotated[Filters, Query()]) -> Any:
    return filters


async def of_exact(exact: Annotated[Exact, Query()]) -> Any:
    return exact


async def of_header_filters(filters: Annotated[Filters, Header()]) -> Any:
    return filters


async def of_place(place: Annotated[Place, Query()], more: int = 1) -> Any:
    return [place.x, place.y, more]


async def of_span(span: Annotated[Span, Query()]) -> Any:
    return span


async def of_pair(pair: Annotated[Pair, Query()]) -> Any:
    return pair


def test_a_parameter_of_the_path_comes_from_the_path_and_cannot_be_replaced_by_the_query() -> None:
    asked = client(of_path, "/items/{id}")
    assert asked.get("/items/7?name=x&id=8").json() == [7, "x"]
    assert asked.get("/items/7").json() == [7, "-"]
    assert errors(asked.get("/items/x?id=8")) == [("path.id", "must be an integer", "type")]
    assert errors(client(of_path).get("/")) == [("query.id", "is required", "missing")]
    assert client(of_path).get("/?id=8").json() == [8, "-"]


def test_a_converted_path_parameter_stays_what_it_is() -> None:
    assert client(of_path, "/{id:int}/{name:path}").get("/7/a/b").json() == [7, "a/b"]


def test_a_marked_path_parameter_is_never_looked_for_in_the_query() -> None:
    asked = client(of_marked_path, "/{id}")
    assert asked.get("/3").json() == 3
    assert errors(asked.get("/0?id=3")) == [("path.id", "must be an integer of at least 1", "range")]


def test_parameters_of_an_outer_mount_can_be_asked_for() -> None:
    async def tenants(tenant: str, id: int, tags: Sequence[str] = ()) -> Any:
        return [tenant, id, tags]

    app = Starlette(routes=[Mount("/{tenant}", routes=[Route("/{id}", endpoint(tenants))])])
    assert TestClient(app).get("/acme/4?tags=a").json() == ["acme", 4, ["a"]]
    assert TestClient(app).get("/acme/4").json() == ["acme", 4, []]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("q=a", ["a", 10, [], None], id="defaults"),
        pytest.param("q=a&limit=5&tag=x&tag=y&flag=true", ["a", 5, ["x", "y"], True], id="all"),
        pytest.param("q=a&q=b&limit=5&limit=6", ["b", 6, [], None], id="the-last-of-several"),
        pytest.param("q=&other=1", ["", 10, [], None], id="others-are-ignored"),
        pytest.param("q=a%20b+c&tag=%C3%A9", ["a b c", 10, ["é"], None], id="escapes"),
        pytest.param("q=a&flag=null", ["a", 10, [], None], id="null-for-none"),
    ],
)
def test_query_parameters(query: str, expected: list[Any]) -> None:
    assert client(of_query).get("/?" + query).json() == expected


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert errors(client(of_query).get("/?limit=500&flag=maybe")) == [
        ("query.q", "is required", "missing"),
        ("query.flag", "must be true or false", "type"),
        ("query.limit", "must be an integer of at most 100", "range"),
    ]


def test_headers() -> None:
    asked = client(of_headers)
    headers = [("user-agent", "a"), ("user-agent", "b"), ("x-count", "3"), ("accept", "*/*"), ("accept", "x/y")]
    assert asked.get("/", headers=headers).json() == ["a", 3, ["*/*", "x/y"]]
    assert errors(asked.get("/", headers={"x-count": "many"})) == [("header.x-count", "must be an integer", "type")]


def test_cookies() -> None:
    asked = client(of_cookies)
    assert asked.get("/", headers={"cookie": "session=a; n=3"}).json() == ["a", [3]]
    assert errors(asked.get("/", headers={"cookie": "n=x"})) == [
        ("cookie.session", "is required", "missing"),
        ("cookie.n[0]", "must be an integer", "type"),
    ]


@pytest.mark.parametrize(
    ("function", "query", "expected"),
    [
        pytest.param(of_filters, "size=4&tag=a&tag=b", {"size": 4, "tag": ["a", "b"], "word": None}, id="struct"),
        pytest.param(of_exact, "first-name=a", {"first-name": "a"}, id="names-as-declared"),
        pytest.param(of_place, "x=1&more=2", [1, 0, 2], id="dataclass-beside-others"),
        pytest.param(of_span, "begin=1", {"begin": 1}, id="typed-dict"),
        pytest.param(of_pair, "left=1", {"left": 1}, id="attrs"),
    ],
)
def test_a_model_takes_the_whole_query(function: Callable[..., Any], query: str, expected: Any) -> None:
    assert client(function).get("/?" + query).json() == expected


def test_errors_of_a_model_of_the_query() -> None:
    assert errors(client(of_filters).get("/?size=10")) == [("query.size", "must be an integer of at most 9", "range")]
    assert errors(client(of_exact).get("/?last-name=a")) == [
        ("query.first-name", "is required", "missing"),
        ("query.last-name", "is not known", "unknown"),
    ]


def test_a_model_takes_headers() -> None:
    headers = [("word", "a"), ("tag", "b"), ("tag", "c")]
    found = client(of_header_filters).get("/", headers=headers).json()
    assert found == {"size": 3, "tag": ["b", "c"], "word": "a"}


class Fields(TypedDict, total=False):
    x_token: int
    Accept: Sequence[str]


async def of_fields(fields: Annotated[Fields, Header()]) -> Any:
    return fields


def test_fields_of_a_model_of_headers_are_spelled_as_headers_are() -> None:
    asked = client(of_fields)
    assert asked.get("/", headers={"x-token": "3", "accept": "*/*"}).json() == {"x_token": 3, "Accept": ["*/*"]}
    assert errors(asked.get("/", headers={"x-token": "x"})) == [("header.x-token", "must be an integer", "type")]


def test_an_exact_query_has_nothing_that_is_not_declared() -> None:
    asked = client(of_path, "/{id}", exact_query=True)
    assert asked.get("/1?name=a").json() == [1, "a"]
    assert errors(asked.get("/1?nmae=a&id=2")) == [
        ("query.nmae", "is not known", "unknown"),
        ("query.id", "is not known", "unknown"),
    ]
    both = client(of_query, exact_query=True)
    assert both.get("/?q=a&limit=4&tag=b").json() == ["a", 4, ["b"], None]
    assert errors(both.get("/?q=a&limit=4&page=3")) == [("query.page", "is not known", "unknown")]


async def of_filters_and_more(filters: Annotated[Filters, Query()], page: int = 0) -> Any:
    return [filters, page]


async def of_nothing() -> Any:
    return "nothing"


def test_an_exact_query_has_one_value_where_one_is_declared() -> None:
    asked = client(of_filters_and_more, exact_query=True)
    found = asked.get("/?size=4&tag=a&tag=b&page=2").json()
    assert found == [{"size": 4, "tag": ["a", "b"], "word": None}, 2]
    assert errors(asked.get("/?size=4&size=5&page=x&page=y&sise=3")) == [
        ("query.page", "must be an integer", "type"),
        ("query.size", "is there more than once", "duplicate"),
        ("query.page", "is there more than once", "duplicate"),
        ("query.sise", "is not known", "unknown"),
    ]
    assert client(of_nothing, exact_query=True).get("/").json() == "nothing"
    assert errors(client(of_nothing, exact_query=True).get("/?a=1")) == [("query.a", "is not known", "unknown")]


TYPES: list[Any] = [
    (int, "7", 7),
    (int, "-7", -7),
    (float, "1.5", 1.5),
    (str, "1", "1"),
    (bool, "0", False),
    (Colour, "blue", "blue"),
    (Level, "1", 1),
    (Literal["a", "b"], "b", "b"),
    (Literal[1, 2], "2", 2),
    (int | str, "x", "x"),
    (Optional[int], "3", 3),  # noqa: UP045  # the older form
    (datetime.date, "2026-01-31", "2026-01-31"),
    (datetime.datetime, "2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
    (datetime.time, "12:00:00", "12:00:00"),
    (datetime.timedelta, "PT90S", "PT90S"),
    (uuid.UUID, "12345678123456781234567812345678", "12345678-1234-5678-1234-567812345678"),
    (decimal.Decimal, "1.10", "1.10"),
    (set[int], "3", [3]),
    (frozenset[int] | None, "3", [3]),
    (tuple[int, ...], "3", [3]),
    (Sequence[int], "3", [3]),
    (Any, "3", "3"),
    (Number, "3", 3),
    (Annotated[int | None, Query(ge=1, title="Size")], "null", None),
    (Annotated[decimal.Decimal | None, Query(ge=0, multiple_of=0.5)], "1.5", "1.5"),
]


def echo_of(kind: Any) -> Callable[..., Any]:
    """Return an endpoint that takes one value of a type and gives it back."""

    async def echo(value: Any) -> Any:
        return value

    echo.__annotations__["value"] = kind
    return echo


@pytest.mark.parametrize(("kind", "text", "expected"), TYPES)
def test_types(kind: Any, text: str, expected: Any) -> None:
    assert client(echo_of(kind)).get("/", params={"value": text}).json() == expected


WRONG: list[Any] = [
    (int, "1.5", "must be an integer", "type"),
    (int, "", "must be an integer", "type"),
    (int, "１", "must be an integer", "type"),
    (int, "9" * 5000, "is too large a number", "range"),
    (float, "1e999", "is too large a number", "range"),
    (Colour, "green", "must be 'red' or 'blue'", "value"),
    (Literal["a"] | None, "b", "must be 'a'", "value"),
    (Literal["a", "b", "c"], "x", "must be 'a', 'b' or 'c'", "value"),
    (Literal[tuple("abcdefghijklm")], "x", "is none of the allowed values", "value"),
    (Literal["a"] | int, "b", "is none of the allowed values", "value"),
    (Annotated[int | None, Query(ge=1)], "0", "must be an integer of at least 1", "range"),
    (Annotated[int | float | None, Query(gt=1)], "0.5", "must be a number greater than 1", "range"),
    (Annotated[str | None, Query(min_length=2)], "a", "must have at least 2 characters", "length"),
    (Annotated[str | None, msgspec.Meta(pattern="^a$", title="A")], "b", "must match '^a$'", "pattern"),
    (Annotated[list[int] | None, Query(min_length=2)], "1", "must have at least 2 items", "length"),
    (Annotated[decimal.Decimal, Query(gt=0)], "0", "must be a decimal number greater than 0", "range"),
    (Annotated[decimal.Decimal | None, Query(le=1.5)], "2", "must be a decimal number of at most 1.5", "range"),
    (Annotated[decimal.Decimal, Query(ge=0)], "NaN", "must be a decimal number of at least 0", "range"),
    (Annotated[decimal.Decimal, Query(multiple_of=0.25)], "1e999999999", "must be a multiple of 0.25", "range"),
    (Annotated[decimal.Decimal, Query(multiple_of=0.25)], "0.3", "must be a multiple of 0.25", "range"),
    (
        Annotated[datetime.date, annotated_types.Ge(datetime.date(2026, 1, 1))],
        "2025-12-31",
        "must be a date of at least 2026-01-01",
        "range",
    ),
    (
        Annotated[datetime.datetime, annotated_types.Lt(datetime.datetime(2026, 1, 1))],
        "2026-01-01T12:00:00Z",
        "must have no time zone",
        "format",
    ),
    (
        Annotated[datetime.datetime, annotated_types.Lt(datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))],
        "2026-01-01T12:00:00",
        "must have a time zone",
        "format",
    ),
    (int | float, "x", "must be an integer or a number", "type"),
    (datetime.date, "31.1.2026", "must be a date, such as 2026-01-31", "format"),
    (datetime.datetime, "now", "must be a date and time, such as 2026-01-31T12:00:00Z", "format"),
    (datetime.time, "noon", "must be a time, such as 12:00:00", "format"),
    (datetime.timedelta, "long", "must be a duration, such as P1DT2H", "format"),
    (uuid.UUID, "1", "must be a UUID", "format"),
    (decimal.Decimal, "much", "must be a decimal number", "format"),
    (bytes, "*", "must be base64", "format"),
    (Annotated[int, msgspec.Meta(gt=3)], "3", "must be an integer of at least 4", "range"),
    (Annotated[int, Query(lt=3)], "3", "must be an integer of at most 2", "range"),
    (Annotated[int, annotated_types.Ge(3)], "2", "must be an integer of at least 3", "range"),
    (Annotated[int, annotated_types.Interval(gt=3, le=5)], "6", "must be an integer of at most 5", "range"),
    (Annotated[float, Query(gt=0)], "0", "must be a number greater than 0", "range"),
    (Annotated[float, Query(lt=1)], "1", "must be a number less than 1", "range"),
    (Annotated[float, Query(ge=0.5)], "0", "must be a number of at least 0.5", "range"),
    (Annotated[int, Query(multiple_of=5)], "6", "must be a multiple of 5", "range"),
    (Annotated[str, Query(min_length=2)], "a", "must have at least 2 characters", "length"),
    (Annotated[str, annotated_types.Len(0, 2)], "abc", "must have at most 2 characters", "length"),
    (Annotated[str, Query(pattern="^[a-z]+$")], "A", "must match '^[a-z]+$'", "pattern"),
    (Annotated[list[int], Query(min_length=2)], "1", "must have at least 2 items", "length"),
    (Annotated[list[int], Query(max_length=0)], "1", "must have at most 0 items", "length"),
    (tuple[int, int], "1", "must have 2 items", "length"),
]


@pytest.mark.parametrize(("kind", "text", "message", "sort"), WRONG)
def test_wrong_values_are_explained(kind: Any, text: str, message: str, sort: str) -> None:
    response = client(echo_of(kind)).get("/", params={"value": text})
    assert errors(response) == [("query.value", message, sort)]


def test_constraints_inside_of_a_list() -> None:
    kind = list[Annotated[int, annotated_types.Ge(3)] | None]
    assert client(echo_of(kind)).get("/?value=3&value=null").json() == [3, None]
    assert errors(client(echo_of(kind)).get("/?value=5&value=1")) == [
        ("query.value[1]", "must be an integer of at least 3", "range")
    ]


async def of_objects(
    request: Request,
    connection: HTTPConnection,
    state: State,
    tasks: BackgroundTasks,
    more: Annotated[str, Depends(str)],
) -> Any:
    return [request.method, connection.url.path, state.colour, len(tasks.tasks), more]


def test_objects_are_given_by_their_type() -> None:
    asked = client(of_objects)

    class Colouring:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("state", {})["colour"] = "red"
            await self.app(scope, receive, send)

    assert TestClient(Colouring(asked.app)).get("/").json() == ["GET", "/", "red", 0, ""]


async def page(size: int = 20, page: Annotated[int, Query(ge=0)] = 0) -> list[int]:
    return [size, page]


async def of_dependency(window: Annotated[list[int], Depends(page)], size: str = "-") -> Any:
    return [window, size]


def test_parameters_of_dependencies_come_from_the_request_too() -> None:
    asked = client(of_dependency)
    assert asked.get("/?page=2&size=5").json() == [[5, 2], "5"]
    assert errors(asked.get("/?page=-1&size=x")) == [
        ("query.size", "must be an integer", "type"),
        ("query.page", "must be an integer of at least 0", "range"),
    ]


def test_defaults_of_every_type() -> None:
    async def echo(level: Level = Level.LOW, many: Sequence[int] = (1, 2)) -> Any:
        return [level, many]

    assert client(echo).get("/").json() == [1, [1, 2]]


class Unknown:
    """No client can send one."""


@pytest.mark.parametrize("kind", [Unknown, list[Unknown], Unknown | None, dict[str, Unknown], tuple[int, Unknown]])
def test_a_type_that_no_client_can_send_is_refused(kind: Any) -> None:
    with pytest.raises(DependencyError, match=r"no client can send a Unknown, and it has no Depends\(\) \(.*echo\)"):
        endpoint(echo_of(kind))


@pytest.mark.parametrize(
    "kind",
    [
        Annotated[str, msgspec.Meta(ge=3)],
        Annotated[str | list[int], Query(ge=3)],
        Annotated[int | None, Query(pattern="a")],
        Annotated[datetime.date, Query(multiple_of=2)],
        Annotated[decimal.Decimal, Query(max_length=2)],
    ],
)
def test_a_type_that_cannot_be_checked_is_refused(kind: Any) -> None:
    with pytest.raises(DependencyError, match="has a type that cannot be checked"):
        endpoint(echo_of(kind))


async def unmarked(value: Annotated[str, Query(pattern="(")]) -> Any: ...


async def marked_twice(value: Annotated[int, Query(), Header]) -> Any: ...


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (unmarked, "has a type that cannot be checked: missing \\)"),
        (marked_twice, r"value: int is marked with Query\(\) and Header\(\), and comes from one place"),
    ],
)
def test_marks_that_make_no_sense_are_refused(function: Any, message: str) -> None:
    with pytest.raises(DependencyError, match=message):
        endpoint(function)


async def of_bare_mark(x_count: Annotated[int, Header]) -> Any:
    return x_count


def test_a_mark_needs_no_parentheses() -> None:
    assert client(of_bare_mark).get("/", headers={"x-count": "3"}).json() == 3


async def annotated_by_a_mark(limit: Query(ge=1) = 3) -> Any: ...  # type: ignore[valid-type]  # the mistake


async def mark_as_a_default(limit: int = Query(ge=1)) -> Any: ...  # type: ignore[assignment]  # the mistake


async def dependency_as_a_default(limit: int = Depends(of_path)) -> Any: ...  # type: ignore[assignment]  # the mistake


@pytest.mark.parametrize("function", [annotated_by_a_mark, mark_as_a_default, dependency_as_a_default])
def test_a_mark_in_the_wrong_place_is_refused(function: Any) -> None:
    with pytest.raises(DependencyError, match=r"of the parameter limit is not seen there: write limit: Annotated\["):
        endpoint(function)


def test_a_blocking_function_is_an_endpoint_too() -> None:
    def blocking(id: int) -> Any:
        return id

    assert client(blocking, "/{id}").get("/3").json() == 3
