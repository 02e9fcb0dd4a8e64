"""The request fields that a response depends on (RFC 9110 §12.5.5). Pure; imports nothing of ours."""

from __future__ import annotations


def add_vary(fields: list[tuple[bytes, bytes]], name: bytes) -> None:
    """Add a request field to `Vary`, in place: `Accept` becomes `Accept, Cookie`, several lines become one.

    Nothing changes if `Vary` has that name in any case, or `*`, which stands for everything.

    Args:
        fields: The fields of a response, which is changed; never a list that belongs to a response object.
        name: As it shall be written: `b"Cookie"`.
    """
    places = [place for place, (existing, _) in enumerate(fields) if existing.lower() == b"vary"]
    if not places:
        fields.append((b"vary", name))
        return
    value = b", ".join([fields[place][1] for place in places])
    listed = [element.strip(b" \t") for element in value.lower().split(b",")]
    if name.lower() in listed or b"*" in listed:
        return
    fields[places[0]] = (b"vary", value + b", " + name)
    dropped = frozenset(places[1:])
    if dropped:
        fields[:] = [field for place, field in enumerate(fields) if place not in dropped]
