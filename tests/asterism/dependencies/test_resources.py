"""What lives as long as the application: made in its lifespan, once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import pytest

from asterism.dependencies import Depends, inject, overrides, resources
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

EVENTS: list[str] = []


def settings() -> dict[str, str]:
    EVENTS.append("settings")
    return {"url": "db"}


Settings = Annotated[dict[str, str], Depends(settings, scope="app")]


async def engine(settings: Settings) -> AsyncIterator[str]:
    EVENTS.append("open engine")
    yield settings["url"]
    EVENTS.append("close engine")


def cache(settings: Settings, /) -> Iterator[str]:
    yield f"cache of {settings['url']}"
    EVENTS.append("close cache")


async def clock() -> str:
    return "clock"


Engine = Annotated[str, Depends(engine, scope="app")]


async def session(engine: Engine) -> str:
    return f"session of {engine}"


@inject
async def show(
    request: Request,
    session: Annotated[str, Depends(session)],
    engine: Engine,
    cache: Annotated[str, Depends(cache, scope="app")],
    clock: Annotated[str, Depends(clock, scope="app")],
) -> Response:
    own = getattr(request.state, "own", "-")
    return PlainTextResponse(f"{session}, {engine}, {cache}, {clock}, {own}")


@asynccontextmanager
async def own_lifespan(app: Any) -> AsyncIterator[dict[str, str]]:
    EVENTS.append("begin")
    yield {"own": "mine"}
    EVENTS.append("end")


ROUTES = [Route("/", show), Mount("/below", routes=[Route("/", show)])]
ANSWER = "session of db, db, cache of db, clock, "


def test_resources_are_made_once_and_closed_in_the_end() -> None:
    EVENTS.clear()
    app = Starlette(routes=ROUTES, lifespan=resources(own_lifespan))
    with TestClient(app) as client:
        assert client.get("/").text == ANSWER + "mine"
        assert client.get("/below/").text == ANSWER + "mine"
        assert EVENTS == ["begin", "settings", "open engine"]
    assert EVENTS[3:] == ["close cache", "close engine", "end"]


def test_a_lifespan_of_ones_own_is_not_needed() -> None:
    with TestClient(Starlette(routes=ROUTES, lifespan=resources())) as client:
        assert client.get("/").text == ANSWER + "-"


def test_resources_of_routes_to_come_are_named() -> None:
    app = Starlette(lifespan=resources(None, engine, cache, clock, settings))
    with TestClient(app) as client:
        app.routes.append(Route("/", show))
        assert client.get("/").text == ANSWER + "-"


@pytest.mark.parametrize("lifespan", [None, own_lifespan])
def test_without_the_lifespan_the_error_says_what_to_do(lifespan: Any) -> None:
    client = TestClient(Starlette(routes=ROUTES, lifespan=lifespan))
    with pytest.raises(RuntimeError, match=r"engine lives as long as the application.*lifespan=resources\(\)"):
        client.get("/")


def test_a_resource_can_be_overridden_without_being_made() -> None:
    app = Starlette(routes=ROUTES)
    fakes: dict[Any, Any] = {engine: lambda: "fake", cache: lambda: "fake cache", clock: lambda: "now"}
    with overrides(app, fakes):
        assert TestClient(app).get("/").text == "session of fake, fake, fake cache, now, -"


def test_a_lifespan_does_not_make_what_is_overridden() -> None:
    EVENTS.clear()
    app = Starlette(routes=ROUTES, lifespan=resources())
    with overrides(app, {settings: lambda: {"url": "fake"}, engine: lambda: "fake"}), TestClient(app) as client:
        assert client.get("/").text == "session of fake, fake, cache of fake, clock, -"
    assert EVENTS == ["close cache"]
