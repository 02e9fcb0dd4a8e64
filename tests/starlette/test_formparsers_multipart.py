"""Multipart forms: what they mean, at every split of the body (formparsers R14 to R39, threats T09 and T25)."""

from __future__ import annotations

import codecs
import logging
from pathlib import Path
from typing import Any

import pytest
import python_multipart
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version
from python_multipart import MultipartParser

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException, MultiPartParser, MultipartPart, _user_safe_decode
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Mount
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send
from tests.growth import per_doubling
from tests.starlette.forms import field, file, multipart_headers, outcome, part, run, split, stream

END = b"--B--\r\n"
INVALID = "Invalid multipart data."
NO_NAME = 'The Content-Disposition header field "name" must be provided.'
# Blanks behind a delimiter (RFC 2046 §5.1.1): earlier releases of the parser take them for content.
PADDED = pytest.mark.skipif(
    Version(python_multipart.__version__) < Version("0.0.34"), reason="python-multipart before 0.0.34"
)

TOO_LARGE = "Part exceeded maximum size of 0KB."


class Plain(MultiPartParser):
    """Overrides an event, and so sees every part through events."""

    def on_part_end(self) -> None:
        super().on_part_end()


def parser(
    *chunks: bytes,
    kind: type[MultiPartParser] = MultiPartParser,
    content_type: str = "multipart/form-data; boundary=B",
    **limits: Any,
) -> MultiPartParser:
    return kind(multipart_headers(content_type), stream(*chunks), **limits)


