"""Typed endpoints: ordinary endpoints, made of functions that say by their signature what they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from asterism.api._bodies import BodyReader, FormReader
from asterism.api._compile import Compiled, Given, compile_plan
from asterism.api._formats import FORMATS
from asterism.api._libraries import mistakes
from asterism.api._options import Options, answers, formats, streams, whole
from asterism.api._plan import REQUIRED, Body, Field, Plan
from asterism.api._readers import ExactQuery, Group, groups
from asterism.api._refusals import Refuser, refused, websocket_refused
from asterism.api._reply import Reply
from asterism.api._results import Negotiator, Responder, StreamResponder, add_tasks
from asterism.dependencies._inject import Overriding, dress
from asterism.dependencies._program import Frame, write_program
from asterism.problems import Problem
from starlette.background import BackgroundTasks
from starlette.datastructures import State
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

PLAN_ATTRIBUTE: Final = "__asterism_plan__"

_GIVEN: Final = {BackgroundTasks: "tasks", Reply: "reply", State: "connection.state"}


def endpoint(
    function: Callable[..., Any],
    *,
    returns: Any = REQUIRED,
    status_code: int | None = None,
    accepts: Sequence[str] = ("json",),
    produces: Sequence[str] = ("json",),
    streamed: Sequence[str] = ("ndjson", "json-seq", "sse"),
    max_body_size: int | None = None,
    exact_query: bool = False,
    summary: str | None = None,
    description: str | None = None,
    tags: Sequence[str] = (),
    operation_id: str | None = None,
    deprecated: bool = False,
    responses: Mapping[int, Any] | None = None,
    security: Sequence[Any] = (),
    extra: Mapping[str, Any] | None = None,
) -> Callable[[Any], Any]:
    """Make an endpoint of a function that says what it needs and what it returns.

        async def show(id: int, verbose: bool = False) -> Item: ...

        routes = [Route("/items/{id}", endpoint(show)), Route("/about", about)]

    A parameter that the path of the route has comes from there; a model or mapping is the body; an `UploadFile` comes
    from a form; `Request`, `WebSocket`, `HTTPConnection`, `State`, `BackgroundTasks` and `Reply` are given; everything
    else is a query parameter. `Annotated` with `Query`, `Header`, `Cookie`, `Path`, `Body`, `Form`, `File` or
    `Depends` says otherwise. Functions that are not async run in a worker thread.

    Args:
        function: The function. With a parameter of type `WebSocket` it is the endpoint of a `WebSocketRoute`.
        returns: The type of the content, in place of the annotation: only its fields are sent.
        status_code: Of a success; 200 unless given, or 204 for a function that returns None.
        accepts: Formats of bodies: `"json"`, `"msgpack"`.
        produces: Formats of results, the first preferred; `Accept` chooses.
        streamed: Formats of results that are yielded: `"ndjson"`, `"json-seq"`, `"sse"`.
        max_body_size: In bytes. Without it the limit of the application counts, or else 1 MiB.
        exact_query: Whether to refuse query parameters that are not declared, or repeated where one value is.
        summary, description: For the documentation, in place of the docstring's first paragraph and its rest.
        tags, operation_id, deprecated: For the documentation.
        responses: Other responses by status, for the documentation: a type, None, or an `Answer`.
        security: `Security` marks that hold for the endpoint.
        extra: Further members of its OpenAPI operation.

    Raises:
        DependencyError: The signature cannot be served.
        ValueError: An option has a wrong value, or `function` is an endpoint already.
        ImportError: A library that this needs is missing.
    """
    if hasattr(function, PLAN_ATTRIBUTE):
        raise ValueError(f"{function!r} is an endpoint already")
    options = Options(
        returns=returns,
        status_code=whole("status_code", status_code, 100, 599),
        accepted=formats(accepts),
        produced=formats(produces),
        streamed=streams(streamed),
        max_body_size=whole("max_body_size", max_body_size, 0),
        exact_query=exact_query,
        summary=summary,
        description=description,
        tags=tuple(tags),
        operation_id=operation_id,
        deprecated=deprecated,
        answers=answers(responses),
        security=tuple(security),
        extra=dict(extra or {}),
    )

    def write(replaced: Mapping[Any, Callable[..., Any]]) -> Callable[[Any], Any]:
        return _write(compile_plan(function, options, replaced), options, None)

    compiled = compile_plan(function, options)
    program = dress(_write(compiled, options, Overriding(write)), function, compiled.graph)
    setattr(program, PLAN_ATTRIBUTE, compiled.plan)
    return program


def plan_of(route: Any, path: str | None = None) -> Plan | None:
    """Return the plan of a typed endpoint; None for any other.

    Args:
        route: A `Route` or `WebSocketRoute`, whose path then tells path and query parameters apart; or an endpoint.
        path: The names of parameters are taken from this template, when there is no route.
    """
    plan: Plan | None = getattr(getattr(route, "endpoint", route), PLAN_ATTRIBUTE, None)
    if plan is None:
        return None
    names = getattr(route, "param_convertors", None)
    if names is None and path is not None:
        from starlette.routing import compile_path

        names = compile_path(path)[2]
    return plan if names is None else plan.at(names)


def _write(compiled: Compiled, options: Options, override: Any) -> Callable[[Any], Any]:
    frame = _Writer(compiled, options).frame()
    return write_program(compiled.graph, frame, override, compiled.kind)


class _Writer:
    """Writes the lines of an endpoint around the calls of its function and dependencies."""

    def __init__(self, compiled: Compiled, options: Options) -> None:
        self.plan = compiled.plan
        self.kind: type[HTTPConnection[Any]] = compiled.kind
        self.given = compiled.given
        self.options = options
        self.names: dict[str, Any] = {}
        self.before: list[str] = []
        self.after: list[str] = []
        self.values: dict[int, str] = {}
        self.opens = False

    def frame(self) -> Frame:
        is_websocket = issubclass(self.kind, WebSocket)
        chooses = not is_websocket and self._negotiate()
        self._read()
        for given in self.given:
            if given is not State:
                self.names[given.__name__] = given
                self.before.append(f"{_GIVEN[given]} = {given.__name__}()")
        if is_websocket:
            self.names.update(Problem=Problem, refused=websocket_refused)
            caught = ["except Problem as problem:", "    raise refused(problem) from None"]
        else:
            self._respond(chooses=chooses)
            self.names.update(Problem=Problem, refused=refused)
            caught = ["except Problem as problem:", "    return refused(connection, problem)"]
        return Frame(self.names, self.before, self._expression, self.after, opens=self.opens, refusing=caught)

    def _negotiate(self) -> bool:
        answer = self.plan.answer
        if not answer.media_types:
            return False
        self.names["choose"] = Negotiator(answer.media_types)
        self.before.append("choice = choose(connection)")
        return True

    def _read(self) -> None:
        body = self.plan.body
        found = groups(self.plan.fields)
        exact = ExactQuery(self.plan.fields) if self.options.exact_query else None
        forms = groups(body.fields) if body is not None and body.fields else []
        lines = self._group_lines(found, "connection", 0)
        if exact is not None:
            self.names["check_query"] = exact
            lines.append("check_query(connection)")
        decode = data = "None"
        read: tuple[Body, BodyReader] | None = None
        if body is not None and body.fields:
            self.opens = True
            self.names["read_body"] = FormReader(body)
            self.before.append("data = await read_body(connection, exits)")
            lines += self._group_lines(forms, "data", len(found))
            data = "data"
        elif body is not None:
            reader = self.names["read_body"] = BodyReader(body, self.options.accepted)
            read = (body, reader)
            self.before.append("decode, data = await read_body(connection)")
            lines.append("body = decode(data)")
            decode, data = "decode", "data"
        if lines:
            self.names.update(mistakes=mistakes(), refuse=Refuser(found, forms, read, exact))
            self.before += [
                "try:",
                *(f"    {line}" for line in lines),
                "except mistakes as exc:",
                f"    raise refuse(connection, {decode}, {data}, exc) from None",
            ]

    def _group_lines(self, found: Sequence[Group], argument: str, first: int) -> list[str]:
        lines = []
        for index, group in enumerate(found, first):
            variable = f"{group.source.value}{index}"
            self.names[f"read_{variable}"] = group.reader()
            lines.append(f"{variable} = read_{variable}({argument})")
            for item in group.fields:
                self.values[id(item)] = group.expression(item, variable)
        return lines

    def _respond(self, *, chooses: bool) -> None:
        answer, options = self.plan.answer, self.options
        respond: Responder | StreamResponder
        if answer.stream:
            respond = StreamResponder(answer, options.streamed, FORMATS["json"], self.plan.name)
        else:
            respond = Responder(answer, options.produced, self.plan.name)
        self.names["respond"] = respond
        arguments = ["response", *(["choice"] if chooses else ["0"] if Reply in self.given else [])]
        if Reply in self.given:
            arguments.append("reply")
        self.after.append(f"response = respond({', '.join(arguments)})")
        if BackgroundTasks in self.given:
            self.names["add_tasks"] = add_tasks
            self.after.append("response = add_tasks(response, tasks)")

    def _expression(self, value: Any) -> str:
        if isinstance(value, Given):
            return _GIVEN[value.type]
        return self.values[id(value)] if isinstance(value, Field) else "body"
