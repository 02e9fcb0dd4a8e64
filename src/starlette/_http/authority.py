"""The authority of a request: the `Host` field and the server's address (RFC 9110 §7.2, RFC 3986 §3.2).

Pure; imports nothing of ours. It reads names, never resolves them, and believes no forwarding field.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

DEFAULT_PORTS: Final[dict[str, int]] = {"http": 80, "https": 443, "ws": 80, "wss": 443}
HIGHEST_PORT: Final = 65535

# uri-host [ ":" port ] (RFC 9110 §7.2). `\Z`, not `$`: a final line feed is no part of a host.
# A character has one way to match, so the time is linear in the length.
_HOST: Final = re.compile(
    r"([A-Za-z0-9._~%!$&'()*+,;=-]+"  # reg-name (RFC 3986 §3.2.2); an IPv4 address is one, too
    r"|\[(?:([0-9A-Fa-f:.]+)"  # IPv6address, to be confirmed by ipaddress; a zone has no place here
    r"|v[0-9A-Fa-f]+\.[A-Za-z0-9._~!$&'()*+,;=:-]+)\])"  # IPvFuture. COMPAT: "v" in lower case only (routing R24)
    r"(?::([0-9]+))?\Z"
)

_NAME_OCTETS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~%!$&'()*+,;=-"

# What would end the host of a URL, or what URL parsers drop.
_NO_HOST: Final = re.compile(r"[\x00-\x20/?#@\\]")


@dataclass(frozen=True, slots=True)
class ParsedHost:
    """A well-formed `Host`: a name, address or bracketed literal, and the port as written, if any."""

    host: str
    port: str | None

    @property
    def authority(self) -> str:
        """Host and port joined again, exactly as they were received."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def is_valid_port(self) -> bool:
        """Whether such a port can exist: none at all, or at most 65535."""
        return self.port is None or port_number(self.port) is not None


def parse_host_header(host_header: str | None) -> ParsedHost | None:
    r"""Split a `Host` value such as `"example.org:8000"` or `"[::1]"` into host and port (RFC 9110 §7.2).

    Returns:
        None for an absent or malformed value: user information, blanks, control characters, `/ ? # \`, anything
        outside of ASCII, an empty port, brackets around what is no IPv6 address. Case, brackets and leading zeros
        of the port stay as they are; the port may be too large.
    """
    if not host_header or (match := _HOST.match(host_header)) is None:
        return None
    host, address, port = match.groups()
    if address is not None and not is_ipv6(address):
        return None
    return ParsedHost(host, port)


def port_number(digits: str) -> int | None:
    """Return the port that ASCII digits name, None above 65535. There may be any number of leading zeros."""
    # Longer numbers are not even converted: Python refuses thousands of digits with a ValueError.
    significant = digits.lstrip("0") or "0"
    number = int(significant) if len(significant) <= 5 else HIGHEST_PORT + 1
    return number if number <= HIGHEST_PORT else None


def is_ipv6(text: str) -> bool:
    """Tell whether `text`, without brackets, is an IPv6 address; it may have a zone (`fe80::1%eth0`)."""
    from ipaddress import IPv6Address  # few addresses are written so

    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def host_netloc(value: bytes) -> str | None:
    """Return a `Host` value as text if it may stand in a URL as it is, else None."""
    # PERF: a name with a short port needs no pattern: half of the time. Every URL of a request comes through here.
    name, colon, digits = value.partition(b":")
    if name and not name.translate(None, _NAME_OCTETS) and (not colon or (len(digits) < 5 and digits.isdigit())):
        return value.decode("latin-1")
    parsed = parse_host_header(value.decode("latin-1"))
    return parsed.authority if parsed is not None and parsed.is_valid_port else None


def server_netloc(scheme: str, server: Sequence[Any] | None) -> str | None:
    """Return the authority that the `server` of a scope stands for, None when a URL cannot name it.

    Args:
        scheme: Its default port is left out: `("example.org", 443)` is `example.org` for `https`.
        server: `(host, port)`, `(path, None)` of a unix socket, or None (ASGI HTTP scope, "server").
    """
    if not server:
        return None
    host, port = server
    # SECURITY: the path of a unix socket must not become an authority (threats T02.2).
    if not host or port is None or _NO_HOST.search(host):
        return None
    if ":" in host and host[0] != "[":
        host = f"[{host}]"
    return host if DEFAULT_PORTS.get(scheme) == port else f"{host}:{port}"
