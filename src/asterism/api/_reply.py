"""What an endpoint can say of its response when it returns only the content."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.responses import Response


class Reply:
    """The status, headers and cookies of the response to come. Ask for one by its type:

        async def create(item: Item, reply: Reply) -> Item:
            reply.headers["location"] = f"/items/{item.id}"

    Dependencies may ask for it, too; it is the same one. A raw `Response` gets its headers and cookies as well.

    Attributes:
        status_code: Replaces the usual status when it is set.
    """

    def __init__(self) -> None:
        self.status_code: int | None = None
        self._carrier = Response()
        self._carrier.raw_headers = []

    @property
    def headers(self) -> MutableHeaders:
        """Fields to add to the response."""
        return self._carrier.headers

    def set_cookie(self, key: str, value: str = "", **options: Any) -> None:
        """Set a cookie; the options are those of `Response.set_cookie`."""
        self._carrier.set_cookie(key, value, **options)

    def delete_cookie(self, key: str, **options: Any) -> None:
        """Tell the client to drop a cookie; the options are those of `Response.delete_cookie`."""
        self._carrier.delete_cookie(key, **options)

    def apply(self, response: Any) -> None:
        """Put fields and cookies on a response; a field replaces those of its name, cookies are added."""
        headers = response.headers
        given = self._carrier.raw_headers
        for name in {name for name, _ in given if name != b"set-cookie"}:
            del headers[name.decode("latin-1")]
        response.raw_headers.extend(given)
        if self.status_code is not None:
            response.status_code = self.status_code
