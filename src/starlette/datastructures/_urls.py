"""URLs: of a request, from text, and the paths that routes build (RFC 3986)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple
from urllib.parse import SplitResult, urlencode, urlsplit

from starlette._http.query import parse_query
from starlette._http.urls import (
    AUTHORITY_PARTS,
    escape_slashes,
    join_parts,
    mask_password,
    netloc_port,
    replace_authority,
    split_scope,
)
from starlette.datastructures._multidicts import MultiDict
from starlette.types import Scope

_SECURE = frozenset({"https", "wss"})


class Address(NamedTuple):
    """One end of a connection, as in `scope["client"]` (ASGI HTTP scope)."""

    host: str
    port: int


class URL:
    """A URL, split when a part of it is asked for.

    Args:
        url: Text, kept as it is.
        scope: The connection whose URL this is (ASGI HTTP scope). The authority is a valid `Host`, else the server;
            without either the URL is relative. No octet of the path or query can get into another part.
        components: Parts to put together, as in `replace()`.

    Raises:
        AssertionError: More than one of these is given.
    """

    _url: str | None
    _components: SplitResult | None = None

    def __init__(self, url: str = "", scope: Scope | None = None, **components: Any) -> None:
        if scope is not None:
            if url:
                raise AssertionError('Cannot set both "url" and "scope".')
            if components:
                raise AssertionError('Cannot set both "scope" and "**components".')
            # The text is put together when it is asked for; many requests only need the path.
            self._url = None
            self._components = split_scope(scope)
        elif components:
            if url:
                raise AssertionError('Cannot set both "url" and "**components".')
            self._url = URL("").replace(**components)._url
        else:
            self._url = url

    @property
    def components(self) -> SplitResult:
        """The five parts; ValueError if the text is no URL (a malformed bracket in the authority)."""
        components = self._components
        if components is None:
            components = self._components = urlsplit(str(self))
        return components

    @property
    def scheme(self) -> str:
        """The scheme in lower case, such as `"https"`; may be empty."""
        return self.components.scheme

    @property
    def netloc(self) -> str:
        """The authority as written, with user and port; may be empty."""
        return self.components.netloc

    @property
    def path(self) -> str:
        """The path, still escaped; may be empty."""
        return self.components.path

    @property
    def query(self) -> str:
        """The query without its `?`; may be empty."""
        return self.components.query

    @property
    def fragment(self) -> str:
        """The fragment without its `#`; may be empty."""
        return self.components.fragment

    @property
    def username(self) -> str | None:
        """The user before `@`, still escaped; None if there is none."""
        return self.components.username

    @property
    def password(self) -> str | None:
        """The password before `@`, still escaped; None if there is none."""
        return self.components.password

    @property
    def hostname(self) -> str | None:
        """The host in lower case and without brackets; None if there is none."""
        return self.components.hostname

    @property
    def port(self) -> int | None:
        """The port, None if there is none; ValueError if it is not a number of 0 to 65535."""
        return netloc_port(self.components)

    @property
    def is_secure(self) -> bool:
        """Whether the scheme is `https` or `wss`."""
        return self.components.scheme in _SECURE

    def replace(self, **kwargs: Any) -> URL:
        """Return a URL with other parts. Nothing is escaped.

        Args:
            kwargs: `scheme`, `netloc`, `path`, `query`, `fragment`; or parts of the authority, which win over `netloc`:
                `username`, `password`, `hostname`, `port`, where None removes a part, except for the host.

        Raises:
            ValueError: There is no such part.
        """
        parts = self.components
        if not AUTHORITY_PARTS.isdisjoint(kwargs):
            changes = {name: kwargs.pop(name) for name in AUTHORITY_PARTS.intersection(kwargs)}
            kwargs["netloc"] = replace_authority(parts, changes)
        try:
            changed = parts._replace(**kwargs)
        except (TypeError, ValueError):  # Which of them depends on the version of Python.
            unknown = sorted(kwargs.keys() - set(parts._fields))
            raise ValueError(f"a URL has no part called {', '.join(unknown)}") from None
        return type(self)(join_parts(changed))

    def include_query_params(self, **kwargs: Any) -> URL:
        """Return a URL whose query has these values, at its end, in place of those of the same names."""
        query = MultiDict(parse_query(self.query))
        query.update({name: str(value) for name, value in kwargs.items()})
        return self.replace(query=urlencode(query.multi_items()))

    def replace_query_params(self, **kwargs: Any) -> URL:
        """Return a URL whose query has these values only."""
        return self.replace(query=urlencode([(name, str(value)) for name, value in kwargs.items()]))

    def remove_query_params(self, keys: str | Sequence[str]) -> URL:
        """Return a URL without the values of these names; they need not be there."""
        removed = {keys} if isinstance(keys, str) else set(keys)
        return self.replace(query=urlencode([pair for pair in parse_query(self.query) if pair[0] not in removed]))

    def __eq__(self, other: Any) -> bool:
        """Compare as text, with whatever it is: a URL equals its string."""
        return str(self) == str(other)

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        if self._url is None and self._components is not None:
            self._url = join_parts(self._components)
        return self._url  # type: ignore[return-value]  # None only if someone passed it, which `str()` refuses

    def __repr__(self) -> str:
        return f"{type(self).__name__}({mask_password(str(self))!r})"


class URLPath(str):
    r"""The path that a route stands for, with the protocol and the host if the route fixes them.

    `\` and a leading `//` are escaped, since browsers would read another authority from them.

    Args:
        path: The path, already escaped otherwise.
        protocol: `"http"`, `"websocket"`, or `""` for that of the URL it is resolved against.
        host: The authority, or `""` likewise.

    Raises:
        AssertionError: There is no such protocol.
    """

    protocol: Literal["http", "websocket", ""]
    host: str

    def __new__(cls, path: str, protocol: Literal["http", "websocket", ""] = "", host: str = "") -> URLPath:
        if "\\" in path:
            path = path.replace("\\", "%5C")
        return str.__new__(cls, escape_slashes(path) if path[:2] == "//" else path)

    def __init__(self, path: str, protocol: Literal["http", "websocket", ""] = "", host: str = "") -> None:
        if protocol not in _SCHEMES:
            raise AssertionError(f'protocol must be "http", "websocket" or "", got {protocol!r}')
        self.protocol = protocol
        self.host = host

    def make_absolute_url(self, base_url: str | URL) -> URL:
        """Return the URL of this path below `base_url`.

        The scheme is as secure as that of the base. Slashes at the end of its path, its query and its fragment go.
        """
        base = (base_url if isinstance(base_url, URL) else URL(base_url)).components
        schemes = _SCHEMES[self.protocol]
        scheme = base.scheme if schemes is None else schemes[base.scheme in _SECURE]
        netloc = self.host or base.netloc
        path = f"{base.path.rstrip('/')}{self}"
        if scheme and netloc and path[:1] == "/":
            return URL(f"{scheme}://{netloc}{path}")
        return URL(scheme=scheme, netloc=netloc, path=path)


# What a protocol is called in a URL: plain, secure. None is the scheme of the base.
_SCHEMES: dict[str, tuple[str, str] | None] = {"http": ("http", "https"), "websocket": ("ws", "wss"), "": None}
