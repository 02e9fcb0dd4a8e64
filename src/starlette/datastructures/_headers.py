"""Header fields as mappings over the list of pairs that ASGI uses (RFC 9110 §5, ASGI HTTP "headers")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, Final, TypeAlias, TypeVar, overload

from starlette._http.fields import checked_field, checked_value, lookup_name

D = TypeVar("D")
_Index: TypeAlias = tuple[dict[bytes, int], list[tuple[bytes, bytes]]]

# SECURITY: more fields than this are searched through an index, so that `dict(headers)` is not quadratic (T25).
_SCANNED: Final = 64

# What the lookup of a key that no field can be called raises: no string, or outside of latin-1.
_NO_NAME: Final = (AttributeError, UnicodeEncodeError)


class Headers(Mapping[str, str]):
    """Read header fields by name, in any case; a name may repeat, and the first value counts.

    `keys()`, `values()`, `items()` are lists with an entry for each field, so `len()` counts repeated names, too.

    Args:
        headers: A mapping to encode as latin-1.
        raw: The list of pairs itself, with names in lower case; it is shared, not copied.
        scope: A scope whose `"headers"` are replaced by a new list, which this object then shares.

    Raises:
        AssertionError: More than one of them is given.
    """

    _list: list[tuple[bytes, bytes]]
    # Where each name came first when the names were listed, and the fields of that time. For long lists only.
    _star_index: _Index | None = None

    def __init__(
        self,
        headers: Mapping[str, str] | None = None,
        raw: list[tuple[bytes, bytes]] | None = None,
        scope: MutableMapping[str, Any] | None = None,
    ) -> None:
        if headers is not None:
            if raw is not None:
                raise AssertionError('Cannot set both "headers" and "raw".')
            if scope is not None:
                raise AssertionError('Cannot set both "headers" and "scope".')
            self._list = [self._star_encode(name, value) for name, value in headers.items()]
        elif raw is not None:
            if scope is not None:
                raise AssertionError('Cannot set both "raw" and "scope".')
            self._list = raw
        elif scope is not None:
            self._list = scope["headers"] = list(scope["headers"])
        else:
            self._list = []

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # `get` does not go through `__getitem__` here; in a subclass with another `__getitem__` it shall.
        if "__getitem__" in cls.__dict__ and "get" not in cls.__dict__:
            cls.get = Mapping.get  # type: ignore[method-assign, assignment]

    @property
    def raw(self) -> list[tuple[bytes, bytes]]:
        """All fields as pairs of bytes, in a new list."""
        return self._list.copy()

    def keys(self) -> list[str]:  # type: ignore[override]  # COMPAT: a list, since names repeat (R74)
        """Return the names of all fields, in order, as they are stored."""
        if len(self._list) > _SCANNED:
            # `dict(headers)` asks for the names first, and then for the value of each (T25).
            self._star_index = _first_positions(self._list)
        return [name.decode("latin-1") for name, _ in self._list]

    def values(self) -> list[str]:  # type: ignore[override]
        """Return the values of all fields, in order."""
        return [value.decode("latin-1") for _, value in self._list]

    def items(self) -> list[tuple[str, str]]:  # type: ignore[override]
        """Return the names and values of all fields, in order."""
        return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._list]

    def getlist(self, key: str) -> list[str]:
        """Return the values of all fields called `key`, in order."""
        try:
            name = key.lower().encode("latin-1")
        except _NO_NAME:
            return []
        return [value.decode("latin-1") for existing, value in self._list if existing == name]

    def mutablecopy(self) -> MutableHeaders:
        """Return the same fields in an object that can be changed."""
        return MutableHeaders(raw=self._list.copy())

    @overload
    def get(self, key: str, /) -> str | None: ...
    @overload
    def get(self, key: str, /, default: str | D) -> str | D: ...
    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of the first field called `key`, or `default`."""
        # PERF: not through `__getitem__`, whose KeyError costs as much as the lookup.
        try:
            name = key.lower().encode("latin-1")
        except _NO_NAME:
            return default
        for existing, value in self._list:
            if existing == name:
                return value.decode("latin-1")
        return default

    def __getitem__(self, key: str) -> str:
        try:
            name = key.lower().encode("latin-1")
        except _NO_NAME:
            raise KeyError(key) from None
        if self._star_index is not None and (found := _indexed(self._star_index, self._list, name)) is not None:
            return found.decode("latin-1")
        for existing, value in self._list:
            if existing == name:
                return value.decode("latin-1")
        raise KeyError(key)

    def __contains__(self, key: Any) -> bool:
        try:
            name = key.lower().encode("latin-1")
        except _NO_NAME:
            return False
        for existing, _ in self._list:  # noqa: SIM110  # `any` with a generator takes twice as long
            if existing == name:
                return True
        return False

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self._list)

    def __eq__(self, other: Any) -> bool:
        """Tell whether both have the same fields, as often; their order does not matter."""
        if not isinstance(other, Headers):
            return False
        return self._list == other._list or Counter(map(tuple, self._list)) == Counter(map(tuple, other._list))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        items = self.items()
        unique = dict(items)
        shown = repr(unique) if len(unique) == len(items) else f"raw={self.raw!r}"
        return f"{type(self).__name__}({shown})"

    @staticmethod
    def _star_encode(name: str, value: str) -> tuple[bytes, bytes]:
        return name.lower().encode("latin-1"), value.encode("latin-1")


