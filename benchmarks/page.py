"""`python -m benchmarks page`: write the tables of docs/benchmarks.md, and its plots, from the figures that were kept.

What stands between `<!-- NAME -->` and `<!-- end NAME -->` is replaced; the rest of the page is written by hand.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks import plot, results
from benchmarks.environments import ROOT
from benchmarks.field.candidates import BARE, CANDIDATES, OURS, THEIRS

PAGE: Final = ROOT / "docs" / "benchmarks.md"
PLOTS: Final = ROOT / "docs" / "plots"
NOTHING: Final = "Not measured yet."

Figures = dict[str, Any]


def main(arguments: list[str]) -> int:
    """Write the page from what is there."""
    print(f"written to {write().relative_to(ROOT)}")
    return 0


def write() -> Path:
    """Write the page and its plots, and return the path of the page."""
    text = PAGE.read_text(encoding="utf-8")
    for name, (source, make) in SECTIONS.items():
        figures = results.load(source)
        content = make(figures) if figures else NOTHING
        pattern = re.compile(f"(<!-- {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
        if not pattern.search(text):
            raise ValueError(f"{PAGE.name} has no place for {name!r}")
        text = pattern.sub(lambda match, content=content: f"{match[1]}{content}\n{match[2]}", text)  # type: ignore[misc]
    PAGE.write_text(text, encoding="utf-8")
    return PAGE


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def _run(figures: Figures) -> str:
    return f"{figures['python']}, {figures['system']}, {figures['day']}"


def _field_versions(figures: Figures) -> str:
    versions = [f"{name} {version}" for name, version in figures["candidates"].items() if version]
    servers = [f"{name} {version}" for name, version in figures["servers"].items()]
    times = f"{figures['rounds']} rounds of {figures['seconds']} s, {figures['connections']} connections"
    return f"{_run(figures)}; {times}.\n{', '.join(versions)}.\nServers: {', '.join(servers)}."


def _share(cell: Figures, bare: Figures) -> float | None:
    if cell["failed"] or bare["failed"] or not cell["rates"]:
        return None
    return statistics.median(float(mine / floor) for mine, floor in zip(cell["rates"], bare["rates"], strict=True))


def _spread(cell: Figures, bare: Figures) -> float:
    ratios = [float(mine / floor) for mine, floor in zip(cell["rates"], bare["rates"], strict=True)]
    return (max(ratios) - min(ratios)) / statistics.median(ratios)


def _group(name: str) -> Callable[[Figures], str]:
    def section(figures: Figures) -> str:
        cases = figures["groups"].get(name)
        if not cases:
            return NOTHING
        present = [one.name for one in CANDIDATES if one.name != BARE and one.name in next(iter(cases.values()))]
        shares: dict[str, dict[str, float]] = {}
        failures, spreads, rows = [], [], []
        for case, row in cases.items():
            bare = row[BARE]
            found = {other: _share(row[other], bare) for other in present}
            shares[case] = {other: share for other, share in found.items() if share is not None}
            best = max(shares[case].values(), default=0)
            shown = [_cell(found[other], best) for other in present]
            floor = statistics.median(bare["rates"]) if bare["rates"] else 0
            rows.append([case, f"{floor:,.0f}", *shown])
            failures += [f"- {other}, {case}: {row[other]['failed']}" for other in present if row[other]["failed"]]
            spreads += [_spread(row[other], bare) for other in shares[case]]
        noise = f"\n\nHalf of all figures varied by less than {statistics.median(spreads):.0%} between their rounds."
        text = table(["case", "bare ASGI, requests/s", *present], rows) + (
            noise if spreads and figures["rounds"] > 1 else ""
        )
        if failures:
            text += "\n\nWhat could not be measured:\n\n" + "\n".join(failures)
        drawn = plot.dots(TITLES[name], "of the speed of a bare ASGI application", shares, present)
        return text + _draw(f"field-{name}", drawn, "Each case as a row, with a dot for each framework")

    return section


TITLES: Final = {
    "uvicorn": "Over uvicorn",
    "granian": "Over granian",
    "own": "Each on its own server",
}


def _cell(share: float | None, best: float) -> str:
    if share is None:
        return "failed"
    return f"**{share:.2f}**" if share == best else f"{share:.2f}"


def _draw(name: str, svg: str, shows: str) -> str:
    """Write a plot, and return the Markdown that shows it."""
    PLOTS.mkdir(exist_ok=True)
    (PLOTS / f"{name}.svg").write_text(svg, encoding="utf-8")
    return f"\n\n![{shows}](plots/{name}.svg)"


def _growing(part: str, title: str, across: str) -> Callable[[Figures], str]:
    def section(figures: Figures) -> str:
        rows = figures.get(part)
        if not rows:
            return NOTHING
        series = {name: [(row["number"], row[name]) for row in rows] for name in (OURS, THEIRS)}
        drawn = plot.lines(title, across, "microseconds per request", series)
        shown = [
            [f"{row['number']:,}", f"{row[OURS]:,.1f}", f"{row[THEIRS]:,.1f}", f"{row[THEIRS] / row[OURS]:.1f}"]
            for row in rows
        ]
        return table([across, f"{OURS} (µs)", f"{THEIRS} (µs)", "times faster"], shown) + _draw(
            f"growth-{part}", drawn, f"Time over {across}"
        )

    return section


def _connections(figures: Figures) -> str:
    rows = figures.get("connections")
    if not rows:
        return NOTHING
    names = (OURS, THEIRS, BARE)
    series = {name: [(row["number"], row[name]) for row in rows] for name in names}
    drawn = plot.lines("Hello over uvicorn", "connections", "requests per second", series)
    head = ["connections", *(f"{name}, requests/s (p99)" for name in names)]
    shown = [
        [f"{row['number']:,}", *(f"{row[name]:,.0f} ({row[f'{name} p99']:.1f} ms)" for name in names)] for row in rows
    ]
    return table(head, shown) + _draw("growth-connections", drawn, "Requests per second over connections")


def _idle(figures: Figures) -> str:
    found: Mapping[str, Mapping[str, float]] | None = figures.get("idle")
    if not found:
        return NOTHING
    names = (OURS, THEIRS, BARE)
    rows = [[kind, *(f"{row[name] / 1024:.1f}" for name in names)] for kind, row in found.items()]
    return table([f"KiB for each of {figures['idle connections']:,}", *names], rows)


def _start(figures: Figures) -> str:
    found: Mapping[str, Mapping[str, float]] | None = figures.get("start")
    if not found:
        return NOTHING
    names = (OURS, THEIRS)
    rows = [
        [what, *(f"{row[name]:.1f} ms, {row[f'{name} MiB']:.1f} MiB" for name in names)] for what, row in found.items()
    ]
    return table(["best of 15 processes: time, memory after it", *names], rows)


def _allocations(figures: Figures) -> str:
    ours, theirs = figures["cases"][OURS], figures["cases"][THEIRS]
    rows = []
    for case in ours:
        pairs = [(ours[case].get(key), theirs[case].get(key)) for key in ("blocks", "bytes", "runs")]
        rows.append([case, *("-" if mine is None else f"{mine:,.0f} / {other:,.0f}" for mine, other in pairs)])
    return table([f"{OURS} / {THEIRS}", "blocks per request", "bytes per request", "gc runs per 1,000"], rows)


def _dated(figures: Figures) -> str:
    return f"{_run(figures)}."


SECTIONS: Final[dict[str, tuple[str, Callable[[Figures], str]]]] = {
    "versions": ("field", _field_versions),
    "uvicorn": ("field", _group("uvicorn")),
    "granian": ("field", _group("granian")),
    "own": ("field", _group("own")),
    "growth": ("growth", _dated),
    "routes": ("growth", _growing("routes", "The last of many routes", "routes")),
    "middlewares": ("growth", _growing("middlewares", "Through ASGI middlewares", "middlewares")),
    "body": ("growth", _growing("body", "Reading a request body", "bytes")),
    "connections": ("growth", _connections),
    "idle": ("growth", _idle),
    "start": ("growth", _start),
    "allocations": ("allocations", _allocations),
}
