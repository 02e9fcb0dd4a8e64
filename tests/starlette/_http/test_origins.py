"""Header lists of answers to other origins."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette._http.origins import Amendments, Field, ReadyFields, with_fields
from starlette._http.vary import add_vary
from starlette.datastructures import MutableHeaders

NAMES = [b"a", b"vary", b"access-control-allow-origin", b"access-control-expose-headers"]
header_lists = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from([b"x", b"y", b"*", b"origin"])), max_size=8)


def test_ready_fields_are_encoded_and_remember_their_source() -> None:
    source = {"Vary": "A", "X-B": "é"}
    ready = ReadyFields(source)
    source["X-C"] = "c"
    assert ready.source == {"Vary": "A", "X-B": "é"}
    assert ready.with_added([]) == [(b"vary", b"A"), (b"x-b", b"\xe9")]
    assert ready.with_added([(b"x-c", b"c")]) == [(b"vary", b"A"), (b"x-b", b"\xe9"), (b"x-c", b"c")]
    assert ready.with_added([(b"vary", b"B")]) == [(b"vary", b"B"), (b"x-b", b"\xe9")]


def test_ready_fields_are_not_changed_by_who_gets_them() -> None:
    ready = ReadyFields({"a": "b"})
    ready.with_added([]).append((b"c", b"d"))
    assert ready.with_added([]) == [(b"a", b"b")]


@pytest.mark.parametrize("make", [ReadyFields, Amendments])
@pytest.mark.parametrize("text", ["a\r\nb", "a\nb", "a\0b", "\u20ac"])
def test_what_cannot_be_sent_is_refused_at_once(make: type[ReadyFields | Amendments], text: str) -> None:  # threats T03
    with pytest.raises(ValueError):  # noqa: PT011  # one of them is a UnicodeEncodeError
        make({"X": text})


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param(
            {"A": "a"}, [(b"a", b"a"), (b"access-control-allow-origin", b"o"), (b"vary", b"Origin")], id="end"
        ),
        pytest.param(
            {"Access-Control-Allow-Origin": "*", "A": "a"},
            [(b"access-control-allow-origin", b"o"), (b"a", b"a"), (b"vary", b"Origin")],
            id="in-place-of-the-star",
        ),
    ],
)
def test_an_origin_is_named(headers: dict[str, str], expected: list[Field]) -> None:
    assert Amendments(headers).naming(b"o") == expected


@given(header_lists, st.booleans(), st.booleans())
@settings(max_examples=200, deadline=None)
def test_amending_does_what_setting_one_field_after_the_other_does(
    fields: list[Field], has_star: bool, names_origin: bool
) -> None:
    headers = {"Access-Control-Expose-Headers": "E"}
    if has_star:
        headers = {"Access-Control-Allow-Origin": "*", **headers}
    before = list(fields)
    amendments = Amendments(headers)
    found = amendments.amended(fields, amendments.naming(b"o") if names_origin else amendments.plain)

    expected = MutableHeaders(raw=list(fields))
    expected.update(headers)
    if names_origin:
        expected["Access-Control-Allow-Origin"] = "o"
    add_vary(expected.raw, b"Origin")
    assert found == expected.raw
    assert fields == before


@given(header_lists, header_lists)
@settings(max_examples=100, deadline=None)
def test_with_fields_sets_each(fields: list[Field], wanted: list[Field]) -> None:
    found = with_fields(fields, wanted)
    names = {name for name, _ in wanted}
    assert [field for field in found if field[0] not in names] == [field for field in fields if field[0] not in names]
    assert sorted(field for field in found if field[0] in names) == sorted(dict(wanted).items())
