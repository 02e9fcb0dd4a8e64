"""Fetch the files of GraphiQL from npm into a folder, and see that they are those whose hashes our page tells browsers.

Argument: the folder. Files that are there and right are not fetched again. Exit status 77: npm is not there, or cannot
reach its registry. Any folder made like this can be served by an application: see docs/graphql.md.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from typing import Protocol

from starlette._graphql.page import SCRIPTS, STYLE

SKIPPED = 77


class File(Protocol):
    """A file of a page: where it is published, its name in the folder, and its hash."""

    @property
    def url(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def integrity(self) -> str: ...


def fetch(title: str, files: Iterable[File], folder: pathlib.Path, told: str) -> int:
    """Fetch the files that are missing, and return the exit status.

    Args:
        title: What the files are of.
        files: The files.
        folder: Where they belong.
        told: The module that has their hashes.
    """
    missing = [file for file in files if not _is_right(folder / file.name, file)]
    if missing:
        npm = shutil.which("npm")
        if npm is None:
            print(f"npm is not installed: the files of {title} were not fetched.")
            return SKIPPED
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            for package in sorted({_package(file) for file in missing}):
                if not _fetched(npm, package, pathlib.Path(scratch)):
                    print(f"npm cannot fetch {package}: the files of {title} are not there.")
                    return SKIPPED
            _unpack(missing, pathlib.Path(scratch), folder)
    if wrong := [file.name for file in missing if not _is_right(folder / file.name, file)]:
        print(f"{', '.join(wrong)}: not what the hashes in {told} say")
        return 1
    print(f"The files of {title} in {folder} are what their hashes say.")
    return 0


def _is_right(path: pathlib.Path, file: File) -> bool:
    if not path.is_file():
        return False
    digest = base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()
    return file.integrity == f"sha384-{digest}"


def _package(file: File) -> str:
    """Return `react@18.3.1` for `https://unpkg.com/react@18.3.1/umd/react.production.min.js`."""
    return _split(file.url)[0]


def _split(url: str) -> tuple[str, str]:
    """Return the package, which may have a scope (`@scope/name@1.0`), and the path inside of it."""
    steps = url.split("/")[3:]
    scoped = 1 + steps[0].startswith("@")
    return "/".join(steps[:scoped]), "/".join(steps[scoped:])


def _fetched(npm: str, package: str, scratch: pathlib.Path) -> bool:
    command = [npm, "pack", package, "--silent", "--pack-destination", str(scratch)]
    try:
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _unpack(files: Iterable[File], scratch: pathlib.Path, folder: pathlib.Path) -> None:
    for file in files:
        package, inside = _split(file.url)
        with tarfile.open(scratch / (package.lstrip("@").replace("/", "-").replace("@", "-") + ".tgz")) as archive:
            member = archive.extractfile(f"package/{inside}")
            if member is not None:
                (folder / file.name).write_bytes(member.read())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="where the files belong; it is made where it is missing")
    arguments = parser.parse_args()
    sys.exit(fetch("GraphiQL", (STYLE, *SCRIPTS), arguments.folder, "starlette/_graphql/page.py"))
