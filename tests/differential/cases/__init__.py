"""All cases, by topic: each module has a function `cases` that yields them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from tests.differential.case import Case


def topics() -> list[str]:
    """Return the names of the modules with cases."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def of(topic: str) -> Iterator[Case]:
    """Yield the cases of one topic."""
    yield from importlib.import_module(f"{__name__}.{topic}").cases()
