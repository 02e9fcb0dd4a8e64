"""Reading a request: its headers, query, cookies, addresses."""

from __future__ import annotations

from typing import Any

from benchmarks.case import Case, Repeat, Work, equals, get, http_scope
from benchmarks.case import answer as answers

SCOPE = http_scope(
    "/items/42",
    query_string=b"q=search&page=2",
    headers=[(b"cookie", b"session=abcdef; theme=dark; lang=en"), (b"x-token", b"secret")],
)


def _request(read: Any, expected: object) -> Work:
    from starlette.requests import Request

    def step() -> Any:
        return read(Request(SCOPE.copy()))

    return Repeat(step, equals(expected))


def _everything(request: Any) -> tuple[Any, ...]:
    return request.headers.get("x-token"), request.query_params.get("q"), request.cookies["theme"]


def _url_for() -> Work:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Mount, Route

    async def page(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(request.url_for("m:item", id=7)))

    app = Starlette(
        routes=[Route("/", page), Mount("/m", routes=[Route("/items/{id:int}", page, name="item")], name="m")]
    )
    return get(app, "/", answers(200, b"http://example.org/m/items/7"))


CASES = (
    Case("Request: made only", lambda: _request(lambda request: request.method, "GET")),
    Case("Request: one header", lambda: _request(lambda request: request.headers["x-token"], "secret")),
    Case("Request: header, query and cookie", lambda: _request(_everything, ("secret", "search", "dark"))),
    Case("Request: url", lambda: _request(lambda request: request.url.path, "/items/42")),
    Case(
        "Request: url as text",
        lambda: _request(lambda request: str(request.url), "http://example.org/items/42?q=search&page=2"),
    ),
    Case("url_for, into a mount", _url_for),
)
