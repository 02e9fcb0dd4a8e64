"""Dependencies for plain endpoints: functions of a request that return a response, and of a WebSocket."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, Final

from asterism.dependencies._graph import Graph, build_graph
from asterism.dependencies._overrides import active_overrides
from asterism.dependencies._program import Frame, write_program
from asterism.dependencies._resources import RESOURCES_ATTRIBUTE
from asterism.dependencies._signatures import signature_of
from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket

# What stood beside the `Depends` of an endpoint, for its documentation.
MARKS_ATTRIBUTE: Final = "__asterism_marks__"


def inject(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """Make a plain endpoint of a function that asks for more than the request.

        @inject
        async def show(request: Request, db: Annotated[Session, Depends(open_session)]) -> Response: ...

        routes = [Route("/", show)]

    A function with a parameter of type `WebSocket` serves a `WebSocketRoute`. One that is not async runs in a worker
    thread.

    Raises:
        DependencyError: A parameter has no source, dependencies go in circles, or one outlives what it needs.
    """
    kind = kind_of(function)
    graph = build_graph(function, kind)

    def write(replaced: Mapping[Any, Callable[..., Any]]) -> Callable[[Any], Any]:
        return write_program(build_graph(function, kind, overrides=replaced), Frame(), None, kind)

    program = write_program(graph, Frame(), Overriding(write), kind)
    return dress(program, function, graph)


def kind_of(function: Callable[..., Any]) -> type[HTTPConnection[Any]]:
    """Tell whether a function serves requests or WebSockets, from the types of its parameters."""
    for parameter in signature_of(function).parameters:
        if parameter.type is WebSocket or (parameter.type is Any and parameter.name == "websocket"):
            return WebSocket
    return Request


def dress(program: Callable[[Any], Any], function: Callable[..., Any], graph: Graph) -> Callable[[Any], Any]:
    """Give a program the name and documentation of its function, and the list of resources that it wants."""
    functools.update_wrapper(
        program, function, assigned=("__module__", "__name__", "__qualname__", "__doc__"), updated=()
    )
    # `inspect` follows this to a signature that is not that of the program.
    del program.__wrapped__  # type: ignore[attr-defined]
    setattr(program, MARKS_ATTRIBUTE, tuple(graph.marks))
    setattr(program, RESOURCES_ATTRIBUTE, tuple(call.function for call in graph.calls if call.scope == "app"))
    return program


class Overriding:
    """Finds the program for a connection while overrides are active, and keeps it as long as these last."""

    def __init__(self, write: Callable[[Mapping[Any, Callable[..., Any]]], Callable[[Any], Any]]) -> None:
        self._write = write
        self._last: tuple[Any, Any] = (None, None)

    def __call__(self, connection: HTTPConnection[Any]) -> Callable[[Any], Any] | None:
        replaced = active_overrides(connection)
        if replaced is None:
            return None
        known, program = self._last
        if known is not replaced:
            program = self._write(replaced)
            self._last = (replaced, program)
        return program  # type: ignore[no-any-return]  # what was written
