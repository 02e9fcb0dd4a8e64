"""Finding out all that is wrong with a request that was refused, and saying it so that a person understands.

Runs only after a refusal. What was sent is looked at again, field by field and a few levels deep, since msgspec stops
at the first mistake. SECURITY: each level is converted once more, and each item by itself, so all of it is bounded.
"""

from __future__ import annotations

import itertools
import re
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from asterism.api import _types
from asterism.api._constraints import check_of
from asterism.api._libraries import mistakes, msgspec
from asterism.api._plan import Source
from asterism.api._readers import Group, header_name
from asterism.api._wording import kind_of_error, missing_field, unknown_field, wording
from asterism.dependencies._signatures import split

MAX_ERRORS: Final = 50
_DEPTH: Final = 6
_ITEMS: Final = 1000

# A path in a message of msgspec: "... - at `$.items[3].price`", "... - at `key` in `$.items`".
_AT: Final = re.compile(r"(?s)(.*) - at (?:`key` in )?`\$(.*)`")


@dataclass(frozen=True, slots=True)
class Error:
    """One thing that is wrong.

    Attributes:
        location: Where: `query.limit`, `body.items[3].price`.
        message: What, for people.
        kind: What, for programs: missing, unknown, duplicate, type, value, range, length, pattern, format or invalid.
    """

    location: str
    message: str
    kind: str

    def document(self) -> dict[str, str]:
        """Return it as it is sent."""
        return {"location": self.location, "message": self.message, "kind": self.kind}


@dataclass(slots=True)
class Findings:
    """What was found so far. `text` says that values came as text, which is converted."""

    errors: list[Error] = field(default_factory=list)
    text: bool = False

    @property
    def full(self) -> bool:
        """Whether there are as many as are reported."""
        return len(self.errors) >= MAX_ERRORS

    def add(self, location: str, message: str, kind: str) -> None:
        """Note an error, once, unless there are enough."""
        error = Error(location, message, kind)
        if not self.full and error not in self.errors:
            self.errors.append(error)

    def check(self, value: Any, kind: Any, location: str, depth: int = _DEPTH) -> None:
        """Note everything that keeps `value` from being a `kind`."""
        if self.full:
            return
        try:
            self._convert(value, kind)
        except mistakes() as exc:
            before = len(self.errors)
            if depth > 0:
                self._descend(value, kind, location, depth - 1)
            if len(self.errors) == before:
                self.note(exc, location, _types.choices_of(kind))

    def check_group(self, group: Group, sent: Mapping[str, Any], name_of: Callable[[str], str]) -> None:
        """Note what is wrong with the values of a group; `name_of` says where a value came from."""
        if group.fields[0].whole:
            before = len(self.errors)
            if not self._check_model(sent, group.type, name_of("")):
                self.check(sent, group.type, name_of(""))
            if group.source is Source.HEADER:
                found = self.errors[before:]
                self.errors[before:] = [replace(error, location=header_name(error.location)) for error in found]
            return
        for single in group.fields:
            location = f"{name_of(single.alias)}.{single.alias}"
            if single.alias in sent:
                self.check(sent[single.alias], single.type, location)
            elif single.required:
                self.add(location, "is required", "missing")

    def _convert(self, value: Any, kind: Any) -> None:
        adapter = _types.adapter_of(kind)
        if adapter is not None:
            adapter.validate_python(value)
        else:
            made = msgspec().convert(value, kind, strict=not self.text, dec_hook=_types.decode_hook, str_keys=True)
            check = check_of(kind)
            if check is not None:
                check(made)

    def _descend(self, value: Any, kind: Any, location: str, depth: int) -> None:
        bare, _ = split(kind)
        arguments = [part for part in typing.get_args(bare) if part is not type(None)]
        origin = typing.get_origin(bare) or bare
        if _types.is_model(bare):
            if isinstance(value, Mapping) and not _types.is_pydantic(bare):
                self._check_model(value, bare, location, depth)
        elif origin in _types.UNIONS:
            if len(arguments) == 1:
                self.check(value, arguments[0], location, depth)
        elif isinstance(value, list) and len(arguments) == 1:
            for index, item in enumerate(value[:_ITEMS]):
                self.check(item, arguments[0], f"{location}[{index}]", depth)
        elif isinstance(value, Mapping) and len(arguments) == 2:
            for key, item in itertools.islice(value.items(), _ITEMS):
                self.check(item, arguments[1], f"{location}.{str(key)[:80]}", depth)

    def _check_model(self, value: Mapping[str, Any], model: Any, location: str, depth: int = _DEPTH) -> bool:
        before = len(self.errors)
        for name, kind, required in _types.members_of(model):
            if name in value:
                self.check(value[name], kind, f"{location}.{name}", depth)
            elif required:
                self.add(f"{location}.{name}", "is required", "missing")
        if _types.forbids_unknown(model):
            known = {name for name, _, _ in _types.members_of(model)}
            for name in itertools.islice(value, _ITEMS):
                if name not in known:
                    self.add(f"{location}.{str(name)[:80]}", "is not known", "unknown")
        return len(self.errors) > before

    def note(self, exc: BaseException, location: str, choices: Sequence[Any] = ()) -> None:
        """Note what an engine said; `choices` are the values that are allowed, where these can be counted."""
        details = _pydantic_errors(exc) or _pydantic_errors(exc.__cause__)
        if details:
            for detail in details:
                self.add(location + _joined(detail["loc"]), *_from_pydantic(detail))
            return
        found = _AT.fullmatch(str(exc))
        text, path = (found[1], found[2]) if found else (str(exc), "")
        self.add(
            location + path[:400] + missing_field(text) + unknown_field(text),
            wording(text, self.text, () if path else choices),
            kind_of_error(text),
        )


def _pydantic_errors(exc: Any) -> Sequence[Mapping[str, Any]]:
    errors: Any = getattr(exc, "errors", None)
    if not callable(errors):
        return ()
    return errors(include_url=False, include_input=False, include_context=False)  # type: ignore[no-any-return]


# Its kinds by ours; what is not here is told by its ending.
_PYDANTIC_KINDS: Final = {
    kind: ours
    for ours, kinds in {
        "missing": ["missing"],
        "unknown": ["extra_forbidden"],
        "range": ["greater_than", "greater_than_equal", "less_than", "less_than_equal", "multiple_of"],
        "length": ["string_too_short", "string_too_long", "bytes_too_short", "bytes_too_long", "too_short", "too_long"],
        "pattern": ["string_pattern_mismatch"],
        "value": ["literal_error", "enum"],
        "format": ["datetime_from_date_parsing", "date_from_datetime_parsing", "time_parsing", "uuid_parsing"],
    }.items()
    for kind in kinds
}


def _from_pydantic(detail: Mapping[str, Any]) -> tuple[str, str]:
    kind = str(detail["type"])
    known = _PYDANTIC_KINDS.get(kind)
    if known is None:
        known = "type" if kind.endswith(("_type", "_parsing")) else "invalid"
    text = str(detail["msg"]).removeprefix("Value error, ")
    return text[:1].lower() + text[1:300], known


def _joined(path: Sequence[Any]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{str(step)[:80]}" for step in path)


def source_name(group: Group, path: Mapping[str, Any]) -> Callable[[str], str]:
    """Return what says, of an alias, where its value came from."""
    if group.source is not Source.OPEN:
        named = Source.FORM if group.source is Source.FILE else group.source
        return lambda alias: named.value
    return lambda alias: "path" if alias in path else "query"
