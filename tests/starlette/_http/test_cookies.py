"""Reading cookies: requests R30 to R36, threats T16 and T25."""

from __future__ import annotations

from collections.abc import Callable
from http.cookies import _unquote as stdlib_unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette._http.cookies import cookie_parser, unquote
from tests.growth import per_doubling


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        pytest.param("", {}, id="R31-nothing"),
        pytest.param("chips=ahoy; vienna=finger", {"chips": "ahoy", "vienna": "finger"}, id="R34-two"),
        pytest.param("abc=def; unnamed; x=en", {"abc": "def", "": "unnamed", "x": "en"}, id="R32-no-equals"),
        pytest.param("foo", {"": "foo"}, id="R32-only-a-value"),
        pytest.param(
            r'keebler="E=mc2; L=\"Loves\"; fudge=\012;"',
            {"keebler": '"E=mc2', "L": r"\"Loves\"", "fudge": r"\012", "": '"'},
            id="R34-semicolons-split-inside-quotes",
        ),
        pytest.param("keebler=E=mc2", {"keebler": "E=mc2"}, id="R34-first-equals"),
        pytest.param("key:term=value:term", {"key:term": "value:term"}, id="R34-colon"),
        pytest.param("a=b; c=[; d=r; f=h", {"a": "b", "c": "[", "d": "r", "f": "h"}, id="R34-bracket"),
        pytest.param("a=b; Domain=example.com", {"a": "b", "Domain": "example.com"}, id="R34-attributes-are-cookies"),
        pytest.param("a=b; h=i; a=c", {"a": "c", "h": "i"}, id="R34-last-wins"),
        pytest.param('a=b; "; c=d', {"a": "b", "": '"', "c": "d"}, id="R34-lonely-quote"),
        pytest.param("a b c=d e = f; gh=i", {"a b c": "d e = f", "gh": "i"}, id="R34-blanks-inside"),
        pytest.param(
            'a   b,c<>@:/[]?{}=d  "  =e,f g', {"a   b,c<>@:/[]?{}": 'd  "  =e,f g'}, id="R34-odd-characters-of-names"
        ),
        pytest.param("  =  b  ;  ;  =  ;   c  =  ;  ", {"": "b", "c": ""}, id="R34-empty-pieces"),
        pytest.param("a=1, b=2", {"a": "1, b=2"}, id="R34-comma"),
        pytest.param('a="x y"', {"a": "x y"}, id="R33-quoted"),
        pytest.param('a=""', {"a": ""}, id="R33-empty-quotes"),
        pytest.param('a="', {"a": '"'}, id="R33-one-quote"),
        pytest.param(r'a="x\054y\"z"', {"a": 'x,y"z'}, id="R33-escapes"),
        pytest.param('a="x', {"a": '"x'}, id="R33-open-quote"),
        pytest.param('a=x"y"', {"a": 'x"y"'}, id="R33-quotes-later"),
        pytest.param("a=%20", {"a": "%20"}, id="R33-percent-stays"),
        pytest.param(
            'a=1; data={"k": [1, 2], "t": "x: y"}; b="2"; c=3',
            {"a": "1", "data": '{"k": [1, 2], "t": "x: y"}', "b": "2", "c": "3"},
            id="R35-json",
        ),
        pytest.param("=__Host-x=v", {"": "__Host-x=v"}, id="T16.3-empty-name"),
        pytest.param("\xa0__Host-x=v", {"\xa0__Host-x": "v"}, id="T16.2-nbsp-is-no-blank"),
        pytest.param("\x85__Host-x=v\x85", {"\x85__Host-x": "v\x85"}, id="T16.2-nel-is-no-blank"),
        pytest.param("\ta\t=\tb\t", {"a": "b"}, id="T16.2-tabs-are-blanks"),
    ],
)
def test_cookies_are_read_as_browsers_send_them(field: str, expected: dict[str, str]) -> None:  # T16.1
    assert cookie_parser(field) == expected


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_no_octets_raise(field: bytes) -> None:
    # R36, T16.3
    cookies = cookie_parser(field.decode("latin-1"))
    assert all(";" not in name and "=" not in name for name in cookies)


@given(st.text(alphabet='"\\0123457ax \n;', max_size=40))
@settings(max_examples=200, deadline=None)
def test_unquoting_is_that_of_the_standard_library(value: str) -> None:
    # R31, R33
    assert unquote(value) == stdlib_unquote(value)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda n: "; ".join(f"k{i}=v" for i in range(n)), id="T25-cookies"),
        pytest.param(lambda n: 'a="' + "\\" * n + '"', id="T25-backslashes"),
        pytest.param(lambda n: 'a="' + "\\101" * n + '"', id="T25-octal-escapes"),
        pytest.param(lambda n: ";" * n, id="T25-semicolons"),
        pytest.param(lambda n: " " * n + "a" + " " * n, id="T25-blanks"),
    ],
)
def test_time_grows_linearly(make: Callable[[int], str]) -> None:
    assert per_doubling(lambda n: cookie_parser(make(n)), 4_000) < 3.2
