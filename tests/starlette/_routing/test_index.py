"""The index hands out every route that could match, in order; and the table knows when its index no longer holds."""

from __future__ import annotations

import copy
import re
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette._routing.index import RouteIndex
from starlette._routing.route_list import RouteList
from starlette._routing.table import EDITS, RouteTable
from starlette._routing.templates import Template, compile_template
from starlette.convertors import CONVERTOR_TYPES


class Entry(NamedTuple):
    order: int
    path: str
    template: Template | None
    kind: str = "http"


def entries(*paths: str) -> list[Entry]:
    return [Entry(at, path, Template(compile_template(path, CONVERTOR_TYPES)[0])) for at, path in enumerate(paths)]


def found(index: RouteIndex[Entry], path: str) -> list[str]:
    return [entry.path for entry in index.candidates(path)]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("/me", ["/me", "/{name}"], id="static-first"),
        pytest.param("/you", ["/{name}"], id="parameter"),
        pytest.param("/me/", ["/me/{rest:path}"], id="open-needs-its-slash"),
        pytest.param("/me/a/b", ["/me/{rest:path}"], id="open"),
        pytest.param("/v1", ["/{name}", "/v{number:int}"], id="head-of-a-segment"),
        pytest.param("/a/b/c/d/e", ["/{all}/b/c/d/e"], id="deepest"),
        pytest.param("/a/b/c/d/e/f", [], id="deeper-than-any"),
        pytest.param("", [], id="empty"),
        pytest.param("me", [], id="without-slash"),
    ],
)
def test_candidates_of_a_path(path: str, expected: list[str]) -> None:
    table = entries("/me", "/{name}", "/me/{rest:path}", "/v{number:int}", "/{all}/b/c/d/e", "/never/{x}")
    assert found(RouteIndex(table), path) == expected


def test_the_static_answer_keeps_the_order_of_the_list() -> None:
    assert found(RouteIndex(entries("/{name}", "/me", "/m{rest}")), "/me") == ["/{name}", "/me", "/m{rest}"]


def test_what_cannot_be_read_is_a_candidate_for_every_path() -> None:
    table = [
        Entry(0, "custom", Template(re.compile("^/(?P<x>[a-c]+)$"))),
        Entry(1, "any", None),
        Entry(2, "/a", Template(re.compile("^/a$"))),
    ]
    assert found(RouteIndex(table), "/a") == ["custom", "any", "/a"]
    assert found(RouteIndex(table), "/elsewhere") == ["custom", "any"]


def test_an_open_segment_with_a_head_is_found_under_its_parent() -> None:
    assert found(RouteIndex(entries("/x/files{rest:path}")), "/x/files/a/b") == ["/x/files{rest:path}"]


segments = st.sampled_from(["", "a", "b", "{x}", "{y:int}", "{z:float}", "a{x}", "{x}.a", "{p:path}", "a{p:path}", "1"])
texts = st.lists(st.sampled_from(["", "a", "b", "1", "1.5", "ab", "b.a", "aa"]), max_size=5)


@given(
    tables=st.lists(st.lists(segments, max_size=4).map(lambda parts: "/" + "/".join(parts)), max_size=12),
    paths=st.lists(texts.map(lambda parts: "/" + "/".join(parts)), min_size=1, max_size=12),
)
@settings(max_examples=300, deadline=None)
def test_no_route_that_matches_is_ever_left_out(tables: list[str], paths: list[str]) -> None:
    table: list[Entry] = []
    for path in tables:
        try:
            table += [entry._replace(order=len(table)) for entry in entries(path)]
        except ValueError:  # a name stands twice in it
            continue
    index = RouteIndex(table)
    for path in [*paths, *tables]:
        candidates = index.candidates(path)
        assert [entry.order for entry in candidates] == sorted(entry.order for entry in candidates)
        missed = [entry for entry in table if entry not in candidates]
        assert not [entry for entry in missed if entry.template is not None and entry.template.match(path) is not None]


def plan(order: int, route: Any) -> Entry:
    return entries(route)[0]._replace(order=order)


def table_of(routes: list[str]) -> tuple[RouteTable[Entry], list[str]]:
    return RouteTable(), routes


@pytest.mark.parametrize("kind", [RouteList, list])
def test_a_list_is_indexed_at_once_and_scanned_once_after_a_change(kind: type[list[str]]) -> None:
    table, routes = table_of(kind(["/a", "/b"]))
    index = table.refresh(routes, plan)
    assert index is not None
    assert found(index, "/b") == ["/b"]
    assert table.refresh(routes, plan) is index
    routes.append("/c")
    assert table.refresh(routes, plan) is None
    assert table.refresh(routes, plan) is not None


@pytest.mark.parametrize("kind", [RouteList, list])
@pytest.mark.parametrize("change", ["append", "reverse", "replace", "swap"])
def test_a_changed_list_is_never_answered_from_an_old_index(kind: type[list[str]], change: str) -> None:
    table, routes = table_of(kind(["/a", "/b"]))
    table.refresh(routes, plan)
    table.refresh(routes, plan)
    match change:
        case "append":
            routes.append("/c")
        case "reverse":
            routes.reverse()
        case "swap":
            routes[0] = "/c"
        case _:
            routes = kind(["/c"])
    assert table.refresh(routes, plan) is None
    index = table.refresh(routes, plan)
    assert index is not None
    assert [entry.path for path in ("/a", "/b", "/c") for entry in index.candidates(path)] == sorted(routes)


def test_an_edited_route_makes_the_index_anew() -> None:
    table, routes = table_of(RouteList(["/a"]))
    table.refresh(routes, plan)
    table.refresh(routes, plan)
    EDITS.count += 1
    assert table.refresh(routes, plan) is None
    assert table.refresh(routes, plan) is not None


def test_copies_begin_without_an_index() -> None:
    table, routes = table_of(RouteList(["/a"]))
    table.refresh(routes, plan)
    assert table.refresh(routes, plan) is not None
    assert copy.deepcopy(table).index is None
