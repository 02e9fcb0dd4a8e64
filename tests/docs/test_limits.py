"""The defaults that docs/limits.md tells are those of the code."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, Final

import anyio.to_thread
import pytest

from starlette._asgi import held, transitions
from starlette._graphql.limits import GraphQLLimits
from starlette._http import multipart
from starlette.applications import Starlette
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.middleware import gzip
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Mount, Route, Router
from tests.docs.pages import ROOT
from tests.starlette.forms import multipart_headers, run, stream

PAGE: Final = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
ROWS: Final = re.findall(r"^\| ([^|]+) \| ([^|]+) \| (none|\d+) \| [^|]+ \|$", PAGE, re.MULTILINE)
CONSTRUCTORS: Final[dict[str, Callable[..., Any]]] = {
    "request.form": Request.form,
    "GZipMiddleware": GZipMiddleware,
    "SessionMiddleware": SessionMiddleware,
    "CORSMiddleware": CORSMiddleware,
    "GraphQLLimits": GraphQLLimits,
}
ATTRIBUTES: Final = {"MultiPartParser": MultiPartParser, "FileResponse": FileResponse}


def longest_boundary() -> int:
    """Return the length of the longest boundary that is not refused."""

    def refused(length: int) -> bool:
        body = b"--" + b"B" * length + b"--\r\n"
        headers = multipart_headers(f"multipart/form-data; boundary={'B' * length}")
        try:
            run(MultiPartParser(headers, stream(body)).parse())
        except MultiPartException:
            return True
        return False

    return next(length for length in range(1, 1000) if refused(length + 1))


FIXED: Final[dict[str, Callable[[], object]]] = {
    "header fields of a part": lambda: multipart._MOST_FIELDS,
    "bytes of a header field of a part": lambda: multipart._LONGEST_FIELD,
    "bytes of a boundary": longest_boundary,
    "bytes of a body that polling keeps": lambda: held.HELD_LIMIT,
    "compressions at a time": lambda: gzip._THREADS,
    "bytes of a close reason of a WebSocket": lambda: transitions._REASON_BYTES,
}


def default(function: Callable[..., Any], name: str) -> object:
    return inspect.signature(function).parameters[name].default


def actual(what: str, where: str) -> object:
    """Return the default that the code has."""
    if where == "fixed":
        return FIXED[what]()
    if option := re.fullmatch(r"`([\w.]+)\((\w+)=\)`", where):
        return default(CONSTRUCTORS[option[1]], option[2])
    if attribute := re.fullmatch(r"`(\w+)\.(\w+)`", where):
        return getattr(ATTRIBUTES[attribute[1]], attribute[2])
    (common,) = {default(kind, "max_body_size") for kind in (Starlette, Router, Mount, Route)}
    return "none" if common is None else common


@pytest.mark.parametrize(("what", "where", "told"), ROWS, ids=[row[0] for row in ROWS])
def test_a_limit_has_the_default_that_is_told(what: str, where: str, told: str) -> None:
    assert str(actual(what, where)) == told


def test_every_limit_of_a_form_and_of_graphql_is_told() -> None:
    limits = {f"request.form({name}=)" for name in inspect.signature(Request.form).parameters if name != "self"}
    limits |= {f"GraphQLLimits({name}=)" for name in inspect.signature(GraphQLLimits).parameters}
    assert limits <= {where.strip("`") for _, where, _ in ROWS}
    assert set(FIXED) == {what for what, where, _ in ROWS if where == "fixed"}


@pytest.mark.parametrize("name", ["max_fields", "max_part_size"])
def test_parsers_have_the_limits_of_requests(name: str) -> None:
    assert default(FormParser, name) == default(MultiPartParser, name) == default(Request.form, name)


@pytest.mark.anyio
async def test_threads_are_as_many_as_is_told() -> None:
    assert anyio.to_thread.current_default_thread_limiter().total_tokens == 40
