"""See that an environment holds our distribution and that it works there. Run by `scripts/test --dist`.

Argument: the checkout, whose version is expected and whose files must not be the ones imported.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.metadata
import pathlib
import sys
import tomllib
from typing import Any


def main() -> None:
    """Exit with a message on the first thing that is not as it should be."""
    checkout = pathlib.Path(sys.argv[1])
    with open(checkout / "pyproject.toml", "rb") as file:
        wanted = tomllib.load(file)["project"]["version"]
    found = importlib.metadata.version("starlette")
    if found != wanted:
        sys.exit(f"expected the distribution starlette {wanted}, found {found}: another one took its place")
    environment = pathlib.Path(sys.prefix).resolve()
    for name in ("starlette", "asterism", "fastapi"):
        place = pathlib.Path(str(importlib.import_module(name).__file__)).resolve()
        if not place.is_relative_to(environment):
            sys.exit(f"{name} was imported from {place}, not from {environment}")
    source = checkout / "src"
    for package in ("starlette", "asterism"):
        ours = {str(path.relative_to(source)) for path in (source / package).rglob("*.py")} | {f"{package}/py.typed"}
        there = {str(path) for path in importlib.metadata.files("starlette") or ()}
        if missing := sorted(ours - there):
            sys.exit(f"the wheel lacks {', '.join(missing)}")
    _serve()
    print(f"starlette {found} stays in place beside fastapi {importlib.metadata.version('fastapi')}, and both serve.")


def _serve() -> None:
    """Ask one question of an application of each, without a test client: its library is not installed here."""
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def hello(request: object) -> PlainTextResponse:
        return PlainTextResponse("hello")

    api: Any = importlib.import_module("fastapi").FastAPI()
    api.add_api_route("/", lambda: "hello")
    for app, expected in ((Starlette(routes=[Route("/", hello)]), b"hello"), (api, b'"hello"')):
        start, body = asyncio.run(_exchange(app))
        if (start["status"], body["body"]) != (200, expected):
            sys.exit(f"{type(app).__module__}.{type(app).__name__} answered {start!r} {body!r}")


async def _exchange(app: Any) -> list[Any]:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [], "asgi": {}}
    await app(scope, receive, send)
    return sent


if __name__ == "__main__":
    main()
