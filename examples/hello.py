"""The first application. Run: `uvicorn examples.hello:app --reload`."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient


async def homepage(request: Request) -> JSONResponse:
    return JSONResponse({"message": "Hello, Starlette!"})


app = Starlette(debug=True, routes=[Route("/", homepage)])


def check(client: TestClient) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"message": "Hello, Starlette!"}
    assert client.get("/nowhere").status_code == 404
