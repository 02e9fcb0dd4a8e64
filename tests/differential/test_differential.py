"""What we send is what upstream sends, message for message, except where the table of differences says otherwise.

To look at one case: `python -m tests.differential "routing/path '/plain'"` prints both transcripts.
"""

from __future__ import annotations

import difflib
import fnmatch
import re
from pathlib import Path
from typing import Final

import pytest

from benchmarks import environments
from tests.differential import cases, environment, intended
from tests.differential.plays import both

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "compatibility.md"
LOOPS: Final = ("asyncio", "trio")

# Earlier ones do not know some of the content types of forms, and upstream asks them; ours does not depend on that.
PARSER: Final = "python-multipart"
KNOWS_FORMS_SINCE: Final = (0, 0, 33)
TOPICS_WITH_FORMS: Final = frozenset({"forms", "requests"})

# Unexpected differences that a failing test shows in full.
SHOWN: Final = 10


@pytest.fixture(scope="module")
def upstream() -> Path:
    try:
        return environment.python()
    except RuntimeError as error:
        if environment.is_required():
            raise
        pytest.skip(f"no upstream to compare with: {error}")


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("topic", cases.topics())
def test_both_packages_send_the_same(upstream: Path, topic: str, loop: str) -> None:
    if topic in TOPICS_WITH_FORMS:
        parser = environments.versions(upstream, [PARSER])[PARSER]
        if tuple(map(int, parser.split("."))) < KNOWS_FORMS_SINCE:
            pytest.skip(f"upstream is installed with {PARSER} {parser}")
    played = list(cases.of(topic))
    ours, theirs = both(upstream, loop, played)
    wrong: list[str] = []
    for case in played:
        entry = intended.difference(case.name)
        if entry is None and ours[case.name] != theirs[case.name]:
            lines = difflib.unified_diff(theirs[case.name], ours[case.name], "upstream", "ours", n=2, lineterm="")
            wrong.append("\n    ".join([case.name, *lines]))
        elif entry is not None and ours[case.name] == theirs[case.name]:
            wrong.append(f"{case.name} no longer differs; the table says it does ({entry.entry})")
    assert not wrong, f"{len(wrong)} of {len(played)} cases:\n" + "\n".join(wrong[:SHOWN])


def test_there_are_enough_cases_and_each_has_a_name_of_its_own() -> None:
    names = [case.name for topic in cases.topics() for case in cases.of(topic)]
    assert len(set(names)) == len(names) >= 1500


def test_every_difference_has_cases_and_a_reason() -> None:
    documented = re.findall(r"^- `([a-z0-9-]+)`:", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    names = [case.name for topic in cases.topics() for case in cases.of(topic)]
    for entry in intended.TABLE:
        assert entry.entry in documented or " " in entry.entry, f"no such entry in the document: {entry.entry}"
        for pattern in entry.cases:
            found = [name for name in names if fnmatch.fnmatchcase(name, pattern)]
            assert found, f"{pattern!r} of {entry.entry} matches no case"
