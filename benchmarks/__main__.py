"""The command: measure, print a table of ratios."""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys
import time
from dataclasses import asdict
from typing import Any, Final

from benchmarks import environments, inprocess, served
from benchmarks.cases import CASES

# Other commands: the module whose `main` takes the rest of the arguments.
COMMANDS: Final = {
    "field": "benchmarks.field.run",
    "growth": "benchmarks.growth",
    "allocations": "benchmarks.allocations",
    "page": "benchmarks.page",
}


def main() -> int:
    """Measure what the arguments ask for; the exit status is 1 when a case failed."""
    if sys.argv[1:] and sys.argv[1] in COMMANDS:
        command: Any = importlib.import_module(COMMANDS[sys.argv[1]])
        return int(command.main(sys.argv[2:]))
    options = _options()
    if options.list:
        print("\n".join(case.name for case in CASES))
        return 0
    began = time.monotonic()
    ours = sys.executable
    try:
        upstream = options.upstream or environments.upstream()
    except RuntimeError as exc:
        sys.exit(str(exc))
    versions = {"ours": environments.version(ours), "upstream": environments.version(upstream)}
    names = [case.name for case in CASES if _chosen(case.name, options.case)]
    over_http = [name for name in served.SERVED if name != "bare ASGI" and _chosen(name, options.case)]
    if not names and not over_http:
        sys.exit(f"no case has {' or '.join(map(repr, options.case))} in its name; --list prints them")
    say = (lambda text: print(text, file=sys.stderr)) if options.json else print
    python = f"{platform.python_implementation()} {platform.python_version()}"
    say(f"starlette {versions['ours']} against {versions['upstream']} on {python}, best of {options.rounds} rounds")

    results = _in_process(names, ours, upstream, options, say) if options.where != "http" else []
    over = _over_http(over_http, ours, upstream, options, say) if options.where != "inprocess" else []
    say(f"\n{time.monotonic() - began:.0f} s")
    if options.json:
        report: dict[str, Any] = {
            "python": python,
            "versions": versions,
            "in_process": [asdict(result) for result in results],
            "over_http": [asdict(result) for result in over],
        }
        print(json.dumps(report, indent=1))
    return int(any(result.failed for result in results))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure against upstream Starlette.",
        epilog=f"Other commands, each with its own --help: {', '.join(COMMANDS)}.",
    )
    parser.add_argument(
        "--case", action="append", default=[], help="only cases with this text in their name (repeatable)"
    )
    parser.add_argument("--list", action="store_true", help="print the names of the cases")
    parser.add_argument("--rounds", type=int, default=5, help="timings of each side (default: 5)")
    parser.add_argument("--slice", type=float, default=0.06, help="seconds of one timing (default: 0.06)")
    parser.add_argument("--quick", action="store_true", help="3 rounds of 0.02 s: a first impression")
    parser.add_argument("--where", choices=["all", "inprocess", "http"], default="all", help="which half to run")
    parser.add_argument("--json", action="store_true", help="print all figures as JSON on standard output")
    parser.add_argument("--upstream", help="an interpreter with upstream installed (default: one is made)")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.slice = 3, 0.02
    return options


def _chosen(name: str, wanted: list[str]) -> bool:
    return not wanted or any(text.lower() in name.lower() for text in wanted)


def _in_process(names: list[str], ours: Any, upstream: Any, options: Any, say: Any) -> list[inprocess.Result]:
    results = []
    if names:
        say(f"\n{'in process, microseconds':<42} {'ours':>10} {'upstream':>10} {'faster':>8} {'noise':>7}")
    for result in inprocess.measure(names, ours, upstream, options.rounds, options.slice):
        results.append(result)
        if result.skipped:
            say(f"{result.name:<42} skipped: {result.skipped}")
        elif result.failed:
            say(f"{result.name:<42} FAILED\n{result.failed}")
        else:
            best = min(result.ours, result.again)
            figures = f"{best * 1e6:>10.2f} {result.upstream * 1e6:>10.2f} {result.ratio:>7.2f}x {result.noise:>7.1%}"
            say(f"{result.name:<42} {figures}")
    ratios = [result.ratio for result in results if result.measured and not result.name.startswith("bare ASGI")]
    if ratios:
        product = 1.0
        for ratio in ratios:
            product *= ratio
        say(f"{'geometric mean':<42} {'':>10} {'':>10} {product ** (1 / len(ratios)):>7.2f}x")
    return results


def _over_http(names: list[str], ours: Any, upstream: Any, options: Any, say: Any) -> list[served.Served]:
    if not names:
        return []
    say(f"\n{'over uvicorn, requests per second':<42} {'ours':>10} {'upstream':>10} {'faster':>8} {'of bare':>16}")
    try:
        results = served.measure(names, ours, upstream, options.rounds, 0.1 if options.quick else 0.4)
    except inprocess.Failed as exc:
        say(f"skipped: {exc}")
        return []
    for result in results:
        shares = f"{result.ours / result.bare:.0%}, was {result.upstream / result.bare:.0%}"
        say(f"{result.name:<42} {result.ours:>10,.0f} {result.upstream:>10,.0f} {result.ratio:>7.2f}x {shares:>16}")
    say(f"{'bare ASGI':<42} {results[0].bare:>10,.0f}")
    return results


if __name__ == "__main__":
    sys.exit(main())
