"""The pages that show a document to people: Swagger UI or Scalar. Pure.

A page has no script and no style of its own: it can be served under a Content-Security-Policy without `unsafe-inline`
for scripts, and brings one itself. SECURITY: exact versions, and hashes of the files as npm has them: what a changed
host sends is not run (Subresource Integrity §3.3).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import urlsplit

Kind = Literal["swagger", "scalar"]


class Asset(NamedTuple):
    """A file of a page: where it is published, its name where one hosts it oneself, and its hash."""

    url: str
    name: str
    integrity: str


@dataclass(frozen=True, slots=True)
class Page:
    """One way to show a document.

    Attributes:
        title: What people call it.
        scripts, styles: Its files.
        start: The script that starts it, ours; `#docs` has the addresses.
        sources: What its policy allows beside scripts, styles and connections.
        inline_styles: It makes style elements.
        redirect: The files of the page to which OAuth 2 leads back; none if it does without.
    """

    title: str
    scripts: tuple[Asset, ...]
    styles: tuple[Asset, ...]
    start: str
    sources: tuple[str, ...]
    inline_styles: bool = False
    redirect: tuple[Asset, ...] = ()

    @property
    def assets(self) -> tuple[Asset, ...]:
        """All its files."""
        return (*self.styles, *self.scripts, *self.redirect)


_SWAGGER: Final = "https://unpkg.com/swagger-ui-dist@5.35.0/"

PAGES: Final[dict[str, Page]] = {
    "swagger": Page(
        title="Swagger UI",
        scripts=(
            Asset(
                f"{_SWAGGER}swagger-ui-bundle.js",
                "swagger-ui-bundle.js",
                "sha384-gjRm0bEPMeTmMh5jT2cHccIwCUZSTd8YC+j0d0sXw0MdGEfScduGpSyF3ZSSLkX9",
            ),
        ),
        styles=(
            Asset(
                f"{_SWAGGER}swagger-ui.css",
                "swagger-ui.css",
                "sha384-WlYgdmXYOOBWL5apwjDEZwN+U3HmXSSu5R6V5aGxEcf7z+KuRNwBhoxKVN1i3D5I",
            ),
        ),
        start="""const place = document.getElementById("docs");
if (window.SwaggerUIBundle) {
  SwaggerUIBundle({
    domNode: place,
    url: place.dataset.document,
    oauth2RedirectUrl: new URL(place.dataset.redirect, location).href,
    deepLinking: true,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    // Nothing is sent elsewhere.
    validatorUrl: null,
  });
} else {
  place.textContent = "The files of Swagger UI could not be loaded.";
}
""",
        sources=("img-src 'self' data:",),
        redirect=(
            Asset(
                f"{_SWAGGER}oauth2-redirect.js",
                "oauth2-redirect.js",
                "sha384-XuY48ztmqRBrZqX+bDrPUqkTumNohu9Bl+yztOEp/hDTS5qXIApmbiD04MrTFpjk",
            ),
        ),
    ),
    "scalar": Page(
        title="Scalar",
        scripts=(
            Asset(
                "https://unpkg.com/@scalar/api-reference@1.72.1/dist/browser/standalone.js",
                "scalar.js",
                "sha384-U11tb2XnKvmwt8RlTvnwUnYgrN+ur4Xyh9htLhjajWNR/Oyl5AX5DEz00qRmlrmK",
            ),
        ),
        styles=(),
        start="""const place = document.getElementById("docs");
if (window.Scalar) {
  place.textContent = "";
  Scalar.createApiReference(place, {
    url: place.dataset.document,
    baseServerURL: location.origin,
    // Nothing is sent elsewhere, and nothing comes from there.
    telemetry: false,
    withDefaultFonts: false,
    agent: {disabled: true},
    mcp: {disabled: true},
    showDeveloperTools: "never",
  });
} else {
  place.textContent = "The files of Scalar could not be loaded.";
}
""",
        sources=("img-src 'self' data: blob:", "font-src 'self' data:", "worker-src blob:"),
        inline_styles=True,
    ),
}

_VARIABLE: Final = re.compile(r"\{[^{}]*\}")
# host-source = host-part [ ":" port-part ] (Content Security Policy Level 3 §2.3.1).
_HOST_SOURCE: Final = re.compile(r"(?:\*|(?:\*\.)?[A-Za-z0-9.-]+)(?::(?:\*|[0-9]+))?", re.ASCII)

_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%(title)s</title>
<link rel="icon" href="data:,">
%(styles)s</head>
<body>
<div id="docs" data-document="%(document)s" data-redirect="%(redirect)s">Loading %(tool)s…</div>
%(scripts)s<script src="%(start)s" defer></script>
</body>
</html>
"""

