"""Who is asking, and what they may do: users, credentials, backends, and the decorator that asks for a scope."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, Final, ParamSpec
from urllib.parse import urlencode

from starlette._utils import is_async_callable as is_async_callable
from starlette.exceptions import HTTPException as HTTPException
from starlette.requests import HTTPConnection as HTTPConnection
from starlette.requests import Request as Request
from starlette.responses import RedirectResponse as RedirectResponse
from starlette.websockets import WebSocket as WebSocket

P = ParamSpec("P")

# The parameters that a guarded function may take its connection by, and the type that each has to be of.
_CONNECTIONS: Final[dict[str, type[HTTPConnection]]] = {"request": Request, "websocket": WebSocket}


class AuthenticationError(Exception):
    """The credentials of a connection are malformed or wrong; raised by backends, its text is for the client."""


class AuthenticationBackend:
    """Where the user of a connection comes from. Override `authenticate`."""

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        """Return credentials and user, or None for a connection that brings none.

        Raises:
            AuthenticationError: The connection is to be refused.
        """
        raise NotImplementedError


class AuthCredentials:
    """What a connection may do.

    Args:
        scopes: The names of what is allowed, such as `["authenticated"]`; copied to a list. None is an empty one.
    """

    def __init__(self, scopes: Sequence[str] | None = None) -> None:
        self.scopes: list[str] = [] if scopes is None else list(scopes)


class BaseUser:
    """What every user has to tell. Override all three."""

    @property
    def is_authenticated(self) -> bool:
        """Whether it is known who this is."""
        raise NotImplementedError

    @property
    def display_name(self) -> str:
        """The name to show."""
        raise NotImplementedError

    @property
    def identity(self) -> str:
        """What tells this user from all others."""
        raise NotImplementedError


class SimpleUser(BaseUser):
    """A user of whom only the name is known."""

    def __init__(self, username: str) -> None:
        self.username = username

    @property
    def is_authenticated(self) -> bool:
        """True."""
        return True

    @property
    def display_name(self) -> str:
        """The name."""
        return self.username

    @property
    def identity(self) -> str:
        """The name, too."""
        return self.username


class UnauthenticatedUser(BaseUser):
    """The user of a connection that brought no credentials."""

    @property
    def is_authenticated(self) -> bool:
        """False."""
        return False

    @property
    def display_name(self) -> str:
        """Empty."""
        return ""

    @property
    def identity(self) -> str:
        """Empty."""
        return ""


def has_required_scope(conn: HTTPConnection, scopes: Sequence[str]) -> bool:
    """Tell whether the connection has all of `scopes`; of none, always.

    Raises:
        AssertionError: `AuthenticationMiddleware` is not installed.
    """
    for scope in scopes:  # noqa: SIM110  # `all` with a generator takes three times as long
        if scope not in conn.auth.scopes:
            return False
    return True


def requires(
    scopes: str | Sequence[str], status_code: int = 403, redirect: str | None = None
) -> Callable[[Callable[P, Any]], Callable[P, Any]]:
    """Call the decorated endpoint only for connections that have all of `scopes`.

        @requires("authenticated", redirect="login")
        async def dashboard(request): ...

    The endpoint, a function or a method, takes the connection as `request` or as `websocket`. A WebSocket that may not
    is closed, whatever the other arguments say.

    Args:
        scopes: One scope, or several of which all are needed.
        status_code: What to answer a request that may not.
        redirect: The name of a route without parameters to send it to instead (303). The full URL that was asked for
            goes with it as `next`. It contains the `Host` that the client sent: check it before you redirect to it.

    Raises:
        Exception: When decorating: there is no such parameter.
        AssertionError: When called: it is not a `Request` or `WebSocket`, or `AuthenticationMiddleware` is missing.
    """
    needed = [scopes] if isinstance(scopes, str) else list(scopes)

    def decorate(func: Callable[P, Any]) -> Callable[P, Any]:
        find = _Finder(func)
        if find.name == "websocket":
            return _guard_websocket(func, find, needed)
        guard = _Guard(find, needed, status_code, redirect)
        return _guard_async(func, guard) if is_async_callable(func) else _guard_sync(func, guard)

    return decorate


class _Finder:
    """Finds the connection among the arguments of a function."""

    __slots__ = ("_kind", "_position", "name")

    def __init__(self, func: Callable[..., Any]) -> None:
        for position, name in enumerate(inspect.signature(func).parameters):
            if name in _CONNECTIONS:
                self.name, self._position, self._kind = name, position, _CONNECTIONS[name]
                return
        raise Exception(f'No "request" or "websocket" argument on function "{func}"')  # COMPAT: authentication R16

    def connection(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return the connection; AssertionError if it is missing or something else."""
        if self.name in kwargs:
            found = kwargs[self.name]
        else:
            found = args[self._position] if self._position < len(args) else None
        if isinstance(found, self._kind):
            return found
        raise AssertionError(  # COMPAT: authentication R18. Raised, since `-O` removes `assert`
            f"Parameter with name {self.name!r} is required to be of type {self._kind.__name__!r} "
            f"not {type(found).__name__!r}"
        )


class _Guard:
    """Decides whether a request may pass."""

    __slots__ = ("_find", "_needed", "_redirect", "_status_code")

    def __init__(self, find: _Finder, needed: list[str], status_code: int, redirect: str | None) -> None:
        self._find = find
        self._needed = needed
        self._status_code = status_code
        self._redirect = redirect

    def answer(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> RedirectResponse | None:
        """Return None to go on, or the redirect to send; HTTPException where there is none."""
        request: Request = self._find.connection(args, kwargs)
        if has_required_scope(request, self._needed):
            return None
        if self._redirect is None:
            raise HTTPException(status_code=self._status_code)
        query = urlencode({"next": str(request.url)}, errors="replace")
        return RedirectResponse(f"{request.url_for(self._redirect)}?{query}", status_code=303)


def _guard_async(func: Callable[P, Any], guard: _Guard) -> Callable[P, Any]:
    @functools.wraps(func)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
        return guard.answer(args, kwargs) or await func(*args, **kwargs)

    return guarded


def _guard_sync(func: Callable[P, Any], guard: _Guard) -> Callable[P, Any]:
    @functools.wraps(func)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
        return guard.answer(args, kwargs) or func(*args, **kwargs)

    return guarded


def _guard_websocket(func: Callable[P, Any], find: _Finder, needed: list[str]) -> Callable[P, Any]:
    @functools.wraps(func)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        websocket: WebSocket = find.connection(args, kwargs)
        if has_required_scope(websocket, needed):
            await func(*args, **kwargs)
        else:
            await websocket.close()

    return guarded
