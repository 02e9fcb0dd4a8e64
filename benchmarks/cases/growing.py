"""Cases that differ in one number: how cost grows with routes, middlewares and bytes. `python -m benchmarks growth`."""

from __future__ import annotations

from typing import Any, Final

from benchmarks.case import Case, Work, answer, get, post
from benchmarks.cases.applications import Passing, text_app

KIB: Final = 1024
ROUTES: Final = (1, 10, 100, 1000, 10_000)
MIDDLEWARES: Final = (0, 1, 2, 5, 10, 20)
BODIES: Final = (KIB, 16 * KIB, 256 * KIB, 4 * KIB * KIB, 25 * KIB * KIB, 100 * KIB * KIB)


def _routes(number: int) -> Work:
    # Every other one has a parameter; the last is asked for.
    ends = ("item/{id:int}", "page")
    routes = [(f"/section/{index}/{ends[index % 2]}", str(index)) for index in range(number)]
    last = routes[-1][0].replace("{id:int}", "7")
    return get(text_app(*routes), last, answer(200, str(number - 1).encode()))


def _middlewares(number: int) -> Work:
    from starlette.middleware import Middleware

    return get(text_app(("/", "x"), middleware=[Middleware(Passing)] * number), "/", answer(200, b"x"))


def _body(size: int) -> Work:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def endpoint(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    app: Any = Starlette(routes=[Route("/", endpoint, methods=["POST"])])
    # A server hands out 64 KiB at a time.
    chunk = bytes(min(size, 64 * KIB))
    chunks = [chunk] * (size // len(chunk))
    return post(app, chunks, "application/octet-stream", answer(200, str(size).encode()))


def _case(kind: str, number: int, make: Any) -> Case:
    return Case(f"{kind}: {number}", lambda: make(number))


# By kind: the number, and the name of its case.
KINDS: Final = {
    "routes": [(number, f"routes: {number}") for number in ROUTES],
    "middlewares": [(number, f"middlewares: {number}") for number in MIDDLEWARES],
    "body": [(number, f"body: {number}") for number in BODIES],
}

CASES: Final = (
    *(_case("routes", number, _routes) for number in ROUTES),
    *(_case("middlewares", number, _middlewares) for number in MIDDLEWARES),
    *(_case("body", number, _body) for number in BODIES),
)
