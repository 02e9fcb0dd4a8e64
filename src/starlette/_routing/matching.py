"""Matching one route: its pattern against a path, its convertors on what was found. Pure."""

from __future__ import annotations

import re
from typing import Any, Final

from starlette._routing.templates import Template
from starlette.convertors import CONVERTOR_TYPES, Convertor

# Their ValueError means that no such value exists: the path does not match. A custom convertor's is the application's.
_BUILT_IN: Final = tuple(type(convertor) for convertor in CONVERTOR_TYPES.values())


def template_of(route: Any, regex: re.Pattern[str]) -> Template:
    """Return the template of a route's pattern, kept on the route for as long as the pattern is this one."""
    template: Template | None = route.__dict__.get("_asterism_template")
    if template is None or template.regex is not regex:
        template = route.__dict__["_asterism_template"] = Template(regex)
    return template


def converted_values(route: Any, regex: re.Pattern[str], text: str) -> dict[str, Any] | None:
    """Return the converted parameters when all of `text` matches, else None."""
    found: dict[str, Any] | None = template_of(route, regex).match(text)
    return convert_all(found, route.param_convertors) if found else found


def convert_all(found: dict[str, Any], convertors: dict[str, Convertor[Any]]) -> dict[str, Any] | None:
    for name, text in found.items():
        convertor = convertors[name]
        try:
            found[name] = convertor.convert(text)
        except ValueError:
            if type(convertor) in _BUILT_IN:
                return None
            raise
    return found
