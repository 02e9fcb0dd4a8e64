"""Print the transcripts of the cases whose names are given (patterns are allowed), where they differ with marks."""

from __future__ import annotations

import difflib
import fnmatch
import sys

from tests.differential import cases, environment
from tests.differential.plays import both


def main(patterns: list[str]) -> None:
    """Play the cases that match a pattern, on asyncio."""
    chosen = [case for topic in cases.topics() for case in cases.of(topic)]
    chosen = [case for case in chosen if any(fnmatch.fnmatchcase(case.name, pattern) for pattern in patterns)]
    ours, theirs = both(environment.python(), "asyncio", chosen)
    for case in chosen:
        print(f"== {case.name}: {case.app} {dict(case.options)!r}")
        print("\n".join(difflib.ndiff(theirs[case.name], ours[case.name])))


if __name__ == "__main__":
    main(sys.argv[1:])
