"""From a signature to a `Plan`: which parameter comes from where."""

from __future__ import annotations

import collections.abc
import inspect
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from asterism.api import _types
from asterism.api._constraints import check_of
from asterism.api._libraries import msgspec, require_multipart
from asterism.api._markers import Body as BodyMark
from asterism.api._markers import Header, Marker, Security
from asterism.api._options import Options
from asterism.api._plan import REQUIRED, Answer, Body, Field, Plan, Source
from asterism.api._reply import Reply
from asterism.api._sets import impossible_items
from asterism.api._unsafe import unsafe_union
from asterism.dependencies._graph import Argument, External, Graph, build_graph
from asterism.dependencies._inject import kind_of
from asterism.dependencies._signatures import DependencyError, Parameter, name_of, split
from starlette.background import BackgroundTasks
from starlette.datastructures import State
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.websockets import WebSocket

FORM_TYPES: Final = ("application/x-www-form-urlencoded", "multipart/form-data")

_STREAMS: Final = (
    collections.abc.AsyncIterator,
    collections.abc.AsyncIterable,
    collections.abc.AsyncGenerator,
    collections.abc.Iterator,
    collections.abc.Generator,
)

_ENDLESS: Final = "has a type that holds itself; put a model between, whose field may"

# Parameters that are asked for by their type alone.
GIVEN: Final = (BackgroundTasks, Reply, State)


@dataclass(frozen=True, slots=True)
class Given:
    """An argument that every request gets anew: `BackgroundTasks`, `Reply` or `State`."""

    type: type[Any]


@dataclass(slots=True)
class Compiled:
    """A plan, and the calls that serve it."""

    plan: Plan
    graph: Graph
    kind: type[HTTPConnection[Any]]
    given: list[type[Any]]


_NONE: Final[Mapping[Any, Any]] = {}


def compile_plan(
    function: Callable[..., Any], options: Options, overrides: Mapping[Any, Callable[..., Any]] = _NONE
) -> Compiled:
    """Read the signature of `function` and of its dependencies.

    Raises:
        DependencyError: A parameter can come from nowhere, or there is more than one body.
        ImportError: A library that it needs is missing.
    """
    msgspec()
    collector = _Collector(kind_of(function))
    graph = build_graph(function, collector.kind, collector.resolve, overrides)
    plan = _describe(function, graph, collector, options)
    return Compiled(plan, graph, collector.kind, collector.given)


@dataclass(slots=True)
class _Collector:
    """Decides for one parameter after the other."""

    kind: type[HTTPConnection[Any]]
    fields: list[Field] = field(default_factory=list)
    form: list[Field] = field(default_factory=list)
    body: Body | None = None
    given: list[type[Any]] = field(default_factory=list)
    security: list[Security] = field(default_factory=list)

    def resolve(self, parameter: Parameter, owner: Callable[..., Any]) -> Argument | None:
        try:
            return self._resolve(parameter, owner)
        except RecursionError:  # an alias such as `type Tree = list[Tree]`, which has no end
            raise DependencyError(f"the parameter {parameter.name} {_ENDLESS}", (owner,)) from None

    def _resolve(self, parameter: Parameter, owner: Callable[..., Any]) -> Argument | None:
        if isinstance(parameter.type, type) and parameter.type in GIVEN:
            if parameter.type not in self.given:
                self.given.append(parameter.type)
            return External(Given(parameter.type))
        for misplaced in (parameter.type, parameter.default):
            if isinstance(misplaced, Marker):
                name = type(misplaced).__name__
                raise DependencyError(
                    f"the {name}() of the parameter {parameter.name} is not seen there: "
                    f"write {parameter.name}: Annotated[<its type>, {name}(...)], and a default behind it",
                    (owner,),
                )
        self.security += [mark for mark in parameter.marks if isinstance(mark, Security)]
        mark = _mark(parameter, owner)
        source = _source(parameter, mark)
        if source in {Source.BODY, Source.FORM, Source.FILE} and self.kind is WebSocket:
            raise DependencyError(f"a WebSocket has no body for the parameter {parameter}", (owner,))
        if source is Source.BODY:
            return External(self._set_body(parameter, mark, owner))
        found = _field(parameter, mark, source, owner)
        if source in {Source.FORM, Source.FILE}:
            require_multipart()
            self._refuse_second(self.body is not None, parameter, owner)
            self.form.append(found)
        else:
            self.fields.append(found)
        return External(found)

    def _set_body(self, parameter: Parameter, mark: Marker | None, owner: Callable[..., Any]) -> Body:
        self._refuse_second(self.body is not None or bool(self.form), parameter, owner)
        media_type = mark.media_type if isinstance(mark, BodyMark) else None
        raw = parameter.type in (bytes, bytes | None)
        self.body = Body(
            parameter.name,
            _checked(parameter, owner),
            (media_type or "*/*",) if raw else (),
            parameter.default,
            raw=raw,
            title=mark.title if mark else None,
            description=_description(parameter, mark),
            examples=mark.examples if mark else (),
        )
        return self.body

    def _refuse_second(self, taken: bool, parameter: Parameter, owner: Callable[..., Any]) -> None:
        if taken:
            raise DependencyError(
                f"the parameter {parameter} would be a second body; put both into one model", (owner,)
            )


