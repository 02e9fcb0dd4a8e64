"""`starlette._http.json_text`: what it gives is what `json` gives."""

from __future__ import annotations

import json
import json.encoder
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette._http.json_text import dump_compact, dump_strict, load_text, writer_of

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_values_are_written_as_json_writes_them(value: Any) -> None:
    text = dump_compact(value)
    assert text == json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    assert repr(load_text(text)) == repr(json.loads(text))


@settings(max_examples=200, deadline=None)
@given(st.text('{}[]",:0 1e.-+ntrue\\u\n\x00é', max_size=12))
def test_texts_are_read_as_json_reads_them(text: str) -> None:
    try:
        expected = repr(json.loads(text))
    except json.JSONDecodeError as exc:
        expected = repr(exc)
    try:
        found = repr(load_text(text))
    except json.JSONDecodeError as exc:
        found = repr(exc)
    assert found == expected


@pytest.mark.parametrize("value", [{"a": object()}, {1, 2}, b"x", {(1,): 2}])
def test_what_json_cannot_hold_is_a_type_error(value: Any) -> None:
    with pytest.raises(TypeError):
        dump_compact(value)


def test_a_cycle_is_a_value_error_each_time() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    for _ in range(2):
        with pytest.raises(ValueError, match="Circular reference detected"):
            dump_compact(cycle)
    assert dump_compact([1, [1], [1]]) == "[1,[1],[1]]"


def test_depth_is_a_recursion_error() -> None:  # T11
    with pytest.raises(RecursionError):
        load_text("[" * 100_000 + "]" * 100_000)
    assert load_text("[1]") == [1]


@pytest.mark.parametrize("keys", [{}, {"ensure_ascii": False, "allow_nan": False}, {"sort_keys": True, "indent": 1}])
def test_without_the_c_encoder_the_result_is_the_same(monkeypatch: pytest.MonkeyPatch, keys: dict[str, Any]) -> None:
    encoder = json.JSONEncoder(**keys)
    value = {"b": [1, "é"], "a": None}
    with monkeypatch.context() as patch:
        patch.setattr(json.encoder, "c_make_encoder", None)
        assert writer_of(encoder)(value) == encoder.encode(value)
    if "indent" not in keys:
        assert writer_of(encoder)(value) == encoder.encode(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, [-math.inf]])
def test_a_strict_writer_refuses_what_is_no_number(value: Any) -> None:  # T11
    with pytest.raises(ValueError, match="Out of range float values are not JSON compliant"):
        dump_strict(value)


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_a_strict_writer_writes_all_else_as_the_other(value: Any) -> None:
    try:
        text = dump_strict(value)
    except ValueError:
        return
    assert text == dump_compact(value)
