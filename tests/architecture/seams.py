"""How the seam tests replace a name while an application serves, and see whether that took effect."""

from __future__ import annotations

import functools
import pickle
import sys
from collections.abc import Callable
from typing import Any

import pytest

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp
from tests.asgi import Record, call, http_scope


async def get(app: ASGIApp, path: str = "/", **keys: Any) -> Record:
    """GET one path."""
    return await call(app, http_scope(path, **keys))


def note_calls(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, *, is_async: bool = True) -> list[Any]:
    """Replace a function on a class or module, as tracers do, by one that notes its first argument and goes on.

    Returns:
        The list that fills: for a method, the object of each call.
    """
    original = getattr(owner, name)
    calls: list[Any] = []

    @functools.wraps(original)
    def plain(*args: Any, **kwargs: Any) -> Any:
        calls.append(args[0] if args else None)
        return original(*args, **kwargs)

    @functools.wraps(original)
    async def waiting(*args: Any, **kwargs: Any) -> Any:
        return await plain(*args, **kwargs)

    monkeypatch.setattr(owner, name, waiting if is_async else plain)
    return calls


def says(text: str) -> Callable[[Any], Any]:
    """Return an endpoint that answers with `text`."""

    async def endpoint(request: Any) -> Response:
        return PlainTextResponse(text)

    return endpoint


def by_cloudpickle(value: Any) -> Any:
    """Functions of test modules are not importable elsewhere under every way of importing: by value is what counts."""
    if sys.implementation.name == "pypy":
        pytest.skip("cloudpickle cannot read the functions that it writes on PyPy")
    cloudpickle = pytest.importorskip("cloudpickle")
    return pickle.loads(cloudpickle.dumps(value))
