"""From what an endpoint returns to a response."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterable, AsyncIterator, Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, Final

from asterism.api import _types
from asterism.api._accept import choose
from asterism.api._formats import Format, StreamFormat
from asterism.api._libraries import mistakes, msgspec
from asterism.api._nested import exactness
from asterism.api._plan import Answer
from asterism.api._reply import Reply
from asterism.problems import Problem
from starlette.background import BackgroundTasks
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

# RFC 9110 §6.4.1: such responses have no content.
_BODILESS: Final = frozenset({*range(100, 200), 204, 304})

_MEMORY: Final = 64
_VARY: Final = (b"vary", b"accept")


class Negotiator:
    """Chooses among offered media types; what clients accept is remembered, as most say the same.

    Args:
        offered: Media types, the preferred first.
    """

    def __init__(self, offered: Sequence[str]) -> None:
        self._offered = tuple(offered)
        self._known: dict[bytes, int | None] = {b"": 0, b"*/*": 0, self._offered[0].encode(): 0}

    def __call__(self, request: Request) -> int:
        """Return the number of the media type to send.

        Raises:
            Problem: 406: none is accepted.
        """
        accept = b""
        for name, value in request.scope["headers"]:
            if name == b"accept":
                accept = accept + b", " + value if accept else value
        known = self._known
        if accept in known:
            choice = known[accept]
        else:
            choice = choose(accept.decode("latin-1"), self._offered)
            # SECURITY: clients choose the text, so few and short ones are kept.
            if len(known) < _MEMORY and len(accept) <= 256:
                known[accept] = choice
        if choice is None:
            raise Problem(406, f"This is sent as {' or '.join(self._offered)}.")
        return choice


class Responder:
    """Makes the response for a result.

    Args:
        answer: What the endpoint answers with.
        formats: The formats of its content, in the order of `answer.media_types`.
        name: What errors call the endpoint.
    """

    def __init__(self, answer: Answer, formats: Sequence[Format], name: str) -> None:
        self._status = answer.status
        self._varies = len(formats) > 1
        kind = answer.type
        self._declared = Declared(kind, name)
        self._exact = self._declared.exact
        self._encoders = [(known.encoder(kind), known.media_type) for known in formats]

    def __call__(self, result: Any, choice: int = 0, reply: Reply | None = None) -> Any:
        """Return a response; a result that is one already is passed on."""
        if type(result) is not self._exact:
            if isinstance(result, Response) or _is_application(result):
                if reply is not None and isinstance(result, Response):
                    reply.apply(result)
                return result
            result = self._declared(result)
        status = self._status
        if reply is not None and reply.status_code is not None:
            status = reply.status_code
        if status in _BODILESS:
            response = Response(None, status)
        else:
            encode, media_type = self._encoders[choice]
            response = Response(encode(result), status, None, media_type)
            if self._varies:
                response.raw_headers.append(_VARY)
        if reply is not None:
            reply.apply(response)
        return response


def _is_application(result: Any) -> bool:
    """Tell another ASGI application, such as a response of some other package."""
    return callable(result) and inspect.iscoroutinefunction(type(result).__call__)


class Declared:
    """Makes what an endpoint returns into what it declares: only its fields are sent, whatever else an object has.

    Args:
        kind: The declared type.
        name: What errors call the endpoint.

    Attributes:
        exact: The class whose own instances are sent as they are; None when every result has to be looked at.
    """

    def __init__(self, kind: Any, name: str) -> None:
        self._kind = kind
        self._name = name
        self._convert = self._converter()
        self._holds = exactness(kind)
        self.exact = kind if isinstance(kind, type) and self._holds is None else None

    def __call__(self, result: Any) -> Any:
        """Return the result, or the part of it that is declared.

        Raises:
            TypeError: It is not what was declared.
        """
        if self._convert is None:
            return result
        try:
            found = self._convert(result)
            if self._holds is None or self._holds(found):
                return found
            plain = msgspec().to_builtins(found, enc_hook=_types.encode_hook)
            return msgspec().convert(plain, type=self._kind, dec_hook=_types.decode_hook)
        except mistakes() as exc:
            raise TypeError(
                f"{self._name} returned a {type(result).__name__} that is not what it declares: {exc}"
            ) from exc

    def _converter(self) -> Callable[[Any], Any] | None:
        adapter = _types.adapter_of(self._kind)
        if adapter is not None:
            return functools.partial(adapter.validate_python, from_attributes=True)
        if not any(_types.is_model(part) for part in _types.parts(self._kind)):
            return None
        return functools.partial(msgspec().convert, type=self._kind, from_attributes=True, dec_hook=_types.decode_hook)


class StreamResponder:
    """Makes the response for a stream of results, which are sent one by one as they come.

    Args:
        answer: What the endpoint answers with; its type is that of an item.
        streams: The ways to send it, in the order of `answer.media_types`.
        json: Makes JSON of an item.
        name: What errors call the endpoint.
    """

    def __init__(self, answer: Answer, streams: Sequence[StreamFormat], json: Format, name: str) -> None:
        self._status = answer.status
        self._declared = Declared(answer.type, name)
        self._exact = self._declared.exact
        self._streams = streams
        self._encode = json.encoder(answer.type)

    def __call__(self, result: Any, choice: int = 0, reply: Reply | None = None) -> Any:
        """Return a response that takes the items while it is sent."""
        if isinstance(result, Response):
            response = result
        else:
            stream = self._streams[choice]
            status = self._status if reply is None or reply.status_code is None else reply.status_code
            steps: Any = self._asynchronous if isinstance(result, AsyncIterable) else self._blocking
            response = StreamingResponse(steps(result, stream), status, media_type=stream.media_type)
            response.raw_headers.append(_VARY)
            if stream.name == "sse":
                response.raw_headers.append((b"cache-control", b"no-store"))
        if reply is not None:
            reply.apply(response)
        return response

    async def _asynchronous(self, items: AsyncIterable[Any], stream: StreamFormat) -> AsyncIterator[bytes]:
        try:
            async for item in items:
                yield stream.before + self._text(item) + stream.after
        finally:
            close = getattr(items, "aclose", None)
            if close is not None:
                await close()

    def _blocking(self, items: Iterable[Any], stream: StreamFormat) -> Iterator[bytes]:
        try:
            for item in items:
                yield stream.before + self._text(item) + stream.after
        finally:
            if isinstance(items, Generator):  # whoever made a file or a cursor closes it
                items.close()

    def _text(self, item: Any) -> bytes:
        if type(item) is not self._exact:
            item = self._declared(item)
        return self._encode(item)


def add_tasks(response: Any, tasks: BackgroundTasks) -> Any:
    """Let tasks run after a response, and after them those that it has already."""
    if tasks.tasks:
        own = getattr(response, "background", None)
        if own is not None:
            tasks.tasks.append(own)
        response.background = tasks
    return response
