"""Every test that docs/reliability.md names is there, and every promise names one."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.docs.pages import ROOT

PAGE: Final = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
ROWS: Final = [
    row for row in re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE) if row[0] not in ("promise", "---")
]


@pytest.mark.parametrize(("promise", "tests"), ROWS, ids=[promise for promise, _ in ROWS])
def test_a_promise_names_tests_that_exist(promise: str, tests: str) -> None:
    named = re.findall(r"`(tests/[\w/.]+?)(?:::(test_\w+))?`", tests)
    assert named, "no test"
    for path, name in named:
        assert (ROOT / path).exists(), path
        if name:
            assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE), name
