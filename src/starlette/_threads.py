"""Calls in worker threads, with what AnyIO promises for them and less of what it costs.

AnyIO hands each call to a thread of its own choice, wakes that thread, and wakes the event loop for each result. Where
many calls wait at once these wake-ups are nearly all of the time. Here the calls of an event loop go through one queue,
from which a thread that is awake takes the next, and results travel in batches.

What is kept: AnyIO's default limiter bounds the threads, and its statistics tell what is; context variables go in and
do not come back; a cancel scope waits for the thread; `anyio.from_thread` works in it; threads end with the loop's root
task. That takes names of AnyIO's asyncio backend which it does not document. They are looked up and tried at the first
call, and where one is missing or behaves otherwise, as on trio or where `anyio.to_thread.run_sync` was replaced, AnyIO
does everything.
"""

from __future__ import annotations

import contextvars
import functools
import sys
import threading
import types
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar, TypeVarTuple, Unpack, cast

import anyio.to_thread
from anyio._core import _eventloop

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

# Seconds after which a thread without work ends, unless it is the last.
IDLE_SECONDS: Final = 10.0

_PLAIN: Final[Any] = anyio.to_thread.run_sync
# Somebody may have replaced the function before this module was loaded; that is to be honoured as well.
_IS_ORIGINAL: Final = (
    isinstance(_PLAIN, types.FunctionType)
    and _PLAIN.__globals__ is vars(anyio.to_thread)
    and not hasattr(_PLAIN, "__wrapped__")
)


async def run_sync(func: Callable[[Unpack[Arguments]], T], *args: Unpack[Arguments]) -> T:  # noqa: UP044  mypy
    """Call `func` in a worker thread, as `anyio.to_thread.run_sync` does with its default options."""
    call = _call(func, args)
    if call is None:
        return await anyio.to_thread.run_sync(func, *args)
    if call.shield is None:
        return cast("T", await call.outcome())
    with call.shield:
        return cast("T", await call.outcome())


async def run_to_end(func: Callable[[], object]) -> None:
    """Call `func` in a worker thread, also when the await ends before one has begun.

    A shielded scope keeps AnyIO's cancellation off but not `task.cancel()`, with which an event loop stops, and what
    nobody awaits any more is not begun. Then a thread of its own makes the call, and its error goes to the excepthook.
    """
    begins = threading.Lock().acquire

    def begin() -> None:
        if begins(blocking=False):
            func()

    try:
        await run_sync(begin)
    except BaseException:
        if begins(blocking=False):
            run = contextvars.copy_context().run
            threading.Thread(target=run, args=(func,), name="Starlette closing thread", **_context()).start()
        raise


def _call(func: Callable[..., Any], args: tuple[Any, ...]) -> _Call | None:
    """Return the call, ready to start, or None where it is left to AnyIO."""
    if anyio.to_thread.run_sync is not _PLAIN or not _IS_ORIGINAL:
        return None
    pool = _pool()
    if pool is None:
        return None
    task = pool.parts.current_task(pool.loop)
    # A cancellation that is under way, and the error of a task that holds a token, are left to AnyIO.
    if task is None or task.cancelling() or task in pool.limiter._borrowers:
        return None
    state = pool.parts.task_states.get(task)
    scope = None if state is None else state.cancel_scope
    if scope is None:  # PERF: entering a scope takes as long as the rest here, and there is nothing to shield from
        return _Call(pool, task, func, args, pool.no_scope, None)
    if _is_cancelled(scope):
        return None
    return _Call(pool, task, func, args, scope, pool.parts.cancel_scope())


def _is_cancelled(scope: Any) -> bool:
    while scope is not None:
        if scope.cancel_called:
            return True
        if scope.shield:
            return False
        scope = scope._parent_scope
    return False


class _Slot(threading.local):
    """What is known of the event loop that made the last call from this thread."""

    pool: _Pool | None = None
    without: Callable[[], Any] | None = None  # a weak reference to a loop that can have no pool


