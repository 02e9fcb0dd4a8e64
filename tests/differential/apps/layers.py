"""Middlewares by name, stacked around routes that show what reached them; body limits and lifespans."""

from __future__ import annotations

import base64
import binascii
import contextlib
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import anyio.lowlevel

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket
from tests.differential.apps.responses import background as background_task
from tests.differential.apps.routing import Stamp
from tests.differential.transcript import described, note

CallNext = Callable[[Request], Awaitable[Response]]

# -- functions for BaseHTTPMiddleware --


async def _passes(request: Request, call_next: CallNext) -> Response:
    note("dispatch", request.url.path)
    response = await call_next(request)
    note("response", response.status_code, sorted(response.headers.keys()))
    return response


async def _adds(request: Request, call_next: CallNext) -> Response:
    request.state.seen = [*getattr(request.state, "seen", []), "adds"]
    response = await call_next(request)
    response.headers["x-added"] = "yes"
    response.set_cookie("c", "v")
    response.status_code += 1
    return response


async def _answers(request: Request, call_next: CallNext) -> Response:
    return PlainTextResponse("instead", status_code=202, background=background_task("async"))


async def _raises(request: Request, call_next: CallNext) -> Response:
    raise ValueError("in dispatch")


async def _raises_http(request: Request, call_next: CallNext) -> Response:
    raise HTTPException(403, "in dispatch")


async def _raises_after(request: Request, call_next: CallNext) -> Response:
    await call_next(request)
    raise ValueError("after the response")


async def _catches(request: Request, call_next: CallNext) -> Response:
    try:
        return await call_next(request)
    except Exception as error:
        note("caught", described(error))
        return PlainTextResponse("caught", status_code=503)


async def _replaces(request: Request, call_next: CallNext) -> Response:
    response = await call_next(request)
    body = b"".join([bytes(chunk) async for chunk in response.body_iterator])  # type: ignore[attr-defined]  # it has one
    return PlainTextResponse(b"replaced " + body[:100], headers={"x-was": str(response.status_code)})


async def _discards(request: Request, call_next: CallNext) -> Response:
    await call_next(request)
    return PlainTextResponse("another")


async def _background(request: Request, call_next: CallNext) -> Response:
    response = await call_next(request)
    response.background = BackgroundTask(note, "dispatch's background")
    return response


async def _body(request: Request, call_next: CallNext) -> Response:
    try:
        note("dispatch read", await request.body())
    except ClientDisconnect as error:
        note("dispatch", described(error))
    return await call_next(request)


async def _stream(request: Request, call_next: CallNext) -> Response:
    note("dispatch streamed", [chunk async for chunk in request.stream()])
    return await call_next(request)


async def _form(request: Request, call_next: CallNext) -> Response:
    note("dispatch form", (await request.form()).multi_items())
    return await call_next(request)


async def _reads_after(request: Request, call_next: CallNext) -> Response:
    response = await call_next(request)
    try:
        note("read after", await request.body())
    except Exception as error:
        note("read after", described(error))
    return response


async def _first_chunk(request: Request, call_next: CallNext) -> Response:
    stream = request.stream()
    note("dispatch first", await anext(stream))
    response = await call_next(request)
    try:
        note("dispatch rest", [chunk async for chunk in stream])
    finally:
        await stream.aclose()
    return response


async def _twice(request: Request, call_next: CallNext) -> Response:
    await call_next(request)
    return await call_next(request)


async def _none(request: Request, call_next: CallNext) -> Any:
    await call_next(request)


async def _scope(request: Request, call_next: CallNext) -> Response:
    request.scope["path"] = "/echo"
    return await call_next(request)


DISPATCH: dict[str, Any] = {
    function.__name__[1:]: function
    for function in (
        _passes,
        _adds,
        _answers,
        _raises,
        _raises_http,
        _raises_after,
        _catches,
        _replaces,
        _discards,
        _background,
        _body,
        _stream,
        _form,
        _reads_after,
        _first_chunk,
        _twice,
        _none,
        _scope,
    )
}

