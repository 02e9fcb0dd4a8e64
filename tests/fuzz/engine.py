"""One target under atheris, in a process of its own: `python -m tests.fuzz.engine TARGET LIBFUZZER-OPTIONS...`."""

from __future__ import annotations

import importlib
import sys
from typing import Any


def main(arguments: list[str]) -> None:
    """Instrument our code and the parser below it, and fuzz until libFuzzer ends the process."""
    # Not installed where the types are checked: it is needed here only.
    atheris: Any = importlib.import_module("atheris")
    # Comparisons by `startswith` and the like show the mutator what is looked for.
    atheris.enabled_hooks.add("str")
    name, *options = arguments
    with atheris.instrument_imports(include=["starlette", "python_multipart"], enable_loader_override=False):
        table = importlib.import_module("tests.fuzz.table")
    atheris.Setup([sys.argv[0], *options], table.TARGETS[name].run)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
