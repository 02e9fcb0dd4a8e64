"""Static files that are mounted by a call. Run: `uvicorn examples.earlier_static:app`."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.staticfiles import StaticFiles
from starlette.testclient import TestClient

app = Starlette()
app.mount("/static", StaticFiles(directory=Path(__file__).parent / "showcase" / "static"), name="static")


@app.route("/")
async def homepage(request: Request) -> PlainTextResponse:
    return PlainTextResponse(app.url_path_for("static", path="/style.css"))


def check(client: TestClient) -> None:
    path = client.get("/").text
    assert path == "/static/style.css"
    assert client.get(path).headers["content-type"] == "text/css; charset=utf-8"
    assert client.get("/static/nothing.css").status_code == 404
