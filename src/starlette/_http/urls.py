"""The parts of a URL: from a connection to its URL, a changed authority, a hidden password (RFC 3986).

Pure. A URL of a request is put together from parts and never read again from its text, so that no octet that a client
sends can move from one part to another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import SplitResult

from starlette._http.authority import DEFAULT_PORTS, host_netloc, is_ipv6, port_number, server_netloc

AUTHORITY_PARTS: Final = frozenset({"username", "password", "hostname", "port"})

# C0 controls end a request line or are dropped by URL parsers, `\` is a slash to browsers: they are escaped, with what
# begins another part, and nothing else.
_CONTROLS: Final = {code: f"%{code:02X}" for code in range(0x20)}
_PATH_ESCAPES: Final = _CONTROLS | {ord("?"): "%3F", ord("#"): "%23", ord("\\"): "%5C"}
_QUERY_ESCAPES: Final = _CONTROLS | {ord("#"): "%23"}
_OCTET_ESCAPES: Final = {code: f"%{code:02X}" for code in range(0x80, 0x100)}

# "//" authority with a password: the user ends at the first ":", the password at the last "@" (RFC 3986 §3.2.1).
_PASSWORD: Final = re.compile(r"([\x00-\x20]*(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^/?#:]*:)[^/?#]+(?=@)")
_DROPPED: Final = {ord(character): None for character in "\t\r\n"}

_new_tuple: Final = tuple.__new__


def split_scope(scope: Mapping[str, Any]) -> SplitResult:
    """Return the parts of the URL that a scope was requested by (ASGI HTTP scope).

    The authority is the first `host` field if it is valid, else the `server`; with neither the URL is relative and
    has no scheme. `root_path` is not read and forwarding fields are not believed. Nothing that a client sends raises.
    """
    path = escape_path(scope["path"])
    query = decode_query(scope["query_string"]) if scope.get("query_string") else ""
    scheme = scope.get("scheme", "http")
    if scheme not in DEFAULT_PORTS:
        scheme = scheme.lower()
    netloc = None
    for name, value in scope["headers"]:
        if name == b"host":
            netloc = host_netloc(value)
            break
    if netloc is None:
        netloc = server_netloc(scheme, scope.get("server"))
        if netloc is None:
            return SplitResult("", "", relative_path(path), query, "")
    if path and path[0] != "/":
        # SECURITY: "@evil" and ":80@evil" would go on with the authority (threats T02.3).
        path = f"/{path}"
    # PERF: 0.4 of the time of calling SplitResult, whose `__new__` is Python code.
    return _new_tuple(SplitResult, (scheme, netloc, path, query, ""))


def join_parts(parts: SplitResult) -> str:
    """Return the text of a URL with these parts (RFC 3986 §5.3), as `geturl()` does."""
    scheme, netloc, path, query, fragment = parts
    # Forms that have odd rules, such as "mailto:", are left to the library that will read them.
    if not netloc or (path and path[0] != "/"):
        return parts.geturl()
    url = f"{scheme}://{netloc}{path}" if scheme else f"//{netloc}{path}"
    if query:
        url = f"{url}?{query}"
    return f"{url}#{fragment}" if fragment else url


def relative_path(path: str) -> str:
    """Return a path that cannot be read as an authority or a scheme (RFC 3986 §4.2)."""
    if path[:1] == "/":
        return escape_slashes(path)
    # SECURITY: the first segment must not look like "http:", and parsers drop blanks before it (threats T02.3).
    first, slash, rest = path.partition("/")
    first = first.replace(":", "%3A")
    if first[:1] == " ":
        first = f"%20{first[1:]}"
    return first + slash + rest


def escape_path(path: str) -> str:
    """Return a path with what would end it, or change its meaning, percent-encoded."""
    if path.isprintable() and "?" not in path and "#" not in path and "\\" not in path:
        return path
    return path.translate(_PATH_ESCAPES)


def escape_slashes(path: str) -> str:
    """Return a path that does not begin with `//`, which would make an authority of it."""
    return f"/%2F{path[2:]}" if path[:2] == "//" else path


def decode_query(query: bytes) -> str:
    """Return a query as text of a URL: UTF-8 where it is, else octets above ASCII escaped; no controls, no `#`."""
    try:
        text = query.decode()
    except UnicodeDecodeError:
        text = query.decode("latin-1").translate(_OCTET_ESCAPES)
    if "#" in text or not text.isprintable():
        text = text.translate(_QUERY_ESCAPES)
    return text


def netloc_port(parts: SplitResult) -> int | None:
    """Return the port of a URL; ValueError when it is not a number of 0 to 65535."""
    try:
        return parts.port
    except ValueError:
        # Python does not convert thousands of digits, but they may be leading zeros.
        digits = parts.netloc.rpartition(":")[2]
        number = port_number(digits) if digits.isascii() and digits.isdecimal() else None
        if number is None:
            raise
        return number


def replace_authority(parts: SplitResult, changes: Mapping[str, Any]) -> str:
    """Return the authority of `parts` with other `username`, `password`, `hostname` or `port`.

    What is not in `changes` stays. None removes a part, except for the host, which then stays.
    """
    hostname = changes.get("hostname")
    if hostname is None:
        hostname = _written_host(parts.netloc)
    elif ":" in hostname and is_ipv6(hostname):
        hostname = f"[{hostname}]"
    # COMPAT: a port that is not a number raises even if it is to be replaced.
    current_port = netloc_port(parts)
    port = changes.get("port", current_port)
    username = changes.get("username", parts.username)
    password = changes.get("password", parts.password)
    if username is None:
        userinfo = ""
    else:
        userinfo = f"{username}@" if password is None else f"{username}:{password}@"
    return f"{userinfo}{hostname}" if port in (None, "") else f"{userinfo}{hostname}:{port}"


def _written_host(netloc: str) -> str:
    """Return the host of an authority in its own case and with its brackets."""
    host = netloc.rpartition("@")[2]
    if host[:1] == "[":
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def mask_password(url: str) -> str:
    """Return a URL with eight asterisks for its password, if it has one. Malformed URLs do not raise."""
    if "@" not in url:
        return url
    # Parsers read "ht\ttp:/\n/u:p@h" as if these three characters were not there.
    read = url.translate(_DROPPED)
    match = _PASSWORD.match(read)
    return url if match is None else f"{match[1]}********{read[match.end() :]}"
