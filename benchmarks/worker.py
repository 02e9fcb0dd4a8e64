"""The measured process: repeats what it is told to, and answers one line of JSON for each line it reads.

Started once per implementation, with that implementation's interpreter, by `benchmarks.inprocess`. Commands:
`{"prepare": NAME}`, `{"run": COUNT}`, `{"drop": true}`. Answers: `{"seconds": S}`, `{"skipped": REASON}`,
`{"failed": TEXT}`.
"""

from __future__ import annotations

import asyncio
import gc
import importlib.metadata
import json
import sys
import traceback
from typing import Any

from benchmarks.case import Work
from benchmarks.cases import find


class Worker:
    """Holds the case that is being measured, on one event loop for the whole run."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._work: Work | None = None

    def obey(self, command: dict[str, Any]) -> dict[str, Any]:
        """Do one command and return the answer."""
        try:
            if "prepare" in command:
                self._work = find(command["prepare"]).prepare()
                return {}
            if "run" in command:
                return {"seconds": self._run(command["run"])}
            self._work = None
            return {}
        except (ImportError, AttributeError) as exc:
            if "prepare" in command:
                return {"skipped": f"{type(exc).__name__}: {exc}"}
            return {"failed": traceback.format_exc()}
        except Exception:
            return {"failed": traceback.format_exc()}

    def _run(self, count: int) -> float:
        if self._work is None:
            raise RuntimeError("nothing is prepared")
        # Collections belong to the cost of what is measured; rubbish of the rounds before does not.
        gc.collect()
        return self._runner.run(self._work.seconds(count))


def main() -> None:
    """Answer commands until the input ends."""
    print(json.dumps({"starlette": importlib.metadata.version("starlette")}), flush=True)
    with asyncio.Runner() as runner:
        worker = Worker(runner)
        for line in sys.stdin:
            print(json.dumps(worker.obey(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
