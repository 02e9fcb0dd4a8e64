"""Pages for what goes wrong."""

from __future__ import annotations

from examples.showcase.pages import filled, page, text
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route


class DeliberateFault(Exception):
    """What the broken page raises."""


async def errors_page(request: Request) -> HTMLResponse:
    return page("Errors", filled("errors"), current="/errors")


async def broken(request: Request) -> HTMLResponse:
    raise DeliberateFault("this page is broken on purpose; its message must not reach the client")


async def post_only(request: Request) -> HTMLResponse:
    return page("Posted", "<p>This route takes POST, and nothing else.</p>", current="/errors")


async def on_http_exception(request: Request, exc: Exception) -> HTMLResponse:
    """Show any `HTTPException` as a page; the headers it carries (such as `Allow`) are kept."""
    assert isinstance(exc, HTTPException)
    allow = (exc.headers or {}).get("Allow")
    hint = f"<p>This address takes {text(allow)}.</p>" if allow else ""
    body = filled("error", status=str(exc.status_code), detail=text(exc.detail), hint=hint)
    return page(str(exc.detail), body, status_code=exc.status_code, headers=exc.headers)


async def on_not_found(request: Request, exc: Exception) -> HTMLResponse:
    hint = f"<p>There is nothing at <code>{text(request.url.path)}</code>.</p>"
    return page("Not found", filled("error", status="404", detail="Not found", hint=hint), status_code=404)


async def on_failure(request: Request, exc: Exception) -> HTMLResponse:
    """The page for everything unforeseen. It says nothing of the fault; the server logs that."""
    hint = "<p>This is our fault, not yours. It was written to the log.</p>"
    body = filled("error", status="500", detail="Something went wrong", hint=hint)
    return page("Something went wrong", body, status_code=500)


handlers = {HTTPException: on_http_exception, 404: on_not_found, 500: on_failure}

routes = [
    Route("/errors", errors_page),
    Route("/errors/broken", broken),
    Route("/errors/post-only", post_only, methods=["POST"]),
]
