"""Set-Cookie text: that of the standard library, with attributes that cannot add others."""

from __future__ import annotations

import datetime
import sys
import time
from http.cookies import CookieError, SimpleCookie
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette._http.cookies import cookie_parser
from starlette._http.set_cookie import quoted, set_cookie_text

NOON = 2116238400.0  # Fri, 22 Jan 2037 12:00:00 GMT


def text(key: str = "k", value: str = "v", **attributes: Any) -> str:
    plain: dict[str, Any] = {
        "max_age": None,
        "expires": None,
        "path": None,
        "domain": None,
        "secure": False,
        "httponly": False,
        "samesite": None,
        "partitioned": False,
    }
    return set_cookie_text(key, value, **{**plain, **attributes})


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: NOON)


@pytest.mark.usefixtures("noon")
@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        pytest.param({}, "k=v", id="nothing"),
        pytest.param({"path": "/", "samesite": "lax"}, "k=v; Path=/; SameSite=lax", id="R18-defaults"),
        pytest.param({"path": "", "domain": ""}, "k=v", id="R18-empty-is-left-out"),
        pytest.param({"samesite": "Strict"}, "k=v; SameSite=Strict", id="R21-as-written"),
        pytest.param({"max_age": 0}, "k=v; Max-Age=0", id="R19-zero"),
        pytest.param({"max_age": -5}, "k=v; Max-Age=-5", id="R19-negative"),
        pytest.param({"expires": 0}, "k=v; expires=Thu, 22 Jan 2037 12:00:00 GMT", id="R20-now"),
        pytest.param({"expires": -10}, "k=v; expires=Thu, 22 Jan 2037 11:59:50 GMT", id="R20-past"),
        pytest.param({"expires": "soon"}, "k=v; expires=soon", id="R20-text"),
        pytest.param({"expires": ""}, "k=v", id="R20-empty-text"),
        pytest.param(
            {"expires": datetime.datetime(2037, 1, 22, 12, 0, 10, tzinfo=datetime.UTC)},
            "k=v; expires=Thu, 22 Jan 2037 12:00:10 GMT",
            id="R20-datetime",
        ),
        pytest.param(
            {
                "max_age": 10,
                "expires": 10,
                "path": "/",
                "domain": "localhost",
                "secure": True,
                "httponly": True,
                "samesite": "none",
            },
            "k=v; Domain=localhost; expires=Thu, 22 Jan 2037 12:00:10 GMT; HttpOnly; Max-Age=10; Path=/;"
            " SameSite=none; Secure",
            id="R17-order",
        ),
    ],
)
def test_attributes_are_written_in_order(attributes: dict[str, Any], expected: str) -> None:
    assert text(**attributes) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("abc", "abc"),
        ("!#$%&'*+-.^_`|~:", "!#$%&'*+-.^_`|~:"),
        ("", '""'),
        ("a b", '"a b"'),
        ("a=b", '"a=b"'),
        ('"\\', '"\\"\\\\"'),
        ("é", '"\\351"'),
        ("a;b,c\n", '"a\\073b\\054c\\012"'),
    ],
)
def test_values_are_quoted(value: str, expected: str) -> None:  # T04.1
    assert quoted(value) == expected  # responses R23


@settings(deadline=None, max_examples=200)
@given(st.text(st.characters(max_codepoint=255)))
def test_values_are_written_as_the_standard_library_does_and_read_back(value: str) -> None:
    field = text("k", value)
    control = any(ord(character) < 32 or ord(character) == 127 for character in value)
    if not control:  # newer patch releases of Python refuse these instead of escaping them
        morsel = SimpleCookie({"k": value})
        assert morsel.output(header="").strip() == field
    assert cookie_parser(field) == {"k": value}  # T04.4


@pytest.mark.parametrize("key", ["", "k k", "a=b", "a;b", "é", "k\n", '"k"'])
def test_a_name_is_a_token(key: str) -> None:
    with pytest.raises(CookieError, match="Illegal key"):
        text(key)  # R23, T04.1


def test_a_name_is_not_that_of_an_attribute() -> None:
    with pytest.raises(CookieError, match="reserved"):
        text("Path")


@pytest.mark.parametrize("bad", ["\r", "\n", "\0", ";"])
@pytest.mark.parametrize("attribute", ["path", "domain", "expires", "max_age"])
def test_an_attribute_cannot_add_others(attribute: str, bad: str) -> None:
    with pytest.raises(ValueError, match=f"{attribute} of a cookie"):
        text(**{attribute: f"a{bad}b"})  # T04.2


def test_samesite_is_one_of_three_words() -> None:
    with pytest.raises(AssertionError, match="samesite must be either 'strict', 'lax' or 'none'"):
        text(samesite="other")  # R21, T04.3


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="is refused before 3.14 only")
def test_partitioned_needs_a_new_python() -> None:
    with pytest.raises(ValueError, match=r"only supported in Python 3\.14 and above"):
        text(partitioned=True)  # R22


@pytest.mark.parametrize("zone", [None, datetime.timezone(datetime.timedelta(hours=1))])
def test_a_datetime_is_in_utc(zone: datetime.timezone | None) -> None:
    with pytest.raises(ValueError, match="usegmt option requires a UTC datetime"):
        text(expires=datetime.datetime(2037, 1, 1, tzinfo=zone))  # R20
