"""The showcase, served by uvicorn, once for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.servers.support import Server, serve, uvicorn


@pytest.fixture(scope="session")
def showcase() -> Iterator[Server]:
    with serve(uvicorn("examples.showcase.app:app")) as server:
        yield server


@pytest.fixture
def client(showcase: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=showcase.url, timeout=30) as connected:
        yield connected
