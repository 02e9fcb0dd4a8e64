"""Accounts in a database, an application around one endpoint, and a look at what is stored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, Any

from sqlalchemy import CheckConstraint, ForeignKey, Table, event, func, inspect, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from asterism.dependencies import inject, overrides
from asterism.problems import handlers
from asterism.transactions import open_engine, snapshot, transaction
from starlette.applications import Starlette
from starlette.routing import Route


class Base(DeclarativeBase):
    """The tables."""


class Account(Base):
    """A row that can contradict others in several ways; the reference is checked when a transaction commits."""

    __tablename__ = "accounts"
    __table_args__ = (CheckConstraint("balance >= 0"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    balance: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str] = mapped_column(default="nobody")
    patron: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", deferrable=True, initially="DEFERRED"))
    version: Mapped[int] = mapped_column(default=0)
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  # as SQLAlchemy has it


ACCOUNTS: Table = inspect(Account).local_table  # type: ignore[assignment]  # no view


async def database() -> AsyncEngine:
    """Stand for the database of the application, which each test replaces."""
    raise NotImplementedError


Session = Annotated[AsyncSession, transaction(database)]
Reading = Annotated[AsyncSession, transaction(database, read_only=True)]
Strict = Annotated[AsyncSession, transaction(database, isolation_level="SERIALIZABLE")]
Snapshot = Annotated[AsyncSession, snapshot(database)]


@asynccontextmanager
async def accounts(url: str, **options: Any) -> AsyncIterator[AsyncEngine]:
    """Open a database with empty tables."""
    async with open_engine(url, **options) as engine:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        yield engine


@contextmanager
def serving(engine: AsyncEngine, function: Callable[..., Any]) -> Iterator[Starlette]:
    """Return an application with one endpoint. A mistake of the program is a 500, and raised behind it."""
    served = function if hasattr(function, "__asterism_plan__") else inject(function)
    app = Starlette(routes=[Route("/", served, methods=["GET", "POST"])], exception_handlers=handlers())
    with overrides(app, {database: lambda: engine}):
        yield app


async def stored(engine: AsyncEngine) -> list[tuple[int, int]]:
    """Return what other connections see: the number and balance of each account."""
    async with engine.connect() as connection:
        rows = await connection.execute(select(Account.id, Account.balance).order_by(Account.id))
        return [(number, balance) for number, balance in rows]


async def count(session: AsyncSession) -> int:
    return await session.scalar(select(func.count()).select_from(Account)) or 0


@contextmanager
def listening(engine: AsyncEngine, name: str, listener: Callable[..., Any]) -> Iterator[None]:
    """Call a function at an event of the engine."""
    event.listen(engine.sync_engine, name, listener)
    try:
        yield
    finally:
        event.remove(engine.sync_engine, name, listener)
