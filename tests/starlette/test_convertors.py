"""`starlette.convertors` (routing section A, threats T13)."""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette import convertors
from starlette.convertors import (
    CONVERTOR_TYPES,
    Convertor,
    FloatConvertor,
    IntegerConvertor,
    PathConvertor,
    StringConvertor,
    UUIDConvertor,
    register_url_convertor,
)

SOME_UUID = uuid.UUID("ec38df32-ceda-4cfa-9b4a-1aeb94ad551a")


@pytest.fixture
def registry() -> Iterator[dict[str, Convertor[Any]]]:
    """The registry, put back afterwards."""
    before = dict(CONVERTOR_TYPES)
    yield CONVERTOR_TYPES
    CONVERTOR_TYPES.clear()
    CONVERTOR_TYPES.update(before)


@pytest.mark.parametrize(
    ("key", "kind", "regex"),
    [
        ("str", StringConvertor, "[^/]+"),
        ("path", PathConvertor, ".*"),
        ("int", IntegerConvertor, "[0-9]+"),
        ("float", FloatConvertor, r"[0-9]+(\.[0-9]+)?"),
        ("uuid", UUIDConvertor, "[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}"),
    ],
)
def test_the_built_in_convertors(key: str, kind: type[Convertor[Any]], regex: str) -> None:  # routing R1
    assert type(CONVERTOR_TYPES[key]) is kind
    assert kind.regex == regex
    assert Convertor.regex == ""


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        pytest.param("str", "abc", "abc", id="R2-str"),
        pytest.param("path", "a/b", "a/b", id="R2-path"),
        pytest.param("path", "", "", id="R3-empty-path"),
        pytest.param("int", "5", 5, id="R2-int"),
        pytest.param("int", "05", 5, id="R3-leading-zero"),
        pytest.param("int", "-5", None, id="R3-negative"),
        pytest.param("int", "5.0", None, id="R3-fraction"),
        pytest.param("int", "٥", None, id="R3-T13.4-arabic-digit"),
        pytest.param("int", "5_0", None, id="T13.4-underscore"),
        pytest.param("float", "1", 1.0, id="R3-float-without-fraction"),
        pytest.param("float", "1.5", 1.5, id="R2-float"),
        pytest.param("float", "01.50", 1.5, id="R3-float-with-zeros"),
        pytest.param("float", "1.", None, id="R3-no-fraction-after-the-dot"),
        pytest.param("float", ".5", None, id="R3-nothing-before-the-dot"),
        pytest.param("float", "1-0", None, id="R3-a-dash-is-no-dot"),
        pytest.param("float", "1e5", None, id="T13.4-exponent"),
        pytest.param("float", "nan", None, id="T13.4-nan"),
        pytest.param("uuid", str(SOME_UUID), SOME_UUID, id="R2-uuid"),
        pytest.param("uuid", str(SOME_UUID).upper(), SOME_UUID, id="R3-upper-case"),
        pytest.param("uuid", SOME_UUID.hex, SOME_UUID, id="R3-no-dashes"),
        pytest.param("uuid", str(SOME_UUID).replace("-", "", 2), SOME_UUID, id="R3-some-dashes"),
        pytest.param("uuid", "not-a-uuid", None, id="R3-no-uuid"),
        pytest.param("str", "a/b", None, id="T13.4-slash"),
        pytest.param("str", "", None, id="T13.4-empty"),
    ],
)
def test_texts_that_match_are_converted(key: str, text: str, value: Any) -> None:
    convertor = CONVERTOR_TYPES[key]
    matched = re.fullmatch(convertor.regex, text)
    assert (convertor.convert(text) if matched else None) == value
    if matched:
        assert type(convertor.convert(text)) is type(value)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        pytest.param("int", "9" * 5000, id="T13.5-more-digits-than-python-converts"),
        pytest.param("float", "9" * 400, id="T13.5-a-float-that-overflows"),
        pytest.param("float", "9" * 5000 + ".0", id="T13.5-a-very-long-float"),
    ],
)
def test_a_number_that_cannot_be_is_a_value_error(key: str, text: str) -> None:
    assert re.fullmatch(CONVERTOR_TYPES[key].regex, text)
    with pytest.raises(ValueError, match=r"large|digits"):
        CONVERTOR_TYPES[key].convert(text)


