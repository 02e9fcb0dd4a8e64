"""The showcase, served by uvicorn, once for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.servers.support import Server, serve, uvicorn
from tests.showcase.chromium import console_errors, started

if TYPE_CHECKING:
    from selenium.webdriver import Chrome


@pytest.fixture(scope="session")
def showcase() -> Iterator[Server]:
    with serve(uvicorn("examples.showcase.app:app")) as server:
        yield server


@pytest.fixture
def client(showcase: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=showcase.url, timeout=30) as connected:
        yield connected


@pytest.fixture(scope="session")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with started(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture
def quiet(chrome: Chrome) -> Iterator[None]:
    """Fail the test when the browser's console has an error, such as a script that was refused."""
    console_errors(chrome)
    yield
    assert console_errors(chrome) == []
