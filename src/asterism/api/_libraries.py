"""The libraries that this battery stands on, imported when they are first needed."""

from __future__ import annotations

import functools
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType


@functools.cache
def msgspec() -> ModuleType:
    """Return msgspec, with its parts; ImportError names the extra."""
    try:
        import msgspec as library
        import msgspec.inspect
        import msgspec.json
        import msgspec.msgpack
    except ImportError as exc:
        raise ImportError('asterism.api needs msgspec: install the "api" extra, pip install "starlette[api]"') from exc
    return library


def mistakes() -> tuple[type[Exception], ...]:
    """Return what the engines raise for values that are not what they must be.

    A TypeError is for one of an impossible type, or that has no hash where one is needed. Code of users raises it, too.
    """
    # Pydantic's errors are ValueErrors; those of msgspec are in its newer releases only.
    return ValueError, RecursionError, TypeError, msgspec().DecodeError


def require_multipart() -> None:
    """Raise ImportError when forms cannot be read here."""
    if find_spec("python_multipart") is None and find_spec("multipart") is None:
        raise ImportError('forms need python-multipart: install the "full" extra, pip install "starlette[full]"')
