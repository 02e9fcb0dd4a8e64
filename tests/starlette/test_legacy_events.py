"""Startup and shutdown handlers, alone and together with a lifespan."""

from __future__ import annotations

import copy
import functools
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio
import pytest

from starlette.applications import Starlette
from starlette.routing import Router
from starlette.testclient import TestClient
from tests.asgi import Record, Script
from tests.starlette.events import Log, lifespan_noting

KINDS = [Starlette, Router]


def router_of(app: Starlette | Router) -> Router:
    return app.router if isinstance(app, Starlette) else app


async def serve(app: Starlette | Router, sent: Record) -> None:
    received = Script({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    await app({"type": "lifespan", "state": {}}, received, sent)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.anyio
async def test_handlers_run_in_order(kind: type[Starlette | Router]) -> None:
    # legacy R17, R18, R19
    log = Log()
    given = [log.plain("s1"), log.asynchronous("s2")]
    app = kind(on_startup=given, on_shutdown=(log.plain("e1"),))
    s3 = log.plain("s3")
    assert app.on_event("startup")(s3) is s3
    app.add_event_handler("shutdown", log.asynchronous("e2"))
    given.append(log.plain("not copied"))
    sent = Record()
    await serve(app, sent)
    assert log == ["s1", "s2", "s3", "e1", "e2"]
    assert sent.types == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.parametrize("kind", KINDS)
def test_other_event_types_are_refused(kind: type[Starlette | Router]) -> None:
    # legacy R18: the decorator refuses when it is applied.
    app = kind()
    decorate = app.on_event("restart")
    with pytest.raises(AssertionError, match="restart"):
        decorate(print)
    with pytest.raises(AssertionError, match="restart"):
        app.add_event_handler("restart", print)


class AsyncCall:
    def __init__(self, log: Log) -> None:
        self.log = log

    async def __call__(self) -> None:
        await anyio.lowlevel.checkpoint()
        self.log.append("object")


@pytest.mark.anyio
async def test_what_is_async_is_awaited_and_the_rest_is_called() -> None:
    # legacy R19
    log = Log()

    async def note(name: str) -> str:
        await anyio.lowlevel.checkpoint()
        log.append(name)
        return "ignored"

    router = Router(on_startup=[functools.partial(note, "partial"), AsyncCall(log), lambda: anyio.Event()])
    await router.startup()
    assert log == ["partial", "object"]


@pytest.mark.anyio
async def test_handlers_can_be_run_by_hand() -> None:
    # legacy R20
    log = Log()
    router = Router(on_startup=[log.plain("s")], on_shutdown=[log.plain("e")])
    await router.startup()
    await router.startup()
    await router.shutdown()
    assert log == ["s", "s", "e"]
    empty = Router()
    await empty.startup()
    await empty.shutdown()


@pytest.mark.anyio
async def test_after_a_failing_startup_handler_nothing_runs() -> None:
    # legacy R21
    log, sent = Log(), Record()
    app = Starlette(on_startup=[log.plain("s1"), log.failing("s2"), log.plain("s3")], on_shutdown=[log.plain("e")])
    with pytest.raises(RuntimeError, match="s2"):
        await serve(app, sent)
    assert log == ["s1", "s2"]
    assert sent.types == ["lifespan.startup.failed"]
    assert "RuntimeError: s2" in sent.messages[0]["message"]
    with pytest.raises(RuntimeError, match="s2"), TestClient(app):
        raise NotImplementedError


@pytest.mark.anyio
async def test_a_failing_shutdown_handler_is_reported() -> None:
    # legacy R21
    log, sent = Log(), Record()
    app = Starlette(on_shutdown=[log.plain("e1"), log.failing("e2"), log.plain("e3")])
    with pytest.raises(RuntimeError, match="e2"):
        await serve(app, sent)
    assert log == ["e1", "e2"]
    assert sent.types == ["lifespan.startup.complete", "lifespan.shutdown.failed"]
    assert "RuntimeError: e2" in sent.messages[1]["message"]


def test_requests_and_mounted_applications_run_no_handlers() -> None:
    # legacy R22
    log = Log()
    inner = Starlette(on_startup=[log.plain("inner")])
    outer = Starlette(on_startup=[log.plain("outer")])
    outer.mount("/inner", inner)
    TestClient(outer).get("/inner/")
    assert log == []
    with TestClient(outer) as client:
        client.get("/inner/")
    assert log == ["outer"]


# -- together with a lifespan: legacy R23 ------------------------------------------------------------------------------

ALL = ["startup", "enter", "exit", "shutdown"]


def by_argument(log: Log, kind: Any) -> Starlette | Router:
    app: Starlette | Router = kind(
        lifespan=lifespan_noting(log), on_startup=[log.plain("startup")], on_shutdown=[log.asynchronous("shutdown")]
    )
    return app


def by_decorator(log: Log, kind: Any) -> Starlette | Router:
    app: Starlette | Router = kind(lifespan=lifespan_noting(log))
    app.on_event("startup")(log.asynchronous("startup"))
    app.on_event("shutdown")(log.plain("shutdown"))
    return app


def by_list(log: Log, kind: Any) -> Starlette | Router:
    app: Starlette | Router = kind(lifespan=lifespan_noting(log))
    router_of(app).on_startup.append(log.plain("startup"))
    router_of(app).on_shutdown.append(log.plain("shutdown"))
    return app


@pytest.mark.parametrize("make", [by_argument, by_decorator, by_list])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.anyio
async def test_handlers_stand_around_the_lifespan(
    kind: type[Starlette | Router], make: Callable[[Log, Any], Starlette | Router]
) -> None:
    log, sent = Log(), Record()
    app = make(log, kind)
    await serve(app, sent)
    assert log == ALL
    assert sent.types == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    # Once more, and as test suites run it.
    async with router_of(app).lifespan_context(app) as state:
        assert state == {"noted": True}
    assert log == ALL + ALL


@pytest.mark.anyio
async def test_the_lifespan_is_untouched_where_no_handler_is_there() -> None:
    lifespan = lifespan_noting(Log())
    assert Starlette(lifespan=lifespan, on_startup=[]).router.lifespan_context is lifespan
    assert vars(Router(on_startup=(), on_shutdown=None)).keys() == vars(Router()).keys()


@pytest.mark.parametrize("fails", ["enter", "exit"])
@pytest.mark.anyio
async def test_a_failing_lifespan_does_not_keep_shutdown_handlers_from_running(fails: str) -> None:
    log, sent = Log(), Record()
    app = Starlette(
        lifespan=lifespan_noting(log, fails=fails),
        on_startup=[log.plain("startup")],
        on_shutdown=[log.plain("shutdown")],
    )
    with pytest.raises(RuntimeError, match=fails):
        await serve(app, sent)
    assert log == ALL if fails == "exit" else ["startup", "enter", "shutdown"]
    assert sent.types[-1] == ("lifespan.startup.failed" if fails == "enter" else "lifespan.shutdown.failed")


@pytest.mark.anyio
async def test_a_lifespan_that_others_put_around_it_runs_the_handlers_once() -> None:
    log, sent = Log(), Record()
    app = Starlette(on_startup=[log.plain("startup")])
    inner: Callable[[Any], AbstractAsyncContextManager[Any]] = app.router.lifespan_context

    @asynccontextmanager
    async def around(app: Any) -> AsyncIterator[None]:
        log.append("around")
        async with inner(app):
            yield

    app.router.lifespan_context = around
    app.on_event("startup")(log.plain("later"))
    app.on_event("shutdown")(log.plain("shutdown"))
    await serve(app, sent)
    assert log == ["around", "startup", "later", "shutdown"]


@pytest.mark.anyio
async def test_handlers_are_removed_from_the_lists() -> None:
    log = Log()
    app = Starlette(on_startup=[log.plain("s")], on_shutdown=[log.plain("e")])
    app.router.on_startup.clear()
    app.router.on_shutdown = []
    await serve(app, Record())
    assert log == []


class KeepsItsOwn(Router):
    """As FastAPI's router: it has lists of its own, and runs them in a lifespan of its own."""

    def __init__(self, on_startup: list[Callable[[], Any]]) -> None:
        self.on_startup = list(on_startup)

        @asynccontextmanager
        async def lifespan(app: Any) -> AsyncIterator[None]:
            for handler in self.on_startup:
                handler()
            yield

        super().__init__(lifespan=lifespan)

    def add_event_handler(self, event_type: str, func: Callable[[], Any]) -> None:
        self.on_startup.append(func)


@pytest.mark.anyio
async def test_a_router_with_lists_of_its_own_runs_them_alone() -> None:
    # legacy R23
    log = Log()
    router = KeepsItsOwn([log.plain("given")])
    router.add_event_handler("startup", log.plain("added"))
    router.on_event("startup")(log.plain("decorated"))
    app = Starlette()
    app.router = router
    app.add_event_handler("startup", log.plain("by the application"))
    await serve(app, Record())
    assert log == ["given", "added", "decorated", "by the application"]


@pytest.mark.anyio
async def test_a_copy_of_a_router_has_its_own_handlers() -> None:
    log = Log()
    router = Router(on_startup=[log.plain("both")])
    other = copy.deepcopy(router)
    other.on_startup.clear()
    await serve(router, Record())
    await serve(other, Record())
    assert log == ["both"]


def test_the_class_has_the_names() -> None:
    assert all(hasattr(Router, name) for name in ("on_startup", "on_shutdown"))


@pytest.mark.anyio
async def test_a_router_with_a_method_of_such_a_name_keeps_it() -> None:
    called: list[str] = []

    class Mine(Router):
        async def startup(self) -> None:
            called.append("startup")

    await serve(Mine(), Record())
    assert called == []
    mine = Mine(on_startup=[print])
    await serve(mine, Record())
    assert called == ["startup"]
