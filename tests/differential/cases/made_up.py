"""What hypothesis makes up: route tables and paths, addresses and fields, and forms in pieces.

It makes up the same in each run, so that a difference can be looked at by the name of its case. Left out is what
differs on purpose for whole classes of input: control characters, octets in queries that are not ASCII, blanks of
other scripts in cookies, and forms that end too early.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeVar

import hypothesis
from hypothesis import strategies as st

from tests.differential.case import Case, body, http, websocket
from tests.differential.cases.forms import END, MULTIPART, URLENCODED, form, part
from tests.differential.cases.routing import exchange

T = TypeVar("T")

# How many of each kind.
COUNT: Final = 150

_SEGMENT: Final = st.sampled_from(["a", "b", "ab", "1", "22", "1.5", "x-y", "a.b", "", "é", "%41"])
_PIECES: Final = ["a", "b", "{%s}", "{%s:int}", "{%s:float}", "{%s:path}", "x-{%s}", "{%s}.b", "a{%s:int}"]
_METHODS: Final = st.sampled_from([None, ["GET"], ["POST"], ["GET", "PUT"]])
_TEXT: Final = st.text("ab1/%.:;@é €-[]{}|^'<>+&=,!~", max_size=20)
_HOSTS: Final = st.text("ab1.:[]-/?@%", min_size=1, max_size=12) | st.sampled_from(["testserver", "a.b:81", "[::1]:9"])
_QUERIES: Final = st.text("ab1=&%+;C3A9 ", max_size=24).map(str.encode)
_COOKIES: Final = st.text(r'ab1=;" \,:%é$/', max_size=30)
_FIELD: Final = st.tuples(st.sampled_from(["x-a", "accept", "x-many"]), st.text("ab1 ,;é", max_size=8))


@st.composite
def _pattern(draw: st.DrawFn, prefix: str) -> str:
    pieces = draw(st.lists(st.sampled_from(_PIECES), min_size=1, max_size=3))
    named = [piece.replace("%s", f"{prefix}p{number}") for number, piece in enumerate(pieces)]
    return "/" + "/".join(named) + draw(st.sampled_from(["", "", "/"]))


@st.composite
def _table(draw: st.DrawFn, prefix: str = "k", depth: int = 1) -> list[Any]:
    rows: list[Any] = []
    for number in range(draw(st.integers(1, 5))):
        name = f"{prefix}{number}"
        kind = draw(st.sampled_from(["route", "route", "route", "ws", "raw", *["mount"] * depth]))
        path, options = draw(_pattern(name)), {"name": f"n{name}"}
        if kind == "mount":
            rows.append(
                [kind, draw(st.sampled_from([path.rstrip("/"), "", "/"])), draw(_table(name, depth - 1)), options]
            )
        else:
            rows.append([kind, path, {**options, "methods": draw(_METHODS)} if kind == "route" else options])
    return rows


@st.composite
def _routed(draw: st.DrawFn) -> tuple[list[Any], dict[str, Any], bool]:
    path = "/" + "/".join(draw(st.lists(_SEGMENT, min_size=1, max_size=4)))
    root = draw(st.sampled_from(["", "", "/a", "/a/b", "/x"]))
    if draw(st.integers(0, 6)) == 0:
        return draw(_table()), websocket(path, root_path=root), draw(st.booleans())
    method = draw(st.sampled_from(["GET", "GET", "POST", "HEAD", "OPTIONS"]))
    return draw(_table()), http(path, method, query=draw(_QUERIES), root_path=root), draw(st.booleans())


@st.composite
def _told(draw: st.DrawFn) -> dict[str, Any]:
    fields = [("host", draw(_HOSTS)), ("cookie", draw(_COOKIES)), *draw(st.lists(_FIELD, max_size=4))]
    server = draw(st.sampled_from([("srv", 80), ("srv", 8080), ("::1", 443), None]))
    scheme = draw(st.sampled_from(["http", "https"]))
    return http("/" + draw(_TEXT), headers=fields, query=draw(_QUERIES), server=server, scheme=scheme)


@st.composite
def _pieces(draw: st.DrawFn, content: bytes) -> tuple[bytes, ...]:
    cuts = sorted(draw(st.lists(st.integers(0, len(content)), max_size=6)))
    return tuple(content[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(content)], strict=True))


@st.composite
def _multipart(draw: st.DrawFn) -> tuple[bytes, ...]:
    parts = b""
    for _ in range(draw(st.integers(0, 5))):
        name = draw(st.text("ab é;'=%.", max_size=8)).encode().decode("latin-1")
        file = f'; filename="{name}.txt"' if draw(st.booleans()) else ""
        content = draw(st.binary(max_size=20) | st.text("\r\n-B", max_size=12).map(str.encode))
        parts += part(f'form-data; name="{name}"{file}', content, *draw(st.sampled_from([(), ("X-A: b",)])))
    return draw(_pieces(parts + END))


@st.composite
def _urlencoded(draw: st.DrawFn) -> tuple[bytes, ...]:
    return draw(_pieces(draw(st.text("ab=&+%41;éC3 \r\n", max_size=40)).encode()))


def cases() -> Iterator[Case]:
    """Yield the cases of this topic."""
    questions = ("url", "url parts", "base_url", "headers", "one header", "query", "query text", "cookies")
    for index, (rows, scope, bare) in enumerate(_examples(_routed())):
        yield _moved(exchange(f"route {index}", rows, scope, bare=bare))
    for index, scope in enumerate(_examples(_told())):
        yield Case(f"made_up/told {index}", "requests.told", scope, {"questions": questions}, body())
    for index, content in enumerate(_examples(_multipart())):
        yield _moved(form(f"multipart {index}", content, MULTIPART))
    for index, content in enumerate(_examples(_urlencoded())):
        yield _moved(form(f"urlencoded {index}", content, URLENCODED))


def _moved(case: Case) -> Case:
    """Return the case of another topic as one of this."""
    return Case("made_up/" + case.name.partition("/")[2], case.app, case.scope, case.options, case.messages)


def _examples(strategy: st.SearchStrategy[T]) -> list[T]:
    found: list[T] = []

    @hypothesis.settings(
        max_examples=COUNT,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
    @hypothesis.given(strategy)
    def gather(example: T) -> None:
        found.append(example)

    gather()
    return found