_slot: Final = _Slot()


def _pool() -> _Pool | None:
    """Return the pool of the running event loop, or None where AnyIO must do without."""
    if _current_library() != "asyncio":
        return None
    parts = _parts()
    if parts is None:
        return None
    loop = parts.running_loop()
    pool = _slot.pool
    if pool is not None and pool.loop is loop:
        return pool
    if _slot.without is not None and _slot.without() is loop:
        return None
    pool = _slot.pool = _Pool.for_loop(parts, loop)
    _slot.without = weakref.ref(loop) if pool is None else None
    return pool


class _Call:
    """A call on its way: it waits for a token of the limiter, then for a thread, and its task waits for its end.

    It stands in the limiter's queue in the place of the event that AnyIO puts there, so it is the limiter that starts
    it, and no task has to wake for that.
    """

    __slots__ = ("args", "context", "error", "func", "future", "pool", "result", "scope", "shield", "task")

    def __init__(
        self, pool: _Pool, task: Any, func: Callable[..., Any], args: tuple[Any, ...], scope: Any, shield: Any
    ) -> None:
        self.pool = pool
        self.task = task
        self.func = func
        self.args = args
        self.scope = scope  # what `from_thread.check_cancelled` asks
        self.shield = shield  # to be entered around `outcome`; it shields from when the work cannot be taken back
        self.future: Any = pool.loop.create_future()
        self.context = contextvars.copy_context()
        self.result: Any = None
        self.error: BaseException | None = None
        library = pool.parts.library_variable
        if library is not None and library.get(None) is not None:
            self.context.run(library.set, None)

    async def outcome(self) -> Any:
        """Run the call and return what it returns."""
        limiter = self.pool.limiter
        if limiter._wait_queue or len(limiter._borrowers) >= limiter.total_tokens:
            limiter._wait_queue[self.task] = self
        else:
            limiter._borrowers.add(self.task)
            self._start()
        try:
            return await self.future
        finally:
            # COMPAT: as with AnyIO, the token comes back with the await, also where `task.cancel()` ended that early.
            if limiter._wait_queue.pop(self.task, None) is None:
                limiter.release_on_behalf_of(self.task)
            self.future = _OVER  # an exception holds this frame: what holds the exception must not be in it
            self.task = None

    def set(self) -> None:
        """Take the token that the limiter grants."""
        limiter = self.pool.limiter
        limiter._borrowers.add(self.task)  # AnyIO before 4.9 leaves both to the task, which wakes too late for it
        limiter._wait_queue.pop(self.task, None)
        if not self.future.done():
            self._start()

    def is_set(self) -> bool:
        """Tell whether the token was granted."""
        return self.task in self.pool.limiter._borrowers

    def _start(self) -> None:
        if self.shield is not None:
            self.shield.shield = True
        try:
            self.pool.submit(self)
        except RuntimeError as exc:  # no more threads can be started
            self.future.set_exception(exc)

    def run(self) -> None:
        """Do the work, in a thread of the pool."""
        if self.future.cancelled():
            return
        threadlocals = self.pool.parts.threadlocals
        threadlocals.current_cancel_scope = self.scope
        try:
            self.result = self.context.run(self.func, *self.args)
        except BaseException as exc:
            self.error = exc
        finally:
            del threadlocals.current_cancel_scope
            del self  # see `outcome`

    def report(self) -> None:
        """Wake the task, in the event loop."""
        error, self.error = self.error, None
        if self.future.done():
            return
        if error is None:
            self.future.set_result(self.result)
            return
        if isinstance(error, StopIteration):
            stop, error = error, RuntimeError("coroutine raised StopIteration")
            error.__cause__ = stop
        self.future.set_exception(error)


class _Over:
    """Stands for the future of a call that nobody awaits any more."""

    def cancelled(self) -> bool:
        return True

    done = cancelled


_OVER: Final = _Over()


