"""The application: routes, middleware, error pages and lifespan put together.

Run from the repository root: `uvicorn examples.showcase.app:app`.
"""

from __future__ import annotations

from examples.showcase import basics, chat, errors, files, forms, state, streams
from examples.showcase.security import SecurityHeaders
from starlette.applications import Starlette
from starlette.middleware import Middleware

app = Starlette(
    routes=[
        *basics.routes,
        *forms.routes,
        *files.routes,
        *streams.routes,
        *chat.routes,
        *errors.routes,
        *state.routes,
    ],
    middleware=[Middleware(state.CountRequests), Middleware(SecurityHeaders)],
    exception_handlers=errors.handlers,
    lifespan=state.lifespan,
)
