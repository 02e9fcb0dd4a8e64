"""Lists of trusted hosts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette._http.authority import parse_host_header
from starlette._http.host_patterns import HostPatterns, is_pattern
from tests.growth import per_doubling

PATTERNS = ["example.com", "*.wild.org", "[::1]", "host:80", "a b", "*.", "*.co,m", "", "*.\u00e9", "\u00e9"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param("example.com", True, id="name"),
        pytest.param("*", True, id="everything"),
        pytest.param("*.example.com", True, id="below-a-name"),
        pytest.param("*.", True, id="below-the-root"),
        pytest.param("", True, id="empty"),
        pytest.param("*example.com", False, id="no-dot"),
        pytest.param("ex*mple.com", False, id="inside"),
        pytest.param("*.*.com", False, id="two"),
        pytest.param("a*", False, id="end"),
        pytest.param("**", False, id="double"),
        pytest.param("a.*.com", False, id="label-inside"),
    ],
)
def test_where_a_star_may_stand(pattern: str, expected: bool) -> None:  # middleware_others R9
    assert is_pattern(pattern) is expected


def trusts(patterns: HostPatterns, value: bytes) -> bool:
    """Ask as the middleware does."""
    if patterns.has_name(value):
        return True
    parsed = parse_host_header(value.decode("latin-1"))
    return parsed is not None and patterns.match(parsed.host.lower())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(b"example.com", True, id="R12-equal"),
        pytest.param(b"EXAMPLE.com", True, id="R11-case"),
        pytest.param(b"example.com:8000", True, id="R11-port"),
        pytest.param(b"example.com:100000", True, id="R11-impossible-port"),
        pytest.param(b"example.com:" + b"9" * 9999, True, id="R11-port-of-any-length"),
        pytest.param(b"example.com:", False, id="R11-empty-port"),
        pytest.param(b"example.com:80a", False, id="R11-port-with-letters"),
        pytest.param("example.com:\u00b2".encode("latin-1"), False, id="R11-port-of-other-digits"),
        pytest.param(b"example.com:80:80", False, id="R11-two-ports"),
        pytest.param(b"xexample.com", False, id="end-of-a-name"),
        pytest.param(b"sub.example.com", False, id="below-an-exact-name"),
        pytest.param(b"example.com.evil.net", False, id="begin-of-a-name"),
        pytest.param(b"a.wild.org", True, id="R12-below"),
        pytest.param(b"A.B-2._c.WILD.org:1", True, id="R12-any-depth"),
        pytest.param(b"wild.org", False, id="R12-not-itself"),
        pytest.param(b"awild.org", False, id="R12-not-without-the-dot"),
        pytest.param(b".wild.org", False, id="T07.3-empty-label"),
        pytest.param(b"a..wild.org", False, id="T07.3-empty-label-before-the-suffix"),
        pytest.param(b"a..b.wild.org", False, id="T07.3-empty-label-inside"),
        pytest.param(b".a.wild.org", False, id="T07.3-empty-label-first"),
        pytest.param(b"evil.com,a.wild.org", False, id="T07.3-comma-list"),
        pytest.param(b"a%2ewild.org", False, id="T07.3-escaped-dot"),
        pytest.param(b"a%20b.wild.org", False, id="T07.3-escape"),
        pytest.param(b"'.wild.org", False, id="T07.3-quote"),
        pytest.param(b"*.wild.org", False, id="T07.3-star"),
        pytest.param(b"(a).wild.org", False, id="T07.3-brackets"),
        pytest.param(b"a.wild.org.", True, id="R12-below-the-root"),
        pytest.param(b".", False, id="T07.3-root-alone"),
        pytest.param(b"[::1]", True, id="R12-IPv6"),
        pytest.param(b"[::1]:9", True, id="R12-IPv6-port"),
        pytest.param(b"[0:0::1]", False, id="R12-IPv6-is-compared-as-text"),
        pytest.param(b"::1", False, id="R12-IPv6-without-brackets"),
        pytest.param(b"host:80", False, id="R12-a-pattern-with-port-never-matches"),
        pytest.param(b"host", False, id="R12-nor-without-it"),
        pytest.param(b"a b", False, id="R11-listed-but-malformed"),
        pytest.param(b"x.co,m", True, id="R12-odd-but-listed-suffix"),
        pytest.param(b"", False, id="R11-empty-and-listed"),
        pytest.param("x.\u00e9".encode("latin-1"), False, id="R11-not-ASCII"),
        pytest.param("\u00e9".encode("latin-1"), False, id="R11-not-ASCII-and-listed"),
    ],
)
def test_what_is_trusted(value: bytes, expected: bool) -> None:
    assert trusts(HostPatterns(PATTERNS), value) is expected


hosts = st.lists(
    st.sampled_from([b"example.com", b"wild.org", b"a", b".", b":", b"8", b"80", b"[::1]", b"*", b"%", b"A", b"\xe9"]),
    max_size=6,
).map(b"".join)


@given(hosts | st.binary(max_size=20))
@settings(max_examples=200, deadline=None)
def test_what_is_found_without_parsing_is_found_by_parsing(value: bytes) -> None:
    patterns = HostPatterns(PATTERNS)
    if patterns.has_name(value):
        parsed = parse_host_header(value.decode("latin-1"))
        assert parsed is not None
        assert patterns.match(parsed.host.lower())


@pytest.mark.parametrize("unit", [b"a.", b"a", b".", b"a-", b"a,"])
def test_the_time_grows_with_the_length(unit: bytes) -> None:  # threats T25
    patterns = HostPatterns(["*.wild.org", "*.b"])
    assert per_doubling(lambda size: trusts(patterns, unit * size + b"!.wild.org"), 20_000) < 3
