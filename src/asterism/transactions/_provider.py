"""Transactions as dependencies of an endpoint."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

from asterism.dependencies import Depends
from asterism.transactions._failures import problem_of
from asterism.transactions._library import AsyncSession
from asterism.transactions._session import Explain, Settings, transact
from starlette.requests import Request


def transaction(
    database: Callable[..., Any],
    *,
    read_only: bool = False,
    isolation_level: str | None = None,
    explain: Explain = problem_of,
) -> Depends:
    """Return the mark of a session with a transaction of its own, for `Annotated`.

        Session = Annotated[AsyncSession, transaction(database)]

        async def create(order: NewOrder, session: Session) -> Order: ...

    All who ask for the same during a request share one session. The transaction begins before the endpoint is called.
    It is committed when the endpoint has returned and its result is ready to be sent, and before the first byte is. An
    exception rolls it back, from wherever it comes; so does a client that has left by then. What a session is asked
    after that raises, as in a stream: see `snapshot`.

    Args:
        database: The provider of an `AsyncEngine`, which lives as long as the application.
        read_only: The transaction cannot write; with SQLite, any number of these run beside one that does.
        isolation_level: `"SERIALIZABLE"`, for one; that of the database unless given. SQLite has no other.
        explain: Makes a `Problem` of an error of SQLAlchemy, or returns None to let it pass. It may look at the
            constraint, and leave the rest to `problem_of`.

    Raises:
        ValueError: `isolation_level` is AUTOCOMMIT.
    """
    settings = Settings(read_only=read_only, isolation_level=isolation_level, explain=explain)
    return Depends(_provider(database, settings), scope="endpoint")


def snapshot(database: Callable[..., Any], *, isolation_level: str = "REPEATABLE READ") -> Depends:
    """Return the mark of a session that reads one state of the database until the response was sent: for streams.

        async def export(session: Annotated[AsyncSession, snapshot(database)]) -> AsyncIterator[Order]:
            async for order in await session.stream_scalars(select(Order)):
                yield order

    The state is that of the first statement. Nothing is committed. The connection is taken for as long as the client
    reads.

    Args:
        database: As for `transaction`.
        isolation_level: What keeps the state the same; SQLite does so by itself.

    Raises:
        ValueError: `isolation_level` is AUTOCOMMIT.
    """
    settings = Settings(read_only=True, isolation_level=isolation_level, commits=False)
    return Depends(_provider(database, settings))


@functools.cache  # the same is asked for in many places, and has to be one provider
def _provider(database: Callable[..., Any], settings: Settings) -> Callable[..., AsyncIterator[AsyncSession]]:
    async def open_session(request: Request, engine: Any) -> AsyncIterator[AsyncSession]:
        async with transact(engine, settings, functools.partial(_has_left, request)) as session:
            yield session

    open_session.__annotations__["engine"] = Annotated[Any, Depends(database, scope="app")]
    return open_session


async def _has_left(request: Request) -> bool:
    # What arrives first may be a body that nobody wanted to read, behind which the next message stands.
    return await request.is_disconnected() or await request.is_disconnected()
