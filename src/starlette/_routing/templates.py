"""Path and host templates: `/users/{id:int}` compiled to a pattern, and matched in linear time. Pure.

A compiled pattern is the one source of truth: routes may be given another `path_regex` at any time, so everything
that is faster than the pattern itself is read off the pattern's own text, and what cannot be read is left to `re`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

# The patterns of the built-in convertors. A `float` may end in its fraction, so that it has two runs of digits.
STR: Final = "[^/]+"
PATH: Final = ".*"
INT: Final = "[0-9]+"
FLOAT: Final = r"[0-9]+(\.[0-9]+)?"
UUID: Final = "[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}"
KNOWN: Final = frozenset({STR, PATH, INT, FLOAT, UUID})

PLACEHOLDER: Final = re.compile("{([a-zA-Z_][a-zA-Z0-9_]*)(:[a-zA-Z_][a-zA-Z0-9_]*)?}")

_GROUP: Final = re.compile(r"\(\?P<([a-zA-Z_][a-zA-Z0-9_]*)>")
_UUID_PATTERN: Final = re.compile(UUID)
# What tells whether a whole segment fits a kind: true for any but the empty one, or a match.
SEGMENT_TESTS: Final[dict[str, Callable[[str], object]]] = {
    STR: bool,
    INT: re.compile(INT).fullmatch,
    FLOAT: re.compile(FLOAT).fullmatch,
    UUID: _UUID_PATTERN.fullmatch,
}

# The name of a parameter, the number of the segment that it is, and what tells whether a segment fits it.
SingleParameter = tuple[str, int, Callable[[str], object]]

# SECURITY: `re` backtracks over every way to cut one segment into several parameters. For so short a text that is
# bounded and faster than the linear matcher; beyond it the time would grow with a power of the length.
_SHORT_TEXT: Final = 40
_FEW_PARAMETERS: Final = 3


class Parameter(NamedTuple):
    """A placeholder of a pattern: its name and the text of its own pattern."""

    name: str
    pattern: str


Token = str | Parameter


def compile_template(path: str, kinds: Mapping[str, Any]) -> tuple[re.Pattern[str], str, dict[str, Any]]:
    """Compile a path (or host) to its pattern, its format string and its convertors by parameter name.

    Args and errors are those of `parse_template`.
    """
    template, text, convertors = parse_template(path, kinds)
    return template.regex, text, convertors


def parse_template(path: str, kinds: Mapping[str, Any]) -> tuple[Template, str, dict[str, Any]]:
    """Return what a path (or host) matches, its format string and its convertors by parameter name.

    Args:
        path: `/users/{id:int}`; what does not begin with a slash is a host, `{tenant}.example.org:8000`, which is
            matched without case and without its port.
        kinds: The convertors by kind; each has a `regex`.

    Raises:
        AssertionError: A placeholder names a kind that is not registered.
        ValueError: Two placeholders have the same name.
        re.error: The pattern of a convertor is none.
    """
    literal, *rest = PLACEHOLDER.split(path)
    text = [literal]
    tokens: list[Token] = [literal]
    convertors: dict[str, Any] = {}
    names = rest[0::3]
    for name, kind, following in zip(names, rest[1::3], rest[2::3], strict=True):
        convertor = convertors[name] = _convertor((kind or ":str")[1:], kinds, path)
        tokens += Parameter(name, convertor.regex), following
        text += "{" + name + "}", following
    _refuse_duplicates(names, path)
    flags = re.NOFLAG
    if not path.startswith("/"):
        flags, tokens[-1] = re.IGNORECASE, _without_port(text[-1])
    template = Template("^" + "".join(map(_pattern_of, tokens)) + "$", flags)
    if all(convertor.regex in KNOWN for convertor in convertors.values()):
        template.read_as(tuple(filter(None, tokens)))
    else:
        _ = template.regex  # a mistake in a pattern of the user's own shows where it is made
    return template, "".join(text), convertors


def _pattern_of(token: Token) -> str:
    return re.escape(token) if isinstance(token, str) else f"(?P<{token.name}>{token.pattern})"


class Template:
    """A pattern, compiled when it must be, with the fastest way to match it that gives the pattern's own result.

    Args:
        pattern: The text of the pattern, or a compiled one, which may come from anywhere.
        flags: Those of `re`, for a pattern given as text.

    Attributes:
        compiled: The compiled pattern, or None as long as nobody needed it.
    """

    __slots__ = ("_bound", "_flags", "_is_read", "_literal", "_pattern", "_tokens", "compiled")

    def __init__(self, pattern: str | re.Pattern[str], flags: int = 0) -> None:
        self.compiled: re.Pattern[str] | None = None
        if isinstance(pattern, re.Pattern):
            self.compiled = pattern
            flags = pattern.flags & ~re.UNICODE
            pattern = pattern.pattern
        self._pattern = pattern
        self._flags = flags
        self._is_read = False
        self._tokens: tuple[Token, ...] | None = None
        self._literal: str | None = None
        self._bound: int | None = None

    @property
    def regex(self) -> re.Pattern[str]:
        """The compiled pattern."""
        # PERF: compiling takes 50 us, nine tenths of making a route; static routes never need it.
        if self.compiled is None:
            self.compiled = re.compile(self._pattern, self._flags)
        return self.compiled

    @property
    def tokens(self) -> tuple[Token, ...] | None:
        """Literals and parameters in order, or None when the text could not be read."""
        if not self._is_read:
            self._read()
        return self._tokens

    @property
    def literal(self) -> str | None:
        """The only text that matches, when there are no parameters."""
        if not self._is_read:
            self._read()
        return self._literal

    def _read(self) -> None:
        self.read_as(read_tokens(self._pattern, self._flags))

    def read_as(self, tokens: tuple[Token, ...] | None) -> None:
        """Take the literals and parameters as they would be read off the pattern, None when they could not be."""
        self._is_read = True
        self._tokens = tokens
        self._literal = None if tokens is None or self._flags == re.IGNORECASE else literal_of(tokens)
        self._bound = _length_bound(tokens)

    def match(self, text: str) -> dict[str, str] | None:
        """Return the text of each parameter when the whole of `text` matches, else None."""
        if not self._is_read:
            self._read()
        if self._literal is not None:
            return {} if text == self._literal else None
        if self._bound is not None and len(text) > self._bound:
            return match_linear(self._tokens or (), text, bool(self._flags & re.IGNORECASE))
        # COMPAT: the pattern ends in `$`, which lets a final newline through; `fullmatch` does not (SECURITY).
        found = (self.compiled or self.regex).fullmatch(text)
        return None if found is None else found.groupdict()


class LazyPattern:
    """The attribute of a route for its compiled pattern: made at first use, and an attribute like any other then."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, route: Any, owner: type) -> re.Pattern[str]:
        template: Template | None = getattr(route, "__dict__", {}).get(TEMPLATE)
        if template is None:
            raise AttributeError(f"{owner.__name__!r} object has no attribute {self.name!r}")
        regex = route.__dict__[self.name] = template.regex
        return regex


