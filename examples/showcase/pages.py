"""The pages' frame, and the table of topics that the home page and the navigation are made from.

Templates are files of `string.Template`. Whatever is not markup of ours passes through `html.escape` on its way in:
`page` escapes the title, and callers escape their values with `text`.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import Final

from starlette.responses import HTMLResponse

HERE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Topic:
    """One card of the home page."""

    path: str
    title: str
    summary: str


TOPICS: Final = (
    Topic("/params", "Parameters", "Values from the path, by every convertor and one of our own, and from the query."),
    Topic("/json", "JSON", "A small API: a document, and a body that is read and answered."),
    Topic("/html", "HTML", "A page that shows what the server knows about your request."),
    Topic("/form", "Forms", "Post a form and see what arrived, safely escaped."),
    Topic("/upload", "Uploads", "Send large files with a progress bar; get their size and SHA-256."),
    Topic("/download", "Downloads", "A file of four megabytes, in ranges, so that it can be resumed."),
    Topic("/stream", "Streaming", "A page that arrives row by row, and a long text that is never held in memory."),
    Topic("/chat", "Chat", "Rooms over WebSockets: who is there, what is said, and connections that come back."),
    Topic("/background", "Background tasks", "Work that goes on after the answer was sent."),
    Topic("/cookies", "Cookies", "Set one, see it come back, delete it."),
    Topic("/assets", "Static files", "Entity tags, conditional requests and a 304 for what you already have."),
    Topic("/redirects", "Redirects", "By status, by route name, and for a forgotten slash."),
    Topic("/errors", "Errors", "Pages of our own for 404, 405 and 500."),
    Topic("/state", "Lifespan state", "What was made at start-up, with a count of requests since."),
)


@cache
def template(name: str) -> Template:
    """Return the template `templates/<name>.html`, read once."""
    return Template((HERE / "templates" / f"{name}.html").read_text(encoding="utf-8"))


def text(value: object) -> str:
    """Escape a value for element content and for quoted attributes."""
    return html.escape(str(value))


def rows(pairs: Iterable[tuple[object, object]]) -> str:
    """Return table rows of names and values, escaped."""
    cells = [f'<tr><th scope="row">{text(name)}</th><td>{text(value)}</td></tr>' for name, value in pairs]
    return "\n".join(cells) or '<tr><td colspan="2">nothing</td></tr>'


def page(
    title: str,
    body: str,
    *,
    status_code: int = 200,
    current: str = "",
    head: str = "",
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Return a whole page: `body` and `head` are markup, the title is text, `current` the path of its topic."""
    return HTMLResponse(frame(title, body, current=current, head=head), status_code=status_code, headers=headers)


def frame(title: str, body: str, *, current: str = "", head: str = "") -> str:
    """Return the markup of a whole page."""
    return template("layout").substitute(title=text(title), body=body, head=head, navigation=_navigation(current))


def filled(name: str, /, **values: str) -> str:
    """Return the template `name` with markup filled in."""
    return template(name).substitute(values)


def _navigation(current: str) -> str:
    return "\n".join(
        f'<li><a href="{topic.path}"{_current(topic.path == current)}>{text(topic.title)}</a></li>' for topic in TOPICS
    )


def _current(is_current: bool) -> str:
    return ' aria-current="page"' if is_current else ""