def at_every_split(body: bytes, content_type: str = "multipart/form-data; boundary=B", **limits: Any) -> Any:
    """Return the outcome, after checking that it is the same whole, octet by octet, and cut anywhere in two."""
    whole = outcome(parser(body, content_type=content_type, **limits))
    octets = [body[index : index + 1] for index in range(len(body))]
    for kind in (MultiPartParser, Plain):
        assert outcome(parser(body, kind=kind, content_type=content_type, **limits)) == whole
        assert outcome(parser(*octets, kind=kind, content_type=content_type, **limits)) == whole
    for cut in range(0, len(body), max(1, len(body) // 200)):
        assert outcome(parser(*split(body, [cut]), content_type=content_type, **limits)) == whole
    return whole


def raw(disposition: str, *others: tuple[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    return [(b"content-disposition", disposition.encode()), *others]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"", [], id="R38-empty"),
        pytest.param(END, [], id="R38-only-the-end"),
        pytest.param(b"\r\n\n\r\n" + END, [], id="R38-blank-lines-first"),
        pytest.param(b"\r\n", [], id="R38-only-blank-lines"),
        pytest.param(field("a", b"1") + END, [("a", "1")], id="R23-field"),
        pytest.param(field("a", b"1") + b"--B--", [("a", "1")], id="R38-nothing-behind"),
        pytest.param(field("a", b"1") + b"--B--epilogue\r\n--B\r\n", [("a", "1")], id="R38-T09.7-epilogue"),
        pytest.param(
            b"\r\n" + field("a") + field("b", b"2") + field("a", b"3") + END,
            [("a", ""), ("b", "2"), ("a", "3")],
            id="R28-order",
        ),
        pytest.param(
            b"--B \t\r\n" + field("a")[5:] + END, INVALID, id="padding-behind-the-first-delimiter", marks=PADDED
        ),
        pytest.param(
            field("a", b"1") + b"--B \t\r\n" + field("b", b"2")[5:] + END,
            [("a", "1"), ("b", "2")],
            id="padding-behind-a-delimiter",
            marks=PADDED,
        ),
        pytest.param(
            field("a", b"\r\n--Bx\r\n--B\rx\r\n--B-x\r\n--b\r\n") + field("b") + END,
            [("a", "\r\n--Bx\r\n--B\rx\r\n--B-x\r\n--b\r\n"), ("b", "")],
            id="R29-near-delimiters",
        ),
        pytest.param(part('attachment; name="a"', b"1") + END, [("a", "1")], id="R23-any-type"),
        pytest.param(part("form-data; name=a", b"1") + field("b") + END, [("a", "1"), ("b", "")], id="R24-unquoted"),
        pytest.param(part('form-data; NAME="a"', b"1") + END, [("a", "1")], id="R24-upper-case"),
        pytest.param(part(r'form-data; name="a\"b;c"', b"1") + END, [('a"b;c', "1")], id="R24-escape"),
        pytest.param(field("") + END, [("", "")], id="R24-empty-name"),
        pytest.param(part('form-data; ="field0"') + END, NO_NAME, id="R24-no-name"),
        pytest.param(part("form-data") + field("b") + END, NO_NAME, id="R24-no-parameters"),
        pytest.param(b"--B\r\n\r\nx\r\n" + END, NO_NAME, id="R24-no-headers"),
        pytest.param(b"--B\r\nX-A: 1\r\n\r\nx\r\n" + field("b") + END, NO_NAME, id="R24-no-disposition"),
        pytest.param(
            part('form-data; name="a"', b"1", 'Content-Disposition: form-data; name="b"') + field("c") + END,
            [("b", "1"), ("c", "")],
            id="R26-last-disposition",
        ),
        pytest.param(
            part("form-data; name=\"a\"; filename*=utf-8''x", b"1") + END, [("a", "1")], id="R25-extended-notation"
        ),
        pytest.param(
            file("f", "x.txt", b"hello", "Content-Type: text/plain", "X-Custom: 1") + field("a") + END,
            [
                (
                    "f",
                    (
                        "x.txt",
                        5,
                        b"hello",
                        raw(
                            'form-data; name="f"; filename="x.txt"',
                            (b"content-type", b"text/plain"),
                            (b"x-custom", b"1"),
                        ),
                    ),
                ),
                ("a", ""),
            ],
            id="R27-file",
        ),
        pytest.param(
            file("f", "") + file("f", "%22", b"\0\xff") + END,
            [
                ("f", ("", 0, b"", raw('form-data; name="f"; filename=""'))),
                ("f", ("%22", 2, b"\0\xff", raw('form-data; name="f"; filename="%22"'))),
            ],
            id="R23-R25-R29-files-without-name-or-type",
        ),
        pytest.param(
            file("f", r"C:\dir\x.txt") + file("f", "../../x") + END,
            [
                ("f", ("x.txt", 0, b"", raw(r'form-data; name="f"; filename="C:\dir\x.txt"'))),
                ("f", ("../../x", 0, b"", raw('form-data; name="f"; filename="../../x"'))),
            ],
            id="R25-T09.7-a-file-name-is-data",
        ),
        pytest.param(
            field("a", b"--C\r\n\r\n--C--") + END, [("a", "--C\r\n\r\n--C--")], id="T09.7-nested-multipart-is-opaque"
        ),
        pytest.param(b"x" + field("a") + END, INVALID, id="R36-garbage-first"),
        pytest.param(b"\r\nx\r\n" + field("a") + END, INVALID, id="R36-T09.6-preamble-behind-a-blank-line"),
        pytest.param(b"--C\r\n\r\n\r\n--C--", INVALID, id="R36-other-boundary"),
        pytest.param(b"--B\r\nA\0: 1\r\n\r\n\r\n" + END, INVALID, id="R36-T09.7-nul-in-a-name"),
        pytest.param(b"--B\r\nA B: 1\r\n\r\n\r\n" + END, INVALID, id="R36-T09.7-blank-in-a-name"),
        pytest.param(b"--B\r\n: 1\r\n\r\n\r\n" + END, INVALID, id="R36-no-name-of-a-header"),
        pytest.param(b"--B\r\nno colon\r\n\r\n\r\n" + END, INVALID, id="R36-T09.7-no-colon"),
        pytest.param(field("a").replace(b"\r\n", b"\n") + b"--B--\n", INVALID, id="R36-T09.7-bare-lf"),
        pytest.param(b"--B\r\nA: 1\rx\r\n\r\n\r\n" + END, INVALID, id="R36-bare-cr"),
        pytest.param(
            part('form-data; name="a"', b"", *["A: 1"] * 7) + field("b") + END,
            [("a", ""), ("b", "")],
            id="R37-eight-headers",
        ),
        pytest.param(
            part('form-data; name="a"', b"", *["A: 1"] * 8) + field("b") + END, INVALID, id="R37-nine-headers"
        ),
        pytest.param(
            part('form-data; name="a"', b"", "A: " + "x" * 4221) + field("b") + END,
            [("a", ""), ("b", "")],
            id="R37-longest-header",
        ),
        pytest.param(
            part('form-data; name="a"', b"", "A: " + "x" * 4222) + field("b") + END, INVALID, id="R37-longer-header"
        ),
        pytest.param(field("a", b"1"), INVALID, id="R39-T09.3-no-end"),
        pytest.param(field("a", b"1") + b"--B", INVALID, id="R39-T09.3-unfinished-delimiter"),
        pytest.param(field("a", b"1") + b"--B-", INVALID, id="T09.3-unfinished-end"),
        pytest.param(field("a", b"1") + b"--B\r\nContent-Di", INVALID, id="T09.3-in-the-headers"),
        pytest.param(b"-", INVALID, id="T09.3-in-the-first-delimiter"),
    ],
)
def test_bodies_mean_the_same_at_every_split(body: bytes, expected: object) -> None:
    # R29, T09.6
    assert at_every_split(body) == expected


@pytest.mark.parametrize(
    ("body", "limits", "expected"),
    [
        pytest.param(field("a") * 2 + END, {"max_fields": 2}, [("a", ""), ("a", "")], id="R33-exactly"),
        pytest.param(
            field("a") * 3 + END,
            {"max_fields": 2},
            "Too many fields. Maximum number of fields is 2.",
            id="R33-one-more",
        ),
        pytest.param(
            field("a") * 2 + END,
            {"max_fields": 1.0},
            "Too many fields. Maximum number of fields is 1.0.",
            id="R35-float",
        ),
        pytest.param(field("a") * 2 + END, {"max_fields": float("inf")}, [("a", ""), ("a", "")], id="R35-no-limit"),
        pytest.param(
            file("a", "x") * 3 + END,
            {"max_files": 2},
            "Too many files. Maximum number of files is 2.",
            id="R32-one-more",
        ),
        pytest.param(
            (file("a", "x") + field("b")) * 2 + END,
            {"max_files": 1, "max_fields": 1},
            "Too many files. Maximum number of files is 1.",
            id="R33-counted-apart",
        ),
        pytest.param(field("a", b"1234") + END, {"max_part_size": 4}, [("a", "1234")], id="R34-exactly"),
        pytest.param(field("a", b"12345") + field("b") + END, {"max_part_size": 4}, TOO_LARGE, id="R34-one-more"),
        pytest.param(field("a", b"12345") + END, {"max_part_size": 4}, TOO_LARGE, id="R34-in-the-last-part"),
        pytest.param(
            file("a", "x", b"12345") + END,
            {"max_part_size": 4},
            [("a", ("x", 5, b"12345", raw('form-data; name="a"; filename="x"')))],
            id="R31-files-are-not-limited",
        ),
    ],
)
def test_limits_are_the_same_at_every_split(body: bytes, limits: dict[str, Any], expected: object) -> None:
    assert at_every_split(body, **limits) == expected


def test_default_limits() -> None:  # T09.1
    # R14, R15, R33, R34
    assert outcome(parser(field("a") * 1001 + END)) == "Too many fields. Maximum number of fields is 1000."
    assert outcome(parser(file("a", "x") * 1001 + END)) == "Too many files. Maximum number of files is 1000."
    alternating = (file("a", "x") + field("b")) * 1001 + END
    assert outcome(parser(alternating)) == "Too many files. Maximum number of files is 1000."
    assert len(outcome(parser((file("a", "x") + field("b")) * 1000 + END))) == 2000
    large = field("a", b"x" * (1024 * 1024 + 1)) + END
    assert outcome(parser(large)) == "Part exceeded maximum size of 1024KB."
    assert outcome(parser(large, max_part_size=10240)) == "Part exceeded maximum size of 10KB."
    assert MultiPartParser.spool_max_size == MultiPartParser.max_part_size == 1024 * 1024
    assert parser(max_part_size=5).max_part_size == 5
    with pytest.raises(TypeError):
        MultiPartParser(Headers(), stream(), 5)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(field("a") * 3, id="fields"),
        pytest.param(file("f", "x") * 3, id="files"),
        pytest.param(field("a", b"x" * 100), id="size"),
    ],
)
def test_nothing_is_read_after_a_limit(body: bytes) -> None:
    # T09.1
    with pytest.raises(MultiPartException):
        reading = parser(body, AssertionError("read on"), max_fields=2, max_files=2, max_part_size=50)  # type: ignore[arg-type]
        run(reading.parse())


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        pytest.param("multipart/form-data; boundary=B", [("a", "1")], id="R16-plain"),
        pytest.param("whatever; boundary=B", [("a", "1")], id="R16-any-media-type"),
        pytest.param('multipart/form-data; BOUNDARY="B"', [("a", "1")], id="R17-quoted"),
        pytest.param("multipart/form-data;boundary=B ; charset=utf-8", [("a", "1")], id="R17-spacing"),
        pytest.param("multipart/form-data", "Missing boundary in multipart.", id="R18-no-parameters"),
        pytest.param("multipart/form-data; a=b", "Missing boundary in multipart.", id="R18-no-boundary"),
        pytest.param("multipart/form-data; boundary=", INVALID, id="R36-empty"),
        pytest.param("multipart/form-data; boundary=" + "B" * 257, INVALID, id="R37-long"),
        pytest.param('multipart/form-data; boundary="B\r\n--B"', INVALID, id="T09.6-line-end-inside"),
    ],
)
def test_the_boundary_comes_from_the_content_type(content_type: str, expected: object) -> None:
    assert at_every_split(field("a", b"1") + END, content_type) == expected


