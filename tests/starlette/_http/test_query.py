"""Query strings (datastructures R55, threats T10.1)."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette._http.query import parse_query


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", [], id="empty"),
        pytest.param("a=123&abc&b=456", [("a", "123"), ("abc", ""), ("b", "456")], id="R55-blank"),
        pytest.param("&&a=1&", [("a", "1")], id="R55-empty-pieces"),
        pytest.param("=&=x", [("", ""), ("", "x")], id="R55-empty-name"),
        pytest.param("a=1=2", [("a", "1=2")], id="first-equals-sign"),
        pytest.param("a=1;b=2", [("a", "1;b=2")], id="T10.1-semicolon-is-data"),
        pytest.param("?a=1", [("?a", "1")], id="R55-question-mark"),
        pytest.param("a+b=c%20d", [("a b", "c d")], id="R55-blanks"),
        pytest.param("a=%2B+", [("a", "+ ")], id="plus-before-escapes"),
        pytest.param("a=%E4%B8%AD", [("a", "中")], id="R55-utf-8"),
        pytest.param("a=%ff%E4", [("a", "��")], id="R55-bad-utf-8"),
        pytest.param("a=%zz%4", [("a", "%zz%4")], id="T10.1-bad-escapes"),
        pytest.param("é=ü%C3%A9", [("é", "üé")], id="outside-of-ascii-stays"),
        pytest.param("%26=%3D", [("&", "=")], id="escaped-separators"),
    ],
)
def test_parse_query(text: str, expected: list[tuple[str, str]]) -> None:
    assert parse_query(text) == expected


@settings(deadline=None, max_examples=200)
@given(st.one_of(st.binary(max_size=40), st.text("ab=&+%;éE4", max_size=30).map(lambda text: text.encode("latin-1"))))
def test_any_octets_give_the_pairs_of_the_standard_library(query: bytes) -> None:
    # R55, T10.1
    text = query.decode("latin-1")
    assert parse_query(text) == parse_qsl(text, keep_blank_values=True)


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=40))
def test_any_text_gives_the_pairs_of_the_standard_library(text: str) -> None:
    try:
        expected = parse_qsl(text, keep_blank_values=True)
    except UnicodeEncodeError:  # Lone surrogates cannot come from octets.
        return
    assert parse_query(text) == expected
