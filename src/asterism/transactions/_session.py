"""The course of one transaction: connect, work, commit; anything else rolls back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import anyio

from asterism.problems import Problem
from asterism.transactions._engine import READ_ONLY
from asterism.transactions._failures import at_commit, problem_of
from asterism.transactions._library import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    Connection,
    ExceptionContext,
    SQLAlchemyError,
    event,
    text,
)

# Tells the errors of the database: which, or None for an error that is to stay what it is.
Explain = Callable[[Exception], Problem | None]

# Seconds that rolling back may take when something has failed already.
_PATIENCE: Final = 10.0

# Where a connection has its transaction.
_COURSE: Final = "asterism.transaction"


@dataclass(frozen=True, slots=True)
class Settings:
    """How a transaction is made.

    Attributes:
        read_only: It cannot write.
        isolation_level: That of the database unless given; SQLite has but one, SERIALIZABLE.
        explain: Makes problem details of errors.
        commits: What it did is kept at the end.
    """

    read_only: bool = False
    isolation_level: str | None = None
    explain: Explain = problem_of
    commits: bool = True

    def __post_init__(self) -> None:
        if self.isolation_level == "AUTOCOMMIT":
            raise ValueError('isolation_level "AUTOCOMMIT" means no transaction at all; open a connection for that')

    def execution_options(self, dialect: str) -> dict[str, Any]:
        """Return what a connection has to be told."""
        options: dict[str, Any] = {}
        if self.isolation_level is not None and dialect != "sqlite":
            options["isolation_level"] = self.isolation_level
        if self.read_only:
            options["postgresql_readonly" if dialect == "postgresql" else READ_ONLY] = True
        return options


@asynccontextmanager
async def transact(
    engine: AsyncEngine, settings: Settings, gone: Callable[[], Awaitable[bool]] | None = None
) -> AsyncIterator[AsyncSession]:
    """Run a transaction around the body of the `async with`.

    Args:
        engine: The database.
        settings: How.
        gone: Asked before the commit whether nobody waits for it any more.

    Raises:
        Problem: For an error of the database that is no mistake of the program, and when nobody waits.
    """
    course = _Course(AsyncSession(engine, expire_on_commit=False, close_resets_only=False))
    try:
        await course.connect(engine, settings)
        yield course.session
        if settings.commits:
            if gone is not None and await gone():
                raise Problem(499, "The client has left. Nothing was changed.", title="Client Closed Request")
            await course.commit()
    except Exception as exc:
        problem = settings.explain(exc) if course.is_of_the_database(exc) else None
        if problem is None:
            raise
        raise problem from exc
    finally:
        # Also when the task was cancelled.
        with anyio.move_on_after(_PATIENCE, shield=True):
            await course.end()


class _Course:
    """One transaction, and the last error that the database had in it."""

    __slots__ = ("connection", "error", "session")

    connection: AsyncConnection  # once there is one

    def __init__(self, session: AsyncSession) -> None:
        self.session = session
        self.error: BaseException | None = None

    async def connect(self, engine: AsyncEngine, settings: Settings) -> None:
        """Begin. That the database cannot be reached is seen here, before anything was done."""
        if not event.contains(engine.sync_engine, "handle_error", _note_error):
            event.listen(engine.sync_engine, "handle_error", _note_error)
        options = settings.execution_options(engine.dialect.name)
        try:
            self.connection = await self.session.connection(execution_options=options)
        except Exception as exc:
            self.error = exc
            raise
        self.connection.info[_COURSE] = self

    def is_of_the_database(self, exc: Exception) -> bool:
        """Tell errors of the database from all others. Some drivers let those of the network through."""
        return isinstance(exc, SQLAlchemyError) or exc is self.error

    async def commit(self) -> None:
        """Commit.

        Raises:
            Problem: The connection broke before the commit was confirmed.
        """
        await self.session.flush()
        if self.error is not None and self.session.in_transaction():
            await self._check()
        # Being cancelled does not count any more: the client may as well get the answer.
        with anyio.CancelScope(shield=True):
            try:
                await self.session.commit()
            except Exception as exc:
                raise at_commit(exc)

    async def end(self) -> None:
        """Give the connection back; what was not committed is rolled back.

        Fails never, as there is an answer already: a database rolls back when it loses a connection.
        """
        try:
            await self.session.close()
        except Exception:
            await self.connection.run_sync(throw_away)

    async def _check(self) -> None:
        """Raise when the program caught an error that ended the transaction.

        The database then rolls back instead of committing, and drivers do not tell.
        """
        connection = await self.session.connection()
        try:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            require_open(driver.in_transaction if connection.dialect.name == "sqlite" else True)
            await connection.execute(text("SELECT 1"))
        except Exception as exc:
            exc.add_note(
                "An error was caught that ended the transaction; let such errors pass, or have a savepoint "
                "around what may fail: `async with session.begin_nested()`"
            )
            raise


def throw_away(connection: Connection) -> None:
    """Close a connection that cannot be used again."""
    connection.invalidate()
    connection.close()


def require_open(in_transaction: bool) -> None:
    """Raise RuntimeError when SQLite says that there is no transaction any more."""
    if not in_transaction:
        raise RuntimeError("SQLite rolled the transaction back when an error came")


def _note_error(context: ExceptionContext) -> None:
    connection = context.connection
    course: _Course | None = None if connection is None or connection.invalidated else connection.info.get(_COURSE)
    if course is not None:
        course.error = context.original_exception