def test_the_longest_boundary() -> None:
    # R37
    boundary = b"B" * 256
    body = part('form-data; name="a"', boundary=boundary) + b"--" + boundary + b"--"
    assert outcome(parser(body, content_type=f"multipart/form-data; boundary={boundary.decode()}")) == [("a", "")]


def test_a_request_without_content_type() -> None:
    # R16
    with pytest.raises(KeyError, match="Content-Type"):
        run(MultiPartParser(Headers(), stream()).parse())


def test_syntax_errors_keep_their_cause_and_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    # R36, R40
    with caplog.at_level(logging.DEBUG), pytest.raises(MultiPartException) as info:
        run(parser(b"garbage" * 1000).parse())
    assert isinstance(info.value.__cause__, ValueError)
    assert len(caplog.records) <= 1
    with pytest.raises(MultiPartException) as info:
        run(parser(content_type="multipart/form-data; boundary=" + "B" * 257).parse())
    assert isinstance(info.value.__cause__, ValueError)


def test_nothing_is_logged_for_good_bodies(caplog: pytest.LogCaptureFixture) -> None:
    # T25, section 1: no log line per octet or per part
    body = (field("a", b"\r\n--Bx" * 50) + file("f", "x")) * 20 + END + b"\r\nepilogue" * 1000
    with caplog.at_level(logging.DEBUG):
        at_every_split(body[:2000])
        outcome(parser(body))
        outcome(parser(*[body[index : index + 1] for index in range(len(body))]))
    assert not caplog.records


