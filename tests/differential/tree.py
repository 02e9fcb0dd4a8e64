"""A small folder of files, with fixed contents and dates, for applications that serve them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

# Modified at 2030-03-17T17:46:40Z, before the moment at which cases are played.
MODIFIED: Final = 1_900_000_000

FILES: Final[dict[str, bytes]] = {
    "site/a.txt": b"the text of a\n",
    "site/digits": b"0123456789",
    "site/empty.txt": b"",
    "site/page.html": b"<p>page</p>",
    "site/data.json": b"{}",
    "site/404.html": b"<p>not here</p>",
    "site/index.html": b"<p>index</p>",
    "site/sub/index.html": b"<p>sub</p>",
    "site/sub/b.css": b"b {}",
    "site/plain/c.js": b"c()",
    "site/sp ace/\u00e9.txt": b"accent",
    "site/.hidden": b"dots are files",
    "site/exact.bin": b"x" * 65536,
    "site/long.bin": bytes(range(256)) * 600,
    "site_private/secret.txt": b"secret",
    "second/a.txt": b"shadowed",
    "second/only.txt": b"only here",
    "second/folder": b"a file",
    "site/folder/d.txt": b"in the folder",
    "bare/x.txt": b"no pages here",
}

LINKS: Final[dict[str, str]] = {
    "site/inside.txt": "a.txt",
    "site/outside.txt": "../site_private/secret.txt",
    "site/outdir": "../site_private",
    "linked": "site",
}


def make(root: str) -> str:
    """Fill the folder, and return its path without links."""
    root = os.path.realpath(root)
    for name, content in FILES.items():
        path = Path(root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (MODIFIED, MODIFIED))
    for name, target in LINKS.items():
        Path(root, name).symlink_to(target)
    return root
