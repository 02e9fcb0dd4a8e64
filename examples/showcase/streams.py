"""Streamed answers, and tasks that go on after the answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import anyio

from examples.showcase.pages import filled, frame, page, text
from examples.showcase.state import Jobs
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, StreamingResponse
from starlette.routing import Route

# Seconds between two rows, long enough to be seen, and until a job is done.
ROW_DELAY = 0.2
JOB_DURATION = 0.5
MAX_LINES = 1_000_000


async def stream_page(request: Request) -> HTMLResponse:
    return page("Streaming", filled("stream"), current="/stream")


async def stream_rows(request: Request) -> StreamingResponse:
    """Send a page in pieces. Browsers show each row when it comes."""

    async def chunks() -> AsyncIterator[str]:
        begin, end = frame("Rows, one by one", filled("stream_rows", rows="\0"), current="/stream").split("\0")
        yield begin
        for number in range(1, 11):
            yield f"<li>Row {number} of 10</li>\n"
            await anyio.sleep(ROW_DELAY)
        yield end

    return StreamingResponse(chunks(), media_type="text/html")


async def stream_lines(request: Request) -> StreamingResponse:
    """Send any number of lines without holding them; the generator is not `async` and runs in a worker thread."""
    count = request.path_params["count"]
    if count > MAX_LINES:
        raise HTTPException(404)

    def chunks() -> Iterator[str]:
        for first in range(1, count + 1, 1000):
            yield "".join(f"line {number}\n" for number in range(first, min(first + 1000, count + 1)))

    return StreamingResponse(chunks(), media_type="text/plain")


async def background_page(request: Request) -> HTMLResponse:
    jobs: Jobs = request.state.jobs
    items = "\n".join(f"<li>Job {job.number}: <strong>{text(job.status)}</strong></li>" for job in jobs.latest)
    # While something runs the page asks for itself again.
    refresh = '<meta http-equiv="refresh" content="1">' if jobs.running else ""
    body = filled("background", jobs=items or "<li>None yet.</li>")
    return page("Background tasks", body, current="/background", head=refresh)


async def background_start(request: Request) -> RedirectResponse:
    """Answer at once; the job runs afterwards."""
    jobs: Jobs = request.state.jobs
    task = BackgroundTask(jobs.run, jobs.add(), JOB_DURATION)
    return RedirectResponse(request.url_for("background"), status_code=303, background=task)


routes = [
    Route("/stream", stream_page),
    Route("/stream/rows", stream_rows),
    Route("/stream/lines/{count:int}", stream_lines),
    Route("/background", background_page, name="background"),
    Route("/background", background_start, methods=["POST"]),
]
