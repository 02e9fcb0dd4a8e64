"""Documents of small applications, each of which is seen to be valid."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator

from asterism.api import endpoint
from asterism.openapi import OpenAPI
from starlette.routing import BaseRoute, Route


def valid(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document that is valid as OpenAPI 3.1, and whose schemas are valid."""
    errors = [
        f"{list(error.absolute_path)}: {error.message}" for error in OpenAPIV31SpecValidator(document).iter_errors()
    ]
    assert errors == []
    return document


def document_of(routes: Iterable[BaseRoute], **options: Any) -> dict[str, Any]:
    """Return the document of routes."""
    return valid(OpenAPI(list(routes), title="Test", version="1", **options).document())


def described(function: Callable[..., Any], path: str = "/", method: str = "POST", **options: Any) -> dict[str, Any]:
    """Return the operation of a typed function, without references: models stand where they are referred to."""
    document = document_of([Route(path, endpoint(function, **options), methods=[method])])
    (item,) = document["paths"].values()
    operation: dict[str, Any] = inlined(item[method.lower()], document)
    return operation


def inlined(value: Any, document: dict[str, Any], depth: int = 6) -> Any:
    """Return a value in which references to schemas are those, a few levels deep."""
    if isinstance(value, dict):
        found = value
        if depth and isinstance(value.get("$ref"), str):
            name = value["$ref"].removeprefix("#/components/schemas/")
            found = {**document["components"]["schemas"][name], **value}
            del found["$ref"]
            depth -= 1
        return {name: inlined(part, document, depth) for name, part in found.items()}
    return [inlined(part, document, depth) for part in value] if isinstance(value, list) else value


def parameters(operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the parameters of an operation by place and name: `"query limit"`."""
    return {f"{parameter['in']} {parameter['name']}": parameter for parameter in operation.get("parameters", [])}
