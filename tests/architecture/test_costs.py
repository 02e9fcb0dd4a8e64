"""A request must not get dearer: its instructions and calls are counted and compared with `costs.json`.

When a change is meant to cost more, or makes something cheaper, write the new figures down and say so in the commit:
`python -m tests.architecture.costs --record`.
"""

from __future__ import annotations

import functools

import pytest

from tests.architecture import costs

# By how much a figure may exceed the recorded one. Counts do not vary; this lets small repairs pass.
TOLERANCE = 0.05

RECORDED = costs.recorded().get(costs.VERSION)
ADVICE = "if that is meant: python -m tests.architecture.costs --record"

measured = functools.cache(costs.measure_apart)


def dearer(now: costs.Figures, before: costs.Figures) -> list[str]:
    """Return what exceeds its tolerance."""
    return [
        f"{name}: {now[name]} instead of {before[name]} ({now[name] / before[name] - 1:+.1%})"
        for name in before
        if now[name] > before[name] * (1 + TOLERANCE)
    ]


@pytest.mark.skipif(RECORDED is None, reason="no figures were recorded for this version of Python")
@pytest.mark.parametrize("name", costs.CASES)
def test_a_request_gets_no_dearer(name: str) -> None:
    assert RECORDED is not None
    before = dict(RECORDED["cases"][name])
    if RECORDED["with"] != costs.surroundings():
        # Other versions of what is around us: only our own instructions can be compared.
        before = {key: figure for key, figure in before.items() if key.startswith("our")}
    assert dearer(measured()[name], before) == [], ADVICE


@pytest.mark.parametrize("version", sorted(costs.recorded()))
def test_every_case_is_recorded(version: str) -> None:
    assert list(costs.recorded()[version]["cases"]) == list(costs.CASES), ADVICE


def test_more_than_the_tolerance_is_dearer() -> None:
    assert dearer({"ours": 105, "all": 300}, {"ours": 100, "all": 300}) == []
    assert dearer({"ours": 106, "all": 300}, {"ours": 100, "all": 300}) == ["ours: 106 instead of 100 (+6.0%)"]
    assert dearer({"ours": 50, "all": 316}, {"ours": 100, "all": 300}) == ["all: 316 instead of 300 (+5.3%)"]
