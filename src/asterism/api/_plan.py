"""What an endpoint takes and gives, as data: the result of reading its signature, and the source of its documentation.

`plan_of(route)` or `plan_of(endpoint, path)` returns the `Plan`. It is complete before the first request:

- `plan.fields`: each value that a client sends outside of the body, those of dependencies included, as `Field`;
- `plan.body`: the `Body`, or None; for forms `plan.body.fields` are its fields and files;
- `plan.answer`: what a success looks like, as `Answer`; `plan.answers`: declared others, by status;
- `plan.summary`, `plan.description` (from the docstring), `plan.tags`, `plan.operation_id`, `plan.deprecated`;
- `plan.security`: the `Security` marks of the endpoint and of its dependencies;
- `plan.function` and `plan.providers`: the endpoint's function, and its dependencies in the order of their calls.

Every `type` is one that msgspec understands, constraints included (`Annotated[int, Meta(ge=1)]`), so that
`msgspec.json.schema_components` describes it; a pydantic model in it stays what it is, for `model_json_schema`.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

REQUIRED: Final = inspect.Parameter.empty


class Source(enum.Enum):
    """Where a value comes from; the value of a member is how errors call it."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    COOKIE = "cookie"
    BODY = "body"
    FORM = "form"
    FILE = "file"
    # Not marked and not a body: the path if the route has such a parameter, else the query. `Plan.at` decides it.
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Field:
    """One value that a client sends.

    Attributes:
        name: The name of the parameter of the function.
        alias: As clients spell it; headers in lower case.
        source: Where it comes from.
        type: What it becomes, with its constraints.
        default: `REQUIRED` if it must be sent.
        many: Repeated values are collected.
        whole: `type` has several fields, and takes all of the source: `Annotated[Filters, Query()]`.
        title, description, examples, deprecated: For the documentation.
        owner: The function that asks for it: the endpoint or a dependency.
    """

    name: str
    alias: str
    source: Source
    type: Any
    default: Any = REQUIRED
    many: bool = False
    whole: bool = False
    title: str | None = None
    description: str | None = None
    examples: Sequence[Any] = ()
    deprecated: bool = False
    owner: Callable[..., Any] | None = None

    @property
    def required(self) -> bool:
        """Whether it must be sent."""
        return self.default is REQUIRED


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a request.

    Attributes:
        name: The name of the parameter; empty for a form.
        type: What it becomes; None for a form of single fields.
        media_types: What it may be sent as, the first preferred.
        default: `REQUIRED`, or what an absent body stands for.
        max_size: In bytes; None when the application's own limit is the only one.
        fields: The fields and files of a form.
        raw: It is passed as bytes.
        title, description, examples: For the documentation.
    """

    name: str
    type: Any
    media_types: tuple[str, ...]
    default: Any = REQUIRED
    max_size: int | None = None
    fields: tuple[Field, ...] = ()
    raw: bool = False
    title: str | None = None
    description: str | None = None
    examples: Sequence[Any] = ()

    @property
    def required(self) -> bool:
        """Whether it must be sent."""
        return self.default is REQUIRED


@dataclass(frozen=True, slots=True)
class Answer:
    """One kind of response.

    Attributes:
        status: Its status.
        type: What its content is; `Any` when unknown, None for no content. Of a stream, the type of one item.
        media_types: What it is sent as, the first preferred; empty when unknown (a raw `Response`) or without content.
        stream: Items are sent one by one.
        description: For the documentation.
    """

    status: int
    type: Any
    media_types: tuple[str, ...] = ()
    stream: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything about one endpoint; see the top of this module.

    Attributes:
        errors: The statuses of problem details that the endpoint itself answers with: 422 and others.
        parameters: Names of path parameters, once a path is known.
    """

    function: Callable[..., Any]
    fields: tuple[Field, ...]
    body: Body | None
    answer: Answer
    answers: tuple[Answer, ...] = ()
    errors: tuple[int, ...] = ()
    providers: tuple[Callable[..., Any], ...] = ()
    security: tuple[Any, ...] = ()
    name: str = ""
    summary: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    operation_id: str | None = None
    deprecated: bool = False
    extra: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def at(self, parameters: Iterable[str]) -> Plan:
        """Return the plan for a route with these path parameters: no field is `OPEN` any more.

        Raises:
            ValueError: A field marked with `Path` is not among them.
        """
        names = frozenset(parameters)
        fields = tuple(_placed(field, names) for field in self.fields)
        for field in fields:
            if field.source is Source.PATH and not field.whole and field.alias not in names:
                raise ValueError(f"the path has no parameter {field.alias!r}, which {self.name} asks for")
        return dataclasses.replace(self, fields=fields)


def _placed(field: Field, names: frozenset[str]) -> Field:
    if field.source is not Source.OPEN:
        return field
    if field.alias in names:
        return dataclasses.replace(field, source=Source.PATH, default=REQUIRED)
    return dataclasses.replace(field, source=Source.QUERY)
