"""Applications that are called in two steps (ASGI 2), and responses that are called without a scope.

An ASGI 2 application is called with the scope, and what it returns is called with `receive` and `send`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import FunctionType
from typing import Any, Final, TypeGuard, TypeVar

from starlette._utils import is_async_callable
from starlette.types import ASGIApp, Receive, Scope, Send

F = TypeVar("F", bound=Callable[..., Any])

DoubleCallable = Callable[[Scope], Callable[[Receive, Send], Awaitable[None]]]

# The scope of a response that was not told its own: a request that asks for no more than the response itself.
_HTTP_SCOPE: Final[Scope] = {"type": "http", "method": "GET", "headers": []}


def without_scope(call: F) -> F:
    """Let a response's `__call__` be called as `response(receive, send)` too; `send` is then None in it.

    The function itself is returned: its callers pay nothing, and type checkers still want all three.
    """
    call.__defaults__ = (None,)  # pyright: ignore[reportFunctionMemberAccess]
    return call


def add_scope(scope: Any, receive: Any) -> tuple[Scope, Receive, Send]:
    """Return the three arguments for a response that was called with (receive, send)."""
    return dict(_HTTP_SCOPE), scope, receive


class SingleCallable:
    """An ASGI 3 application made of an ASGI 2 one."""

    def __init__(self, app: DoubleCallable) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope)(receive, send)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SingleCallable) and self.app == other.app

    def __hash__(self) -> int:
        return hash(self.app)

    def __repr__(self) -> str:
        return repr(self.app)


class EitherCallable:
    """An application that is called in one step or in two, for a middleware of ASGI 2."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def __call__(self, scope: Scope, receive: Receive | None = None, send: Send | None = None) -> Any:
        if receive is None or send is None:
            return functools.partial(self.app, scope)
        return self.app(scope, receive, send)


def layer(cls: Any, app: ASGIApp, args: Iterable[Any], kwargs: Mapping[str, Any]) -> ASGIApp:
    """Return the middleware `cls(app, ...)`; a class of ASGI 2 gets an `app` for two steps and is called in one."""
    if _makes_doubles(cls):
        return SingleCallable(cls(EitherCallable(app), *args, **kwargs))
    made: ASGIApp = cls(app, *args, **kwargs)
    return made


def _makes_doubles(cls: object) -> bool:
    """Tell whether the instances of a class take a scope alone, and are not called for the response then."""
    call = cls.__call__ if inspect.isclass(cls) else None
    return _takes(call, 2) and not inspect.iscoroutinefunction(call)


def single_callable(app: Any) -> ASGIApp:
    """Return an application as it is, or made callable in one step where it is one of ASGI 2."""
    return SingleCallable(app) if _is_double(app) else app


def _is_double(app: Any) -> TypeGuard[DoubleCallable]:
    """Tell whether `app` takes a scope alone and cannot be called in one step."""
    if inspect.isclass(app):
        # An endpoint class of today is awaited, and takes all three arguments.
        return not hasattr(app, "__await__") and _takes(app.__init__, 2)
    if isinstance(app, (FunctionType, functools.partial)) or is_async_callable(app):
        return type(app) is FunctionType and not inspect.iscoroutinefunction(app) and _takes(app, 1)
    return callable(app) and _takes(type(app).__call__, 2)


def _takes(function: Any, count: int) -> bool:
    """Tell whether a function of Python takes `count` positional arguments at most, counting `self`."""
    code = getattr(function, "__code__", None)
    return code is not None and code.co_argcount == count and not code.co_flags & inspect.CO_VARARGS
