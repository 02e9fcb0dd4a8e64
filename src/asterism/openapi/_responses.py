"""Responses of typed endpoints, and the problem details that stand beside them (OpenAPI 3.1.1 §4.8.16; RFC 9457)."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from asterism.api import Answer, Plan, Security
from asterism.dependencies._signatures import REQUIRED, signature_of, split
from asterism.openapi._schemas import Components, Schema
from asterism.problems import MEDIA_TYPE, Problem
from starlette.responses import Response

_PROBLEM_REF: Final = "#/components/schemas/Problem"
_INVALID_REF: Final = "#/components/schemas/ValidationProblem"

_TEXT: Final = {"type": "string"}

_PROBLEM: Final[Mapping[str, Schema]] = {
    "type": {
        "description": "Identifies the kind of problem.",
        "type": "string",
        "format": "uri-reference",
        "default": "about:blank",
    },
    "title": {"description": "The kind of problem, for people.", **_TEXT},
    "status": {"description": "The status of the response.", "type": "integer"},
    "detail": {"description": "What went wrong this time.", **_TEXT},
    "instance": {"description": "Identifies this occurrence.", "type": "string", "format": "uri-reference"},
}
_ERROR: Final[Schema] = {
    "type": "object",
    "properties": {
        "location": {"description": "Where: `query.limit`, `body.items[3].price`.", **_TEXT},
        "message": {"description": "What is wrong, for people.", **_TEXT},
        "kind": {"description": "What is wrong, for programs.", **_TEXT},
    },
    "required": ["location", "message", "kind"],
}

# What typed endpoints answer by themselves.
PROBLEM_SCHEMAS: Final[Mapping[str, Schema]] = {
    "Problem": {
        "title": "Problem",
        "description": "What went wrong (RFC 9457). Further members may tell more.",
        "type": "object",
        "properties": dict(_PROBLEM),
        "required": ["title", "status"],
    },
    "ValidationProblem": {
        "title": "ValidationProblem",
        "description": "What is wrong with a request, value by value (RFC 9457).",
        "type": "object",
        "properties": {**_PROBLEM, "errors": {"type": "array", "items": _ERROR}},
        "required": ["title", "status", "errors"],
    },
}

_DESCRIPTIONS: Final = {
    400: "The body cannot be read.",
    406: "Nothing that the client accepts can be sent.",
    413: "The body is too large.",
    415: "The body has a type that is not accepted.",
    422: "Values are missing, or are not what they must be.",
}

_BODILESS: Final = frozenset({*range(100, 200), 204, 304})


def responses(plan: Plan, marks: Sequence[Security], components: Components) -> dict[str, Any]:
    """Return the Responses Object of a typed endpoint, in the order of its statuses.

    Args:
        plan: What it answers.
        marks: The security schemes that it asks for.
        components: Takes the models.
    """
    found: dict[int, dict[str, Any]] = {status: problem_response(status) for status in plan.errors}
    if marks:
        found[401] = {"description": "The client did not say who it is, or is not believed."}
        if any(mark.scopes for mark in marks):
            found[403] = {"description": "The client may not do this."}
    found[plan.answer.status] = _response(plan.answer, components, _media_type(plan))
    for answer in plan.answers:
        found[answer.status] = _response(answer, components)
    return {str(status): found[status] for status in sorted(found)}


def problem_response(status: int, description: str = "") -> dict[str, Any]:
    """Return the Response Object of problem details; it refers to a schema of `PROBLEM_SCHEMAS`."""
    said = description or _DESCRIPTIONS.get(status) or _phrase(status)
    schema = {"$ref": _INVALID_REF if status == 422 else _PROBLEM_REF}
    return {"description": said, "content": {MEDIA_TYPE: {"schema": schema}}}


def _response(answer: Answer, components: Components, media_type: str | None = None) -> dict[str, Any]:
    if isinstance(answer.type, type) and issubclass(answer.type, Problem):
        return problem_response(answer.status, answer.description)
    response: dict[str, Any] = {"description": answer.description or _phrase(answer.status)}
    if answer.status in _BODILESS:
        return response
    if answer.media_types:
        schema = components.schema(answer.type, output=True)
        shown = _stream(schema) if answer.stream else schema
        response["content"] = {known: {"schema": shown} for known in answer.media_types}
    elif media_type is not None:
        response["content"] = {media_type: {}}
    return response


def _stream(item: Schema) -> Schema:
    """Return the schema of a stream, as far as 3.1 can tell it: text made of items."""
    return {
        "type": "string",
        "description": "Items, one after the other.",
        "contentMediaType": "application/json",
        "contentSchema": item,
    }


def _phrase(status: int) -> str:
    return str(Problem(status).document()["title"])


def _media_type(plan: Plan) -> str | None:
    """Return what a raw response is sent as, if its class tells: `HTMLResponse` does."""
    returns, _ = split(_returns(plan.function))
    kind = typing.get_origin(returns) or returns
    return kind.media_type if inspect.isclass(kind) and issubclass(kind, Response) else None


def _returns(function: Callable[..., Any]) -> Any:
    found = signature_of(function).returns
    return None if found is REQUIRED else found
