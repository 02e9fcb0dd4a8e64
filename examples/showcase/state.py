"""What lives as long as the application: a counter, jobs, and the file that is offered for download."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

import anyio
import anyio.to_thread

from examples.showcase.pages import filled, page, rows
from examples.showcase.rooms import Hub
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

# The download is made of numbered lines of 16 bytes, so any range of it can be checked.
DOWNLOAD_LINES = 4 * 1024 * 1024 // 16


@dataclass
class Job:
    number: int
    status: str = "running"


@dataclass
class Jobs:
    """The latest background jobs, newest first; older ones are forgotten."""

    latest: deque[Job] = field(default_factory=lambda: deque(maxlen=10))
    started: int = 0

    @property
    def running(self) -> bool:
        return any(job.status == "running" for job in self.latest)

    def add(self) -> Job:
        self.started += 1
        job = Job(self.started)
        self.latest.appendleft(job)
        return job

    async def run(self, job: Job, seconds: float) -> None:
        """Do the work of a job, which is to wait."""
        await anyio.sleep(seconds)
        job.status = "finished"


@dataclass
class Counter:
    requests: int = 0


class State(TypedDict):
    started: datetime
    counter: Counter
    jobs: Jobs
    download: Path
    hub: Hub


class CountRequests:
    """Middleware that counts HTTP requests in the lifespan state.

    It only looks at the scope, so it costs nothing while bodies are read or sent.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["state"]["counter"].requests += 1
        await self.app(scope, receive, send)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[State]:
    with tempfile.TemporaryDirectory(prefix="showcase-") as directory:
        download = Path(directory, "numbers.txt")
        await anyio.to_thread.run_sync(write_download, download)
        yield {
            "started": datetime.now(UTC),
            "counter": Counter(),
            "jobs": Jobs(),
            "download": download,
            "hub": Hub(),
        }


def write_download(path: Path) -> None:
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.writelines(download_lines())


def download_lines() -> Iterator[str]:
    return (f"{number:015d}\n" for number in range(DOWNLOAD_LINES))


def facts(request: Request) -> dict[str, str | int]:
    counter: Counter = request.state.counter
    started: datetime = request.state.started
    jobs: Jobs = request.state.jobs
    return {
        "started": started.isoformat(timespec="seconds"),
        "requests": counter.requests,
        "background jobs": jobs.started,
    }


async def state_page(request: Request) -> HTMLResponse:
    return page("Lifespan state", filled("state", rows=rows(facts(request).items())), current="/state")


async def state_json(request: Request) -> JSONResponse:
    return JSONResponse(facts(request))


routes = [Route("/state", state_page), Route("/state.json", state_json)]
