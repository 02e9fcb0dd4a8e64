"""URL-encoded forms: formparsers R1 to R13 and R50, threats T10 and T25."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette.datastructures import Headers, QueryParams
from starlette.exceptions import StarletteDeprecationWarning
from starlette.formparsers import FormMessage, FormParser, MultiPartException, MultiPartParser
from tests.growth import per_doubling
from tests.starlette.forms import outcome, run, split, stream


class Plain(FormParser):
    """Overrides an event, and so takes the plain path."""

    def on_field_end(self) -> None:
        super().on_field_end()


def parser(*chunks: bytes, kind: type[FormParser] = FormParser, **limits: Any) -> FormParser:
    return kind(Headers(), stream(*chunks), **limits)


@pytest.mark.parametrize("kind", [FormParser, Plain])
@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        pytest.param([], [], id="R9-no-chunk"),
        pytest.param([b""], [], id="R9-empty"),
        pytest.param([b"first=one&second=two"], [("first", "one"), ("second", "two")], id="R9-one-chunk"),
        pytest.param([b"first=one&second=two", b""], [("first", "one"), ("second", "two")], id="R9-and-an-empty-one"),
        pytest.param([b"&&a=1&&"], [("a", "1")], id="R6-empty-fields"),
        pytest.param([b"a"], [("a", "")], id="R6-no-equals"),
        pytest.param([b"a="], [("a", "")], id="R6-no-value"),
        pytest.param([b"=x"], [("", "x")], id="R6-no-name"),
        pytest.param([b"="], [("", "")], id="R6-only-equals"),
        pytest.param([b"%=&=%\0\xff"], [("%", ""), ("", "%\0ÿ")], id="R13-nothing-is-malformed"),
        pytest.param([b"a=b=c"], [("a", "b=c")], id="R6-first-equals"),
        pytest.param([b"a=1;b=2\r\n"], [("a", "1;b=2\r\n")], id="R6-T10.1-semicolon-is-data"),
        pytest.param([b"a=1&a=2"], [("a", "1"), ("a", "2")], id="R6-repeats"),
        pytest.param([b"a+b=c+d"], [("a b", "c d")], id="R7-plus"),
        pytest.param([b"a=%C3%A9"], [("a", "é")], id="R7-utf-8"),
        pytest.param([b"a=%FF"], [("a", "�")], id="R7-no-utf-8"),
        pytest.param([b"a=%zz%"], [("a", "%zz%")], id="R7-no-escape"),
        pytest.param([b"a=\xc3\xa9"], [("a", "Ã©")], id="R7-raw-octets"),
        pytest.param([b"a%3Db=1"], [("a=b", "1")], id="R7-escaped-equals"),
        pytest.param([b"a=%C", b"3%A9"], [("a", "é")], id="R8-inside-an-escape"),
        pytest.param([b"a", b"", b"b=c", b"d", b"&", b"e=f&g"], [("ab", "cd"), ("e", "f"), ("g", "")], id="T10.3"),
        pytest.param([b"a=1&b", b"=2&c=3&d=4"], [("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")], id="R8-goes-on"),
    ],
)
def test_fields_are_read_in_order(kind: type[FormParser], chunks: list[bytes], expected: list[tuple[str, str]]) -> None:
    assert outcome(parser(*chunks, kind=kind)) == expected


@pytest.mark.parametrize("kind", [FormParser, Plain])
@pytest.mark.parametrize(
    ("body", "limits", "expected"),
    [
        pytest.param(b"a&b", {"max_fields": 2}, [("a", ""), ("b", "")], id="R10-exactly"),
        pytest.param(
            b"a&b&c", {"max_fields": 2}, "Too many fields. Maximum number of fields is 2.", id="R10-T10.2-one-more"
        ),
        pytest.param(b"a", {"max_fields": 0}, "Too many fields. Maximum number of fields is 0.", id="R10-none"),
        pytest.param(b"a&b", {"max_fields": 1.5}, "Too many fields. Maximum number of fields is 1.5.", id="R10-float"),
        pytest.param(b"a&b&c", {"max_fields": float("inf")}, [("a", ""), ("b", ""), ("c", "")], id="R10-no-limit"),
        pytest.param(b"a&" * 1000, {}, [("a", "")] * 1000, id="R10-default"),
        pytest.param(b"a&" * 1001, {}, "Too many fields. Maximum number of fields is 1000.", id="R10-default-exceeded"),
        pytest.param(b"ab=cd", {"max_part_size": 4}, [("ab", "cd")], id="R11-exactly"),
        pytest.param(b"ab=cde", {"max_part_size": 4}, "Field exceeded maximum size of 0KB.", id="R11-T10.2-one-more"),
        pytest.param(b"abcde", {"max_part_size": 4}, "Field exceeded maximum size of 0KB.", id="R11-long-name"),
        pytest.param(b"ab=%41", {"max_part_size": 4}, "Field exceeded maximum size of 0KB.", id="R11-before-decoding"),
        pytest.param(
            b"a=" + b"x" * 1024 * 1024, {}, "Field exceeded maximum size of 1024KB.", id="R11-default-exceeded"
        ),
        pytest.param(
            b"a" * 10241, {"max_part_size": 10240}, "Field exceeded maximum size of 10KB.", id="R11-kilobytes"
        ),
        pytest.param(
            b"a" * 1537, {"max_part_size": 1536}, "Field exceeded maximum size of 1KB.", id="R11-whole-kilobytes"
        ),
        pytest.param(b"a=b&c=d", {"max_part_size": 2}, [("a", "b"), ("c", "d")], id="R11-each-field"),
    ],
)
def test_limits_are_kept(kind: type[FormParser], body: bytes, limits: dict[str, Any], expected: object) -> None:
    assert outcome(parser(body, kind=kind, **limits)) == expected


def test_no_field_beyond_the_limit_is_looked_at() -> None:
    # R12, R50
    reading = parser(b"a=1&" * 100_000, max_fields=10)
    with pytest.raises(MultiPartException):
        run(reading.parse())
    assert reading._current_fields == 11


def test_no_octet_beyond_the_limit_is_kept() -> None:
    # R12, R50
    reading = parser(b"a=" + b"x" * 50_000_000, max_part_size=1024)
    with pytest.raises(MultiPartException):
        run(reading.parse())
    assert len(reading._field_value) <= 1024


@pytest.mark.parametrize("chunk", [b"a=1&" * 50, b"x" * 200])
def test_nothing_is_read_after_a_limit(chunk: bytes) -> None:
    # T10.2, R12
    with pytest.raises(MultiPartException):
        run(parser(chunk, AssertionError("read on"), max_fields=10, max_part_size=100).parse())  # type: ignore[arg-type]


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=6))
@settings(max_examples=200, deadline=None)
def test_a_form_is_the_query_of_the_same_octets_at_every_split(body: bytes, cuts: list[int]) -> None:
    # R8, T10.1, T10.3
    expected = QueryParams(body).multi_items()
    assert outcome(parser(*split(body, cuts))) == expected
    assert outcome(parser(*split(body, cuts), kind=Plain)) == expected


@given(
    st.text(alphabet="ab=&+%4", max_size=40),
    st.lists(st.integers(0, 40), max_size=5),
    st.integers(0, 5),
    st.integers(0, 6),
)
@settings(max_examples=200, deadline=None)
def test_limits_are_the_same_at_every_split(text: str, cuts: list[int], max_fields: int, max_part_size: int) -> None:
    limits: dict[str, Any] = {"max_fields": max_fields, "max_part_size": max_part_size}
    expected = outcome(parser(text.encode(), kind=Plain, **limits))
    assert outcome(parser(*split(text.encode(), cuts), **limits)) == expected
    assert outcome(parser(*split(text.encode(), cuts), kind=Plain, **limits)) == expected


@pytest.mark.parametrize("piece", [b"a=b&", b"%", b"%41", b"&", b"="])
@pytest.mark.parametrize("size", [1, 1000])
def test_time_grows_linearly(piece: bytes, size: int) -> None:
    # T25; chunks of one octet, and of many
    def work(count: int) -> None:
        body = piece * count
        chunks = [body[start : start + size] for start in range(0, len(body), size)]
        outcome(parser(*chunks, max_fields=float("inf")))

    assert per_doubling(work, 2_000) < 3.2


def test_an_event_replaced_on_the_object_is_called() -> None:
    reading = parser(b"a=1&b=2")
    seen: list[str] = []
    reading.on_field_start = lambda: seen.append("start")  # type: ignore[method-assign]
    run(reading.parse())
    assert seen == ["start", "start"]


def test_limits_are_keyword_only() -> None:
    # R5
    with pytest.raises(TypeError):
        FormParser(Headers(), stream(), 5)  # type: ignore[call-arg]


@pytest.mark.parametrize("kind", [FormParser, MultiPartParser])
@pytest.mark.parametrize("missing", [{"python_multipart": None}, {"python_multipart": None, "x": None}])
def test_parsers_need_python_multipart(
    monkeypatch: pytest.MonkeyPatch, kind: type[FormParser] | type[MultiPartParser], missing: dict[str, None]
) -> None:
    # R4
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(
        AssertionError, match=r"^The `python-multipart` library must be installed to use form parsing\.$"
    ):
        kind(Headers(), stream())


def test_python_multipart_is_imported_when_a_parser_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    # R4
    for name in [name for name in sys.modules if name.partition(".")[0] == "python_multipart"]:
        monkeypatch.delitem(sys.modules, name)
    FormParser(Headers(), stream())
    assert "python_multipart" in sys.modules


def test_form_messages_warn_when_called_and_only_then() -> None:
    # R3
    assert [(member.name, member.value) for member in FormMessage] == [
        ("FIELD_START", 1),
        ("FIELD_NAME", 2),
        ("FIELD_DATA", 3),
        ("FIELD_END", 4),
        ("END", 5),
    ]
    assert FormMessage["END"] is FormMessage.END
    text = r"^`FormMessage` is deprecated and will be removed in a future version\.$"
    with pytest.warns(StarletteDeprecationWarning, match=text):
        assert FormMessage(1) is FormMessage.FIELD_START


def test_the_exception_has_its_message() -> None:
    # R2
    exc = MultiPartException("wrong")
    assert (exc.message, str(exc)) == ("wrong", "wrong")
