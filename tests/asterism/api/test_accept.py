"""Choosing by `Accept` (RFC 9110 §12.5.1)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asterism.api._accept import choose

OFFERED = ("application/json", "application/msgpack", "text/event-stream")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        pytest.param("", 0, id="nothing-said"),
        pytest.param(" ", 0, id="nothing-but-blanks"),
        pytest.param("*/*", 0, id="anything"),
        pytest.param("application/msgpack", 1, id="one"),
        pytest.param("APPLICATION/Msgpack", 1, id="without-case"),
        pytest.param("text/*", 2, id="a-kind"),
        pytest.param("text/html", None, id="none-fits"),
        pytest.param("application/json;q=0", None, id="refused"),
        pytest.param("application/json;q=0, */*", 1, id="all-but-one"),
        pytest.param("*/*;q=0.1, application/json;q=0.01", 1, id="the-more-specific-range-counts"),
        pytest.param("application/*;q=0.2, application/msgpack;q=0.3", 1, id="weights"),
        pytest.param("application/msgpack;q=0.5, application/json;q=0.5", 0, id="ours-when-equal"),
        pytest.param("application/msgpack; Q=1.000 , application/json ;q=0.999", 1, id="blanks-and-digits"),
        pytest.param("application/json;q=2, application/msgpack;q=0.1", 1, id="no-such-weight"),
        pytest.param("application/json;q=0.1234", None, id="too-many-digits"),
        pytest.param("application/json;q=0.x", None, id="no-number"),
        pytest.param("application/json;q=1.5, application/msgpack", 0, id="more-than-all"),
        pytest.param("application/json;q", None, id="empty-weight"),
        pytest.param("application/json;version=1", 0, id="other-parameters-are-ignored"),
        pytest.param(",, application/msgpack,", 1, id="empty-parts"),
        pytest.param("application/json;q=0.1, application/json", 0, id="twice"),
    ],
)
def test_choose(accept: str, expected: int | None) -> None:
    assert choose(accept, OFFERED) == expected


@given(st.text(alphabet="aplicton/json*;q=0.123, \t\x00é", max_size=60))
@settings(max_examples=200, deadline=None)
def test_choose_accepts_whatever_a_client_sends(accept: str) -> None:
    assert choose(accept, OFFERED) in {None, 0, 1, 2}
