"""Header fields as pairs of bytes, and what they must not contain (threats T03)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette._http.fields import checked_field, checked_value, first_value, lookup_name


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        pytest.param("Content-Type", "text/plain", (b"content-type", b"text/plain"), id="lower-case"),
        pytest.param("x-name", "Jürgen", (b"x-name", b"J\xfcrgen"), id="latin-1"),
        pytest.param("x", "", (b"x", b""), id="empty-value"),
        pytest.param("x", "a\tb\x7f\x85\xa0", (b"x", b"a\tb\x7f\x85\xa0"), id="other-controls-may-pass"),
    ],
)
def test_a_field_is_encoded(name: str, value: str, expected: tuple[bytes, bytes]) -> None:
    assert checked_field(name, value) == expected
    assert checked_value(value) == expected[1]


@pytest.mark.parametrize("character", ["\r", "\n", "\0", "\r\n"])
@pytest.mark.parametrize("position", [0, 2, 4])
def test_a_field_is_refused_that_could_end_early(character: str, position: int) -> None:
    # T03
    bad = f"{'abcd'[:position]}{character}{'abcd'[position:]}"
    for name, value in [(bad, "v"), ("n", bad)]:
        with pytest.raises(ValueError, match="CR, LF or NUL"):
            checked_field(name, value)
    with pytest.raises(ValueError, match="CR, LF or NUL"):
        checked_value(bad)


def test_the_message_is_clipped() -> None:
    with pytest.raises(ValueError, match="CR, LF or NUL") as caught:
        checked_value("a" * 10_000 + "\n")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(("name", "value"), [("中", "v"), ("n", "中")])
def test_what_is_outside_of_latin_1_is_an_encoding_error(name: str, value: str) -> None:
    # T03, datastructures R70
    with pytest.raises(UnicodeEncodeError):
        checked_field(name, value)


@pytest.mark.parametrize(("name", "value"), [(1, "v"), ("n", 1), ("n", None), ("n", b"v")])
def test_what_is_not_a_string_is_an_attribute_error(name: Any, value: Any) -> None:
    # datastructures R70
    with pytest.raises(AttributeError):
        checked_field(name, value)


@pytest.mark.parametrize(
    ("key", "expected"), [("Host", b"host"), ("\xc9", b"\xe9"), ("中", None), (b"host", None), (None, None)]
)
def test_a_name_that_no_field_can_have_is_none(key: Any, expected: bytes | None) -> None:
    # datastructures D9
    assert lookup_name(key) == expected


def test_the_first_of_repeated_fields_counts() -> None:
    fields = [(b"a", b"1"), (b"b", b"2"), (b"b", b"3")]
    assert (first_value(fields, b"b"), first_value(fields, b"c")) == (b"2", None)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=20), st.text(max_size=20))
def test_nothing_that_passes_can_split_a_response(name: str, value: str) -> None:
    # T03: only the documented errors, and no such octet in what passes.
    try:
        field = checked_field(name, value)
    except ValueError:
        return
    assert not any(octet in part for part in field for octet in (0, 10, 13))
