"""Mappings whose keys may repeat: a list of pairs, and a dictionary of the last value for each key."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, TypeVar, overload
from urllib.parse import urlencode

from starlette._http.query import parse_query

K = TypeVar("K")
V = TypeVar("V", covariant=True)
D = TypeVar("D")


class ImmutableMultiDict(Mapping[K, V]):
    """Map keys to values, and keep all pairs in order.

    As a mapping it has the last value of each key; `getlist()` and `multi_items()` have them all.

    Args:
        args: Nothing, or one of: another of these, a mapping, an iterable of pairs, None.
        kwargs: Further pairs, after those.

    Raises:
        AssertionError: There is more than one positional argument.
    """

    _list: list[tuple[K, V]]
    _dict: dict[K, V]

    def __init__(
        self,
        *args: ImmutableMultiDict[K, V] | Mapping[K, V] | Iterable[tuple[K, V]] | None,
        **kwargs: Any,
    ) -> None:
        pairs: list[Any] = _pairs(args)
        if kwargs:
            pairs.extend(kwargs.items())
        self._list = pairs
        self._dict = dict(pairs)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # `get` does not go through `__getitem__` here; in a subclass with another `__getitem__` it shall.
        if "__getitem__" in cls.__dict__ and "get" not in cls.__dict__:
            cls.get = Mapping.get  # type: ignore[method-assign, assignment]

    def __getitem__(self, key: K) -> V:
        return self._dict[key]

    @overload
    def get(self, key: K, /) -> V | None: ...
    @overload
    def get(self, key: K, /, default: V | D) -> V | D: ...
    def get(self, key: K, default: Any = None) -> Any:
        """Return the last value of `key`, or `default`."""
        return self._dict.get(key, default)

    def getlist(self, key: Any) -> list[V]:
        """Return all values of `key` in order; an empty list if there are none."""
        return [value for name, value in self._list if name == key]

    def keys(self) -> KeysView[K]:
        """Return a view of the distinct keys, in the order of their first pairs."""
        return self._dict.keys()

    def values(self) -> ValuesView[V]:
        """Return a view of the last value of each key."""
        return self._dict.values()

    def items(self) -> ItemsView[K, V]:
        """Return a view of each key with its last value."""
        return self._dict.items()

    def multi_items(self) -> list[tuple[K, V]]:
        """Return a new list of all pairs in order."""
        return self._list.copy()

    def __contains__(self, key: Any) -> bool:
        return key in self._dict

    def __iter__(self) -> Iterator[K]:
        return iter(self._dict)

    def __len__(self) -> int:
        return len(self._dict)

    def __eq__(self, other: Any) -> bool:
        """Tell whether both have the same keys, each with the same values in the same order."""
        if not isinstance(other, type(self)):
            return False
        if self._list == other._list:
            return True
        # Unequal lengths are told from the lists; the rest from groups, which needs no order between keys or values.
        return len(self._list) == len(other._list) and _grouped(self._list) == _grouped(other._list)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.multi_items()!r})"


class MultiDict(ImmutableMultiDict[Any, Any]):
    """A multidict that can be changed. It is no `MutableMapping`: `pop()` of an unknown key returns None."""

    def __setitem__(self, key: Any, value: Any) -> None:
        self.setlist(key, [value])

    def __delitem__(self, key: Any) -> None:
        del self._dict[key]
        self._star_remove(key)

    def pop(self, key: Any, default: Any = None) -> Any:
        """Remove all values of `key` and return the last; `default` if there are none."""
        if key not in self._dict:
            return default
        self._star_remove(key)
        return self._dict.pop(key)

    def popitem(self) -> tuple[Any, Any]:
        """Remove the last of `keys()` with all its values and return it with the last; KeyError when empty."""
        key, value = self._dict.popitem()
        self._star_remove(key)
        return key, value

    def poplist(self, key: Any) -> list[Any]:
        """Remove all values of `key` and return them."""
        values = self.getlist(key)
        self.pop(key)
        return values

    def clear(self) -> None:
        """Remove everything."""
        self._dict.clear()
        self._list.clear()

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """Return the last value of `key`, which is `default` from now on if there was none."""
        if key not in self._dict:
            self.append(key, default)
        return self._dict[key]

    def setlist(self, key: Any, values: list[Any]) -> None:
        """Replace all values of `key`. The new pairs come last; with no values the key is removed."""
        values = list(values)
        if key in self._dict:
            self._star_remove(key)
        if values:
            self._dict[key] = values[-1]
            self._list.extend([(key, value) for value in values])
        else:
            self._dict.pop(key, None)

    def append(self, key: Any, value: Any) -> None:
        """Add one more value of `key`."""
        self._list.append((key, value))
        self._dict[key] = value

    def update(
        self,
        *args: MultiDict | Mapping[Any, Any] | Iterable[tuple[Any, Any]] | None,
        **kwargs: Any,
    ) -> None:
        """Replace all values of the keys that the arguments name; they are those of the constructor."""
        added = MultiDict(*args, **kwargs)
        self._list = [pair for pair in self._list if pair[0] not in added._dict]
        self._list += added._list
        self._dict.update(added._dict)

    def _star_remove(self, key: Any) -> None:
        self._list = [pair for pair in self._list if pair[0] != key]


class QueryParams(ImmutableMultiDict[str, str]):
    """The pairs of a query string (WHATWG URL §5). `str()` encodes them again.

    Args:
        args: Nothing, or one of: text or bytes without `?`, such as `"page=2&tag=a&tag=b"`; what a multidict is made
            of, whose keys and values are converted by `str()`.
        kwargs: Further pairs, after those, converted likewise.
    """

    def __init__(
        self,
        *args: ImmutableMultiDict[Any, Any] | Mapping[Any, Any] | Iterable[tuple[Any, Any]] | str | bytes | None,
        **kwargs: Any,
    ) -> None:
        value = args[0] if len(args) == 1 else None
        # Bytes come from `scope["query_string"]`, where everything above ASCII should be escaped. All of it is text.
        if isinstance(value, bytes):
            pairs = parse_query(value.decode("latin-1"))
        elif isinstance(value, str):
            pairs = parse_query(value)
        else:
            pairs = [(str(name), str(text)) for name, text in _pairs(args)]
        if kwargs:
            pairs += [(name, str(text)) for name, text in kwargs.items()]
        self._list = pairs
        self._dict = dict(pairs)

    def __str__(self) -> str:
        return urlencode(self._list)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


def _pairs(args: tuple[Any, ...]) -> list[Any]:
    if len(args) > 1:
        raise AssertionError("Too many arguments.")  # COMPAT: text and type, datastructures R41
    value = args[0] if args else None
    if not value:
        return []
    if isinstance(value, ImmutableMultiDict):
        return value.multi_items()
    return list(value.items() if hasattr(value, "items") else value)


def _grouped(pairs: list[tuple[Any, Any]]) -> dict[Any, list[Any]]:
    groups: dict[Any, list[Any]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups
