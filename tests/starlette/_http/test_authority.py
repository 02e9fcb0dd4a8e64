"""`Host` values and server addresses (routing R24, datastructures R24-R28, threats T02)."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette import _utils, datastructures
from starlette._http.authority import ParsedHost, host_netloc, is_ipv6, parse_host_header, port_number, server_netloc

VALID = [
    pytest.param("example.org", "example.org", None, id="name"),
    pytest.param("Example.ORG:8000", "Example.ORG", "8000", id="case-is-kept"),
    pytest.param("127.0.0.1:80", "127.0.0.1", "80", id="ipv4"),
    pytest.param("[::1]", "[::1]", None, id="ipv6-keeps-its-brackets"),
    pytest.param("[::1]:8000", "[::1]", "8000", id="ipv6-and-port"),
    pytest.param("[::ffff:1.2.3.4]", "[::ffff:1.2.3.4]", None, id="ipv6-with-ipv4"),
    pytest.param("[v1.foo]", "[v1.foo]", None, id="future"),
    pytest.param("[vA1.foo:bar]:1", "[vA1.foo:bar]", "1", id="future-with-colon"),
    pytest.param("a:000080", "a", "000080", id="leading-zeros-are-kept"),
    pytest.param("a:0", "a", "0", id="port-zero"),
    pytest.param("a:65535", "a", "65535", id="highest-port"),
    pytest.param("a:" + "0" * 5000 + "80", "a", "0" * 5000 + "80", id="T02.7-thousands-of-zeros"),
    pytest.param("%41", "%41", None, id="percent"),
    pytest.param("a,b", "a,b", None, id="comma"),
    pytest.param("._~!$&'()*+,;=-_", "._~!$&'()*+,;=-_", None, id="all-marks"),
]

INVALID = [
    pytest.param("", id="empty"),
    pytest.param("foo/?x=", id="path-and-query"),
    pytest.param("foo/#", id="fragment"),
    pytest.param("foo#x", id="hash"),
    pytest.param("foo?x", id="question-mark"),
    pytest.param("foo/bar", id="path"),
    pytest.param("user@foo", id="user"),
    pytest.param("user:1@foo", id="user-and-password"),
    pytest.param("foo\\bar", id="backslash"),
    pytest.param("foo bar", id="blank-inside"),
    pytest.param(" a", id="blank-before"),
    pytest.param("a ", id="blank-after"),
    pytest.param("a\n", id="final-line-feed"),
    pytest.param("a:80\n", id="line-feed-after-port"),
    pytest.param("a\x00", id="nul"),
    pytest.param("a\t", id="tab"),
    pytest.param("a:", id="empty-port"),
    pytest.param(":80", id="no-host"),
    pytest.param("a:8a", id="letter-in-port"),
    pytest.param("a:+8", id="sign-in-port"),
    pytest.param("a:\u0661", id="digit-of-another-script"),
    pytest.param("a:1:2", id="two-ports"),
    pytest.param("[:::]", id="no-address"),
    pytest.param("[::ffff:999.999.999.999]", id="no-ipv4-in-it"),
    pytest.param("[V1.foo]", id="upper-case-v"),
    pytest.param("[v.foo]", id="future-without-version"),
    pytest.param("[v1.]", id="future-without-text"),
    pytest.param("::1", id="no-brackets"),
    pytest.param("[::1", id="bracket-not-closed"),
    pytest.param("::1]", id="bracket-not-opened"),
    pytest.param("[]", id="empty-brackets"),
    pytest.param("[::1]a", id="text-after-brackets"),
    pytest.param("[1.2.3.4]", id="ipv4-in-brackets"),
    pytest.param("[fe80::1%25eth0]", id="zone"),
    pytest.param("[fe80::1%eth0]", id="bare-zone"),
    pytest.param("münchen.example", id="not-ascii"),
    *[pytest.param(f"a{mark}b", id=f"mark-{mark}") for mark in "\"'<>{}^|`" if mark != "'"],
]

# Well-formed, but there is no such port.
TOO_LARGE = ["foo:65536", "foo:100000", "[::1]:65536", "a:" + "9" * 5000, "a:" + "0" * 5000 + "70000"]


@pytest.mark.parametrize(("value", "host", "port"), VALID)
def test_a_valid_host_is_split_as_it_is_written(value: str, host: str, port: str | None) -> None:
    # routing R24, datastructures R25
    parsed = parse_host_header(value)
    assert parsed == ParsedHost(host, port)
    assert parsed is not None
    assert (parsed.authority, parsed.is_valid_port) == (value, True)
    assert host_netloc(value.encode("latin-1")) == value


@pytest.mark.parametrize("value", INVALID)
def test_a_malformed_host_is_none(value: str) -> None:
    # routing R24, datastructures R26, T02.1
    assert parse_host_header(value) is None
    assert host_netloc(value.encode("utf-8")) is None


@pytest.mark.parametrize("value", TOO_LARGE)
def test_a_port_above_65535_is_parsed_but_not_used(value: str) -> None:
    # routing R24, datastructures R26
    parsed = parse_host_header(value)
    assert parsed is not None
    assert not parsed.is_valid_port
    assert host_netloc(value.encode()) is None


def test_an_absent_host_is_none() -> None:
    # routing R24
    assert parse_host_header(None) is None


def test_a_parsed_host_is_a_frozen_value_without_a_dictionary() -> None:
    # routing R24
    parsed = ParsedHost("a", "1")
    with pytest.raises(dataclasses.FrozenInstanceError):
        parsed.host = "b"  # type: ignore[misc]
    assert not hasattr(parsed, "__dict__")
    assert hash(parsed) == hash(ParsedHost("a", "1"))


def test_it_is_also_found_where_others_import_it() -> None:
    assert _utils.parse_host_header is datastructures.parse_host_header is parse_host_header
    assert _utils.ParsedHost is ParsedHost


@pytest.mark.parametrize(
    ("digits", "expected"),
    [("0", 0), ("000", 0), ("80", 80), ("00080", 80), ("65535", 65535), ("65536", None), ("1" * 9999, None)],
)
def test_port_number_has_an_upper_bound(digits: str, expected: int | None) -> None:
    assert port_number(digits) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("::1", True), ("fe80::1%eth0", True), ("[::1]", False), ("1.2.3.4", False), ("a:b", False)]
)
def test_is_ipv6_wants_a_bare_address(text: str, expected: bool) -> None:
    assert is_ipv6(text) is expected


@pytest.mark.parametrize(
    ("scheme", "server", "expected"),
    [
        pytest.param("http", ("h", 80), "h", id="R27-default-http"),
        pytest.param("https", ("h", 443), "h", id="R27-default-https"),
        pytest.param("ws", ("h", 80), "h", id="R27-default-ws"),
        pytest.param("wss", ("h", 443), "h", id="R27-default-wss"),
        pytest.param("https", ("h", 80), "h:80", id="R27-port-of-another-scheme"),
        pytest.param("http", ["h", 8000], "h:8000", id="R27-list"),
        pytest.param("http", ("::1", 80), "[::1]", id="R27-ipv6"),
        pytest.param("http", ("::1", 8000), "[::1]:8000", id="R27-ipv6-port"),
        pytest.param("http", ("[::1]", 8000), "[::1]:8000", id="R27-brackets-given"),
        pytest.param("http", ("fe80::1%eth0", 8000), "[fe80::1%eth0]:8000", id="zone-of-a-socket"),
        pytest.param("ftp", ("h", 80), "h:80", id="D3-unknown-scheme-has-no-default"),
        pytest.param("http", None, None, id="R28-none"),
        pytest.param("http", ("/run/x.sock", None), None, id="T02.2-unix-socket"),
        pytest.param("http", ("/run/x.sock", 0), None, id="T02.2-unix-socket-with-a-port"),
        pytest.param("http", ("x.sock", None), None, id="T02.2-relative-unix-socket"),
        pytest.param("http", ("", 80), None, id="T02.2-empty-host"),
        pytest.param("http", ("a@b", 80), None, id="T02.2-user"),
    ],
)
def test_server_netloc(scheme: str, server: Any, expected: str | None) -> None:
    assert server_netloc(scheme, server) == expected


@settings(deadline=None, max_examples=200)
@given(st.one_of(st.binary(max_size=30), st.text("a.:[]v10%@/\n", max_size=12).map(str.encode)))
def test_the_fast_way_agrees_with_the_parser_for_any_octets(value: bytes) -> None:
    parsed = parse_host_header(value.decode("latin-1"))
    expected = None if parsed is None or not parsed.is_valid_port else parsed.authority
    assert host_netloc(value) == expected
