"""The schemas of pydantic models, which pydantic makes: all at once, so that their names are distinct."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final, Literal

from asterism.api import _types
from asterism.openapi._references import inlined, replaced

_NAMED: Final = "#pydantic-named:"
_DEPTH: Final = 3

Mode = Literal["validation", "serialization"]


class PydanticSchemas:
    """Gathers types that hold pydantic models. Imports nothing: whoever has a model has imported pydantic."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[Any, Mode], int] = {}

    def reference(self, kind: Any, *, output: bool) -> str:
        """Return the token that stands for the schema of a type."""
        key: tuple[Any, Mode] = (kind, "serialization" if output else "validation")
        return f"#pydantic:{self._kinds.setdefault(key, len(self._kinds))}"

    def generate(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
        """Return the schemas by token, the models in them by name, and the names by the tokens that stand for these."""
        if not self._kinds:
            return {}, {}, {}
        adapters = {
            (number, mode): _types.adapter_of(kind)
            for (kind, mode), number in self._kinds.items()
            if _can_be_described(kind, mode)
        }
        inputs = [(number, mode, adapter) for (number, mode), adapter in adapters.items()]
        made, rest = sys.modules["pydantic"].TypeAdapter.json_schemas(inputs, ref_template=f"{_NAMED}{{model}}")
        by_token = {f"#pydantic:{number}": made.get((number, mode), {}) for (_, mode), number in self._kinds.items()}
        named: dict[str, Any] = rest.get("$defs", {})
        short = _alike(named)
        tokens = {f"{_NAMED}{name}": short.get(name, name) for name in named}
        return by_token, {short.get(name, name): schema for name, schema in named.items()}, tokens


def _alike(named: Mapping[str, Any]) -> dict[str, str]:
    """Return shorter names for models that look the same as input and as output.

    Pydantic tells models apart that hold themselves, since the names in them differ, and nothing else.
    """
    pairs = {name.removesuffix("-Input") for name in named if name.endswith("-Input")}
    pairs = {name for name in pairs if f"{name}-Output" in named and name not in named}
    while True:
        texts = {f"{_NAMED}{name}-{mode}": name for name in pairs for mode in ("Input", "Output")}
        different = {
            name
            for name in pairs
            if replaced(named[f"{name}-Input"], texts) != replaced(named[f"{name}-Output"], texts)
        }
        if not different:
            return {f"{name}-{mode}": name for name in pairs for mode in ("Input", "Output")}
        pairs -= different


def _can_be_described(kind: Any, mode: Mode) -> bool:
    try:
        _types.adapter_of(kind).json_schema(mode=mode)
    except sys.modules["pydantic"].errors.PydanticUserError:
        return False
    return True


def self_contained(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema with its definitions in the places that refer to them; one that holds itself may be anything."""
    definitions = {f"#/$defs/{name}": found for name, found in schema.get("$defs", {}).items()}
    whole = {name: value for name, value in schema.items() if name != "$defs"}
    # Values that come as text are not nested any deeper, and models that hold each other would grow without end.
    for _ in range(min(len(definitions), _DEPTH)):
        whole = inlined(whole, definitions)
    found: dict[str, Any] = _flat(inlined(whole, {name: {} for name in definitions}))
    return found


def _flat(value: Any) -> Any:
    """Return a copy without `allOf` of one schema, in which older releases wrap what they refer to."""
    if isinstance(value, list):
        return [_flat(part) for part in value]
    if not isinstance(value, dict):
        return value
    flat = {name: _flat(part) for name, part in value.items()}
    match flat.get("allOf"):
        case [dict() as only]:
            del flat["allOf"]
            return {**only, **flat}
    return flat
