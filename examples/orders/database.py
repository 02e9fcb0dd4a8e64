"""Where orders are stored: in a file unless `DATABASE_URL` names something else, such as postgresql://localhost/shop."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Annotated

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from asterism.transactions import open_engine, snapshot, transaction
from examples.orders.models import Base


async def database() -> AsyncIterator[AsyncEngine]:
    """Open the database, and make its tables when they are not there."""
    async with open_engine(os.environ.get("DATABASE_URL", "sqlite:///orders.db")) as engine:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        yield engine


# Committed before the response is sent, rolled back by any error.
Session = Annotated[AsyncSession, transaction(database)]
Reading = Annotated[AsyncSession, transaction(database, read_only=True)]
Snapshot = Annotated[AsyncSession, snapshot(database)]
