"""What a type is, as far as that decides where its value comes from and how it is converted."""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import decimal
import enum
import functools
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final

from asterism.api._libraries import msgspec
from asterism.dependencies._signatures import split
from starlette.datastructures import UploadFile

_SEQUENCES: Final = (
    list,
    set,
    frozenset,
    tuple,
    collections.abc.Sequence,
    collections.abc.Collection,
    collections.abc.Iterable,
    collections.abc.Set,
)
MAPPINGS: Final = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
UNIONS: Final = (typing.Union, types.UnionType)

# The bounds that `msgspec.Meta`, our markers and annotated-types have in common, by the same names.
_BOUNDS: Final = ("ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length", "pattern")
# What else a `msgspec.Meta` says.
_DESCRIBING: Final = ("title", "description", "examples", "extra_json_schema", "extra", "tz")


def is_model(kind: Any) -> bool:
    """Tell a type with named fields of its own: Struct, dataclass, TypedDict, NamedTuple, attrs, pydantic."""
    if not isinstance(kind, type):
        origin = typing.get_origin(kind)
        return isinstance(origin, type) and is_model(origin)  # a generic one: `Page[Item]`
    return (
        dataclasses.is_dataclass(kind)
        or issubclass(kind, msgspec().Struct)
        or typing.is_typeddict(kind)
        or is_pydantic(kind)
        or hasattr(kind, "__attrs_attrs__")
        or (issubclass(kind, tuple) and hasattr(kind, "_fields"))
    )


def is_pydantic(kind: Any) -> bool:
    """Tell a model or dataclass of pydantic, without importing it: whoever has a model has imported it."""
    pydantic = sys.modules.get("pydantic")
    if pydantic is None or not isinstance(kind, type):
        return False
    return issubclass(kind, pydantic.BaseModel) or "__pydantic_fields__" in kind.__dict__


def holds_pydantic(kind: Any) -> bool:
    """Tell whether a pydantic model is the type or one of its parts."""
    return any(is_pydantic(part) for part in parts(kind))


def is_body(kind: Any) -> bool:
    """Tell a type that can only be a body: a model, a mapping, or a list or union of these."""
    bare, _ = split(kind)
    origin = typing.get_origin(bare) or bare
    if origin in UNIONS:
        return any(is_body(part) for part in typing.get_args(bare))
    if is_model(bare) or origin in MAPPINGS:
        return True
    return origin in _SEQUENCES and any(is_body(part) for part in typing.get_args(bare))


def is_many(kind: Any) -> bool:
    """Tell a type that collects repeated values; `Optional[list[int]]` is one as well."""
    bare, _ = split(kind)
    origin = typing.get_origin(bare) or bare
    if origin in UNIONS:
        return any(is_many(part) for part in typing.get_args(bare))
    return origin in _SEQUENCES


def is_upload(kind: Any) -> bool:
    """Tell an uploaded file, or several."""
    return any(isinstance(part, type) and issubclass(part, UploadFile) for part in parts(kind))


def parts(kind: Any) -> Iterator[Any]:
    """Yield a type and the types it is made of."""
    bare, _ = split(kind)
    yield bare
    for part in arguments_of(bare):
        yield from parts(part)


def all_parts(kind: Any, seen: set[Any] | None = None) -> Iterator[Any]:
    """Yield the same, and those of the fields of models; each model once."""
    seen = set() if seen is None else seen
    for part in parts(kind):
        yield part
        if is_model(part) and part not in seen:
            seen.add(part)
            for inner in member_types(part):
                yield from all_parts(inner, seen)


def checked_type(kind: Any, marks: Sequence[Any] = ()) -> Any:
    """Return a type that msgspec understands, with the constraints that stood beside it in any of the known forms."""
    kind = _with_inner_bounds(kind)
    bounds: dict[str, Any] = {}
    for mark in marks:
        for single in _ungrouped(mark):
            bounds |= _bounds_of(single)
    if bounds:
        kind = _with_bounds(kind, bounds)
    for meta in marks:
        texts = {name: getattr(meta, name) for name in _DESCRIBING} if _is_meta(meta) else {}
        if any(value is not None for value in texts.values()):
            kind = Annotated[kind, msgspec().Meta(**texts)]
    return kind


