"""The home page, JSON, HTML, parameters and redirects."""

from __future__ import annotations

from datetime import date

from examples.showcase.pages import TOPICS, filled, page, rows, text
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.routing import Route


class DateConvertor(Convertor[date]):
    """A day such as `2026-11-21`; months have at most 28 days here, so that every match is a date."""

    regex = "[1-9][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"

    def convert(self, value: str) -> date:
        return date.fromisoformat(value)

    def to_string(self, value: date) -> str:
        return value.isoformat()


register_url_convertor("date", DateConvertor())

# One row a convertor: its name, and a path segment to try.
CONVERTORS = (
    ("str", "Ada%20Lovelace"),
    ("int", "42"),
    ("float", "3.25"),
    ("uuid", "2f1c0d3e-8a4b-4c5d-9e6f-7a8b9c0d1e2f"),
    ("path", "a/path/with/slashes.txt"),
    ("date", "2026-11-21"),
)


async def home(request: Request) -> HTMLResponse:
    cards = [
        f'<li class="card"><h2><a href="{topic.path}">{text(topic.title)}</a></h2><p>{text(topic.summary)}</p></li>'
        for topic in TOPICS
    ]
    return page("Showcase", filled("home", cards="\n".join(cards)), current="/")


async def parameters(request: Request) -> HTMLResponse:
    links = [
        f'<li><a href="/params/{kind}/{sample}"><code>/params/{kind}/{{value:{kind}}}</code></a></li>'
        for kind, sample in CONVERTORS
    ]
    return page("Parameters", filled("params", links="\n".join(links)), current="/params")


async def path_parameter(request: Request) -> JSONResponse:
    value = request.path_params["value"]
    shown = value if isinstance(value, (str, int, float)) else str(value)
    return JSONResponse({"value": shown, "type": type(value).__name__, "path": request.url.path})


async def query_parameters(request: Request) -> JSONResponse:
    query = request.query_params
    return JSONResponse({"pairs": query.multi_items(), "last of each": dict(query)})


async def json_page(request: Request) -> HTMLResponse:
    return page("JSON", filled("json"), current="/json")


async def json_document(request: Request) -> JSONResponse:
    return JSONResponse({"message": "Hello, Starlette!", "numbers": [1, 2.5, None], "text": "é, 好, ♥"})


async def json_echo(request: Request) -> JSONResponse:
    """Answer with what was posted. A broken document is the client's fault, so it is a 400."""
    try:
        received = await request.json()
        return JSONResponse({"received": received})
    except (ValueError, RecursionError):
        raise HTTPException(400, "The body is not a JSON document.") from None


async def html_page(request: Request) -> HTMLResponse:
    client = request.client
    facts = [
        ("method", request.method),
        ("URL", request.url),
        ("HTTP version", request.scope["http_version"]),
        ("client", f"{client.host}, port {client.port}" if client else "unknown"),
    ]
    body = filled("html", facts=rows(facts), headers=rows(request.headers.items()))
    return page("HTML", body, current="/html")


async def redirects(request: Request) -> HTMLResponse:
    arrived = text(request.query_params.get("from", "nowhere yet"))
    return page("Redirects", filled("redirects", arrived=arrived), current="/redirects")


async def moved(request: Request) -> RedirectResponse:
    """Redirect by route name, with the status from the path."""
    status = request.path_params["status"]
    if status not in (301, 302, 303, 307, 308):
        raise HTTPException(404)
    target = request.url_for("redirects").include_query_params(**{"from": f"a {status}"})
    return RedirectResponse(target, status_code=status)


async def with_slash(request: Request) -> RedirectResponse:
    """The router itself sends `/redirects/slash` here."""
    return RedirectResponse(request.url_for("redirects").include_query_params(**{"from": "the path with a slash"}))


routes = [
    Route("/", home, name="home"),
    Route("/params", parameters),
    *(Route(f"/params/{kind}/{{value:{kind}}}", path_parameter) for kind, _ in CONVERTORS),
    Route("/params/query", query_parameters),
    Route("/json", json_page),
    Route("/json/document", json_document),
    Route("/json/echo", json_echo, methods=["POST"], max_body_size=64 * 1024),
    Route("/html", html_page),
    Route("/redirects", redirects, name="redirects"),
    Route("/redirects/slash/", with_slash),
    Route("/redirects/{status:int}", moved),
]
