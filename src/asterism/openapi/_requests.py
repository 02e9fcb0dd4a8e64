"""Parameters and bodies of typed endpoints (OpenAPI 3.1.1 §4.8.12 to §4.8.15)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from asterism.api import Field, Plan, Security, Source
from asterism.api._plan import Body
from asterism.openapi._schemas import Components, Schema, plain_default
from asterism.openapi._security import Schemes
from starlette.convertors import (
    Convertor,
    FloatConvertor,
    IntegerConvertor,
    UUIDConvertor,
)

_CONVERTED: Final[dict[type[Any], Schema]] = {
    IntegerConvertor: {"type": "integer", "minimum": 0},
    FloatConvertor: {"type": "number", "minimum": 0},
    UUIDConvertor: {"type": "string", "format": "uuid"},
}


def path_parameters(convertors: Mapping[str, Convertor[Any]]) -> list[dict[str, Any]]:
    """Return the parameters of a path, as its convertors tell them."""
    return [_parameter(name, "path", _converted(convertor), required=True) for name, convertor in convertors.items()]


def parameters(
    plan: Plan, convertors: Mapping[str, Convertor[Any]], marks: Sequence[Security], components: Components
) -> list[dict[str, Any]]:
    """Return the parameters of a typed endpoint: each once, those of the path first.

    Args:
        plan: What it takes, at its path.
        convertors: Those of its path.
        marks: The security schemes that it asks for; what these take is no parameter.
        components: Takes the models.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for parameter in path_parameters(convertors):
        found["path", parameter["name"]] = parameter
    for field in plan.fields:
        for parameter in _of_field(field, components):
            place, name = parameter["in"], parameter["name"]
            if Schemes.takes(marks, place, name) or (place == "path" and name not in convertors):
                continue
            known = found.get((place, name))
            found[place, name] = parameter if known is None else _both(known, parameter)
    return list(found.values())


def _of_field(field: Field, components: Components) -> Iterable[dict[str, Any]]:
    if field.whole:
        properties, required = components.members(field.type)
        for name, schema in properties.items():
            described = {key: schema[key] for key in ("description", "deprecated") if key in schema}
            rest = {key: value for key, value in schema.items() if key not in described}
            needed = name in required and field.required
            yield _parameter(name, field.source.value, rest, required=needed) | described
        return
    schema = field_schema(field, components)
    # What stands beside a part of the type, `Annotated[str, Meta(description=...)] | None`, is said of the parameter.
    description = field.description or schema.pop("description", None)
    parameter = _parameter(field.alias, field.source.value, schema, required=field.required)
    if description:
        parameter["description"] = description
    if field.deprecated:
        parameter["deprecated"] = True
    yield parameter | examples(field.examples)


def _parameter(name: str, place: str, schema: Schema, *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required or place == "path", "schema": schema}


def _converted(convertor: Convertor[Any]) -> Schema:
    return dict(_CONVERTED.get(type(convertor), {"type": "string"}))


def _both(known: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return one parameter for two of one name: both have to be content with its value."""
    mine, theirs = known["schema"], other["schema"]
    if mine == theirs or mine.get("type") == theirs.get("type") != "array":
        schema = {**mine, **theirs}
    elif known["in"] == "path" or mine == {}:
        schema = theirs  # what the endpoint says of its path is all that has to hold
    else:
        schema = {"allOf": [mine, theirs]}
    return {**known, **other, "required": known["required"] or other["required"], "schema": schema}


def field_schema(field: Field, components: Components) -> Schema:
    """Return the schema of a single value, with its title and default."""
    schema = components.schema(field.type, text=True, files=field.source is Source.FILE)
    for text in ("title", "description"):  # these are said of the parameter
        if schema.get(text) == getattr(field, text):
            schema.pop(text, None)
    if field.title:
        schema["title"] = field.title
    if not field.required and field.default is not None:
        schema |= plain_default(field.default)
    return schema


def examples(values: Sequence[Any]) -> dict[str, Any]:
    """Return the member of a parameter or media type that shows examples."""
    if not values:
        return {}
    if len(values) == 1:
        return {"example": plain_default(values[0]).get("default", str(values[0]))}
    shown = [plain_default(value).get("default", str(value)) for value in values]
    return {"examples": {f"example {number}": {"value": value} for number, value in enumerate(shown, 1)}}


def request_body(body: Body, components: Components) -> dict[str, Any]:
    """Return the Request Body Object of a typed endpoint."""
    if body.fields:
        schema, required = _form(body.fields, components)
        return {"content": {name: {"schema": schema} for name in body.media_types}, "required": required}
    schema = {"type": "string", "format": "binary"} if body.raw else components.schema(body.type)
    if body.title:
        schema["title"] = body.title
    if not body.required and body.default is not None:
        schema |= plain_default(body.default)
    content = {"schema": schema} | examples(body.examples)
    described = {"description": body.description} if body.description else {}
    # A body without bytes is one, too.
    required = body.required and not body.raw
    return {**described, "content": dict.fromkeys(body.media_types, content), "required": required}


def _form(fields: Sequence[Field], components: Components) -> tuple[Schema, bool]:
    """Return the schema of a form, and whether it has to be sent at all."""
    properties: dict[str, Schema] = {}
    required: list[str] = []
    for field in fields:
        if field.whole:
            members, needed = components.members(field.type, files=True)
            properties |= members
            required += needed if field.required else []
            continue
        schema = field_schema(field, components)
        if field.description:
            schema["description"] = field.description
        if field.deprecated:
            schema["deprecated"] = True
        if field.examples:
            schema["examples"] = list(field.examples)
        properties[field.alias] = schema
        required += [field.alias] if field.required else []
    names = list(dict.fromkeys(required))
    schema = {"type": "object", "properties": properties}
    return (schema | {"required": names} if names else schema), bool(names)
