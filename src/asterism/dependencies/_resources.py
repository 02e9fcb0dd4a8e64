"""Dependencies that live as long as the application: made in its lifespan, handed to every request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, Final

from asterism.dependencies._exits import context_maker
from asterism.dependencies._graph import Call, Result, build_resources
from asterism.dependencies._overrides import ACTIVE
from asterism.dependencies._signatures import name_of
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute

# Where they stand in the state of the lifespan, and so in that of each request (ASGI "Lifespan State").
STATE_KEY: Final = "asterism.resources"

# An endpoint of ours has its providers of resources in this attribute.
RESOURCES_ATTRIBUTE: Final = "__asterism_resources__"

_Lifespan = Callable[[Any], AbstractAsyncContextManager[Any]]


def resources(lifespan: _Lifespan | None = None, *providers: Callable[..., Any]) -> _Lifespan:
    """Return a lifespan that makes what endpoints of the application want for its lifetime.

        app = Starlette(routes=routes, lifespan=resources())

    Looks at the routes when the application starts, also at those below mounts. A generator is resumed when the
    application stops, the last made first. What is overridden when it starts is not made.

    Args:
        lifespan: A lifespan of your own, which begins before and ends after; what it yields is passed on.
        providers: Further ones to make, for routes that are added later.
    """

    @asynccontextmanager
    async def context(app: Any) -> AsyncIterator[Mapping[str, Any]]:
        async with AsyncExitStack() as stack:
            state: Mapping[str, Any] | None = None
            if lifespan is not None:
                state = await stack.enter_async_context(lifespan(app))
            wanted = [*providers, *_wanted(getattr(app, "routes", ()))]
            made = await _make(build_resources(dict.fromkeys(wanted), ACTIVE.get(id(app), {})), stack)
            yield {**(state or {}), STATE_KEY: made}

    return context


def resource(connection: HTTPConnection[Any], provider: Callable[..., Any]) -> Any:
    """Return what a provider made in the lifespan.

    Raises:
        RuntimeError: It was not made.
    """
    try:
        return connection.scope["state"][STATE_KEY][provider]
    except KeyError:
        raise RuntimeError(
            f"{name_of(provider)} lives as long as the application, which has not made it: pass "
            "lifespan=resources() to the application, and in tests use `with TestClient(app)`"
        ) from None


async def _make(calls: Iterable[Call], stack: AsyncExitStack) -> dict[Any, Any]:
    values: list[Any] = []
    made: dict[Any, Any] = {}
    for call in calls:
        # A resource asks only for other resources.
        arguments = {name: values[source.index] for name, source in call.arguments.items() if type(source) is Result}
        positional = [arguments.pop(name) for name in list(arguments)[: call.positional]]
        if call.is_generator:
            maker = context_maker(call.function, is_async=call.is_async, in_thread=False)
            value = await stack.enter_async_context(maker(*positional, **arguments))
        else:
            value = call.function(*positional, **arguments)
            if call.is_async:
                value = await value
        values.append(value)
        made[call.function] = value
    return made


def _wanted(routes: Iterable[BaseRoute]) -> Iterator[Callable[..., Any]]:
    for route in routes:
        yield from getattr(getattr(route, "endpoint", None), RESOURCES_ATTRIBUTE, ())
        yield from _wanted(getattr(route, "routes", None) or ())
