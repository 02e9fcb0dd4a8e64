"""The wrapper that other frameworks put around their own endpoints (exceptions.md C)."""

from __future__ import annotations

from typing import Any

import pytest

from starlette._exception_handler import wrap_app_handling_exceptions
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send
from tests.asgi import Record, body, call, http_scope

pytestmark = pytest.mark.anyio

TABLES = "starlette.exception_handlers"


def scope_with(by_class: dict[Any, Any], by_status: dict[int, Any]) -> dict[str, Any]:
    return http_scope() | {TABLES: (by_class, by_status)}


async def fails(scope: Scope, receive: Receive, send: Send) -> None:
    raise KeyError("x")


def handled(request: Request, exc: Exception) -> Response:
    return PlainTextResponse(f"handled {exc!r}")


async def test_handlers_are_those_in_force_when_the_application_is_wrapped() -> None:  # R16
    scope = scope_with({LookupError: handled}, {})
    app = wrap_app_handling_exceptions(fails, Request(scope))
    del scope[TABLES]
    assert (await call(app, scope)).body == b"handled KeyError('x')"


async def test_without_handlers_everything_is_raised() -> None:  # R16
    with pytest.raises(KeyError):
        await call(wrap_app_handling_exceptions(fails, Request(http_scope())))


async def test_a_start_by_the_wrapped_application_is_noted() -> None:  # R20
    async def starts(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise HTTPException(404)

    scope = scope_with({}, {404: handled})
    sent = Record()
    with pytest.raises(RuntimeError, match="response already started"):
        await wrap_app_handling_exceptions(starts, Request(scope))(scope, body(), sent)
    assert sent.types == ["http.response.start"]


async def test_a_handler_may_answer_with_any_application() -> None:  # R22
    async def raw(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 299, "headers": []})

    def answers(request: Request, exc: Exception) -> Any:
        return raw

    scope = scope_with({KeyError: answers}, {})
    assert (await call(wrap_app_handling_exceptions(fails, Request(scope)), scope)).status == 299
