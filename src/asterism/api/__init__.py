"""Validated, documented APIs on plain routes.

    from asterism.api import endpoint

    class Item(msgspec.Struct):
        name: str
        price: Annotated[float, msgspec.Meta(gt=0)]

    async def create(item: Item, dry_run: bool = False) -> Item: ...

    routes = [Route("/items", endpoint(create, status_code=201), methods=["POST"])]

A function becomes an ordinary endpoint. Its signature is read once; wrong requests are answered with problem details.
Needs msgspec (extra `api`), which is imported when the first endpoint is made.
"""

from __future__ import annotations

from asterism.api._endpoint import endpoint as endpoint
from asterism.api._endpoint import plan_of as plan_of
from asterism.api._markers import Body as Body
from asterism.api._markers import Cookie as Cookie
from asterism.api._markers import File as File
from asterism.api._markers import Form as Form
from asterism.api._markers import Header as Header
from asterism.api._markers import Path as Path
from asterism.api._markers import Query as Query
from asterism.api._markers import Security as Security
from asterism.api._plan import Answer as Answer
from asterism.api._plan import Field as Field
from asterism.api._plan import Plan as Plan
from asterism.api._plan import Source as Source
from asterism.api._reply import Reply as Reply
from asterism.api._routes import API as API
from asterism.dependencies import Depends as Depends
from asterism.dependencies import overrides as overrides
from asterism.dependencies import resources as resources
from asterism.problems import Problem as Problem

__all__ = [
    "API",
    "Answer",
    "Body",
    "Cookie",
    "Depends",
    "Field",
    "File",
    "Form",
    "Header",
    "Path",
    "Plan",
    "Problem",
    "Query",
    "Reply",
    "Security",
    "Source",
    "endpoint",
    "overrides",
    "plan_of",
    "resources",
]
