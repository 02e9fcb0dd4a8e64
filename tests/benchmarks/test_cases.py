"""Every benchmark case gives the right answer. Nothing is timed here."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.case import Case
from benchmarks.cases import CASES, find


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_answers_correctly(case: Case) -> None:
    # Each `seconds` checks the last of its results itself, and raises when that is wrong.
    try:
        work = case.prepare()
    except ModuleNotFoundError as exc:
        pytest.skip(str(exc))
    assert asyncio.run(work.seconds(2)) > 0


def test_cases_are_found_by_their_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert all(find(case.name) is case for case in CASES)
    with pytest.raises(KeyError):
        find("no such case")