def foreign_marks(marks: Sequence[Any]) -> list[Any]:
    """Return the marks with constraints that msgspec does not read: of annotated-types, our markers, and `Limits`."""
    return [mark for mark in marks if not _is_meta(mark) and any(map(_bounds_of, _ungrouped(mark)))]


@functools.lru_cache(maxsize=512)
def hints_of(model: Any) -> Mapping[str, Any]:
    """Return the annotations of the fields of a model, with what its type variables stand for.

    Raises:
        NameError: A name in an annotation cannot be found.
    """
    origin = typing.get_origin(model) or model
    given = dict(zip(getattr(origin, "__parameters__", ()), typing.get_args(model), strict=False))
    found = typing.get_type_hints(origin, include_extras=True)
    return {name: _substituted(_unwrapped(kind), given) for name, kind in found.items()}


def member_types(model: Any) -> Sequence[Any]:
    """Return the types of the fields of a model; none while a name in them cannot be found, which others report."""
    try:
        return list(hints_of(model).values())
    except NameError:
        return ()


def _unwrapped(kind: Any) -> Any:
    """Return a type without what can be said of an item of a TypedDict."""
    while str(typing.get_origin(kind)).rpartition(".")[2] in {"Required", "NotRequired", "ReadOnly"}:
        (kind,) = typing.get_args(kind)
    return kind


def _substituted(kind: Any, given: Mapping[Any, Any]) -> Any:
    if isinstance(kind, typing.TypeVar):  # other types may be such that no dict can have them: by a mark with a list
        return given.get(kind, kind)
    variables = getattr(kind, "__parameters__", ())
    if not given or not variables:
        return kind
    return kind[tuple(given.get(variable, variable) for variable in variables)]


def fields_of(model: Any) -> list[tuple[str, Any]]:
    """Return the fields of a model: the name that clients use, and the type."""
    return [(name, kind) for name, kind, _ in members_of(model)]


@functools.lru_cache(maxsize=512)
def members_of(model: Any) -> tuple[tuple[str, Any, bool], ...]:
    """Return the fields of a model: the name that clients use, the type, and whether it must be there."""
    if is_pydantic(model):
        # The first since 2.10; before that only dataclasses have it, which have no other.
        found = (getattr(model, "__pydantic_fields__", None) or model.model_fields).items()
        return tuple((field.alias or name, field.annotation, field.is_required()) for name, field in found)
    described = msgspec().inspect.type_info(model)
    hints = hints_of(model)
    fields = getattr(described, "fields", ())
    return tuple((field.encode_name, checked_type(hints.get(field.name, Any)), field.required) for field in fields)


def choices_of(kind: Any) -> Sequence[Any]:
    """Return the values of an enum or a Literal, as clients spell them; none when a type has others as well."""
    bare, _ = split(kind)
    if typing.get_origin(bare) is typing.Literal:
        return typing.get_args(bare)
    if isinstance(bare, type) and issubclass(bare, enum.Enum):
        return [member.value for member in bare]
    if typing.get_origin(bare) in UNIONS:
        (others, *more) = [part for part in typing.get_args(bare) if part is not type(None)]
        return () if more else choices_of(others)
    return ()


