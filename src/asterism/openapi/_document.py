"""The whole document (OpenAPI 3.1.1 §4.8.1): its parts put together, made unique and in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from asterism.api import Security
from asterism.openapi._operations import describe, operation_id, parameter_names, renamed
from asterism.openapi._references import merged
from asterism.openapi._responses import PROBLEM_SCHEMAS
from asterism.openapi._schemas import Components
from asterism.openapi._security import Schemes
from asterism.openapi._walk import METHODS, Operation, operations
from starlette.routing import BaseRoute

VERSION: Final = "3.1.1"


@dataclass(frozen=True, slots=True)
class About:
    """What a document says that no route tells.

    Attributes:
        info: The Info Object.
        servers: Server Objects; empty for the application's own place.
        tags: Tag Objects, in their order.
        security: The schemes that hold where an operation says nothing else.
        extra: Members to merge into the document.
    """

    info: Mapping[str, Any]
    servers: Sequence[Mapping[str, Any]] = ()
    tags: Sequence[Mapping[str, Any]] = ()
    security: Sequence[Security] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


def build(about: About, routes: Iterable[BaseRoute], base: str = "") -> dict[str, Any]:
    """Return the document of these routes.

    Args:
        about: The rest of it.
        routes: The routes.
        base: The path that they are below of, percent-encoded: `"/api"`.

    Raises:
        ValueError: Documentation cannot be used, or two security schemes have one name.
        ImportError: A library that this needs is missing.
    """
    return _Builder(about, base).build(routes)


class _Builder:
    def __init__(self, about: About, base: str) -> None:
        self._about = about
        self._base = base
        self._components = Components()
        self._schemes = Schemes()
        self._paths: dict[str, dict[str, Any]] = {}
        # The path that stands for all that look like it: `/items/{}` is one path, whatever its parameter is called.
        self._shapes: dict[str, str] = {}
        self._ids: set[str] = set()
        self._tags: dict[str, Mapping[str, Any]] = {str(tag["name"]): tag for tag in about.tags}

    def build(self, routes: Iterable[BaseRoute]) -> dict[str, Any]:
        about = self._about
        document: dict[str, Any] = {"openapi": VERSION, "info": dict(about.info)}
        servers = list(about.servers) or ([{"url": self._base}] if self._base else [])
        if servers:
            document["servers"] = servers
        for operation in operations(routes):
            self._add(operation)
        # In the order of their methods, whatever the order of the routes.
        document["paths"] = {
            path: {name: item[name] for name in METHODS if name in item} for path, item in self._paths.items()
        }
        if about.security:
            document["security"] = self._schemes.requirement(about.security)
        if self._schemes.found:
            document["components"] = {"securitySchemes": self._schemes.found}
        if self._tags:
            document["tags"] = list(self._tags.values())
        return self._components.finish(merged(document, about.extra), PROBLEM_SCHEMAS)

    def _add(self, operation: Operation) -> None:
        place = operation.place
        path = place.path
        names = parameter_names(path)
        shape = path
        for name in names:
            shape = shape.replace(f"{{{name}}}", "{}", 1)
        known = self._shapes.setdefault(shape, path)
        item = self._paths.setdefault(known, {})
        if operation.method in item:
            return  # the first route that matches is the one that answers
        described = describe(operation, self._components, self._schemes)
        if known != path:
            described = renamed(described, dict(zip(names, parameter_names(known), strict=True)))
        if place.host is not None:
            described = {"servers": [_host_server(place.host, self._base)], **described}
        described["operationId"] = self._unique(described.get("operationId"), operation.method, known)
        for tag in described.get("tags", ()):
            self._tags.setdefault(str(tag), {"name": str(tag)})
        item[operation.method] = described

    def _unique(self, wanted: str | None, method: str, path: str) -> str:
        derived = operation_id(method, path)
        found = wanted or derived
        if found in self._ids and wanted:
            found = f"{wanted}_{derived}"
        number, free = 1, found
        while free in self._ids:
            number += 1
            free = f"{found}_{number}"
        self._ids.add(free)
        return free


def _host_server(host: str, base: str) -> dict[str, Any]:
    """Return the Server Object of a host, which keeps the scheme that the document came by."""
    names = parameter_names(host)
    server: dict[str, Any] = {"url": f"//{host}{base}"}
    if names:
        server["variables"] = {name: {"default": name} for name in names}
    return server