@pytest.mark.parametrize(
    ("charset", "octets", "expected"),
    [
        pytest.param(None, "é文".encode(), "é文", id="R21-default"),
        pytest.param("utf-8", b"\xe9", "é", id="R20-bad-octets"),
        pytest.param("invalid-charset", b"\xe9", "é", id="R20-unknown"),
        pytest.param("", b"\xe9", "é", id="R19-empty"),
        pytest.param("iso-8859-15", b"\xa4", "€", id="R20-other"),
        pytest.param("punycode", b"a-b", "a-b", id="T09.5-punycode"),
        pytest.param("hex", b"41", "41", id="T09.5-hex"),
        pytest.param("u\0", b"\xe9", "é", id="D2-nul"),
    ],
)
@pytest.mark.parametrize("kind", [MultiPartParser, Plain])
def test_names_file_names_and_values_are_decoded(
    kind: type[MultiPartParser], charset: str | None, octets: bytes, expected: str
) -> None:
    content_type = "multipart/form-data; boundary=B" + ("" if charset is None else f"; charset={charset}")
    head = b'--B\r\nContent-Disposition: form-data; name="' + octets + b'"'
    body = head + b"\r\n\r\n" + octets + b"\r\n" + head + b'; filename="' + octets + b'"\r\n\r\n\r\n' + END
    found: Any = outcome(parser(body, kind=kind, content_type=content_type))
    (name, value), (file_name, upload) = found
    assert (name, value, file_name, upload[0]) == (expected,) * 4


