"""What is opened at start-up, shared by requests, and closed at the end. Run: `uvicorn examples.lifespan_state:app`."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import TypedDict

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient


class State(TypedDict):
    database: sqlite3.Connection


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[State]:
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as database:
        database.execute("CREATE TABLE visits (path TEXT)")
        yield {"database": database}


def visit(request: Request) -> JSONResponse:
    """Count visits; not `async`, so it runs in a worker thread and may wait for the database."""
    database: sqlite3.Connection = request.state.database
    database.execute("INSERT INTO visits VALUES (?)", (request.url.path,))
    ((visits,),) = database.execute("SELECT count(*) FROM visits")
    return JSONResponse({"visits": visits})


app = Starlette(routes=[Route("/", visit)], lifespan=lifespan)


def check(client: TestClient) -> None:
    # `client` was entered with `with`, so the lifespan runs.
    assert client.get("/").json() == {"visits": 1}
    assert client.get("/").json() == {"visits": 2}
