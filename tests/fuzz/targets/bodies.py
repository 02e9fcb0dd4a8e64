"""Session cookies, JSON, and requests to GraphQL (T08, T11)."""

from __future__ import annotations

import base64
import functools
import json
import time
from typing import Any, Final

from itsdangerous import BadSignature, TimestampSigner

from starlette._graphql.limits import GraphQLLimits
from starlette._http.json_text import dump_compact, dump_strict, load_text
from starlette._http.session_cookie import Seal, dump_session, load_session
from starlette.graphql import GraphQLApp
from starlette.middleware.sessions import SessionMiddleware
from starlette.types import Receive, Scope, Send
from tests.asgi import Record, body, http_scope
from tests.fuzz.inputs import agree, chunked, dialled, require
from tests.starlette.forms import run

_KEY: Final = "secret"
_MAX_AGE: Final = 1000

# What a session is signed with is looked at only by its own signature, so that one time does for all.
_NOW: Final = int(time.time())


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    pass


_SESSIONS: Final = SessionMiddleware(_nothing, _KEY, max_age=_MAX_AGE)
_SIGNER: Final = TimestampSigner(_KEY)


def sessions(data: bytes) -> None:
    """Session cookies: junk is an empty session, what the key signed is read as the library reads it, and nothing that
    was tampered with is anything else (T08).
    """
    dial, rest = dialled(data)
    place, bit = dial.number(255), dial.number(7)
    _load(rest.replace(b";", b""))
    signed = _SIGNER.sign(rest)
    agree(Seal(_KEY.encode()).verify(signed, int(time.time()), _MAX_AGE), rest, rest)
    if b";" not in signed and not rest.startswith((b" ", b"\t", b'"')):
        _load(signed)
    _tamper(signed, place, bit, rest)
    session = naive_session(rest)
    agree(load_session(rest), session, rest)
    parsed = _json(rest.decode("latin-1"))
    if isinstance(parsed, dict):
        payload = dump_session(parsed)
        agree(base64.b64decode(payload), json.dumps(parsed).encode(), parsed)
        agree(repr(load_session(payload)), repr(parsed), parsed)


def _load(cookie: bytes) -> None:
    """The middleware's session is what the signer, base64 and JSON make of the cookie."""
    scope = http_scope(headers=[(b"cookie", b"session=" + cookie)])
    value = cookie.strip(b" \t")
    loaded = _SESSIONS._asterism_load(scope)
    if value.startswith(b'"'):
        return  # quoted: the value is another one
    try:
        payload = _SIGNER.unsign(value.decode("latin-1").encode(), max_age=_MAX_AGE)
    except BadSignature:
        agree(loaded, None, cookie)
    else:
        agree(repr(loaded), repr(naive_session(payload)), cookie)


def _tamper(signed: bytes, place: int, bit: int, payload: bytes) -> None:
    """With one bit changed, a signed value is refused, or means the same (base64 has several spellings)."""
    changed = bytearray(signed)
    changed[place % len(changed)] ^= 1 << bit
    found = _SESSIONS._asterism_unsign(bytes(changed))
    require(found in (None, payload), (signed, changed))


def naive_session(payload: bytes) -> dict[str, Any] | None:
    """Decode a payload with the standard library alone."""
    try:
        found = json.loads(base64.b64decode(payload).decode())
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


# JSON


def json_text(data: bytes) -> None:
    """JSON: the shortcuts read and write what the `json` module reads and writes, errors included (T11)."""
    text = data.decode("utf-8", "replace")
    value = _json(text)
    agree(repr(_loaded(text)), repr(value), text)
    if isinstance(value, Exception):
        return
    compact: dict[str, Any] = {"separators": (",", ":"), "ensure_ascii": False}
    agree(dump_compact(value), json.dumps(value, **compact), value)
    try:
        strict: object = dump_strict(value)
    except ValueError:
        strict = ValueError
    try:
        expected: object = json.dumps(value, allow_nan=False, **compact)
    except ValueError:
        expected = ValueError
    agree(strict, expected, value)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as exc:
        return exc


def _loaded(text: str) -> Any:
    try:
        return load_text(text)
    except (ValueError, RecursionError) as exc:
        return exc


# GraphQL

_TYPES: Final = (
    "application/json",
    "application/graphql",
    "multipart/form-data; boundary=B",
    "application/x-www-form-urlencoded",
    "text/plain; application/json",
)
_ACCEPTS: Final = (b"*/*", b"application/graphql-response+json", b"text/html")
_STATUSES: Final = frozenset({200, 400, 403, 404, 405, 413, 415})


@functools.cache
def _graphql() -> GraphQLApp:
    from graphql import build_schema

    schema = build_schema("type Query { me(a: Int, b: [String!]): String } type Mutation { put(x: ID!): Int }")
    return GraphQLApp(schema, uploads=True, limits=GraphQLLimits(batch=3, body=2000, files=2), executor=True)


def graphql(data: bytes) -> None:
    """A request to GraphQL: settings, a line for the query string, the body. The status is a deliberate one, and an
    answer in JSON is a response map.
    """
    dial, rest = dialled(data)
    method = ("POST", "GET", "PUT")[dial.number(2)]
    kind, accept = _TYPES[dial.number(4)], _ACCEPTS[dial.number(2)]
    query, _, content = rest.partition(b"\n")
    fields = [(b"host", b"h"), (b"content-type", kind.encode()), (b"accept", accept)]
    if dial.number(1):
        fields.append((b"origin", b"http://evil"))
    scope = http_scope("/", method, headers=fields, query_string=query)
    sent = Record()
    run(_graphql()(scope, body(*chunked(content, dial.rest())), sent))
    require(sent.status in _STATUSES, sent.messages)
    if "json" in (sent.header("content-type") or ""):
        answer = json.loads(sent.body)
        for entry in answer if isinstance(answer, list) else [answer]:
            require(isinstance(entry, dict) and ({"data", "errors"} & set(entry)), sent.body)
    else:
        require(sent.status != 200 or accept == b"text/html", sent.messages)
