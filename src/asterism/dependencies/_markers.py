"""The mark that asks for a dependency: `Annotated[Session, Depends(open_session)]`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

# How long a value lives. A longer-lived dependency cannot ask for a shorter-lived one.
Scope = Literal["endpoint", "request", "app"]

SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)


@dataclass(frozen=True, slots=True)
class Depends:
    """Ask for what `provider` returns or yields.

        Db = Annotated[Session, Depends(open_session)]

        async def show(request: Request, db: Db) -> Response: ...

    Args:
        provider: A function, async or not, or a class; None stands for the annotated class itself. A generator
            function yields once: what follows the `yield` cleans up. Its own parameters are dependencies, too.
        scope: When to clean up: `"request"`, after the response was sent; `"endpoint"`, before that, so that an error
            in cleaning up still becomes an error response; `"app"`, at the end of the lifespan: made once, see
            `resources`.
        cache: Whether all who ask for this provider during a request share one value.
        thread: Whether a provider that is not async runs in a worker thread. Classes never do.

    Raises:
        ValueError: There is no such scope.
        TypeError: The provider cannot be called.
    """

    provider: Callable[..., Any] | None = None
    scope: Scope = "request"
    cache: bool = True
    thread: bool = True

    def __post_init__(self) -> None:
        if self.scope not in SCOPES:
            raise ValueError(f"scope must be one of {', '.join(SCOPES)}, got {self.scope!r}")
        if self.provider is not None and not callable(self.provider):
            raise TypeError(f"a provider must be a function or a class, got {self.provider!r}")
