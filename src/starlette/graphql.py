"""A GraphQL endpoint over HTTP and WebSocket. Needs graphql-core: install the "graphql" extra."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette import formparsers as _formparsers
from starlette._graphql.engine import Engine
from starlette._graphql.http import Settings, serve_http
from starlette._graphql.limits import GraphQLLimits as GraphQLLimits
from starlette._graphql.websocket import serve_websocket
from starlette.middleware.body_limit import MAX_BODY_SIZE_SCOPE_KEY, RequestBodyLimitMiddleware
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket


class GraphQLApp:
    """An ASGI application that answers GraphQL requests: by GET and POST, and subscriptions over WebSocket.

        graphql = GraphQLApp(schema)
        app = Starlette(routes=[Route("/graphql", graphql), WebSocketRoute("/graphql", graphql)])

    Resolvers find `info.context["request"]`, and `info.context["background"]` for tasks after the response. Sync ones
    run in a worker thread, async ones on the event loop, which has to be that of asyncio: graphql-core joins them with
    its functions. Sync resolvers and the sources of subscriptions run on trio, too.

    WebSockets speak `graphql-transport-ws`. A page of another origin can neither open one nor send mutations by form.

    Args:
        schema: A schema of graphql-core, graphene 3 or strawberry. The latter runs all resolvers on the event loop.
        executor: Anything true: call sync resolvers on the event loop, too. A class counts as `executor_class`.
        executor_class: The same, by class; it is not instantiated.
        graphiql: Show a page with GraphiQL to browsers; else they get 404.
        limits: What one client may ask for at once; None means the defaults of `GraphQLLimits`.
        uploads: Take files by the GraphQL multipart request specification; variables are then `UploadFile` objects.
        allow_origins: Other origins whose pages are trusted as the own: `["https://example.org"]`; `"*"` for all.
        graphiql_assets: The URL of a folder with the files of GraphiQL; None loads pinned ones from a public host.
        introspection: Answer questions about the schema; GraphiQL needs them.
        on_connect: Called as `await on_connect(websocket, payload)` with what a client sends in `connection_init`.
            False refuses it; a dictionary is sent back.

    Raises:
        ImportError: graphql-core is not installed.
        TypeError: The schema is of another kind, or `allow_origins` is a string.
        AssertionError: `uploads` without python-multipart.
    """

    def __init__(
        self,
        schema: Any,
        executor: Any = None,
        executor_class: Any = None,
        graphiql: bool = True,
        *,
        limits: GraphQLLimits | None = None,
        uploads: bool = False,
        allow_origins: Sequence[str] = (),
        graphiql_assets: str | None = None,
        introspection: bool = True,
        on_connect: Callable[[WebSocket, Any], Awaitable[Any]] | None = None,
    ) -> None:
        # COMPAT: legacy R28; from 0.15 on, `executor_class` and `graphiql` were the second and third parameter.
        if isinstance(executor_class, bool):
            executor_class, graphiql = None, executor_class
        if isinstance(executor, type) and executor_class is None:
            executor, executor_class = None, executor
        if isinstance(allow_origins, str):
            raise TypeError(f"allow_origins must be a list of origins, got {allow_origins!r}")
        if uploads:
            _formparsers.require_multipart()
        self.schema = schema
        self.graphiql = graphiql
        self.executor = executor
        self.executor_class = executor_class
        self.is_async = bool(executor or executor_class)
        limits = limits or GraphQLLimits()
        self._star_settings = Settings(limits, uploads, tuple(allow_origins), graphiql_assets)
        self._star_on_connect = on_connect
        self._star_engine = Engine(schema, is_async=self.is_async, introspection=introspection, limits=limits)
        self._star_limited = RequestBodyLimitMiddleware(self._star_http, limits.body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            websocket = WebSocket(scope, receive, send)
            settings = self._star_settings
            await serve_websocket(
                self._star_engine, settings.limits, settings.allow_origins, self._star_on_connect, websocket
            )
        elif MAX_BODY_SIZE_SCOPE_KEY in scope:
            await self._star_http(scope, receive, send)
        else:
            await self._star_limited(scope, receive, send)

    async def _star_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        await serve_http(self._star_engine, self._star_settings, self.graphiql, scope, receive, send)