def _mark(parameter: Parameter, owner: Callable[..., Any]) -> Marker | None:
    """Return the mark that says where a parameter comes from; `Query` is as good as `Query()`."""
    found = [mark for mark in parameter.marks if isinstance(mark, Marker)]
    found += [mark() for mark in parameter.marks if isinstance(mark, type) and issubclass(mark, Marker)]
    if len(found) > 1:
        names = " and ".join(f"{type(mark).__name__}()" for mark in found)
        raise DependencyError(f"the parameter {parameter} is marked with {names}, and comes from one place", (owner,))
    return found[0] if found else None


def _source(parameter: Parameter, mark: Marker | None) -> Source:
    if mark is not None:
        return mark.source
    if _types.is_upload(parameter.type):
        return Source.FILE
    if _types.is_body(parameter.type):
        return Source.BODY
    return Source.OPEN


def _field(parameter: Parameter, mark: Marker | None, source: Source, owner: Callable[..., Any]) -> Field:
    alias = parameter.name if mark is None or mark.alias is None else mark.alias
    if isinstance(mark, Header):
        alias = (mark.alias or parameter.name.replace("_", "-")).lower()
    whole = source not in {Source.OPEN, Source.FILE} and _types.is_model(parameter.type)
    return Field(
        parameter.name,
        alias,
        source,
        _checked(parameter, owner),
        parameter.default,
        many=not whole and _types.is_many(parameter.type),
        whole=whole,
        title=mark.title if mark else None,
        description=_description(parameter, mark),
        examples=tuple(mark.examples) if mark else (),
        deprecated=mark.deprecated if mark else False,
        owner=owner,
    )


def _description(parameter: Parameter, mark: Marker | None) -> str | None:
    if mark is not None and mark.description is not None:
        return mark.description
    metas = [meta.description for meta in parameter.marks if isinstance(meta, msgspec().Meta)]
    return next((text for text in metas if text), None)


def _checked(parameter: Parameter, owner: Callable[..., Any]) -> Any:
    """Return the type with its constraints, after msgspec has looked at it."""
    try:
        kind = _types.checked_type(parameter.type, parameter.marks)
        _refuse_unsafe(kind)
        _refuse_impossible(kind)
        described = msgspec().inspect.type_info(kind)
        check_of(kind)
    except (TypeError, ValueError, NameError, re.error) as exc:
        raise DependencyError(f"the parameter {parameter} has a type that cannot be checked: {exc}", (owner,)) from exc
    unknown = _unknown(described)
    if unknown is not None:
        raise DependencyError(
            f"nothing provides the parameter {parameter}: no client can send a {unknown.__qualname__}, and it has no "
            "Depends()",
            (owner,),
        )
    return kind


def _refuse_unsafe(kind: Any) -> None:
    found = unsafe_union(kind)
    if found is not None:
        raise TypeError(f"a union of {found} makes msgspec crash; put one of them into a model of its own")


