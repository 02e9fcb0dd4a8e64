"""GraphQL over HTTP: which form a request has, what it asks for, and its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette._graphql.answers import GRAPHQL_RESPONSE, is_form_type, may_ask, preferred_media_type, refused
from starlette._graphql.engine import Engine, KindError
from starlette._graphql.limits import GraphQLLimits
from starlette._graphql.operations import (
    Operation,
    Refusal,
    from_body,
    from_parameters,
    from_text,
    load_json,
    place_files,
)
from starlette._graphql.page import graphiql_page
from starlette.background import BackgroundTasks
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

_ALLOWED: Final = {"allow": "GET, HEAD, POST"}

# What an answer to GET depends on.
_VARIES: Final = {"vary": "Accept"}

_QUERIES: Final = ("query",)
_ALL: Final = ("query", "mutation")


@dataclass(frozen=True)
class Settings:
    """What both transports are told by the application."""

    limits: GraphQLLimits
    uploads: bool
    allow_origins: Sequence[str]
    assets: str | None


async def serve_http(
    engine: Engine, settings: Settings, graphiql: bool, scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer one request. Uploaded files are closed after the response and its background tasks."""
    request = Request(scope, receive, send)
    try:
        response = await _answered(engine, settings, graphiql, request)
        await response(scope, receive, send)
    except ClientDisconnect:
        pass  # there is nobody to answer
    finally:
        await request.close()


async def _answered(engine: Engine, settings: Settings, graphiql: bool, request: Request) -> Response:
    accept = ",".join(request.headers.getlist("accept"))
    try:
        if request.method == "POST":
            return await _executed(engine, settings, request, accept, await _asked_by_post(settings, request))
        if request.method not in ("GET", "HEAD"):
            return PlainTextResponse("Method Not Allowed", 405, _ALLOWED)
        if "text/html" not in accept:
            operation = from_parameters(request.query_params)
            response = await _executed(engine, settings, request, accept, operation)
        elif graphiql:
            response = HTMLResponse(graphiql_page(request.url.path, settings.assets))
        else:
            response = PlainTextResponse("Not Found", 404)
    except Refusal as refusal:
        response = _refused(refusal, accept)
    if request.method != "POST":
        response.headers.update(_VARIES)
    return response


async def _asked_by_post(settings: Settings, request: Request) -> Operation | list[Operation]:
    # COMPAT: legacy R30, in this order. Types are looked for anywhere in the header.
    kind = request.headers.get("content-type", "").lower()
    if "application/json" in kind:
        return from_body(load_json(await request.body(), "The request body"), settings.limits.batch)
    if "application/graphql" in kind:
        return from_text(await request.body())
    if settings.uploads and kind.startswith("multipart/form-data"):
        return await _asked_by_form(settings.limits, request)
    if "query" in request.query_params:
        return from_parameters(request.query_params)
    raise Refusal(415, "Unsupported Media Type")


async def _asked_by_form(limits: GraphQLLimits, request: Request) -> Operation | list[Operation]:
    try:
        form = await request.form(max_files=limits.files, max_fields=2, max_part_size=limits.body)
    except MultiPartException as exc:
        raise Refusal(400, exc.message) from None
    except HTTPException as exc:
        if exc.status_code != 400:
            raise  # a body over the limit, which is answered further out
        raise Refusal(400, exc.detail) from None
    operations, mapping = form.get("operations"), form.get("map")
    if not isinstance(operations, str) or not isinstance(mapping, str):
        raise Refusal(400, "A multipart request has the fields operations and map")
    data = load_json(operations, "The field operations")
    files = {name: file for name, file in form.items() if isinstance(file, UploadFile)}
    place_files(data, load_json(mapping, "The field map"), files, limits.files)
    return from_body(data, limits.batch)


async def _executed(
    engine: Engine, settings: Settings, request: Request, accept: str, asked: Operation | list[Operation]
) -> Response:
    background = BackgroundTasks()
    context = {"request": request, "background": background}
    kinds = _ALL if request.method == "POST" and not _is_forged(settings, request) else _QUERIES
    media_type = preferred_media_type(accept)
    operations = asked if isinstance(asked, list) else [asked]
    bodies: list[dict[str, Any]] = []
    status = 200
    for operation in operations:
        try:
            outcome = await engine.execute(operation, context, kinds)
        except KindError as exc:
            if exc.kind == "subscription":
                outcome = refused("Subscriptions need a WebSocket")
            elif request.method == "POST":
                raise Refusal(403, "Mutations are not taken from forms of other origins") from None
            else:
                return PlainTextResponse("Mutations need a POST request", 405, {"allow": "POST"})
        status = max(status, outcome.status(media_type))
        bodies.append(outcome.body(with_data=media_type != GRAPHQL_RESPONSE))
    content = bodies if isinstance(asked, list) else bodies[0]
    return JSONResponse(content, status, media_type=media_type, background=background)


def _is_forged(settings: Settings, request: Request) -> bool:
    """Tell whether a page of another site may have sent this in the name of its visitor, unasked."""
    # SECURITY: legacy R30 takes operations from forms and from types like "text/plain; application/json", which
    # browsers send with cookies to any site. Such requests carry the origin of the page.
    headers = request.headers
    if not is_form_type(headers.get("content-type", "")):
        return False
    return not may_ask(headers.get("origin"), headers.get("host", ""), settings.allow_origins)


def _refused(refusal: Refusal, accept: str) -> Response:
    """Answer in text, as clients of that era saw it; in JSON to who asks for the newer type, or has sent a query."""
    media_type = preferred_media_type(accept)
    if media_type == GRAPHQL_RESPONSE or refusal.is_entry:
        content = refused(refusal.text).body(with_data=media_type != GRAPHQL_RESPONSE)
        return JSONResponse(content, refusal.status, media_type=media_type)
    return PlainTextResponse(refusal.text, refusal.status)
