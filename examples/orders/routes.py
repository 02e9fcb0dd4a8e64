"""The endpoints: each says what it needs and what it returns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from msgspec import convert
from sqlalchemy import select

from asterism.api import API, Answer, Header, Query, Reply
from asterism.problems import Problem
from examples.orders import models, shop
from examples.orders.database import Reading, Session, Snapshot
from examples.orders.schemas import Change, NewOrder, NewProduct, Number, Order, Orders, Product, Products, Sku, Status

UNKNOWN = Answer(404, Problem, description="There is no such thing.")
CONFLICT = Answer(409, Problem, description="It cannot be done as things stand. Nothing was changed.")
BUSY = Answer(503, Problem, description="The database is busy or away. Try again.")

Limit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]

products = API(tags=["products"], responses={404: UNKNOWN, 409: CONFLICT, 503: BUSY})
orders = API(tags=["orders"], responses={404: UNKNOWN, 409: CONFLICT, 503: BUSY})


@products.get("/products")
async def list_products(session: Reading, after: Sku | None = None, limit: Limit = 20) -> Products:
    """List products, ordered by their number."""
    wanted = select(models.Product).order_by(models.Product.sku).limit(limit + 1)
    if after is not None:
        wanted = wanted.where(models.Product.sku > after)
    found = list(await session.scalars(wanted))
    return Products(
        convert(found[:limit], list[Product], from_attributes=True),
        found[limit - 1].sku if len(found) > limit else None,
    )


@products.get("/products/{sku}", returns=Product)
async def show_product(sku: Sku, session: Reading) -> models.Product:
    """Show a product."""
    product = await session.get(models.Product, sku)
    if product is None:
        raise Problem(404, f"There is no product {sku}.")
    return product


@products.put("/products/{sku}", returns=Product)
async def put_product(sku: Sku, product: NewProduct, session: Session) -> models.Product:
    """Offer a product, or change what it is."""
    values = {"sku": sku, "name": product.name, "price_cents": product.price_cents, "stock": product.stock}
    return await session.merge(models.Product(**values))


@orders.post("/orders", returns=Order, status_code=201, responses={200: Order, 409: CONFLICT, 503: BUSY})
async def place_order(
    order: NewOrder,
    session: Session,
    reply: Reply,
    idempotency_key: Annotated[
        str | None, Header(pattern=r"^[!-~]{1,100}$", description="The same for each attempt at one order.")
    ] = None,
) -> models.Order:
    """Place an order.

    With an `Idempotency-Key`, an order that was placed already is returned with status 200: whoever got no answer can
    ask again.
    """
    if idempotency_key is None:
        placed = await shop.place(session, order)
    else:
        placed, is_new = await shop.place_once(session, order, idempotency_key)
        reply.status_code = 201 if is_new else 200
    reply.headers["location"] = f"/orders/{placed.id}"
    return placed


@orders.get("/orders")
async def list_orders(
    session: Reading, after: Number | None = None, status: Status | None = None, limit: Limit = 20
) -> Orders:
    """List orders, the oldest first."""
    wanted = select(models.Order).order_by(models.Order.id).limit(limit + 1)
    if after is not None:
        wanted = wanted.where(models.Order.id > after)
    if status is not None:
        wanted = wanted.where(models.Order.status == status)
    found = list(await session.scalars(wanted))
    return Orders(
        convert(found[:limit], list[Order], from_attributes=True), found[limit - 1].id if len(found) > limit else None
    )


@orders.get("/orders/{id}", returns=Order)
async def show_order(id: Number, session: Reading) -> models.Order:
    """Show an order."""
    return await shop.find(session, id)


@orders.post("/orders/{id}/payment", returns=Order)
async def pay_order(id: Number, change: Change, session: Session) -> models.Order:
    """Note that an order was paid."""
    return await shop.pay(session, id, change.version)


@orders.post("/orders/{id}/cancellation", returns=Order)
async def cancel_order(id: Number, change: Change, session: Session) -> models.Order:
    """Cancel an order that is not paid yet."""
    return await shop.cancel(session, id, change.version)


@orders.get("/export", returns=AsyncIterator[Order], responses={503: BUSY})
async def export_orders(session: Snapshot) -> AsyncIterator[models.Order]:
    """Send all orders, as they are at one moment."""
    for order in await session.scalars(select(models.Order).order_by(models.Order.id)):
        yield order
