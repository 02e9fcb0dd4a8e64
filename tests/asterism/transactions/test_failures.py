"""Errors that real databases raise, and what clients are told of them."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import anyio
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from asterism.problems import Problem
from asterism.transactions import open_engine, problem_of, transaction
from asterism.transactions._failures import at_commit
from asterism.transactions._session import require_open
from starlette.requests import Request
from starlette.responses import Response
from tests.asgi import body, call, http_scope
from tests.asterism.transactions.support import (
    Account,
    Session,
    Strict,
    accounts,
    count,
    database,
    listening,
    serving,
    stored,
)
from tests.postgresql import USER, Cluster

pytestmark = pytest.mark.anyio


async def asks(request: Request, session: Session) -> Response:
    await session.execute(text(request.query_params["sql"]))
    return Response()


def asking(sql: str) -> dict[str, Any]:
    return http_scope(query_string=urlencode({"sql": sql}).encode())


@pytest.mark.parametrize(
    ("state", "status"),
    [
        pytest.param("23503", 409, id="foreign-key"),
        pytest.param("23505", 409, id="unique"),
        pytest.param("23514", 409, id="check"),
        pytest.param("23P01", 409, id="exclusion"),
        pytest.param("23502", None, id="missing-value"),
        pytest.param("40001", 503, id="serialization"),
        pytest.param("40P01", 503, id="deadlock"),
        pytest.param("55P03", 503, id="lock-timeout"),
        pytest.param("57014", 503, id="statement-timeout"),
        pytest.param("57P01", 503, id="server-stops"),
        pytest.param("08006", 503, id="connection"),
        pytest.param("53300", 503, id="too-many-connections"),
        pytest.param("53100", 503, id="disk-full"),
        pytest.param("22012", None, id="division-by-zero"),
        pytest.param("42P01", None, id="no-such-table"),
    ],
)
async def test_what_states_of_postgresql_mean(postgresql: Cluster, state: str, status: int | None) -> None:
    async with open_engine(postgresql.url()) as engine:
        with serving(engine, asks) as app:
            sql = f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$"
            if status is None:
                with pytest.raises(DBAPIError):
                    await call(app, asking(sql))
            else:
                answer = await call(app, asking(sql))
                assert (answer.status, answer.header("retry-after")) == (status, "1" if status == 503 else None)


async def reads_then_writes(request: Request, session: Strict) -> Response:
    found = await count(session)
    await request.state.meet(session)
    session.add(Account(id=int(request.query_params["id"]), balance=found))
    await session.flush()
    return Response()


class Meeting:
    """Lets so many requests wait for one another, once."""

    def __init__(self, expected: int) -> None:
        self.missing = expected
        self.complete = anyio.Event()

    async def __call__(self, session: AsyncSession) -> None:
        self.missing -= 1
        if self.missing == 0:
            self.complete.set()
        await self.complete.wait()


async def test_of_two_that_cannot_both_be_first_one_is_told_to_try_again(postgresql: Cluster) -> None:
    statuses: list[int] = []
    meeting = Meeting(2)

    async def ask(number: int) -> None:
        scope = http_scope(query_string=b"id=%d" % number, state={"meet": meeting})
        statuses.append((await call(app, scope)).status)

    async with accounts(postgresql.create_database()) as engine:
        with serving(engine, reads_then_writes) as app:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ask, 1)
                tasks.start_soon(ask, 2)
        assert sorted(statuses) == [200, 503]
        assert len(await stored(engine)) == 1


async def adds(session: Session) -> Response:
    session.add(Account(id=1))
    return Response()


async def test_sqlite_waits_for_a_lock_only_so_long(tmp_path: Path) -> None:
    file = tmp_path / "test.db"
    async with accounts(f"sqlite:///{file}", lock_timeout=0.05) as engine:
        with serving(engine, adds) as app:
            other = sqlite3.connect(file, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            assert (await call(app)).status == 503
            other.close()
            assert (await call(app)).status == 200


async def test_postgresql_waits_for_a_lock_only_so_long(postgresql: Cluster) -> None:
    async with accounts(postgresql.create_database(), lock_timeout=0.05) as engine:
        with serving(engine, asks) as app:
            async with engine.begin() as other:
                await other.execute(text("LOCK TABLE accounts"))
                assert (await call(app, asking("SELECT * FROM accounts"))).status == 503
            assert (await call(app, asking("SELECT * FROM accounts"))).status == 200


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"statement_timeout": 0.05}, id="server"),
        pytest.param({"connect_args": {"command_timeout": 0.05}}, id="driver"),
    ],
)
async def test_postgresql_works_on_a_statement_only_so_long(postgresql: Cluster, options: dict[str, Any]) -> None:
    async with open_engine(postgresql.url(), **options) as engine:
        with serving(engine, asks) as app:
            assert (await call(app, asking("SELECT pg_sleep(30)"))).status == 503
            assert (await call(app, asking("SELECT 1"))).status == 200


async def test_a_database_that_is_not_there() -> None:
    async with open_engine("postgresql://nobody@127.0.0.1:1/nothing") as engine:
        with serving(engine, adds) as app:
            answer = await call(app)
    assert (answer.status, answer.header("retry-after")) == (503, "1")


async def test_a_wrong_address_is_a_mistake_of_the_program(postgresql: Cluster) -> None:
    async with open_engine(postgresql.url("no_such_database")) as engine:
        with serving(engine, adds) as app, pytest.raises(Exception, match="does not exist"):
            await call(app)


async def test_a_server_that_takes_no_more_connections(postgresql: Cluster) -> None:
    postgresql.execute("CREATE ROLE turned_away LOGIN CONNECTION LIMIT 0")
    async with open_engine(postgresql.url().replace(USER, "turned_away")) as engine:
        with serving(engine, adds) as app:
            assert (await call(app)).status == 503


async def test_a_connection_that_breaks_while_working(postgresql: Cluster) -> None:
    async with open_engine(postgresql.url()) as engine:
        with serving(engine, asks) as app:
            assert (await call(app, asking("SELECT pg_terminate_backend(pg_backend_pid())"))).status == 503
            assert (await call(app, asking("SELECT 1"))).status == 200


async def test_a_connection_that_breaks_at_the_commit_leaves_the_outcome_open(postgresql: Cluster) -> None:
    url = postgresql.create_database()
    name = url.rpartition("/")[2]

    def end_all(_: object) -> None:
        postgresql.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    async with accounts(url) as engine:
        with serving(engine, adds) as app, listening(engine, "commit", end_all):
            answer = await call(app)
        assert answer.status == 503
        assert b'"outcome":"unknown"' in answer.body
        assert await stored(engine) == []


async def test_an_error_stays_what_it_is_when_the_rollback_fails_as_well(postgresql: Cluster) -> None:
    url = postgresql.create_database()
    name = url.rpartition("/")[2]

    async def fails(session: Session) -> Response:
        session.add(Account(id=1))
        await session.flush()
        postgresql.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        raise Problem(418)

    fails.__annotations__["session"] = Session
    async with accounts(url) as engine:
        with serving(engine, fails) as app:
            assert (await call(app)).status == 418
        assert await stored(engine) == []


async def refuses(session: Session) -> Response:
    session.add(Account(id=1))
    await session.flush()
    raise Problem(418)


async def test_a_connection_that_cannot_roll_back_is_thrown_away(tmp_path: Path) -> None:
    def fail(_: object) -> None:
        raise OSError

    async with accounts(f"sqlite:///{tmp_path / 'test.db'}", pool_size=1, max_overflow=0) as engine:
        with serving(engine, refuses) as app, listening(engine, "rollback", fail):
            assert (await call(app)).status == 418
        assert await stored(engine) == []


async def test_a_pool_without_connections(database_url: str) -> None:
    async with accounts(database_url, pool_size=1, max_overflow=0, pool_timeout=0.01) as engine:
        with serving(engine, adds) as app:
            async with engine.connect():
                assert (await call(app)).status == 503
            assert (await call(app)).status == 200


def explain(error: Exception) -> Problem | None:
    if isinstance(error, IntegrityError) and "accounts" in str(error.orig):
        return Problem(422, "There is such an account.")
    return problem_of(error)


Explained = Annotated[AsyncSession, transaction(database, explain=explain)]


async def adds_twice(request: Request, session: Explained) -> Response:
    session.add(Account(id=1))
    await session.flush()
    await session.execute(text("INSERT INTO accounts (id, balance, owner, version) VALUES (1, 0, 'a', 1)"))
    return Response()


async def test_a_program_explains_its_own_constraints(engine: AsyncEngine) -> None:
    with serving(engine, adds_twice) as app:
        answer = await call(app, receive=body())
    assert (answer.status, b"There is such an account" in answer.body) == (422, True)


def test_sqlite_says_whether_a_transaction_goes_on() -> None:
    require_open(True)
    with pytest.raises(RuntimeError, match="rolled the transaction back"):
        require_open(False)


def test_only_what_breaks_at_the_commit_is_unknown() -> None:
    conflict = IntegrityError("", None, Exception())
    assert at_commit(conflict) is conflict
    unknown = at_commit(ConnectionError())
    assert isinstance(unknown, Problem)
    assert unknown.document()["outcome"] == "unknown"


def test_errors_without_any_code() -> None:
    class Silent(Exception):
        """As drivers raise it that tell nothing."""

    class Stating(Exception):
        """As drivers raise it that tell the state."""

        sqlstate = "40001"

    assert problem_of(DBAPIError("", None, Silent())) is None
    collision = problem_of(DBAPIError("", None, Stating()))
    assert collision is not None
    assert collision.status_code == 503
    refused = problem_of(IntegrityError("", None, Silent()))
    assert refused is not None
    assert refused.status_code == 409
    assert problem_of(DBAPIError("", None, None)) is None  # type: ignore[arg-type]  # pools raise it so
