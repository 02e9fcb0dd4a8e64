"""Static files from the tree, mounted and bare, with every option; and files served by endpoints."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.differential.apps.responses import response
from tests.differential.apps.routing import Stamp
from tests.differential.transcript import note


class Noting(StaticFiles):
    """Notes what the hooks are given."""

    def get_path(self, scope: Scope) -> str:
        path = super().get_path(scope)
        note("path", path)
        return path

    async def get_response(self, path: str, scope: Scope) -> Response:
        found = await super().get_response(path, scope)
        note("response", type(found).__name__, found.status_code)
        return found


def files(at: str | None = "/", stamped: bool = False, noting: bool = False, **options: Any) -> ASGIApp:
    """Static files, mounted in an application at a path; None: bare."""
    served = (Noting if noting else StaticFiles)(**options)
    if at is None:
        return served
    return Starlette(routes=[Mount(at, served)], middleware=[Middleware(Stamp, name="m")] if stamped else [])


def late(**options: Any) -> ASGIApp:
    """Two requests to the same bare files: the check of the directory is done on the first that succeeds."""
    served = StaticFiles(check_dir=False, **options)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(2):
            try:
                await served(dict(scope), receive, send)
            except Exception as error:
                note("raised", type(error).__name__, str(error))
            note("checked", served.config_checked)

    return application


def one(path: str, **options: Any) -> ASGIApp:
    """A `FileResponse` of a file of the tree, as an application; `kind` chooses its class."""
    kind = options.pop("kind", "FileResponse")
    times = options.pop("times", 1)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        made = response(kind, {"path": path, "background": "async", **options})
        for _ in range(times):
            await made(scope, receive, send)

    return application
