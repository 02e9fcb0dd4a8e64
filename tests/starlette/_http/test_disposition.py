"""Content-Disposition for downloads."""

from __future__ import annotations

import pytest

from starlette._http.disposition import content_disposition


@pytest.mark.parametrize(
    ("kind", "filename", "expected"),
    [
        pytest.param("attachment", "example.png", 'attachment; filename="example.png"', id="R41-plain"),
        pytest.param("inline", "hello.txt", 'inline; filename="hello.txt"', id="R41-inline"),
        pytest.param(
            "attachment", "你好.txt", "attachment; filename*=utf-8''%E4%BD%A0%E5%A5%BD.txt", id="R41-other-script"
        ),
        pytest.param("attachment", 'a"b', "attachment; filename*=utf-8''a%22b", id="T03-quote"),
        pytest.param("attachment", "a\r\nb", "attachment; filename*=utf-8''a%0D%0Ab", id="T03-line-break"),
        pytest.param("attachment", "", 'attachment; filename=""', id="R41-empty"),
        pytest.param("attachment", "a/b", 'attachment; filename="a/b"', id="R41-slash"),
    ],
)
def test_names_are_quoted_or_encoded(kind: str, filename: str, expected: str) -> None:
    assert content_disposition(kind, filename) == expected
