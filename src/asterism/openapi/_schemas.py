"""JSON Schemas of types (2020-12, as OpenAPI 3.1 has them), and the components that these refer to.

Types are what typed endpoints take: whatever `msgspec.inspect` understands, files, and pydantic models, whose schemas
pydantic makes. While a document is built, references hold tokens; `Components.finish` puts the names in, since a name
depends on what else there is.
"""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from asterism.api import _types
from asterism.api._libraries import msgspec
from asterism.api._markers import Marker
from asterism.dependencies._signatures import split
from asterism.openapi._described import DECIMAL, UNDESCRIBED, described_type
from asterism.openapi._names import name_components
from asterism.openapi._pydantic import PydanticSchemas, self_contained
from asterism.openapi._references import inlined, reachable, replaced

Schema = dict[str, Any]

PREFIX: Final = "#/components/schemas/"
_TOKEN: Final = "#asterism:"  # no secret

# A file of a form, or a body that is passed as bytes. 3.1 asks for `contentMediaType`; tools look for `format`, too.
FILE: Final[Mapping[str, Any]] = {
    "type": "string",
    "format": "binary",
    "contentMediaType": "application/octet-stream",
}

# By the name of the class in `msgspec.inspect`.
_PLAIN: Final[dict[str, Schema]] = {
    "AnyType": {},
    "RawType": {},
    "ExtType": {},
    "NoneType": {"type": "null"},
    "BoolType": {"type": "boolean"},
    "IntType": {"type": "integer"},
    "FloatType": {"type": "number"},
    "StrType": {"type": "string"},
    "BytesType": {"type": "string", "contentEncoding": "base64"},
    "ByteArrayType": {"type": "string", "contentEncoding": "base64"},
    "MemoryViewType": {"type": "string", "contentEncoding": "base64"},
    "DateTimeType": {"type": "string", "format": "date-time"},
    "DateType": {"type": "string", "format": "date"},
    "TimeType": {"type": "string", "format": "time"},
    "TimeDeltaType": {"type": "string", "format": "duration"},
    "UUIDType": {"type": "string", "format": "uuid"},
    # Exact as text; numbers are accepted as well.
    "DecimalType": {"type": ["string", "number"], "format": "decimal", "pattern": DECIMAL},
}

_BOUNDS: Final = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
    "multiple_of": "multipleOf",
    "pattern": "pattern",
}

# What the bounds of a length are called, by what has the length.
_LENGTHS: Final = {"string": ("minLength", "maxLength"), "array": ("minItems", "maxItems")}
_OBJECT_LENGTHS: Final = ("minProperties", "maxProperties")

_JSON_TYPES: Final[dict[type[Any], str]] = {bool: "boolean", int: "integer", str: "string", type(None): "null"}

_EMPTY: Final[dict[Any, Callable[[], Any]]] = {list: list, dict: dict, set: list, frozenset: list, tuple: list}


class Components:
    """Makes schemas, and gathers those of models."""

    def __init__(self) -> None:
        self._keys: dict[Any, int] = {}
        self._schemas: dict[int, Schema] = {}
        self._pydantic = PydanticSchemas()

    def schema(self, kind: Any, *, text: bool = False, files: bool = False, output: bool = False) -> Schema:
        """Return the schema of a type; a model is referred to.

        Args:
            kind: The type; one that cannot be described gets the schema of anything.
            text: Values come as text.
            files: Bytes are the content of a file.
            output: It is what is sent to clients, which for pydantic may be another schema.
        """
        if kind is None:
            return {"type": "null"}
        if _types.holds_pydantic(kind):
            return {"$ref": self._pydantic.reference(kind, output=output)}
        try:
            described = described_type(_types.checked_type(kind) if output else kind)
        except UNDESCRIBED:
            return {}
        return _Writer(self, text, files, output).write(described)

    def members(self, model: Any, *, files: bool = False) -> tuple[dict[str, Schema], list[str]]:
        """Return the schemas of a model's fields by the names that clients use, and which of them are required.

        The values come as text.
        """
        if _types.is_pydantic(model):
            schema = self_contained(_types.adapter_of(model).json_schema())
            strip = without_null
        else:
            schema = _Writer(self, True, files, False).model(msgspec().inspect.type_info(model))
            strip = as_text
        properties = {name: strip(found) for name, found in schema.get("properties", {}).items()}
        return properties, list(schema.get("required", ()))

    def refer(self, key: Any, make: Callable[[], Schema]) -> Schema:
        """Return the reference to a component, which `make` makes when it is first asked for."""
        number = self._keys.get(key)
        if number is None:
            number = self._keys[key] = len(self._keys)
            self._schemas[number] = {}  # a model may hold itself
            self._schemas[number] = make()
        return {"$ref": f"{_TOKEN}{number}"}

    def finish(self, document: Schema, own: Mapping[str, Any]) -> Schema:
        """Put the names of components in, and those components that are referred to.

        Args:
            document: The document; schemas in its own components stay.
            own: Schemas with names of their own, which are there if they are referred to.
        """
        given: Mapping[str, Any] = document.get("components", {}).get("schemas", {})
        own = {**own, **given}
        by_token, models, tokens = self._pydantic.generate()
        names = name_components({number: key for key, number in self._keys.items()}, own)
        schemas: dict[str, Any] = dict(own) | {names[number]: schema for number, schema in self._schemas.items()}
        for token, name in tokens.items():
            tokens[token] = PREFIX + _put(schemas, name, models[name])
        tokens |= {f"{_TOKEN}{number}": PREFIX + name for number, name in names.items()}
        whole = replaced(inlined({"document": document, "schemas": schemas}, by_token), tokens)
        finished, schemas = whole["document"], whole["schemas"]
        used = reachable(finished, PREFIX, schemas) | given.keys()
        if used:
            finished.setdefault("components", {})["schemas"] = {name: schemas[name] for name in sorted(used)}
        return finished  # type: ignore[no-any-return]  # copied


