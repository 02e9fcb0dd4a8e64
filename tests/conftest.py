"""Fixtures for every test: both event loops for what is marked `anyio`, and a third one that can stand in."""

from __future__ import annotations

from typing import Any, Final

import pytest

# What `anyio` runs a test on, by the word in the id of the test. uvloop stands in for the loop of asyncio when asked.
BACKENDS: Final[dict[str, tuple[str, dict[str, Any]]]] = {"asyncio": ("asyncio", {}), "trio": ("trio", {})}
UVLOOP: Final = ("asyncio", {"use_uvloop": True})


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--uvloop", action="store_true", help="run on uvloop what runs on asyncio")


@pytest.fixture(params=list(BACKENDS))
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Run each test marked `anyio` on asyncio, or on uvloop in its place, and on trio."""
    if request.param == "asyncio" and request.config.getoption("--uvloop"):
        return UVLOOP
    return BACKENDS[request.param]
