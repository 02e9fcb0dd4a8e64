"""An engine whose transactions are what they promise, also with SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from asterism.transactions._library import (
    URL,
    AsyncAdaptedQueuePool,
    AsyncEngine,
    Connection,
    PoolResetState,
    create_async_engine,
    event,
    make_url,
)

# The driver for a URL that names none.
_DRIVERS: Final = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}

_EXTRAS: Final = {"aiosqlite": "sqlite", "asyncpg": "postgresql"}

# An option of executions: whether the transaction only reads. PostgreSQL has one of its own.
READ_ONLY: Final = "asterism_read_only"


@asynccontextmanager
async def open_engine(
    url: str | URL, *, lock_timeout: float = 5.0, statement_timeout: float = 30.0, **options: Any
) -> AsyncIterator[AsyncEngine]:
    """Open an engine, and close its connections at the end: the body of a resource.

        async def database() -> AsyncIterator[AsyncEngine]:
            async with open_engine(os.environ.get("DATABASE_URL", "sqlite:///orders.db")) as engine:
                yield engine

    SQLite gets write-ahead logging, checked foreign keys, and transactions that begin when SQLAlchemy says so: those
    that write take the write lock at once, so that they wait for one another and never fail half-way.

    Args:
        url: `sqlite:///orders.db`, `sqlite://` for memory, `postgresql://user@host/name`; also those of SQLAlchemy.
        lock_timeout: Seconds that a statement waits for others (SQLite, PostgreSQL).
        statement_timeout: Seconds that a statement may take (PostgreSQL).
        options: Those of SQLAlchemy's `create_async_engine`.

    Raises:
        ImportError: The driver is missing.
    """
    target = make_url(url)
    target = target.set(drivername=_DRIVERS.get(target.drivername, target.drivername))
    driver = target.get_driver_name()
    arguments = _connect_arguments(driver, lock_timeout, statement_timeout) | dict(options.pop("connect_args", ()))
    if _is_in_memory(target):
        # Each connection would have a database of its own; this lets transactions wait for the one connection.
        options = {"poolclass": AsyncAdaptedQueuePool, "pool_size": 1, "max_overflow": 0, **options}
    try:
        engine = create_async_engine(target, connect_args=arguments, **options)
    except ModuleNotFoundError as exc:
        extra = _EXTRAS.get(driver)
        exc.add_note(f'install the "{extra}" extra: pip install "starlette[{extra}]"' if extra else f"install {driver}")
        raise
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        event.listen(engine.sync_engine, "reset", _end_sqlite)
    try:
        yield engine
    finally:
        await engine.dispose()


def _connect_arguments(driver: str, lock_timeout: float, statement_timeout: float) -> dict[str, Any]:
    locks, statements = round(lock_timeout * 1000), round(statement_timeout * 1000)
    table: dict[str, dict[str, Any]] = {
        "aiosqlite": {"timeout": lock_timeout},
        # Told to the driver as well, which then does not wait for a server that has gone silent.
        "asyncpg": {
            "command_timeout": statement_timeout + lock_timeout,
            "server_settings": {"lock_timeout": str(locks), "statement_timeout": str(statements)},
        },
        "psycopg": {"options": f"-c lock_timeout={locks} -c statement_timeout={statements}"},
    }
    return table.get(driver, {})


def _is_in_memory(url: URL) -> bool:
    if url.get_backend_name() != "sqlite":
        return False
    return url.database in {None, "", ":memory:"} or url.query.get("mode") == "memory"


def _prepare_sqlite(connection: Any, _: object) -> None:
    # Python's module would begin transactions by itself: late, and not before it reads.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    reads = bool(connection.get_execution_options().get(READ_ONLY))
    if connection.info.get(READ_ONLY, False) is not reads:
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reads else 'OFF'}")
        connection.info[READ_ONLY] = reads
    # A transaction that reads first and then wants to write fails at once when another has written in between
    # (SQLITE_BUSY_SNAPSHOT); who has the lock from the start waits for the others, and sees what they wrote.
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _end_sqlite(connection: Any, record: Any, state: PoolResetState) -> None:
    # With SQLite, a commit that fails ends nothing, while SQLAlchemy takes the transaction for ended.
    if state.asyncio_safe and record.driver_connection.in_transaction:
        connection.rollback()
