"""The measuring: all candidates of a group run at once, idle but for the one whose turn it is."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.field import client
from benchmarks.field.candidates import BARE, Installed, cores, kept_to
from benchmarks.field.servers import Server, Unable
from benchmarks.field.workload import KINDS, Case, write_files

Say = Callable[[str], None]


@dataclass
class Cell:
    """One candidate in one case: requests per second in each round, or why there are none."""

    rates: list[float] = field(default_factory=list)
    failed: str = ""

    @property
    def rate(self) -> float:
        return statistics.median(self.rates) if self.rates else 0.0

    def share(self, bare: Cell) -> float | None:
        """Return the median over the rounds of the ratio to the bare application; None when either has no rate."""
        if self.failed or bare.failed or not self.rates:
            return None
        return statistics.median(mine / floor for mine, floor in zip(self.rates, bare.rates, strict=True))


@dataclass
class Group:
    """Candidates that are compared with one another: those on one server.

    Args:
        name: "uvicorn", "granian", or "own".
        members: Each with the server that it runs on.
    """

    name: str
    members: list[tuple[Installed, str]]


Table = dict[str, dict[str, Cell]]


def groups(installed: list[Installed], servers: list[str]) -> list[Group]:
    """Return the groups: those of ASGI on each server, and each one's own, with the bare application over uvicorn."""
    asgi = [one for one in installed if one.candidate.asgi]
    bare = [one for one in installed if one.candidate.name == BARE]
    own = [one for one in installed if one.candidate.own]
    made = [Group(name, [(one, name) for one in asgi]) for name in servers if name != "own"]
    if "own" in servers and own:
        made.append(Group("own", [(one, "uvicorn") for one in bare] + [(one, "own") for one in own]))
    return made


def measure(group: Group, cases: list[Case], seconds: int, rounds: int, say: Say) -> Table:
    """Return the rates of the group by case and candidate."""
    core, others = cores()
    table: Table = {}
    with tempfile.TemporaryDirectory() as folder, kept_to(others):
        files = Path(folder)
        write_files(files)
        for kind in KINDS:
            chosen = [case for case in cases if case.kind == kind]
            if chosen:
                table |= _kind(group, kind, chosen, files, core, seconds, rounds, say)
    return {case.name: table[case.name] for case in cases}


def _kind(
    group: Group, kind: str, cases: list[Case], files: Path, core: int | None, seconds: int, rounds: int, say: Say
) -> Table:
    table: Table = {}
    with ExitStack() as stack:
        servers = {
            installed.candidate.name: stack.enter_context(Server(installed, server, kind, files, core))
            for installed, server in group.members
        }
        broken = {}
        for name, server in servers.items():
            try:
                server.wait()
            except Unable as exc:
                broken[name] = str(exc)
        for case in cases:
            row = _Row(case, servers, {name: Cell(failed=broken.get(name, "")) for name in servers})
            row.check(client.WARM_UP)
            for _ in range(rounds):
                row.load(seconds)
            row.check()
            table[case.name] = row.cells
            say(_line(group.name, case.name, row.cells))
    return table


@dataclass(frozen=True)
class _Row:
    """One case under all candidates. Whoever fails once is left out from then on."""

    case: Case
    servers: dict[str, Server]
    cells: dict[str, Cell]

    def check(self, times: int = 1) -> None:
        for name, cell in self._waiting():
            try:
                client.check(self.servers[name].port, self.case, times)
            except Unable as exc:
                cell.failed = str(exc)

    def load(self, seconds: int) -> None:
        for name, cell in self._waiting():
            try:
                cell.rates.append(client.load(self.servers[name].port, self.case, seconds).rate)
            except Unable as exc:
                cell.failed = str(exc)

    def _waiting(self) -> list[tuple[str, Cell]]:
        return [(name, cell) for name, cell in self.cells.items() if not cell.failed]


def _line(group: str, case: str, row: dict[str, Cell]) -> str:
    bare = row[BARE]
    shown = []
    for name, cell in row.items():
        share = cell.share(bare)
        shown.append(f"{name} {'FAILED' if cell.failed else 'right' if share is None else f'{share:.2f}'}")
    failures = [f"\n    {name}: {cell.failed}" for name, cell in row.items() if cell.failed]
    return f"{group:>8} | {case:<30} | {bare.rate:>7,.0f}/s | {', '.join(shown[1:])}{''.join(failures)}"
