"""Byte ranges by the tables of the rules, and for whatever a client sends."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette._http.ranges import (
    INVERTED,
    MALFORMED,
    NO_RANGE,
    WRONG_UNIT,
    Refusal,
    content_range,
    multipart_layout,
    select_ranges,
)

OUTSIDE = Refusal(416, "")
NONE_ASKED = Refusal(400, NO_RANGE)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        pytest.param("bytes=0-100", [(0, 101)], id="R61-first"),
        pytest.param("bytes=0-100, 50-200", [(0, 201)], id="R55.7-overlap"),
        pytest.param("bytes=0-9, 10-19", [(0, 20)], id="R55.7-touching"),
        pytest.param("bytes=0-100, 20-30", [(0, 101)], id="R55.7-contained"),
        pytest.param("bytes=100-200, 0-50", [(0, 51), (100, 201)], id="R61-sorted"),
        pytest.param("bytes=100, 0-50", [(0, 51)], id="R61-item-without-dash"),
        pytest.param("bytes= - , 0-50", [(0, 51)], id="R61-bare-dash"),
        pytest.param("bytes=abc-def, 0-50", [(0, 51)], id="R61-not-numeric"),
        pytest.param("bytes=,,0-50,", [(0, 51)], id="R55.4-empty-items"),
        pytest.param("bytes=500-", [(500, 526)], id="R56-to-the-end"),
        pytest.param("bytes=-100", [(426, 526)], id="R61-suffix"),
        pytest.param("bytes=-1000", [(0, 526)], id="R61-suffix-longer-than-the-file"),
        pytest.param("bytes=0-527", [(0, 526)], id="R61-end-behind-the-file"),
        pytest.param("bytes=5-5", [(5, 6)], id="R55.6-one-byte"),
        pytest.param("bytes= 1 - 2 ", [(1, 3)], id="R56-blanks-around-numbers"),
        pytest.param(" Bytes =0-1", [(0, 2)], id="R55.2-unit-in-any-case"),
        pytest.param("bytes=000-0001", [(0, 2)], id="leading-zeros"),
        pytest.param("bytes=0-" + "9" * 5000, [(0, 526)], id="T12.3-endless-end"),
        pytest.param("bytes=-" + "9" * 5000, [(0, 526)], id="T12.3-endless-suffix"),
        pytest.param("bytes=" + "9" * 5000 + "-", OUTSIDE, id="T12.3-endless-start"),
        pytest.param("bytes=527-", OUTSIDE, id="R61-behind-the-end"),
        pytest.param("bytes=526-", OUTSIDE, id="R55.5-just-behind-the-end"),
        pytest.param("bytes=600-700", OUTSIDE, id="R55.5-both-behind"),
        pytest.param("bytes=-0", OUTSIDE, id="R56-no-last-bytes"),
        pytest.param("bytes=600-5", OUTSIDE, id="R55-outside-before-inverted"),
        pytest.param("bytes=0-5, 600-700", [(0, 6)], id="T12.4-the-satisfiable-one"),
        pytest.param("bytes=-0, 0-5", [(0, 6)], id="T12.4-empty-suffix-dropped"),
        pytest.param("bytes=0-1,600-5", [(0, 2)], id="T12.4-outside-and-inverted-dropped"),
        pytest.param("bytes=600-700,5-4", OUTSIDE, id="T12.4-nothing-satisfiable"),
        pytest.param("bytes: 0-1000", Refusal(400, MALFORMED), id="R55.1-no-equals-sign"),
        pytest.param("", Refusal(400, MALFORMED), id="R55.1-empty"),
        pytest.param("items=0-100", Refusal(400, WRONG_UNIT), id="R55.2-other-unit"),
        pytest.param("bytes=", NONE_ASKED, id="R55.4-nothing"),
        pytest.param("bytes=100-0", Refusal(400, INVERTED), id="R55.6-inverted"),
        pytest.param("bytes=5-4", Refusal(400, INVERTED), id="R55.6-inverted-by-one"),
        pytest.param("bytes=0-1,5-4", Refusal(400, INVERTED), id="R55.6-one-inverted"),
        pytest.param("bytes=" + ",".join(["0-1"] * 100), [(0, 2)], id="R55.3-as-many-as-allowed"),
        pytest.param("bytes=" + ",".join(["0-1"] * 101), None, id="R55.3-one-more"),
        pytest.param("bytes=" + "," * 100, None, id="R55.3-empty-items-count"),
        *(
            pytest.param(f"bytes={item}", NONE_ASKED, id=f"T12.3-{name}")
            for name, item in {
                "underscore": "1_0-20",
                "plus": "+1-5",
                "plus-behind": "1-+5",
                "minus": "--5",
                "blank-inside": "1 0-20",
                "no-break-space": "\xa01-5",
                "superscript": "²-5",
                "arabic": "٠-٥",
            }.items()
        ),
    ],
)
def test_ranges_are_selected(field: str, expected: object) -> None:
    assert select_ranges(field, 526, 100) == expected


@pytest.mark.parametrize("item", ["0-", "0-0", "-1", "-0", "5-9"])
def test_nothing_of_an_empty_file_can_be_sent(item: str) -> None:
    assert select_ranges(f"bytes={item}", 0, 100) == OUTSIDE  # responses R56


ITEMS = st.lists(st.one_of(st.from_regex(r"[0-9]{0,3}-[0-9]{0,3}", fullmatch=True), st.text(max_size=6)), max_size=12)


@settings(deadline=None, max_examples=200)
@given(field=st.one_of(st.text(), ITEMS.map(lambda items: "bytes=" + ",".join(items))), size=st.integers(0, 500))
def test_whatever_is_sent_gives_sorted_parts_of_the_file_or_a_refusal(field: str, size: int) -> None:  # T12.3
    chosen = select_ranges(field, size, 10)
    if isinstance(chosen, Refusal):
        assert chosen.status in (400, 416)
    elif chosen is not None:
        assert chosen
        behind = -1
        for start, stop in chosen:
            assert behind < start < stop <= size
            behind = stop


@settings(deadline=None, max_examples=100)
@given(
    pairs=st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80)), min_size=1, max_size=9), size=st.integers(81, 99)
)
def test_merging_keeps_just_the_bytes_that_were_asked_for(pairs: list[tuple[int, int]], size: int) -> None:
    asked = [(min(pair), max(pair)) for pair in pairs]
    chosen = select_ranges("bytes=" + ",".join(f"{first}-{last}" for first, last in asked), size, 100)
    assert isinstance(chosen, list)
    sent = {position for start, stop in chosen for position in range(start, stop)}
    assert sent == {position for first, last in asked for position in range(first, last + 1)}


def test_a_hostile_field_costs_linear_work() -> None:
    # T25: the commas are counted before anything is parsed, and one item of any length is looked at once.
    assert select_ranges("bytes=" + "0-1," * 1_000_000, 10, 100) is None
    assert select_ranges("bytes=" + "-" * 2_000_000, 10, 100) == NONE_ASKED


def test_multipart_length_is_that_of_the_body() -> None:
    ranges = [(0, 101), (200, 301)]
    length, head = multipart_layout(ranges, "0" * 26, 526, "text/plain; charset=utf-8")
    assert length == 448  # responses R60
    body = b"".join(head(*pair) + b"x" * (pair[1] - pair[0]) + b"\r\n" for pair in ranges) + b"--" + b"0" * 26 + b"--"
    assert len(body) == length
    assert head(0, 101) == (
        b"--00000000000000000000000000\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Range: bytes 0-100/526\r\n\r\n"
    )
    assert content_range(0, 101, 526) == "bytes 0-100/526"
