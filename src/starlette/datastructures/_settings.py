"""Values as they are written in a configuration: secrets and lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload


class Secret:
    """Hold a string that shall not show up in tracebacks and logs; `str()` reveals it."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        # The length is constant, since that of the value is a part of the secret.
        return f"{type(self).__name__}('**********')"

    def __str__(self) -> str:
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)


class CommaSeparatedStrings(Sequence[str]):
    """Hold the items of a list that was written into one string, such as `'localhost, "a,b"'`.

    Args:
        value: Text to split at commas, by the rules of a POSIX shell: quotes protect a comma, a backslash the next
            character, `#` begins a comment. Or the items themselves, which are copied and not changed.

    Raises:
        ValueError: A quote is not closed.
    """

    def __init__(self, value: str | Sequence[str]) -> None:
        self._items = _split(value) if isinstance(value, str) else list(value)

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        return self._items[index]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self)!r})"

    def __str__(self) -> str:
        return ", ".join(map(repr, self))


def _split(text: str) -> list[str]:
    import shlex

    splitter = shlex.shlex(text, posix=True)
    splitter.whitespace = ","
    splitter.whitespace_split = True
    return [item.strip() for item in splitter]
