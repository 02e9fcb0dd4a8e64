"""The lifespan of an application: the protocol, and the older forms of a lifespan function (ASGI "Lifespan")."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import Any, Final

from starlette.types import Receive, Scope, Send

_OLD_FORM: Final = "{} lifespans are deprecated, use an @contextlib.asynccontextmanager function instead"


async def run_lifespan(
    context: Callable[[Any], AbstractAsyncContextManager[Any]], scope: Scope, receive: Receive, send: Send
) -> None:
    """Serve a lifespan scope: enter `context(app)` on startup, leave it on shutdown.

    A mapping that the context yields is put into the scope's state (ASGI "Lifespan State").

    Raises:
        BaseException: Whatever the context raised, after the server was told with the traceback's text.
        RuntimeError: There is state, but the server takes none.
    """
    phase = "startup"
    await receive()
    try:
        async with context(scope.get("app")) as state:
            if state is not None:
                _share(state, scope)
            await send({"type": "lifespan.startup.complete"})
            phase = "shutdown"
            await receive()
    except BaseException:
        import traceback  # late: only needed here

        await send({"type": f"lifespan.{phase}.failed", "message": traceback.format_exc()})
        raise
    await send({"type": "lifespan.shutdown.complete"})


def _share(state: Any, scope: Scope) -> None:
    if "state" not in scope:
        raise RuntimeError('The server does not support "state" in the lifespan scope.')
    scope["state"].update(state)


def lifespan_context(lifespan: Any) -> tuple[Any, str | None]:
    """Return a lifespan in today's form, and the text of the deprecation warning where it had an older one."""
    if inspect.isasyncgenfunction(lifespan):
        return contextlib.asynccontextmanager(lifespan), _OLD_FORM.format("async generator function")
    if inspect.isgeneratorfunction(lifespan):
        return lift_generator(lifespan), _OLD_FORM.format("generator function")
    return lifespan, None


def lift_generator(lifespan: Callable[[Any], Any]) -> Callable[[Any], AsyncLift]:
    """Return a generator function as an async context; its code runs in the event loop's thread."""
    synchronous = contextlib.contextmanager(lifespan)

    @functools.wraps(lifespan)
    def context(app: Any) -> AsyncLift:
        return AsyncLift(synchronous(app))

    return context


class AsyncLift(AbstractAsyncContextManager[Any]):
    """A synchronous context manager that can be entered with `async with`."""

    def __init__(self, cm: AbstractContextManager[Any]) -> None:
        self._asterism_cm = cm

    async def __aenter__(self) -> Any:
        return self._asterism_cm.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return self._asterism_cm.__exit__(exc_type, exc_value, traceback)
