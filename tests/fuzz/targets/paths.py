"""Paths: templates against their patterns, routers against a linear scan, files of a directory (T01, T13, T14, T24)."""

from __future__ import annotations

import atexit
import errno
import functools
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from starlette._routing.building import fill
from starlette._routing.index import RouteIndex
from starlette._routing.matching import convert_all
from starlette._routing.templates import (
    PLACEHOLDER,
    Template,
    compile_template,
    is_ambiguous,
    match_linear,
    read_tokens,
)
from starlette.convertors import CONVERTOR_TYPES
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Mount, NoMatchFound, Route, Router
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send
from tests.asgi import Record, Script, http_scope
from tests.fuzz.inputs import agree, decoded, require, text_lines
from tests.starlette.forms import run

# The reference is `re`, which backtracks: short texts and few parameters keep it fast.
_LONGEST: Final = 60
_MOST_PARAMETERS: Final = 4


# Templates


def templates(data: bytes) -> None:
    """A path or host template: compiled, matched as its pattern matches, filled in again to a path that it matches."""
    first, *lines = text_lines(data)
    try:
        regex, text, convertors = compile_template(first, CONVERTOR_TYPES)
    except (AssertionError, ValueError) as exc:
        placeholders = PLACEHOLDER.findall(first)
        names = [name for name, _ in placeholders]
        unknown = [kind for _, kind in placeholders if kind and kind[1:] not in CONVERTOR_TYPES]
        require(unknown if isinstance(exc, AssertionError) else len(set(names)) < len(names), (first, exc))
        return
    tokens = read_tokens(regex.pattern, regex.flags & ~re.UNICODE)
    require(tokens is not None, ("its own pattern cannot be read", first, regex.pattern))
    is_host = not first.startswith("/")
    for line in lines:
        line = line[:_LONGEST]
        if is_host:
            # A host that is not ASCII is malformed, and matches nothing.
            line = line.encode("ascii", "ignore").decode()
        if len(convertors) > _MOST_PARAMETERS or (is_host and not first.isascii()):
            continue
        found = regex.fullmatch(line)
        expected = None if found is None else found.groupdict()
        agree(Template(regex).match(line), expected, (first, line))
        agree(match_linear(tokens or (), line, is_host), expected, (first, line))
        if expected is not None and not is_host and not is_ambiguous(tokens or ()):
            _fill_again(regex, text, convertors, expected)
    if not is_host:
        _reverse(first, lines)


def _fill_again(regex: re.Pattern[str], text: str, convertors: dict[str, Any], found: dict[str, str]) -> None:
    """A path made of the values of a path has the same values, or ones that are written the same."""
    values = convert_all(found, convertors)
    if values is None:
        return
    path = fill(text, convertors, dict(values))
    again = regex.fullmatch(path)
    require(again is not None, (regex.pattern, values, path))
    converted = convert_all(again.groupdict() if again else {}, convertors)
    agree(fill(text, convertors, dict(converted or {})), path, (regex.pattern, values))


def _reverse(path: str, values: list[str]) -> None:
    """`url_for` refuses a value, or gives a URL whose path the route matches; it never leaves the host (T24)."""
    route = Route(path, _NAMED, name="n")
    names = list(route.param_convertors)
    given = dict(zip(names, values, strict=False))
    try:
        built = route.url_path_for("n", **given)
    except (NoMatchFound, AssertionError, ValueError, OverflowError):
        return
    require(not built.startswith("//") and "\\" not in built, (path, given, built))
    url = HTTPConnection({**http_scope(), "router": Router([route])}).url_for("n", **given)
    agree((url.scheme, url.netloc, url.query, url.fragment), ("http", "testserver", "", ""), (path, given, str(url)))
    agree(tuple(urlsplit(str(url))), tuple(url.components), (path, given))
    # COMPAT: what a `path` or `uuid` is written from is not looked at (routing R5).
    checked = not {"PathConvertor", "UUIDConvertor"} & {type(kind).__name__ for kind in route.param_convertors.values()}
    if checked and not is_ambiguous(read_tokens(route.path_regex.pattern) or ()):
        filled = fill(route.path_format, route.param_convertors, dict(given))
        require(route.path_regex.fullmatch(filled), (path, given, filled))


# Routers


@dataclass(frozen=True)
class _Named:
    """An endpoint that says its name, and what it sees."""

    name: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        seen = scope["path_params"], scope.get("root_path", "")
        await send({"type": "http.response.start", "status": 200, "headers": [], "by": self.name, "seen": seen})
        await send({"type": "http.response.body"})


_NAMED: Final = _Named("n")

_KIND: Final = re.compile("(GET|POST|ANY|MOUNT) (/.*)", re.DOTALL)


@dataclass
class _Entry:
    order: int
    kind: str
    path: str
    template: Template | None


