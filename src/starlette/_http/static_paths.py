"""Which relative path a URL path names below a directory, and what a directory contains, by text alone. Pure."""

from __future__ import annotations

import os.path
from typing import Final

# COMPAT: both are refused on every system (staticfiles R19); `\\server\share` would be looked up on the network.
_ABSOLUTE: Final = ("/", "\\")


def relative_path(url_path: str) -> str:
    """Return a URL path as a relative one of the file system: `/a//b/../c.txt` gives `a/c.txt`, and `/` gives `.`.

    `..` may be left at the beginning; whoever looks the path up must refuse to leave the directory.
    """
    joined = os.sep.join([segment for segment in url_path.split("/") if segment])
    if "\0" in joined:
        return joined  # COMPAT: `normpath` of Python 3.11.0 to 3.11.3 would cut it there (CVE-2023-41105)
    return os.path.normpath(joined)


def is_absolute(path: str) -> bool:
    """Tell whether a path does not start at the directory it is looked up in: `/etc`, `\\\\server\\x`, `C:x`."""
    return path.startswith(_ABSOLUTE) or os.path.splitdrive(path)[0] != ""


def is_inside(path: str, directory: str) -> bool:
    """Tell whether a normalised path is a directory or lies in it, compared by whole components."""
    # SECURITY: a text prefix alone would let `/static-private` count as part of `/static` (CVE-2023-29159).
    path, directory = os.path.normcase(path), os.path.normcase(directory)
    return path == directory or path.startswith(directory.rstrip(os.sep) + os.sep)
