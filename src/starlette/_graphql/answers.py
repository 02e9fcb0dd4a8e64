"""Statuses, media types and bodies of answers (GraphQL over HTTP §6), and whose pages may ask. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

JSON: Final = "application/json"
GRAPHQL_RESPONSE: Final = "application/graphql-response+json"

# What a form or script of any other site can send without asking first (Fetch, "CORS-safelisted request-header").
_FORM_TYPES: Final = frozenset({"", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one operation.

    Attributes:
        data: What the resolvers gave.
        errors: Errors as they are shown: message, locations, path.
        extensions: What extensions of the schema have added.
        is_refused: Nothing was executed, so that `data` means nothing.
    """

    data: Any = None
    errors: Sequence[dict[str, Any]] = ()
    extensions: Any = None
    is_refused: bool = False

    def body(self, *, with_data: bool = True) -> dict[str, Any]:
        """Return the response map: data, errors, extensions in this order, the latter two if there are any."""
        body: dict[str, Any] = {"data": self.data} if with_data or not self.is_refused else {}
        if self.errors:
            body["errors"] = list(self.errors)
        if self.extensions:
            body["extensions"] = self.extensions
        return body

    def status(self, media_type: str) -> int:
        """Return 200, or 400: for a request error, and in `application/json` for any error."""
        # COMPAT: legacy R33, D3; only clients that ask for the newer media type get 200 for a partial result.
        failed = self.is_refused if media_type == GRAPHQL_RESPONSE else bool(self.errors)
        return 400 if failed else 200


def refused(message: str) -> Outcome:
    """Return the outcome of an operation that was not executed for this reason."""
    return Outcome(errors=[{"message": message}], is_refused=True)


def preferred_media_type(accept: str) -> str:
    """Return the newer media type where `Accept` names it and does not rank it below plain JSON."""
    weights: dict[str, float] = {}
    for item in accept.split(","):
        kind, *parameters = item.split(";")
        weights[kind.strip(" \t").lower()] = _weight(parameters)
    newer = weights.get(GRAPHQL_RESPONSE, 0.0)
    return GRAPHQL_RESPONSE if newer > 0 and newer >= weights.get(JSON, 0.0) else JSON


def is_form_type(content_type: str) -> bool:
    """Tell whether browsers send this content type to other sites without asking them (no CORS preflight)."""
    return content_type.partition(";")[0].strip(" \t").lower() in _FORM_TYPES


def may_ask(origin: str | None, host: str, allowed: Iterable[str]) -> bool:
    """Tell whether a page of `origin` (None: not a page at all) may act for its user at `host`."""
    if origin is None or "*" in allowed or origin in allowed:
        return True
    # The scheme is not compared: behind a proxy ours may be unknown.
    _, separator, authority = origin.partition("://")
    return bool(separator) and authority.lower() == host.lower()


def _weight(parameters: Iterable[str]) -> float:
    """Return the `q` of an item of `Accept` (RFC 9110 §12.4.2); 1 without one, 0 for a malformed one."""
    for parameter in parameters:
        name, _, value = parameter.strip(" \t").partition("=")
        if name in ("q", "Q"):
            digits = value.replace(".", "", 1)
            return float(value) if digits.isascii() and digits.isdigit() and len(value) <= 5 else 0.0
    return 1.0
