"""The path that routes are compared with. Pure."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any


def get_route_path(scope: MutableMapping[str, Any]) -> str:
    """Return the part of the path below `root_path`, cut only where a segment begins.

    `/foo/bar` under `/foo` is `/bar`; under `/fo` or `/bar` it stays whole (ASGI HTTP scope, "root_path").
    """
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    if not root or not path.startswith(root):
        return path
    rest = path[len(root) :]
    return path if rest and rest[0] != "/" else rest
