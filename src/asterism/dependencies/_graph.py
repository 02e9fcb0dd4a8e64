"""From a function to the flat list of calls that serve it: dependencies first, each once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from asterism.dependencies._exits import makes_context
from asterism.dependencies._markers import SCOPES, Depends, Scope
from asterism.dependencies._signatures import (
    REQUIRED,
    DependencyError,
    Parameter,
    Signature,
    name_of,
    signature_of,
)
from starlette.requests import HTTPConnection, Request


@dataclass(frozen=True, slots=True)
class Connection:
    """An argument: the request or the WebSocket itself."""


@dataclass(frozen=True, slots=True)
class Result:
    """An argument: what the call with this number gave."""

    index: int


@dataclass(frozen=True, slots=True)
class External:
    """An argument that somebody else provides; `value` is theirs."""

    value: Any


Argument = Connection | Result | External

# Says where a parameter comes from that is no dependency, or None when nothing provides it.
Resolve = Callable[[Parameter, Callable[..., Any]], Argument | None]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a provider, or of the function itself, which is the last.

    Attributes:
        function: What to call.
        arguments: By the name of the parameter, in its order.
        positional: How many of them are passed by position.
        is_async: It is a coroutine function.
        is_generator: It yields its value, and is resumed to clean up.
        in_thread: It runs in a worker thread.
        scope: How long its value lives.
    """

    function: Callable[..., Any]
    arguments: Mapping[str, Argument]
    positional: int
    is_async: bool
    is_generator: bool
    in_thread: bool
    scope: Scope


@dataclass(slots=True)
class Graph:
    """The calls of a function in order, itself last.

    Attributes:
        calls: Providers before those who ask for them.
        marks: Whatever else stood beside a `Depends`, in the order met: for documentation.
        signature: That of the function.
    """

    calls: list[Call] = field(default_factory=list)
    marks: list[Any] = field(default_factory=list)
    signature: Signature = field(default_factory=lambda: Signature((), REQUIRED))


_NONE: Final[Mapping[Any, Any]] = {}


def build_graph(
    function: Callable[..., Any],
    kind: type[HTTPConnection[Any]] = Request,
    resolve: Resolve | None = None,
    overrides: Mapping[Any, Callable[..., Any]] = _NONE,
) -> Graph:
    """Follow the dependencies of `function`.

    Args:
        function: The endpoint.
        kind: What the endpoint serves: `Request` or `WebSocket`.
        resolve: Asked for parameters that are neither the connection nor a dependency.
        overrides: Providers to be replaced, and by what.

    Raises:
        DependencyError: A parameter has no source, providers go in circles, or one outlives what it needs.
    """
    return _Builder(kind, resolve, overrides).build(function)


