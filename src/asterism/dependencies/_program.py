"""The async function that serves an endpoint, written out for its signature.

A loop over the calls would build a dict of arguments for each and look up every value by name; written out, a call of a
provider is that call alone. PERF: four parameters and five dependencies take 4.1 us so, and 10.0 us in a loop.

What is made for `show(request, db: Db, page: Page)` reads like this (`app.routes` has it, tracebacks show it):

    async def show(connection):
        if active and (other := override(connection)) is not None:
            return await other(connection)
        exits = Exits()
        try:
            v0 = await exits.late.enter_async_context(f0())
            v1 = await f1(connection)
            response = await f2(connection, db=v0, page=v1)
            await exits.early.aclose()
        except BaseException as error:
            await exits.fail(error)
            raise
        return HeldResponse(response, exits)
"""

from __future__ import annotations

import itertools
import linecache
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from asterism.dependencies._exits import Exits, HeldResponse, context_maker
from asterism.dependencies._graph import Argument, Call, Connection, Graph, Result
from asterism.dependencies._overrides import ACTIVE
from asterism.dependencies._resources import resource
from asterism.dependencies._signatures import name_of
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

_NUMBERS: Final = itertools.count(1)


@dataclass(slots=True)
class Frame:
    """What the program does around the calls, in lines of source.

    Attributes:
        names: What the lines refer to.
        before: Lines that run first; they may raise.
        expression: Turns the value of an `External` argument into source.
        after: Lines that turn `response`, the result of the function, into the response.
        opens: These lines use `exits`.
        refusing: An `except` clause around everything.
    """

    names: dict[str, Any] = field(default_factory=dict)
    before: Sequence[str] = ()
    expression: Callable[[Any], str] = str
    after: Sequence[str] = ()
    opens: bool = False
    refusing: Sequence[str] = ()


def write_program(
    graph: Graph, frame: Frame, override: Callable[[HTTPConnection[Any]], Any] | None, kind: type[HTTPConnection[Any]]
) -> Callable[[Any], Any]:
    """Return the async function of a connection that runs the calls of a graph in order.

    Args:
        graph: The calls.
        frame: What stands around them.
        override: Asked for another program when overrides are active; None for a program that is one itself.
        kind: What it serves; the exits of a WebSocket are left at its end.
    """
    writer = _Writer(graph, frame, kind)
    function = graph.calls[-1].function
    name = f"<asterism {next(_NUMBERS)}: {name_of(function)}>"
    source = writer.source(override)
    # Tracebacks then show the lines.
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    exec(compile(source, name, "exec"), writer.names)
    program: Callable[[Any], Any] = writer.names["program"]
    return program


class _Writer:
    def __init__(self, graph: Graph, frame: Frame, kind: type[HTTPConnection[Any]]) -> None:
        self.graph = graph
        self.frame = frame
        self.is_websocket = issubclass(kind, WebSocket)
        self.names: dict[str, Any] = dict(frame.names)

    def source(self, override: Callable[[HTTPConnection[Any]], Any] | None) -> str:
        calls = self.graph.calls
        opened = {call.scope for call in calls[:-1] if call.is_generator and call.scope != "app"}
        lines = [*self.frame.before]
        lines += [self._line(index, call) for index, call in enumerate(calls)]
        lines += self.frame.after
        if opened or self.frame.opens:
            held = ("request" in opened or self.frame.opens) and not self.is_websocket
            lines = self._with_exits(lines, held=held)
        else:
            lines.append("return response")
        if self.frame.refusing:
            lines = ["try:", *(f"    {line}" for line in lines), *self.frame.refusing]
        if override is not None:
            self.names.update(active=ACTIVE, override=override)
            lines = [
                "if active and (other := override(connection)) is not None:",
                "    return await other(connection)",
                *lines,
            ]
        return "\n".join(["async def program(connection):", *(f"    {line}" for line in lines), ""])

    def _with_exits(self, lines: Sequence[str], *, held: bool) -> list[str]:
        self.names.update(Exits=Exits, HeldResponse=HeldResponse)
        left = ["    await exits.early.aclose()"]
        if self.is_websocket:
            left.append("    await exits.late.aclose()")
        return [
            "exits = Exits()",
            "try:",
            *(f"    {line}" for line in lines),
            *left,
            "except BaseException as error:",
            "    await exits.fail(error)",
            "    raise",
            "return HeldResponse(response, exits)" if held else "return response",
        ]

    def _line(self, index: int, call: Call) -> str:
        target = "response" if call is self.graph.calls[-1] else f"v{index}"
        name = f"f{index}"
        if call.scope == "app":
            self.names.update({name: call.function, "resource": resource})
            return f"{target} = resource(connection, {name})"
        arguments = self._arguments(call)
        if call.is_generator and call is not self.graph.calls[-1]:
            self.names[name] = context_maker(call.function, is_async=call.is_async, in_thread=call.in_thread)
            stack = "late" if call.scope == "request" else "early"
            return f"{target} = await exits.{stack}.enter_async_context({name}({arguments}))"
        self.names[name] = call.function
        if call.is_generator:
            return f"{target} = {name}({arguments})"
        if call.in_thread:
            self.names.update(in_thread=run_in_threadpool)
            return f"{target} = await in_thread({name}{', ' if arguments else ''}{arguments})"
        return f"{target} = {'await ' if call.is_async else ''}{name}({arguments})"

    def _arguments(self, call: Call) -> str:
        texts = [
            self._argument(argument) if index < call.positional else f"{name}={self._argument(argument)}"
            for index, (name, argument) in enumerate(call.arguments.items())
        ]
        return ", ".join(texts)

    def _argument(self, argument: Argument) -> str:
        if isinstance(argument, Connection):
            return "connection"
        if isinstance(argument, Result):
            return f"v{argument.index}"
        return self.frame.expression(argument.value)
