"""An index over a list of routes: for a path, the routes that could match it, in the order of the list. Pure.

It is a prefilter. An entry whose pattern it cannot read is a candidate for every path; whether a candidate does match
is decided by whoever asked. Static paths are found in a dict, all others in a tree of path segments, so the
cost depends on the length of the path and on the candidates, not on the number of routes.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Final, Generic, Protocol, TypeVar

from starlette._routing.templates import PATH, SEGMENT_TESTS, Parameter, SingleParameter, Template, Token


class Indexed(Protocol):
    """What an entry of the index must tell."""

    @property
    def order(self) -> int:
        """Its place in the list of routes."""
        ...

    @property
    def kind(self) -> str:
        """The kind of scope that it serves, if that is all it looks at besides the path."""
        ...

    @property
    def template(self) -> Template | None:
        """Its pattern, or None when it may match any path."""


E = TypeVar("E", bound=Indexed)


class RouteIndex(Generic[E]):
    """The candidates of any path among a fixed sequence of entries.

    Memory is linear in the entries. Nothing is stored per request.
    """

    __slots__ = ("_any", "_root", "depth", "ends_in_slash", "has_others", "mounts", "static")

    def __init__(self, entries: Iterable[E]) -> None:
        self._any: list[E] = []
        self._root: _Node[E] = _Node()
        # How many segments the longest entry has: a path need not be cut any further.
        self.depth = 1
        # Whether any entry is of another kind than plain HTTP routes.
        self.has_others = False
        # Whether any entry may match a path that ends in a slash, other than "/" itself.
        self.ends_in_slash = False
        static: list[str] = []
        for entry in entries:
            self.has_others = self.has_others or entry.kind != "http"
            literal = self._place(entry)
            if literal is not None:
                static.append(literal)
        # Static paths keep their whole answer, so that the usual look-up is one access to a dict.
        self.static: dict[str, tuple[E, ...]] = {path: self.search(path.split("/")) for path in static}
        #: By the first segment, "/static": the only entry that may match a path that goes on behind it.
        self.mounts: dict[str, tuple[E, ...]] = {} if self._any else self._root.mounts()

    def candidates(self, path: str) -> tuple[E, ...]:
        """Return the entries that may match `path`, in order."""
        return self.static.get(path) or self.search(path.split("/", self.depth))

    def search(self, segments: list[str]) -> tuple[E, ...]:
        """Return the entries that may match a path, in order.

        Args:
            segments: The path, cut at its slashes as `path.split("/", index.depth)` does. What is left over in the
                last piece has a slash in it and therefore fits no single segment.
        """
        if self._any:
            return self._search_all(segments)
        # PERF: as long as there is one way to go, no list of ways is kept.
        node = self._root
        found: tuple[E, ...] = ()
        for segment in segments:
            if node.open:
                found += node.open
            following = node.literals.get(segment)
            if node.wild is not None:
                if following is not None:
                    return self._search_all(segments)
                following = node.wild
            if node.heads:
                return self._search_all(segments)
            if following is None:
                break
            node = following
        else:
            if not found:
                return node.ends
            found += node.ends
        return found if len(found) < 2 else tuple(sorted(found, key=_ORDER))

    def _search_all(self, segments: list[str]) -> tuple[E, ...]:
        found = list(self._any)
        nodes = [self._root]
        for segment in segments:
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
            self.ends_in_slash = True
            return None
        # Static paths are kept in the tree as well, so that `search` is complete by itself.
        self._add(*split_segments(template.tokens), entry)
        return template.literal

    def _add(self, segments: list[Segment], is_open: bool, entry: E) -> None:
        node = self._root
        for segment in segments:
            node = node.child(segment)
        if is_open:
            node.open += (entry,)
            self.ends_in_slash = True
        else:
            node.ends += (entry,)
            # Only a literal segment can be empty.
            self.ends_in_slash = self.ends_in_slash or (segments[-1] == "" and len(segments) != 2)
        self.depth = max(self.depth, len(segments))


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
        self.ends: tuple[E, ...] = ()
        self.open: tuple[E, ...] = ()

    def child(self, segment: Segment) -> _Node[E]:
        if isinstance(segment, str):
            nodes, key = self.literals, segment
        elif segment.head:
            nodes, key = self.heads.setdefault(len(segment.head), {}), segment.head
        else:
            self.wild = self.wild or _Node()
            return self.wild
        return nodes.get(key) or nodes.setdefault(key, _Node())

    def mounts(self) -> dict[str, tuple[E, ...]]:
        """Return the open entries that stand alone below one literal segment, by that segment and its slash."""
        first = self.literals.get("")
        if self.open or self.wild or self.heads or first is None or first.open or first.heads:
            return {}
        if first.wild is not None and (first.wild.open or first.wild.goes_on):
            return {}
        nodes = first.literals.items()
        return {"/" + segment: node.open for segment, node in nodes if len(node.open) == 1 and not node.goes_on}

    @property
    def goes_on(self) -> bool:
        return bool(self.literals or self.wild or self.heads)

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


def single_parameters(tokens: Iterable[Token]) -> tuple[SingleParameter, ...] | None:
    """Return the parameters, if each is a whole segment by itself.

    Then its text is that segment, and the candidates of a path need no other test than that of the text.
    """
    found: list[SingleParameter] = []
    segments, is_open = split_segments(tokens)
    if is_open:
        return None
    position, alone = 0, True
    for token in tokens:
        if isinstance(token, str):
            if not alone and not token.startswith("/"):
                return None
            position += token.count("/")
            alone = token.endswith("/")
        elif not alone:
            return None
        else:
            found.append((token.name, position, SEGMENT_TESTS[token.pattern]))
            alone = False
    return None if len(segments) != position + 1 else tuple(found)


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
