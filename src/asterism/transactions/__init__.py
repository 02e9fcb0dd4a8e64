"""One database transaction a request, for SQLAlchemy's async session: committed before the response is sent.

    async def database() -> AsyncIterator[AsyncEngine]:
        async with open_engine("postgresql://localhost/shop") as engine:
            yield engine

    Session = Annotated[AsyncSession, transaction(database)]

    async def create(order: NewOrder, session: Session) -> Order: ...

    app = Starlette(routes=[Route("/orders", endpoint(create), methods=["POST"])], lifespan=resources())

What ends in an exception is rolled back, and so is what nobody waits for any more. A commit that fails is the answer.
Needs SQLAlchemy 2 (extra `sqlalchemy`) and the driver of a database (extras `sqlite` and `postgresql`); runs on the
event loop of asyncio, as SQLAlchemy does.
"""

from __future__ import annotations

from asterism.transactions._engine import open_engine as open_engine
from asterism.transactions._failures import problem_of as problem_of
from asterism.transactions._provider import snapshot as snapshot
from asterism.transactions._provider import transaction as transaction
from asterism.transactions._work import in_transaction as in_transaction

__all__ = ["in_transaction", "open_engine", "problem_of", "snapshot", "transaction"]
