"""Fixtures for every test: both event loops for what is marked `anyio`, a third that can stand in, and databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from tests.postgresql import Cluster

# What `anyio` runs a test on, by the word in the id of the test. uvloop stands in for the loop of asyncio when asked.
BACKENDS: Final[dict[str, tuple[str, dict[str, Any]]]] = {"asyncio": ("asyncio", {}), "trio": ("trio", {})}
UVLOOP: Final = ("asyncio", {"use_uvloop": True})


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--uvloop", action="store_true", help="run on uvloop what runs on asyncio")
    parser.addoption("--every-server", action="store_true", help="run tests/faults on each server, also the slow ones")


@pytest.fixture(params=list(BACKENDS))
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Run each test marked `anyio` on asyncio, or on uvloop in its place, and on trio."""
    if request.param == "asyncio" and request.config.getoption("--uvloop"):
        return UVLOOP
    return BACKENDS[request.param]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """Run a PostgreSQL server for the tests that need one; they are skipped where it is not installed."""
    from tests.postgresql import cluster, programs

    if programs() is None:
        pytest.skip("PostgreSQL is not installed; on Debian: apt-get install postgresql")
    with cluster() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    url: str = request.getfixturevalue("postgresql").create_database()
    return url
