"""Settings from the environment and from a `.env` file.

The file is a list of `KEY=value` lines. It is not a shell script: nothing is escaped, interpolated or exported.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Final, TypeVar, overload

T = TypeVar("T")
D = TypeVar("D")

# COMPAT: the texts that stand for a boolean, in any case. Everything else is refused, blanks around them included.
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_QUOTES: Final = ('"', "'")


class undefined:  # a public name
    """Stands for "no default"; the class itself is the mark."""


class EnvironError(Exception):
    """A variable was changed after it had been read, so that whoever read it holds another value."""


class Environ(MutableMapping[str, str]):
    """A live view of the environment in which a key that was read can no longer be changed.

    Args:
        environ: The mapping behind the view; it is not copied.

    Reading marks a key even when it is absent, since a default has then been used. Looking a key up in any way is
    reading it (`get`, `in`, `items()`, `pop`, ...); listing the keys is not.

    Raises:
        EnvironError: A key that was read is set or deleted.
    """

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        self._star_values = environ
        self._star_read: set[str] = set()

    def __getitem__(self, key: str) -> str:
        self._star_read.add(key)
        return self._star_values[key]

    def __setitem__(self, key: str, value: str) -> None:
        self._star_require_unread(key, "set")
        self._star_values[key] = value

    def __delitem__(self, key: str) -> None:
        self._star_require_unread(key, "delete")
        del self._star_values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._star_values)

    def __len__(self) -> int:
        return len(self._star_values)

    def _star_require_unread(self, key: str, action: str) -> None:
        if key in self._star_read:
            raise EnvironError(f"Attempting to {action} environ[{key!r}], but the value has already been read.")


environ: Final = Environ()


class Config:
    """Settings by name: from the environment, else from a file, else a default.

    Args:
        env_file: A file of `KEY=value` lines. When it is absent there is a `UserWarning`, and no values from it.
        environ: Where to look first. With the default, what was read can no longer be changed (`EnvironError`).
        env_prefix: Put before each name that is asked for, in the environment and in the file.
        encoding: Of the file, whatever the locale is.

    Attributes:
        file_values: What the file says: `{"DEBUG": "true"}`.

    Example:
        `Config(".env")("DEBUG", cast=bool, default=False)`

    Raises:
        UnicodeDecodeError: The file is not in this encoding. A note on it names file, line and key.
    """

    def __init__(
        self,
        env_file: str | Path | None = None,
        environ: Mapping[str, str] = environ,
        env_prefix: str = "",
        encoding: str = "utf-8",
    ) -> None:
        self.environ = environ
        self.env_prefix = env_prefix
        self.file_values: dict[str, str] = {}
        self._star_file = env_file
        self._star_lines: dict[str, int] = {}
        if env_file is None:
            return
        if not os.path.isfile(env_file):
            warnings.warn(f"Config file '{env_file}' not found.", stacklevel=2)
            return
        for line, key, value in _entries(_read(env_file, encoding)):
            self.file_values[key] = value
            self._star_lines[key] = line

    @overload
    def __call__(self, key: str, cast: None = None) -> str: ...
    @overload
    def __call__(self, key: str, cast: None = None, *, default: D) -> str | D: ...
    @overload
    def __call__(self, key: str, cast: None, default: D) -> str | D: ...
    @overload
    def __call__(self, key: str, cast: Callable[[Any], T], default: None) -> T | None: ...
    @overload
    def __call__(self, key: str, cast: Callable[[Any], T], default: Any = ...) -> T: ...
    def __call__(self, key: str, cast: Callable[[Any], Any] | None = None, default: Any = undefined) -> Any:
        """Return a setting; see `get`."""
        return self.get(key, cast, default)

    @overload
    def get(self, key: str, cast: None = None) -> str: ...
    @overload
    def get(self, key: str, cast: None = None, *, default: D) -> str | D: ...
    @overload
    def get(self, key: str, cast: None, default: D) -> str | D: ...
    @overload
    def get(self, key: str, cast: Callable[[Any], T], default: None) -> T | None: ...
    @overload
    def get(self, key: str, cast: Callable[[Any], T], default: Any = ...) -> T: ...
    def get(self, key: str, cast: Callable[[Any], Any] | None = None, default: Any = undefined) -> Any:
        """Return the value of `env_prefix + key`, as it is now.

        Args:
            key: The name without the prefix.
            cast: Makes the value from the text, and from a default that is not None: `int`, `Secret`, any callable.
                For `bool` the text is `true`, `1`, `false` or `0`, in upper or lower case.
            default: The value when the name is in neither place. Without it the name must be there.

        Raises:
            KeyError: The name is missing, and has no default.
            ValueError: `cast` refused the value by a TypeError or ValueError. A note names the source, such as file
                and line. The text shows the value, so do not print it where secrets must not be seen.
        """
        name = self.env_prefix + key
        if name in self.environ:
            value, source = self.environ[name], "the environment"
        elif name in self.file_values:
            value, source = self.file_values[name], self._star_place(name)
        elif default is not undefined:
            value, source = default, "the default"
        else:
            missing = KeyError(f"Config '{name}' is missing, and has no default.")
            places = "the environment" if self._star_file is None else f"the environment and {str(self._star_file)!r}"
            missing.add_note(f"looked for in {places}")
            raise missing
        if cast is None or value is None:
            return value
        try:
            return _boolean(value) if cast is bool and isinstance(value, str) else cast(value)
        except (TypeError, ValueError):
            shown = value.lower() if cast is bool and isinstance(value, str) else value  # COMPAT: config R15
            kind = getattr(cast, "__name__", None) or repr(cast)
            refused = ValueError(f"Config '{name}' has value '{shown}'. Not a valid {kind}.")
            refused.add_note(f"the value is from {source}")
            raise refused

    def _star_place(self, name: str) -> str:
        # A value that was put into `file_values` by hand stands on no line.
        line = self._star_lines.get(name)
        return "file_values" if line is None else f"{str(self._star_file)!r}, line {line}, key {name!r}"


def _boolean(text: str) -> bool:
    try:
        return _BOOLEANS[text.lower()]
    except KeyError:
        raise ValueError(f"{text[:80]!r} is not one of true, false, 1, 0") from None


def _read(file: str | Path, encoding: str) -> str:
    """Return the text of a file with `\\n` at the end of lines, without a byte order mark."""
    with open(file, "rb") as opened:
        octets = opened.read()
    try:
        text = octets.decode(encoding)
    except UnicodeDecodeError as exc:
        before = _lines(octets[: exc.start].decode(encoding, "replace"))
        key = before[-1].partition("=")[0].strip() if "=" in before[-1] else None
        where = f"{str(file)!r}, line {len(before)}" + (f", key {key!r}" if key else "")
        exc.add_note(f"in {where}: it is not in the encoding {encoding!r}")
        raise
    return text.removeprefix("\ufeff")


def _lines(text: str) -> list[str]:
    # `splitlines` would also split at form feeds and Unicode's separators, which may be part of a value.
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _entries(text: str) -> Iterator[tuple[int, str, str]]:
    """Return the number (from 1), key and value of each line that has them; other lines say nothing."""
    for number, line in enumerate(_lines(text), start=1):
        key, equals, value = line.partition("=")
        key = key.strip()
        if equals and not key.startswith("#"):
            yield number, key, _unquoted(value.strip())


def _unquoted(value: str) -> str:
    """Remove one pair of equal quotes around a value; nothing inside of it is changed."""
    paired = len(value) >= 2 and value[0] == value[-1] and value[0] in _QUOTES
    return value[1:-1] if paired else value
