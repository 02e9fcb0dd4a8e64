"""An index over a list of routes: for a path, the routes that could match it, in the order of the list. Pure.

It is a prefilter. An entry whose pattern it cannot read is a candidate for every path; whether a candidate does match
is decided by whoever asked. Static paths are found in a dict, all others in a tree of path segments, so the
cost depends on the length of the path and on the candidates, not on the number of routes.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Final, Generic, Protocol, TypeVar

from starlette._routing.templates import PATH, Parameter, Template, Token


class Indexed(Protocol):
    """What an entry of the index must tell."""

    @property
    def order(self) -> int:
        """Its place in the list of routes."""
        ...

    @property
    def template(self) -> Template | None:
        """Its pattern, or None when it may match any path."""


E = TypeVar("E", bound=Indexed)


class RouteIndex(Generic[E]):
    """The candidates of any path among a fixed sequence of entries.

    Memory is linear in the entries. Nothing is stored per request.
    """

    __slots__ = ("_any", "_depth", "_root", "_static")

    def __init__(self, entries: Iterable[E]) -> None:
        self._any: list[E] = []
        self._depth = 1
        self._root: _Node[E] = _Node()
        self._static: dict[str, tuple[E, ...]] = {}
        static: list[str] = []
        for entry in entries:
            literal = self._place(entry)
            if literal is not None:
                static.append(literal)
        # Static paths keep their whole answer, so that the usual look-up is one access to a dict.
        found = {path: self.search(path) for path in static}
        self._static = found

    def candidates(self, path: str) -> tuple[E, ...]:
        """Return the entries that may match `path`, in order."""
        return self._static.get(path) or self.search(path)

    def search(self, path: str) -> tuple[E, ...]:
        """Do as `candidates` does, without the answers that were kept for static paths."""
        found = list(self._any)
        nodes = [self._root]
        # SECURITY: no more pieces than the deepest route has segments; what is left over has a slash in it and
        # therefore fits no single segment.
        for segment in path.split("/", self._depth):
            following: list[_Node[E]] = []
            for node in nodes:
                if node.open:
                    found += node.open
                node.follow(segment, following)
            if not following:
                break
            nodes = following
        else:
            for node in nodes:
                found += node.ends
        if len(found) > 1:
            found.sort(key=_ORDER)
        return tuple(found)

    def _place(self, entry: E) -> str | None:
        """Put an entry where its pattern leads; return the path when the pattern is a literal one."""
        template = entry.template
        if template is None or template.tokens is None:
            self._any.append(entry)
            return None
        # Static paths are kept in the tree as well, so that `search` is complete by itself.
        self._add(*split_segments(template.tokens), entry)
        return template.literal

    def _add(self, segments: list[Segment], is_open: bool, entry: E) -> None:
        node = self._root
        for segment in segments:
            node = node.child(segment)
        (node.open if is_open else node.ends).append(entry)
        self._depth = max(self._depth, len(segments))


class _Any:
    """A segment that has parameters; `head` is the literal text it begins with."""

    __slots__ = ("head",)

    def __init__(self, head: str) -> None:
        self.head = head


Segment = str | _Any


class _Node(Generic[E]):
    __slots__ = ("ends", "heads", "literals", "open", "wild")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[E]] = {}
        self.wild: _Node[E] | None = None
        # Segments such as `v{number}` by their head, in one dict for each length of head.
        self.heads: dict[int, dict[str, _Node[E]]] = {}
        # What ends here, and what matches from the next segment on whatever that is.
        self.ends: list[E] = []
        self.open: list[E] = []

    def child(self, segment: Segment) -> _Node[E]:
        if isinstance(segment, str):
            return self.literals.setdefault(segment, _Node())
        if segment.head:
            return self.heads.setdefault(len(segment.head), {}).setdefault(segment.head, _Node())
        if self.wild is None:
            self.wild = _Node()
        return self.wild

    def follow(self, segment: str, following: list[_Node[E]]) -> None:
        """Append the nodes behind this one that a path with this segment leads to."""
        node = self.literals.get(segment)
        if node is not None:
            following.append(node)
        if self.wild is not None:
            following.append(self.wild)
        for length, nodes in self.heads.items():
            node = nodes.get(segment[:length])
            if node is not None:
                following.append(node)


_ORDER: Final = attrgetter("order")


def split_segments(tokens: Iterable[Token]) -> tuple[list[Segment], bool]:
    """Cut a pattern at its slashes into literal segments and segments with parameters.

    Returns:
        The segments, and whether anything may follow: from the first parameter that may hold a slash, the rest is not
        cut any further.
    """
    segments: list[Segment] = [""]
    for token in tokens:
        if isinstance(token, Parameter):
            if token.pattern == PATH:
                # The head of an open segment is not looked at: `/files{rest:path}` is found below "".
                return segments[:-1], True
            if isinstance(segments[-1], str):
                segments[-1] = _Any(segments[-1])
            continue
        first, *others = token.split("/")
        if isinstance(segments[-1], str):
            segments[-1] += first
        segments.extend(others)
    return segments, False
