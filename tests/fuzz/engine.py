"""One target under atheris, in a process of its own: `python -m tests.fuzz.engine TARGET LIBFUZZER-OPTIONS...`."""

from __future__ import annotations

import importlib
import logging
import sys
from typing import Any, Final

# Where a branch not taken before makes an input worth keeping. What an oracle tells apart is as good a hint as what our
# code does, and the only one where the work is done in C.
_WATCHED: Final = ["starlette", "asterism", "python_multipart", "tests.fuzz.targets"]


def main(arguments: list[str]) -> None:
    """Instrument our code, the parser below it and the oracles, and fuzz until libFuzzer ends the process."""
    # Not installed where the types are checked: it is needed here only.
    atheris: Any = importlib.import_module("atheris")
    # Comparisons by `startswith` and the like show the mutator what is looked for.
    atheris.enabled_hooks.add("str")
    # python-multipart writes a line for each body that it refuses.
    logging.disable()
    name, *options = arguments
    with atheris.instrument_imports(include=_WATCHED, enable_loader_override=False):
        table = importlib.import_module("tests.fuzz.table")
    atheris.Setup([sys.argv[0], *options], table.TARGETS[name].run)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
