"""Reading the body of a request: its type, its size, its bytes; decoding it is left to whoever gets them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from asterism.api import _types
from asterism.api._constraints import checking
from asterism.api._dataclasses import completing
from asterism.api._formats import Format
from asterism.api._options import DEFAULT_MAX_BODY_SIZE
from asterism.api._plan import Body, Field
from asterism.problems import Problem
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.middleware.body_limit import MAX_BODY_SIZE_SCOPE_KEY
from starlette.requests import Request
from starlette.types import Message, Receive

# What a reader returns: a function, and the bytes (or the form) that it makes the value of.
Undecoded = tuple[Callable[[Any], Any], Any]

# More digits than any real size has are too large as well, and could be too many for Python to convert.
_DIGITS: Final = 18


class MissingBodyError(ValueError):
    """There is no body, and there has to be one."""


class BodyReader:
    """Reads a body that has one of several formats.

    Args:
        body: What is known of it.
        formats: The formats that it may have; none for one that is passed as bytes.
    """

    def __init__(self, body: Body, formats: Sequence[Format]) -> None:
        self._limit = body.max_size
        self._default = body.default
        self._required = body.required
        self._accepted = body.media_types
        self._raw = body.raw
        self._decoders: dict[bytes, Callable[[bytes], Any]] = {}
        self._suffixes: dict[str, Callable[[bytes], Any]] = {}
        self._formats: dict[Callable[[bytes], Any], Format] = {}
        for known in () if body.raw else formats:
            decoder = checking(completing(known.decoder(body.type), body.type), body.type)
            self._formats[decoder] = known
            for name in (known.media_type, *known.also):
                if name.startswith("+"):
                    self._suffixes[name] = decoder
                else:
                    self._decoders[name.encode()] = decoder

    async def __call__(self, request: Request) -> Undecoded:
        """Return the bytes and their decoder.

        Raises:
            Problem: 415 for a type that is not accepted, 413 for a body that is too large.
        """
        # PERF: one pass over the fields.
        content_type: bytes | None = None
        length: bytes | None = None
        for name, value in request.scope["headers"]:
            if name == b"content-type":
                content_type = value
            elif name == b"content-length":
                length = value
        decoder = self._decoders.get(content_type or b"") or self._decoder(content_type)
        if decoder is None and content_type is not None:
            raise self._unsupported(content_type)
        data = await _data(request, length, limit_for(request, self._limit))
        if not data:
            return self._absent, data
        if decoder is None:
            raise self._unsupported(b"")
        return decoder, data

    def format_of(self, decoder: Callable[[bytes], Any]) -> Format:
        """Return the format that a decoder is for."""
        return self._formats[decoder]

    def _decoder(self, content_type: bytes | None) -> Callable[[bytes], Any] | None:
        if self._raw and self._accepted == ("*/*",):
            return bytes
        if content_type is None:
            return None
        name = content_type.decode("latin-1").partition(";")[0].strip(" \t").lower()
        if self._raw:
            return bytes if name in self._accepted else None
        found = self._decoders.get(name.encode("latin-1"))
        if found is None and "+" in name:
            found = self._suffixes.get(name[name.rindex("+") :])
        return found

    def _absent(self, data: bytes) -> Any:
        if self._required and not self._raw:
            raise MissingBodyError
        return data if self._required else self._default

    def _unsupported(self, content_type: bytes) -> Problem:
        return unsupported(content_type, self._accepted)


def unsupported(content_type: bytes, accepted: Sequence[str]) -> Problem:
    """Return the problem of a content type that is not accepted (RFC 9110 §15.5.16)."""
    shown = content_type.decode("latin-1")[:80]
    given = f"The body is {shown!r}" if shown else "The body has no Content-Type"
    listed = ", ".join(accepted)
    return Problem(415, f"{given}; send {' or '.join(accepted)}.", headers={"accept": listed})


def limit_for(request: Request, limit: int | None) -> int | None:
    """Return how large a body may be: the endpoint's own limit, else the application's, which counts by itself."""
    if limit is not None:
        return limit
    return None if MAX_BODY_SIZE_SCOPE_KEY in request.scope else DEFAULT_MAX_BODY_SIZE


def limited(request: Request, limit: int | None) -> Request:
    """Return the request with a body that cannot be larger than `limit`.

    Raises:
        Problem: 413: more was declared. While reading: more has come.
    """
    if limit is None:
        return request
    declared = next((value for name, value in request.scope["headers"] if name == b"content-length"), None)
    if declared is not None and _length(declared) > limit:
        raise _too_large(limit)
    return Request(request.scope, _Counting(request.receive, limit))


async def _data(request: Request, length: bytes | None, limit: int | None) -> bytes:
    if limit is None:
        return await request.body()
    if length is not None:
        if _length(length) > limit:
            raise _too_large(limit)
        # The server holds the client to what it declared, and the request keeps the body for others who ask.
        data = await request.body()
        if len(data) > limit:
            raise _too_large(limit)
        return data
    return await Request(request.scope, _Counting(request.receive, limit)).body()


def _length(field: bytes) -> int:
    return int(field) if field.isdigit() and len(field) <= _DIGITS else 10**_DIGITS


def _too_large(limit: int) -> Problem:
    return Problem(413, f"The body is larger than {limit} bytes.", headers={"connection": "close"})


class _Counting:
    """A `receive` that ends with 413 at the first byte too many."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._total = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._total += len(message.get("body", b""))
        if self._total > self._limit:
            raise _too_large(self._limit)
        return message


class FormReader:
    """Reads a form and the files in it.

    Args:
        body: What is known of it; its fields say which files are wanted as bytes.
    """

    def __init__(self, body: Body) -> None:
        self._limit = body.max_size
        self._accepted = body.media_types
        self._contents = [field for field in body.fields if _is_content(field)]

    async def __call__(self, request: Request, exits: Any) -> FormData:
        """Return the form, whose files are closed after the response.

        Raises:
            Problem: 400 for what is no form, 413 and 415.
        """
        content_type = request.headers.get("content-type", "")
        name = content_type.partition(";")[0].strip(" \t").lower()
        if content_type and name not in self._accepted:
            raise unsupported(content_type.encode("latin-1"), self._accepted)
        inner = limited(request, limit_for(request, self._limit))
        if not content_type:
            if await inner.body():
                raise unsupported(b"", self._accepted)
            return FormData()
        try:
            form = await inner.form()
        except MultiPartException as exc:
            raise Problem(400, exc.message) from None
        except HTTPException as exc:  # what the same exception becomes inside of an application
            raise exc if exc.status_code != 400 else Problem(400, exc.detail) from None
        exits.late.push_async_callback(form.close)
        return await self._sent(form)

    async def _sent(self, form: FormData) -> FormData:
        """Return the form without files that were not chosen, and with the content of those that are wanted so."""
        contents = {field.alias for field in self._contents}
        pairs: list[tuple[str, Any]] = []
        for name, value in form.multi_items():
            if not isinstance(value, UploadFile):
                pairs.append((name, value))
            elif value.filename:
                pairs.append((name, await value.read() if name in contents else value))
        return FormData(pairs)


def _is_content(field: Field) -> bool:
    return bytes in _types.parts(field.type)
