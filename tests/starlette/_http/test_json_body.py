"""JSON bodies: compact, strict, and the same with and without the C encoder."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette._http import json_body as module
from starlette._http.json_body import json_body

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text('aé"\\\n♥'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=100)
@given(VALUES)
def test_bodies_are_read_back_and_equal_in_both_ways(value: Any) -> None:
    try:
        body = json_body(value)
    except UnicodeEncodeError:  # a lone surrogate as a key
        return
    assert json.loads(body) == value
    assert body == module._encoded(value)


def test_bodies_are_compact_in_order_and_not_escaped() -> None:
    assert json_body({"b": [1, "é"], "a": None}) == '{"b":[1,"é"],"a":null}'.encode()  # responses R26


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [-float("inf")]])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="Out of range float values are not JSON compliant"):
        json_body(value)  # T11


def test_lone_surrogates_cycles_and_objects_are_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        json_body("\ud800")  # T11
    with pytest.raises(TypeError, match="not JSON serializable"):
        json_body(object())
    cycle: list[Any] = []
    cycle.append(cycle)
    with pytest.raises(ValueError, match="Circular reference"):
        json_body(cycle)