def _put(schemas: dict[str, Any], name: str, schema: Any) -> str:
    """Put a schema there under its name, or under another if that one is taken; return which it is."""
    free, number = name, 1
    while schemas.setdefault(free, schema) != schema:
        number += 1
        free = f"{name}_{number}"
    return free


class _Writer:
    """Writes the schema of one type."""

    def __init__(self, components: Components, text: bool, files: bool, output: bool) -> None:
        self._components = components
        self._text = text
        self._files = files
        self._output = output

    def write(self, described: Any) -> Schema:
        """Return the schema of a type that msgspec has described."""
        name = type(described).__name__
        if name == "Metadata":
            return self.write(described.type) | dict(described.extra_json_schema or {})
        if name == "BytesType" and self._files:
            return dict(FILE)
        if name in _PLAIN:
            return _bounded(dict(_PLAIN[name]), described)
        method = getattr(self, f"_{name}", None)
        if method is not None:
            return method(described)  # type: ignore[no-any-return]  # by its name
        # Several kinds of collections, with fields of the same names.
        # Sets are not said to have unique items: what is sent twice is taken once.
        return _bounded({"type": "array", "items": self._inner(described.item_type)}, described)

    def model(self, described: Any) -> Schema:
        """Return the schema of a model itself."""
        cls = described.cls
        schema: Schema = {"title": _title(cls), "type": "object"}
        text = documentation(cls)
        if text:
            schema["description"] = text
        try:
            hints = _types.hints_of(cls)
        except UNDESCRIBED:
            hints = {}
        fields = [
            (field.encode_name, self._member(field, hints.get(field.name)), field.required)
            for field in described.fields
        ]
        tag = getattr(described, "tag_field", None)
        if tag is not None:
            fields.insert(0, (tag, {"const": described.tag}, True))
        if type(described).__name__ == "NamedTupleType" or getattr(described, "array_like", False):
            schema |= _tuple([found for _, found, _ in fields], sum(required for _, _, required in fields))
            if getattr(described, "forbid_unknown_fields", True) is False:
                del schema["maxItems"]
            return schema
        schema["properties"] = {name: found for name, found, _ in fields}
        required = [name for name, _, required in fields if required]
        if required:
            schema["required"] = required
        if getattr(described, "forbid_unknown_fields", False):
            schema["additionalProperties"] = False
        return schema

    def _member(self, field: Any, hint: Any) -> Schema:
        bare, marks = split(hint)
        try:
            # With the constraints that msgspec does not read.
            described = field.type if hint is None else described_type(_types.checked_type(bare, marks))
        except UNDESCRIBED:
            described = field.type
        schema = self._inner(described) | _texts(marks)
        if not field.required:
            schema |= default_of(field)
        return schema

    def _inner(self, described: Any) -> Schema:
        """Return the schema of a part, which may be null whatever the whole comes as."""
        return _Writer(self._components, False, self._files, self._output).write(described)

    def _reference(self, described: Any) -> Schema:
        inner = _Writer(self._components, False, False, self._output)
        return self._components.refer(described.cls, lambda: inner.model(described))

    _StructType = _TypedDictType = _DataclassType = _NamedTupleType = _reference

    def _UnionType(self, described: Any) -> Schema:  # as msgspec calls it
        schema: Schema = {"anyOf": [self.write(kind) for kind in described.types]}
        if self._text:
            return as_text(schema)
        models = [kind for kind in described.types if type(kind).__name__ != "NoneType"]
        fields = {getattr(kind, "tag_field", None) for kind in models}
        tag = fields.pop() if len(fields) == 1 else None
        if tag is not None and not any(kind.array_like for kind in models):
            mapping = {str(kind.tag): self._reference(kind)["$ref"] for kind in models}
            schema["discriminator"] = {"propertyName": tag, "mapping": mapping}
        return schema

    def _EnumType(self, described: Any) -> Schema:
        return self._components.refer(described.cls, lambda: _enum(described.cls))

    def _LiteralType(self, described: Any) -> Schema:
        return _choice(described.values)

    def _CustomType(self, described: Any) -> Schema:
        if _types.is_upload(described.cls):
            return dict(FILE)
        return self._components.schema(described.cls, output=self._output) if _types.is_pydantic(described.cls) else {}

    def _TupleType(self, described: Any) -> Schema:
        items = [self._inner(kind) for kind in described.item_types]
        return {"type": "array", **_tuple(items, len(items))}

    def _DictType(self, described: Any) -> Schema:
        schema: Schema = {"type": "object", "additionalProperties": self._inner(described.value_type)}
        keys = self._inner(described.key_type)
        if keys.get("type") == "integer":
            keys = {"pattern": "^-?[0-9]+$"}
        if keys not in ({}, {"type": "string"}):
            schema["propertyNames"] = keys
        return _bounded(schema, described)


