"""All cases, in the order of the report."""

from __future__ import annotations

from benchmarks.case import Case
from benchmarks.cases import applications, bodies, connections, growing, layers, sending

CASES: tuple[Case, ...] = (
    *applications.CASES,
    *layers.CASES,
    *connections.CASES,
    *bodies.CASES,
    *sending.CASES,
)


def find(name: str) -> Case:
    """Return the case of this name, of these or of those that grow; KeyError when there is none."""
    for case in (*CASES, *growing.CASES):
        if case.name == name:
            return case
    raise KeyError(name)
