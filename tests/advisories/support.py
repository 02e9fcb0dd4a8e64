"""What the tests of advisories share: an endless client, and a form that is read through an application."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message
from tests.asgi import Record, http_scope
from tests.starlette.forms import run

URL_ENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=B"


class Client:
    """A `receive` that sends these chunks one after the other; `sent` counts the octets that were taken."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks: Iterator[bytes] = iter(chunks)
        self.sent = 0

    async def __call__(self) -> Message:
        chunk = next(self._chunks, None)
        if chunk is None:
            return {"type": "http.request", "body": b"", "more_body": False}
        self.sent += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": True}


def form_application(**limits: Any) -> Starlette:
    """Return an application that answers a form with its pairs; of a file, name and size."""

    async def endpoint(request: Request) -> Response:
        async with request.form(**limits) as form:
            return JSONResponse(
                [
                    [name, [value.filename, value.size] if isinstance(value, UploadFile) else value]
                    for name, value in form.multi_items()
                ]
            )

    return Starlette(routes=[Route("/", endpoint, methods=["POST"])])


def post(app: Starlette, client: Client, content_type: str, *headers: tuple[bytes, bytes]) -> Record:
    """Post what the client sends, without an event loop: nothing in it has to wait."""
    sent = Record()
    fields = [(b"host", b"testserver"), (b"content-type", content_type.encode()), *headers]
    run(app(http_scope(method="POST", headers=fields), client, sent))
    return sent


def posting(content_type: str, make: Callable[[int], bytes]) -> Callable[[int], object]:
    """Return the work of posting `make(n)`, for a measurement of its growth."""
    app = form_application()

    def work(size: int) -> object:
        return post(app, Client([make(size)]), content_type)

    return work
