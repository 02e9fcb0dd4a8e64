"""One operation of a document (OpenAPI 3.1.1 §4.8.10)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from asterism.api import Plan, Security, plan_of
from asterism.dependencies._inject import MARKS_ATTRIBUTE
from asterism.openapi._docstrings import Documentation, read_docstring
from asterism.openapi._references import merged
from asterism.openapi._requests import parameters, path_parameters, request_body
from asterism.openapi._responses import responses
from asterism.openapi._schemas import Components
from asterism.openapi._security import Schemes
from asterism.openapi._walk import Operation
from starlette.convertors import Convertor, PathConvertor, StringConvertor

_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_ANY_TEXT: Final = (StringConvertor, PathConvertor)
_NO_WORD: Final = re.compile(r"[^A-Za-z0-9]+")


def describe(operation: Operation, components: Components, schemes: Schemes) -> dict[str, Any]:
    """Return the Operation Object of a method, without what depends on other operations.

    Raises:
        ValueError: Its documentation cannot be used.
    """
    plan = plan_of(operation.place.route.endpoint)
    documentation = read_docstring(operation.function)
    if plan is not None:
        described = _typed(operation, plan.at(operation.place.convertors), components, schemes)
    else:
        described = _plain(operation, documentation, schemes)
    described = merged({**described, **_unmatched(operation, described["responses"])}, documentation.members)
    if plan is not None:
        described = merged(described, plan.extra)
    return described


def operation_id(method: str, path: str) -> str:
    """Return an identifier that no other route can change: `get_items_by_id` for `/items/{id}`."""
    spoken = _PARAMETER.sub(r"by_\1", path)
    return "_".join([method, _NO_WORD.sub("_", spoken).strip("_") or "root"])


def _typed(operation: Operation, plan: Plan, components: Components, schemes: Schemes) -> dict[str, Any]:
    marks: list[Security] = list(plan.security)
    described = _texts(operation, plan.summary, plan.description)
    if plan.tags:
        described["tags"] = list(plan.tags)
    if plan.operation_id:
        described["operationId"] = plan.operation_id
    if plan.deprecated:
        described["deprecated"] = True
    found = parameters(plan, _in_path(operation), marks, components)
    if found:
        described["parameters"] = found
    if plan.body is not None:
        described["requestBody"] = request_body(plan.body, components)
    described["responses"] = responses(plan, marks, components)
    if marks:
        described["security"] = schemes.requirement(marks)
    return described


def _plain(operation: Operation, documentation: Documentation, schemes: Schemes) -> dict[str, Any]:
    described = _texts(operation, documentation.summary, documentation.description)
    found = path_parameters(_in_path(operation))
    if found:
        described["parameters"] = found
    marks = [mark for mark in getattr(operation.function, MARKS_ATTRIBUTE, ()) if isinstance(mark, Security)]
    if marks:
        described["security"] = schemes.requirement(marks)
    said = "responses" in documentation.members
    described["responses"] = {} if said else {"default": {"description": "What the docstring does not describe."}}
    return described


def _unmatched(operation: Operation, responses: Mapping[str, Any]) -> dict[str, Any]:
    """Return the responses with the 404 of a path whose parameters are not what its convertors take."""
    convertors = _in_path(operation).values()
    if "404" in responses or all(isinstance(convertor, _ANY_TEXT) for convertor in convertors):
        return {}
    found = {**responses, "404": {"description": "There is nothing at this path."}}
    return {"responses": dict(sorted(found.items()))}


def _in_path(operation: Operation) -> dict[str, Convertor[Any]]:
    """Return the convertors of the parameters in the path, without those of a host."""
    convertors = operation.place.convertors
    return {name: convertors[name] for name in parameter_names(operation.place.path)}


def _texts(operation: Operation, summary: str, description: str) -> dict[str, Any]:
    found = {"summary": summary or _spoken(operation), "description": description}
    return {name: text for name, text in found.items() if text}


def _spoken(operation: Operation) -> str:
    """Return the name of a function as a sentence: `List orders` for `list_orders`."""
    name = str(getattr(operation.function, "__name__", ""))
    if not name.isidentifier() or name == operation.method:
        name = operation.place.route.name or ""
    words = " ".join(name.split("_")).strip()
    return words[:1].upper() + words[1:]


def renamed(operation: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return an operation whose path parameters have other names, for a path that was written in another way before."""
    found = [
        {**parameter, "name": names.get(parameter["name"], parameter["name"])}
        if parameter.get("in") == "path"
        else parameter
        for parameter in operation.get("parameters", ())
    ]
    return {**operation, **({"parameters": found} if found else {})}


def parameter_names(path: str) -> list[str]:
    """Return the names of the parameters of a path template in their order."""
    return _PARAMETER.findall(path)
