"""Security schemes: how clients say who they are (OpenAPI 3.1.1 §4.8.27)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from asterism.api import Security


@dataclasses.dataclass(frozen=True, slots=True)
class Scheme(Security):
    """A `Security` mark that can be asked for with scopes: `scheme.needing("read", "write")`."""

    def needing(self, *scopes: str) -> Scheme:
        """Return the mark of an endpoint or dependency that needs these scopes."""
        return dataclasses.replace(self, scopes=scopes)


def bearer(name: str = "bearer", *, format: str | None = None, description: str | None = None) -> Scheme:
    """Return the scheme of `Authorization: Bearer ...` (RFC 6750); `format` tells people what is in it: `"JWT"`."""
    return _scheme(name, description, type="http", scheme="bearer", bearerFormat=format)


def basic(name: str = "basic", *, description: str | None = None) -> Scheme:
    """Return the scheme of a user name and a password (RFC 7617)."""
    return _scheme(name, description, type="http", scheme="basic")


def api_key(
    key: str,
    place: Literal["header", "query", "cookie"] = "header",
    *,
    name: str = "api_key",
    description: str | None = None,
) -> Scheme:
    """Return the scheme of a secret in a header, query parameter or cookie that is called `key`.

    Raises:
        ValueError: There is no such place.
    """
    if place not in ("header", "query", "cookie"):
        raise ValueError(f"place must be 'header', 'query' or 'cookie', got {place!r}")
    return Scheme(name, {"type": "apiKey", "in": place, "name": key} | _described(description))


def oauth2(
    *,
    authorization_url: str | None = None,
    token_url: str | None = None,
    password_url: str | None = None,
    refresh_url: str | None = None,
    scopes: Mapping[str, str] | None = None,
    name: str = "oauth2",
    description: str | None = None,
) -> Scheme:
    """Return the scheme of OAuth 2 (RFC 6749).

    Args:
        authorization_url: Where people agree. With `token_url` this is the authorization code flow, without it the
            implicit one.
        token_url: Where tokens are given out; alone, to clients that have credentials of their own.
        password_url: Where tokens are given out for a user name and a password.
        refresh_url: Where they are renewed.
        scopes: What can be asked for, and what it means.
        name: What the document calls it.
        description: For people.

    Raises:
        ValueError: There is no URL.
    """
    flows: dict[str, dict[str, Any]] = {}
    if authorization_url is not None and token_url is not None:
        flows["authorizationCode"] = {"authorizationUrl": authorization_url, "tokenUrl": token_url}
    elif authorization_url is not None:
        flows["implicit"] = {"authorizationUrl": authorization_url}
    elif token_url is not None:
        flows["clientCredentials"] = {"tokenUrl": token_url}
    if password_url is not None:
        flows["password"] = {"tokenUrl": password_url}
    if not flows:
        raise ValueError("oauth2() needs authorization_url, token_url or password_url")
    for flow in flows.values():
        flow["scopes"] = dict(scopes or {})
        if refresh_url is not None:
            flow["refreshUrl"] = refresh_url
    return _scheme(name, description, type="oauth2", flows=flows)


def openid_connect(url: str, *, name: str = "openid", description: str | None = None) -> Scheme:
    """Return the scheme of OpenID Connect, whose configuration is at `url`."""
    return _scheme(name, description, type="openIdConnect", openIdConnectUrl=url)


def _scheme(name: str, description: str | None, **members: Any) -> Scheme:
    return Scheme(name, {key: value for key, value in members.items() if value is not None} | _described(description))


def _described(description: str | None) -> dict[str, str]:
    return {} if description is None else {"description": description}


class Schemes:
    """Gathers the schemes of a document."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, Any]] = {}

    def requirement(self, marks: Sequence[Security]) -> list[dict[str, list[str]]]:
        """Return the Security Requirement Object of marks that are needed together.

        Raises:
            ValueError: Two schemes have one name.
        """
        needed: dict[str, list[str]] = {}
        for mark in marks:
            scheme = dict(mark.scheme)
            if self.found.setdefault(mark.name, scheme) != scheme:
                raise ValueError(f"two security schemes are called {mark.name!r}: give one of them another name")
            scopes = needed.setdefault(mark.name, [])
            scopes += [scope for scope in mark.scopes if scope not in scopes]
        return [needed]

    @staticmethod
    def takes(marks: Sequence[Security], place: str, name: str) -> bool:
        """Tell whether a parameter is what the schemes speak of: it is not listed a second time."""
        for mark in marks:
            if mark.scheme.get("type") == "apiKey":
                if (mark.scheme.get("in"), str(mark.scheme.get("name")).lower()) == (place, name.lower()):
                    return True
            elif (place, name.lower()) == ("header", "authorization"):
                return True
        return False
