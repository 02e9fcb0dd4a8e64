"""The tables. The database itself refuses stock below zero, so that no mistake above it can sell what is not there."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Integer, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

# SQLite counts up only what it calls INTEGER, which has 64 bits there.
Number = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """The parent of all tables."""


class Product(Base):
    """Something that is sold, and how much of it there is."""

    __tablename__ = "products"
    __table_args__ = (CheckConstraint("stock >= 0", name="stock_is_not_negative"),)

    sku: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    price_cents: Mapped[int]
    stock: Mapped[int]


class Order(Base):
    """What a customer wants."""

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(Number, primary_key=True)
    customer: Mapped[str] = mapped_column(String(80))
    status: Mapped[str] = mapped_column(String(10), default="open", index=True)
    total_cents: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column()
    lines: Mapped[list[Line]] = relationship(lazy="selectin", order_by="Line.sku")

    # SQLAlchemy raises the version with each change, and fails when somebody else has done so before.
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  # as SQLAlchemy has it


class Line(Base):
    """So many pieces of one product, at the price of the day."""

    __tablename__ = "lines"

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    sku: Mapped[str] = mapped_column(ForeignKey("products.sku"), primary_key=True)
    quantity: Mapped[int]
    price_cents: Mapped[int]


class Receipt(Base):
    """Which order a key has led to, so that asking twice orders once."""

    __tablename__ = "receipts"

    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"))
