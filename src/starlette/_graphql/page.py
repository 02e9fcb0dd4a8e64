"""The page with GraphiQL, for browsers that come to an endpoint. Pure."""

from __future__ import annotations

import html
import json
from typing import Final, NamedTuple


class Asset(NamedTuple):
    """A file of the page: where it is published, its name where one hosts it oneself, and its hash."""

    url: str
    name: str
    integrity: str


# SECURITY: exact versions, and hashes of the files as npm has them: what a changed host sends is not run
# (Subresource Integrity §3.3).
STYLE: Final = Asset(
    "https://unpkg.com/graphiql@3.9.0/graphiql.min.css",
    "graphiql.min.css",
    "sha384-QMux00XgRtwRLSYIY3kw2rj1ovk5AuuliAchk+HSQbqdbGFnz9GYuqIlOqxhwCE2",
)
SCRIPTS: Final = (
    Asset(
        "https://unpkg.com/react@18.3.1/umd/react.production.min.js",
        "react.production.min.js",
        "sha384-DGyLxAyjq0f9SPpVevD6IgztCFlnMF6oW/XQGmfe+IsZ8TqEiDrcHkMLKI6fiB/Z",
    ),
    Asset(
        "https://unpkg.com/react-dom@18.3.1/umd/react-dom.production.min.js",
        "react-dom.production.min.js",
        "sha384-gTGxhz21lVGYNMcdJOyq01Edg0jhn/c22nsx0kyqP0TxaV5WVdsSH1fSDUf5YJj1",
    ),
    Asset(
        "https://unpkg.com/graphiql@3.9.0/graphiql.min.js",
        "graphiql.min.js",
        "sha384-8NGfVj4CVlqHajlZj+bPJT4thxPMHMJYn7DWK2CvtopLd02E7qsPHazniBYvVjOO",
    ),
)

_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>GraphiQL</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" %(style)s>
<style>body { margin: 0 } #graphiql { height: 100vh }</style>
</head>
<body>
<div id="graphiql">Loading GraphiQL…</div>
%(scripts)s
<script>
const path = %(path)s;
// On the own origin, whatever the path looks like.
const url = location.origin + path;
const root = document.getElementById("graphiql");
if (window.GraphiQL && window.ReactDOM) {
  const fetcher = GraphiQL.createFetcher({url: url, subscriptionUrl: url.replace(/^http/, "ws")});
  ReactDOM.createRoot(root).render(React.createElement(GraphiQL, {fetcher: fetcher}));
} else {
  root.textContent = "The files of GraphiQL could not be loaded.";
}
</script>
</body>
</html>
"""


def graphiql_page(path: str, assets: str | None) -> str:
    """Return the page that posts to `path`.

    Args:
        path: The path of the endpoint, percent-encoded: `"/m/"`.
        assets: The URL of the folder that holds the files; None for the pinned ones of a public host.
    """
    # SECURITY: `</script>` and `<!--` in a path must not end the script (legacy R34).
    text = json.dumps(path).replace("<", "\\u003c")
    scripts = "\n".join(f"<script {_source('src', asset, assets)}></script>" for asset in SCRIPTS)
    return _PAGE % {"style": _source("href", STYLE, assets), "scripts": scripts, "path": text}


def _source(attribute: str, asset: Asset, assets: str | None) -> str:
    if assets is None:
        return f'{attribute}="{asset.url}" integrity="{asset.integrity}" crossorigin="anonymous"'
    return f'{attribute}="{html.escape(assets.rstrip("/"))}/{asset.name}"'
