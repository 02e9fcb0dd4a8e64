"""`starlette.background` (background_concurrency R1-R7)."""

from __future__ import annotations

import functools
import threading
from typing import Any

import pytest

from starlette.background import BackgroundTask, BackgroundTasks
from starlette.responses import Response
from starlette.testclient import TestClient
from starlette.types import Message
from tests.asgi import body, http_scope


class Recorder:
    """An object that is called like an async function."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    async def __call__(self, *args: Any) -> str:
        self.calls.append(args)
        return "dropped"


def test_a_task_keeps_its_call() -> None:  # background R1
    async def work() -> None: ...

    made: Any = BackgroundTask
    task = made(work, 1, flag=True)
    assert (task.func, task.args, task.kwargs, task.is_async) == (work, (1,), {"flag": True}, True)
    assert BackgroundTask(print, "x").is_async is False
    assert BackgroundTask(func=print).func is print


@pytest.mark.anyio
async def test_async_work_runs_on_the_loop() -> None:  # background R1, R2
    recorder = Recorder()
    for func in (recorder, functools.partial(recorder, "bound")):
        task: Any = BackgroundTask(func, "x")
        assert task.is_async
        assert (await task()) is None
    assert recorder.calls == [("x",), ("bound", "x")]


@pytest.mark.anyio
async def test_sync_work_runs_in_a_worker_thread() -> None:  # background R1, threats R05, R13
    threads: list[threading.Thread] = []

    def work(*, repeat: int) -> None:
        threads.extend([threading.current_thread()] * repeat)

    await BackgroundTask(work, repeat=2)()
    assert len(threads) == 2
    assert threading.main_thread() not in threads


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"], indirect=True)  # trio refuses such a function with an error
async def test_a_sync_callable_that_returns_a_coroutine_is_not_awaited() -> None:  # background R2
    made = []

    async def inner() -> None:
        raise AssertionError("never awaited")

    def outer() -> Any:
        coroutine = inner()
        made.append(coroutine)
        return coroutine

    await BackgroundTask(outer)()
    made[0].close()


def test_no_keyword_argument_can_be_called_func() -> None:  # background R3
    task_class: Any = BackgroundTask
    tasks: Any = BackgroundTasks()
    with pytest.raises(TypeError, match="func"):
        task_class(print, func=1)
    with pytest.raises(TypeError, match="func"):
        tasks.add_task(print, func=1)


def test_tasks_are_copied() -> None:  # background R4
    one = BackgroundTask(print)
    given = (one,)
    tasks = BackgroundTasks(given)
    assert tasks.tasks == [one]
    assert isinstance(tasks, BackgroundTask)
    source = [one]
    assert BackgroundTasks(source).tasks is not source
    assert BackgroundTasks().tasks == BackgroundTasks(None).tasks == BackgroundTasks([]).tasks == []
    assert not any(hasattr(tasks, name) for name in ("func", "args", "kwargs", "is_async"))


@pytest.mark.anyio
async def test_tasks_run_in_order() -> None:  # background R4, R5, threats R05
    log: list[str] = []

    async def later(text: str) -> None:
        log.append(text)

    tasks = BackgroundTasks([BackgroundTask(log.append, "first")])
    added: Any = tasks.add_task(later, "second")  # type: ignore[func-returns-value]
    tasks.add_task(log.append, "third")
    assert added is None
    await tasks()
    assert log == ["first", "second", "third"]


@pytest.mark.anyio
async def test_an_exception_stops_the_rest() -> None:  # background R5, threats R05
    log: list[str] = []

    async def fail() -> None:
        raise ValueError("broken")

    tasks = BackgroundTasks()
    tasks.add_task(log.append, "before")
    tasks.add_task(fail)
    tasks.add_task(log.append, "after")
    with pytest.raises(ValueError, match="broken"):
        await tasks()
    assert log == ["before"]


@pytest.mark.anyio
async def test_a_replaced_call_is_used(monkeypatch: pytest.MonkeyPatch) -> None:  # private_names: patch point
    seen: list[Any] = []

    async def call(self: BackgroundTask) -> None:
        seen.append(self.func)

    monkeypatch.setattr(BackgroundTask, "__call__", call)
    await BackgroundTasks([BackgroundTask(print), BackgroundTask(len, "")])()
    assert seen == [print, len]


@pytest.mark.anyio
async def test_a_response_runs_its_task_after_its_last_message() -> None:  # background R6
    events: list[str] = []

    async def send(message: Message) -> None:
        events.append(message["type"])

    async def work() -> None:
        events.append("task")
        raise RuntimeError("too late for the client")

    for background in (BackgroundTask(work), work):
        events.clear()
        response = Response(b"x", background=background)  # type: ignore[arg-type]  # whatever can be awaited will do
        with pytest.raises(RuntimeError, match="too late"):
            await response(http_scope(), body(), send)
        assert events == ["http.response.start", "http.response.body", "task"]


def test_a_test_client_returns_when_the_task_has_run() -> None:  # background R7
    done: list[int] = []
    assert TestClient(Response(b"x", background=BackgroundTask(done.append, 1))).get("/").content == b"x"
    assert done == [1]