#: Where a route keeps its template.
TEMPLATE: Final = "_asterism_template"


def read_tokens(text: str, flags: int = 0) -> tuple[Token, ...] | None:
    """Return the literals and parameters of a pattern made by `parse_template`, or None for any other pattern.

    Parameters with a pattern of their own (custom convertors) are not followed: then the answer is None as well.
    """
    if flags not in (re.NOFLAG, re.IGNORECASE) or text[:1] != "^" or text[-1:] != "$":
        return None
    tokens: list[Token] = []
    position, end = 1, len(text) - 1
    while position < end:
        group = _GROUP.match(text, position)
        if group is not None:
            known = next((kind for kind in KNOWN if text.startswith(kind + ")", group.end())), None)
            if known is None:
                return None
            tokens.append(Parameter(group[1], known))
            position = group.end() + len(known) + 1
            continue
        character = text[position]
        if character == "\\" and not text[position + 1].isalnum():
            position += 1
            character = text[position]
        elif character in "\\.^$*+?{}[]|()":
            return None
        position += 1
        if tokens and isinstance(tokens[-1], str):
            tokens[-1] += character
        else:
            tokens.append(character)
    return tuple(tokens)


def _length_bound(tokens: tuple[Token, ...] | None) -> int | None:
    """How long a text `re` may be given: None for any length."""
    if tokens is None or not is_ambiguous(tokens):
        return None
    return _SHORT_TEXT if sum(isinstance(token, Parameter) for token in tokens) <= _FEW_PARAMETERS else -1


def open_prefix_of(tokens: Sequence[Token]) -> str | None:
    """Return the text before a `path` parameter that ends the pattern, when there is no other parameter."""
    if (
        len(tokens) == 2
        and isinstance(tokens[0], str)
        and isinstance(tokens[1], Parameter)
        and tokens[1].pattern == PATH
    ):
        return tokens[0]
    return None


def literal_of(tokens: Iterable[Token]) -> str | None:
    """Return the text when there are no parameters, else None."""
    parts = list(tokens)
    return None if any(isinstance(part, Parameter) for part in parts) else "".join(map(str, parts))