def _refuse_impossible(kind: Any) -> None:
    found = impossible_items(kind)
    if found is not None:
        name = getattr(found, "__qualname__", str(found))
        raise TypeError(f"a set cannot hold {name}, which has no hash; take a list, or a tuple or frozen model in it")


def _unknown(described: Any) -> type[Any] | None:
    """Return a class in a described type that neither engine can make."""
    if isinstance(described, msgspec().inspect.CustomType):
        kind: type[Any] = described.cls
        return None if _types.is_upload(kind) or _types.is_pydantic(kind) else kind
    inner = [getattr(described, name, None) for name in ("type", "item_type", "value_type")]
    inner += getattr(described, "types", ()) or getattr(described, "item_types", ())
    return next((found for part in inner if part is not None and (found := _unknown(part)) is not None), None)


def _describe(function: Callable[..., Any], graph: Graph, collector: _Collector, options: Options) -> Plan:
    body = collector.body
    if collector.form:
        files = any(item.source is Source.FILE for item in collector.form)
        body = Body("", None, FORM_TYPES[1:] if files else FORM_TYPES, fields=tuple(collector.form))
    elif body is not None and not body.raw:
        body = replace(body, media_types=tuple(known.media_type for known in options.accepted))
    if body is not None:
        body = replace(body, max_size=options.max_body_size)
    answer = _answer(function, graph.signature.returns, options)
    for known in (answer, *options.answers):
        try:
            _refuse_unsafe(known.type)
        except TypeError as exc:
            raise DependencyError(f"what is answered with status {known.status}: {exc}", (function,)) from None
        except RecursionError:
            raise DependencyError(f"what is answered with status {known.status} {_ENDLESS}", (function,)) from None
    summary, description = _texts(function)
    marks = [mark for mark in (*options.security, *collector.security, *graph.marks) if isinstance(mark, Security)]
    return Plan(
        function,
        tuple(collector.fields),
        body,
        answer,
        options.answers,
        _errors(collector, body, options),
        tuple(call.function for call in graph.calls[:-1]),
        tuple(mark for index, mark in enumerate(marks) if mark not in marks[:index]),
        name_of(function).rpartition(".")[2],
        options.summary or summary,
        options.description or description,
        options.tags,
        options.operation_id,
        options.deprecated,
        options.extra,
    )


def _errors(collector: _Collector, body: Body | None, options: Options) -> tuple[int, ...]:
    found = {406} if len(options.produced) > 1 else set()
    if collector.fields or options.exact_query or (body is not None and not body.raw):
        found.add(422)
    if body is not None:
        found |= {400, 413} if not body.raw else {413}
        if body.media_types != ("*/*",):
            found.add(415)
    return tuple(sorted(found))


def _answer(function: Callable[..., Any], returns: Any, options: Options) -> Answer:
    kind = options.returns if options.returns is not REQUIRED else returns
    kind = Any if kind is REQUIRED else kind
    bare, _ = split(kind)
    origin = typing.get_origin(bare) or bare
    if _types.is_generator(function) or origin in _STREAMS:
        item = next(iter(typing.get_args(bare)), Any)
        return Answer(
            options.status_code or 200, item, tuple(known.media_type for known in options.streamed), stream=True
        )
    if isinstance(origin, type) and issubclass(origin, Response):
        return Answer(options.status_code or 200, Any)
    if bare is type(None) or bare is None:
        return Answer(options.status_code or 204, None)
    return Answer(options.status_code or 200, kind, tuple(known.media_type for known in options.produced))


def _texts(function: Callable[..., Any]) -> tuple[str, str]:
    """Return the first paragraph of the docstring in one line, and what follows it.

    YAML for OpenAPI, behind a line of three dashes, is not for people.
    """
    lines = inspect.cleandoc(function.__doc__ or "").split("\n")
    if "---" in lines:
        del lines[len(lines) - 1 - lines[::-1].index("---") :]
    first, _, rest = "\n".join(lines).partition("\n\n")
    return " ".join(first.split()), rest.strip()
