"""SQLAlchemy runs on the loop of asyncio only; and an engine for each database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.asterism.transactions.support import accounts


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    async with accounts(database_url) as opened:
        yield opened
