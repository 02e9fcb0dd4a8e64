"""Reports of failed tests: what the server wrote belongs to them, and a fault of its own is not ours."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.servers.support import Server, broke_down

# Characters of a server's output that a report shows, the last ones.
SHOWN = 4000


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        for value in item.funcargs.values():
            if isinstance(value, Server):
                ended = value.process.poll()
                state = "is running" if ended is None else f"ended with {ended}"
                report.sections.append((f"The server {state}; it wrote", value.log[-SHOWN:]))
                if broke_down(value):
                    report.outcome = "skipped"
                    report.wasxfail = "the server broke down by itself: trio.BusyResourceError"
    return report