# -- authentication, WSGI ----------------------------------------------------------------------------------------------


def _backend() -> Any:
    authentication = importlib.import_module("starlette.authentication")

    class Backend(authentication.AuthenticationBackend):  # type: ignore[misc, name-defined]  # imported late
        async def authenticate(self, connection: Any) -> Any:
            field = connection.headers.get("authorization")
            if field is None:
                return None
            if field == "boom":
                raise ValueError("in the backend")
            try:
                name = base64.b64decode(field.removeprefix("Basic ")).decode().split(":")[0]
            except (ValueError, UnicodeDecodeError, binascii.Error):
                raise authentication.AuthenticationError("Invalid basic auth credentials") from None
            return authentication.AuthCredentials(["authenticated", name]), authentication.SimpleUser(name)

    return Backend()


def _on_error(connection: Any, error: Exception) -> Response:
    return JSONResponse({"error": str(error), "kind": type(connection).__name__}, status_code=401)


def _wsgi(environ: dict[str, Any], start_response: Any) -> Any:
    path = environ["PATH_INFO"]
    if path == "/raises":
        raise ValueError("in WSGI")
    body = environ["wsgi.input"].read()
    told = {key: environ[key] for key in sorted(environ) if not key.startswith("wsgi.")}
    note("environ", told, body, environ["wsgi.url_scheme"], environ["wsgi.version"])
    if path == "/status":
        start_response("404 Not Here", [("X-A", " 1 "), ("Content-Type", "text/plain")])
        return [b"a", b"", b"b"]
    if path == "/exc":
        try:
            raise LookupError("passed on")
        except LookupError as error:
            start_response("500 Oops", [], (LookupError, error, error.__traceback__))
        return [b"failed"]
    start_response("200 OK", [("content-length", "2")])
    return iter([b"ok"])


def wsgi() -> ASGIApp:
    """A WSGI application behind the bridge, mounted and bare."""
    bridge = importlib.import_module("starlette.middleware.wsgi").WSGIMiddleware(_wsgi)
    return Starlette(routes=[Mount("/wsgi", bridge)])


# -- stacks ------------------------------------------------------------------------------------------------------------


class Reader:
    """A pure middleware that reads the body and hands it on, changed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def louder() -> Any:
            message = await receive()
            if message["type"] == "http.request":
                return {**message, "body": message.get("body", b"").upper()}
            return message

        await self.app(scope, louder, send)


PUBLIC: dict[str, tuple[str, str]] = {
    "cors": ("cors", "CORSMiddleware"),
    "gzip": ("gzip", "GZipMiddleware"),
    "sessions": ("sessions", "SessionMiddleware"),
    "hosts": ("trustedhost", "TrustedHostMiddleware"),
    "https": ("httpsredirect", "HTTPSRedirectMiddleware"),
    "limit": ("body_limit", "RequestBodyLimitMiddleware"),
    "authentication": ("authentication", "AuthenticationMiddleware"),
}


def layer(name: str, options: dict[str, Any]) -> Middleware:
    """Return a middleware by name: a function for `BaseHTTPMiddleware`, one of the package's, or one of ours."""
    if name in DISPATCH:
        return Middleware(BaseHTTPMiddleware, dispatch=DISPATCH[name])
    if name == "stamp":
        return Middleware(Stamp, **options)
    if name == "reader":
        return Middleware(Reader)
    if name == "authentication":
        options = {"backend": _backend(), **({"on_error": _on_error} if options else {})}
    module, attribute = PUBLIC[name]
    return Middleware(getattr(importlib.import_module(f"starlette.middleware.{module}"), attribute), **options)


async def _echo(request: Request) -> Response:
    body = await request.body()
    seen = getattr(request.state, "seen", None)
    return PlainTextResponse(b"echo " + body[:5000], headers={"x-seen": str(seen)}, background=background_task("async"))


