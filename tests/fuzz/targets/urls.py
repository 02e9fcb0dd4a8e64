"""URLs: those of requests, redirects, trusted hosts, changes of a URL, and queries (T02, T05, T07, T10)."""

from __future__ import annotations

import ast
import ipaddress
import re
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

from starlette._http.authority import host_netloc, parse_host_header
from starlette._http.urls import join_parts
from starlette.datastructures import URL, QueryParams
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Match, Route, Router
from starlette.types import Receive, Scope, Send
from tests.asgi import Record, Script, http_scope
from tests.fuzz.inputs import agree, decoded, dialled, require
from tests.starlette.forms import run

_SERVERS: Final[tuple[tuple[Any, str | None], ...]] = (
    (("s", 80), "s"),
    (("::1", 8), "[::1]:8"),
    (("s", 8000), "s:8000"),
    (("/run/x.sock", None), None),
    (None, None),
)
_SCHEMES: Final = ("http", "https", "ws", "wss")
_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}

_REG_NAME: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%!$&'()*+,;=")
_DIGITS: Final = frozenset("0123456789")


def naive_host(field: bytes) -> tuple[str, str | None] | None:
    """Return host and port of a `Host` value, None for what RFC 9110 §7.2 does not allow."""
    text = field.decode("latin-1")
    if text.startswith("["):
        literal, bracket, rest = text[1:].partition("]")
        if not bracket or not _is_ip_literal(literal):
            return None
        host = f"[{literal}]"
    else:
        host, colon, rest = text.partition(":")
        rest = colon + rest
        if not host or not _REG_NAME.issuperset(host):
            return None
    if not rest:
        return host, None
    port = rest[1:]
    return (host, port) if rest[0] == ":" and port and _DIGITS.issuperset(port) else None


def _is_ip_literal(literal: str) -> bool:
    if literal.startswith("v"):
        version, dot, rest = literal[1:].partition(".")
        hexadecimal = bool(version) and frozenset("0123456789abcdefABCDEF").issuperset(version)
        return hexadecimal and bool(dot and rest) and (_REG_NAME - {"%"} | {":"}).issuperset(rest)
    try:
        ipaddress.IPv6Address(literal)
    except ValueError:
        return False
    return "%" not in literal


def naive_authority(field: bytes | None, server: str | None) -> str | None:
    """Return the authority of a request: its `Host` if that is one, and else its server."""
    found = None if field is None else naive_host(field)
    if found is None or int((found[1] or "0").lstrip("0")[:6] or "0") > 65535:
        return server
    return found[0] if found[1] is None else f"{found[0]}:{found[1]}"


def _request(data: bytes) -> tuple[dict[str, Any], str | None]:
    """Make a scope from an input: settings, then a line each for `Host`, path and query. Return its authority, too."""
    dial, rest = dialled(data)
    scheme = _SCHEMES[dial.number(3)]
    server, authority = _SERVERS[dial.number(4)]
    has_host = dial.number(1) == 0
    host_line, _, rest = rest.partition(b"\n")
    path_line, _, query = rest.partition(b"\n")
    host = unquote_to_bytes(host_line) if has_host else None
    if server is not None and _PORTS[scheme] == server[1]:
        authority = server[0]
    elif server is not None and server[1] == 80:
        authority = f"{server[0]}:80"
    fields = [] if host is None else [(b"host", host)]
    scope = http_scope(decoded(path_line), scheme=scheme, server=server, headers=fields, query_string=query)
    return scope, naive_authority(host, authority)


def request_url(data: bytes) -> None:
    """`request.url`: whatever path, query and `Host` are, each stays itself when the URL is read again (T02)."""
    scope, authority = _request(data)
    connection = HTTPConnection(scope)
    url = connection.url
    read = urlsplit(str(url))
    agree(tuple(read), (url.scheme, url.netloc, url.path, url.query, ""), scope)
    agree((url.scheme, url.netloc), (scope["scheme"], authority) if authority else ("", ""), scope)
    agree((read.hostname, read.username, url.username), (url.hostname, None, None), scope)
    require(url.port is None or 0 <= url.port <= 65535, url.port)
    require(repr(url) and not re.search(r"[\x00-\x1f]", str(url)) and "\\" not in url.path, url)
    agree(_browser_authority(str(url), "base.test"), (authority or "base.test").lower(), scope)
    unescaped, path = _unescaped(url.path), _unescaped(scope["path"])
    require(unescaped == path or (authority and unescaped == f"/{path}"), (url.path, scope["path"]))
    agree(unquote_to_bytes(url.query), unquote_to_bytes(scope["query_string"]), scope)
    base = connection.base_url
    agree((base.netloc, base.path, base.query), (url.netloc, "/", ""), scope)


