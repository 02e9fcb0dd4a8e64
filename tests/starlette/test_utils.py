"""`starlette._utils` (background_concurrency R11-R15, routing R23)."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable
from typing import Any
from unittest import mock

import pytest

from starlette._utils import (
    AwaitableOrContextManagerWrapper,
    ParsedHost,
    create_collapsing_task_group,
    get_route_path,
    is_async_callable,
    parse_host_header,
)


async def async_function() -> None: ...


def sync_function() -> None: ...


async def async_generator() -> AsyncIterator[int]:
    yield 1


class AsyncCallable:
    async def __call__(self) -> None: ...

    async def method(self) -> None: ...

    @classmethod
    async def of_class(cls) -> None: ...

    @staticmethod
    async def static() -> None: ...

    def sync(self) -> None: ...


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        pytest.param(async_function, True, id="R11-function"),
        pytest.param(AsyncCallable().method, True, id="R11-bound-method"),
        pytest.param(AsyncCallable.method, True, id="R11-method-of-the-class"),
        pytest.param(AsyncCallable.of_class, True, id="R11-class-method"),
        pytest.param(AsyncCallable.static, True, id="R11-static-method"),
        pytest.param(functools.partial(async_function), True, id="R11-partial"),
        pytest.param(functools.partial(functools.partial(async_function)), True, id="R11-nested-partial"),
        pytest.param(AsyncCallable(), True, id="R11-object"),
        pytest.param(functools.partial(AsyncCallable()), True, id="R11-partial-of-an-object"),
        pytest.param(mock.create_autospec(async_function), True, id="R11-autospec"),
        pytest.param(mock.AsyncMock(), True, id="R11-async-mock"),
        pytest.param(AsyncCallable, True, id="R11-a-class-with-async-call"),
        pytest.param(sync_function, False, id="R11-sync-function"),
        pytest.param(AsyncCallable().sync, False, id="R11-sync-method"),
        pytest.param(lambda: async_function(), False, id="R11-lambda-that-returns-a-coroutine"),
        pytest.param(async_generator, False, id="R11-async-generator"),
        pytest.param(mock.Mock(), False, id="R11-mock"),
        pytest.param(functools.partial(sync_function), False, id="R11-partial-of-sync"),
        pytest.param(len, False, id="R11-builtin"),
        pytest.param("".join, False, id="R11-builtin-method"),
        pytest.param(None, False, id="R11-none"),
        pytest.param(5, False, id="R11-number"),
    ],
)
def test_async_callables_are_told_apart(obj: Any, expected: bool) -> None:
    assert is_async_callable(obj) is expected


class Resource:
    """Something closable, whose `close` would swallow an exception if it could."""

    def __init__(self) -> None:
        self.closed = 0

    async def close(self) -> Any:
        self.closed += 1
        return True


def opening(resource: Resource) -> Awaitable[Resource]:
    async def wait() -> Resource:
        return resource

    return wait()


@pytest.mark.anyio
async def test_awaiting_gives_the_value_and_closes_nothing() -> None:  # background_concurrency R12
    resource = Resource()
    assert await AwaitableOrContextManagerWrapper(opening(resource)) is resource
    assert resource.closed == 0


@pytest.mark.anyio
async def test_entering_gives_the_value_and_closes_it() -> None:  # background_concurrency R12
    resource = Resource()
    wrapper: Any = AwaitableOrContextManagerWrapper(opening(resource))
    async with wrapper as value:
        assert value is resource is wrapper.entered
        assert resource.closed == 0
    assert resource.closed == 1


@pytest.mark.anyio
async def test_exceptions_pass_the_context_manager() -> None:  # background_concurrency R12
    resource = Resource()
    with pytest.raises(ValueError, match="inside"):
        async with AwaitableOrContextManagerWrapper(opening(resource)):
            raise ValueError("inside")
    assert resource.closed == 1


def test_the_wrapper_is_generic_and_slotted() -> None:  # background_concurrency R12
    generic: Any = AwaitableOrContextManagerWrapper[Resource]
    assert generic.__origin__ is AwaitableOrContextManagerWrapper
    assert AwaitableOrContextManagerWrapper.__slots__ == ("aw", "entered")


async def fail(exc: BaseException) -> None:
    raise exc


@pytest.mark.anyio
@pytest.mark.parametrize("where", ["body", "child"])
async def test_the_only_exception_comes_out_as_itself(where: str) -> None:  # background_concurrency R13, R15
    error = KeyError("x")
    with pytest.raises(KeyError) as caught:
        async with create_collapsing_task_group() as group:
            if where == "child":
                group.start_soon(fail, error)
            else:
                raise error
    assert caught.value is error


@pytest.mark.anyio
async def test_several_exceptions_stay_a_group() -> None:  # background_concurrency R13, R15
    with pytest.raises(BaseExceptionGroup) as caught:
        async with create_collapsing_task_group() as group:
            group.start_soon(fail, KeyError("child"))
            raise ValueError("body")
    assert sorted(type(exc).__name__ for exc in caught.value.exceptions) == ["KeyError", "ValueError"]


@pytest.mark.anyio
async def test_a_group_of_the_user_stays_one() -> None:  # background_concurrency R14, threats R04.1
    theirs = ExceptionGroup("user", [ValueError("x")])
    with pytest.raises(ExceptionGroup) as caught:
        async with create_collapsing_task_group():
            raise theirs
    # Not by identity: trio hands out a copy.
    assert (caught.value.message, caught.value.exceptions) == ("user", theirs.exceptions)


@pytest.mark.anyio
async def test_without_exceptions_nothing_is_raised() -> None:  # background_concurrency R13
    done = []

    async def work() -> None:
        done.append(1)

    async with create_collapsing_task_group() as group:
        group.start_soon(work)
    assert done == [1]


@pytest.mark.anyio
async def test_the_cause_of_the_only_exception_is_kept() -> None:  # background_concurrency R13
    cause = OSError("cause")
    with pytest.raises(KeyError) as caught:
        async with create_collapsing_task_group():
            raise KeyError("x") from cause
    assert caught.value.__cause__ is cause


@pytest.mark.anyio
async def test_the_context_of_the_only_exception_becomes_its_cause() -> None:  # background_concurrency R13
    context = OSError("context")
    with pytest.raises(KeyError) as caught:
        async with create_collapsing_task_group():
            try:
                raise context
            except OSError:
                raise KeyError("x")
    assert caught.value.__cause__ is context


@pytest.mark.anyio
async def test_a_suppressed_context_stays_suppressed() -> None:  # background_concurrency R13
    with pytest.raises(KeyError) as caught:
        async with create_collapsing_task_group():
            try:
                raise OSError("context")
            except OSError:
                raise KeyError("x") from None
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("path", "root", "expected"),
    [
        ("/foo/bar", "/foo", "/bar"),
        ("/foo", "/foo", ""),
        ("/foo/", "/foo", "/"),
        ("/foo-123/bar", "/foo", "/foo-123/bar"),
        ("/foo/bar", "/bar", "/foo/bar"),
        ("/foo/bar", "", "/foo/bar"),
        ("/foo/bar", None, "/foo/bar"),
        ("/a/b", "/a/", "/a/b"),
        ("/a/", "/a/", ""),
        ("/", "/", ""),
    ],
)
def test_the_route_path_is_cut_at_a_segment(path: str, root: str | None, expected: str) -> None:  # routing R23
    scope: dict[str, Any] = {"path": path} if root is None else {"path": path, "root_path": root}
    assert get_route_path(scope) == expected


def test_host_parsing_can_be_reached_from_here() -> None:  # routing R24; the table stands with `_http.authority`
    assert parse_host_header("example.org:80") == ParsedHost("example.org", "80")
    assert parse_host_header("a b") is None
