"""One server of each kind for all tests of this folder, started when the first asks for it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.faults.harness import KINDS, Target, running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip where descriptors cannot be listed."""
    if not os.path.isdir("/proc/self/fd"):
        for item in items:
            if "tests/faults" in item.path.as_posix():
                item.add_marker(pytest.mark.skip(reason="descriptors are counted in /proc"))


@pytest.fixture(scope="session", params=KINDS)
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    with running(request.param) as started:
        yield started
