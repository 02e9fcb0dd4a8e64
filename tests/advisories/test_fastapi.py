"""Published advisories against FastAPI, as far as they concern what it stands on: each is a test by its number.

The docstrings say what happened there; the assertions are what holds here. `docs/threats.md` lists them. What needs the
package itself runs where it is installed: `scripts/test --downstream`.
"""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

import pytest

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from tests.advisories.support import Client, form_application, post
from tests.asgi import body, call, http_scope
from tests.growth import per_doubling

# What a page of another site can send without asking first: a form with one of these types (Fetch, "CORS-safelisted").
SIMPLE_TYPES = ["text/plain", "text/plain; application/json", "application/x-www-form-urlencoded", ""]


def json_scope(content_type: str) -> dict[str, Any]:
    fields = [(b"host", b"testserver"), (b"content-type", content_type.encode())]
    return http_scope("/", "POST", headers=fields)


@pytest.mark.anyio
@pytest.mark.parametrize("content_type", SIMPLE_TYPES)
async def test_cve_2021_32677_json_under_another_type_is_refused_by_fastapi(content_type: str) -> None:
    """A page of another site could post JSON as `text/plain`, with the visitor's cookies, and was understood."""
    fastapi = pytest.importorskip("fastapi", reason="FastAPI is installed by `scripts/test --downstream` only")
    app = fastapi.FastAPI()

    async def transfer(order: Any) -> str:
        return str(order["amount"])

    transfer.__annotations__["order"] = dict[str, int]
    app.post("/")(transfer)
    assert (await call(app, json_scope("application/json"), body(b'{"amount": 7}'))).body == b'"7"'
    assert (await call(app, json_scope(content_type), body(b'{"amount": 7}'))).status == 422


@pytest.mark.anyio
@pytest.mark.parametrize("content_type", SIMPLE_TYPES)
async def test_cve_2021_32677_a_handler_sees_the_type_and_can_refuse(content_type: str) -> None:
    """`request.json()` reads what the handler asks for; the handler decides, by the type as it was sent."""

    async def transfer(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return PlainTextResponse("send JSON as application/json", status_code=415)
        return PlainTextResponse(str((await request.json())["amount"]))

    app = Starlette(routes=[Route("/", transfer, methods=["POST"])])
    assert (await call(app, json_scope("Application/JSON; charset=utf-8"), body(b'{"amount": 7}'))).body == b"7"
    assert (await call(app, json_scope(content_type), body(b'{"amount": 7}'))).status == 415


@pytest.mark.anyio
async def test_cve_2021_32677_sessions_are_not_sent_along_by_pages_of_others() -> None:
    """And the session cookie is `SameSite=lax` unless told otherwise, so that a foreign post comes without it."""

    async def enter(request: Request) -> Response:
        request.session["user"] = "ada"
        return PlainTextResponse("welcome")

    app = Starlette(routes=[Route("/", enter)], middleware=[Middleware(SessionMiddleware, secret_key="k")])
    cookie = SimpleCookie((await call(app)).header("set-cookie"))["session"]
    assert (cookie["samesite"], cookie["httponly"]) == ("lax", True)


def test_ghsa_qf9m_vfgh_m389_a_content_type_is_read_in_linear_time() -> None:
    """The duplicate of CVE-2024-24762 for this package: one header held the event loop for minutes."""
    app = form_application()

    def work(size: int) -> object:
        return post(app, Client([b""]), 'application/x-www-form-urlencoded; !="' + "\\" * size)

    assert per_doubling(work, 20_000) < 3
