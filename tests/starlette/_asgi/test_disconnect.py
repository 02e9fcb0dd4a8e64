"""The race of a sender with a listener, and which servers need it."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from starlette._asgi.disconnect import LastSend, race, send_raises, wait_for_disconnect
from starlette.types import Message
from tests.asgi import Script


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({}, False),
        ({"asgi": {}}, False),
        ({"asgi": {"spec_version": "2.3"}}, False),
        ({"asgi": {"spec_version": "2.4"}}, True),
        ({"asgi": {"spec_version": "2.10"}}, True),
        ({"asgi": {"spec_version": "2.4.1"}}, True),
        ({"asgi": {"spec_version": "3.0"}}, True),
    ],
)
def test_versions_are_compared_by_numbers(scope: dict[str, Any], expected: bool) -> None:
    assert send_raises(scope) is expected  # responses R32


def test_a_version_is_made_of_numbers() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        send_raises({"asgi": {"spec_version": "new"}})


@pytest.mark.anyio
async def test_other_messages_are_ignored() -> None:
    script = Script({"type": "http.request"}, {"type": "http.disconnect"})
    await wait_for_disconnect(script)
    assert script.calls == 2


@pytest.mark.anyio
async def test_nobody_listens_to_work_that_never_waits() -> None:
    script = Script()

    async def work() -> None:
        pass

    await race(work, lambda: wait_for_disconnect(script))
    assert script.calls == 0


@pytest.mark.anyio
async def test_the_listener_is_cancelled_when_the_work_is_done() -> None:
    script = Script()

    async def work() -> None:
        for _ in range(3):
            await anyio.lowlevel.checkpoint()

    await race(work, lambda: wait_for_disconnect(script))
    assert script.calls == 1


@pytest.mark.anyio
async def test_a_disconnect_cancels_work_inside_of_its_own_scopes() -> None:
    ended = []

    async def work() -> None:
        try:
            with anyio.move_on_after(3600):
                async with anyio.create_task_group() as group:
                    group.start_soon(anyio.sleep_forever)
        finally:
            ended.append(True)
        raise AssertionError("not reached")

    await race(work, lambda: wait_for_disconnect(Script({"type": "http.disconnect"})))
    assert ended == [True]


@pytest.mark.anyio
@pytest.mark.parametrize(("more", "expected"), [(False, ["ended"]), (True, ["cancelled"])], ids=["last", "not-last"])
async def test_the_last_message_is_not_broken_off(more: bool, expected: list[str]) -> None:  # threats R02
    left = anyio.Event()
    ended: list[str] = []

    async def receive() -> Message:
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            left.set()  # the server tells that the exchange is over, and goes on to end it
            try:
                for _ in range(9):
                    await anyio.lowlevel.checkpoint()
            except anyio.get_cancelled_exc_class():
                ended.append("cancelled")
                raise
            ended.append("ended")

    last = LastSend(send)

    async def work() -> None:
        await last.send({"type": "http.response.start", "status": 200, "headers": []})
        await last.send({"type": "http.response.body", "body": b"x", "more_body": more})

    await race(work, lambda: wait_for_disconnect(receive), last.begun)
    assert ended == expected


@pytest.mark.anyio
@pytest.mark.parametrize("waits", [0, 2])
async def test_an_error_of_the_work_is_raised_as_itself(waits: int) -> None:
    error = OSError("broken")

    async def work() -> None:
        for _ in range(waits):
            await anyio.lowlevel.checkpoint()
        raise error

    with pytest.raises(OSError, match="broken") as raised:
        await race(work, lambda: wait_for_disconnect(Script()))
    assert raised.value is error  # responses R35


@pytest.mark.anyio
async def test_an_error_of_the_listener_is_raised_as_itself() -> None:
    error = KeyError("receive")
    with pytest.raises(KeyError) as raised:
        await race(anyio.sleep_forever, lambda: wait_for_disconnect(Script(error)))
    assert raised.value is error


@pytest.mark.anyio
async def test_two_errors_make_a_group_and_groups_of_users_stay() -> None:
    async def work() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise ValueError("work")

    with pytest.raises(ExceptionGroup) as raised:
        await race(work, lambda: wait_for_disconnect(Script(KeyError("receive"))))
    assert {type(error) for error in raised.value.exceptions} == {ValueError, KeyError}

    async def group() -> None:
        raise ExceptionGroup("mine", [ValueError("one")])

    with pytest.raises(ExceptionGroup, match="mine"):
        await race(group, lambda: wait_for_disconnect(Script()))


@pytest.mark.anyio
async def test_a_cancellation_from_outside_reaches_the_work() -> None:
    ended = []

    async def work() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(True)

    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: race(work, lambda: wait_for_disconnect(Script())))
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
    assert ended == [True]


@pytest.mark.anyio
async def test_an_error_of_work_that_is_cancelled_from_outside_is_raised() -> None:
    async def work() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise ValueError("work")

    with pytest.raises(ExceptionGroup) as raised, anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(cancel_when_idle, scope)
            await race(work, lambda: wait_for_disconnect(Script()))
    assert raised.group_contains(ValueError, match="work")


@pytest.mark.anyio
async def test_an_error_of_a_listener_that_is_no_longer_needed_is_raised() -> None:
    async def listen() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise KeyError("receive")

    with pytest.raises(KeyError):
        await race(anyio.lowlevel.checkpoint, listen)


async def cancel_when_idle(scope: anyio.CancelScope) -> None:
    await anyio.wait_all_tasks_blocked()
    scope.cancel()


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_nothing_is_waited_for_when_the_caller_is_closed() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("cancelled")

    before = asyncio.all_tasks()
    caller = race(work, lambda: wait_for_disconnect(Script()))
    caller.send(None)
    caller.close()
    assert ended == []
    (task,) = asyncio.all_tasks() - before
    task.cancel()
    await anyio.wait_all_tasks_blocked()
    assert ended == ["cancelled"]


@pytest.mark.anyio
async def test_work_that_never_waits_lets_the_loop_have_its_turn() -> None:
    async def work() -> None:
        assert anyio.get_current_task().name  # looks at the task

    turned: list[int] = []

    async def turn() -> None:
        turned.append(1)

    async with anyio.create_task_group() as group:
        group.start_soon(turn)
        for _ in range(100):
            await race(work, lambda: wait_for_disconnect(Script()))
        assert turned == [1]