def as_text(schema: Schema) -> Schema:
    """Return the schema of a value that comes as text: beside other texts `null` is one of them, not no value."""
    return without_null(schema) if any(map(_is_any_text, schema.get("anyOf", ()))) else schema


def _is_any_text(schema: Schema) -> bool:
    return schema.get("type") == "string" and not schema.keys() & {"format", "enum", "contentEncoding"}


def without_null(schema: Schema) -> Schema:
    """Return a schema that does not allow null, nor has it for a default."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    if not options:
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    if rest.get("default", ...) is None:
        del rest["default"]
    return {**(options[0] if len(options) == 1 else {"anyOf": options}), **rest}


def documentation(cls: Any) -> str:
    """Return what people wrote about a class; nothing for what Python or a library writes by itself."""
    cls = getattr(cls, "__origin__", cls)
    text = inspect.cleandoc(vars(cls).get("__doc__") or "")
    made = text.startswith(f"{cls.__name__}(") and text.endswith(")")
    return "" if made or text == "An enumeration." else text


def default_of(field: Any) -> Schema:
    """Return the `default` of a field as a schema has it; nothing when JSON cannot say it."""
    if field.default is not msgspec().NODEFAULT:
        return plain_default(field.default)
    empty = _EMPTY.get(field.default_factory)
    return {} if empty is None else {"default": empty()}


def plain_default(value: Any) -> Schema:
    """Return a schema with this default; without one when JSON cannot say it."""
    try:
        return {"default": msgspec().to_builtins(value, str_keys=True)}
    except (TypeError, ValueError):
        return {}


def _texts(marks: Sequence[Any]) -> Schema:
    """Return what markers beside a field of a model say for people."""
    found: Schema = {}
    for mark in marks:
        if isinstance(mark, Marker):
            said = {"title": mark.title, "description": mark.description, "deprecated": mark.deprecated}
            found |= {name: value for name, value in said.items() if value}
            found |= {"examples": list(mark.examples)} if mark.examples else {}
    return found


def _title(cls: Any) -> str:
    arguments = getattr(cls, "__args__", ())
    name = str(getattr(cls, "__origin__", cls).__name__)
    return f"{name}[{', '.join(getattr(part, '__name__', str(part)) for part in arguments)}]" if arguments else name


def _bounded(schema: Schema, described: Any) -> Schema:
    for name, keyword in _BOUNDS.items():
        value = getattr(described, name, None)
        if value is not None:
            schema[keyword] = value
    names = _LENGTHS.get(str(schema.get("type")), _OBJECT_LENGTHS)
    for name, keyword in zip(("min_length", "max_length"), names, strict=True):
        value = getattr(described, name, None)
        if value is not None and "contentEncoding" not in schema:  # base64 is longer than what it stands for
            schema[keyword] = value
    if type(described).__name__ in {"DateTimeType", "TimeType"} and described.tz is False:
        del schema["format"]  # that one has a time zone (RFC 3339 §5.6)
    return schema


def _tuple(items: Sequence[Schema], least: int) -> Schema:
    return {"type": "array", "prefixItems": list(items), "minItems": least, "maxItems": len(items)}


def _enum(cls: type[enum.Enum]) -> Schema:
    schema = {"title": cls.__name__, **_choice([member.value for member in cls])}
    text = documentation(cls)
    return schema | {"description": text} if text else schema


def _choice(values: Sequence[Any]) -> Schema:
    kinds = {_JSON_TYPES.get(type(value)) for value in values}
    found = kinds.pop() if len(kinds) == 1 else None
    return {"type": found, "enum": list(values)} if found else {"enum": list(values)}
