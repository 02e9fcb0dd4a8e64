"""Choosing what to send by what the client accepts (RFC 9110 §12.5.1). Pure."""

from __future__ import annotations

from collections.abc import Sequence


def choose(accept: str, offered: Sequence[str]) -> int | None:
    """Return the number of the best of the offered media types; None when none is accepted.

    Args:
        accept: The value of `Accept`; empty accepts everything.
        offered: Media types in lower case, the preferred first: it wins where the client has no preference.

    A range that says more about a type counts for it, whatever its weight; a weight that is none is 0.
    """
    if not accept.strip():
        return 0
    ranges = [_range(part) for part in accept.split(",") if part.strip()]
    best, best_weight = None, 0.0
    for index, media_type in enumerate(offered):
        weight = _weight(media_type, ranges)
        if weight > best_weight:
            best, best_weight = index, weight
    return best


def _weight(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    general = media_type.partition("/")[0] + "/*"
    for name in (media_type, general, "*/*"):
        weights = [weight for pattern, weight in ranges if pattern == name]
        if weights:
            return max(weights)
    return 0.0


def _range(part: str) -> tuple[str, float]:
    name, *parameters = part.split(";")
    weight = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "q":
            weight = _quality(value.strip())
    return name.strip().lower(), weight


def _quality(text: str) -> float:
    """Return a weight: `0` to `1` with up to three digits behind the point; 0 for anything else."""
    whole, _, digits = text.partition(".")
    if whole not in {"0", "1"} or len(digits) > 3 or (digits and not (digits.isascii() and digits.isdigit())):
        return 0.0
    return min(float(text), 1.0)
