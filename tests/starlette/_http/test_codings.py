"""`starlette._http.codings` (gzip R3-R7, R10, R15, threats T15)."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette._http.codings import MediaTypes, Untouched, accepts_gzip, coded_fields, why_untouched
from tests.growth import per_doubling


def fields(*values: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"host", b"h"), *((b"accept-encoding", value) for value in values)]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([], False, id="R5-absent"),
        pytest.param([b"gzip"], True, id="R5-gzip"),
        pytest.param([b"identity"], False, id="R5-identity"),
        pytest.param([b"gzip, text"], True, id="R5-first-of-a-list"),
        pytest.param([b"gzip, deflate, br, zstd"], True, id="R5-as-browsers-send-it"),
        pytest.param([b"br, zstd"], False, id="R5-others-only"),
        pytest.param([b""], False, id="R5-empty"),
        pytest.param([b"*"], False, id="D4-a-star-may-stay-uncompressed"),
        pytest.param([b"GZIP"], True, id="D4-any-case"),
        pytest.param([b"x-gzip"], True, id="D4-the-old-name"),
        pytest.param([b"gzip;q=0"], False, id="T15.2-refused"),
        pytest.param([b"gzip;q=0.000"], False, id="T15.2-refused-in-three-digits"),
        pytest.param([b"gzip ; Q = 0."], False, id="T15.2-refused-with-blanks-and-capitals"),
        pytest.param([b"gzip;a=b;q=0"], False, id="T15.2-refused-after-another-parameter"),
        pytest.param([b"gzip;q=0.001"], True, id="T15.2-a-little"),
        pytest.param([b"gzip;q=1.0, br;q=0"], True, id="T15.2-the-weight-of-another-coding"),
        pytest.param([b"br;q=1.0, gzip;q=0.8, *;q=0.1"], True, id="T15.2-not-the-first-choice"),
        pytest.param([b"gzip;level=1"], True, id="T15.2-other-parameters-are-no-weight"),
        pytest.param([b"gzip;q=x"], False, id="T15.2-no-number"),
        pytest.param([b"gzip;q="], False, id="T15.2-no-weight"),
        pytest.param([b"gzip;q=-1"], False, id="T15.2-a-sign"),
        pytest.param([b"gzip;q=0.5.5"], False, id="T15.2-two-points"),
        pytest.param([b"gzip;q=1e3"], False, id="T15.2-an-exponent"),
        pytest.param([b"gzip;q=\xb2"], False, id="T15.2-another-digit"),
        pytest.param([b"notgzip"], False, id="T15.2-a-longer-token"),
        pytest.param([b"gzipped, ungzip"], False, id="T15.2-tokens-around-it"),
        pytest.param([b"gz ip"], False, id="T15.2-a-blank-within"),
        pytest.param([b"br", b"gzip"], True, id="T15.2-several-lines-are-one-list"),
        pytest.param([b"gzip", b"gzip;q=0"], False, id="T15.2-offered-and-refused"),
        pytest.param([b",,\t, gzip ,"], True, id="T15.2-empty-elements"),
        pytest.param([b'br;x="gzip"'], False, id="T15.2-in-a-parameter"),
    ],
)
def test_gzip_is_taken_when_it_is_listed_with_a_weight(lines: list[bytes], expected: bool) -> None:
    assert accepts_gzip(fields(*lines)) is expected


@given(st.lists(st.binary(max_size=60), max_size=5))
@settings(max_examples=200, deadline=None)
def test_no_octet_of_accept_encoding_raises(lines: list[bytes]) -> None:
    accepts_gzip(fields(*lines))


@given(st.lists(st.sampled_from([b"gzip", b";q=0", b";q=1", b",", b" ", b"br", b"x-"]), max_size=12), st.data())
@settings(max_examples=200, deadline=None)
def test_splitting_the_list_into_lines_changes_nothing(parts: list[bytes], data: st.DataObject) -> None:
    field = b"".join(parts)
    elements = field.split(b",")
    cut = data.draw(st.integers(0, len(elements)))
    lines = [b",".join(half) for half in (elements[:cut], elements[cut:]) if half]
    assert accepts_gzip(fields(field)) is accepts_gzip(fields(*lines))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param("Application/ZIP; charset=utf-8", "application/zip", id="R3-parameters-and-case"),
        pytest.param("  image/png ", "image/png", id="R3-blanks"),
        pytest.param("", "", id="R3-empty"),
    ],
)
def test_entries_are_normalised(entry: str, expected: str) -> None:
    types = MediaTypes([entry])
    assert types == (expected,)
    assert MediaTypes(types) is types


@pytest.mark.parametrize(
    ("entries", "content_type", "expected"),
    [
        pytest.param(["image/png"], b"image/png", True, id="R7-equal"),
        pytest.param(["image/png"], b" Image/PNG ; a=b", True, id="R7-parameters-case-blanks"),
        pytest.param(["image/*"], b"image/avif", True, id="R7-family"),
        pytest.param(["image/*"], b"image", False, id="R7-no-family-without-a-slash"),
        pytest.param(["image/*"], b"imagery/x", False, id="R7-a-longer-family"),
        pytest.param(["*/*"], b"text/plain", False, id="R7-two-stars-mean-nothing"),
        pytest.param(["application/grpc"], b"application/grpc+proto", True, id="R7-grpc-format"),
        pytest.param(["application/grpc"], b"application/grpc-web", False, id="R7-grpc-web"),
        pytest.param(["text/plain"], b"application/grpc+proto", False, id="R7-grpc-not-listed"),
        pytest.param(["image/png"], b"", False, id="R7-no-content-type"),
        pytest.param([""], b"", True, id="D7-an-empty-entry"),
        pytest.param(["image/png"], b"\xff\x00", False, id="R7-any-octets"),
    ],
)
def test_a_content_type_is_covered_by_itself_or_its_family(
    entries: list[str], content_type: bytes, expected: bool
) -> None:
    types = MediaTypes(entries)
    assert types.cover(content_type) is expected
    assert types.cover(content_type) is expected, "the remembered answer"


def test_answers_are_remembered_within_a_bound() -> None:
    types = MediaTypes(["image/*"])
    assert all(types.cover(b"image/x%d" % number) for number in range(200))
    assert not any(types.cover(b"text/x%d" % number + b";" * 200) for number in range(3))
    assert len(types._answers) == 64
    assert max(map(len, types._answers)) < 100


def test_a_string_is_no_list_of_content_types() -> None:
    with pytest.raises(TypeError, match="list or tuple of strings, got 'image/png'"):
        MediaTypes("image/png")


def test_content_types_can_be_copied_and_pickled() -> None:
    types = MediaTypes(["image/*"])
    for twin in (copy.deepcopy(types), pickle.loads(pickle.dumps(types))):
        assert twin == types
        assert type(twin) is MediaTypes
        assert twin.cover(b"image/png")


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        pytest.param(200, [], None, id="R8-nothing-against-it"),
        pytest.param(404, [(b"content-type", b"text/html")], None, id="R8-errors-too"),
        pytest.param(200, [(b"content-encoding", b"br")], Untouched.CODED, id="R6-coded"),
        pytest.param(200, [(b"Content-Encoding", b"br")], Untouched.CODED, id="D8-coded-in-capitals"),
        pytest.param(206, [], Untouched.PARTIAL, id="R6-R21-partial"),
        pytest.param(200, [(b"content-type", b"image/png")], Untouched.EXCLUDED, id="R6-excluded"),
        pytest.param(
            200, [(b"content-type", b"text/x"), (b"content-type", b"image/png")], None, id="R7-the-first-content-type"
        ),
        pytest.param(100, [], Untouched.NO_CONTENT, id="T15.4-100"),
        pytest.param(199, [], Untouched.NO_CONTENT, id="T15.4-199"),
        pytest.param(204, [], Untouched.NO_CONTENT, id="T15.4-204"),
        pytest.param(304, [], Untouched.NO_CONTENT, id="T15.4-304"),
        pytest.param(205, [], None, id="T15.4-205-has-content"),
        pytest.param(200, [(b"cache-control", b"no-transform")], Untouched.NO_TRANSFORM, id="T15.3-no-transform"),
        pytest.param(
            200,
            [(b"cache-control", b"public"), (b"Cache-Control", b"max-age=1, No-Transform ")],
            Untouched.NO_TRANSFORM,
            id="T15.3-no-transform-in-any-place-and-case",
        ),
        pytest.param(200, [(b"cache-control", b"x-no-transform, no-transform=1")], None, id="T15.3-other-directives"),
    ],
)
def test_some_responses_are_left_alone(
    status: int, headers: list[tuple[bytes, bytes]], expected: Untouched | None
) -> None:  # T15.6
    assert why_untouched(status, headers, MediaTypes(["image/*"])) is expected


@pytest.mark.parametrize(
    ("headers", "length", "expected"),
    [
        pytest.param(
            [],
            3,
            [(b"content-encoding", b"gzip"), (b"content-length", b"3"), (b"vary", b"Accept-Encoding")],
            id="R10-length-is-added",
        ),
        pytest.param(
            [(b"content-length", b"9"), (b"x", b"y"), (b"Content-Length", b"9")],
            None,
            [(b"x", b"y"), (b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")],
            id="R13-length-is-removed",
        ),
        pytest.param(
            [(b"etag", b'"a"'), (b"vary", b"Cookie")],
            3,
            [
                (b"etag", b'W/"a"'),
                (b"vary", b"Cookie, Accept-Encoding"),
                (b"content-encoding", b"gzip"),
                (b"content-length", b"3"),
            ],
            id="T15.3-strong-etag",
        ),
        pytest.param(
            [(b"ETag", b'W/"a"'), (b"etag", b"junk")],
            None,
            [
                (b"ETag", b'W/"a"'),
                (b"etag", b"junk"),
                (b"content-encoding", b"gzip"),
                (b"vary", b"Accept-Encoding"),
            ],
            id="T15.3-other-etags",
        ),
    ],
)
def test_fields_of_a_coded_response(
    headers: list[tuple[bytes, bytes]], length: int | None, expected: list[tuple[bytes, bytes]]
) -> None:
    before = list(headers)
    assert sorted(coded_fields(headers, b"gzip", length)) == sorted(expected)
    assert headers == before  # T15.5


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(b"gzip;q=0.5,", id="elements"),
        pytest.param(b";q=0", id="parameters"),
        pytest.param(b" \t", id="blanks"),
        pytest.param(b",", id="commas"),
    ],
)
def test_reading_a_list_takes_linear_time(part: bytes) -> None:  # T25
    assert per_doubling(lambda size: accepts_gzip(fields(b"gzip" + part * size)), 4000) < 3
    assert per_doubling(lambda size: accepts_gzip(fields(*[part] * size)), 4000) < 3
