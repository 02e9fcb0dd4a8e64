"""Header lists of answers to other origins (Fetch, "CORS protocol"; RFC 9110 §12.5.5). Pure.

No list that is passed in is changed: it may belong to a response that is sent to many clients.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from starlette._http.fields import checked_field
from starlette._http.vary import add_vary

Field = tuple[bytes, bytes]

ALLOW_ORIGIN: Final = b"access-control-allow-origin"
_VARY_BY_ORIGIN: Final[Field] = (b"vary", b"Origin")


class ReadyFields:
    """A mapping of header fields that was encoded once.

    Attributes:
        source: A copy of the mapping, to tell whether it has been changed since.

    Raises:
        ValueError: A name or value contains CR, LF, NUL, or characters outside of latin-1.
    """

    __slots__ = ("_fields", "_names", "source")

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.source = dict(headers)
        self._fields = [checked_field(name, value) for name, value in headers.items()]
        self._names = frozenset(name for name, _ in self._fields)

    def with_added(self, added: list[Field]) -> list[Field]:
        """Return the fields with others set, in a new list."""
        for name, _ in added:
            if name in self._names:
                return with_fields(self._fields, added)
        return self._fields + added


class Amendments:
    """What the responses to other origins get: the given fields, and `Origin` in their `Vary`.

    Attributes:
        source: A copy of the given mapping, to tell whether it has been changed since.
        plain: The fields to set when there is nothing to add to them.

    Raises:
        ValueError: As of `ReadyFields`.
    """

    __slots__ = ("_after", "_before", "_names", "plain", "source")

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.source = dict(headers)
        fields = [checked_field(name, value) for name, value in headers.items()]
        names = [name for name, _ in fields]
        place = names.index(ALLOW_ORIGIN) if ALLOW_ORIGIN in names else len(names)
        self.plain = [*fields, _VARY_BY_ORIGIN]
        self._before = fields[:place]
        self._after = [*fields[place + 1 :], _VARY_BY_ORIGIN]
        self._names = frozenset((*names, ALLOW_ORIGIN, b"vary"))

    def naming(self, origin: bytes) -> list[Field]:
        """Return the fields with this `Access-Control-Allow-Origin`, whatever the given ones say."""
        return [*self._before, (ALLOW_ORIGIN, origin), *self._after]

    def amended(self, fields: Iterable[Field], added: list[Field]) -> list[Field]:
        """Return the header list of a response with `added` set, in a new list.

        Args:
            fields: The list as it is.
            added: `plain`, or what `naming()` returned.
        """
        result = list(fields)
        names = self._names
        for field in result:
            if field[0] in names:
                result = with_fields(result, added[:-1])
                add_vary(result, b"Origin")
                return result
        result += added
        return result


def with_fields(fields: Iterable[Field], wanted: Iterable[Field]) -> list[Field]:
    """Return `fields` with those of `wanted` set, in one pass: in the place of the first of their name, or at the end.

    The last of several wanted ones of a name counts.
    """
    waiting = dict(wanted)
    placed: set[bytes] = set()
    result: list[Field] = []
    for name, value in fields:
        if name not in waiting:
            result.append((name, value))
        elif name not in placed:
            placed.add(name)
            result.append((name, waiting[name]))
    result += [field for field in waiting.items() if field[0] not in placed]
    return result
