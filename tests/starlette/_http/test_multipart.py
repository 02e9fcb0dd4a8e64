"""Parts that need no judgement: formparsers R36, R37, threats T09.6, T09.7. Splits are tested with the whole parser."""

from __future__ import annotations

import pytest

from starlette._http.multipart import complete_part

HEAD = b'Content-Disposition: form-data; name="a"'


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(HEAD + b"\r\n\r\nx\r\n--B", id="delimiter-may-go-on"),
        pytest.param(HEAD + b"\r\n\r\nx\r\n--B--\r\n", id="last"),
        pytest.param(HEAD + b"\r\n\r\nx", id="content-goes-on"),
        pytest.param(HEAD + b"\r\n", id="headers-go-on"),
        pytest.param(b"\r\n\r\nx\r\n--B\r\n", id="no-headers"),
        pytest.param(b"no colon\r\n\r\nx\r\n--B\r\n", id="T09.7-no-colon"),
        pytest.param(b": x\r\n\r\nx\r\n--B\r\n", id="R36-no-name"),
        pytest.param(b"a b: x\r\n\r\nx\r\n--B\r\n", id="T09.7-blank-in-name"),
        pytest.param(b"a: x\ry\r\n\r\nx\r\n--B\r\n", id="lone-cr"),
        pytest.param(b"a: " + b"x" * 4096 + b"\r\n\r\nx\r\n--B\r\n", id="R37-long"),
        pytest.param(b"a: x\r\n" * 8 + HEAD + b"\r\n\r\nx\r\n--B\r\n", id="R37-many"),
    ],
)
def test_parts_that_need_judgement_are_left_alone(data: bytes) -> None:
    assert complete_part(data, 0, b"\r\n--B") is None


def test_a_complete_part_is_found() -> None:
    data = b"--B\r\n" + HEAD + b"\r\nX-A:  b c \r\n\r\nhello\r\n--B\r\n"
    found = complete_part(data, 5, b"\r\n--B")
    assert found is not None
    fields, start, end = found
    assert fields == [(b"content-disposition", b'form-data; name="a"'), (b"x-a", b"b c ")]
    assert data[start:end] == b"hello"
