"""Bounds on what one request may cost, and the measure of a document. Pure; looks at syntax trees, imports none."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, kw_only=True)
class GraphQLLimits:
    """What one client may ask for at once. Each bound is inclusive; whole numbers, at least 0.

    Attributes:
        depth: Levels of fields, through fragments: `{ me { name } }` has two. GraphiQL's own question has 14.
        aliases: Fields under another name, each counted as often as fragments repeat it.
        tokens: Words and signs of a document, before it is parsed.
        batch: Operations in one JSON list; 0 refuses lists.
        body: Bytes of a request body, or characters of a WebSocket message. A limit of the application counts instead.
        files: Files of a multipart request, and places for them.
        subscriptions: Operations that run at once on one WebSocket.
        init_timeout: Seconds until a WebSocket must have sent `connection_init`.

    Raises:
        ValueError: A bound is negative or not a whole number.
    """

    depth: int = 20
    aliases: int = 30
    tokens: int = 1000
    batch: int = 0
    body: int = 1024 * 1024
    files: int = 10
    subscriptions: int = 100
    init_timeout: int = 10

    def __post_init__(self) -> None:
        for field in fields(self):
            value: Any = getattr(self, field.name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise ValueError(f"{field.name} must be a whole number, at least 0, got {value!r}")


def excess(document: Any, limits: GraphQLLimits) -> str | None:
    """Tell what a parsed document has too much of, or None. Linear in its length, whatever its fragments repeat."""
    measure = _Measure(document)
    depth = aliases = 0
    for definition in document.definitions:
        if definition.kind == "operation_definition":
            found = measure.of(definition.selection_set)
            depth, aliases = max(depth, found[0]), aliases + found[1]
    if depth > limits.depth:
        return f"The query is deeper than {limits.depth} levels"
    if aliases > limits.aliases:
        return f"The query has more than {limits.aliases} aliases"
    return None


class _Measure:
    """Depths and aliases of selection sets; each fragment is walked once."""

    __slots__ = ("_fragments", "_known")

    def __init__(self, document: Any) -> None:
        self._fragments = {item.name.value: item for item in document.definitions if item.kind == "fragment_definition"}
        self._known: dict[str, tuple[int, int]] = {}

    def of(self, selection_set: Any) -> tuple[int, int]:
        depth = aliases = 0
        for node in selection_set.selections:
            if node.kind == "fragment_spread":
                found = self._fragment(node.name.value)
            elif node.kind == "inline_fragment":
                found = self.of(node.selection_set)
            else:
                found = self._field(node)
            depth, aliases = max(depth, found[0]), aliases + found[1]
        return depth, aliases

    def _field(self, node: Any) -> tuple[int, int]:
        depth, aliases = self.of(node.selection_set) if node.selection_set else (0, 0)
        return depth + 1, aliases + (node.alias is not None)

    def _fragment(self, name: str) -> tuple[int, int]:
        found = self._known.get(name)
        if found is None:
            # One that contains itself, or is not there, counts nothing: validation refuses the document.
            self._known[name] = (0, 0)
            fragment = self._fragments.get(name)
            found = self.of(fragment.selection_set) if fragment else (0, 0)
            self._known[name] = found
        return found
