"""What the shop does, without any HTTP: functions of a session, each within the transaction of whoever calls it."""

from __future__ import annotations

import hashlib
from collections import Counter

import msgspec
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from asterism.problems import Problem
from examples.orders import schemas
from examples.orders.models import Line, Order, Product, Receipt


async def place(session: AsyncSession, wanted: schemas.NewOrder) -> Order:
    """Take what is wanted from the stock and note the order.

    Raises:
        Problem: 409: there is not enough of something. Nothing is taken then, as the transaction is rolled back.
    """
    lines = []
    missing = []
    quantities = Counter[str]()
    for line in wanted.lines:
        quantities[line.sku] += line.quantity
    # In the same order everywhere: of two that want the same products, the second waits for the first, and never
    # each for the other.
    for sku, quantity in sorted(quantities.items()):
        # Looking and taking in one statement: nobody comes in between.
        taken = (
            update(Product)
            .where(Product.sku == sku, Product.stock >= quantity)
            .values(stock=Product.stock - quantity)
            .returning(Product.price_cents)
        )
        price = await session.scalar(taken)
        if price is None:
            missing.append({"sku": sku, "wanted": quantity})
        else:
            lines.append(Line(sku=sku, quantity=quantity, price_cents=price))
    if missing:
        names = ", ".join(str(line["sku"]) for line in missing)
        raise Problem(409, f"There is not enough of {names}.", title="Out of stock", missing=missing)
    total = sum(line.quantity * line.price_cents for line in lines)
    order = Order(customer=wanted.customer, total_cents=total, lines=lines)
    session.add(order)
    await session.flush()
    return order


async def place_once(session: AsyncSession, wanted: schemas.NewOrder, key: str) -> tuple[Order, bool]:
    """Place an order unless the same key did so before; return it, and whether it is new.

    Raises:
        Problem: 409: the key was used for something else; and what `place` raises.
    """
    fingerprint = hashlib.sha256(msgspec.json.encode(wanted)).hexdigest()
    receipt = Receipt(key=key, fingerprint=fingerprint)
    try:
        # Who comes second with the same key waits here until the first has ended, one way or the other.
        async with session.begin_nested():
            session.add(receipt)
    except IntegrityError:
        known = await session.get_one(Receipt, key)
        if known.fingerprint != fingerprint or known.order_id is None:
            raise Problem(409, "This Idempotency-Key was used for another order.") from None
        return await session.get_one(Order, known.order_id), False
    order = await place(session, wanted)
    receipt.order_id = order.id
    return order, True


async def find(session: AsyncSession, number: int) -> Order:
    """Return an order; Problem 404 when there is none."""
    order = await session.get(Order, number)
    if order is None:
        raise Problem(404, f"There is no order {number}.")
    return order


async def pay(session: AsyncSession, number: int, version: int) -> Order:
    """Note that an open order was paid; Problem 409 when it is not open, or not what the client has seen."""
    order = await _open(session, number, version)
    order.status = "paid"
    await session.flush()
    return order


async def cancel(session: AsyncSession, number: int, version: int) -> Order:
    """Put what an open order has taken back into the stock; problems are those of `pay`."""
    order = await _open(session, number, version)
    order.status = "cancelled"
    # Fails when somebody was faster, before anything is put back twice.
    await session.flush()
    for line in order.lines:
        back = update(Product).where(Product.sku == line.sku).values(stock=Product.stock + line.quantity)
        await session.execute(back)
    return order


async def _open(session: AsyncSession, number: int, version: int) -> Order:
    order = await find(session, number)
    if order.status != "open":
        raise Problem(409, f"The order is {order.status}.", state=order.status)
    if order.version != version:
        raise Problem(409, "Somebody else has changed the order; read it again.", version=order.version)
    return order
