"""Routes, middleware, handlers and events by decorators. Run: `uvicorn examples.earlier_decorators:app`."""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.testclient import TestClient

app = Starlette(debug=True)
greetings: list[str] = []


@app.on_event("startup")
async def learn_greetings() -> None:
    greetings[:] = ["hello"]


@app.on_event("shutdown")
def forget_greetings() -> None:
    greetings.clear()


@app.route("/")
async def homepage(request: Request) -> JSONResponse:
    return JSONResponse({greetings[0]: "world"})


@app.route("/users/{name}", methods=["GET", "POST"], name="user")
def user(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{request.method} {request.path_params['name']}")


@app.middleware("http")
async def add_header(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers["X-Greeting"] = greetings[0]
    return response


@app.exception_handler(404)
async def not_found(request: Request, exc: Exception) -> PlainTextResponse:
    return PlainTextResponse("nobody here", status_code=404)


def check(client: TestClient) -> None:
    response = client.get("/")
    assert response.json() == {"hello": "world"}
    assert response.headers["x-greeting"] == "hello"
    assert client.post(app.url_path_for("user", name="ada")).text == "POST ada"
    assert client.get("/nowhere").text == "nobody here"
