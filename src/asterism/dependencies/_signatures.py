"""What a function asks for, read once from its signature."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

REQUIRED: Final = inspect.Parameter.empty

_PACKED: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class DependencyError(TypeError):
    """A signature cannot be served: a dependency is missing, goes in circles, or outlives what it needs.

    Attributes:
        chain: The functions from the endpoint down to where it went wrong.
    """

    def __init__(self, message: str, chain: tuple[Callable[..., Any], ...] = ()) -> None:
        self.chain = chain
        super().__init__(f"{message} ({' -> '.join(map(name_of, chain))})" if chain else message)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a function.

    Attributes:
        name: Its name.
        type: The annotation without `Annotated`; `Any` when there is none.
        marks: What `Annotated` adds, in order.
        default: `REQUIRED` when there is none.
        positional: It can be passed by position only.
    """

    name: str
    type: Any
    marks: tuple[Any, ...] = ()
    default: Any = REQUIRED
    positional: bool = False

    def __str__(self) -> str:
        shown = self.type.__name__ if isinstance(self.type, type) else str(self.type)
        return f"{self.name}: {shown}"


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters of a function, and what it returns (`REQUIRED` when that is not annotated)."""

    parameters: tuple[Parameter, ...]
    returns: Any


def signature_of(function: Callable[..., Any]) -> Signature:
    """Read the signature of a function, method, class, partial or object that can be called.

    Raises:
        DependencyError: A name in an annotation cannot be found, or there is no signature to read.
    """
    try:
        found = inspect.signature(function)
    except (ValueError, TypeError) as exc:
        raise DependencyError(f"{name_of(function)} has no signature that can be read") from exc
    hints = _hints(function)
    parameters = tuple(
        _parameter(parameter, hints.get(name, Any))
        for name, parameter in found.parameters.items()
        if parameter.kind not in _PACKED
    )
    return Signature(parameters, hints.get("return", REQUIRED))


def split(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return a type without `Annotated` and aliases of the `type` statement, and the marks that these had."""
    marks: tuple[Any, ...] = ()
    while True:
        if typing.get_origin(annotation) is Annotated:
            marks = (*annotation.__metadata__, *marks)
            annotation = annotation.__origin__
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = annotation.__value__
        else:
            return annotation, marks


def name_of(function: Callable[..., Any]) -> str:
    """Return how to call a function in a message."""
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, "__qualname__", type(function).__qualname__))


def _parameter(parameter: inspect.Parameter, annotation: Any) -> Parameter:
    bare, marks = split(annotation)
    positional = parameter.kind is inspect.Parameter.POSITIONAL_ONLY
    return Parameter(parameter.name, bare, marks, parameter.default, positional)


def _hints(function: Any) -> dict[str, Any]:
    while isinstance(function, functools.partial):
        function = function.func
    if isinstance(function, type):
        function = function.__init__  # type: ignore[misc]  # of the class that is to be made
    elif not inspect.isroutine(function):
        function = type(function).__call__
    try:
        return typing.get_type_hints(inspect.unwrap(function), include_extras=True)
    except NameError as exc:
        raise DependencyError(
            f"an annotation of {name_of(function)} names {exc.name!r}, which is not in its module: define it there, "
            "and not only for type checkers"
        ) from exc
    except AttributeError:  # a constructor that is written in C
        return {}
