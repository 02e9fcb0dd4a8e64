"""Every `python` block of the documents runs.

A comment right above a block may ask for more, as many times as needed, separated by `;`:

- `GET /path 200`: the block's `app` answers a request like this (the lifespan running);
- `from examples/name.py`: the block is a part of that file, letter for letter, which is run by the file's own test;
- `continued`: the block goes on where the one above it ended, in the same module.

Functions of a block that begin with `test_` and take no arguments are called.
"""

from __future__ import annotations

import linecache
import re
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from starlette.testclient import TestClient
from tests.docs.pages import PAGES, ROOT, Block, blocks

BLOCKS = [block for page in PAGES for block in blocks(page)]
PYTHON = [block for block in BLOCKS if block.language == "python"]
NOTES = [(block, note.strip()) for block in PYTHON for note in block.note.split(";") if note.strip()]
REQUESTS = [(block, note) for block, note in NOTES if not note.startswith("from ") and note != "continued"]
EXCERPTS = [(block, note) for block, note in NOTES if note.startswith("from ")]
RUNNABLE = [block for block in PYTHON if not block.note.startswith("from ")]

_REQUEST = re.compile(r"(?P<method>[A-Z]+) (?P<path>/\S*) (?P<status>\d{3})")


def run(block: Block) -> dict[str, Any]:
    """Execute the block and those that it continues as one module, and return the names.

    Tracebacks show its lines. Tests of the blocks before it are left out.
    """
    names: dict[str, Any] = {"__name__": "documented"}
    for part in chain(block):
        for known in [known for known in names if known.startswith("test_")]:
            del names[known]
        name = f"<{part.id}>"
        linecache.cache[name] = (len(part.code), None, part.code.splitlines(keepends=True), name)
        exec(compile(part.code, name, "exec", dont_inherit=True), names)
    return names


def chain(block: Block) -> list[Block]:
    """Return the block, and before it those of its page that it continues."""
    parts = [block]
    while (block, "continued") in NOTES:
        block = RUNNABLE[RUNNABLE.index(block) - 1]
        parts.insert(0, block)
    return parts


@pytest.mark.parametrize("block", RUNNABLE, ids=lambda block: block.id)
def test_python_block_runs(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "static").mkdir()
    for name, value in run(block).items():
        if name.startswith("test_") and isinstance(value, FunctionType):
            value()


@pytest.mark.parametrize(("block", "note"), REQUESTS, ids=lambda item: getattr(item, "id", item))
def test_documented_application_answers(
    block: Block, note: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "static").mkdir()
    match = _REQUEST.fullmatch(note)
    assert match is not None, f"the note {note!r} is not understood"
    with TestClient(run(block)["app"], follow_redirects=False) as client:
        assert client.request(match["method"], match["path"]).status_code == int(match["status"])


@pytest.mark.parametrize(("block", "note"), EXCERPTS, ids=lambda item: getattr(item, "id", item))
def test_excerpt_is_what_the_file_says(block: Block, note: str) -> None:
    source = (ROOT / note.removeprefix("from ")).read_text(encoding="utf-8")
    assert block.code in source


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_name_their_language(page: Path) -> None:
    assert [block.line for block in blocks(page) if not block.language] == []
