"""Middlewares as objects and as base classes: copied, overridden, reassigned while serving."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from tests.architecture.seams import by_cloudpickle, get, says
from tests.architecture.test_seams_objects import make_router, serves

base: Any = pytest.importorskip("starlette.middleware.base")
cors: Any = pytest.importorskip("starlette.middleware.cors")
gzip: Any = pytest.importorskip("starlette.middleware.gzip")

pytestmark = pytest.mark.anyio


async def dispatch(request: Request, call_next: Any) -> Response:
    response: Response = await call_next(request)
    return response


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda app: gzip.GZipMiddleware(app), id="gzip"),
        pytest.param(lambda app: cors.CORSMiddleware(app, allow_origins=["https://a"]), id="cors"),
        pytest.param(lambda app: ServerErrorMiddleware(app), id="errors"),
        pytest.param(lambda app: ExceptionMiddleware(app), id="exceptions"),
        pytest.param(lambda app: base.BaseHTTPMiddleware(app, dispatch), id="base"),
    ],
)
async def test_middlewares_can_be_copied(make: Any) -> None:
    layer = make(make_router())
    await serves(layer)
    for twin in (copy.deepcopy(layer), by_cloudpickle(layer)):
        assert type(twin) is type(layer)
        await serves(twin)


async def test_dispatch_of_base_middleware_may_be_overridden_given_or_reassigned() -> None:
    async def given(request: Request, call_next: Any) -> Response:
        response = await call_next(request)
        response.headers["by"] = "given"
        return response  # type: ignore[no-any-return]

    class Overriding(base.BaseHTTPMiddleware):  # type: ignore[misc]  # the module is taken as it is
        async def dispatch(self, request: Request, call_next: Any) -> Response:
            response = await call_next(request)
            response.headers["by"] = "overriding"
            return response  # type: ignore[no-any-return]

    overriding: Any = Overriding
    for middleware, expected in (
        (Middleware(base.BaseHTTPMiddleware, dispatch=given), "given"),
        (Middleware(overriding), "overriding"),
    ):
        app = Starlette(routes=[Route("/", says("x"))], middleware=[middleware])
        assert (await get(app)).header("by") == expected
        layer: Any = app.middleware_stack.app  # type: ignore[union-attr]
        assert layer.app is app.middleware_stack.app.app  # type: ignore[union-attr]

        async def other(request: Request, call_next: Any) -> Response:
            return PlainTextResponse("other", headers={"by": "other"})

        layer.dispatch_func = other
        assert (await get(app)).header("by") == "other"
