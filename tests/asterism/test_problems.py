"""Problem details as exceptions, responses and handlers (RFC 9457)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asterism.problems import Problem, ProblemMiddleware, ProblemResponse, answer, handlers, install
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from tests.asgi import Record, body, http_scope


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


# -- what is no exception ----------------------------------------------------------------------------------------------


def replying(*chunks: bytes, status: int = 400, **headers: str) -> ProblemMiddleware:
    """Return an application that answers with these chunks."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        last = len(chunks) - 1
        for index, chunk in enumerate(chunks):
            await send({"type": "http.response.body", "body": chunk, "more_body": index < last})

    return ProblemMiddleware(app)


@pytest.mark.parametrize(
    ("app", "members"),
    [
        pytest.param(
            Starlette(middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["example.org"])]),
            {"title": "Bad Request", "status": 400, "detail": "Invalid host header"},
            id="of-a-middleware",
        ),
        pytest.param(
            Starlette(routes=[Mount("/", Starlette())], exception_handlers=handlers()),
            {"title": "Not Found", "status": 404},
            id="of-a-mounted-application",
        ),
        pytest.param(
            replying(b"No ", "café".encode(), content_type="Text/Plain;charset=utf-8"),
            {"title": "Bad Request", "status": 400, "detail": "No café"},
            id="in-several-chunks",
        ),
        pytest.param(replying(b"", status=502), {"title": "Bad Gateway", "status": 502}, id="without-any-content"),
        pytest.param(replying(b"\xff"), {"title": "Bad Request", "status": 400, "detail": "\ufffd"}, id="no-utf-8"),
    ],
)
def test_errors_of_others_become_problems(app: Any, members: dict[str, Any]) -> None:
    asked = TestClient(app if isinstance(app, ProblemMiddleware) else ProblemMiddleware(app))
    response = asked.get("/x")
    assert (response.status_code, response.json()) == (members["status"], members)
    assert response.headers.get_list("content-type") == ["application/problem+json"]
    assert response.headers.get_list("content-length") == [str(len(response.content))]


def test_the_body_limit_of_an_application_answers_with_a_problem() -> None:
    app = ProblemMiddleware(Starlette(max_body_size=1))
    assert TestClient(app).post("/", content=b"xx").json() == {"title": "Content Too Large", "status": 413}


def test_other_fields_of_an_error_stay() -> None:
    response = TestClient(replying(b"later", status=503, retry_after="3", content_length="5")).get("/")
    assert (response.headers["retry-after"], response.json()["detail"]) == ("3", "later")


@pytest.mark.parametrize(
    ("app", "content"),
    [
        pytest.param(replying(b"fine", status=200), b"fine", id="success"),
        pytest.param(replying(b"{}", content_type="application/json"), b"{}", id="another-type"),
        pytest.param(replying(b"x", content_encoding="unknown"), b"x", id="compressed"),
        pytest.param(replying(b"a" * 1025), b"a" * 1025, id="long"),
        pytest.param(replying(b"a" * 1000, b"b" * 1000, b"c"), b"a" * 1000 + b"b" * 1000 + b"c", id="long-in-chunks"),
    ],
)
def test_other_responses_pass_as_they_come(app: Any, content: bytes) -> None:
    response = TestClient(app).get("/")
    assert response.content == content
    assert response.headers.get("content-type") != "application/problem+json"


def test_what_is_no_http_passes() -> None:
    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    with TestClient(ProblemMiddleware(Starlette(routes=[WebSocketRoute("/", talk)]))) as client:
        with client.websocket_connect("/"):
            pass


@pytest.mark.anyio
async def test_other_messages_go_through_while_an_error_is_held() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 400})
        await send({"type": "http.response.debug"})
        await send({"type": "http.response.body"})

    sent = Record()
    await ProblemMiddleware(app)(http_scope(), body(), sent)
    assert [kind.rpartition(".")[2] for kind in sent.types] == ["debug", "start", "body"]


@pytest.mark.anyio
async def test_an_application_that_fails_fails_as_before() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 400, "headers": []})
        raise LookupError("app")

    sent = Record()
    with pytest.raises(LookupError):
        await ProblemMiddleware(app)(http_scope(), body(), sent)
    assert sent.messages == []
