"""A namespace of attributes that is also one of items, on top of a dictionary."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any


class _MissingEntry(AttributeError, KeyError):
    """An attribute to delete was not there. COMPAT: callers expect KeyError, `del` of an attribute the other one."""

    __str__ = Exception.__str__


class State:
    """Hold what an application wants to keep, for its lifetime or for one request.

    `state.db` and `state["db"]` are the same entry.

    Args:
        state: The dictionary to work on. It is used as it is, not copied; None starts with an empty one.
    """

    # Seen only while an instance is copied or unpickled and has no dictionary yet; `__getattr__` would not end then.
    _state: dict[str, Any] = MappingProxyType({})  # type: ignore[assignment]  # so that no instance writes to it

    def __init__(self, state: dict[str, Any] | None = None) -> None:
        self.__dict__["_state"] = {} if state is None else state

    def __getattr__(self, key: str) -> Any:
        try:
            return self._state[key]
        except KeyError:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {key!r}") from None

    def __setattr__(self, key: str, value: Any) -> None:
        self._state[key] = value

    def __delattr__(self, key: str) -> None:
        try:
            del self._state[key]
        except KeyError:
            raise _MissingEntry(f"{type(self).__name__!r} object has no attribute {key!r}") from None

    def __getitem__(self, key: str) -> Any:
        return self._state[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._state[key] = value

    def __delitem__(self, key: str) -> None:
        del self._state[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._state)

    def __len__(self) -> int:
        return len(self._state)

    def __copy__(self) -> State:
        """Return a state with the same entries; from then on they change independently."""
        copied = type(self).__new__(type(self))
        copied.__dict__.update(self.__dict__, _state=self._state.copy())
        return copied
