"""Relative paths from URL paths, and containment by components."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starlette._http.static_paths import is_absolute, is_inside, relative_path


@pytest.mark.parametrize(
    ("url_path", "expected"),
    [
        ("/", "."),
        ("", "."),
        ("/a.txt", "a.txt"),
        ("//a.txt", "a.txt"),
        ("/a.txt/", "a.txt"),
        ("/sub//index.html", "sub/index.html"),
        ("/sub/./../a.txt", "a.txt"),
        ("/../x", "../x"),
        ("/%2e%2e/x", "%2e%2e/x"),
        ("/a\0/../b", "a\0/../b"),
    ],
)
def test_url_paths_are_normalised(url_path: str, expected: str) -> None:
    assert relative_path(url_path) == expected  # staticfiles R11


@settings(deadline=None, max_examples=200)
@given(st.text("./\\\0a:", max_size=12))
def test_a_relative_path_is_never_absolute_by_slashes(url_path: str) -> None:
    assert not relative_path(url_path).startswith("/")


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/etc/passwd", True), ("\\\\server\\share", True), ("\\x", True), ("a/b", False), (".", False)],
)
def test_absolute_paths_are_seen_by_their_text(path: str, expected: bool) -> None:  # T01.1
    assert is_absolute(path) is expected  # staticfiles R19


@pytest.mark.parametrize(
    ("path", "directory", "expected"),
    [
        ("/static/a", "/static", True),
        ("/static", "/static", True),
        ("/static_disallow/a", "/static", False),  # staticfiles R21
        ("/stati", "/static", False),
        ("/a", "/", True),
    ],
)
def test_containment_is_by_components(path: str, directory: str, expected: bool) -> None:  # T01.1
    assert is_inside(path, directory) is expected
