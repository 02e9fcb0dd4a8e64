"""API schemas in the OpenAPI format, collected from YAML in the docstrings of endpoints. Needs pyyaml when used."""

from __future__ import annotations

import copy
import functools
import inspect
import re
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, Final, NamedTuple

from starlette.requests import Request as Request
from starlette.responses import Response as Response
from starlette.routing import BaseRoute as BaseRoute
from starlette.routing import Host as Host
from starlette.routing import Mount as Mount
from starlette.routing import Route as Route

yaml: ModuleType | None
try:
    import yaml
except ModuleNotFoundError:
    # COMPAT: the absence of pyyaml is seen by this name, when something is asked for that needs it.
    yaml = None

# What a class or an instance may answer with a method of its own, in the order in which it is listed.
_VERBS: Final = ("get", "post", "put", "patch", "delete", "options", "query")

_CONVERTOR: Final = re.compile(r":\w+}")
_VERSION: Final = re.compile(r"(\d+)\.(\d+)")

# The first version of OpenAPI with operations for QUERY (OpenAPI 3.2 §4.9, "Path Item Object").
_HAS_QUERY: Final = (3, 2)


class OpenAPIResponse(Response):
    """A schema, sent as YAML.

    Raises:
        AssertionError: The content is no dictionary, or pyyaml is not installed.
    """

    media_type = "application/vnd.oai.openapi"

    def render(self, content: Any) -> bytes:
        """Return the schema in block style with sorted keys, as ASCII."""
        written = _required_yaml("OpenAPIResponse")
        if not isinstance(content, dict):
            raise AssertionError("The schema passed to OpenAPIResponse should be a dictionary.")
        text: str = written.dump(content, default_flow_style=False)
        return text.encode()


class EndpointInfo(NamedTuple):
    """One operation: its path with placeholders, such as `/users/{id}`, its method in lower case, and its function."""

    path: str
    http_method: str
    func: Callable[..., Any]


class BaseSchemaGenerator:
    """Collects the operations of routes; a subclass says in `get_schema` what is made of them."""

    def get_schema(self, routes: list[BaseRoute]) -> dict[str, Any]:
        """Return the schema of these routes."""
        raise NotImplementedError

    def get_endpoints(self, routes: list[BaseRoute]) -> list[EndpointInfo]:
        """Return the operations of routes in their order, those below mounts and hosts included.

        Left out are routes with `include_in_schema=False`, what is not a `Route`, HEAD, and raw ASGI applications.
        """
        found: list[EndpointInfo] = []
        for route in routes:
            if isinstance(route, Mount):
                prefix = _without_convertors(route.path)
                found += (info._replace(path=prefix + info.path) for info in self.get_endpoints(route.routes or []))
            elif isinstance(route, Host):
                found += self.get_endpoints(route.routes or [])
            elif isinstance(route, Route) and route.include_in_schema:
                path = _without_convertors(route.path)
                found += (EndpointInfo(path, verb, func) for verb, func in _operations(route))
        return found

    def parse_docstring(self, func_or_method: Callable[..., Any]) -> dict[str, Any]:
        """Return what a docstring says in YAML after its last `---`, or in all of it if there is none.

        Returns:
            The mapping, or `{}` when there is no docstring, or it is prose.

        Raises:
            AssertionError: There is a docstring, and pyyaml is not installed.
            yaml.YAMLError: The text cannot be read. A note on it names the function, and where it is defined.
        """
        docstring = func_or_method.__doc__
        if not docstring:
            return {}
        loader = _required_yaml("parse_docstring")
        try:
            parsed = _loaded(docstring.rpartition("---")[2], loader.safe_load)
        except loader.YAMLError as exc:
            exc.add_note(f"in the docstring of {_described(func_or_method)}")
            raise
        # The parsed text is kept, and callers may change what they get.
        return copy.deepcopy(parsed) if isinstance(parsed, dict) else {}

    def OpenAPIResponse(self, request: Request) -> Response:  # a public name
        """Return the schema of the application that serves the request as a response."""
        return OpenAPIResponse(self.get_schema(routes=request.app.routes))


class SchemaGenerator(BaseSchemaGenerator):
    """Fills the `paths` of an OpenAPI document from docstrings.

    Args:
        base_schema: The rest of the document: `{"openapi": "3.2.0", "info": {"title": "API", "version": "1.0"}}`. It
            is not changed. Operations for QUERY are listed if its `openapi` is at least 3.2.
    """

    def __init__(self, base_schema: dict[str, Any]) -> None:
        self.base_schema = base_schema

    def get_schema(self, routes: list[BaseRoute]) -> dict[str, Any]:
        """Return the document with an operation for each endpoint whose docstring holds one."""
        version = _VERSION.match(str(self.base_schema.get("openapi", "")))
        with_query = version is not None and (int(version[1]), int(version[2])) >= _HAS_QUERY
        given = self.base_schema.get("paths") or {}
        paths = {path: dict(item) if isinstance(item, dict) else item for path, item in given.items()}
        for path, verb, func in self.get_endpoints(routes):
            if verb == "query" and not with_query:
                continue
            operation = self.parse_docstring(func)
            if operation:
                paths.setdefault(path, {})[verb] = operation
        return {**self.base_schema, "paths": paths}


def _operations(route: Route) -> Iterable[tuple[str, Callable[..., Any]]]:
    endpoint = route.endpoint
    while isinstance(endpoint, functools.partial):
        endpoint = endpoint.func  # the docstring is there
    if inspect.isfunction(endpoint) or inspect.ismethod(endpoint):
        return [(verb.lower(), endpoint) for verb in sorted(route.methods or ["GET"]) if verb != "HEAD"]
    return [(verb, getattr(endpoint, verb)) for verb in _VERBS if hasattr(endpoint, verb)]


def _without_convertors(path: str) -> str:
    return _CONVERTOR.sub("}", path)


def _required_yaml(user: str) -> Any:
    if yaml is None:
        absent = AssertionError(f"`pyyaml` must be installed to use {user}.")
        absent.add_note('install the "full" extra: pip install "starlette[full]", or pyyaml alone')
        raise absent
    return yaml


# PERF: a schema is made for each request that asks for it; reading YAML takes 40 times as long as copying the result.
@functools.lru_cache(maxsize=1024)
def _loaded(text: str, load: Callable[[str], Any]) -> Any:
    return load(text)


def _described(func: Callable[..., Any]) -> str:
    name = f"{getattr(func, '__module__', '?')}.{getattr(func, '__qualname__', repr(func))}"
    code = getattr(inspect.unwrap(func), "__code__", None)
    return name if code is None else f"{name} ({code.co_filename}:{code.co_firstlineno})"
