"""URLs from parts (threats T02, T19)."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette._http.urls import join_parts, mask_password


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        pytest.param("https://u:p@h/x", "https://u:********@h/x", id="R8-password"),
        pytest.param("//u:p@h", "//u:********@h", id="no-scheme"),
        pytest.param("http://u:@h", "http://u:@h", id="R8-empty-password"),
        pytest.param("http://u@h:80", "http://u@h:80", id="user-and-port"),
        pytest.param("http://:p@h", "http://:********@h", id="empty-user"),
        pytest.param("http://u:a:b@c@h", "http://u:********@h", id="up-to-the-last-at-sign"),
        pytest.param("http://h/u:p@x", "http://h/u:p@x", id="in-the-path"),
        pytest.param("http://h?u:p@x", "http://h?u:p@x", id="in-the-query"),
        pytest.param("mailto:u:p@h", "mailto:u:p@h", id="no-authority"),
        pytest.param("http://u:p@[x", "http://u:********@[x", id="malformed"),
        pytest.param("http://u:p@h:abc", "http://u:********@h:abc", id="bad-port"),
        pytest.param("ht\ttp:/\n/u:p@h", "http://u:********@h", id="T19-controls-that-parsers-drop"),
        pytest.param(" http://u:p@h", " http://u:********@h", id="T19-blanks-that-parsers-drop"),
    ],
)
def test_a_password_is_masked(url: str, shown: str) -> None:
    assert mask_password(url) == shown


@settings(deadline=None, max_examples=200)
@given(st.text("ah:/@?#[]\t\n x", max_size=20))
def test_whatever_the_parser_calls_a_password_is_masked(url: str) -> None:
    # T19
    shown = mask_password(url)
    try:
        password = urlsplit(url).password
    except ValueError:
        return
    if password:
        assert urlsplit(shown).password == "********"
    else:
        assert shown == url


PARTS = st.builds(
    SplitResult,
    st.sampled_from(["", "http", "mailto", "x"]),
    st.sampled_from(["", "h", "u:p@h:1"]),
    st.sampled_from(["", "/", "/a", "a", "//a", "a:b"]),
    st.sampled_from(["", "q"]),
    st.sampled_from(["", "f"]),
)


@settings(deadline=None, max_examples=200)
@given(PARTS)
def test_parts_are_joined_as_the_standard_library_does(parts: SplitResult) -> None:
    assert join_parts(parts) == parts.geturl()
