"""Sessions kept by the client, in a signed cookie (RFC 6265)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from starlette._asgi.watch import UntilStart
from starlette._http.fields import checked_value
from starlette._http.session_cookie import Seal, dump_session, load_session
from starlette._http.vary import add_vary
from starlette.datastructures import MutableHeaders as MutableHeaders
from starlette.datastructures import Secret as Secret
from starlette.requests import HTTPConnection as HTTPConnection
from starlette.types import ASGIApp as ASGIApp
from starlette.types import Message as Message
from starlette.types import Receive as Receive
from starlette.types import Scope as Scope
from starlette.types import Send as Send

if TYPE_CHECKING:
    from itsdangerous import TimestampSigner

# What would end the attribute of a cookie, or its field.
_NO_ATTRIBUTE: Final = frozenset(";\r\n\0")


class Session(dict[str, Any]):
    """The contents of a session, which notes whether it was looked at and whether it was changed.

    `request.session` counts as looking; the methods of a dict that change it count as changing, also when they change
    nothing. What happens inside of a value is not seen: assign it again, as in `session["cart"] = cart`.

    Attributes:
        accessed: The response depends on the session.
        modified: The session is to be saved.
    """

    accessed: bool = False
    modified: bool = False

    def mark_accessed(self) -> None:
        """Note that the session was looked at."""
        self.accessed = True

    def mark_modified(self) -> None:
        """Note that the session was changed, and so looked at."""
        self.accessed = True
        self.modified = True

    def __setitem__(self, key: str, value: Any) -> None:
        self.mark_modified()
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        self.mark_modified()
        super().__delitem__(key)

    def __ior__(self, other: Any) -> Session:  # type: ignore[override, misc]  # dict takes more in its overloads
        self.mark_modified()
        super().update(other)
        return self

    def clear(self) -> None:
        """Remove everything, which removes the cookie."""
        self.mark_modified()
        super().clear()

    def pop(self, key: str, *args: Any) -> Any:
        """Remove and return a value; only that it was there is a change."""
        if key in self:
            self.mark_modified()
        return super().pop(key, *args)

    def popitem(self) -> tuple[str, Any]:
        """Remove and return the last item; KeyError, and no change, when there is none."""
        item = super().popitem()
        self.mark_modified()
        return item

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return a value, or set it; only the latter is a change."""
        if key not in self:
            self.mark_modified()
        return super().setdefault(key, default)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set several items."""
        self.mark_modified()
        super().update(*args, **kwargs)


class SessionMiddleware:
    """Keep `request.session`, a dict, in a cookie that the client can read but not change.

        app = Starlette(routes=routes, middleware=[Middleware(SessionMiddleware, secret_key=key, https_only=True)])

    It belongs outside of everything that uses the session. A WebSocket can read the session of its handshake; changes
    there are not saved. An unreadable cookie, whatever it holds, is an empty session.

    The session is saved only when it was changed, which makes it last another `max_age`; emptying it removes the
    cookie. A response whose session was looked at says `Vary: Cookie`. There is no revocation: an old cookie stays
    valid until it expires. Browsers drop cookies of more than 4 KB.

    Args:
        app: The application around which to stand.
        secret_key: What signs; a long random text that all processes share and nobody else knows.
        session_cookie: The name of the cookie.
        max_age: Seconds for which a cookie is valid; None: until the browser is closed.
        path: Where the cookie is valid. `root_path` is not added.
        same_site: `lax` and `strict` keep the cookie out of requests that other sites cause; `none` does not, and
            needs `https_only`.
        https_only: Keep the cookie out of `http://`.
        domain: Let the cookie be valid for a whole domain, such as `example.org`.
        partitioned: Keep the cookies apart for each site that embeds this one.

    Raises:
        ImportError: itsdangerous is not installed.
        ValueError: There is no `secret_key`, or an argument cannot stand in a cookie.
        TypeError: `same_site` is None.
    """

    def __init__(
        self,
        app: ASGIApp,
        secret_key: str | Secret,
        session_cookie: str = "session",
        max_age: int | None = 14 * 24 * 60 * 60,
        path: str = "/",
        same_site: Literal["lax", "strict", "none"] = "lax",
        https_only: bool = False,
        domain: str | None = None,
        partitioned: bool = False,
    ) -> None:
        self.app = app
        self.signer = _make_signer(secret_key)
        self.session_cookie = _checked("session_cookie", session_cookie)
        self.max_age = max_age
        self.path = _checked("path", path)
        flags = ["httponly", "samesite=" + same_site]
        if https_only:
            flags.append("secure")
        if domain is not None:
            flags.append(f"domain={_checked('domain', domain)}")
        if partitioned:
            flags.append("partitioned")
        self.security_flags = "; ".join(flags)
        self._asterism_cookie({})  # raises for what cannot be a field
        if "=" in session_cookie:
            raise ValueError(f"the name of a cookie ends at its first '=', got {session_cookie!r}")
        self._asterism_sealing = _Sealing.of(self.signer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "http":
            stored = self._asterism_load(scope)
            scope["session"] = Session(stored or ())
            await self.app(scope, receive, _Saving(self, scope, stored is not None, send).send)
        elif kind == "websocket":
            scope["session"] = Session(self._asterism_load(scope) or ())
            await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _asterism_load(self, scope: Scope) -> dict[str, Any] | None:
        """Return the session that the request brought, None without a valid one."""
        name = self.session_cookie
        # PERF: most cookies of most requests are looked at only here: 0.3 us instead of 2.5 us when it is not there.
        for field, value in scope["headers"]:
            if field == b"cookie" and name in value.decode("latin-1"):
                break
        else:
            return None
        cookie = HTTPConnection(scope).cookies.get(name)
        payload = None if cookie is None else self._asterism_unsign(cookie.encode())
        return None if payload is None else load_session(payload)

    def _asterism_unsign(self, signed: bytes) -> bytes | None:
        signer = self.signer
        sealing = self._asterism_sealing
        if sealing is not None and sealing.is_of(signer):
            payload = sealing.seal.verify(signed, signer.get_timestamp(), self.max_age)
            if payload is not None:
                return payload
        from itsdangerous import BadSignature

        try:
            return signer.unsign(signed, max_age=self.max_age)
        except BadSignature:
            return None

    def _asterism_sign(self, payload: bytes) -> bytes:
        signer = self.signer
        sealing = self._asterism_sealing
        if sealing is not None and sealing.is_of(signer):
            return sealing.seal.sign(payload, signer.get_timestamp())
        return signer.sign(payload)

    def _asterism_cookie(self, session: Any) -> bytes:
        """Return the `Set-Cookie` that saves a session, or removes it if it is empty."""
        # COMPAT: sessions R14, R15, R19; the spelling of the attributes is that of upstream.
        if session:
            value = self._asterism_sign(dump_session(session)).decode("ascii")
            age = "" if self.max_age is None else f"Max-Age={self.max_age}; "
        else:
            value = "null"
            age = "expires=Thu, 01 Jan 1970 00:00:00 GMT; "
        return checked_value(f"{self.session_cookie}={value}; path={self.path}; {age}{self.security_flags}")


class _Saving(UntilStart):
    """The session of one request, on its way into the response."""

    __slots__ = ("_had_session", "_middleware", "_scope")

    def __init__(self, middleware: SessionMiddleware, scope: Scope, had_session: bool, send: Send) -> None:
        self._middleware = middleware
        self._scope = scope
        self._had_session = had_session
        self.unwatched = send

    async def send(self, message: Message) -> None:
        """Pass on a message; the start of the response gets the fields that the session needs."""
        if message["type"] == "http.response.start":
            session = self._scope.get("session")
            # What an application put in place of ours, such as a plain dict, may have changed in any way.
            if getattr(session, "accessed", True):
                message = self._with_session(message, session)
        await self.unwatched(message)

    def _with_session(self, message: Message, session: Any) -> Message:
        """Return a changed copy: the list of fields may belong to a response that is used again."""
        fields = list(message.get("headers", ()))
        add_vary(fields, b"Cookie")
        if (session or self._had_session) and getattr(session, "modified", True):
            fields.append((b"set-cookie", self._middleware._asterism_cookie(session)))
        return {**message, "headers": fields}


class _Sealing:
    """The seal that stands for a signer, for as long as the signer is as it was made."""

    __slots__ = ("_settings", "_signer", "seal")

    def __init__(self, signer: TimestampSigner, seal: Seal) -> None:
        self._signer = signer
        self._settings = {**vars(signer), "secret_keys": list(signer.secret_keys)}
        self.seal = seal

    @classmethod
    def of(cls, signer: TimestampSigner) -> _Sealing | None:
        """Return the sealing for a signer; None if it signs in another way, since its defaults were changed."""
        seal = Seal(signer.secret_key)
        probe = b"probe"
        return cls(signer, seal) if signer.get_signature(probe) == seal.signature(probe) else None

    def is_of(self, signer: TimestampSigner) -> bool:
        """Tell whether the seal makes the signatures of `signer`, which may have been replaced, or got another key."""
        return signer is self._signer and vars(signer) == self._settings


def _make_signer(secret_key: str | Secret) -> TimestampSigner:
    try:
        from itsdangerous import TimestampSigner
    except ImportError as exc:
        raise ModuleNotFoundError(
            'SessionMiddleware needs the itsdangerous package: install the "full" extra', name="itsdangerous"
        ) from exc
    # SECURITY: with an empty key everybody can sign (threats T08.4). Other libraries' secrets show as asterisks.
    key = "" if secret_key is None else str(secret_key)
    if not key.strip("*"):
        raise ValueError("secret_key must be a secret text, got an empty or masked one, or None")
    return TimestampSigner(key)


def _checked(name: str, value: str) -> str:
    if not _NO_ATTRIBUTE.isdisjoint(value):
        raise ValueError(f"{name} of a cookie must not contain CR, LF, NUL or ';', got {value[:80]!r}")
    return value