class MutableHeaders(Headers):
    """Header fields that can be changed, in place: `raw` is the list itself.

    A name or value with CR, LF or NUL is refused with a ValueError wherever it is set (RFC 9110 §5.5).
    """

    @property
    def raw(self) -> list[tuple[bytes, bytes]]:
        """All fields as pairs of bytes: the list that this object works on."""
        return self._list

    def __setitem__(self, key: str, value: str) -> None:
        """Replace the first field called `key` and remove the others, or append a new one."""
        field = checked_field(key, value)
        name = field[0]
        fields = self._list
        for existing, _ in fields:
            if existing == name:
                _replace_first(fields, field)
                return
        fields.append(field)

    def __delitem__(self, key: str) -> None:
        """Remove all fields called `key`. There need not be one."""
        name = lookup_name(key)
        fields = self._list
        if any(existing == name for existing, _ in fields):
            fields[:] = [field for field in fields if field[0] != name]

    def append(self, key: str, value: str) -> None:
        """Add a field, also if there are others of this name."""
        self._list.append(checked_field(key, value))

    def setdefault(self, key: str, value: str) -> str:
        """Return the value of the first field called `key`; append `value` if there is none."""
        field = checked_field(key, value)
        for existing, current in self._list:
            if existing == field[0]:
                return current.decode("latin-1")
        self._list.append(field)
        return value

    def update(self, other: Mapping[str, str]) -> None:
        """Set each item of a mapping, so that of a repeated name the last value counts."""
        items = other.items()
        if len(items) > _SCANNED and type(self).__setitem__ is _SET_ITEM:
            self._star_set_many(items)
        else:
            for name, value in items:
                self[name] = value

    def add_vary_header(self, vary: str) -> None:
        """Add to `Vary` (RFC 9110 §12.5.5). Several fields become one; nothing is lost and nothing deduplicated."""
        checked_value(vary)
        self["vary"] = ", ".join([*self.getlist("vary"), vary])

    def __or__(self, other: Mapping[str, str]) -> MutableHeaders:
        _require_mapping(other)
        merged = self.mutablecopy()
        merged.update(other)
        return merged

    def __ior__(self, other: Mapping[str, str]) -> MutableHeaders:
        _require_mapping(other)
        self.update(other)
        return self

    @staticmethod
    def _star_encode(name: str, value: str) -> tuple[bytes, bytes]:
        return checked_field(name, value)

    def _star_set_many(self, items: Any) -> None:
        """Set many items in linear time, with the outcome of setting one after the other."""
        waiting = dict(checked_field(name, value) for name, value in items)
        done: set[bytes] = set()
        fields: list[tuple[bytes, bytes]] = []
        for field in self._list:
            name = field[0]
            if name not in waiting:
                fields.append(field)
            elif name not in done:
                done.add(name)
                fields.append((name, waiting[name]))
        fields += [field for field in waiting.items() if field[0] not in done]
        self._list[:] = fields


_SET_ITEM: Final = MutableHeaders.__setitem__


def _first_positions(fields: list[tuple[bytes, bytes]]) -> _Index:
    positions: dict[bytes, int] = {}
    for position, (name, _) in enumerate(fields):
        positions.setdefault(name, position)
    return positions, fields.copy()


def _indexed(index: _Index, fields: list[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """Return the first value of `name` in constant time; None if the index does not know, or no longer holds.

    The list may change behind our back, so a position counts only while the field there is the very same object.
    """
    positions, snapshot = index
    position = positions.get(name)
    if position is not None and len(fields) == len(snapshot) and fields[position] is snapshot[position]:
        return fields[position][1]
    return None


def _replace_first(fields: list[tuple[bytes, bytes]], field: tuple[bytes, bytes]) -> None:
    """Put `field` in the place of the first of its name, which must exist, and remove the others."""
    name = field[0]
    positions = [position for position, (existing, _) in enumerate(fields) if existing == name]
    fields[positions[0]] = field
    if len(positions) > 1:
        following = positions[1]
        fields[following:] = [other for other in fields[following:] if other[0] != name]


def _require_mapping(other: Any) -> None:
    if not isinstance(other, Mapping):
        raise TypeError(f"Expected a mapping but got {type(other).__name__}")  # COMPAT: text, datastructures R83
