"""Bodies that are sent and read piece by piece. Run: `uvicorn examples.streaming:app`."""

import hashlib
from collections.abc import AsyncIterator, Iterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient


async def lines(count: int) -> AsyncIterator[str]:
    for number in range(count):
        yield f"line {number}\n"


def table(rows: int) -> Iterator[str]:
    """Each step runs in a worker thread, since the generator is not `async`."""
    yield "number,square\n"
    for number in range(rows):
        yield f"{number},{number * number}\n"


async def text(request: Request) -> StreamingResponse:
    return StreamingResponse(lines(3), media_type="text/plain")


async def csv(request: Request) -> StreamingResponse:
    return StreamingResponse(table(3), media_type="text/csv", headers={"content-disposition": "attachment"})


async def digest(request: Request) -> JSONResponse:
    """Hash a body of any size while it arrives; no more than a chunk is held."""
    checksum, size = hashlib.sha256(), 0
    async for chunk in request.stream():
        checksum.update(chunk)
        size += len(chunk)
    return JSONResponse({"sha256": checksum.hexdigest(), "size": size})


app = Starlette(routes=[Route("/text", text), Route("/csv", csv), Route("/digest", digest, methods=["POST"])])


def check(client: TestClient) -> None:
    with client.stream("GET", "/text") as response:
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        assert "content-length" not in response.headers
        assert list(response.iter_lines()) == ["line 0", "line 1", "line 2"]
    assert client.get("/csv").text.splitlines() == ["number,square", "0,0", "1,1", "2,4"]
    received = client.post("/digest", content=b"x" * 100_000).json()
    assert received == {"sha256": hashlib.sha256(b"x" * 100_000).hexdigest(), "size": 100_000}