class _Builder:
    def __init__(
        self,
        kind: type[HTTPConnection[Any]],
        resolve: Resolve | None,
        overrides: Mapping[Any, Callable[..., Any]],
    ) -> None:
        self.kind = kind
        self.resolve = resolve
        self.overrides = overrides
        self.graph = Graph()
        self.known: dict[Any, Result] = {}
        self.chain: list[Callable[..., Any]] = []
        self.makes_resources = False

    def build(self, function: Callable[..., Any]) -> Graph:
        signature = self.graph.signature = signature_of(function)
        self._add(function, signature, "endpoint", True, is_provider=False)
        return self.graph

    def _add(
        self,
        function: Callable[..., Any],
        signature: Signature,
        scope: Scope,
        thread: bool,
        *,
        is_provider: bool,
    ) -> Result:
        self.chain.append(function)
        arguments: dict[str, Argument] = {}
        positional = 0
        for parameter in signature.parameters:
            argument = self._argument(parameter, scope, is_provider=is_provider)
            if argument is not None:
                arguments[parameter.name] = argument
                positional += parameter.positional
        self.chain.pop()
        plain = _implementation(function)
        if makes_context(plain):
            plain = plain.__wrapped__
        is_generator = inspect.isgeneratorfunction(plain) or inspect.isasyncgenfunction(plain)
        is_async = inspect.iscoroutinefunction(plain) or inspect.isasyncgenfunction(plain)
        in_thread = thread and not is_async and not isinstance(function, type)
        call = Call(function, arguments, positional, is_async, is_generator, in_thread, scope)
        self.graph.calls.append(call)
        return Result(len(self.graph.calls) - 1)

    def _argument(self, parameter: Parameter, scope: Scope, *, is_provider: bool) -> Argument | None:
        if isinstance(parameter.type, Depends) or isinstance(parameter.default, Depends):
            raise DependencyError(
                f"the Depends() of the parameter {parameter.name} is not seen there: "
                f"write {parameter.name}: Annotated[<its type>, Depends(...)]",
                tuple(self.chain),
            )
        asked = next((mark for mark in parameter.marks if isinstance(mark, Depends) or mark is Depends), None)
        if asked is not None:
            self.graph.marks += [mark for mark in parameter.marks if mark is not asked]
            found = asked if isinstance(asked, Depends) else Depends()
            return self._dependency(parameter, found, scope, is_provider=is_provider)
        if scope == "app":
            argument = None
        elif self._is_connection(parameter):
            return Connection()
        else:
            argument = None if self.resolve is None else self.resolve(parameter, self.chain[-1])
        if argument is None and parameter.default is REQUIRED:
            raise DependencyError(
                f"nothing provides the parameter {parameter}{self._hint(parameter)}", tuple(self.chain)
            )
        return argument

    def _hint(self, parameter: Parameter) -> str:
        if parameter.name == "self":
            return "; pass methods bound to their object"
        is_plain = self.resolve is None and not self.makes_resources
        return "; endpoint() of asterism.api reads such from the request" if is_plain else ""

    def _is_connection(self, parameter: Parameter) -> bool:
        kind = parameter.type
        if not isinstance(kind, type):
            kind = getattr(kind, "__origin__", None)  # Request[State]
        if isinstance(kind, type) and issubclass(kind, HTTPConnection):
            if not issubclass(self.kind, kind):
                raise DependencyError(
                    f"the parameter {parameter} cannot be served: this is an endpoint of a {self.kind.__name__}",
                    tuple(self.chain),
                )
            return True
        # As plain endpoints have it: `def homepage(request)`.
        return parameter.type is Any and parameter.name == self.kind.__name__.lower()

    def _dependency(self, parameter: Parameter, asked: Depends, scope: Scope, *, is_provider: bool) -> Result:
        original = asked.provider if asked.provider is not None else parameter.type
        if not callable(original):
            raise DependencyError(f"Depends() of the parameter {parameter} needs a provider", tuple(self.chain))
        if is_provider and SCOPES.index(asked.scope) < SCOPES.index(scope):
            raise DependencyError(
                f"{name_of(self.chain[-1])} lives for the {scope} and cannot use {name_of(original)}, "
                f"which lives for the {asked.scope}",
                (*self.chain, original),
            )
        provider = self.overrides.get(original, original)
        lives: Scope = asked.scope
        if provider is not original and lives == "app" and not self.makes_resources:
            lives = "request"  # what stands in for a resource is made for each request
        found = self.known.get((provider, lives)) if asked.cache else None
        if found is not None:
            return found
        if provider in self.chain:
            circle = (*self.chain[self.chain.index(provider) :], provider)
            raise DependencyError(f"{name_of(provider)} depends on itself", circle)
        result = self.add_resource(provider) if lives == "app" else self._add_provider(provider, asked, lives)
        if asked.cache:
            self.known[provider, lives] = result
        return result

    def _add_provider(self, provider: Callable[..., Any], asked: Depends, scope: Scope) -> Result:
        return self._add(provider, signature_of(provider), scope, asked.thread, is_provider=True)

    def add_resource(self, provider: Callable[..., Any]) -> Result:
        """Add a provider that lives as long as the application.

        For a request it is a leaf, since its value is there already; what it needs is looked at for mistakes only.
        """
        if self.makes_resources:
            return self._add_provider(provider, Depends(thread=False), "app")
        apart = _Builder(self.kind, None, _NONE)
        apart.makes_resources = True
        apart.chain = self.chain
        apart.add_resource(provider)
        self.graph.calls.append(Call(provider, {}, 0, False, False, False, "app"))
        return Result(len(self.graph.calls) - 1)


def build_resources(
    providers: Iterable[Callable[..., Any]], overrides: Mapping[Any, Callable[..., Any]] = _NONE
) -> list[Call]:
    """Return the calls that make these resources and those they need, each once and in order.

    One that is replaced is not made: requests get what stands in for it. Others that need it get that, too.
    """
    builder = _Builder(Request, None, overrides)
    builder.makes_resources = True
    for provider in providers:
        if (provider, "app") not in builder.known and provider not in overrides:
            builder.known[provider, "app"] = builder.add_resource(provider)
    return builder.graph.calls


def _implementation(function: Any) -> Any:
    """Return the function behind a partial or an object that can be called."""
    while hasattr(function, "func") and hasattr(function, "keywords"):
        function = function.func
    if inspect.isroutine(function) or isinstance(function, type):
        return function
    return type(function).__call__
