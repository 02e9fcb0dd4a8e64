"""The document of an application, and the routes that serve it."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from asterism.api import Security
from asterism.openapi._document import About, build
from asterism.openapi._pages import PAGES, Addresses, Kind, docs_page, origins, policy, redirect_page
from asterism.openapi._walk import places, routes_of
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

# Documents differ by where the application is mounted, which few applications have more than one of.
_KEPT: Final = 16

# What a path may have as it is (RFC 3986 §3.3).
_SAFE: Final = "/:@!$&'()*+,;=~-._"


@dataclass(slots=True)
class _Kept:
    """A document as it is sent. `source` is held so that its identity stays its own."""

    source: Any
    content: bytes
    etag: str
    title: str
    origins: Sequence[str] = field(default_factory=list)


class OpenAPI:
    """Describes an application as OpenAPI 3.1.

        openapi = OpenAPI(title="Shop", version="1.0")
        app = Starlette(routes=[*routes, *openapi.routes()])

    serves the document at `/openapi.json` and a page for people at `/docs`. It is made at the first request from the
    routes that the application then has, and kept. Needs the extra `api`.

    Args:
        source: The application or routes to describe; unless given, the application that serves the document.
        title: The name of the API.
        version: The version of the API.
        summary, description: What it is, for people; the description may be Markdown.
        terms_of_service: Their URL.
        contact: `{"name": ..., "url": ..., "email": ...}`.
        license: `{"name": ..., "identifier": ...}`, or with a `url`.
        servers: Where it is served, as URLs or Server Objects; unless given, where the document is.
        tags: Tags in their order, as names or Tag Objects. Others that operations have follow.
        security: The schemes that hold for operations that name none themselves.
        external_docs: `{"url": ..., "description": ...}`.
        extra: Members to merge into the document: `{"components": {...}}`.

    Raises:
        TypeError: `source` has no routes.
    """

    def __init__(
        self,
        source: Any = None,
        *,
        title: str,
        version: str,
        summary: str | None = None,
        description: str | None = None,
        terms_of_service: str | None = None,
        contact: Mapping[str, str] | None = None,
        license: Mapping[str, str] | None = None,
        servers: Sequence[str | Mapping[str, Any]] = (),
        tags: Sequence[str | Mapping[str, Any]] = (),
        security: Sequence[Security] = (),
        external_docs: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        if source is not None:
            routes_of(source)
        info = {
            "title": title,
            "summary": summary,
            "description": description,
            "termsOfService": terms_of_service,
            "contact": contact,
            "license": license,
            "version": version,
        }
        members = {} if external_docs is None else {"externalDocs": dict(external_docs)}
        self.title = title
        self._source = source
        self._about = About(
            {name: value for name, value in info.items() if value is not None},
            [{"url": server} if isinstance(server, str) else dict(server) for server in servers],
            [{"name": tag} if isinstance(tag, str) else dict(tag) for tag in tags],
            tuple(security),
            {**members, **(extra or {})},
        )
        self._kept: dict[tuple[int, str], _Kept] = {}
        self._lock = threading.Lock()

    def document(self, source: Any = None, *, base: str = "") -> dict[str, Any]:
        """Return the document as a new dict.

        Args:
            source: What to describe, where this has no source of its own.
            base: The path that it is served below of, percent-encoded: `"/api"`.

        Raises:
            TypeError: There is nothing to describe.
            ValueError: Documentation cannot be used: YAML in a docstring, or two security schemes of one name.
            ImportError: A library that this needs is missing.
        """
        return build(self._about, routes_of(self._source if self._source is not None else source), base)

    def json(self, source: Any = None, *, base: str = "", indent: int | None = None) -> str:
        """Return the document as JSON; arguments and errors are those of `document`."""
        separators = (",", ":") if indent is None else None
        found = self.document(source, base=base)
        return json.dumps(found, indent=indent, separators=separators, ensure_ascii=False, default=str)

    def routes(
        self,
        path: str = "/openapi.json",
        *,
        docs: str | None = "/docs",
        ui: Kind = "swagger",
        assets: str | None = None,
    ) -> list[BaseRoute]:
        """Return routes for the document and its page, which no document lists.

        Args:
            path: The path of the document.
            docs: The path of the page; None for no page.
            ui: What shows the document: `"swagger"` or `"scalar"`.
            assets: The URL of a folder with the files of the page; unless given, they come from a public host, in
                pinned versions with hashes.

        Raises:
            ValueError: There is no such `ui`.
        """
        if ui not in PAGES:
            raise ValueError(f"ui must be {' or '.join(map(repr, PAGES))}, got {ui!r}")
        served = _Served(self, path, docs or "", ui, assets)
        found = [("openapi", path, served.send_document)]
        if docs is not None:
            found += [("openapi-docs", docs, served.send_page), ("openapi-start", served.start, served.send_start)]
            if PAGES[ui].redirect:
                found.append(("openapi-redirect", served.redirect, served.send_redirect))
        return [Route(place, endpoint, name=name, include_in_schema=False) for name, place, endpoint in found]

    def source_for(self, request: Request) -> Any:
        """Return what is described to a request.

        Raises:
            RuntimeError: Nothing is known of it.
        """
        source = self._source if self._source is not None else request.scope.get("app")
        if source is None:
            raise RuntimeError("no application serves this document: pass one, or its routes, to OpenAPI()")
        return source

    def kept(self, source: Any, root: str) -> _Kept:
        """Return the document of `source` below of a path, which is made for the first request; in a thread."""
        key = (id(source), root)
        # Several may wait for the same one.
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                document = self.document(source, base=quote(root, safe=_SAFE))
                content = json.dumps(document, separators=(",", ":"), ensure_ascii=False, default=str).encode()
                found = _Kept(source, content, _etag(content), self.title, origins(document))
                # SECURITY: a client that could choose where it is mounted would fill the memory.
                if len(self._kept) < _KEPT:
                    self._kept[key] = found
        return found

    def kept_already(self, source: Any, root: str) -> _Kept | None:
        """Return the document if it was made before."""
        return self._kept.get((id(source), root))


class _Served:
    """The endpoints of one list of routes; `owner` is what they serve."""

    def __init__(self, openapi: OpenAPI, path: str, docs: str, ui: str, assets: str | None) -> None:
        self.owner = openapi
        # The described application, and the mounts in it that lead to these routes; None when it does not have them.
        self._mounts: tuple[Any, str | None] = (None, None)
        self._path = path
        self._page = PAGES[ui]
        self._assets = assets
        below = docs.rstrip("/")
        self.start = f"{below}/start.js"
        self.redirect = f"{below}/oauth2-redirect"
        self._start = self._page.start.encode()

    async def send_document(self, request: Request) -> Response:
        kept = await self._kept(request)
        return _cached(request, kept.content, kept.etag, "application/json")

    async def send_page(self, request: Request) -> Response:
        kept = await self._kept(request)
        root = quote(_root(request), safe=_SAFE)
        at = Addresses(root + self._path, root + self.start, root + self.redirect)
        content = docs_page(self._page, kept.title, at, self._assets).encode()
        response = _cached(request, content, _etag(content), "text/html")
        response.headers["content-security-policy"] = policy(self._page, self._assets, kept.origins)
        return response

    async def send_start(self, request: Request) -> Response:
        return _cached(request, self._start, _etag(self._start), "text/javascript")

    async def send_redirect(self, request: Request) -> Response:
        content = redirect_page(self._page, self._assets).encode()
        response = _cached(request, content, _etag(content), "text/html")
        response.headers["content-security-policy"] = policy(self._page, self._assets, ())
        return response

    async def _kept(self, request: Request) -> _Kept:
        source = self.owner.source_for(request)
        if self._mounts[0] is not source:
            mounts = (place.prefix for place in places(routes_of(source)) if place.route.endpoint == self.send_document)
            self._mounts = (source, next(mounts, None))
        base = _base(request, self._mounts[1])
        found = self.owner.kept_already(source, base)
        # A document of 500 operations takes most of a second.
        return found if found is not None else await run_in_threadpool(self.owner.kept, source, base)


def openapi_of(source: Any) -> OpenAPI | None:
    """Return what describes an application by one of its routes; None if nothing does."""
    for place in places(routes_of(source)):
        served = getattr(place.route.endpoint, "__self__", None)
        if isinstance(served, _Served):
            return served.owner
    return None


def _base(request: Request, mounts: str | None) -> str:
    """Return the path that the described application is below of.

    `root_path` has the mounts on the way to the document's own route, too. Those that are inside of the described
    application are in its paths already. Their parameters have values there, but as many segments.
    """
    if mounts is None:
        return str(request.scope.get("app_root_path", _root(request))).rstrip("/")
    return _root(request).rsplit("/", mounts.count("/"))[0] if mounts else _root(request)


def _root(request: Request) -> str:
    return str(request.scope.get("root_path", "")).rstrip("/")


def _etag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _cached(request: Request, content: bytes, etag: str, media_type: str) -> Response:
    """Return a response that clients may keep, and ask about (RFC 9110 §13.1.2)."""
    headers = {"etag": etag, "cache-control": "no-cache", "x-content-type-options": "nosniff"}
    asked = [tag.strip().removeprefix("W/") for tag in ",".join(request.headers.getlist("if-none-match")).split(",")]
    if etag in asked or asked == ["*"]:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=media_type)
