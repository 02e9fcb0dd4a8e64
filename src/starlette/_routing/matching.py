"""Matching one route: its pattern against a path, its convertors on what was found. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette._routing.templates import TEMPLATE, Template
from starlette.convertors import CONVERTOR_TYPES, Convertor

# Their ValueError means that no such value exists: the path does not match. A custom convertor's is the application's.
BUILT_IN: Final = tuple(type(convertor) for convertor in CONVERTOR_TYPES.values())


def template_of(route: Any, attribute: str) -> Template:
    """Return the template of a route's pattern, kept on the route for as long as the pattern is the same.

    Args:
        route: Any route that has the pattern, or has had a template from the start.
        attribute: Where its pattern is: `path_regex` or `host_regex`.
    """
    template: Template | None = route.__dict__.get(TEMPLATE)
    regex = route.__dict__.get(attribute)
    if template is None or (regex is not None and regex is not template.compiled):
        template = route.__dict__[TEMPLATE] = Template(getattr(route, attribute))
    return template


def converted_values(route: Any, attribute: str, text: str) -> dict[str, Any] | None:
    """Return the converted parameters when all of `text` matches, else None."""
    found = template_of(route, attribute).match(text)
    return None if found is None else convert_all(found, route.param_convertors)


def convert_all(found: Mapping[str, str], convertors: Mapping[str, Convertor[Any]]) -> dict[str, Any] | None:
    """Return the value of each parameter; None when a text stands for no value of its kind.

    A group that a convertor names in a pattern of its own is no parameter.
    """
    values: dict[str, Any] = {}
    for name, convertor in convertors.items():
        try:
            values[name] = convertor.convert(found[name])
        except ValueError:
            if type(convertor) in BUILT_IN:
                return None
            raise
    return values
