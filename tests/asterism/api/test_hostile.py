"""Whatever a client sends is answered, below 500 and soon: properties, and the shapes that attackers choose."""

from __future__ import annotations

import asyncio
import datetime
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any

import annotated_types
import msgspec
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asterism.api import Cookie, File, Form, Header, Query, endpoint
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.routing import Route
from tests.asgi import Record, body, call, http_scope


class Leaf(msgspec.Struct):
    number: Annotated[int, msgspec.Meta(ge=0)]
    text: str | None = None


class Node(msgspec.Struct):
    leaves: list[Leaf] = []
    children: dict[str, Node] = {}


@dataclass
class Bounded:
    number: Annotated[int, annotated_types.Ge(3)] | str = 3
    price: Annotated[Decimal, annotated_types.Ge(0), annotated_types.MultipleOf(0.5)] | None = None
    at: Annotated[datetime.datetime, annotated_types.Lt(datetime.datetime(2030, 1, 1))] | None = None
    children: dict[Annotated[str, annotated_types.MaxLen(3)], Bounded] = field(default_factory=dict)


class Hashing(msgspec.Struct):
    number: set[Any] = set()
    text: Any = None
    price: frozenset[Decimal] = frozenset()
    children: dict[str, frozenset[tuple[Any, ...]]] = {}


class Model(pydantic.BaseModel):
    number: int
    children: list[Model] = []


async def look(
    id: int,
    size: Annotated[float, Query(ge=0)] = 0,
    tag: Sequence[int] = (),
    flag: bool = False,
    x_count: Annotated[int | None, Header()] = None,
    session: Annotated[int, Cookie()] = 0,
    rate: frozenset[Decimal] = frozenset(),
    price: Annotated[Decimal, Query(gt=0, multiple_of=0.25)] = Decimal(1),
    day: Annotated[datetime.date, annotated_types.Ge(datetime.date(2020, 1, 1))] | None = None,
    at: Annotated[datetime.datetime | None, annotated_types.Lt(datetime.datetime(2030, 1, 1))] = None,
) -> Any:
    return [id, size, tag, flag, x_count, session, price, day, at]


async def create(node: Node) -> Node:
    return node


async def create_bounded(bounded: Bounded) -> Bounded:
    return bounded


async def create_model(model: Model) -> Model:
    return model


async def create_hashing(hashing: Hashing) -> int:
    return len(hashing.number)


async def fill(
    number: Annotated[int, Form()], file: UploadFile | None = None, raw: Annotated[bytes, File()] = b""
) -> Any:
    return number


APP = Starlette(
    routes=[
        Route("/look/{id}", endpoint(look, exact_query=True)),
        Route("/create", endpoint(create, accepts=["json", "msgpack"]), methods=["POST"]),
        Route("/bounded", endpoint(create_bounded, accepts=["json", "msgpack"]), methods=["POST"]),
        Route("/hashing", endpoint(create_hashing, accepts=["json", "msgpack"]), methods=["POST"]),
        Route("/model", endpoint(create_model, accepts=["json", "msgpack"]), methods=["POST"]),
        Route("/fill", endpoint(fill), methods=["POST"]),
    ]
)


def ask(path: str, data: bytes = b"", **keys: Any) -> Record:
    scope = http_scope(path, "POST" if path != "/look" and not path.startswith("/look/") else "GET", **keys)
    return asyncio.run(call(APP, scope, body(data)))


def check(sent: Record) -> None:
    """A success, or a problem that says why not."""
    if sent.status != 200:
        assert sent.status in {307, 400, 404, 413, 415, 422}
        if sent.status not in {307, 404}:  # of the router: a segment may have a slash
            problem = json.loads(sent.body)
            assert sent.header("content-type") == "application/problem+json"
            assert problem["status"] == sent.status
            assert sent.status != 422 or problem["errors"]
            assert len(sent.body) < 20_000


