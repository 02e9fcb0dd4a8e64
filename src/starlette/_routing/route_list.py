"""A list of routes that counts its changes, so that an index over it knows in one comparison whether it is stale."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, SupportsIndex, TypeVar

T = TypeVar("T")


class RouteList(list[T]):
    """A list like any other; `version` is raised by every method that may change it."""

    # A class attribute to begin with: pickle fills a list before it restores attributes.
    version: int = 0

    def append(self, item: T, /) -> None:
        self.version += 1
        super().append(item)

    def extend(self, items: Iterable[T], /) -> None:
        self.version += 1
        super().extend(items)

    def insert(self, index: SupportsIndex, item: T, /) -> None:
        self.version += 1
        super().insert(index, item)

    def remove(self, item: T, /) -> None:
        self.version += 1
        super().remove(item)

    def pop(self, index: SupportsIndex = -1, /) -> T:
        self.version += 1
        return super().pop(index)

    def clear(self) -> None:
        self.version += 1
        super().clear()

    def sort(
        self, *, key: Callable[[T], Any] | None = None, reverse: bool = False
    ) -> None:  # one signature for both overloads
        self.version += 1
        super().sort(key=key, reverse=reverse)  # pyright: ignore[reportArgumentType]  # without a key, as any list

    def reverse(self) -> None:
        self.version += 1
        super().reverse()

    def __setitem__(self, index: Any, item: Any, /) -> None:
        self.version += 1
        super().__setitem__(index, item)

    def __delitem__(self, index: SupportsIndex | slice, /) -> None:
        self.version += 1
        super().__delitem__(index)

    def __iadd__(self, items: Iterable[T], /) -> RouteList[T]:  # type: ignore[override,misc]  # the list itself, as in any list
        self.version += 1
        super().__iadd__(items)
        return self

    def __imul__(self, times: SupportsIndex, /) -> RouteList[T]:
        self.version += 1
        super().__imul__(times)
        return self
