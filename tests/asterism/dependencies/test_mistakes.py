"""Signatures that cannot be served are refused when the endpoint is made, with the way that leads to the mistake."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Annotated, Any

import pytest

from asterism.dependencies import DependencyError, Depends, inject
from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket

if TYPE_CHECKING:
    from decimal import Decimal


async def chicken(egg: Annotated[int, Depends(lambda: 0)]) -> int:
    return egg


async def egg(chicken: Annotated[int, Depends(chicken)]) -> int:
    return chicken


chicken.__annotations__["egg"] = Annotated[int, Depends(egg)]


async def narcissus(value: int) -> int:
    return value


narcissus.__annotations__["value"] = Annotated[int, Depends(narcissus)]


async def needy(url: str) -> str:
    return url


async def middle(value: Annotated[str, Depends(needy)]) -> str:
    return value


async def short() -> AsyncIterator[int]:
    yield 1


async def long(value: Annotated[int, Depends(short, scope="endpoint")]) -> AsyncIterator[int]:
    yield value


async def pool(request: Request) -> int:
    return 1


async def pool_of_request(value: Annotated[int, Depends(short)]) -> int:
    return value


async def of_checkers(value: Decimal) -> None: ...


async def circle(value: Annotated[int, Depends(chicken)]) -> None: ...


async def alone(value: Annotated[int, Depends(narcissus)]) -> None: ...


async def missing(request: Request, size: int) -> None: ...


async def missing_below(value: Annotated[str, Depends(middle)]) -> None: ...


async def outlived(value: Annotated[int, Depends(long)]) -> None: ...


async def pooled(value: Annotated[int, Depends(pool, scope="app")]) -> None: ...


async def pooled_of_request(value: Annotated[int, Depends(pool_of_request, scope="app")]) -> None: ...


async def socket_in_request(request: Request, value: Annotated[Any, Depends(lambda: 0)], ws: Any) -> None: ...


async def of_websocket(websocket: WebSocket) -> None: ...


async def wrong_kind(request: Request, value: Annotated[str, Depends(of_websocket)]) -> None: ...


async def wrong_kind_in_websocket(websocket: WebSocket, request: Request) -> None: ...


async def not_callable(value: Annotated[list[int] | None, Depends()]) -> None: ...


async def default(value: int = Depends(short)) -> None: ...  # type: ignore[assignment]  # the mistake


async def method(self: Any, request: Request) -> None: ...


MISTAKES = [
    pytest.param(
        default, r"Depends\(\) of the parameter value is not seen there: write value: Annotated", id="default"
    ),
    pytest.param(method, r"nothing provides the parameter self: .*; pass methods bound to their object", id="method"),
    pytest.param(circle, r"chicken depends on itself \(chicken -> egg -> chicken\)", id="circle"),
    pytest.param(alone, r"narcissus depends on itself \(narcissus -> narcissus\)", id="circle-of-one"),
    pytest.param(
        missing,
        r"nothing provides the parameter size: int; endpoint\(\) .* \(missing\)",
        id="missing",
    ),
    pytest.param(
        missing_below,
        r"nothing provides the parameter url: str.* \(missing_below -> middle -> needy\)",
        id="missing-further-down",
    ),
    pytest.param(
        outlived,
        r"long lives for the request and cannot use short, which lives for the endpoint \(outlived -> long -> short\)",
        id="a-request-outlives-an-endpoint",
    ),
    pytest.param(
        pooled_of_request,
        r"pool_of_request lives for the app and cannot use short, which lives for the request",
        id="an-application-outlives-a-request",
    ),
    pytest.param(pooled, r"nothing provides the parameter request: Request \(pooled -> pool\)", id="no-request-yet"),
    pytest.param(wrong_kind, r"this is an endpoint of a Request \(wrong_kind -> of_websocket\)", id="not-a-websocket"),
    pytest.param(wrong_kind_in_websocket, r"this is an endpoint of a WebSocket", id="not-a-request"),
    pytest.param(not_callable, r"needs a provider", id="no-provider"),
    pytest.param(of_checkers, r"names 'Decimal', which is not in its module", id="a-name-for-checkers-only"),
]


@pytest.mark.parametrize(("function", "message"), MISTAKES)
def test_mistakes_are_raised_at_construction(function: Callable[..., Any], message: str) -> None:
    with pytest.raises(DependencyError, match=message):
        inject(function)


def test_the_chain_can_be_read() -> None:
    with pytest.raises(DependencyError) as caught:
        inject(missing_below)
    assert caught.value.chain == (missing_below, middle, needy)


def test_marks_are_checked() -> None:
    with pytest.raises(ValueError, match="scope must be one of endpoint, request, app, got 'session'"):
        Depends(short, scope="session")  # type: ignore[arg-type]  # the mistake
    with pytest.raises(TypeError, match="a provider must be a function or a class, got 3"):
        Depends(3)  # type: ignore[arg-type]  # the mistake


def test_a_request_with_a_type_of_state_is_a_request() -> None:
    async def show(request: Request[Any], connection: HTTPConnection[Any]) -> None: ...

    assert inject(show).__name__ == "show"
