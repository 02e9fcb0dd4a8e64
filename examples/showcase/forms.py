"""A form that is echoed, and cookies."""

from __future__ import annotations

from urllib.parse import quote, unquote

from examples.showcase.pages import filled, page, rows
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route

COOKIE = "favourite"
MAX_VALUE = 200


async def form_page(request: Request) -> HTMLResponse:
    return page("Forms", filled("form", received=""), current="/form")


async def form_echo(request: Request) -> HTMLResponse:
    """Show what was posted. Browsers would run it as markup, were it not escaped (by `rows`)."""
    async with request.form(max_fields=20, max_part_size=16 * 1024) as form:
        received = filled("form_received", rows=rows(form.multi_items()))
    return page("Forms", filled("form", received=received), current="/form")


async def cookies_page(request: Request) -> HTMLResponse:
    shown = [(name, unquote(value)) for name, value in request.cookies.items()]
    return page("Cookies", filled("cookies", rows=rows(shown)), current="/cookies")


async def cookie_set(request: Request) -> RedirectResponse:
    """Keep the value for an hour. Cookies carry Latin-1 at most, hence the percent-encoding."""
    async with request.form(max_fields=5, max_part_size=16 * 1024) as form:
        value = str(form.get("value", ""))[:MAX_VALUE]
    response = RedirectResponse(request.url_for("cookies"), status_code=303)
    response.set_cookie(COOKIE, quote(value), max_age=3600, path="/cookies", httponly=True, samesite="strict")
    return response


async def cookie_delete(request: Request) -> RedirectResponse:
    response = RedirectResponse(request.url_for("cookies"), status_code=303)
    response.delete_cookie(COOKIE, path="/cookies", httponly=True, samesite="strict")
    return response


routes = [
    Route("/form", form_page),
    Route("/form", form_echo, methods=["POST"], max_body_size=256 * 1024),
    Route("/cookies", cookies_page, name="cookies"),
    Route("/cookies/set", cookie_set, methods=["POST"], max_body_size=64 * 1024),
    Route("/cookies/delete", cookie_delete, methods=["POST"], max_body_size=64 * 1024),
]
