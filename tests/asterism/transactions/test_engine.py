"""Engines: drivers, extras, what SQLite is told, and reading beside writing."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import create_engine, event, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from asterism.api import endpoint
from asterism.transactions import _engine, open_engine, snapshot, transaction
from asterism.transactions._engine import READ_ONLY
from asterism.transactions._session import Settings, throw_away
from starlette.responses import PlainTextResponse, Response
from tests.asgi import Record, body, call, http_scope
from tests.asterism.transactions.support import (
    Account,
    Reading,
    Session,
    Snapshot,
    accounts,
    count,
    database,
    serving,
    stored,
)

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        pytest.param("sqlite://", "sqlite+aiosqlite", id="sqlite"),
        pytest.param("postgresql://host/name", "postgresql+asyncpg", id="postgresql"),
        pytest.param("postgres://host/name", "postgresql+asyncpg", id="as-platforms-spell-it"),
        pytest.param("postgresql+asyncpg://host/name", "postgresql+asyncpg", id="as-sqlalchemy-spells-it"),
    ],
)
async def test_a_url_needs_no_driver(url: str, driver: str) -> None:
    async with open_engine(url) as engine:
        assert engine.url.drivername == driver


@pytest.mark.parametrize(
    ("url", "module", "note"),
    [
        pytest.param("sqlite://", "aiosqlite", r"starlette\[sqlite\]", id="sqlite"),
        pytest.param("postgresql://", "asyncpg", r"starlette\[postgresql\]", id="postgresql"),
        pytest.param("postgresql+psycopg://", "psycopg", "install psycopg", id="another"),
    ],
)
async def test_a_missing_driver_is_named(url: str, module: str, note: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError) as caught:
        async with open_engine(url):
            raise NotImplementedError
    assert note.replace("\\", "") in caught.value.__notes__[0]


def test_sqlalchemy_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    monkeypatch.delitem(sys.modules, "asterism.transactions._library")
    with pytest.raises(ImportError, match="needs SQLAlchemy 2") as caught:
        importlib.import_module("asterism.transactions._library")
    assert 'pip install "starlette[sqlalchemy]"' in caught.value.__notes__[0]


async def test_what_a_connection_of_sqlite_is(tmp_path: Path) -> None:
    async with open_engine(f"sqlite:///{tmp_path / 'test.db'}", connect_args={"timeout": 1.5}) as engine:
        async with engine.connect() as connection:
            names = ("foreign_keys", "journal_mode", "busy_timeout")
            found = [await connection.scalar(text(f"PRAGMA {name}")) for name in names]
    assert found == [1, "wal", 1500]


def test_how_transactions_of_sqlite_begin(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'test.db'}")
    event.listen(engine, "connect", _engine._prepare_sqlite)
    event.listen(engine, "begin", _engine._begin_sqlite)
    event.listen(engine, "reset", _engine._end_sqlite)
    said: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    for reads in (False, True, True, False):
        with engine.connect().execution_options(**{READ_ONLY: reads}) as connection, connection.begin():
            pass
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        driver: Any = connection.connection.driver_connection
        # As if a commit had failed.
        connection.get_transaction().close()  # type: ignore[union-attr]  # there is one
        driver.execute("BEGIN")
    assert not driver.in_transaction
    engine.dispose()
    on, off = "PRAGMA query_only = ON", "PRAGMA query_only = OFF"
    assert said == ["BEGIN IMMEDIATE", on, "BEGIN", "BEGIN", off, "BEGIN IMMEDIATE", "BEGIN IMMEDIATE", "SELECT 1"]


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"])
async def test_a_database_in_memory_is_one_for_all(url: str) -> None:
    async with accounts(url) as engine:
        with serving(engine, adds_next) as app:
            async with anyio.create_task_group() as tasks:
                for _ in range(5):
                    tasks.start_soon(call, app)
        assert [number for number, _ in await stored(engine)] == [0, 1, 2, 3, 4]


async def adds_next(session: Session) -> Response:
    session.add(Account(id=await count(session)))
    return Response()


async def test_concurrent_requests_lose_nothing(engine: AsyncEngine) -> None:
    """Each reads what it then writes: with SQLite they wait for one another, with PostgreSQL for the row."""
    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO accounts (id, balance, owner, version) VALUES (1, 0, 'a', 1)"))
    statuses: list[int] = []

    async def ask() -> None:
        statuses.append((await call(app)).status)

    with serving(engine, pays_in) as app:
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(ask)
    assert statuses == [200] * 20
    assert await stored(engine) == [(1, 20)]


async def pays_in(session: Session) -> Response:
    account = await session.get_one(Account, 1, with_for_update=True)
    account.balance += 1
    return Response()


async def reads(first: Reading) -> Response:
    return PlainTextResponse(str(await count(first)))


async def test_readers_do_not_wait_for_a_writer(engine: AsyncEngine) -> None:
    async with engine.begin() as writer:
        await writer.execute(text("INSERT INTO accounts (id, balance, owner, version) VALUES (1, 0, 'a', 1)"))
        with serving(engine, reads) as app:
            assert (await call(app)).body == b"0"
    with serving(engine, reads) as app:
        assert (await call(app)).body == b"1"


async def export(session: Snapshot) -> AsyncIterator[int]:
    async for number in await session.stream_scalars(select(Account.id).order_by(Account.id)):
        yield number
    yield await count(session)


async def test_a_snapshot_stays_the_same_until_the_response_was_sent(engine: AsyncEngine) -> None:
    """From its first statement on: the one row that was added before it is seen, and none after."""
    pieces: list[bytes] = []

    async def send(message: Any) -> None:
        async with engine.begin() as connection:
            insert = "INSERT INTO accounts (id, balance, owner, version) VALUES (:id, 0, 'a', 1)"
            await connection.execute(text(insert), {"id": len(pieces) + 10})
        pieces.append(message.get("body", b""))

    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO accounts (id, balance, owner, version) VALUES (1, 0, 'a', 1)"))
    with serving(engine, endpoint(export)) as app:
        await app(http_scope(), body(), send)
    assert [json.loads(piece) for piece in pieces if piece] == [1, 10, 2]
    assert len(await stored(engine)) == len(pieces) + 1


async def writes(session: Snapshot) -> Response:
    session.add(Account(id=1))
    await session.flush()
    raise NotImplementedError


async def adds_only(session: Snapshot) -> Response:
    session.add(Account(id=1))
    return Response()


async def test_a_snapshot_cannot_write(engine: AsyncEngine) -> None:
    with serving(engine, writes) as app, pytest.raises(Exception, match=r"readonly|read-only"):
        await app(http_scope(), body(), Record())
    with serving(engine, adds_only) as app:
        assert (await call(app)).status == 200
    assert await stored(engine) == []


def test_a_connection_that_is_thrown_away_goes_to_nobody_else() -> None:
    engine = create_engine("sqlite://")
    connection = engine.connect()
    before = connection.connection.driver_connection
    throw_away(connection)
    assert connection.closed
    with engine.connect() as other:
        assert other.connection.driver_connection is not before
    engine.dispose()


@pytest.mark.parametrize(
    ("dialect", "options"),
    [
        pytest.param("sqlite", {READ_ONLY: True}, id="sqlite-has-one-level"),
        pytest.param("postgresql", {"isolation_level": "SERIALIZABLE", "postgresql_readonly": True}, id="postgresql"),
        pytest.param("mysql", {"isolation_level": "SERIALIZABLE", READ_ONLY: True}, id="another"),
    ],
)
def test_what_a_connection_is_told(dialect: str, options: dict[str, Any]) -> None:
    assert Settings(read_only=True, isolation_level="SERIALIZABLE").execution_options(dialect) == options


def test_no_transaction_is_none() -> None:
    with pytest.raises(ValueError, match="AUTOCOMMIT"):
        transaction(database, isolation_level="AUTOCOMMIT")
    with pytest.raises(ValueError, match="AUTOCOMMIT"):
        snapshot(database, isolation_level="AUTOCOMMIT")


def test_the_same_asked_for_twice_is_one() -> None:
    assert transaction(database) == transaction(database)
    assert transaction(database) != transaction(database, read_only=True)
