"""What Schemathesis has to know of the shop; it loads this file by `SCHEMATHESIS_HOOKS`."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Send whole numbers as such.

    JSON Schema calls 2.0 an integer; msgspec does not, as most who read JSON do not.
    """
    return whole(body)


def whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {name: whole(item) for name, item in value.items()}
    return value
