"""Lists of words that are given as one string."""

from __future__ import annotations

from typing import Any

import pytest

from starlette._http.options import word_list


@pytest.mark.parametrize("value", [[], ["a"], ("a", "b"), {"a"}, frozenset({"a"}), ["a b"]])
def test_a_collection_stays_what_it_is(value: Any) -> None:
    assert word_list("x", value) is value


@pytest.mark.parametrize("word", ["*", "https://example.org", "GET", ""])
def test_a_word_is_a_list_of_it(word: str) -> None:  # threats T06.3, T07.4
    assert word_list("x", word) == (word,)


@pytest.mark.parametrize("text", ["a,b", "a b", "a\tb", "a\nb", b"a", b""])
def test_several_words_in_one_string_are_refused(text: Any) -> None:
    with pytest.raises(TypeError, match=r"allow_x must be a list of strings"):
        word_list("allow_x", text)