@settings(max_examples=100, deadline=None)
@given(st.from_regex(FloatConvertor.regex, fullmatch=True, alphabet=st.characters(max_codepoint=127)))
def test_a_float_is_always_finite(text: str) -> None:  # T13.5
    try:
        assert math.isfinite(FloatConvertor().convert(text))
    except ValueError:
        assert len(text) > 300


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        pytest.param("str", "abc", "abc", id="R4"),
        pytest.param("str", 5, "5", id="R4-a-number"),
        pytest.param("path", "a//b", "a//b", id="R5-path"),
        pytest.param("path", "", "", id="R5-empty-path"),
        pytest.param("path", 5, "5", id="R5-a-number-as-path"),
        pytest.param("uuid", SOME_UUID, str(SOME_UUID), id="R5-uuid"),
        pytest.param("uuid", "anything", "anything", id="R5-no-check"),
        pytest.param("int", 5, "5", id="R6"),
        pytest.param("int", "7", "7", id="R6-text"),
        pytest.param("int", 7.9, "7", id="R6-float"),
        pytest.param("float", 25.5, "25.5", id="R7"),
        pytest.param("float", 1.0, "1", id="R7-whole"),
        pytest.param("float", 100.0, "100", id="R7-zeros-before-the-dot"),
        pytest.param("float", 0.1, "0.10000000000000000555", id="R7-twenty-decimals"),
        pytest.param("float", 1e-25, "0", id="R7-tiny"),
        pytest.param("float", 1e22, "10000000000000000000000", id="R7-large"),
        pytest.param("float", "2.50", "2.5", id="R7-text"),
        pytest.param("float", -0.0, "-0", id="R7-negative-zero"),
    ],
)
def test_values_are_written_into_paths(key: str, value: Any, text: str) -> None:
    assert CONVERTOR_TYPES[key].to_string(value) == text


@pytest.mark.parametrize(
    ("key", "value", "error", "message"),
    [
        pytest.param("str", "a/b", AssertionError, "May not contain path separators", id="R4-slash"),
        pytest.param("str", "", AssertionError, "Must not be empty", id="R4-empty"),
        pytest.param("int", -1, AssertionError, "Negative integers are not supported", id="R6-negative"),
        pytest.param("int", "x", ValueError, "invalid literal", id="R6-no-number"),
        pytest.param("float", math.nan, AssertionError, "NaN values are not supported", id="R7-nan"),
        pytest.param("float", math.inf, AssertionError, "Infinite values are not supported", id="R7-infinite"),
        pytest.param("float", -math.inf, AssertionError, "Infinite values are not supported", id="R7-minus-infinite"),
        pytest.param("float", -1.5, AssertionError, "Negative floats are not supported", id="R7-negative"),
    ],
)
def test_values_that_no_path_can_hold_are_refused(key: str, value: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        CONVERTOR_TYPES[key].to_string(value)


@settings(max_examples=100, deadline=None)
@given(st.integers(min_value=0))
def test_an_integer_comes_back(number: int) -> None:
    convertor = IntegerConvertor()
    assert convertor.convert(convertor.to_string(number)) == number


@settings(max_examples=100, deadline=None)
@given(st.uuids())
def test_a_uuid_comes_back(value: uuid.UUID) -> None:
    convertor = UUIDConvertor()
    text = convertor.to_string(value)
    assert re.fullmatch(convertor.regex, text)
    assert convertor.convert(text) == value


class Colour(Convertor[tuple[int, ...]]):
    regex = "([0-9a-f]{2}){3}"

    def convert(self, value: str) -> tuple[int, ...]:
        return tuple(bytes.fromhex(value))

    def to_string(self, value: tuple[int, ...]) -> str:
        return bytes(value).hex()


def test_a_convertor_can_be_registered(registry: dict[str, Convertor[Any]]) -> None:  # routing R8, R9
    colour = Colour()
    register_url_convertor("colour", colour)
    register_url_convertor("int", colour)
    assert registry["colour"] is colour
    assert registry["int"] is colour
    assert convertors.CONVERTOR_TYPES is registry


def test_the_base_class_converts_nothing() -> None:  # routing R9
    base: Convertor[Any] = Convertor()
    with pytest.raises(NotImplementedError):
        base.convert("x")
    with pytest.raises(NotImplementedError):
        base.to_string("x")
