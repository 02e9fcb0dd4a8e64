"""Who takes part, and where each is installed."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.environments import ROOT, UPSTREAM, ensure, versions

# The servers, and what they use: every environment that can hold them gets the versions that the first one got.
SERVERS: Final = ("uvicorn", "httptools", "uvloop", "websockets", "granian", "hypercorn")
BARE: Final = "bare ASGI"
OURS: Final = "Asterism"
THEIRS: Final = "Starlette"


@dataclass(frozen=True)
class Candidate:
    """One framework.

    Args:
        name: As the report has it.
        program: A module of `benchmarks.field.programs`.
        requirements: What `pip` installs; `/` stands for this checkout.
        distribution: Whose version is reported; none for what has no framework.
        asgi: Whether it runs on the ASGI servers.
        own: The server that its documentation starts it with, if that is neither uvicorn nor granian.
    """

    name: str
    program: str
    requirements: tuple[str, ...]
    distribution: str = ""
    asgi: bool = True
    own: str = ""


CANDIDATES: Final = (
    Candidate(BARE, "bare", ()),
    Candidate(OURS, "starlette_app", ("/",), "starlette"),
    Candidate(THEIRS, "starlette_app", (f"starlette[full]=={UPSTREAM}",), "starlette"),
    Candidate("FastAPI", "fastapi_app", ("fastapi", "python-multipart"), "fastapi"),
    Candidate("Litestar", "litestar_app", ("litestar",), "litestar"),
    Candidate("BlackSheep", "blacksheep_app", ("blacksheep",), "blacksheep"),
    Candidate("Falcon", "falcon_app", ("falcon",), "falcon"),
    Candidate("Quart", "quart_app", ("quart",), "quart", own="hypercorn"),
    Candidate("Sanic", "sanic_app", ("sanic",), "sanic", own="Sanic"),
    Candidate("aiohttp", "aiohttp_app", ("aiohttp[speedups]", "uvloop"), "aiohttp", asgi=False, own="aiohttp"),
    Candidate("Robyn", "robyn_app", ("robyn",), "robyn", asgi=False, own="Robyn"),
)


def chosen(names: list[str]) -> list[Candidate]:
    """Return the candidates whose name contains one of these texts, the bare application always; all if none is given.

    Raises:
        ValueError: A text is in no name.
    """
    for text in names:
        if not any(text.lower() in candidate.name.lower() for candidate in CANDIDATES):
            known = ", ".join(candidate.name for candidate in CANDIDATES)
            raise ValueError(f"no candidate has {text!r} in its name; there are {known}")
    return [
        candidate
        for candidate in CANDIDATES
        if not names or candidate.name == BARE or any(text.lower() in candidate.name.lower() for text in names)
    ]


@dataclass(frozen=True)
class Installed:
    """A candidate with its interpreter and the versions of what counts there."""

    candidate: Candidate
    python: Path
    versions: dict[str, str]

    @property
    def version(self) -> str:
        return self.versions.get(self.candidate.distribution, "")


def install(candidates: list[Candidate]) -> list[Installed]:
    """Make the environments that are not there yet. The bare application's decides the versions of the servers.

    Raises:
        RuntimeError: The registry cannot be reached, or a framework does not go with the servers.
    """
    tag = sys.implementation.cache_tag
    base = ensure(f".venv-bench-bare-{tag}", ["uvicorn", "httptools", "uvloop", "websockets", "granian", "hypercorn"])
    servers = [f"{name}=={version}" for name, version in versions(base, SERVERS).items()]
    result = []
    for candidate in candidates:
        python = base
        if candidate.name != BARE:
            wanted = [f"{ROOT}[full]" if name == "/" else name for name in candidate.requirements]
            note = _digest() if "/" in candidate.requirements else ""
            name = f".venv-bench-{candidate.name.lower()}-{tag}"
            python = ensure(name, wanted + (servers if candidate.asgi else []), note)
        names = [*SERVERS, *([candidate.distribution] if candidate.distribution else [])]
        result.append(Installed(candidate, python, versions(python, names)))
    return result


def _digest() -> str:
    return hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()


def cores() -> tuple[int | None, set[int]]:
    """Return the core of the server and the cores of the client; None and all of them where there is only one."""
    if not hasattr(os, "sched_getaffinity"):
        return None, set()
    have = sorted(os.sched_getaffinity(0))
    return (have[0], set(have[1:])) if len(have) > 1 else (None, set(have))


@contextmanager
def kept_to(others: set[int]) -> Iterator[None]:
    """Keep this process, and what it starts, to these cores; the server's choice of its own core goes before this."""
    if not others:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, others)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
