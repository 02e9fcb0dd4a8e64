"""The endpoints as typed functions of `asterism.api`."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from asterism.api import Depends, Query, endpoint
from starlette.applications import Starlette
from starlette.routing import Route


class Line(msgspec.Struct):
    """A line of an order."""

    sku: str
    title: str
    count: Annotated[int, msgspec.Meta(ge=1)]
    price: Annotated[float, msgspec.Meta(gt=0)]


class Order(msgspec.Struct):
    """An order."""

    customer: str
    note: str
    lines: list[Line]


async def item(
    id: int,
    limit: Annotated[int, Query(ge=1, le=100)],
    offset: Annotated[int, Query(ge=0)] = 0,
    search: str | None = None,
    active: bool = False,
) -> dict[str, Any]:
    return {"id": id, "limit": limit, "offset": offset, "search": search, "active": active}


async def order(order: Order) -> Order:
    return order


async def first(limit: Annotated[int, Query(ge=1, le=100)]) -> int:
    return limit


async def second(value: Annotated[int, Depends(first)]) -> int:
    return value + 1


async def third(value: Annotated[int, Depends(second)]) -> int:
    return value + 1


async def fourth(value: Annotated[int, Depends(third)]) -> int:
    return value + 2


async def fifth(value: Annotated[int, Depends(fourth)]) -> int:
    return value + 2


async def nested(value: Annotated[int, Depends(fifth)]) -> dict[str, int]:
    return {"value": value}


app = Starlette(
    routes=[
        Route("/items/{id}", endpoint(item)),
        Route("/orders", endpoint(order), methods=["POST"]),
        Route("/nested", endpoint(nested)),
    ]
)
