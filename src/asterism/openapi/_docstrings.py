"""What a docstring says of an operation: prose for people, and YAML behind a line of three dashes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

# The members of an Operation Object (OpenAPI 3.1.1 §4.8.10). Text that has nothing else is one, without the dashes too.
_MEMBERS: Final = frozenset(
    {
        "tags",
        "summary",
        "description",
        "externalDocs",
        "operationId",
        "parameters",
        "requestBody",
        "responses",
        "callbacks",
        "deprecated",
        "security",
        "servers",
    }
)


@dataclass(frozen=True, slots=True)
class Documentation:
    """What a docstring says: its first paragraph in one line, the rest, and members of an Operation Object."""

    summary: str = ""
    description: str = ""
    members: Mapping[str, Any] = field(default_factory=dict)


def read_docstring(function: Callable[..., Any]) -> Documentation:
    """Return what the docstring of a function says.

    Raises:
        ImportError: It has YAML, and pyyaml is not installed.
        ValueError: Its YAML cannot be read, or is no mapping.
    """
    written = getattr(function, "__doc__", None) or ""
    text = inspect.cleandoc(written)
    prose, separator, rest = partition_lines(text)
    if separator:
        members = _loaded(rest, function)
    else:
        members = _members(written)  # whose first line may not be indented, as YAML needs it
        prose = "" if members else text
    summary, _, description = prose.partition("\n\n")
    return Documentation(" ".join(summary.split()), description.strip(), members)


def partition_lines(text: str) -> tuple[str, bool, str]:
    """Return what stands before the last line of three dashes, whether there is one, and what stands behind it."""
    lines = text.split("\n")
    for index in range(len(lines) - 1, -1, -1):
        if lines[index] == "---":
            return "\n".join(lines[:index]).rstrip(), True, "\n".join(lines[index + 1 :])
    return text, False, ""


def _loaded(text: str, function: Callable[..., Any]) -> Mapping[str, Any]:
    name = f"{getattr(function, '__module__', '?')}.{getattr(function, '__qualname__', function)}"
    try:
        import yaml
    except ImportError as exc:
        raise ImportError(
            f'the docstring of {name} has YAML, which needs pyyaml: install the "full" extra, '
            'pip install "starlette[full]"'
        ) from exc
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as exc:
        raise ValueError(f"the YAML in the docstring of {name} cannot be read: {exc}") from exc
    if not isinstance(found, dict):
        raise ValueError(f"what follows --- in the docstring of {name} must be a mapping, such as 'responses: ...'")
    return _named(found)  # type: ignore[no-any-return]  # a mapping stays one


def _members(text: str) -> Mapping[str, Any]:
    """Return the members of a docstring that is YAML as a whole; nothing for prose."""
    if ":" not in text:
        return {}
    try:
        import yaml
    except ImportError:
        return {}
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    if not isinstance(found, dict) or not all(name in _MEMBERS or str(name).startswith("x-") for name in found):
        return {}
    return _named(found)  # type: ignore[no-any-return]


def _named(value: Any) -> Any:
    """Return a copy whose keys are text, as JSON has them: YAML takes `200:` for a number."""
    if isinstance(value, dict):
        return {_key(name): _named(part) for name, part in value.items()}
    return [_named(part) for part in value] if isinstance(value, list) else value


def _key(name: Any) -> str:
    return ("true" if name else "false") if isinstance(name, bool) else str(name)
