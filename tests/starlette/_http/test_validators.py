"""Entity tags, dates and the conditions on them."""

from __future__ import annotations

import datetime
import hashlib
from email.utils import formatdate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette._http.validators import http_date, none_match, parse_date, range_condition, stat_fields, unmodified_since

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 253402300799))
def test_dates_are_those_of_the_standard_library(seconds: int) -> None:
    assert http_date(seconds) == formatdate(seconds, usegmt=True)  # responses R42


def test_file_validators_use_whole_seconds_and_md5_of_time_and_size() -> None:
    assert stat_fields(784111777.9, 5) == (DATE, f'"{hashlib.md5(b"784111777.9-5").hexdigest()}"')  # responses R42


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        pytest.param('"v1"', True, id="R27-same"),
        pytest.param('W/"v1"', True, id="R27-weakness-is-ignored"),
        pytest.param('"123",\tW/"v1"', True, id="R27-any-of-a-list"),
        pytest.param(" * ", True, id="R27-star"),
        pytest.param('"*"', False, id="R27-quoted-star"),
        pytest.param('"foo,*,bar"', False, id="R27-star-inside-of-a-tag"),
        pytest.param('"x",*', False, id="R27-star-in-a-list"),
        pytest.param("v1", False, id="R27-unquoted"),
        pytest.param('w/"v1"', False, id="R27-lower-case-w"),
        pytest.param('W/W/"v1"', False, id="R27-one-prefix"),
        pytest.param("", False, id="empty"),
    ],
)
def test_none_match_compares_weakly(field: str, expected: bool) -> None:
    assert none_match(field, '"v1"') is expected


def test_none_match_knows_weak_tags_and_tags_with_commas() -> None:
    assert none_match('"v1"', 'W/"v1"')
    assert none_match('"v0", W/"a,b"', '"a,b"')
    assert not none_match('"a", "b"', '"a,b"')
    assert not none_match('w/"a,b"', '"a,b"')


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        pytest.param(DATE, True, id="R28-same"),
        pytest.param("Sun, 06 Nov 1994 08:49:38 GMT", True, id="R28-later"),
        pytest.param("Sun, 06 Nov 1994 08:49:36 GMT", False, id="R28-earlier"),
        pytest.param("Sunday, 06-Nov-94 08:49:37 GMT", True, id="R28-rfc-850"),
        pytest.param("Sun Nov  6 08:49:37 1994", True, id="R28-asctime"),
        pytest.param("Sun, 06 Nov 1995 08:49:37 +0500", False, id="D1-other-zone"),
        pytest.param("Sun, 66 Nov 1999 08:49:37 GMT", False, id="T01.6-no-such-day"),
        pytest.param("yesterday", False, id="R28-no-date"),
        pytest.param("", False, id="R28-empty"),
        pytest.param("Sun, 06 Nov 1999 " + "0" * 100_000, False, id="T01.6-too-long"),
    ],
)
def test_a_file_is_unmodified_since_a_date(field: str, expected: bool) -> None:
    assert unmodified_since(field, DATE) is expected


def test_equal_texts_that_are_no_dates_say_nothing() -> None:
    assert not unmodified_since("now", "now")


def test_dates_are_naive_and_in_gmt() -> None:
    assert parse_date(DATE) == datetime.datetime(1994, 11, 6, 8, 49, 37)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=70))
def test_conditions_accept_whatever_a_peer_sends(field: str) -> None:
    none_match(field, '"v1"')  # T01.6: must not raise
    none_match(field, '"v,1"')
    unmodified_since(field, DATE)


@pytest.mark.parametrize(
    ("field", "etag", "expected"),
    [
        pytest.param(b'"v1"', b'"v1"', True, id="R54-etag"),
        pytest.param(DATE.encode(), b'"v1"', True, id="R54-date"),
        pytest.param(b'W/"v1"', b'W/"v1"', False, id="R54-weak-never"),
        pytest.param(b"v1", b'"v1"', False, id="R54-unquoted"),
        pytest.param(b"", b"", False, id="R54-empty"),
        pytest.param(b"Sunday, 06-Nov-94 08:49:37 GMT", b'"v1"', False, id="R54-not-parsed"),
    ],
)
def test_if_range_compares_exactly(field: bytes, etag: bytes, expected: bool) -> None:
    assert range_condition(field, DATE.encode(), etag) is expected
