"""Fixtures for every test: both event loops for what is marked `anyio`."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run each test marked `anyio` on asyncio and on trio."""
    return str(request.param)