async def _unread(request: Request) -> Response:
    return PlainTextResponse("unread")


async def _swallows(request: Request) -> Response:
    try:
        note("body", await request.body())
    except Exception as error:
        note("swallowed", described(error))
    return PlainTextResponse("swallowed")


async def _stream_out(request: Request) -> Response:
    async def chunks() -> AsyncIterator[str]:
        for chunk in ("one ", "", "two"):
            await anyio.lowlevel.checkpoint()
            yield chunk

    return StreamingResponse(chunks(), background=background_task("several"), headers={"vary": "Cookie"})


async def _raise(request: Request) -> Response:
    raise LookupError("in the endpoint")


async def _raise_http_error(request: Request) -> Response:
    raise HTTPException(404, "in the endpoint", headers={"x": "1"})


async def _group(request: Request) -> Response:
    raise ExceptionGroup("of the user", [ValueError("1")])


async def _fails_late(request: Request) -> Response:
    return PlainTextResponse("before", background=background_task("failing"))


async def _long(request: Request) -> Response:
    return PlainTextResponse("long " * 400, headers={"etag": 'W/"1"', "vary": "Accept"})


async def _kinds(request: Request) -> Response:
    kind = request.query_params.get("type", "text/plain")
    size = int(request.query_params.get("size", "600"))
    return Response(b"x" * size, media_type=kind)


async def _encoded(request: Request) -> Response:
    return Response(b"x" * 600, headers={"content-encoding": "br"})


async def _file(request: Request) -> Response:
    return FileResponse("site/long.bin")


async def _empty(request: Request) -> Response:
    return Response(status_code=204)


async def _redirect(request: Request) -> Response:
    return RedirectResponse("/echo")


async def _own_cors(request: Request) -> Response:
    return Response(headers={"access-control-allow-origin": "mine", "Vary": "Origin"})


async def _hints(request: Request) -> Response:
    await request.send_early_hints("</a.css>; rel=preload")
    return PlainTextResponse("hinted")


async def _session(request: Request) -> Response:
    for step in request.query_params.getlist("do"):
        session = request.session
        if step == "set":
            session["a"] = {"é": [1]}
        elif step == "clear":
            session.clear()
        elif step == "pop":
            session.pop("a", None)
        elif step == "delete":
            del session["a"]
        elif step == "update":
            session.update(b=2)
        elif step == "get":
            session.get("a")
        elif step == "bad":
            session["a"] = {1}
        elif step == "scope":
            note(request.scope["session"])
        elif step == "nested":
            session.setdefault("n", []).append(1)
    return JSONResponse(dict(request.scope["session"]))


async def _user(request: Request) -> Response:
    user = request.user
    return JSONResponse([user.is_authenticated, user.display_name, request.auth.scopes])


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    await anyio.lowlevel.checkpoint()


async def _start_only(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200})


async def _odd(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"1")]})
    await send({"type": "http.response.body", "more_body": True})
    await send({"type": "http.response.body", "body": b"a", "more_body": True})
    await send({"type": "http.response.body"})


async def _broken(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"part", "more_body": True})
    raise LookupError("in the middle")


async def _receives(scope: Scope, receive: Receive, send: Send) -> None:
    for _ in range(3):
        note("received", await receive())
    await PlainTextResponse("received")(scope, receive, send)


async def _socket(websocket: WebSocket) -> None:
    await websocket.accept()
    note("session", websocket.scope.get("session"), "user", type(websocket.scope.get("user")).__name__)
    await websocket.send_text(str(websocket.url))
    await websocket.close()


class View(HTTPEndpoint):
    """A class endpoint."""

    async def get(self, request: Request) -> Response:
        raise HTTPException(409)

    async def post(self, request: Request) -> Response:
        return PlainTextResponse(await request.body())