def test_charsets_of_parts_have_no_effect() -> None:
    # R22
    body = part('form-data; name="_charset_"', b"latin-1")
    body += part('form-data; name="a"', "é".encode(), "Content-Type: text/plain; charset=latin-1") + END
    assert outcome(parser(body)) == [("_charset_", "latin-1"), ("a", "é")]


@pytest.mark.parametrize("charset", ["counted-charset-a", "utf-8-of-ours"])
def test_the_charset_is_looked_up_once(charset: str) -> None:
    # R19
    searched: list[str] = []

    def search(name: str) -> codecs.CodecInfo | None:
        if name.startswith(("counted", "utf_8_of_ours")):
            searched.append(name)
        return codecs.lookup("utf-8") if name.startswith("utf_8_of_ours") else None

    codecs.register(search)
    try:
        body = field("a", b"\xc3\xa9") * 50 + file("f", "x") * 5 + END
        outcome(parser(body, content_type=f"multipart/form-data; boundary=B; charset={charset}"))
    finally:
        codecs.unregister(search)
    assert len(searched) == 1


PIECES = st.sampled_from(
    [
        b"--B",
        b"\r\n--B",
        b"\r\n",
        b"\r",
        b"\n",
        b"--",
        b"-",
        b" ",
        b"B",
        b":",
        b"\0",
        b"x",
        b"--B\r\n",
        b"\r\n--B\r\n",
        b"\r\n--B--",
        b"A: 1\r\n",
        b'Content-Disposition: form-data; name="a"',
        b'Content-Disposition: form-data; name="a"\r\n\r\n',
        b'Content-Disposition: form-data; name="f"; filename="g"\r\n\r\n',
        field("a", b"1"),
        file("f", "x", b"2"),
        END,
    ]
)


@given(st.lists(PIECES, max_size=12), st.lists(st.integers(0, 400), max_size=8), st.integers(0, 3))
@settings(max_examples=200, deadline=None)
def test_any_octets_mean_the_same_at_every_split(pieces: list[bytes], cuts: list[int], limit: int) -> None:
    # T09.2, T09.6
    body = b"".join(pieces)
    limits: dict[str, Any] = {"max_fields": limit + 1, "max_files": limit + 1, "max_part_size": limit + 2}
    whole = outcome(parser(body, kind=Plain, **limits))
    octets = [body[index : index + 1] for index in range(len(body))]
    for kind in (MultiPartParser, Plain):
        assert outcome(parser(body, kind=kind, **limits)) == whole
        assert outcome(parser(*split(body, cuts), kind=kind, **limits)) == whole
        assert outcome(parser(*octets, kind=kind, **limits)) == whole


