"""Fuzz targets in turn: `scripts/test --fuzz [SECONDS] [TARGET...]`, or `python -m tests.fuzz` where atheris is."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.fuzz.table import CORPUS, TARGETS

ROOT: Final = Path(__file__).parents[2]

# What the fuzzer learns stays here, outside of version control, and every run goes on from it.
WORK: Final = ROOT / ".fuzz"

DEFAULT_SECONDS: Final = 60

# For one input, in seconds, with room for a busy machine; the longest input in bytes; for a process, in megabytes.
_TIMEOUT: Final = 30
_LONGEST: Final = 2048
_MEMORY: Final = 1024

_COLUMNS: Final = "{:<13} {:>12} {:>9} {:>9} {:>8} {:>9}"
_DONE: Final = re.compile(r"^#\d+\s+\w+\s+cov: (\d+) ft: \d+ corp: (\d+)/", re.MULTILINE)
_USAGE: Final = "usage: scripts/test --fuzz [SECONDS] [TARGET...]\n       scripts/test --fuzz --list"


@dataclass
class Result:
    """What a run of one target came to; `finding` is the input that failed."""

    name: str
    executions: int
    rate: int
    coverage: int
    corpus: int
    finding: Path | None
    output: str
    failed: bool

    def line(self) -> str:
        numbers = (f"{number:,}" for number in (self.executions, self.rate, self.coverage, self.corpus))
        return _COLUMNS.format(self.name, *numbers, "FOUND" if self.finding else "failed" if self.failed else "none")


def main(arguments: list[str]) -> int:
    """Run the named targets, or all. Return 1 when there is a finding, 2 for wrong arguments."""
    if arguments == ["--list"]:
        for name, target in TARGETS.items():
            print(f"{name:<13}", " ".join((target.run.__doc__ or "").split()))
        return 0
    seconds = DEFAULT_SECONDS
    if arguments and arguments[0].isdecimal():
        seconds = int(arguments.pop(0))
    unknown = [name for name in arguments if name not in TARGETS]
    if unknown or seconds < 1:
        print(f"unknown: {' '.join(unknown) or seconds}\n{_USAGE}\ntargets: {' '.join(TARGETS)}", file=sys.stderr)
        return 2
    print(_COLUMNS.format("target", "executions", "per s", "coverage", "corpus", "findings"), flush=True)
    results = []
    for name in arguments or TARGETS:
        result = fuzz(name, seconds)
        results.append(result)
        print(result.line(), flush=True)
    failed = [result for result in results if result.failed]
    report(failed)
    total = sum(result.executions for result in results)
    print(f"\n{len(results)} targets, {total:,} executions, {len(failed)} with a finding")
    return 1 if failed else 0


def fuzz(name: str, seconds: int) -> Result:
    """Run one target for some seconds, beginning with its seeds, earlier findings, and what it has learnt before."""
    learnt, findings = WORK / "corpus" / name, WORK / "findings" / name
    for folder in (learnt, findings):
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".dict") as words:
        words.write(dictionary(TARGETS[name].words))
        words.flush()
        options = [
            f"-max_total_time={seconds}",
            f"-timeout={_TIMEOUT}",
            f"-max_len={_LONGEST}",
            f"-rss_limit_mb={_MEMORY}",
            f"-dict={words.name}",
            f"-artifact_prefix={findings}/",
            "-print_final_stats=1",
            # The first folder is written to; the others are read.
            *map(str, (learnt, CORPUS / name, findings)),
        ]
        process = subprocess.run(
            [sys.executable, "-m", "tests.fuzz.engine", name, *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    return read_output(name, process.returncode, process.stdout.decode("utf-8", "replace"))


def dictionary(words: Iterable[str]) -> str:
    """Return words in the form that libFuzzer reads."""
    escaped = ("".join(f"\\x{octet:02X}" for octet in word.encode("latin-1")) for word in words)
    return "".join(f'"{word}"\n' for word in escaped)


def read_output(name: str, status: int, output: str) -> Result:
    """Take the figures out of what libFuzzer has printed."""
    coverage, corpus = _DONE.findall(output)[-1] if _DONE.search(output) else (0, 0)
    written = re.search(r"Test unit written to (\S+)", output)
    return Result(
        name,
        _statistic("number_of_executed_units", output),
        _statistic("average_exec_per_sec", output),
        int(coverage),
        int(corpus),
        Path(written[1]) if written else None,
        output,
        status != 0,
    )


def _statistic(name: str, output: str) -> int:
    found = re.search(rf"stat::{name}:\s+(\d+)", output)
    return int(found[1]) if found else 0


def report(failed: Iterable[Result]) -> None:
    """Show each finding: what was raised, where the input is, and how to run it again."""
    for result in failed:
        print(f"\n== {result.name}")
        print(explanation(result.output))
        if result.finding is not None:
            path = result.finding.relative_to(ROOT)
            print(f"\nThe input is in {path}; replay it:\n    python -m tests.fuzz.replay {result.name} {path}")


def explanation(output: str) -> str:
    """Return the part of the output that says what is wrong: the traceback, else its end."""
    start = output.find("=== Uncaught Python exception: ===")
    end = output.find("\n==", start + 1)
    return output[start:end].strip() if start >= 0 else "\n".join(output.splitlines()[-30:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