TEXT = st.text(max_size=20)
VALUE = TEXT | st.sampled_from(["NaN", "sNaN", "-Infinity", "1e999999999", "0.3", "2026-01-31", "2026-01-31T12:00:00Z"])
NAMES = st.sampled_from(["id", "size", "tag", "flag", "x", "price", "day", "at", "rate"])
QUERIES = st.one_of(
    st.binary(max_size=60),
    st.lists(st.tuples(NAMES, VALUE), max_size=6).map(
        lambda pairs: "&".join(f"{name}={value}" for name, value in pairs).encode("utf-8", "replace")
    ),
)
NUMBERS = st.one_of(st.integers(), st.floats(), st.sampled_from(["1e999", "9" * 5000, "-0", "null", "NaN", "1_0"]))
KEYS = st.sampled_from(["leaves", "children", "number", "text", "price", "at", "a"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(QUERIES, TEXT, NUMBERS, st.binary(max_size=20))
@settings(max_examples=100, deadline=None)
def test_any_query_path_header_and_cookie(query: bytes, segment: str, number: Any, cookie: bytes) -> None:
    headers = [(b"x-count", str(number).encode()), (b"cookie", b"session=" + cookie)]
    check(ask(f"/look/{segment}", query_string=query, headers=headers))


@pytest.mark.parametrize("path", ["/create", "/model", "/bounded", "/hashing", "/fill"])
@pytest.mark.parametrize(
    "content_type",
    [
        b"application/json",
        b"application/msgpack",
        b"application/x-www-form-urlencoded",
        b"multipart/form-data; boundary=x",
    ],
)
@given(st.binary(max_size=80))
@settings(max_examples=40, deadline=None)
def test_any_bytes_as_a_body(path: str, content_type: bytes, data: bytes) -> None:
    check(ask(path, data, headers=[(b"content-type", content_type)]))


@pytest.mark.parametrize("path", ["/create", "/model", "/bounded", "/hashing"])
@given(VALUES)
@settings(max_examples=100, deadline=None)
def test_any_value_as_a_body(path: str, value: Any) -> None:
    for content_type, data in (
        (b"application/json", json.dumps(value).encode()),
        (b"application/msgpack", msgspec.msgpack.encode(_small(value))),
    ):
        check(ask(path, data, headers=[(b"content-type", content_type)]))


def _small(value: Any) -> Any:
    """Return a value with the integers that MessagePack has."""
    if isinstance(value, int):
        return value % 2**60
    if isinstance(value, list):
        return [_small(item) for item in value]
    return {key: _small(item) for key, item in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("path", ["/create", "/model", "/bounded", "/hashing"])
@given(VALUES, VALUES, st.booleans())
@settings(max_examples=100, deadline=None)
def test_any_key_of_messagepack(path: str, key: Any, value: Any, inside: bool) -> None:
    encode = msgspec.msgpack.encode
    data = b"\x81" + encode(_small(key)) + encode(_small(value))
    if inside:
        data = b"\x81" + encode("children") + data
    check(ask(path, data, headers=[(b"content-type", b"application/msgpack")]))


@given(st.binary(max_size=30))
@settings(max_examples=40, deadline=None)
def test_any_content_type(content_type: bytes) -> None:
    check(ask("/create", b"{}", headers=[(b"content-type", content_type)]))


SHAPES = {
    "deep-lists": b"[" * 200_000,
    "deep-objects": b'{"children":{"a":' * 40_000,
    "deep-and-complete": b'{"children":{"a":' * 900 + b'{"leaves":3}' + b"}}" * 900,
    "many-mistakes": b'{"leaves":[' + b",".join([b"{}"] * 200_000) + b"]}",
    "many-unknown-fields": b"{" + b",".join(b'"%d":1' % number for number in range(80_000)) + b"}",
    "a-huge-number": b'{"leaves":[{"number":' + b"9" * 900_000 + b"}]}",
    "a-huge-exponent": b'{"leaves":[{"number":1e' + b"9" * 900_000 + b"}]}",
    "a-huge-text": b'{"leaves":"' + b"x" * 900_000 + b'"}',
    "a-huge-key": b'{"children":{"' + b"x" * 900_000 + b'":3}}',
    "the-same-key": b"{" + b",".join([b'"leaves":3'] * 80_000) + b"}",
}


@pytest.mark.parametrize("path", ["/create", "/model", "/bounded", "/hashing"])
@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_that_attackers_choose(shape: str, path: str) -> None:
    began = time.process_time()
    check(ask(path, SHAPES[shape], headers=[(b"content-type", b"application/json")]))
    assert time.process_time() - began < 5


def test_many_query_parameters() -> None:
    began = time.process_time()
    query = b"&".join([b"tag=x"] * 10_000 + [b"y%d=1" % number for number in range(10_000)])
    check(ask("/look/1", query_string=query))
    assert time.process_time() - began < 5
