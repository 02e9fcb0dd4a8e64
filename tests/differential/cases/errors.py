# ruff: noqa: E501  (tables of data are easier to compare in long lines)
"""Errors: each kind at each place, with the handlers that matter for it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, Final

from tests.differential.case import CONNECT, Case, body, gone, http, text, websocket

ERRORS: Final = [
    "404", "404 text", "401 headers", "204", "304", "200", "205", "413", "422", "499", "500", "empty", "teapot", "websocket", "disconnect", "value",
    "key", "missing", "group", "cause",
]  # fmt: skip
PLACES: Final = [
    "/function", "/thread", "/body", "/view", "/raw/", "/started", "/complete/", "/background", "/middleware", "/router/function", "/router/view",
    "/application/function", "/application/view", "/application/none", "/none",
]  # fmt: skip
SOCKETS: Final = ["/before", "/after", "/closed", "/router/before", "/application/before", "/none", "/raw/"]
HANDLERS: Final[list[list[tuple[str, str]]]] = [
    [("404", "answers")], [("HTTPException", "in_thread")], [("404", "answers"), ("HTTPException", "in_thread")], [("500", "answers")],
    [("Exception", "in_thread")], [("500", "answers"), ("Exception", "in_thread")], [("Exception", "answers"), ("500", "in_thread")],
    [("ValueError", "answers"), ("LookupError", "in_thread")], [("ValueError", "nothing"), ("HTTPException", "nothing")],
    [("ValueError", "raises"), ("404", "raises")], [("ValueError", "again"), ("404", "again"), ("Exception", "answers")],
    [("404", "other"), ("418", "answers"), ("ValueError", "other")], [("ValueError", "reads"), ("HTTPException", "reads")],
    [("Exception", "raises")], [("Exception", "nothing")], [("Exception", "reads")], [("ExceptionGroup", "answers"), ("RuntimeError", "answers")],
    [("Teapot", "answers"), ("413", "in_thread"), ("405", "answers")],
]  # fmt: skip
FOR_SOCKETS: Final[list[list[tuple[str, str]]]] = [
    [("ValueError", "closes"), ("HTTPException", "closes")], [("ValueError", "closes_in_thread")], [("WebSocketException", "closes")],
    [("ValueError", "nothing"), ("WebSocketDisconnect", "nothing")], [("HTTPException", "answers"), ("ValueError", "answers")], [("Exception", "closes")],
    [("500", "closes")], [("404", "answers"), ("WebSocketException", "raises")],
]  # fmt: skip


def case(name: str, scope: dict[str, Any], error: str, app: str = "application", **options: Any) -> Case:
    """Return a case for an error."""
    messages = (CONNECT, text("hello"), gone()) if scope["type"] == "websocket" else body(b"pos", b"ted")
    return Case(f"errors/{name}", f"errors.{app}", scope, {"error": error, **options}, messages)


def cases() -> Iterator[Case]:
    """Yield the cases of this topic."""
    yield Case("errors/texts", "errors.described_exceptions", http())
    for error in ERRORS:
        for path in PLACES:
            if error in {"404", "401 headers", "value", "group", "websocket", "204", "cause"} or path in {
                "/function",
                "/view",
            }:
                yield case(f"{error} at {path}", http(path), error)
                yield case(f"{error} bare at {path}", http(path), error, "bare")
        yield case(f"{error} posted", http("/body", "POST"), error)
        yield case(f"{error} in middleware", http("/function"), error, outside=True)
        for path in SOCKETS:
            if (
                error in {"404 text", "401 headers", "value", "websocket", "disconnect", "group", "500"}
                or path == "/before"
            ):
                yield case(f"{error} websocket at {path}", websocket(path), error)
                yield case(f"{error} websocket bare at {path}", websocket(path), error, "bare")
    for number, handlers in enumerate(HANDLERS):
        for error in ["404", "value", "key", "teapot", "group", "500", "missing"]:
            for path in ["/function", "/view", "/started", "/background", "/application/function", "/middleware"]:
                if path in {"/function", "/started"} or error in {"404", "value"}:
                    yield case(f"handlers {number} {error} at {path}", http(path), error, handlers=handlers)
        yield case(f"handlers {number} outside", http("/function"), "value", handlers=handlers, outside=True)
        # Reading once more what a class endpoint has read waits for the client.
        for path in (
            ["/body", "/view"] if handlers[0][1] != "reads" and ("ValueError", "reads") not in handlers else ["/body"]
        ):
            yield case(f"handlers {number} posted {path}", http(path, "POST"), "value", handlers=handlers)
        yield case(f"handlers {number} nothing", http("/nothing"), "value", handlers=handlers)
        yield case(f"handlers {number} method", http("/view", "PUT"), "value", handlers=handlers)
    for number, handlers in enumerate(FOR_SOCKETS):
        for error in ["404", "value", "websocket", "disconnect"]:
            for path in SOCKETS[:5]:
                yield case(f"sockets {number} {error} at {path}", websocket(path), error, handlers=handlers)
    yield from _debug()
    chance = random.Random(13)
    keys = ["404", "500", "HTTPException", "Teapot", "Exception", "LookupError", "ValueError", "ExceptionGroup"]
    kinds = ["answers", "in_thread", "nothing", "raises", "again", "other", "reads"]
    for number in range(80):
        handlers = [(key, chance.choice(kinds)) for key in chance.sample(keys, chance.randint(1, 4))]
        path, error = chance.choice(PLACES), chance.choice(ERRORS)
        yield case(
            f"random {number} {error} {path}", http(path), error, handlers=handlers, outside=chance.random() < 0.1
        )


def _debug() -> Iterator[Case]:
    accepts = [None, "text/html", "*/*", "text/plain", "TEXT/HTML", "application/json, text/html;q=0"]
    for error in ["value", "group", "cause", "404", "key"]:
        for accept in accepts:
            headers = {} if accept is None else {"accept": accept}
            for path in ["/function", "/started", "/background"]:
                if path == "/function" or accept is None:
                    yield case(f"debug {error} {accept} {path}", http(path, headers=headers), error, debug=True)
        yield case(
            f"debug {error} handled",
            http("/function"),
            error,
            debug=True,
            handlers=[("Exception", "answers"), ("404", "answers")],
        )
    yield case("debug websocket", websocket("/before"), "value", debug=True)
