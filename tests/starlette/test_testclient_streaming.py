"""Streamed responses of the test client: hand-over of chunks, completion, cancellation."""

from __future__ import annotations

import concurrent.futures
import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import anyio.from_thread
import httpx2 as httpx
import pytest

from starlette._testing.loops import Loop, loop_of
from starlette.testclient import TestClient, _Exchange
from starlette.types import ASGIApp, Message, Receive, Scope, Send

START: Message = {"type": "http.response.start", "status": 200, "headers": []}


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(params=[False, True], ids=["bare", "in-block"])
def connect(request: pytest.FixtureRequest, backend: Any) -> Iterator[Callable[[ASGIApp], TestClient]]:
    """Return a maker of clients, which are inside of their `with` block or not."""
    clients: list[TestClient] = []

    def make(app: ASGIApp, **options: Any) -> TestClient:
        client = TestClient(with_lifespan(app), backend=backend, **options)
        if request.param:
            clients.append(client.__enter__())
        return client

    yield make
    for client in clients:
        client.__exit__()


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def with_lifespan(app: ASGIApp) -> ASGIApp:
    async def wrapper(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await app(scope, receive, send)
            return
        for phase in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{phase}.complete"})

    return wrapper


def chunk(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


class Steps:
    """An application that sends these chunks, noting how far it came."""

    def __init__(self, *messages: Message, start: Message = START) -> None:
        self.start = start
        self.messages = messages
        self.log: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send(self.start)
            for number, message in enumerate(self.messages, 1):
                self.log.append(f"sends {number}")
                await send(message)
            self.log.append("background")
            await anyio.lowlevel.checkpoint()
            self.log.append("end")
        except anyio.get_cancelled_exc_class():
            self.log.append("cancelled")
            raise


def test_the_application_goes_on_when_a_chunk_is_taken(connect: Any) -> None:  # R30, R31, R33
    app = Steps(chunk(b"a"), chunk(b"b"), chunk(b"c", more=False))
    with connect(app).stream("GET", "/") as response:
        assert response.status_code == 200
        parts = response.iter_raw()
        assert app.log in ([], ["sends 1"])
        assert next(parts) == b"a"
        assert app.log in (["sends 1"], ["sends 1", "sends 2"])
        assert next(parts) == b"b"
        assert "background" not in app.log
        assert list(parts) == [b"c"]
        assert app.log == ["sends 1", "sends 2", "sends 3", "background", "end"]


def test_empty_messages_are_no_chunks(connect: Any) -> None:  # R32
    app = Steps(*[chunk(b"")] * 1000, chunk(b"a"), chunk(b""), chunk(b"b"), chunk(b"", more=False))
    with connect(app).stream("GET", "/") as response:
        assert list(response.iter_raw()) == [b"a", b"b"]
    assert app.log[-1] == "end"


def test_head_consumes_and_drops_chunks(connect: Any) -> None:  # R29
    app = Steps(chunk(b"a"), chunk(b"b", more=False))
    with connect(app).stream("HEAD", "/") as response:
        assert list(response.iter_raw()) == []
    assert app.log[-1] == "end"


def test_background_work_is_waited_for(connect: Any) -> None:  # R33
    app = Steps(chunk(b"a", more=False))
    try:
        raise LookupError
    except LookupError:
        connect(app).get("/")
    assert app.log == ["sends 1", "background", "end"]


@pytest.mark.parametrize("close", [True, False], ids=["closed", "left"])
def test_an_unfinished_response_is_cancelled(connect: Any, close: bool) -> None:  # R34
    app = Steps(chunk(b"a"), chunk(b"b", more=False))
    with connect(app).stream("GET", "/") as response:
        assert next(response.iter_raw()) == b"a"
        if close:
            response.close()
            assert app.log[-1] == "cancelled"
    assert app.log[-1] == "cancelled"


def test_cancellation_comes_before_the_first_step(connect: Any) -> None:  # R34
    app = Steps(chunk(b"a", more=False))
    with connect(app).stream("GET", "/"):
        pass
    assert app.log == ["sends 1", "cancelled"]


def test_missing_trailers_leave_a_response_unfinished(connect: Any) -> None:  # R34, R44
    app = Steps(chunk(b"a", more=False), {"type": "x"}, start={**START, "trailers": True})

    async def waits(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)
        await anyio.sleep_forever()

    with connect(waits).stream("GET", "/") as response:
        assert response.extensions["http.response.trailers"] == []
        parts = response.iter_raw()
        assert next(parts) == b"a"


def test_trailers_appear_while_reading(connect: Any) -> None:  # R44
    trailers: Message = {"type": "http.response.trailers", "headers": [(b"x", b"y")]}
    app = Steps(chunk(b"a", more=False), trailers, start={**START, "trailers": True})
    with connect(app).stream("GET", "/") as response:
        live = response.extensions["http.response.trailers"]
        assert live == []
        response.read()
        assert live == [(b"x", b"y")]
    assert app.log[-1] == "end"


def test_a_taken_last_chunk_completes_a_response(connect: Any) -> None:  # R35
    app = Steps(chunk(b"a", more=False))
    with connect(app).stream("GET", "/") as response:
        parts = response.iter_raw()
        next(parts)
        parts.close()
    assert app.log[-1] == "end"


def test_closing_the_client_cancels_open_responses(backend: Any) -> None:  # R36, R52
    app = Steps(chunk(b"a"), chunk(b"b"))
    client = TestClient(with_lifespan(app), backend=backend)
    response = client.send(client.build_request("GET", "/"), stream=True)
    parts = response.iter_raw()
    assert next(parts) == b"a"
    client.close()
    assert app.log[-1] == "cancelled"
    with pytest.raises(RuntimeError, match="closed"):
        client.get("/")


def test_leaving_the_block_cancels_open_responses_before_the_shutdown(backend: Any) -> None:  # R36
    log: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                await send(START)
                await send(chunk(b"a"))
            finally:
                log.append("request")
        else:
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            log.append("shutdown")
            await send({"type": "lifespan.shutdown.complete"})

    with TestClient(app, backend=backend) as client:
        response = client.send(client.build_request("GET", "/"), stream=True)
        parts = response.iter_raw()
        assert next(parts) == b"a"
    assert log == ["request", "shutdown"]
    assert list(parts) == []  # Nothing comes after that, and nothing hangs.


def test_a_dropped_response_is_cancelled(backend: Any) -> None:
    ended = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send(START)
            await send(chunk(b"a"))
        finally:
            ended.set()

    client = TestClient(app, backend=backend)
    response: httpx.Response | None = client.send(client.build_request("GET", "/"), stream=True)
    assert response is not None
    (worker,) = [thread for thread in threading.enumerate() if "testclient" in thread.name]
    del response
    gc.collect()
    assert ended.wait(10)
    worker.join(10)


def test_requests_of_several_threads_share_the_loop(backend: Any) -> None:  # R37
    barrier: list[anyio.Event] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if barrier:
            barrier[0].set()
        else:
            barrier.append(anyio.Event())
            await barrier[0].wait()
        await send(START)
        await send(chunk(b"ok", more=False))

    with TestClient(with_lifespan(app), backend=backend) as client:
        texts: list[str] = []
        threads = [threading.Thread(target=lambda: texts.append(client.get("/").text)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert texts == ["ok", "ok"]


def failing(*messages: Message) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await Steps(*messages)(scope, receive, send)
        raise ValueError("mine")

    return app


def test_late_exceptions_are_raised_while_reading(connect: Any) -> None:  # R38
    client = connect(failing(chunk(b"a")))
    with pytest.raises(ValueError, match="mine"), client.stream("GET", "/") as response:
        parts = response.iter_raw()
        assert next(parts) == b"a"
        with pytest.raises(ValueError, match="mine"):
            next(parts)
        raise ValueError("mine, still")


def test_exceptions_of_background_work_are_raised_on_leaving(connect: Any) -> None:  # R38
    client = connect(failing(chunk(b"a", more=False)))
    response = client.send(client.build_request("GET", "/"), stream=True)
    parts = response.iter_raw()
    assert next(parts) == b"a"
    with pytest.raises(ValueError, match="mine"):
        response.close()
    response.close()


def test_an_exception_of_the_test_wins_over_the_cancellation(connect: Any) -> None:  # R38
    app = Steps(chunk(b"a"))
    with pytest.raises(LookupError, match="of the test"), connect(app).stream("GET", "/"):
        raise LookupError("of the test")
    assert app.log[-1] == "cancelled"


def test_an_interrupt_is_not_replaced(connect: Any) -> None:
    client = connect(failing(chunk(b"a", more=False)))
    with pytest.raises(KeyboardInterrupt), client.stream("GET", "/") as response:
        parts = response.iter_raw()
        next(parts)
        raise KeyboardInterrupt


def test_a_hook_sees_the_response_before_its_body(connect: Any) -> None:
    app = Steps(chunk(b"a"), chunk(b"b", more=False))
    client = connect(app)
    seen: list[list[str]] = []
    client.event_hooks = {"response": [lambda response: seen.append(list(app.log))]}
    assert client.get("/").content == b"ab"
    assert "sends 2" not in seen[0]


def test_an_auth_flow_sees_the_response_before_its_body(connect: Any) -> None:
    app = Steps(chunk(b"a"), chunk(b"b", more=False))
    seen: list[list[str]] = []

    class Flow(httpx.Auth):
        def auth_flow(self, request: httpx.Request) -> Any:
            yield request
            seen.append(list(app.log))

    assert connect(app).get("/", auth=Flow()).content == b"ab"
    assert "sends 2" not in seen[0]
    assert connect(app).get("/", auth=("user", "password")).content == b"ab"


@pytest.mark.parametrize(
    ("start", "error"),
    [
        pytest.param({**START, "headers": [(b"content-encoding", b"gzip")]}, httpx.DecodingError, id="coding"),
        pytest.param(
            {**START, "status": 302, "headers": [(b"location", b"http://a:b/")]},
            httpx.RemoteProtocolError,
            id="redirect",
        ),
    ],
)
def test_a_response_the_library_gives_up_is_cancelled(connect: Any, start: Message, error: type[Exception]) -> None:
    app = Steps(chunk(b"not gzip" * 9), chunk(b"b", more=False), start=start)
    with pytest.raises(error):
        connect(app).get("/")
    assert app.log[-1] == "cancelled"


def test_late_debug_information_is_shown_as_it_comes(connect: Any) -> None:  # R47, D9
    late: Message = {"type": "http.response.debug", "info": {"context": {"late": True}}}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send({"type": "http.response.debug", "info": {"template": "early"}})
        await send(chunk(b"a"))
        await send(late)
        await send(chunk(b"b", more=False))

    with connect(app).stream("GET", "/") as response:
        assert response.template == "early"
        response.read()
        assert response.context == {"late": True}
        assert not hasattr(response, "template")


def test_debug_information_for_nobody(backend: Any) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        try:
            await send(chunk(b"a"))
        finally:
            await send({"type": "http.response.debug", "info": {}})

    client = TestClient(app, backend=backend)
    response: httpx.Response | None = client.send(client.build_request("GET", "/"), stream=True)
    assert response is not None
    (worker,) = [thread for thread in threading.enumerate() if "testclient" in thread.name]
    del response
    gc.collect()
    worker.join(10)
    assert not worker.is_alive()


def test_a_response_outlives_a_portal_of_its_own(backend: Any) -> None:
    app = Steps(chunk(b"a"), chunk(b"b", more=False))
    client = TestClient(with_lifespan(app), backend=backend)
    transport = client._asgi_transport
    transport._owner = lambda: None
    with client.stream("GET", "/") as response:
        assert [*response.iter_raw()] == [b"a", b"b"]


def test_a_response_whose_loop_has_ended_is_over(backend: Any) -> None:
    client = TestClient(Steps(chunk(b"a"), chunk(b"b")))
    with anyio.from_thread.start_blocking_portal(backend) as portal:
        client.portal = portal
        response = client.send(client.build_request("GET", "/"), stream=True)
        parts = response.iter_raw()
        assert next(parts) == b"a"
    with pytest.raises(concurrent.futures.CancelledError):
        next(parts)


@pytest.mark.anyio
async def test_cancellation_may_come_before_the_beginning() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await anyio.lowlevel.checkpoint()
        raise AssertionError("must not go on")

    request = httpx.Request("GET", "http://testserver/")
    exchange = _Exchange(app, {"method": "GET"}, request, whole=True)
    exchange.cancel()
    exchange._loop = Loop()
    exchange.cancel()
    await anyio.lowlevel.checkpoint()
    await exchange.run()
    assert exchange.take_error(expected=True) is None
    exchange.wait_ended()


@pytest.mark.anyio
async def test_demand_may_come_before_the_chunk() -> None:
    request = httpx.Request("GET", "http://testserver/")
    exchange = _Exchange(Steps(chunk(b"a", more=False)), {"method": "GET"}, request, whole=False)
    exchange._loop = Loop()
    exchange._add_demand()
    await exchange.run()
    assert exchange.complete


def test_cancellation_may_come_after_the_end_of_the_loop(backend: Any) -> None:
    exchange = _Exchange(Steps(), {"method": "GET"}, httpx.Request("GET", "http://testserver/"), whole=False)
    with anyio.from_thread.start_blocking_portal(backend) as portal:
        exchange._loop = loop_of(portal)
    exchange.cancel()
