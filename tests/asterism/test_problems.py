"""Problem details as exceptions, responses and handlers (RFC 9457)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asterism.problems import Problem, ProblemResponse, answer, handlers, install
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from tests.asgi import http_scope


def client_for(error: Exception, **options: Any) -> TestClient:
    """Return a client of an application whose only endpoint raises."""

    async def endpoint(request: Request) -> Response:
        raise error

    app = Starlette(routes=[Route("/", endpoint)], exception_handlers=handlers(), **options)
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("problem", "members"),
    [
        pytest.param(Problem(404), {"title": "Not Found", "status": 404}, id="the-status-says-it-all"),
        pytest.param(
            Problem(409, "Paid.", title="Too late", type="https://e.org/paid", instance="/orders/7", order=7),
            {
                "type": "https://e.org/paid",
                "title": "Too late",
                "status": 409,
                "detail": "Paid.",
                "instance": "/orders/7",
                "order": 7,
            },
            id="every-member-and-an-extension",
        ),
        pytest.param(Problem(422), {"title": "Unprocessable Content", "status": 422}, id="today's-phrase"),
        pytest.param(Problem(413), {"title": "Content Too Large", "status": 413}, id="today's-phrase-413"),
        pytest.param(Problem(499), {"title": "Error", "status": 499}, id="a-status-without-a-phrase"),
        pytest.param(HTTPException(404), {"title": "Not Found", "status": 404}, id="an-ordinary-exception"),
        pytest.param(
            HTTPException(404, "No such order"),
            {"title": "Not Found", "status": 404, "detail": "No such order"},
            id="with-a-detail",
        ),
        pytest.param(
            HTTPException(400, [{"a": 1}]),  # type: ignore[arg-type]  # as FastAPI's users do
            {"title": "Bad Request", "status": 400, "errors": [{"a": 1}]},
            id="with-a-detail-that-is-no-text",
        ),
        pytest.param(
            ValueError("secret"),
            {
                "title": "Internal Server Error",
                "status": 500,
                "detail": "The server failed. The error was recorded.",
            },
            id="nothing-of-an-unforeseen-error",
        ),
    ],
)
def test_errors_are_answered_with_problem_details(problem: Exception, members: dict[str, Any]) -> None:
    response = client_for(problem).get("/")
    assert response.status_code == members["status"]
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == members


def test_headers_are_kept() -> None:
    response = client_for(HTTPException(401, headers={"www-authenticate": "Basic"})).get("/")
    assert response.headers["www-authenticate"] == "Basic"


def test_a_status_without_content_has_none() -> None:
    response = client_for(HTTPException(304)).get("/")
    assert (response.status_code, response.content, response.headers.get("content-type")) == (304, b"", None)


def test_routes_that_do_not_exist_are_problems_too() -> None:
    response = client_for(Problem(400)).get("/nowhere")
    assert response.json() == {"title": "Not Found", "status": 404}
    assert client_for(Problem(400)).post("/").json() == {"title": "Method Not Allowed", "status": 405}


def test_a_method_that_is_not_allowed_is_told_all_that_are() -> None:
    async def endpoint(request: Request) -> Response:
        return Response()

    routes = [
        Route("/x", endpoint, methods=["GET"]),
        Route("/{name}", endpoint, methods=["POST"]),
        Route("/y", endpoint, methods=["PATCH"]),
        Mount("/v1", routes=[Route("/x", endpoint, methods=["PUT"])]),
    ]
    client = TestClient(Starlette(routes=routes, exception_handlers=handlers()))
    assert client.delete("/x").headers["allow"] == "GET, HEAD, POST"
    assert client.delete("/v1/x").headers["allow"] == "PUT"


def test_values_that_are_no_json_are_shown_as_text() -> None:
    response = ProblemResponse(Problem(400, "\ud800", value=1j))
    assert json.loads(bytes(response.body)) == {"title": "Bad Request", "status": 400, "detail": "?", "value": "1j"}


def test_install_adds_handlers_and_keeps_those_that_are_there() -> None:
    async def teapot(request: Request, exc: Exception) -> Response:
        return PlainTextResponse("tea", 418)

    async def endpoint(request: Request) -> Response:
        raise HTTPException(int(request.query_params["status"]))

    app = Starlette(routes=[Route("/", endpoint)], exception_handlers={418: teapot})
    install(app)
    with TestClient(app) as client:
        assert client.get("/?status=418").text == "tea"
        assert client.get("/?status=409").json() == {"title": "Conflict", "status": 409}
    with pytest.raises(RuntimeError, match="before the application serves"):
        install(app)


@pytest.mark.anyio
async def test_the_handler_answers_other_exceptions_as_failures() -> None:
    response = await answer(Request(http_scope()), LookupError("secret"))
    assert (response.status_code, b"secret" in bytes(response.body)) == (500, False)
