"""The aliases of `starlette.types` (status_types R9-R13)."""

from __future__ import annotations

import subprocess
import sys
import types as builtin_types
import typing
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from starlette import types

NAMES = [
    "Scope",
    "Message",
    "Receive",
    "Send",
    "ASGIApp",
    "AppType",
    "StatelessLifespan",
    "StatefulLifespan",
    "Lifespan",
    "HTTPExceptionHandler",
    "WebSocketExceptionHandler",
    "ExceptionHandler",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_alias_exists(name: str) -> None:
    # R9
    assert hasattr(types, name)


def test_there_is_no_all() -> None:
    # R9
    assert not hasattr(types, "__all__")


def test_the_shapes_of_asgi() -> None:
    # R10, applications R41
    assert types.Scope == types.Message == MutableMapping[str, Any]
    assert types.Receive == Callable[[], Awaitable[types.Message]]
    assert types.Send == Callable[[types.Message], Awaitable[None]]
    assert types.ASGIApp == Callable[[types.Scope, types.Receive, types.Send], Awaitable[None]]


def test_lifespans_are_generic_in_the_application() -> None:
    # R11, applications R42
    assert isinstance(types.AppType, typing.TypeVar)
    assert types.AppType.__constraints__ == ()
    assert types.AppType.__bound__ is None

    class App: ...

    # Subscribed while running, as frameworks do with their own class.
    aliases: Any = types
    stateless = aliases.StatelessLifespan[App]
    stateful = aliases.StatefulLifespan[App]
    assert stateless == Callable[[App], AbstractAsyncContextManager[None]]
    assert stateful == Callable[[App], AbstractAsyncContextManager[Mapping[str, Any]]]
    assert set(typing.get_args(aliases.Lifespan[App])) == {stateless, stateful}


def test_exception_handlers_name_requests_and_responses_by_forward_references() -> None:
    # R12, applications R43
    def references(alias: Any) -> list[str]:
        arguments, result = typing.get_args(alias)
        return [str(getattr(item, "__forward_arg__", item)) for item in (arguments[0], arguments[1], result)]

    assert references(types.HTTPExceptionHandler) == ["Request", str(Exception), "Response | Awaitable[Response]"]
    assert references(types.WebSocketExceptionHandler) == ["WebSocket", str(Exception), str(Awaitable[None])]
    assert isinstance(types.ExceptionHandler, builtin_types.UnionType) or (
        typing.get_origin(types.ExceptionHandler) is typing.Union
    )
    assert set(typing.get_args(types.ExceptionHandler)) == {types.HTTPExceptionHandler, types.WebSocketExceptionHandler}


def test_importing_brings_in_neither_requests_nor_responses() -> None:
    # R13, applications R44
    code = (
        "import sys, starlette.types; "
        "print(sorted({'starlette.requests', 'starlette.responses', 'starlette.websockets'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert shown.strip() == "[]"
