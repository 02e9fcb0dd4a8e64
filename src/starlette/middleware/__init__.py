"""The description of a middleware, from which an application builds it when it starts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ParamSpec, Protocol

from starlette.types import ASGIApp

P = ParamSpec("P")


class _MiddlewareFactory(Protocol[P]):
    """A middleware class, or any function that takes the wrapped application first."""

    def __call__(self, app: ASGIApp, /, *args: P.args, **kwargs: P.kwargs) -> ASGIApp: ...


class Middleware:
    """A middleware class (or factory) and its arguments: `Middleware(GZipMiddleware, minimum_size=1000)`."""

    def __init__(self, cls: _MiddlewareFactory[P], *args: P.args, **kwargs: P.kwargs) -> None:
        self.cls = cls
        self.args = args
        self.kwargs = kwargs

    def __iter__(self) -> Iterator[Any]:
        return iter((self.cls, self.args, self.kwargs))

    def __repr__(self) -> str:
        positional = [repr(value) for value in self.args]
        named = [f"{name}={value!r}" for name, value in self.kwargs.items()]
        shown = [getattr(self.cls, "__name__", ""), *positional, *named]
        return f"{type(self).__name__}({', '.join(shown)})"