def routers(data: bytes) -> None:
    """A router: lines such as `GET /a/{b:int}`, an empty line, then paths. The index leaves nothing out, and the choice
    is that of asking every route in order (T13.1).
    """
    table, _, asked = data.partition(b"\n\n")
    entries: list[_Entry] = []
    for line in text_lines(table)[:30]:
        match = _KIND.fullmatch(line)
        if match is None or len(PLACEHOLDER.findall(match[2])) >= _MOST_PARAMETERS:
            continue
        path = match[2].rstrip("/") + "/{path:path}" if match[1] == "MOUNT" else match[2]
        try:
            pattern = compile_template(path, CONVERTOR_TYPES)[0]
        except (AssertionError, ValueError):
            continue
        entries.append(_Entry(len(entries), match[1], match[2], Template(pattern)))
    router = Router([_route(entry) for entry in entries])
    index = RouteIndex(entries)
    for _ in range(2):  # the first time routes are scanned, then they are indexed
        for line in text_lines(asked)[:10]:
            path = f"/{line[:_LONGEST].lstrip('/')}" if line[:2] != "//" else line[:_LONGEST]
            candidates = index.candidates(path)
            agree([entry.order for entry in candidates], sorted(entry.order for entry in candidates), path)
            for entry in entries:
                require(entry in candidates or _values(entry, path) is None, ("left out", entry.path, path))
            for method in ("GET", "POST"):
                agree(_served(router, method, path), naive_choice(entries, method, path), (data, method, path))


def _route(entry: _Entry) -> BaseRoute:
    endpoint = _Named(str(entry.order))
    if entry.kind == "MOUNT":
        return Mount(entry.path, app=endpoint)
    return Route(entry.path, endpoint, methods=None if entry.kind == "ANY" else [entry.kind])


def _values(entry: _Entry, path: str) -> dict[str, Any] | None:
    """Match with `re` alone, and convert."""
    regex, _, convertors = compile_template(_full_path(entry), CONVERTOR_TYPES)
    found = regex.fullmatch(path)
    return None if found is None else convert_all(found.groupdict(), convertors)


def _full_path(entry: _Entry) -> str:
    return entry.path.rstrip("/") + "/{path:path}" if entry.kind == "MOUNT" else entry.path


def naive_choice(entries: list[_Entry], method: str, path: str) -> object:
    """Choose by threats T13.1: the first full match, else 405, else a slash redirect, else 404."""
    partial = False
    for entry in entries:
        values = _values(entry, path)
        if values is None:
            continue
        if entry.kind in ("ANY", "MOUNT") or entry.kind == method:
            rest = values.pop("path", "") if entry.kind == "MOUNT" else ""
            root = path[: len(path) - len(rest) - 1] if entry.kind == "MOUNT" else ""
            return str(entry.order), values, root
        partial = True
    if partial:
        return 405
    other = path.rstrip("/") if path.endswith("/") else f"{path}/"
    redirects = path != "/" and any(_values(entry, other) is not None for entry in entries)
    return 307 if redirects else 404


def _served(router: Router, method: str, path: str) -> object:
    sent = Record()
    run(router(http_scope(path, method), Script(), sent))
    start = sent.messages[0]
    return (start["by"], *start["seen"]) if "by" in start else start["status"]


# Files


@functools.cache
def _directory() -> Path:
    """Make a directory to serve, with secrets around it and links that lead there."""
    top = Path(tempfile.mkdtemp(prefix="fuzz-")).resolve()
    atexit.register(shutil.rmtree, top, ignore_errors=True)
    root = top / "public"
    for folder in ("a/b", "é", "..."):
        (root / folder).mkdir(parents=True)
    (top / "public-secret").mkdir()
    for name in ("x.txt", "a/index.html", "a/b/c.txt", "é/ü.txt", "con", "a%2Fb", ".../x"):
        (root / name).write_text("served")
    for name in ("secret.txt", "public-secret/secret.txt"):
        (top / name).write_text("secret")
    for name, leads_to in {"out": top, "file": top / "secret.txt", "in": root / "a", "loop": root / "loop"}.items():
        (root / name).symlink_to(leads_to)
    os.mkfifo(root / "pipe")
    return root


@functools.cache
def _files() -> StaticFiles:
    return StaticFiles(directory=_directory())


def static_files(data: bytes) -> None:
    """A path below a directory: a regular file is found just where the system's own resolution stays inside (T01)."""
    root = os.fspath(_directory())
    files = _files()
    for line in data.split(b"\n")[:4]:
        path = decoded(line)
        relative = files.get_path(http_scope(path))
        try:
            found = files._star_find(relative, True)
        except (ValueError, OSError) as exc:
            # Each of these is answered with 404: no file can have such a name.
            require(isinstance(exc, ValueError) or exc.errno == errno.ENAMETOOLONG, exc)
            full, content = "", None
        else:
            full, content = found.path, found.content
        agree((full, content), _naive_lookup(root, relative), path)


def _naive_lookup(root: str, relative: str) -> tuple[str, bytes | None]:
    if "\0" in relative or relative.startswith(("/", "\\")):
        return "", None
    full = os.path.realpath(os.path.join(root, relative))
    try:
        served = full.startswith(f"{root}{os.sep}") and os.path.isfile(full)
    except ValueError:
        served = False
    return (full, b"served") if served else ("", None)