@given(
    st.lists(st.tuples(st.booleans(), st.binary(max_size=30)), max_size=6),
    st.lists(st.integers(0, 600), max_size=8),
)
@settings(max_examples=200, deadline=None)
def test_forms_survive_the_way_through_a_body(contents: list[tuple[bool, bytes]], cuts: list[int]) -> None:
    # R28, R29
    boundary = b"unlikely-7b1c"
    pieces = []
    for is_file, content in contents:
        pieces.append(part(f'form-data; name="n"{"; filename=" * is_file}{"x" * is_file}', content, boundary=boundary))
    body = b"".join(pieces) + b"--" + boundary + b"--\r\n"
    found = outcome(
        parser(*split(body, cuts), content_type=f"multipart/form-data; boundary={boundary.decode()}; charset=latin-1")
    )
    assert not isinstance(found, str)
    assert [
        value[2] if is_file else value.encode("latin-1")
        for (_, value), (is_file, _) in zip(found, contents, strict=True)
    ] == [content for _, content in contents]


@pytest.mark.parametrize("chunk", [1, 777, 1_000_000])
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda n: b"\r\n" * n + END, id="T25-preamble"),
        pytest.param(lambda n: END + b"-" * n, id="T25-epilogue"),
        pytest.param(lambda n: field("a", b"\r\n--Bx" * n) + END, id="T25-near-delimiters"),
        pytest.param(lambda n: field("a", b"\r" * n) + END, id="T25-carriage-returns"),
        pytest.param(lambda n: field("a") * (n // 50) + END, id="T25-parts"),
        pytest.param(lambda n: b"--B\r\nA: " + b"x" * n, id="T25-header"),
        pytest.param(lambda n: part('form-data; name="a' + '\\"' * min(n, 2000) + '"') + END, id="T25-parameters"),
    ],
)
def test_time_grows_linearly(make: Any, chunk: int) -> None:
    def work(size: int) -> None:
        body = make(size)
        outcome(parser(*[body[start : start + chunk] for start in range(0, len(body), chunk)], max_fields=10**9))

    assert per_doubling(work, 1_000 if chunk == 1 else 8_000) < 3.2


def test_parameters_of_the_content_type_take_linear_time() -> None:
    # T25
    def work(size: int) -> None:
        outcome(parser(END, content_type="multipart/form-data; boundary=B" + '; a="b\\"' * size))

    assert per_doubling(work, 2_000) < 3.2


def test_parts_are_data() -> None:  # T09.7
    # R1; the class is public
    assert MultipartPart() == MultipartPart(None, "", bytearray(), None, [])
    assert MultipartPart().item_headers is not MultipartPart().item_headers


def test_safe_decoding() -> None:
    # COMPAT: other packages import it by name
    assert _user_safe_decode(b"\xc3\xa9", "utf-8") == "é"
    assert _user_safe_decode(bytearray(b"\xe9"), "utf-8") == "é"
    assert _user_safe_decode(b"\xe9", "no-such-codec") == "é"


def test_a_limit_is_an_exception_of_the_bare_application_and_a_400_inside_of_a_framework() -> None:
    # R54
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async with Request(scope, receive).form(max_fields=1):
            raise AssertionError("the form must not be read")

    body, headers = field("a") + field("b") + END, {"content-type": "multipart/form-data; boundary=B"}
    with pytest.raises(MultiPartException, match="Too many fields"):
        TestClient(app).post("/", content=body, headers=headers)
    inside = TestClient(Starlette(routes=[Mount("/", app=app)])).post("/", content=body, headers=headers)
    assert (inside.status_code, inside.text) == (400, "Too many fields. Maximum number of fields is 1.")


def test_answers_in_several_ranges_are_read_by_the_library_too(tmp_path: Path) -> None:
    # R55
    (tmp_path / "a").write_bytes(b"0123456789")
    client = TestClient(FileResponse(tmp_path / "a"))
    response = client.get("/", headers={"range": "bytes=0-1, 5-6"})
    boundary = response.headers["content-type"].partition("boundary=")[2]
    found: list[bytes] = []
    reader = MultipartParser(
        boundary,
        {"on_part_data": lambda data, start, end: found.append(bytes(data[start:end]))},
    )
    reader.write(response.content)
    assert b"".join(found) == b"0156"
