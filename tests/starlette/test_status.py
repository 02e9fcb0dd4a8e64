"""Status constants, names that are deprecated, names that are gone."""

from __future__ import annotations

import http
import re
import subprocess
import sys
import warnings

import pytest

from starlette import status
from starlette.exceptions import StarletteDeprecationWarning

HTTP_NAMES = """
100_CONTINUE 101_SWITCHING_PROTOCOLS 102_PROCESSING 103_EARLY_HINTS 200_OK 201_CREATED 202_ACCEPTED
203_NON_AUTHORITATIVE_INFORMATION 204_NO_CONTENT 205_RESET_CONTENT 206_PARTIAL_CONTENT 207_MULTI_STATUS
208_ALREADY_REPORTED 226_IM_USED 300_MULTIPLE_CHOICES 301_MOVED_PERMANENTLY 302_FOUND 303_SEE_OTHER
304_NOT_MODIFIED 305_USE_PROXY 306_RESERVED 307_TEMPORARY_REDIRECT 308_PERMANENT_REDIRECT 400_BAD_REQUEST
401_UNAUTHORIZED 402_PAYMENT_REQUIRED 403_FORBIDDEN 404_NOT_FOUND 405_METHOD_NOT_ALLOWED 406_NOT_ACCEPTABLE
407_PROXY_AUTHENTICATION_REQUIRED 408_REQUEST_TIMEOUT 409_CONFLICT 410_GONE 411_LENGTH_REQUIRED
412_PRECONDITION_FAILED 413_CONTENT_TOO_LARGE 414_URI_TOO_LONG 415_UNSUPPORTED_MEDIA_TYPE 416_RANGE_NOT_SATISFIABLE
417_EXPECTATION_FAILED 418_IM_A_TEAPOT 421_MISDIRECTED_REQUEST 422_UNPROCESSABLE_CONTENT 423_LOCKED
424_FAILED_DEPENDENCY 425_TOO_EARLY 426_UPGRADE_REQUIRED 428_PRECONDITION_REQUIRED 429_TOO_MANY_REQUESTS
431_REQUEST_HEADER_FIELDS_TOO_LARGE 451_UNAVAILABLE_FOR_LEGAL_REASONS 500_INTERNAL_SERVER_ERROR 501_NOT_IMPLEMENTED
502_BAD_GATEWAY 503_SERVICE_UNAVAILABLE 504_GATEWAY_TIMEOUT 505_HTTP_VERSION_NOT_SUPPORTED
506_VARIANT_ALSO_NEGOTIATES 507_INSUFFICIENT_STORAGE 508_LOOP_DETECTED 510_NOT_EXTENDED
511_NETWORK_AUTHENTICATION_REQUIRED
"""

WEBSOCKET_NAMES = """
1000_NORMAL_CLOSURE 1001_GOING_AWAY 1002_PROTOCOL_ERROR 1003_UNSUPPORTED_DATA 1005_NO_STATUS_RCVD
1006_ABNORMAL_CLOSURE 1007_INVALID_FRAME_PAYLOAD_DATA 1008_POLICY_VIOLATION 1009_MESSAGE_TOO_BIG 1010_MANDATORY_EXT
1011_INTERNAL_ERROR 1012_SERVICE_RESTART 1013_TRY_AGAIN_LATER 1014_BAD_GATEWAY 1015_TLS_HANDSHAKE
"""

RENAMED = [
    ("HTTP_413_REQUEST_ENTITY_TOO_LARGE", "HTTP_413_CONTENT_TOO_LARGE", 413),
    ("HTTP_414_REQUEST_URI_TOO_LONG", "HTTP_414_URI_TOO_LONG", 414),
    ("HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE", "HTTP_416_RANGE_NOT_SATISFIABLE", 416),
    ("HTTP_422_UNPROCESSABLE_ENTITY", "HTTP_422_UNPROCESSABLE_CONTENT", 422),
]

NAMES = {f"HTTP_{name}" for name in HTTP_NAMES.split()} | {f"WS_{name}" for name in WEBSOCKET_NAMES.split()}


def test_all_names_are_there_and_no_more() -> None:
    # status R1, R2, R3
    assert set(status.__all__) == NAMES
    assert len(status.__all__) == len(NAMES) == 63 + 15


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_constant_is_the_number_in_its_name(name: str) -> None:
    # status R1
    value = vars(status)[name]
    assert type(value) is int
    assert value == int(re.findall(r"\d+", name)[0])


@pytest.mark.parametrize("code", sorted(http.HTTPStatus))
def test_every_code_of_the_standard_library_has_a_constant(code: http.HTTPStatus) -> None:
    assert any(name.startswith(f"HTTP_{code.value}_") for name in status.__all__)


def test_a_star_import_binds_no_deprecated_name() -> None:
    # status R1; warnings are errors here
    namespace: dict[str, object] = {}
    exec("from starlette.status import *", namespace)
    assert set(namespace) - {"__builtins__"} == NAMES


@pytest.mark.parametrize(("old", "new", "value"), RENAMED)
def test_a_renamed_constant_warns_on_every_access(old: str, new: str, value: int) -> None:
    # status R4, R5, D1
    for _ in range(2):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert getattr(status, old) == value
        (warning,) = caught
        assert warning.category is StarletteDeprecationWarning
        assert str(warning.message) == f"{old!r} is deprecated. Use {new!r} instead."
        assert warning.filename == __file__
    assert getattr(status, new) == value


def test_a_renamed_constant_can_be_imported() -> None:
    # status R4
    namespace: dict[str, object] = {}
    with pytest.warns(StarletteDeprecationWarning, match="HTTP_422_UNPROCESSABLE_CONTENT"):
        exec("from starlette.status import HTTP_422_UNPROCESSABLE_ENTITY", namespace)
    assert namespace["HTTP_422_UNPROCESSABLE_ENTITY"] == 422


def test_the_warning_is_shown_by_default() -> None:
    # status R5
    assert issubclass(StarletteDeprecationWarning, UserWarning)
    assert not issubclass(StarletteDeprecationWarning, DeprecationWarning)
    assert status.StarletteDeprecationWarning is StarletteDeprecationWarning


@pytest.mark.parametrize("name", ["WS_1016_NO_SUCH_CODE", "HTTP_299_FINE"])
def test_another_name_is_an_attribute_error(name: str) -> None:
    # status R6
    with pytest.raises(AttributeError) as caught:
        getattr(status, name)
    assert str(caught.value) == f"module 'starlette.status' has no attribute {name!r}"


def test_dir_lists_the_deprecated_names_too() -> None:
    # status R7
    assert dir(status) == sorted([*NAMES, *(old for old, _, _ in RENAMED)])
    assert status.__deprecated__ == {old: value for old, _, value in RENAMED}


def test_importing_does_not_warn() -> None:
    # status R8
    subprocess.run([sys.executable, "-W", "error", "-c", "import starlette.status"], check=True)
