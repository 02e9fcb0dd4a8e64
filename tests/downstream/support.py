"""How these tests come by the packages that they are about."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Any

import anyio
import pytest

from starlette.types import ASGIApp


def package(name: str) -> Any:
    """Import a module of a downstream package; without it, skip the test module that asks for it."""
    module: ModuleType = pytest.importorskip(name, reason=f"{name} is installed by `scripts/test --downstream` only")
    return module


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an application by uvicorn in this event loop, which is asyncio's, and return its address.

    The socket listens before the server accepts, so connections wait in it and nobody has to ask whether it is up.
    """
    import uvicorn

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        running = uvicorn.Server(uvicorn.Config(app, lifespan="on", log_level="warning", timeout_graceful_shutdown=1))
        async with anyio.create_task_group() as group:
            group.start_soon(running.serve, [listening])
            try:
                yield f"http://127.0.0.1:{listening.getsockname()[1]}"
            finally:
                running.should_exit = True
