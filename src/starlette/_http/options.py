"""Options that are lists of words, and are sometimes given as one string. Pure; imports nothing of ours."""

from __future__ import annotations

from typing import TypeVar

C = TypeVar("C")


def word_list(name: str, value: C) -> C | tuple[str]:
    """Return `value`, or a tuple of it if it is a single word.

    A string is a collection of strings, too: of its characters, or, for `in`, of its parts. It never means that here.

    Raises:
        TypeError: `value` is bytes, or a string with blanks or commas, that is, several words.
    """
    if isinstance(value, str) and not any(character in ", \t\n" for character in value):
        return (value,)
    if isinstance(value, (str, bytes)):
        raise TypeError(f'{name} must be a list of strings, such as ["a", "b"], got {value[:80]!r}')
    return value
