"""The lifespan of a router, alone and in an application (routing.md J, applications.md R25 to R28)."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping
from typing import Any

import pytest

from starlette.applications import Starlette
from starlette.exceptions import StarletteDeprecationWarning
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, Router, _AsyncLiftContextManager, _DefaultLifespan
from starlette.types import Receive, Scope, Send
from tests.asgi import Record, Script, call, http_scope

pytestmark = pytest.mark.anyio

STARTUP = {"type": "lifespan.startup"}
SHUTDOWN = {"type": "lifespan.shutdown"}


async def live(app: Any, **keys: Any) -> Record:
    return await call(app, {"type": "lifespan", **keys}, Script(STARTUP, SHUTDOWN))


async def test_without_a_lifespan_the_protocol_is_answered() -> None:  # R66, R69
    assert (await live(Router())).types == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_the_context_is_entered_with_the_application_and_left_on_shutdown() -> None:  # R66, applications R25
    seen: list[Any] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        seen.append(app)
        yield
        seen.append("left")

    app = Starlette(lifespan=lifespan)
    await live(app)
    assert seen == [app, "left"]
    await live(Router(lifespan=lifespan))
    assert seen[2:] == [None, "left"]


async def test_state_that_is_yielded_is_put_into_the_scope() -> None:  # R66, applications R28
    @contextlib.asynccontextmanager
    async def lifespan(app: object) -> AsyncIterator[Mapping[str, Any]]:
        yield {"count": 1}

    async def endpoint(request: Request) -> Response:
        assert request.state["count"] == request.state.count
        return PlainTextResponse(str(request.state.count))

    app = Starlette(routes=[Route("/", endpoint)], lifespan=lifespan)
    state: dict[str, Any] = {}
    await live(app, state=state)
    assert state == {"count": 1}
    assert (await call(app, http_scope(state=dict(state)))).body == b"1"


async def test_state_needs_a_server_that_takes_it() -> None:  # R67, threats R06
    seen: list[BaseException] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: object) -> AsyncIterator[Mapping[str, Any]]:
        try:
            yield {}
        except RuntimeError as exc:
            seen.append(exc)
            raise

    sent = Record()
    with pytest.raises(RuntimeError, match=r'^The server does not support "state" in the lifespan scope\.$') as caught:
        await Router(lifespan=lifespan)({"type": "lifespan"}, Script(STARTUP), sent)
    assert seen == [caught.value]
    assert sent.types == ["lifespan.startup.failed"]


@pytest.mark.parametrize("when", ["startup", "shutdown"])
@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
async def test_a_failure_is_told_to_the_server_and_raised(when: str, kind: type[BaseException]) -> None:  # R68, R06
    @contextlib.asynccontextmanager
    # threats R06
    async def lifespan(app: object) -> AsyncIterator[None]:
        if when == "startup":
            raise kind("broken")
        yield
        raise kind("broken")

    sent = Record()
    with pytest.raises(kind, match="broken"):
        await Router(lifespan=lifespan)({"type": "lifespan"}, Script(STARTUP, SHUTDOWN), sent)
    failed = sent.messages[-1]
    assert failed["type"] == f"lifespan.{when}.failed"
    assert failed["message"].startswith("Traceback (most recent call last):")
    assert failed["message"].endswith(f"{kind.__name__}: broken\n")


async def test_older_forms_of_a_lifespan_work_and_warn() -> None:  # R69, legacy R25
    seen: list[str] = []

    async def asynchronous(app: object) -> AsyncGenerator[None, None]:
        seen.append("up")
        yield
        seen.append("down")

    def synchronous(app: object) -> Generator[dict[str, int], None, None]:
        seen.append("sync up")
        yield {"x": 1}
        seen.append("sync down")

    end = "lifespans are deprecated, use an @contextlib.asynccontextmanager function instead"
    with pytest.warns(StarletteDeprecationWarning, match=f"^async generator function {end}$") as first:
        one = Router(lifespan=asynchronous)  # type: ignore[arg-type]  # the deprecated form
    with pytest.warns(StarletteDeprecationWarning, match=f"^generator function {end}$"):
        other = Router(lifespan=synchronous)  # type: ignore[arg-type]  # the deprecated form
    assert re.search(r"starlette[\\/]routing\.py$", first[0].filename)
    await live(one)
    state: dict[str, Any] = {}
    await live(other, state=state)
    assert seen == ["up", "down", "sync up", "sync down"]
    assert state == {"x": 1}


async def test_errors_reach_a_lifted_generator() -> None:
    @contextlib.contextmanager
    def swallow() -> Generator[int, None, None]:
        with contextlib.suppress(ValueError):
            yield 5

    async with _AsyncLiftContextManager(swallow()) as value:
        assert value == 5
        raise ValueError


async def test_a_default_lifespan_can_stand_for_another() -> None:
    router = Router()
    router.lifespan_context = _DefaultLifespan(router)
    assert (await live(router)).types == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_only_the_outermost_lifespan_runs() -> None:  # R70, applications R27, threats R06
    @contextlib.asynccontextmanager
    async def never(app: object) -> AsyncIterator[None]:
        raise AssertionError("the lifespan of a mounted application")
        yield

    inner = Starlette(lifespan=never)
    router = Router([Mount("/in", app=inner), Mount("/r", app=Router(lifespan=never))])
    scope: dict[str, Any] = {"type": "lifespan"}
    await router(scope, Script(STARTUP, SHUTDOWN), Record())
    assert scope["router"] is router


async def test_a_lifespan_passes_through_all_middleware() -> None:  # applications R19, R26
    seen: list[str] = []

    class Notes:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(scope["type"])
            await self.app(scope, receive, send)

    app = Starlette()
    app.add_middleware(Notes)
    assert (await live(app)).types == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert seen == ["lifespan"]
