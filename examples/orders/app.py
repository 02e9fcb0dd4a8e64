"""The application. Run: `python -m examples.orders`, or `uvicorn examples.orders.app:app`; its page is at /docs."""

from __future__ import annotations

from asterism.api import resources
from asterism.openapi import OpenAPI
from asterism.problems import handlers
from examples.orders.routes import orders, products
from starlette.applications import Starlette

openapi = OpenAPI(title="Orders", version="1.0", summary="A shop that takes orders.", tags=["products", "orders"])

app = Starlette(
    routes=[*products.routes, *orders.routes, *openapi.routes()],
    lifespan=resources(),
    exception_handlers=handlers(),
)
