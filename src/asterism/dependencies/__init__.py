"""Dependency injection for plain endpoints and for `asterism.api`. Needs nothing but starlette.

    async def open_session() -> AsyncIterator[Session]:
        async with sessions() as session:
            yield session

    @inject
    async def show(request: Request, session: Annotated[Session, Depends(open_session)]) -> Response: ...

Signatures are read when an endpoint is made, and mistakes in them are raised then, with the way that leads to them.
"""

from __future__ import annotations

from asterism.dependencies._inject import inject as inject
from asterism.dependencies._markers import Depends as Depends
from asterism.dependencies._markers import Scope as Scope
from asterism.dependencies._overrides import overrides as overrides
from asterism.dependencies._resources import resources as resources
from asterism.dependencies._signatures import DependencyError as DependencyError

__all__ = ["DependencyError", "Depends", "Scope", "inject", "overrides", "resources"]