def forbids_unknown(model: Any) -> bool:
    """Tell a model that takes no fields but its own."""
    return bool(getattr(msgspec().inspect.type_info(model), "forbid_unknown_fields", False))


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of what has an order, but none that msgspec knows: decimal numbers, dates, times."""

    ge: Any = None
    gt: Any = None
    le: Any = None
    lt: Any = None
    multiple_of: Any = None


# Which types a bound can be said of.
_NUMBERS: Final = (int, float)
ORDERED: Final = (decimal.Decimal, datetime.datetime, datetime.date, datetime.time, datetime.timedelta)
_TEXTS: Final = (str, bytes, bytearray, memoryview)


def _with_bounds(kind: Any, bounds: Mapping[str, Any]) -> Any:
    """Return a type with constraints; of a union, each part gets what can be said of it, as msgspec wants it."""
    if typing.get_origin(kind) not in UNIONS:
        is_ordered = split(kind)[0] in ORDERED and all(_takes(kind, name) for name in bounds)
        return Annotated[kind, (Limits if is_ordered else msgspec().Meta)(**bounds)]
    taken = [(part, {name: bounds[name] for name in bounds if _takes(part, name)}) for part in arguments_of(kind)]
    if not bounds.keys() <= {name for _, own in taken for name in own}:
        return Annotated[kind, msgspec().Meta(**bounds)]  # msgspec says what is wrong with it
    return _union_of(_with_bounds(part, own) if own else part for part, own in taken)


def _takes(kind: Any, bound: str) -> bool:
    bare, _ = split(kind)
    if bound == "multiple_of":
        return bare in (*_NUMBERS, decimal.Decimal)
    if bound == "pattern":
        return bare is str
    if bound in {"min_length", "max_length"}:
        return bare in _TEXTS or is_many(bare) or (typing.get_origin(bare) or bare) in MAPPINGS
    return bare in _NUMBERS or bare in ORDERED


def arguments_of(kind: Any) -> Sequence[Any]:
    """Return what a type is made of; nothing for a Literal, whose arguments are values."""
    if typing.get_origin(kind) is typing.Literal:
        return ()
    return [part for part in typing.get_args(kind) if part is not ...]


def _is_meta(mark: Any) -> bool:
    return isinstance(mark, msgspec().Meta)


def _ungrouped(mark: Any) -> Iterator[Any]:
    """Yield the single constraints of a mark of annotated-types, or of pydantic's `Field`."""
    inner = getattr(mark, "metadata", None)
    if isinstance(inner, list | tuple):
        for part in inner:
            yield from _ungrouped(part)
    elif isinstance(mark, collections.abc.Iterable) and not isinstance(mark, str | bytes | type):
        for part in mark:
            yield from _ungrouped(part)
    else:
        yield mark


def _bounds_of(mark: Any) -> dict[str, Any]:
    found = {name: getattr(mark, name, None) for name in _BOUNDS}
    return {name: value for name, value in found.items() if isinstance(value, (int, float, str, *ORDERED))}


def _with_inner_bounds(kind: Any) -> Any:
    """Do the same for what stands inside of a list or union."""
    origin = typing.get_origin(kind)
    if origin is Annotated:
        bare, marks = split(kind)
        return checked_type(bare, marks)
    arguments = typing.get_args(kind)
    if not arguments or origin is typing.Literal or is_model(kind) or not _has_marks(arguments):
        return kind
    converted = tuple(_with_inner_bounds(part) for part in arguments)
    return _union_of(converted) if origin in UNIONS else origin[converted]


def _union_of(parts: Iterable[Any]) -> Any:
    return typing.Union[tuple(parts)]  # noqa: UP007  # of a tuple


def _has_marks(arguments: Sequence[Any]) -> bool:
    return any(typing.get_origin(part) is Annotated or _has_marks(typing.get_args(part)) for part in arguments)


def decode_hook(kind: type[Any], value: Any) -> Any:
    """Convert to a type that msgspec does not know: a pydantic model, or whatever the value is already.

    Raises:
        TypeError: It is text in place of a file. ValueError: Pydantic refuses it.
    """
    if isinstance(value, kind):
        return value
    adapter = adapter_of(kind)
    if adapter is not None:
        return adapter.validate_python(value)
    raise TypeError("must be a file" if is_upload(kind) else f"is no {kind.__qualname__}")


def encode_hook(value: Any) -> Any:
    """Return what msgspec can encode in place of a value that it does not know.

    Raises:
        NotImplementedError: There is nothing.
    """
    if is_pydantic(type(value)):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, collections.abc.Mapping):
        return dict(value)
    if isinstance(value, collections.abc.Iterable):
        return list(value)
    way_out = "raise it" if isinstance(value, Exception) else "return a model, or annotate what it is"
    raise NotImplementedError(f"a {type(value).__qualname__} cannot be sent: {way_out}")


_ADAPTERS: Final[dict[Any, Any]] = {}


def adapter_of(kind: Any) -> Any:
    """Return pydantic's adapter of a type that holds a model of it; None for any other."""
    if not holds_pydantic(kind):
        return None
    adapter = _ADAPTERS.get(kind)
    if adapter is None:
        adapter = _ADAPTERS[kind] = sys.modules["pydantic"].TypeAdapter(kind)
    return adapter


def is_generator(function: Callable[..., Any]) -> bool:
    """Tell a function that yields its results."""
    plain = inspect.unwrap(function)
    return inspect.isasyncgenfunction(plain) or inspect.isgeneratorfunction(plain)