class _Pool:
    """The worker threads of one event loop.

    A thread runs a call, or is idle, or is free: awake, and about to look for work. One thread is woken for any number
    of calls; whoever takes one wakes the next if something is left and nobody is free. While calls hold the interpreter
    lock, one thread does one after another, and the woken thread waits for that lock; the moment a call blocks, it gets
    the lock and goes on with what is left. Results go to the event loop once no call is left, or when a free thread
    runs, if that is earlier. As the event loop needs the same lock, nothing is later for it.

    There are never more threads than tokens taken from the limiter.
    """

    __slots__ = (
        "_calls",
        "_daemon",
        "_ended",
        "_free",
        "_idle",
        "_mutex",
        "_returning",
        "_threads",
        "_told",
        "limiter",
        "loop",
        "no_scope",
        "parts",
    )

    def __init__(self, parts: _Parts, loop: Any) -> None:
        self.parts = parts
        self.loop = loop
        self.limiter: Any = anyio.to_thread.current_default_thread_limiter()
        self.no_scope: Any = parts.cancel_scope(shield=True)  # never entered; for calls that are in no scope
        self._daemon = threading.current_thread().daemon
        self._mutex = threading.Lock()  # guards what follows
        self._calls: deque[_Call] = deque()
        self._returning: list[_Call] = []
        self._told = False  # the event loop will look at what is returning
        self._idle: list[threading.Lock] = []
        self._free = 0
        self._threads = 0
        self._ended = False

    @classmethod
    def for_loop(cls, parts: _Parts, loop: Any) -> _Pool | None:
        """Make the pool of the running event loop; None when nothing would tell that the loop ends."""
        root = parts.find_root_task()
        if parts.root_task.get(None) is not root:
            return None
        pool = cls(parts, loop)
        if type(pool.limiter) is not parts.capacity_limiter:
            return None
        root.add_done_callback(pool.end, context=contextvars.Context())
        return pool

    def submit(self, call: _Call) -> None:
        """Have the call run by a thread. RuntimeError when none can be started."""
        with self._mutex:
            self._calls.append(call)
            must_start = not self._free and self._wake()
        if must_start and not self._start_thread():
            with self._mutex:
                if not self._threads:
                    self._calls.remove(call)
                    raise RuntimeError("no worker thread can be started")

    def end(self, root: object) -> None:
        """Let the threads finish what was submitted and end."""
        with self._mutex:
            self._ended = True
            while self._idle:
                self._wake()
        if _slot.pool is self:
            _slot.pool = None

    def _report(self) -> None:
        with self._mutex:
            calls, self._returning = self._returning, []
            self._told = False
        for call in calls:
            call.report()

    def _wake(self) -> bool:
        """Make one more thread free; True when the caller must start it. The mutex is held."""
        self._free += 1
        if self._idle:
            self._idle.pop().release()
            return False
        self._threads += 1
        return True

    def _start_thread(self) -> bool:
        try:
            threading.Thread(target=self._work, name="AnyIO worker thread", daemon=self._daemon, **_context()).start()
        except RuntimeError:
            with self._mutex:
                self._free -= 1
                self._threads -= 1
            return False
        return True

    def _work(self) -> None:
        """The life of a thread."""
        signal = threading.Lock()
        signal.acquire()
        with self.parts.claim_worker_thread(self.parts.backend, self.loop):
            while self._serve(signal):
                while not signal.acquire(timeout=IDLE_SECONDS):
                    if self._leaves(signal):
                        return

    def _leaves(self, signal: threading.Lock) -> bool:
        """Tell whether an idle thread is to end, which waited for its signal for long."""
        with self._mutex:
            if signal not in self._idle or (self._threads == 1 and not self.loop.is_closed()):
                return False
            self._idle.remove(signal)
            self._threads -= 1
            return True

    def _serve(self, signal: threading.Lock) -> bool:
        """As a free thread, do what there is to do; True when the thread is idle then, False when it is to end."""
        while True:
            call: _Call | None = None
            must_start = False
            with self._mutex:
                if self._has_news():
                    self._told = True
                elif self._calls:
                    self._free -= 1
                    call, must_start = self._next()
                else:
                    self._free -= 1
                    if self._ended:
                        self._threads -= 1
                        return False
                    self._idle.append(signal)
                    return True
            if call is None:
                self._tell()
            else:
                self._run(call, must_start)
                del call

    def _run(self, call: _Call | None, must_start: bool) -> None:
        """Run this call and all that are left, and be free again."""
        while call is not None:
            if must_start and not self._start_thread():
                self._tell()
            call.run()
            with self._mutex:
                self._returning.append(call)
                if self._calls:
                    call, must_start = self._next()
                else:
                    call = None
                    self._free += 1

    def _next(self) -> tuple[_Call, bool]:
        """Take a call, and wake a thread for what is left in case the call takes long; True when it must be started."""
        call = self._calls.popleft()
        return call, not self._free and bool(self._calls or self._has_news()) and self._wake()

    def _has_news(self) -> bool:
        return bool(self._returning) and not self._told

    def _tell(self) -> None:
        """Let the event loop take what is returning."""
        try:
            self.loop.call_soon_threadsafe(self._report)
        except RuntimeError:
            if not self.loop.is_closed():
                raise


