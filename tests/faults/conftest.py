"""One server of each kind for all tests of this folder, started when the first asks for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

import pytest

from tests.faults.harness import KINDS, Target, running

# What is left to `--every-server`, since Hypercorn on trio shows nearly the same.
_SELDOM: Final = "[hypercorn-asyncio"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes long, unless asked for; skip all where descriptors cannot be listed."""
    faults = [item for item in items if item.nodeid.startswith("tests/faults/")]
    if not os.path.isdir("/proc/self/fd"):
        for item in faults:
            item.add_marker(pytest.mark.skip(reason="descriptors are counted in /proc"))
    if not config.getoption("--every-server"):
        seldom = [item for item in faults if _SELDOM in item.nodeid]
        config.hook.pytest_deselected(items=seldom)
        left_out = set(seldom)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session", params=KINDS)
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    with running(request.param) as started:
        yield started