_REDIRECT: Final = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>OAuth 2</title></head>
<body>%s</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Paths of one application, percent-encoded."""

    document: str
    start: str
    redirect: str


def docs_page(page: Page, title: str, at: Addresses, assets: str | None) -> str:
    """Return the page.

    Args:
        page: The way to show the document.
        title: That of the document.
        at: Where the document, the script and the redirect of OAuth 2 are.
        assets: The URL of the folder that holds the files; None for the pinned ones of a public host.
    """
    return _PAGE % {
        "title": html.escape(title),
        "tool": page.title,
        "styles": "".join(f'<link rel="stylesheet" {_source("href", asset, assets)}>\n' for asset in page.styles),
        "scripts": "".join(_script(asset, assets) for asset in page.scripts),
        "document": html.escape(at.document),
        "redirect": html.escape(at.redirect),
        "start": html.escape(at.start),
    }


def redirect_page(page: Page, assets: str | None) -> str:
    """Return the page to which OAuth 2 leads back: it hands the answer to the page that asked."""
    return _REDIRECT % "".join(_script(asset, assets) for asset in page.redirect)


def policy(page: Page, assets: str | None, connect: Iterable[str]) -> str:
    """Return the Content-Security-Policy of a page (Content Security Policy Level 3).

    Args:
        page: The way to show the document.
        assets: As for `docs_page`.
        connect: Origins beside the own one that requests go to.
    """
    scripts = " ".join(dict.fromkeys(["'self'", *(_url(asset, assets) for asset in page.assets)]))
    styles = f"{scripts} 'unsafe-inline'" if page.inline_styles else scripts
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {scripts}",
            f"style-src {styles}",
            " ".join(["connect-src 'self'", *dict.fromkeys(connect)]),
            *page.sources,
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'self'",
        ]
    )


def origins(document: dict[str, Any]) -> list[str]:
    """Return the origins that a document sends clients to: its servers, and where tokens are given out."""
    servers = [*document.get("servers", ())]
    for item in document.get("paths", {}).values():
        for operation in item.values():
            servers += operation.get("servers", ()) if isinstance(operation, dict) else ()
    urls = [str(server.get("url", "")) for server in servers]
    for scheme in document.get("components", {}).get("securitySchemes", {}).values():
        urls.append(str(scheme.get("openIdConnectUrl", "")))
        for flow in scheme.get("flows", {}).values():
            urls += [str(flow.get("tokenUrl", "")), str(flow.get("refreshUrl", ""))]
    return [found for url in dict.fromkeys(urls) if (found := _origin(url))]


def _origin(url: str) -> str:
    """Return the origin of a URL as a policy has it; empty for one that has none, or that a policy cannot say."""
    try:
        split = urlsplit(_VARIABLE.sub("*", url))
    except ValueError:
        return ""
    if _HOST_SOURCE.fullmatch(split.netloc) is None:
        return ""
    return f"{split.scheme}://{split.netloc}" if split.scheme else split.netloc


def _url(asset: Asset, assets: str | None) -> str:
    if assets is None:
        return asset.url
    url = f"{assets.rstrip('/')}/{asset.name}"
    return url if urlsplit(url).netloc else "'self'"


def _script(asset: Asset, assets: str | None) -> str:
    return f"<script {_source('src', asset, assets)} defer></script>\n"


def _source(attribute: str, asset: Asset, assets: str | None) -> str:
    if assets is None:
        return f'{attribute}="{asset.url}" integrity="{asset.integrity}" crossorigin="anonymous"'
    return f'{attribute}="{html.escape(assets.rstrip("/"))}/{asset.name}"'