def is_ambiguous(tokens: Iterable[Token]) -> bool:
    """Tell whether a text could be cut in more ways than a backtracking matcher tries in linear time.

    That is so with two parameters in one segment, or with two that reach over segments.
    """
    in_segment = over_segments = 0
    for token in tokens:
        if isinstance(token, str):
            in_segment = 0 if "/" in token else in_segment
            continue
        in_segment += 1
        over_segments += token.pattern == PATH
        if in_segment > 1 or over_segments > 1:
            return True
    return False


def match_linear(tokens: Iterable[Token], text: str, ignore_case: bool = False) -> dict[str, str] | None:
    """Match as `re` would, each parameter as long as the rest allows, in time linear in the text.

    From the right, each token notes for every position where it would end if it began there; then one walk from the
    left reads the answer. Every kind prefers its longest text, so noting the furthest end is enough.
    """
    parts = list(tokens)
    end = len(text)
    ends: list[list[int]] = []
    fits = [False] * end + [True]  # from which positions the tokens to the right match up to the end
    for token in reversed(parts):
        if isinstance(token, str):
            furthest = _literal_ends(token, text, fits, ignore_case)
        elif token.pattern == FLOAT:
            furthest = _float_ends(text, fits)
        elif token.pattern == UUID:
            furthest = _uuid_ends(text, fits)
        else:
            furthest = _run_ends(token.pattern, text, fits)
        ends.append(furthest)
        fits = [stop >= 0 for stop in furthest]
    if not fits[0]:
        return None
    found: dict[str, str] = {}
    position = 0
    for token, furthest in zip(parts, reversed(ends), strict=True):
        stop = furthest[position]
        if isinstance(token, Parameter):
            found[token.name] = text[position:stop]
        position = stop
    return found


def segment_values(singles: Iterable[SingleParameter], segments: Sequence[str]) -> dict[str, Any] | None:
    """Return the text of parameters that are whole segments, None when one of them does not fit its kind.

    Args:
        singles: The parameters.
        segments: A path, cut at its slashes.
    """
    found: dict[str, Any] = {}
    for name, position, fits in singles:
        text = segments[position]
        if not fits(text):
            return None
        found[name] = text
    return found


def _literal_ends(literal: str, text: str, fits: list[bool], ignore_case: bool) -> list[int]:
    if ignore_case:
        literal, text = literal.lower(), text.lower()
    ends = [-1] * len(fits)
    start = text.find(literal)
    while start >= 0:
        if fits[start + len(literal)]:
            ends[start] = start + len(literal)
        start = text.find(literal, start + 1)
    return ends


def _run_ends(pattern: str, text: str, fits: list[bool]) -> list[int]:
    """Furthest ends of a parameter that is a run of allowed characters (at least one, but for `path`)."""
    may_be_empty = pattern == PATH
    ends = [-1] * len(fits)
    furthest = -1
    for position in range(len(text), -1, -1):
        if position == len(text) or not _is_allowed(pattern, text[position]):
            furthest = position if fits[position] else -1
            if may_be_empty:
                ends[position] = furthest
            continue
        if not may_be_empty:
            ends[position] = furthest
        if furthest < 0 and fits[position]:
            furthest = position
        if may_be_empty:
            ends[position] = furthest
    return ends


def _is_allowed(pattern: str, character: str) -> bool:
    if pattern == STR:
        return character != "/"
    if pattern == PATH:
        return character != "\n"
    return "0" <= character <= "9"


def _float_ends(text: str, fits: list[bool]) -> list[int]:
    """Furthest ends of digits with an optional fraction, which is taken whenever the rest fits behind it."""
    ends = _run_ends(INT, text, fits)
    with_fraction = list(ends)
    behind_point = -1
    for position in range(len(text) - 1, -1, -1):
        if not _is_allowed(INT, text[position]):
            behind_point = ends[position + 1] if text[position] == "." else -1
        elif behind_point >= 0:
            with_fraction[position] = behind_point
    return with_fraction


def _uuid_ends(text: str, fits: list[bool]) -> list[int]:
    """The only end that a UUID can have, from each position."""
    ends = [-1] * len(fits)
    for position in range(len(text)):
        found = _UUID_PATTERN.match(text, position)
        if found is not None and fits[found.end()]:
            ends[position] = found.end()
    return ends


def _convertor(kind: str, kinds: Mapping[str, Any], path: str) -> Any:
    if kind not in kinds:
        # COMPAT: the text is fixed; the note says where to look.
        error = AssertionError(f"Unknown path convertor '{kind}'")
        error.add_note(f"in the path {path!r}; registered are {', '.join(sorted(kinds))}")
        raise error
    return kinds[kind]


def _refuse_duplicates(names: list[str], path: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"Duplicated param name{'s' if len(twice) > 1 else ''} {', '.join(twice)} at path {path}")


def _without_port(host: str) -> str:
    name, colon, _ = host.rpartition(":")
    return host if host.endswith("]") or not colon else name
