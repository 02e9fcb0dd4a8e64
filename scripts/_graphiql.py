"""Fetch the files of GraphiQL from npm into a folder, and see that they are those whose hashes our page tells browsers.

Argument: the folder. Files that are there and right are not fetched again. Exit status 77: npm is not there, or cannot
reach its registry. Any folder made like this can be served by an application: see docs/graphql.md.
"""

from __future__ import annotations

import base64
import hashlib
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable

from starlette._graphql.page import SCRIPTS, STYLE, Asset

SKIPPED = 77


def main() -> int:
    folder = pathlib.Path(sys.argv[1])
    missing = [asset for asset in (STYLE, *SCRIPTS) if not _is_right(folder / asset.name, asset)]
    if missing:
        npm = shutil.which("npm")
        if npm is None:
            print("npm is not installed: the files of GraphiQL were not fetched.")
            return SKIPPED
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            for package in sorted({_package(asset) for asset in missing}):
                if not _fetched(npm, package, pathlib.Path(scratch)):
                    print(f"npm cannot fetch {package}: the files of GraphiQL are not there.")
                    return SKIPPED
            _unpack(missing, pathlib.Path(scratch), folder)
    if wrong := [asset.name for asset in missing if not _is_right(folder / asset.name, asset)]:
        print(f"{', '.join(wrong)}: not what the hashes in starlette/_graphql/page.py say")
        return 1
    print(f"The files of GraphiQL in {folder} are what their hashes say.")
    return 0


def _is_right(path: pathlib.Path, asset: Asset) -> bool:
    if not path.is_file():
        return False
    digest = base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()
    return asset.integrity == f"sha384-{digest}"


def _package(asset: Asset) -> str:
    """Return `react@18.3.1` for `https://unpkg.com/react@18.3.1/umd/react.production.min.js`."""
    return asset.url.split("/")[3]


def _fetched(npm: str, package: str, scratch: pathlib.Path) -> bool:
    command = [npm, "pack", package, "--silent", "--pack-destination", str(scratch)]
    try:
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _unpack(assets: Iterable[Asset], scratch: pathlib.Path, folder: pathlib.Path) -> None:
    for asset in assets:
        inside = asset.url.split("/", 4)[4]
        with tarfile.open(scratch / (_package(asset).replace("@", "-") + ".tgz")) as archive:
            member = archive.extractfile(f"package/{inside}")
            if member is not None:
                (folder / asset.name).write_bytes(member.read())


if __name__ == "__main__":
    sys.exit(main())
