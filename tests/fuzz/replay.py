"""Run a target on given inputs, without the fuzzer: `python -m tests.fuzz.replay TARGET FILE...`."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from tests.fuzz.table import TARGETS, seeds


def main(arguments: list[str]) -> int:
    """Replay files, or the seeds of the target if none is named. A finding ends it with its traceback."""
    if not arguments or arguments[0] not in TARGETS:
        print(f"usage: python -m tests.fuzz.replay TARGET [FILE...]\ntargets: {' '.join(TARGETS)}", file=sys.stderr)
        return 2
    name, *names = arguments
    for path in [Path(name) for name in names] or seeds(name):
        print(f"{name} {path}", flush=True)
        TARGETS[name].run(path.read_bytes())
    return 0


if __name__ == "__main__":
    logging.disable()  # python-multipart writes a line for each body that it refuses
    sys.exit(main(sys.argv[1:]))
