"""Requests to endpoints that are validated by their signature."""

from __future__ import annotations

import functools
import json
import math
import re
from fractions import Fraction
from typing import Annotated, Any, Final

import msgspec

from asterism.api import Query, endpoint
from starlette.datastructures import QueryParams
from starlette.requests import Request
from tests.asgi import Record, body, http_scope
from tests.fuzz.inputs import agree, chunked, dialled, require
from tests.starlette.forms import run

# What a naive reader makes of a body that is none, and of one that it cannot judge: readers may differ there.
_BROKEN: Final = object()
_UNKNOWN: Final = object()

# A number of JSON that is short enough to be the same in every reader.
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,9})(?:\.[0-9]{1,5})?(?:[eE][+-]?[0-5])?", re.ASCII)
# Half of a surrogate pair, say; a number beyond a float; what no two readers read alike.
_DISPUTED: Final = re.compile(rb"\\u[dD]|[0-9]{17}|[eE][+-]?[0-9]{3}")


class Entry(msgspec.Struct, forbid_unknown_fields=True):
    number: Annotated[int, msgspec.Meta(ge=0)]
    text: str | None = None
    tags: frozenset[Any] = frozenset()
    children: dict[str, Entry] = {}


@functools.cache
def _endpoint() -> Any:
    async def take(entry: Entry, size: Annotated[int, Query(ge=0)] = 0, tag: tuple[str, ...] = ()) -> Any:
        return [entry.number, entry.text, len(entry.tags), sorted(entry.children), size, tag]

    return endpoint(take, accepts=["json", "msgpack"])


def typed(data: bytes) -> None:
    """A request to a typed endpoint: settings, a line for the query string, the body. What is valid by a naive reading
    is taken as it is; all else is a problem that says where.
    """
    dial, rest = dialled(data)
    kind = ("json", "msgpack")[dial.number(1)]
    query, _, content = rest.partition(b"\n")
    scope = http_scope("/", "POST", headers=[(b"content-type", f"application/{kind}".encode())], query_string=query)
    sent = Record()
    response = run(_endpoint()(Request(scope, body(*chunked(content, dial.rest())))))
    run(response(scope, body(), sent))
    if sent.status != 200:
        _check_problem(sent, content)
    entry = (_json if kind == "json" else _msgpack)(content)
    if entry is _UNKNOWN:
        return
    if entry is _BROKEN:
        agree(sent.status, 422 if not content else 400, content)
        return
    params = QueryParams(query)
    size, told = _size(params.get("size", "0")), _told(entry)
    if sent.status == 200:
        *about_entry, sent_size, tags = json.loads(sent.body)
        agree(about_entry, told, content)
        require(size in (_UNKNOWN, sent_size), query)
        agree(tags, params.getlist("tag"), query)
    elif told is not None and size not in (None, _UNKNOWN):
        # A key that comes twice shows in the length, as the shortest form of what was read is shorter.
        doubled = kind == "msgpack" and len(msgspec.msgpack.encode(entry)) != len(content)
        require(doubled, (sent.status, query, content))


def _check_problem(sent: Record, content: bytes) -> None:
    problem = json.loads(sent.body)
    agree((sent.header("content-type"), problem["status"]), ("application/problem+json", sent.status), content)
    require(sent.status in {400, 422}, sent.messages)
    if sent.status == 422:
        require(problem["errors"], sent.body)
        for error in problem["errors"]:
            require(re.match(r"(?:body|query\.size)(?![a-z])", error["location"]), sent.body)
            require(error["message"] and error["kind"], sent.body)


def _json(content: bytes) -> Any:
    """Read JSON with the standard library; what it takes beyond RFC 8259 is broken."""
    if content.count(b"[") + content.count(b"{") > 100 or _DISPUTED.search(content):
        return _UNKNOWN
    try:
        return json.loads(content.decode(), parse_constant=_refuse, object_pairs_hook=_unique)
    except KeyError:
        return _UNKNOWN
    except ValueError:
        return _BROKEN


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the pairs as a dict; KeyError for a name that comes twice, where the last does not count for everyone."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise KeyError
    return found


def _msgpack(content: bytes) -> Any:
    """Read MessagePack as plain values; a key that no dict can have makes it an entry that does not fit."""
    try:
        return _with_tuples(msgspec.msgpack.decode(content))
    except RecursionError:
        return _UNKNOWN
    except msgspec.ValidationError:  # a time that is none
        return None
    except (TypeError, ValueError, msgspec.DecodeError) as exc:
        return None if "hashable" in str(exc) else _BROKEN


def _with_tuples(value: Any) -> Any:
    """Return a value with tuples in place of lists, as arrays of MessagePack are read where a hash is needed."""
    if isinstance(value, dict):
        return {key: _with_tuples(item) for key, item in value.items()}
    return tuple(map(_with_tuples, value)) if isinstance(value, list) else value


def _size(text: str) -> Any:
    """Return the integer that a text is in a query, None if it is not a valid one."""
    if _NUMBER.fullmatch(text) is None:
        return _UNKNOWN if text[:1] in "-0123456789" and len(text) > 1 else None
    number = Fraction(text)
    return int(number) if number.denominator == 1 and number >= 0 else None


def _told(value: Any) -> list[Any] | None:
    """Check an entry by hand, and return what the endpoint tells of it; None for one that is not valid."""
    if not isinstance(value, dict) or not value.keys() <= {"number", "text", "tags", "children"}:
        return None
    number, text, children = value.get("number"), value.get("text"), value.get("children", {})
    tags = _tags(value.get("tags", ()))
    if type(number) is not int or number < 0 or not isinstance(text, str | None) or tags is None:
        return None
    if not isinstance(children, dict) or not all(isinstance(name, str) for name in children):
        return None
    return None if None in map(_told, children.values()) else [number, text, len(tags), sorted(children)]


def _tags(value: Any) -> frozenset[Any] | None:
    try:
        return frozenset(map(_hashed, value)) if isinstance(value, list | tuple) else None
    except TypeError:
        return None


def _hashed(value: Any) -> Any:
    """Return what a value is in a set, where each NaN is another one; TypeError for what has no hash."""
    if isinstance(value, float) and math.isnan(value):
        return object()
    if isinstance(value, tuple):
        return tuple(map(_hashed, value))
    hash(value)
    return value
