"""What a client asks for, in each form it may have (GraphQL over HTTP §5-6, GraphQL multipart request). Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

NO_QUERY = "No GraphQL query found in the request"  # COMPAT: legacy R31
_NOT_NULL = "The map of the files names a place that is not null"


class Refusal(Exception):
    """The request is answered without being executed.

    Args:
        status: The status of the answer.
        text: What was wrong, for the client.
        is_entry: Answer as a GraphQL error, not as text, since the request named a query.
    """

    def __init__(self, status: int, text: str, *, is_entry: bool = False) -> None:
        super().__init__(status, text)
        self.status = status
        self.text = text
        self.is_entry = is_entry


@dataclass(frozen=True, slots=True)
class Operation:
    """A document, the values of its variables, and which of its operations is meant (None: the only one)."""

    query: str
    variables: dict[str, Any] | None = None
    name: str | None = None


def load_json(document: bytes | str, what: str) -> Any:
    """Return the value of a JSON document in UTF-8; `Refusal` (400) for anything else.

    What Python would also take is refused: NaN and infinities, and lone surrogates, which no answer could repeat.
    """
    try:
        text = document.decode("utf-8") if isinstance(document, bytes) else document
        value = json.loads(text, parse_constant=_refuse_constant)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Refusal(400, f"{what} is not a JSON document") from None
    return value


def from_text(body: bytes) -> Operation:
    """Return the operation of an `application/graphql` body, which is the document alone."""
    try:
        return Operation(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise Refusal(400, "The request body is not UTF-8") from None


def from_parameters(parameters: Mapping[str, str]) -> Operation:
    """Return the operation of a query string, where `variables` is a JSON document."""
    data: dict[str, Any] = dict(parameters)
    if data.get("variables"):
        data["variables"] = load_json(data["variables"], "The parameter variables")
    else:
        data.pop("variables", None)
    return from_json(data)


def from_json(data: Any) -> Operation:
    """Return the operation of a parsed JSON body: `{"query": "{ me }", "variables": {}, "operationName": "A"}`."""
    if not isinstance(data, dict):
        raise Refusal(400, "The request must be a JSON object")
    query, variables, name = data.get("query"), data.get("variables"), data.get("operationName")
    if query is None:
        raise Refusal(400, NO_QUERY)
    if not isinstance(query, str):
        raise Refusal(400, "The query must be a string")
    if not (variables is None or isinstance(variables, dict)):
        raise Refusal(400, "The variables must be an object", is_entry=True)
    if not (name is None or isinstance(name, str)):
        raise Refusal(400, "The operationName must be a string", is_entry=True)
    # An empty name is how forms say "none".
    return Operation(query, variables, name or None)


def from_body(data: Any, batch: int) -> Operation | list[Operation]:
    """Return what a parsed JSON body asks for: one operation, or up to `batch` in a list (0: no lists)."""
    if not isinstance(data, list):
        return from_json(data)
    if not batch:
        raise Refusal(400, "The request must be a JSON object; batches are not enabled")
    if not 0 < len(data) <= batch:
        raise Refusal(400, f"A batch has between 1 and {batch} operations")
    return [from_json(item) for item in data]


def place_files(operations: Any, mapping: Any, files: Mapping[str, object], most: int) -> None:
    """Put uploaded files where the map of a multipart request says, each in the place of a null.

    Args:
        operations: The parsed `operations` field; changed.
        mapping: The parsed `map` field: `{"0": ["variables.file"]}`.
        files: The file of each field.
        most: How many places there may be.

    Raises:
        Refusal: The map is malformed, names no file or no null, or has too many places.
    """
    if not isinstance(mapping, dict):
        raise Refusal(400, "The map of the files must be a JSON object")
    for field, paths in mapping.items():
        if field not in files:
            raise Refusal(400, "The map of the files names a file that was not sent")
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            raise Refusal(400, "The map of the files must have lists of paths")
        most -= len(paths)
        if most < 0:
            raise Refusal(400, "The map of the files has too many paths")
        for path in paths:
            _place(operations, path.split("."), files[field])


def _place(target: Any, steps: Sequence[str], file: object) -> None:
    *ahead, last = steps
    for step in ahead:
        target = target[_key(target, step)]
    key = _key(target, last)
    if target[key] is not None:
        raise Refusal(400, _NOT_NULL)
    target[key] = file


def _key(target: Any, step: str) -> Any:
    """Return the key or index that `step` is in `target`, where there is such."""
    if isinstance(target, dict) and step in target:
        return step
    # Protocol numbers are ASCII digits; more than nine are no index of ours.
    if isinstance(target, list) and step.isascii() and step.isdigit() and len(step) < 10 and int(step) < len(target):
        return int(step)
    raise Refusal(400, _NOT_NULL)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
