"""Models inside of models: whether what is sent has the declared classes all the way down."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from typing import Any

from asterism.api import _types
from asterism.dependencies._signatures import split

Check = Callable[[Any], bool]

_COLLECTIONS = (list, tuple, set, frozenset)


def exactness(kind: Any) -> Check | None:
    """Return what tells whether each model in a value is of the very class that the type declares for it.

    SECURITY: msgspec takes an instance of the right class as it is, and sends whatever its fields hold: those of a
    subclass, or of a dict, that nobody declared.

    Returns:
        The check; None where no model has another one within, or where pydantic sees to it.
    """
    if _types.holds_pydantic(kind):
        return None
    models = filter(_types.is_model, _types.all_parts(kind))
    if not any(map(_has_models_within, models)):
        return None
    return _check_of(kind, {})


def _has_models_within(model: Any) -> bool:
    return any(_types.is_model(part) for kind in _types.hints_of(model).values() for part in _types.parts(kind))


def _check_of(kind: Any, known: dict[Any, _Model]) -> Check | None:
    bare, _ = split(kind)
    origin = typing.get_origin(bare) or bare
    arguments = _types.arguments_of(bare)
    if _types.is_model(bare):
        if bare not in known:
            known[bare] = _Model(bare)
            known[bare].read(known)
        return known[bare]
    checks = [_check_of(part, known) for part in arguments]
    if not any(checks):
        return None
    if origin in _types.UNIONS:
        return _any_of([check for check in checks if check is not None])
    if origin in _types.MAPPINGS:
        return _each_value(checks[-1])
    if len(checks) == 1:
        return _each(checks[0])
    return _each_its_own(checks)


class _Model:
    """Tells an instance of a model that holds what the fields declare."""

    def __init__(self, model: Any) -> None:
        self._class = typing.get_origin(model) or model
        self._hints = _types.hints_of(model)
        self._fields: list[tuple[str, Check]] = []

    def read(self, known: dict[Any, _Model]) -> None:
        """Find what the fields need; models may hold one another."""
        for name, kind in self._hints.items():
            check = _check_of(kind, known)
            if check is not None:
                self._fields.append((name, check))

    def __call__(self, value: Any) -> bool:
        if typing.is_typeddict(self._class):
            return (
                type(value) is dict
                and value.keys() <= self._hints.keys()
                and all(check(value[name]) for name, check in self._fields if name in value)
            )
        return type(value) is self._class and all(check(getattr(value, name, None)) for name, check in self._fields)


def _any_of(checks: list[Check]) -> Check:
    # What is no model holds nothing undeclared; a collection may hold some.
    def holds(value: Any) -> bool:
        return any(check(value) for check in checks) or not (
            isinstance(value, (*_COLLECTIONS, Mapping)) or _types.is_model(type(value))
        )

    return holds


def _each_value(check: Check | None) -> Check:
    return lambda value: isinstance(value, Mapping) and (check is None or all(map(check, value.values())))


def _each(check: Check | None) -> Check:
    return lambda value: isinstance(value, _COLLECTIONS) and (check is None or all(map(check, value)))


def _each_its_own(checks: list[Check | None]) -> Check:
    def holds(value: Any) -> bool:
        return isinstance(value, tuple) and all(
            check is None or check(item) for check, item in zip(checks, value, strict=False)
        )

    return holds
