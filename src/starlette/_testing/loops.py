"""Event loops that run in a thread of their own, seen from the thread of a test.

A loop is reached with nothing but "run this soon": no future, no handshake. What comes back comes through the
queues of an exchange, so that one round trip costs two thread switches and no more.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final
from weakref import WeakKeyDictionary

import anyio
from anyio.from_thread import BlockingPortal

_library: contextvars.ContextVar[str | None]
try:
    # AnyIO asks sniffio, if it is there, which loop runs. The answer is a context variable and travels with the rest.
    from sniffio import current_async_library_cvar as _library
except ModuleNotFoundError:  # pragma: no cover - installed with trio, and trio is needed to test both loops
    _library = contextvars.ContextVar("library", default=None)

Main = Callable[[], Coroutine[Any, Any, None]]

# A task that a request left behind gets this many turns of the loop before the loop is closed.
_FAREWELL_TURNS: Final = 50


class Loop:
    """A running event loop that other threads can hand work to.

    Attributes:
        post: Call a function with arguments in the loop's thread, soon, in the order of the posts. RuntimeError when
            the loop has ended.
        is_asyncio: Whether this is an asyncio loop; if not, it is trio's.
    """

    __slots__ = ("__weakref__", "_tasks", "_thread", "is_asyncio", "post")

    post: Callable[..., object]

    def __init__(self) -> None:
        """Stand for the loop that is running in this thread."""
        # COMPAT: asyncio keeps weak references to tasks only.
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.get_ident()
        try:
            self.post = asyncio.get_running_loop().call_soon_threadsafe
            self.is_asyncio = True
        except RuntimeError:
            from trio.lowlevel import current_trio_token

            self.post = current_trio_token().run_sync_soon
            self.is_asyncio = False

    def spawn(self, main: Main) -> None:
        """Start a task from another thread; it sees the context variables of the caller."""
        if threading.get_ident() == self._thread:
            raise RuntimeError("This method cannot be called from the event loop thread")
        context = contextvars.copy_context()
        if self.is_asyncio:
            context.run(_library.set, "asyncio")
            self.post(context.run, self._start_task, main)
        else:
            context.run(_library.set, "trio")
            self.post(_start_trio_task, main, context)

    def _start_task(self, main: Main) -> None:
        task = asyncio.get_running_loop().create_task(main())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _start_trio_task(main: Main, context: contextvars.Context) -> None:
    from trio.lowlevel import spawn_system_task

    spawn_system_task(main, context=context)


_LOOPS: Final[WeakKeyDictionary[BlockingPortal, Loop]] = WeakKeyDictionary()


def loop_of(portal: BlockingPortal) -> Loop:
    """Return the loop behind a portal; asked once for each portal."""
    loop = _LOOPS.get(portal)
    if loop is None:
        loop = _LOOPS[portal] = portal.call(Loop)
    return loop


def remember_loop(portal: BlockingPortal) -> None:
    """Note, in the thread of the portal, which loop it stands for."""
    _LOOPS[portal] = Loop()


def run_alone(
    main: Main,
    backend: str,
    backend_options: dict[str, Any],
    ended: Callable[[BaseException | None], object],
) -> threading.Thread:
    """Run `main` in an event loop of its own, in a new thread, with the context variables of the caller.

    Args:
        main: The only task that the loop waits for.
        backend: `"asyncio"` or `"trio"`.
        backend_options: What AnyIO passes to that library.
        ended: Called in that thread when the loop is closed, with what went wrong, if anything.
    """
    context = contextvars.copy_context()
    context.run(
        _library.set, None
    )  # The caller may be a task of another loop, and AnyIO must not take it for this one.

    def target() -> None:
        failure: BaseException | None = None
        try:
            context.run(_run, main, backend, backend_options)
        except BaseException as exc:
            failure = exc
        ended(failure)

    thread = threading.Thread(target=target, name=f"{backend}-testclient", daemon=True)
    thread.start()
    return thread


def _run(main: Main, backend: str, backend_options: dict[str, Any]) -> None:
    anyio.run(main, backend=backend, backend_options=backend_options)


async def take_leave() -> None:
    """Let tasks that a request left behind begin their work before the loop is closed and they are cancelled.

    COMPAT: with a portal for each request, some turns of the loop pass before it ends. Applications that start a task
    and do not wait for it count on them. Only asyncio has such tasks.
    """
    for _ in range(_FAREWELL_TURNS):
        if len(asyncio.all_tasks()) < 2:
            return
        await asyncio.sleep(0)
