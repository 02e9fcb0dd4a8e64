"""What was started is ended, whatever the exchange and however it ends: threats R01, R02, R03 and R14.

Each kind of exchange is first played to its end, which gives the points that it passes. Then it is played again for
each of them and each way of ending there. Afterwards there must be as many descriptors, temporary files, threads and
tasks as before, no generator that has not ended, and hardly a block of memory more.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import AsyncGeneratorType
from typing import Any

import anyio
import pytest

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.websockets import WebSocketDisconnect
from tests.starlette.exchanges import KINDS, STACKS, Ending, Fault, Kind, Peer, application

# Exchanges of which nothing may be left, and seconds until any of them must have ended.
EXCHANGES = 50
DEADLINE = 20

DESCRIPTORS = next((path for path in ("/proc/self/fd", "/dev/fd") if os.path.isdir(path)), None)


@dataclass(frozen=True)
class Held:
    """What the process holds now."""

    descriptors: int
    temporary_files: int
    tasks: int
    running_generators: int


class Generators:
    """Knows of the asynchronous generators that were begun while it is entered."""

    def __init__(self) -> None:
        self._begun: list[weakref.ref[AsyncGeneratorType[object, object]]] = []

    @property
    def running(self) -> int:
        """How many of them have not ended."""
        begun = [generator for reference in self._begun if (generator := reference()) is not None]
        return sum(generator.ag_frame is not None for generator in begun)

    @contextmanager
    def watched(self) -> Iterator[None]:
        loops = sys.get_asyncgen_hooks()

        def note(generator: Any) -> None:
            self._begun.append(weakref.ref(generator))
            if loops.firstiter is not None:
                loops.firstiter(generator)

        sys.set_asyncgen_hooks(firstiter=note)
        try:
            yield
        finally:
            sys.set_asyncgen_hooks(*loops)


def held(generators: Generators) -> Held:
    return Held(
        len(os.listdir(DESCRIPTORS)) if DESCRIPTORS else 0,
        len(os.listdir(tempfile.gettempdir())),
        len(anyio.get_running_tasks()),
        generators.running,
    )


async def play(app: Starlette, kind: Kind, point: str = "", ending: Ending | None = None) -> Peer:
    """Play one exchange, and check that it ends as its ending says."""
    note = f"{kind.path} {point} {ending}"
    failure: BaseException | None = None
    scope = anyio.CancelScope()
    peer = kind.peer(scope, point, ending)
    with anyio.fail_after(DEADLINE), scope:
        try:
            await app(kind.scope(peer), peer.receive, peer.send)
        except Exception as exc:
            failure = exc
    expected = EXPECTED[ending]
    while isinstance(failure, ExceptionGroup):  # of a task group of the application
        (failure,) = failure.exceptions
    assert failure is None or isinstance(failure, expected), note
    if ending is Ending.CANCEL:
        assert scope.cancelled_caught or not peer.waits, note
    else:
        assert not scope.cancelled_caught, note
    # Not left to the garbage collector, which is switched off.
    assert peer.open_generators == 0, note
    return peer


# What an exchange may raise, by its ending. RuntimeError: a response had begun, or the frame was not JSON.
EXPECTED: dict[Ending | None, tuple[type[Exception], ...]] = {
    None: (ZeroDivisionError, RuntimeError),
    Ending.ERROR: (Fault, RuntimeError),
    Ending.LEAVE: (OSError, ClientDisconnect, WebSocketDisconnect, RuntimeError),
    Ending.CANCEL: (),
}


@pytest.fixture
def app(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Starlette:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "files").mkdir()
    return application(request.param, tmp_path / "files")


# WebSockets pass these middlewares untouched, so they need no other stack.
CASES = [
    pytest.param(stack, kind, id=f"{stack}-{name}")
    for stack in STACKS
    for name, kind in KINDS.items()
    if stack == "alone" or not kind.is_socket
]


@pytest.mark.anyio
@pytest.mark.parametrize(("app", "kind"), CASES, indirect=["app"])
async def test_nothing_is_left_of_exchanges_however_they_end(app: Starlette, kind: Kind) -> None:  # threats R01, R03
    points = list(dict.fromkeys((await play(app, kind)).passed))
    endings = [(point, ending) for point in points for ending in Ending]

    async def play_all(rounds: int = 1) -> None:
        for _ in range(rounds):
            await play(app, kind)
            for point, ending in endings:
                peer = await play(app, kind, point, ending)
                assert point in peer.passed
        await anyio.wait_all_tasks_blocked()

    rounds = EXCHANGES // len(endings) + 1
    await play_all()  # what is made once: threads, caches
    generators = Generators()
    before, objects, threads = held(generators), _objects(), threading.active_count()
    with generators.watched(), _without_collector():
        await play_all(rounds)
        assert held(generators) == before
    # A worker thread that is not yet idle again has a second one started, but there is not one for each exchange.
    assert threading.active_count() - threads < 5
    # What stays of each exchange is an object at least. Tables may grow, but not each time.
    grown = _objects() - objects
    if grown >= rounds * len(endings) / 2:
        objects = _objects()
        await play_all(rounds)
        again = _objects() - objects
        assert again < rounds * len(endings) / 2, f"objects of {rounds * len(endings)} exchanges: {grown}, then {again}"


@contextmanager
def _without_collector() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _objects() -> int:
    # PyPy needs more than one run: what a finalizer lets go of is found in the next.
    for _ in range(1 if sys.implementation.name == "cpython" else 3):
        gc.collect()
    return len(gc.get_objects())
