"""The authority of a request: the `Host` field and the server's address (RFC 9110 §7.2, RFC 3986 §3.2).

Pure; imports nothing of ours. It reads names, never resolves them, and believes no forwarding header.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Any, Final

DEFAULT_PORTS: Final[dict[str, int]] = {"http": 80, "https": 443, "ws": 80, "wss": 443}
HIGHEST_PORT: Final = 65535

# uri-host [ ":" port ] (RFC 9110 §7.2). `\Z`, not `$`: a trailing line feed is no part of a host.
# Every character has one way to match, so the time is linear in the length.
_HOST: Final = re.compile(
    r"(?P<host>[A-Za-z0-9._~%!$&'()*+,;=-]+"  # reg-name (§3.2.2); an IPv4 address looks the same
    r"|\[(?:(?P<six>[0-9A-Fa-f:.]+)"  # IPv6address, which ipaddress has to confirm; no zone
    r"|v[0-9A-Fa-f]+\.[A-Za-z0-9._~!$&'()*+,;=:-]+)\])"  # IPvFuture; COMPAT: lower-case "v" (routing R24)
    r"(?::(?P<port>[0-9]+))?\Z"
)


@dataclass(frozen=True, slots=True)
class ParsedHost:
    """A well-formed `Host`: a name, address or bracketed literal, and the port as written, if any."""

    host: str
    port: str | None = None

    @property
    def authority(self) -> str:
        """Host and port joined again, exactly as they were received."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def is_valid_port(self) -> bool:
        """Whether the port can exist: absent, or at most 65535 without its leading zeros."""
        return self.port is None or is_port(self.port)


def is_port(digits: str) -> bool:
    """Tell whether ASCII digits name a port of 0 to 65535; any number of leading zeros is allowed."""
    significant = digits.lstrip("0")
    return len(significant) <= 5 and int(significant or "0") <= HIGHEST_PORT


def parse_host_header(value: str | None) -> ParsedHost | None:
    """Split a `Host` value such as `"example.org:8000"` or `"[::1]"` into host and port.

    Returns:
        None for an absent or malformed value: user information, blanks, controls, `/ ? # \\`, other than ASCII,
        an empty port, an address in brackets that is none (RFC 9110 §7.2). Case, brackets and zeros stay as they are.
    """
    if not value or (match := _HOST.match(value)) is None:
        return None
    host, address, port = match.groups()
    if address is not None and not is_ipv6(address):
        return None
    return ParsedHost(host, port)


def is_ipv6(text: str) -> bool:
    """Tell whether `text`, without brackets, is an IPv6 address; a zone id is accepted (`fe80::1%eth0`)."""
    # The longest form is that of an embedded IPv4 address, 45 characters, and a zone.
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def host_netloc(value: str) -> str | None:
    """Return `value` if it may stand as the authority of a URL as it is, else None."""
    parsed = parse_host_header(value)
    return value if parsed is not None and parsed.is_valid_port else None


def server_netloc(scheme: str, server: Sequence[Any] | None) -> str | None:
    """Return the authority for the `server` pair of a scope, None when it has no host that a URL could name.

    Args:
        scheme: Its default port is left out: `("example.org", 443)` is `example.org` for `https`.
        server: `(host, port)`, `(path, None)` of a unix socket, or None (ASGI HTTP scope, "server").
    """
    if not server:
        return None
    host, port = server
    # SECURITY: the path of a unix socket must not become an authority (threats T02.2), nor may anything that the grammar refuses.
    if port is None or not host:
        return None
    if ":" in host and host[0] != "[":
        host = f"[{host}]"
    return host if DEFAULT_PORTS.get(scheme) == port else f"{host}:{port}"
