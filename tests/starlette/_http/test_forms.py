"""Pure parts of form parsing: formparsers R17 to R26, threats T09.5."""

from __future__ import annotations

import codecs
import encodings
import pkgutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_multipart.multipart import parse_options_header

from starlette._http.forms import (
    CHARACTER_SETS,
    canonical_boundary,
    canonical_disposition,
    charset_codec,
)


@pytest.mark.parametrize(
    ("charset", "expected"),
    [
        pytest.param("utf-8", "utf-8", id="R19-usual"),
        pytest.param("UTF8", "utf-8", id="R19-alias"),
        pytest.param("Shift_JIS", "shift_jis", id="R19-other-set"),
        pytest.param("windows-1252", "cp1252", id="R19-windows"),
        pytest.param("", "latin-1", id="R19-empty"),
        pytest.param("no-such-charset", "latin-1", id="R19-unknown"),
        pytest.param("u\0", "latin-1", id="D2-nul"),
        pytest.param("é", "latin-1", id="T09.5-no-ascii"),
        pytest.param("utf-8" + "8" * 100_000, "latin-1", id="T09.5-endless"),
        pytest.param("utf-7", "latin-1", id="T09.5-spells-lone-surrogates"),
        *[
            pytest.param(name, "latin-1", id=f"T09.5-{name}")
            for name in ("punycode", "idna", "unicode_escape", "raw_unicode_escape", "undefined", "charmap", "palmos")
        ],
        *[
            pytest.param(name, "latin-1", id=f"T09.5-{name}")
            for name in ("hex", "base64", "zlib", "bz2", "rot13", "quopri", "uu")
        ],
    ],
)
def test_only_character_sets_are_used(charset: str, expected: str) -> None:
    assert charset_codec(charset) == expected


@given(st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_every_charset_can_be_decoded_with(charset: str) -> None:
    b"\xff".decode(charset_codec(charset), "replace")


def test_character_sets_are_the_text_encodings_of_python_without_its_own() -> None:
    # A codec that a later Python adds is judged here.
    known = {codecs.lookup(name).name for name in CHARACTER_SETS}
    for module in pkgutil.iter_modules(encodings.__path__):
        try:
            info = codecs.lookup(module.name)
        except LookupError:
            continue  # not on this platform, or no codec
        if info._is_text_encoding and info.name not in known:
            assert info.name.replace("-", "_") in {
                "charmap",
                "idna",
                "palmos",
                "punycode",
                "raw_unicode_escape",
                "undefined",
                "unicode_escape",
                "utf_7",
            }


@pytest.mark.parametrize("charset", sorted(CHARACTER_SETS))
def test_no_character_set_gives_text_that_cannot_be_sent(charset: str) -> None:
    # T09.5: every pair of octets that decodes can be encoded again as UTF-8.
    for first in range(0, 256, 5):
        for second in range(0, 256, 5):
            try:
                text = bytes([first, second]).decode(charset)
            except UnicodeError:
                continue
            text.encode("utf-8")


def test_unknown_charsets_are_not_remembered() -> None:
    # R09.3 of the threats: the `encodings` package would keep each name for ever.
    charset_codec("unknown-charset-1")
    before = len(encodings._cache)
    for number in range(50):
        charset_codec(f"unknown-charset-{number}")
    assert len(encodings._cache) == before
    assert charset_codec("utf-8") == "utf-8"


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        pytest.param("multipart/form-data; boundary=B", "B", id="plain"),
        pytest.param(
            "multipart/form-data; boundary=----WebKitFormBoundary7MA4", "----WebKitFormBoundary7MA4", id="web"
        ),
        pytest.param('multipart/form-data; boundary="B"', None, id="R17-quoted"),
        pytest.param("multipart/form-data; BOUNDARY=B", None, id="R17-upper-case"),
        pytest.param("multipart/form-data; boundary=B; charset=utf-8", None, id="R19-charset-behind"),
        pytest.param("multipart/form-data; charset=utf-8; boundary=B", None, id="R19-charset-before"),
        pytest.param("multipart/form-data; boundary=", None, id="R36-empty"),
        pytest.param("multipart/form-data", None, id="R18-missing"),
        pytest.param("multipart/form-data; boundary=a b", None, id="blank"),
    ],
)
def test_plain_boundaries_are_read_at_once(field: str, expected: str | None) -> None:
    assert canonical_boundary(field) == expected
    if expected is not None:
        assert parse_options_header(field)[1] == {b"boundary": expected.encode()}


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        pytest.param(b'form-data; name="a"', (b"a", None), id="field"),
        pytest.param(b'form-data; name=""', (b"", None), id="R24-empty-name"),
        pytest.param(b'form-data; name="a;b"', (b"a;b", None), id="R24-semicolon"),
        pytest.param(b'form-data; name="a"; filename="b.txt"', (b"a", b"b.txt"), id="file"),
        pytest.param(b'form-data; name="a"; filename=""', (b"a", b""), id="R23-empty-filename"),
        pytest.param(rb'form-data; name="a\"b"', None, id="R24-escape"),
        pytest.param(rb'form-data; name="a"; filename="C:\x.txt"', None, id="R25-windows-path"),
        pytest.param(b"form-data; name=a", None, id="R24-unquoted"),
        pytest.param(b'form-data; name="a', None, id="open"),
        pytest.param(b'form-data; name="a"; x="y"', None, id="further-parameter"),
        pytest.param(b'form-data; name="a"; filename="b"; x=y', None, id="parameter-behind"),
        pytest.param(b'form-data; name="a"; filename="b', None, id="open-filename"),
        pytest.param(b'attachment; name="a"', None, id="R23-other-type"),
    ],
)
def test_plain_dispositions_are_read_at_once(field: bytes, expected: tuple[bytes, bytes | None] | None) -> None:
    assert canonical_disposition(field) == expected


@given(
    st.lists(
        st.sampled_from(
            [b'form-data; name="', b'"', b'; filename="', b"a", b"\\", b";", b"=", b" ", b"*", b":", b"name", b"\xe9"]
        ),
        max_size=9,
    )
)
@settings(max_examples=200, deadline=None)
def test_dispositions_read_at_once_are_those_of_the_library(pieces: list[bytes]) -> None:
    field = b'form-data; name="' + b"".join(pieces)
    found = canonical_disposition(field)
    if found is not None:
        options = parse_options_header(field)[1]
        assert found == (options[b"name"], options.get(b"filename"))
