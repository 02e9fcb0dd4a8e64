"""Fetching the files of a documentation page, for those who serve them themselves."""

from __future__ import annotations

import base64
import hashlib
import hmac
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final

from asterism.openapi._pages import PAGES, Asset

_HOST: Final = "https://unpkg.com"
# Seconds, of each wait for the network.
_TIMEOUT: Final = 60
# More than any of the files has; in bytes.
_LIMIT: Final = 64 * 1024 * 1024


class FetchError(Exception):
    """A file cannot be had, or is not what its hash says."""


def fetch(ui: str, folder: Path, mirror: str | None = None) -> list[Path]:
    """Put the files of a page into a folder and return their paths; those that are there and right stay.

    Args:
        ui: The page: `"swagger"` or `"scalar"`.
        folder: The folder; it is made if it is not there.
        mirror: The URL of a copy of the public host.

    Raises:
        FetchError: A file cannot be fetched or written, or is not what its hash says.
    """
    paths = []
    for asset in PAGES[ui].assets:
        path = folder / asset.name
        if not is_right(path, asset):
            content = _content(asset, mirror)
            try:
                folder.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            except OSError as exc:
                raise FetchError(f"{path} cannot be written: {exc.strerror}") from exc
        paths.append(path)
    return paths


def is_right(path: Path, asset: Asset) -> bool:
    """Tell whether a file is there and is what its hash says."""
    return path.is_file() and _has_hash(path.read_bytes(), asset)


def _content(asset: Asset, mirror: str | None) -> bytes:
    url = asset.url if mirror is None else mirror.rstrip("/") + asset.url.removeprefix(_HOST)
    if not url.startswith(("https://", "http://")):
        raise FetchError(f"a mirror is the URL of a host, such as {_HOST}, not {mirror!r}")
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as response:
            content: bytes = response.read(_LIMIT)
    except (OSError, ValueError) as exc:
        raise FetchError(f"{url} cannot be fetched: {getattr(exc, 'reason', exc)}") from exc
    if not _has_hash(content, asset):
        raise FetchError(f"{url} is not the file that it was: its hash is not {asset.integrity}")
    return content


def _has_hash(content: bytes, asset: Asset) -> bool:
    digest = base64.b64encode(hashlib.sha384(content).digest()).decode()
    return hmac.compare_digest(f"sha384-{digest}", asset.integrity)
