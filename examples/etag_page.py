"""A page that answers 304 when the browser already has it. Run: `uvicorn examples.etag_page:app`."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

ETAG = '"v1"'


def page(request: Request) -> Response:
    if request.headers.get("if-none-match") == ETAG:
        return Response(status_code=304, headers={"etag": ETAG})
    return PlainTextResponse("hello", headers={"etag": ETAG})


app = Starlette(routes=[Route("/", page)])


def check(client: TestClient) -> None:
    first = client.get("/")
    assert (first.status_code, first.text, first.headers["etag"]) == (200, "hello", ETAG)
    again = client.get("/", headers={"if-none-match": ETAG})
    assert (again.status_code, again.content) == (304, b"")
