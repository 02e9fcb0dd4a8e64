"""`starlette._http.session_cookie` (sessions R5-R7, R14, threats T08)."""

from __future__ import annotations

import base64
import copy
import json
import pickle
from typing import Any

import itsdangerous
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from starlette._http.session_cookie import Seal, dump_session, load_session
from tests.growth import per_doubling

NOW = 1_790_000_000
KEY = b"a key"


class Signer(itsdangerous.TimestampSigner):
    """The library's signer with a clock that stands."""

    now = NOW

    def get_timestamp(self) -> int:
        return self.now


def outcome(signed: bytes, max_age: int | None) -> bytes | None:
    """What the library says."""
    try:
        return Signer(KEY).unsign(signed, max_age=max_age)
    except itsdangerous.BadSignature:
        return None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.binary(max_size=50), st.binary(max_size=80), st.integers(2**24, 2**32 - 1))
@settings(max_examples=200, deadline=None)
def test_a_seal_signs_as_the_library_does(key: bytes, payload: bytes, now: int) -> None:  # R5, T08.1
    signer = Signer(key)
    signer.now = now
    signed = Seal(key).sign(payload, now)
    assert signed == signer.sign(payload)
    assert Seal(key).verify(signed, now, 0) == payload


@given(st.binary(max_size=120), st.sampled_from([None, -1, 0, 100]))
@example(b"+++++A", None)  # a time without a value
@example(b"x.A!!!!!", None)  # a time that is no base64
@settings(max_examples=200, deadline=None)
def test_a_seal_accepts_nothing_that_the_library_refuses(junk: bytes, max_age: int | None) -> None:  # R6, T08.2
    for signed in (junk, junk + b"." + Seal(KEY).signature(junk)):
        payload = Seal(KEY).verify(signed, NOW, max_age)
        assert payload is None or payload == outcome(signed, max_age)


@pytest.mark.parametrize(
    ("age", "max_age", "valid"),
    [
        pytest.param(0, 0, True, id="R6-within-the-same-second"),
        pytest.param(0, -1, False, id="R6-always-expired"),
        pytest.param(100, 100, True, id="R5-just-valid"),
        pytest.param(101, 100, False, id="R6-expired"),
        pytest.param(10**9, None, True, id="R5-no-check"),
        pytest.param(-1, 100, False, id="T08.1-from-the-future"),
        pytest.param(-1, None, True, id="R5-no-check-of-the-future"),
    ],
)
def test_the_age_is_checked(age: int, max_age: int | None, valid: bool) -> None:
    signed = Seal(KEY).sign(b"x", NOW - age)
    assert Seal(KEY).verify(signed, NOW, max_age) == (b"x" if valid else None)
    assert (outcome(signed, max_age) is not None) is valid


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda signed: signed[:-1], id="shorter"),
        pytest.param(lambda signed: b"A" + signed, id="other-payload"),
        pytest.param(lambda signed: signed.replace(b".", b"!", 1), id="no-stamp"),
        pytest.param(lambda signed: signed.rpartition(b".")[0], id="no-signature"),
        pytest.param(lambda signed: b"", id="empty"),
        pytest.param(lambda signed: b"..", id="dots"),
        pytest.param(lambda signed: Seal(b"another").sign(b"x", NOW), id="another-key"),
    ],
)
def test_what_was_changed_is_refused(change: Any) -> None:  # R6, T08.1
    assert Seal(KEY).verify(change(Seal(KEY).sign(b"x", NOW)), NOW, None) is None


@pytest.mark.parametrize("stamp", [b"", b"AA", b"!!!!!!", b"AAAAAAAA", b"\xff" * 6])
def test_a_signed_value_without_a_usable_stamp_is_left_to_the_library(stamp: bytes) -> None:  # T08.2
    value = b"x." + stamp
    assert Seal(KEY).verify(value + b"." + Seal(KEY).signature(value), NOW, None) is None


def test_a_seal_can_be_copied_and_pickled() -> None:
    seal = Seal(KEY)
    for twin in (copy.deepcopy(seal), pickle.loads(pickle.dumps(seal))):
        assert twin.signature(b"x") == seal.signature(b"x")


def test_the_example_of_the_format() -> None:  # R14
    assert dump_session({"a": 1}) == b"eyJhIjogMX0="
    assert load_session(b"eyJhIjogMX0=") == {"a": 1}


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
@settings(max_examples=100, deadline=None)
def test_sessions_are_written_as_json_writes_them(session: dict[str, Any]) -> None:  # R14
    assert dump_session(session) == base64.b64encode(json.dumps(session).encode())
    assert load_session(dump_session(session)) == session


def test_what_json_cannot_hold_is_an_error() -> None:  # R20, T08.7
    with pytest.raises(TypeError, match="not JSON serializable"):
        dump_session({"a": object()})
    cycle: dict[str, Any] = {}
    cycle["self"] = cycle
    with pytest.raises(ValueError, match="Circular reference"):
        dump_session(cycle)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"%%%", id="T08.3-no-base64"),
        pytest.param(b"YQ", id="T08.3-padding"),
        pytest.param(base64.b64encode(b"{"), id="T08.3-no-json"),
        pytest.param(base64.b64encode(b"\xff\xfe"), id="T08.3-no-utf-8"),
        pytest.param(base64.b64encode(b"[1]"), id="T08.3-a-list"),
        pytest.param(base64.b64encode(b"null"), id="T08.3-null"),
        pytest.param(base64.b64encode(b"[" * 200_000), id="T08.3-too-deep"),
        pytest.param(base64.b64encode(b'{"a":' + b"9" * 5000 + b"}"), id="T08.3-too-many-digits"),
        pytest.param(b"", id="T08.3-empty"),
    ],
)
def test_a_payload_that_is_no_object_is_no_session(payload: bytes) -> None:
    assert load_session(payload) is None


@given(st.binary(max_size=100))
@settings(max_examples=200, deadline=None)
def test_no_payload_raises(payload: bytes) -> None:  # T08.3
    load_session(payload)
    load_session(base64.b64encode(payload))


def test_verifying_takes_linear_time() -> None:  # T25
    seal = Seal(KEY)
    assert per_doubling(lambda size: seal.verify(b"." * size, NOW, None), 100_000) < 3
