"""The same endpoints for FastAPI, as its documentation writes them."""

# The package is in an environment of its own, where no type checker looks.
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

from __future__ import annotations

from typing import Annotated, Any

import pydantic
from fastapi import Depends, FastAPI, Query


class Line(pydantic.BaseModel):
    """A line of an order."""

    sku: str
    title: str
    count: Annotated[int, pydantic.Field(ge=1)]
    price: Annotated[float, pydantic.Field(gt=0)]


class Order(pydantic.BaseModel):
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


app = FastAPI()
app.get("/items/{id}")(item)
app.post("/orders")(order)
app.get("/nested")(nested)
