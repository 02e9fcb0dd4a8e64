"""Stand-ins for providers, in tests: where they hold, and for how long."""

from __future__ import annotations

from typing import Annotated

from asterism.dependencies import Depends, inject, overrides
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.testclient import TestClient


def user() -> str:
    return "real user"


def greeting(user: Annotated[str, Depends(user)]) -> str:
    return f"hello {user}"


@inject
async def show(greeting: Annotated[str, Depends(greeting)]) -> Response:
    return PlainTextResponse(greeting)


def fake_user(request: Request) -> str:
    return f"fake {request.query_params['as']}"


inner = Starlette(routes=[Route("/", show)])
app = Starlette(
    routes=[
        Route("/", show),
        Mount("/below", inner),
        Mount("/wrapped", Starlette(routes=[Route("/", show)]), middleware=[Middleware(GZipMiddleware)]),
    ]
)
client = TestClient(app)


def test_a_stand_in_has_parameters_of_its_own_and_ends_with_the_block() -> None:
    with overrides(app, {user: fake_user}):
        assert client.get("/?as=eve").text == "hello fake eve"
        assert client.get("/?as=bob").text == "hello fake bob"
    assert client.get("/?as=eve").text == "hello real user"


def test_overrides_hold_for_what_is_mounted_below() -> None:
    with overrides(app, {user: fake_user}):
        assert client.get("/below/?as=eve").text == "hello fake eve"
        assert client.get("/wrapped/?as=eve").text == "hello fake eve"


def test_overrides_do_not_hold_elsewhere() -> None:
    other = Starlette(routes=[Route("/", show)])
    with overrides(inner, {user: fake_user}):
        assert client.get("/").text == "hello real user"
        assert client.get("/below/?as=eve").text == "hello fake eve"
        assert TestClient(other).get("/").text == "hello real user"


def test_overrides_inside_of_others_add_to_them() -> None:
    with overrides(app, {user: fake_user}):
        with overrides(app, {greeting: lambda: "short"}):
            assert client.get("/").text == "short"
        assert client.get("/?as=eve").text == "hello fake eve"


def test_a_router_without_an_application_can_be_overridden() -> None:
    router = Router(routes=[Route("/", show)])
    with overrides(router, {greeting: lambda: "short"}):
        assert TestClient(router).get("/").text == "short"
