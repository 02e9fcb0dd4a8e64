"""The `with` block of the test client: portal, loop, lifespan, state."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import anyio
import anyio.from_thread
import pytest

from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


class App:
    """An application with state, which notes what happens."""

    def __init__(self) -> None:
        self.log: list[Any] = []
        self.tasks: list[Any] = []
        self.tokens: list[object] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.tokens.append(anyio.lowlevel.current_token())
        if scope["type"] == "lifespan":
            self.log.append(sorted(scope))
            self.log.append((await receive())["type"])
            self.tasks.append(anyio.get_current_task())
            scope["state"]["list"] = [1]
            scope["state"]["count"] = 1
            await send({"type": "lifespan.startup.complete"})
            self.log.append((await receive())["type"])
            self.tasks.append(anyio.get_current_task())
            await send({"type": "lifespan.shutdown.complete"})
        else:
            self.log.append(dict(scope["state"]))
            scope["state"]["count"] = 2
            scope["state"]["list"].append(2)
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body"})


def test_the_lifespan_runs_around_the_block(backend: Any) -> None:  # R52, R53, R54
    app = App()
    client = TestClient(app, backend=backend)
    with client as entered:
        assert entered is client
        portal = client.portal
        assert isinstance(portal, anyio.from_thread.BlockingPortal)
        assert portal.call(anyio.sleep, 0) is None
        client.get("/")
        client.get("/")
        assert app.log == [
            ["state", "type"],
            "lifespan.startup",
            {"list": [1, 2, 2], "count": 1},
            {"list": [1, 2, 2], "count": 1},
        ]
    assert app.log[-1] == "lifespan.shutdown"
    assert client.portal is None
    assert not client.is_closed
    assert client.app_state == {"list": [1, 2, 2], "count": 1}
    assert app.tasks[0] == app.tasks[1]
    assert len(set(app.tokens)) == 1
    with client:
        client.get("/")
    assert len(set(app.tokens)) == 2


def script(*messages: Message | Exception) -> ASGIApp:
    """Return an application that answers each lifespan message with the next of these."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await receive()
            if isinstance(message, Exception):
                raise message
            await send(message)

    return app


STARTED: Message = {"type": "lifespan.startup.complete"}
NOT_STARTED: Message = {"type": "lifespan.startup.failed", "message": "no database"}


@pytest.mark.parametrize(
    ("app", "error", "text"),
    [
        pytest.param(script({"type": "x"}), AssertionError, "answered 'lifespan.startup' with 'x'", id="R55-other"),
        pytest.param(script(ValueError("mine")), ValueError, "mine", id="R55-raises"),
        pytest.param(script(NOT_STARTED, ValueError("mine")), ValueError, "mine", id="R55-failed-and-raises"),
        pytest.param(script(NOT_STARTED), RuntimeError, "failed to start: no database", id="D2-failed"),
        pytest.param(script(NOT_STARTED, {"type": "x"}), RuntimeError, "failed to start", id="D2-failed-and-goes-on"),
        pytest.param(script(), AssertionError, "without answering 'lifespan.startup'", id="D3-returns"),
    ],
)
def test_a_failing_startup(app: ASGIApp, error: type[Exception], text: str, backend: Any) -> None:
    client = TestClient(app, backend=backend)
    with pytest.raises(error, match=text):
        client.__enter__()
    assert client.portal is None


@pytest.mark.parametrize(
    ("app", "error", "text"),
    [
        pytest.param(script(STARTED, ValueError("mine")), ValueError, "mine", id="R55-raises"),
        pytest.param(
            script(STARTED, {"type": "lifespan.shutdown.failed"}, ValueError("x")), KeyError, "block", id="R56-failed"
        ),
        pytest.param(script(STARTED, {"type": "x"}), AssertionError, "answered 'lifespan.shutdown'", id="other"),
        pytest.param(script(STARTED), AssertionError, "without answering 'lifespan.shutdown'", id="returns"),
    ],
)
def test_a_failing_shutdown_replaces_what_the_block_raised(
    app: ASGIApp, error: type[Exception], text: str, backend: Any
) -> None:
    async def bounded(scope: Scope, receive: Receive, send: Send) -> None:
        left = 2

        async def twice() -> Message:
            nonlocal left
            left -= 1
            return await receive() if left >= 0 else {}

        try:
            await app(scope, twice, send)
        except ValueError as exc:
            if str(exc) != "x":
                raise

    with pytest.raises(error, match=text), TestClient(bounded, backend=backend):
        raise KeyError("block")


def test_a_lifespan_that_dies_is_reported_at_the_end(backend: Any) -> None:  # R56
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(STARTED)
        raise ValueError("died")

    client = TestClient(app, backend=backend)
    client.__enter__()
    assert isinstance(client.task.exception(10), ValueError)
    with pytest.raises(ValueError, match="died"):
        client.__exit__()


def test_the_steps_can_be_overridden(backend: Any) -> None:  # R59
    log: list[str] = []

    class Client(TestClient):
        async def lifespan(self) -> None:
            log.append("lifespan")
            await super().lifespan()
            for _ in range(9):
                await anyio.lowlevel.checkpoint()

        async def wait_startup(self) -> None:
            await super().wait_startup()
            log.append("started")

        async def wait_shutdown(self) -> None:
            await super().wait_shutdown()
            log.append("stopped")

    with Client(App(), backend=backend) as client:
        assert client.exit_stack is not None
        assert client.stream_send is not client.stream_receive
        client.get("/")
    assert log == ["lifespan", "started", "stopped"]


def test_a_request_from_the_loop_itself_is_refused(backend: Any) -> None:
    async def call() -> None:
        with pytest.raises(RuntimeError, match="cannot be called from the event loop thread"):
            client.get("/")

    with TestClient(App(), backend=backend) as client:
        assert client.portal is not None
        client.portal.call(call)


def test_a_portal_given_from_outside_is_used(backend: Any) -> None:
    app = App()
    client = TestClient(app, backend=backend)
    client.app_state["list"] = []
    with anyio.from_thread.start_blocking_portal(backend) as portal:
        client.portal = portal
        client.get("/")
        client.get("/")
    assert len(set(app.tokens)) == 1
