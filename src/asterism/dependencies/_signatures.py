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
        DependencyError: A name in an annotation cannot be found.
    """
    try:
        found = inspect.signature(function)
    except ValueError:  # written in C: to be called without arguments
        return Signature((), REQUIRED)
    hints = _hints(function)
    given = _given(function)
    parameters = tuple(
        _parameter(parameter, hints.get(name, Any))
        for name, parameter in found.parameters.items()
        if parameter.kind not in _PACKED and name not in given
    )
    return Signature(parameters, hints.get("return", REQUIRED))


def split(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return a type without `Annotated`, `NewType` and aliases of the `type` statement, and the marks these had."""
    marks: tuple[Any, ...] = ()
    while True:
        if typing.get_origin(annotation) is Annotated:
            marks = (*annotation.__metadata__, *marks)
            annotation = annotation.__origin__
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = annotation.__value__
        elif isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
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


def _given(function: Any) -> set[str]:
    """Return the parameters that a partial has values for, which its signature shows as defaults."""
    given: set[str] = set()
    while isinstance(function, functools.partial):
        given |= function.keywords.keys()
        function = function.func
    return given


def _hints(function: Any) -> dict[str, Any]:
    while isinstance(function, functools.partial):
        function = function.func
    # Classes that are made from their annotations have a constructor without any.
    annotated: list[Any] = [function]
    if isinstance(function, type):
        annotated.append(getattr(function, "__init__"))  # noqa: B009  # mypy takes the attribute for an instance's
    elif not inspect.isroutine(function):
        annotated = [type(function).__call__]
    hints: dict[str, Any] = {}
    try:
        for part in annotated:
            # `inspect.signature` follows the same chain.
            hints |= typing.get_type_hints(inspect.unwrap(part), include_extras=True)
    except NameError as exc:
        raise DependencyError(
            f"an annotation of {name_of(function)} names {exc.name!r}, which is not in its module: define it there, "
            "and not only for type checkers"
        ) from exc
    return hints
