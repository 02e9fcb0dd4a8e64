"""Every item of docs/threats.md has tests that name it, and every test that names an item finds it there.

The table below says which items there are, so that none can be dropped from the page unnoticed.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import BACKENDS

TESTS: Final = Path(__file__).parents[1]
ROOT: Final = TESTS.parent
PAGE: Final = ROOT / "docs" / "threats.md"

# For each threat, by its parts, what holds upstream as well (K) and what goes beyond (B). One letter: it has no parts.
ITEMS: Final[dict[str, str]] = {
    "T01": "K K KB K K K K",
    "T02": "K B KB B B K K",
    "T03": "KB",
    "T04": "K B KB K",
    "T05": "KB",
    "T06": "K K B",
    "T07": "K B B B K",
    "T08": "K K B B K K K",
    "T09": "K K B KB B B K",
    "T10": "K K K",
    "T11": "K",
    "T12": "K K B B K K",
    "T13": "K B K K B B K",
    "T14": "B",
    "T15": "K B B B KB K",
    "T16": "K B K",
    "T17": "K",
    "T18": "K B KB B K",
    "T19": "K",
    "T20": "K B K",
    "T21": "K",
    "T22": "KB",
    "T23": "B K B B",
    "T24": "K B",
    "T25": "KB",
    "T26": "K",
    "T27": "B",
    "R01": "K",
    "R02": "K",
    "R03": "KB",
    "R04": "K K B B K",
    "R05": "K",
    "R06": "K",
    "R07": "KB",
    "R08": "K",
    "R09": "K K K",
    "R10": "K",
    "R11": "K",
    "R12": "K",
    "R13": "K",
    "R14": "B",
    "R15": "B",
    "R16": "KB",
}

_ROW: Final = re.compile(r"^\| ([TR]\d\d(?:\.\d)?) \| ([KB]) \| (.+) \| (.+) \|$", re.MULTILINE)
_ADVISORY: Final = re.compile(r"^\| (CVE-[\d-]+) \| ([\w-]*) \| .+ \| `(test_\w+)_\*` \|$", re.MULTILINE)
_NAMED_TEST: Final = re.compile(r"`([\w/]+\.py)::(test_\w+)`")
# `R10` alone is a rule of another list; behind the word it is an item of the page.
_SECURITY: Final = re.compile(r"\bT\d\d(?:\.\d)?\b")
_RELIABILITY: Final = re.compile(r"\bR\d\d(?:\.\d)?\b")


@dataclass(frozen=True)
class Row:
    """One line of the page: an item, its level, and the tests that keep it, as file and name."""

    item: str
    level: str
    tests: tuple[tuple[str, str], ...]


@functools.cache
def rows() -> list[Row]:
    text = PAGE.read_text(encoding="utf-8")
    return [Row(item, level, tuple(_NAMED_TEST.findall(tests))) for item, level, _, tests in _ROW.findall(text)]


def expected() -> list[tuple[str, str]]:
    """Return the pairs of item and level that the page has to have."""
    pairs = []
    for threat, levels in ITEMS.items():
        parts = levels.split()
        for number, letters in enumerate(parts, 1):
            item = f"{threat}.{number}" if len(parts) > 1 else threat
            pairs += [(item, letter) for letter in letters]
    return pairs


def items_in(text: str) -> set[str]:
    """Return the items that a piece of a test names."""
    found = set(_SECURITY.findall(text))
    for line in text.splitlines():
        _, word, rest = line.partition("threats ")
        found.update(_RELIABILITY.findall(rest) if word else ())
    return found


@functools.cache
def named() -> dict[tuple[str, str], set[str]]:
    """Return, for each test by file and name, the items that it names: in its comments, rows, and right above it."""
    tests: dict[tuple[str, str], set[str]] = {}
    for file in sorted(TESTS.rglob("test_*.py")):
        source = file.read_text(encoding="utf-8")
        for name, piece in pieces(source):
            tests[file.relative_to(TESTS).as_posix(), name] = items_in(piece)
    return tests


def pieces(source: str) -> Iterator[tuple[str, str]]:
    """Give name and text of each test of a file, with the decorators and the comment above it."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            begin = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) - 1
            while begin > 0 and lines[begin - 1].startswith("#"):
                begin -= 1
            yield node.name, "\n".join(lines[begin : node.end_lineno])


def test_the_page_has_every_item_once() -> None:
    assert sorted((row.item, row.level) for row in rows()) == sorted(expected())


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.item}-{row.level}")
def test_an_item_is_kept_by_tests_that_name_it(row: Row) -> None:
    assert row.tests, "no test"
    absent = [f"{file}::{name}" for file, name in row.tests if (file, name) not in named()]
    assert absent == []
    silent = [f"{file}::{name}" for file, name in row.tests if row.item not in named()[file, name]]
    assert silent == [], f"write {row.item} into these tests"


def test_tests_name_items_that_exist() -> None:
    known = {item for item, _ in expected()} | set(ITEMS)
    unknown = {f"{file}::{name}": found - known for (file, name), found in named().items() if found - known}
    assert unknown == {}


def test_an_item_that_no_test_names_is_noticed() -> None:
    ((name, text),) = pieces("# T01.2\n@mark\ndef test_a() -> None:  # threats R04.1, R10\n    ...  # R12, T02\n")
    assert (name, items_in(text)) == ("test_a", {"T01.2", "R04.1", "R10", "T02"})
    assert ("T01.1", "K") in expected()


def test_advisories_and_their_tests_are_the_same() -> None:
    listed = {test for _, _, test in _ADVISORY.findall(PAGE.read_text(encoding="utf-8"))}
    numbers = re.compile(r"test_(?:cve_\d+_\d+|ghsa_\w{4}_\w{4}_\w{4})")
    tested = {match[0] for file, name in named() if file.startswith("advisories/") and (match := numbers.match(name))}
    assert listed == tested


# --- two items that concern all modules


def test_no_check_is_an_assertion() -> None:  # T27: `python -O` removes assertions
    for file in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Assert):
                # Only for the type checker, about attributes that are set before.
                assert ast.unparse(node.test).endswith(" is not None"), f"{file}:{node.lineno}"


def test_tests_that_wait_run_on_asyncio_and_on_trio() -> None:  # threats R11
    assert {backend for backend, _ in BACKENDS.values()} == {"asyncio", "trio"}
    for file in sorted((TESTS / "starlette").rglob("test_*.py")):
        for name, piece in pieces(file.read_text(encoding="utf-8")):
            if "async def test_" in piece and "mark.anyio" not in piece:
                assert "mark.anyio" in file.read_text(encoding="utf-8"), f"{file}: {name}"
