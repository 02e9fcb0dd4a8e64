"""A directory of files, with conditional requests, ranges and index pages. Run: `uvicorn examples.static_files:app`."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient

ASSETS = Path(__file__).parent / "showcase" / "static"


async def homepage(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(request.url_for("static", path="style.css")))


app = Starlette(routes=[Route("/", homepage), Mount("/static", StaticFiles(directory=ASSETS), name="static")])


def check(client: TestClient) -> None:
    assert client.get("/").text == "http://testserver/static/style.css"
    css = client.get("/static/style.css")
    assert css.headers["content-type"] == "text/css; charset=utf-8"
    assert client.get("/static/style.css", headers={"if-none-match": css.headers["etag"]}).status_code == 304
    part = client.get("/static/style.css", headers={"range": "bytes=0-9"})
    assert (part.status_code, part.content) == (206, css.content[:10])
    assert client.get("/static/..%2Fapp.py").status_code == 404
    assert client.post("/static/style.css").status_code == 405