def _context() -> dict[str, Any]:
    # From Python 3.14 on a thread may inherit the context of who starts it, and would keep that alive.
    return {"context": contextvars.Context()} if sys.version_info >= (3, 14) else {}


class _Parts(NamedTuple):
    """What is taken from AnyIO's asyncio backend, and from asyncio."""

    backend: Any
    capacity_limiter: Any
    cancel_scope: Any
    task_states: Any
    find_root_task: Any
    root_task: Any
    threadlocals: Any
    claim_worker_thread: Any
    library_variable: Any
    current_task: Any
    running_loop: Any


def _library_in(core: Any) -> Callable[[], str | None]:
    """Return how this release of AnyIO finds out which library runs the event loop."""
    found: Callable[[], str | None] = getattr(core, "current_async_library", None) or core.sniffio.current_async_library
    return found


_current_library: Final = _library_in(_eventloop)


@functools.cache
def _parts() -> _Parts | None:
    """Return the parts of the installed AnyIO; None if they are not there, or do not work as they are used here."""
    try:
        return _look_up()
    except (ImportError, AttributeError, LookupError, TypeError):
        return None


def _look_up() -> _Parts | None:
    import asyncio

    from anyio._backends import _asyncio

    core: Any = _eventloop
    anyios: Any = _asyncio
    task = asyncio.current_task()
    with anyios.CancelScope() as outer, anyios.CancelScope() as scope:
        if anyios._task_states[task].cancel_scope is not scope or scope._parent_scope is not outer:
            return None
    if not _grants(anyios.CapacityLimiter(1)):
        return None
    return _Parts(
        backend=anyios.AsyncIOBackend,
        capacity_limiter=anyios.CapacityLimiter,
        cancel_scope=anyios.CancelScope,
        task_states=anyios._task_states,
        find_root_task=anyios.find_root_task,
        root_task=anyios._root_task,
        threadlocals=core.threadlocals,
        claim_worker_thread=core.claim_worker_thread,
        library_variable=core.sniffio and core.sniffio.current_async_library_cvar,
        current_task=asyncio.current_task,
        running_loop=asyncio.get_running_loop,
    )


def _grants(limiter: Any) -> bool:
    """Tell whether a limiter with one token keeps its queue as `_Call` needs it."""
    waiter = _Waiter()
    limiter.acquire_on_behalf_of_nowait("first")
    limiter._wait_queue["second"] = waiter
    known = limiter._borrowers == {"first"} and limiter.statistics().tasks_waiting == 1
    limiter.release_on_behalf_of("first")
    return known and waiter.granted and not limiter._wait_queue


class _Waiter:
    granted = False

    def set(self) -> None:
        self.granted = True