def routes(limits: dict[str, int] | None = None) -> list[Any]:
    """The routes that every stack stands around; `limits` are body limits of `/echo`, `/deep` and its mount."""
    limits = limits or {}
    functions = {
        "/unread": _unread,
        "/swallows": _swallows,
        "/stream": _stream_out,
        "/raise": _raise,
        "/http": _raise_http_error,
        "/group": _group,
        "/late": _fails_late,
        "/long": _long,
        "/kinds": _kinds,
        "/encoded": _encoded,
        "/file": _file,
        "/empty": _empty,
        "/redirect": _redirect,
        "/cors": _own_cors,
        "/hints": _hints,
        "/session": _session,
        "/user": _user,
    }
    raw = {"/nothing": _nothing, "/start": _start_only, "/odd": _odd, "/broken": _broken, "/receives": _receives}
    methods = ["GET", "POST", "OPTIONS", "PUT"]
    return [
        Route("/echo", _echo, methods=methods, max_body_size=limits.get("route")),
        *[Route(path, endpoint, methods=methods) for path, endpoint in functions.items()],
        *[Mount(path, app) for path, app in raw.items()],
        Route("/view", View),
        WebSocketRoute("/ws", _socket),
        Mount(
            "/mounted",
            routes=[
                Route("/deep", _echo, methods=methods, max_body_size=limits.get("deep")),
                Route("/unread", _unread, methods=methods),
            ],
            max_body_size=limits.get("mount"),
        ),
        Mount("/router", Router([Route("/echo", _echo, methods=methods)], max_body_size=limits.get("router"))),
    ]


def stack(
    layers: Sequence[Any], limits: dict[str, int] | None = None, handlers: bool = False, outside: bool = False
) -> ASGIApp:
    """An application with a stack of middlewares, each a name or a pair of name and options, the first outermost.

    Args:
        layers: The middlewares.
        limits: Body limits by level: `app`, `route`, `mount`, `deep`, `router`.
        handlers: Whether there are handlers for 413 and for every error.
        outside: Whether the stack stands around the application, instead of inside it.
    """
    made = [layer(entry, {}) if isinstance(entry, str) else layer(*entry) for entry in layers]

    async def handler(request: Request, error: Exception) -> Response:
        note("handler", described(error))
        return JSONResponse({"handled": str(error)}, status_code=getattr(error, "status_code", 500))

    app: ASGIApp = Starlette(
        routes=routes(limits),
        middleware=[] if outside else made,
        exception_handlers={413: handler, Exception: handler} if handlers else {},
        max_body_size=(limits or {}).get("app"),
    )
    if outside:
        for cls, args, kwargs in reversed(made):
            app = cls(app, *args, **kwargs)
    return app


# -- lifespans ---------------------------------------------------------------------------------------------------------


def lifespan(form: str, yields: Any = None, fails: str = "", bare: bool = False, layers: Sequence[Any] = ()) -> ASGIApp:
    """An application with a lifespan of a form: `context`, `async generator`, `generator`, `none`."""

    async def steps(app: Any) -> AsyncIterator[Any]:
        note("starting", type(app).__name__)
        if fails == "start":
            raise ValueError("at the start")
        if fails == "exit":
            raise SystemExit("at the start")
        try:
            yield yields
        except Exception as error:
            note("thrown in", described(error))
            raise
        finally:
            note("ending")
        if fails == "end":
            raise ValueError("at the end")

    def plain(app: Any) -> Any:
        note("starting", type(app).__name__)
        if fails == "start":
            raise ValueError("at the start")
        yield yields
        note("ending")
        if fails == "end":
            raise ValueError("at the end")

    forms: dict[str, Any] = {
        "context": contextlib.asynccontextmanager(steps),
        "async generator": steps,
        "generator": plain,
        "none": None,
    }
    inner = Starlette(lifespan=contextlib.asynccontextmanager(steps))
    found = [Mount("/inner", inner)]
    if bare:
        return Router(found, lifespan=forms[form])
    return Starlette(routes=found, lifespan=forms[form], middleware=[layer(entry, {}) for entry in layers])
