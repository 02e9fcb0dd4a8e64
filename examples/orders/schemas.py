"""What clients send and get. Money is a whole number of cents: nothing is ever rounded."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

# Control characters are in no name, and PostgreSQL cannot store all of them.
Name = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f]+$", examples=["Ada Lovelace"])]
Sku = Annotated[
    str, Meta(max_length=20, pattern="^[A-Z0-9-]+$", description="Capitals, digits and dashes.", examples=["TEA-1"])
]
Cents = Annotated[int, Meta(ge=0, le=10_000_000, description="Euro cents.", examples=[450])]
Number = Annotated[int, Meta(ge=1, le=2**31 - 1)]

Status = Literal["open", "paid", "cancelled"]


class NewProduct(Struct, forbid_unknown_fields=True):
    """What a product is to be."""

    name: Name
    price_cents: Cents
    stock: Annotated[int, Meta(ge=0, le=1_000_000)]


class Product(NewProduct):
    """A product."""

    sku: Sku


class NewLine(Struct, forbid_unknown_fields=True):
    """So many pieces of one product."""

    sku: Sku
    quantity: Annotated[int, Meta(ge=1, le=1000)]


class NewOrder(Struct, forbid_unknown_fields=True):
    """What a customer wants."""

    customer: Name
    lines: Annotated[list[NewLine], Meta(min_length=1, max_length=50)]


class Line(NewLine):
    """So many pieces of one product, at the price of the day."""

    price_cents: Cents


class Order(Struct):
    """An order."""

    id: Number
    customer: Name
    status: Status
    total_cents: int
    version: Number
    lines: list[Line]


class Change(Struct, forbid_unknown_fields=True):
    """Says which state of an order its sender has seen, so that nobody changes what they do not know."""

    version: Number


class Products(Struct):
    """A page of products. The next one begins after `next`; without it there is none."""

    items: list[Product]
    next: Sku | None


class Orders(Struct):
    """A page of orders. The next one begins after `next`; without it there is none."""

    items: list[Order]
    next: Number | None
