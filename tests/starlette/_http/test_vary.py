"""`starlette._http.vary` (gzip R15, sessions R13)."""

from __future__ import annotations

import pytest

from starlette._http.vary import add_vary


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param([], [(b"vary", b"Cookie")], id="R13-absent"),
        pytest.param([(b"vary", b"Accept")], [(b"vary", b"Accept, Cookie")], id="R13-joined"),
        pytest.param(
            [(b"vary", b"Accept"), (b"a", b"b"), (b"Vary", b"Origin")],
            [(b"vary", b"Accept, Origin, Cookie"), (b"a", b"b")],
            id="R15-several-lines-become-one",
        ),
        pytest.param(
            [(b"vary", b"accept , cookie")], [(b"vary", b"accept , cookie")], id="D4-D6-there-in-another-case"
        ),
        pytest.param([(b"vary", b"*")], [(b"vary", b"*")], id="D6-a-star-is-everything"),
        pytest.param(
            [(b"vary", b"Accept"), (b"vary", b"Cookie")],
            [(b"vary", b"Accept"), (b"vary", b"Cookie")],
            id="D6-there-in-another-line",
        ),
        pytest.param([(b"vary", b"X-Cookie")], [(b"vary", b"X-Cookie, Cookie")], id="D6-a-longer-name-is-another"),
    ],
)
def test_a_name_is_added_once(before: list[tuple[bytes, bytes]], after: list[tuple[bytes, bytes]]) -> None:
    fields = list(before)
    add_vary(fields, b"Cookie")
    assert fields == after
