"""`starlette.exceptions` (exceptions section A)."""

from __future__ import annotations

import copy
import http
import http.client
import pickle
from types import MappingProxyType
from typing import Any

import pytest

import starlette.exceptions
from starlette.exceptions import HTTPException, StarletteDeprecationWarning, WebSocketException


class Gone(HTTPException):
    """A subclass, whose name shows in the representation."""


class PolicyError(WebSocketException):
    """A subclass, whose name shows in the representation."""


class Quota(HTTPException):
    """A subclass with a constructor of its own."""

    def __init__(self, left: int) -> None:
        super().__init__(429, f"{left} left")
        self.left = left


# exceptions R1
def test_an_http_exception_keeps_what_it_was_given() -> None:
    fields = MappingProxyType({"x-a": "b"})
    exc = HTTPException(404, "gone", fields)
    assert (exc.status_code, exc.detail, exc.headers) == (404, "gone", fields)
    assert exc.headers is fields
    assert HTTPException(status_code=404).headers is None


@pytest.mark.parametrize(
    ("status", "detail", "expected"),
    [
        pytest.param(404, None, "Not Found", id="R2-the-standard-phrase"),
        pytest.param(422, None, http.client.responses[422], id="R2-the-phrase-of-this-python"),
        pytest.param(499, None, "", id="R2-no-phrase"),
        pytest.param(999, None, "", id="R2-no-such-status"),
        pytest.param(404, "", "", id="R2-an-empty-detail-is-kept"),
        pytest.param(400, {"loc": ["body"]}, {"loc": ["body"]}, id="R2-any-object"),
        pytest.param(http.HTTPStatus.NOT_FOUND, None, "Not Found", id="R2-an-enum-member"),
    ],
)
def test_the_detail_defaults_to_the_phrase(status: int, detail: Any, expected: Any) -> None:
    assert HTTPException(status, detail).detail == expected


@pytest.mark.parametrize(
    ("exc", "text", "shown"),
    [
        pytest.param(
            HTTPException(404),
            "404: Not Found",
            "HTTPException(status_code=404, detail='Not Found')",
            id="R3-R4-default",
        ),
        pytest.param(
            HTTPException(404, "Not Found: foo", {"name": "value"}),
            "404: Not Found: foo",
            "HTTPException(status_code=404, detail='Not Found: foo')",
            id="R3-R4-headers-are-not-shown",
        ),
        pytest.param(HTTPException(499), "499: ", "HTTPException(status_code=499, detail='')", id="R3-R4-no-phrase"),
        pytest.param(Gone(410), "410: Gone", "Gone(status_code=410, detail='Gone')", id="R4-subclass"),
        pytest.param(WebSocketException(1008), "1008: ", "WebSocketException(code=1008, reason='')", id="R6-no-reason"),
        pytest.param(
            PolicyError(1008, "Policy Violation"),
            "1008: Policy Violation",
            "PolicyError(code=1008, reason='Policy Violation')",
            id="R6-subclass",
        ),
    ],
)
def test_texts_of_exceptions(exc: Exception, text: str, shown: str) -> None:
    assert str(exc) == text
    assert repr(exc) == shown


def test_args_are_the_positional_arguments() -> None:  # exceptions R5
    assert HTTPException(404, "x").args == (404, "x")
    assert HTTPException(status_code=404).args == ()
    assert WebSocketException(1001, "x").args == (1001, "x")


def test_a_websocket_exception_keeps_code_and_reason() -> None:  # exceptions R6
    exc = WebSocketException(1001)
    assert (exc.code, exc.reason) == (1001, "")
    assert WebSocketException(code=1001, reason="away").reason == "away"


# exceptions D8
@pytest.mark.parametrize(
    "exc",
    [
        pytest.param(HTTPException(404, "x", {"a": "b"}), id="by-position"),
        pytest.param(HTTPException(status_code=404, detail="x", headers={"a": "b"}), id="by-keyword"),
        pytest.param(Quota(3), id="another-constructor"),
        pytest.param(WebSocketException(code=1001, reason="x"), id="websocket"),
    ],
)
def test_exceptions_can_be_pickled_and_copied(exc: Exception) -> None:
    exc.note = "kept"  # type: ignore[attr-defined]
    for twin in (pickle.loads(pickle.dumps(exc)), copy.copy(exc), copy.deepcopy(exc)):
        assert type(twin) is type(exc)
        assert (twin.args, vars(twin)) == (exc.args, vars(exc))


def test_deprecations_are_user_warnings() -> None:  # exceptions R7
    assert issubclass(StarletteDeprecationWarning, UserWarning)
    assert not issubclass(StarletteDeprecationWarning, DeprecationWarning)


@pytest.mark.parametrize("name", ["Nonsense", "ExceptionMiddlewar"])
def test_another_name_is_an_attribute_error(name: str) -> None:
    with pytest.raises(AttributeError, match=rf"module 'starlette\.exceptions' has no attribute '{name}'"):
        getattr(starlette.exceptions, name)
