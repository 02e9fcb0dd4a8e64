"""`starlette._asgi.signals`."""

from __future__ import annotations

import pytest

from starlette._asgi.signals import is_only


@pytest.mark.parametrize(
    ("exc", "expected"),
    [
        (KeyError("x"), True),
        (ValueError("x"), False),
        (ExceptionGroup("g", [KeyError("x"), ExceptionGroup("h", [IndexError("y")])]), True),
        (ExceptionGroup("g", [KeyError("x"), ValueError("y")]), False),
        (BaseExceptionGroup("g", [KeyError("x"), KeyboardInterrupt()]), False),
    ],
)
def test_groups_count_by_what_is_in_them(exc: BaseException, expected: bool) -> None:
    assert is_only(exc, (KeyError, IndexError)) is expected