_ESCAPES: Final = {f"%{code:02X}": chr(code) for code in (*range(33), *b"?#\\/:")}


def _unescaped(path: str) -> str:
    """Decode just those escapes that a URL of a request may add."""
    return re.sub("%[0-9A-F]{2}", lambda match: _ESCAPES.get(match[0], match[0]), path)


# Redirects


async def _page(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("page")(scope, receive, send)


class _WithoutSlash(BaseRoute):
    """Matches every path that does not end with a slash, so that the router redirects all others."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return (Match.NONE if scope["path"].endswith("/") else Match.FULL), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _page(scope, receive, send)


class _App:
    """An endpoint that is an ASGI application."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _page(scope, receive, send)


_ADD_SLASH: Final = Router([Route("/{rest:path}/", _App())])
_DROP_SLASH: Final = Router([_WithoutSlash()])
_HTTPS: Final = HTTPSRedirectMiddleware(_page)


def redirects(data: bytes) -> None:
    """Redirects of the router and to HTTPS: a browser stays on the authority of the request, and its query (T05)."""
    scope, authority = _request(data)
    if not scope["path"].startswith("/"):
        scope["path"] = f"/{scope['path']}"
    expected = (authority or "base.test").lower()
    for app in (_ADD_SLASH, _DROP_SLASH, _HTTPS):
        sent = Record()
        run(app({**scope, "type": "http"}, Script(), sent))
        location = sent.header("location")
        if location is None:
            require(sent.status in (200, 400, 404), sent.messages)
            continue
        agree(sent.status, 307, scope)
        require(all(33 <= ord(character) < 127 for character in location), location)
        reached = _browser_authority(location, "base.test")
        if app is _HTTPS:
            reached, expected = _without_port(reached), _without_port(expected)
        agree(reached, expected, (scope, location))
        agree(unquote_to_bytes(location.partition("?")[2]), unquote_to_bytes(scope["query_string"]), location)
        require("#" not in location, location)


def _without_port(authority: str) -> str:
    return authority.rpartition(":")[0] if re.search(r"(?<=.):0*(80|443)\Z", authority) else authority


def _browser_authority(location: str, base: str) -> str:
    """Return the authority that a browser goes to from a page at `http://base/` (WHATWG URL §4.4), in lower case."""
    text = re.sub(r"[\t\r\n]", "", location.strip("".join(map(chr, range(33))))).replace("\\", "/")
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", text)
    if scheme is not None:
        require(scheme[1].lower() in _SCHEMES, ("another scheme", location))
        text = text[scheme.end() :]
        if scheme[1].lower() == "http" and not text.startswith("//"):
            return base  # relative to a page of the same scheme
    elif not text.startswith("//"):
        return base
    return re.split("[/?#]", text.lstrip("/"))[0].rpartition("@")[2].lower()


# Hosts


def hosts(data: bytes) -> None:
    """`Host` values: RFC 9110's grammar, and the trusted patterns of the first line (T02.1, T07)."""
    first, *lines = data.split(b"\n")
    patterns = [pattern for pattern in first.decode("latin-1").split(" ") if pattern]
    try:
        middleware = TrustedHostMiddleware(_page, patterns, www_redirect=False)
    except AssertionError:
        require(any("*" in pattern.removeprefix("*.") and pattern != "*" for pattern in patterns), patterns)
        return
    for line in lines:
        value = unquote_to_bytes(line)
        expected = naive_host(value)
        parsed = parse_host_header(value.decode("latin-1"))
        agree(None if parsed is None else (parsed.host, parsed.port), expected, value)
        agree(host_netloc(value), naive_authority(value, None), value)
        sent = Record()
        run(middleware(http_scope(headers=[(b"host", value)]), Script(), sent))
        agree(sent.status, 200 if naive_trusts(patterns, expected) else 400, (patterns, value))


def naive_trusts(patterns: list[str], host: tuple[str, str | None] | None) -> bool:
    """Tell whether a host is one of the patterns, or has one or more labels before what follows `*` (T07.3)."""
    if "*" in patterns:
        return True
    if host is None:
        return False
    name = host[0].lower()
    for pattern in map(str.lower, patterns):
        if name == pattern and "*" not in pattern:
            return True
        if pattern.startswith("*.") and name.endswith(pattern[1:]):
            labels = name[: len(name) - len(pattern) + 1].split(".")
            if all(label and re.fullmatch("[a-z0-9_-]+", label, re.ASCII) for label in labels):
                return True
    return False


# URLs as text


# Nothing is escaped, so that only what is such a part by itself is found again.
_PLAIN: Final = {
    "scheme": re.compile("[a-z][a-z0-9]*"),
    "path": re.compile("/[a-z0-9]*"),
    "query": re.compile("[a-z0-9]+"),
    "fragment": re.compile("[a-z0-9]+"),
}


def url_text(data: bytes) -> None:
    """`URL`: a line of text, then changes such as `path=/x`. Nothing but ValueError; a replaced part is found again."""
    first, *changes = data.decode("utf-8", "replace").split("\n")
    url = URL(first)
    try:
        parts = url.components
    except ValueError:
        require(repr(url), first)
        return
    agree(join_parts(parts), parts.geturl(), first)
    _look_for_password(url, first)
    _change_query(url, changes)
    for change in changes:
        name, _, value = change.partition("=")
        try:
            changed = url.replace(**{name: value})
            found = changed.components
        except ValueError:
            continue
        if name in _PLAIN and _is_plain(url) and _PLAIN[name].fullmatch(value):
            agree(found, parts._replace(**{name: value}), (first, change))


def _is_plain(url: URL) -> bool:
    """Tell whether a URL is absolute and reads the same when its parts are joined."""
    parts = url.components
    return bool(
        parts.scheme in _SCHEMES and parts.netloc and parts.path.startswith("/") and urlsplit(parts.geturl()) == parts
    )


def _look_for_password(url: URL, text: str) -> None:
    shown = str(ast.literal_eval(repr(url).removeprefix("URL(").removesuffix(")")))
    if not url.password:
        agree(shown, text, text)
    elif not {"[", "]"} & set(url.password):  # without one of its brackets it is no URL any more
        agree(urlsplit(shown).password, "********", text)


def _change_query(url: URL, changes: list[str]) -> None:
    pairs = [pair for change in changes for pair in parse_qsl(change, keep_blank_values=True)]
    # `self` cannot be passed by name.
    added = {name: value for name, value in pairs if name != "self"}
    before = parse_qsl(url.query, keep_blank_values=True)
    kept = [(name, value) for name, value in before if name not in added]
    for changed, expected in (
        (url.include_query_params(**added), [*kept, *added.items()]),
        (url.replace_query_params(**added), [*added.items()]),
        (url.remove_query_params(list(added)), kept),
    ):
        if _is_plain(url):
            agree(parse_qsl(changed.query, keep_blank_values=True), expected, (url, added))


def query(data: bytes) -> None:
    """Query strings: the pairs of the standard library, which survive being written, and the multidict over them."""
    params = QueryParams(data)
    pairs = parse_qsl(data.decode("latin-1"), keep_blank_values=True, max_num_fields=None)
    agree(params.multi_items(), pairs, data)
    agree(QueryParams(str(params)).multi_items(), pairs, data)
    text = data.decode("utf-8", "replace")
    agree(QueryParams(text).multi_items(), parse_qsl(text, keep_blank_values=True), text)
    agree(dict(params), dict(pairs), data)
    agree((list(params.keys()), len(params)), (list(dict(pairs)), len(dict(pairs))), data)
    for name, _ in pairs[:3]:
        agree(params.getlist(name), [value for other, value in pairs if other == name], (data, name))
    connection = HTTPConnection(http_scope(query_string=data))
    agree(connection.query_params, params, data)
