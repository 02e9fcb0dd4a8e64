"""The same endpoints written by hand: each check in the function, `JSONResponse` at its end."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


def whole(text: str, low: int, high: int) -> int:
    """Return a number in a range, or answer 422."""
    try:
        value = int(text)
    except ValueError:
        raise HTTPException(422)
    if not low <= value <= high:
        raise HTTPException(422)
    return value


async def item(request: Request) -> JSONResponse:
    query = request.query_params
    return JSONResponse(
        {
            "id": whole(request.path_params["id"], -(2**63), 2**63),
            "limit": whole(query["limit"], 1, 100),
            "offset": whole(query.get("offset", "0"), 0, 2**63),
            "search": query.get("search"),
            "active": query.get("active") == "true",
        }
    )


async def order(request: Request) -> JSONResponse:
    value = await request.json()
    if not (isinstance(value, dict) and isinstance(value.get("customer"), str) and isinstance(value.get("note"), str)):
        raise HTTPException(422)
    for line in value["lines"]:
        if not (isinstance(line.get("sku"), str) and isinstance(line.get("title"), str)):
            raise HTTPException(422)
        if not (isinstance(line.get("count"), int) and line["count"] >= 1 and line.get("price", 0) > 0):
            raise HTTPException(422)
    return JSONResponse(value)


async def first(request: Request) -> int:
    return whole(request.query_params["limit"], 1, 100)


async def second(value: int) -> int:
    return value + 1


async def third(value: int) -> int:
    return value + 1


async def fourth(value: int) -> int:
    return value + 2


async def fifth(value: int) -> int:
    return value + 2


async def nested(request: Request) -> JSONResponse:
    value: Any = await fifth(await fourth(await third(await second(await first(request)))))
    return JSONResponse({"value": value})


app = Starlette(
    routes=[Route("/items/{id}", item), Route("/orders", order, methods=["POST"]), Route("/nested", nested)]
)
