"""The shop on an empty database, of each kind in turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from examples.orders.app import app
from starlette.testclient import TestClient


@pytest.fixture
def client(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("DATABASE_URL", database_url)
    with TestClient(app) as opened:
        yield opened


@pytest.fixture
def shop(client: TestClient) -> TestClient:
    """Return a client of a shop that has ten teas and five cups."""
    offers: dict[str, Any] = {
        "TEA": {"name": "Tea", "price_cents": 450, "stock": 10},
        "CUP": {"name": "Cup", "price_cents": 1200, "stock": 5},
    }
    for sku, offer in offers.items():
        assert client.put(f"/products/{sku}", json=offer).status_code == 200
    return client
