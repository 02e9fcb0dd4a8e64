"""Files of a directory, with validators, ranges and an optional index page (RFC 9110 §13, §14)."""

from __future__ import annotations

import errno
import importlib.util
import os
import stat
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Union

from starlette._asgi.files import opening_is_replaced, read_small
from starlette._http.static_paths import is_absolute, is_inside, relative_path
from starlette._http.validators import none_match, unmodified_since
from starlette._threads import run_sync
from starlette._utils import get_route_path as get_route_path
from starlette.datastructures import URL as URL
from starlette.datastructures import Headers as Headers
from starlette.exceptions import HTTPException as HTTPException
from starlette.responses import FileResponse as FileResponse
from starlette.responses import RedirectResponse as RedirectResponse
from starlette.responses import Response as Response
from starlette.types import Receive as Receive
from starlette.types import Scope as Scope
from starlette.types import Send as Send
from starlette.websockets import WebSocketClose as WebSocketClose

PathLike = Union[str, "os.PathLike[str]"]  # a forward reference has no `|` when run

# What the system says of a path that leads nowhere: nothing there, a file in place of a directory, a loop of links.
_LEADS_NOWHERE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})

# Segments that stay where they are.
_NO_STEP: Final = frozenset({"", os.curdir})

# With one of these fields the answer may be something else than the whole file.
_CONDITIONS: Final = frozenset({b"range", b"if-none-match", b"if-modified-since"})


class NotModifiedResponse(Response):
    """A 304 response with those fields of the full one that a 304 repeats (RFC 9110 §15.4.5)."""

    NOT_MODIFIED_HEADERS = ("cache-control", "content-location", "date", "etag", "expires", "vary")

    def __init__(self, headers: Headers) -> None:
        repeated = self.NOT_MODIFIED_HEADERS
        kept = {name: value for name, value in headers.items() if name in repeated}
        super().__init__(None, 304, kept)


class StaticFiles:
    """Serve the files of directories; GET and HEAD only, and nothing outside of them.

    Args:
        directory: Where the files are. A relative path is looked up from the working directory at each request.
        packages: Names of packages whose `statics` folder is served too, or pairs of a package and a folder in it.
        html: Serve `index.html` for a directory, and `404.html` with status 404 for what is missing.
        check_dir: Refuse a directory that does not exist now; False to create it later.
        follow_symlink: Serve what links lead to, also outside of the directories. `..` never leaves them.

    Raises:
        RuntimeError: The directory does not exist.
        AssertionError: A package or its folder does not exist.

    Example:
        `Mount("/static", app=StaticFiles(directory="static"), name="static")`
    """

    # For each served directory its resolved name, as it was last found.
    _star_roots: dict[str, str]

    def __init__(
        self,
        *,
        directory: PathLike | None = None,
        packages: list[str | tuple[str, str]] | None = None,
        html: bool = False,
        check_dir: bool = True,
        follow_symlink: bool = False,
    ) -> None:
        self._star_roots = {}
        self.html = html
        self.follow_symlink = follow_symlink
        self.directory = directory
        self.packages = packages
        self.config_checked = False
        self.all_directories = self.get_directories(directory, packages)
        if check_dir and directory is not None and not os.path.isdir(directory):
            raise RuntimeError(f"Directory '{directory}' does not exist")  # COMPAT: staticfiles R3

    def get_directories(
        self, directory: PathLike | None = None, packages: list[str | tuple[str, str]] | None = None
    ) -> list[PathLike]:
        """Return the directories to search, in order: the given one, then those of the packages."""
        found: list[PathLike] = [] if directory is None else [directory]
        for entry in packages or ():
            package, folder = (entry, "statics") if isinstance(entry, str) else entry
            found.append(_package_folder(package, folder))
        return found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; a WebSocket is closed."""
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
            return
        if scope["type"] != "http":
            raise AssertionError(f"StaticFiles serves HTTP only, got a scope of type {scope['type']!r}")
        if not self.config_checked:
            await self.check_config()
            self.config_checked = True
        path = self.get_path(scope)
        response = await self.get_response(path, scope)
        await response(scope, receive, send)

    def get_path(self, scope: Scope) -> str:
        """Return the path of the request below the mount, with the separators of the system; `.` for the directory."""
        return relative_path(get_route_path(scope))

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the response for a path as `get_path` gives it.

        Raises:
            HTTPException: 404 for what is not a file, 401 where permission is missing, 405 for other methods.
        """
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        found = await self._star_run(self._star_find, path, self._star_reads_ahead(scope))
        if found.is_index and not scope["path"].endswith("/"):
            url = URL(scope=scope)
            return RedirectResponse(url.replace(path=url.path + "/"))
        if found.stat_result is None:
            return await self._star_missing()
        response = self.file_response(found.path, found.stat_result, scope)
        if found.content is not None and type(response) is FileResponse:
            response._star_use(found.content)
        return response

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Return the full path of what a relative one names and its `os.stat`, or `("", None)`. Blocking.

        The first directory that has an entry of the name wins. What lies outside of a directory is not found in it.
        """
        if is_absolute(path):
            return "", None
        for directory in self.all_directories:
            try:
                found = self._star_look(os.fspath(directory), path)
            except OSError as exc:
                if exc.errno not in _LEADS_NOWHERE:
                    raise
            else:
                if found is not None:
                    return found
        return "", None

    def file_response(
        self, full_path: PathLike, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Return the response for a file, which is a 304 when the client has it already."""
        response = FileResponse(full_path, status_code, stat_result=stat_result)
        # RFC 9110 §13.2.1: conditions are for what would succeed without them.
        # PERF: the first two conditions spare most requests the headers objects.
        if (
            status_code == 200
            and (getattr(self.is_not_modified, "__func__", None) is not _IS_NOT_MODIFIED or _is_conditional(scope))
            and self.is_not_modified(response.headers, Headers(scope=scope))
        ):
            return NotModifiedResponse(response.headers)
        return response

    async def check_config(self) -> None:
        """Raise RuntimeError unless the directory is one; called before the first request."""
        if self.directory is None:
            return
        try:
            found = await run_sync(os.stat, self.directory)
        except FileNotFoundError:
            raise RuntimeError(f"StaticFiles directory '{self.directory}' does not exist.") from None
        if not (stat.S_ISDIR(found.st_mode) or stat.S_ISLNK(found.st_mode)):
            raise RuntimeError(f"StaticFiles path '{self.directory}' is not a directory.")

    def is_not_modified(self, response_headers: Headers, request_headers: Headers) -> bool:
        """Tell whether the client's copy is still good; `If-None-Match` decides alone when it is there."""
        tags = request_headers.get("if-none-match")
        if tags:
            return none_match(tags, response_headers.get("etag", ""))
        since = request_headers.get("if-modified-since")
        modified = response_headers.get("last-modified")
        return bool(since and modified) and unmodified_since(since or "", modified or "")

    def _star_look(self, directory: str, path: str) -> tuple[str, os.stat_result] | None:
        """Look a path up in one directory; None when it leads out of it, OSError when it leads nowhere."""
        if self.follow_symlink:
            root = os.path.abspath(directory)
            full_path = os.path.normpath(os.path.join(root, path)) if "\0" not in path else os.path.join(root, path)
            return (full_path, os.stat(full_path)) if is_inside(full_path, root) else None
        root = self._star_root(directory)
        names = path.replace(os.altsep or os.sep, os.sep).split(os.sep)
        if os.pardir not in names:
            # PERF: one lstat a name, 2 us each, in place of `realpath`, 18 us: without links the path is resolved.
            full_path, found = root, None
            for name in names:
                if name not in _NO_STEP:
                    full_path = full_path.rstrip(os.sep) + os.sep + name
                    found = os.lstat(full_path)
                    if stat.S_ISLNK(found.st_mode):
                        break
            else:
                return full_path, found or os.stat(root)
        full_path = os.path.realpath(os.path.join(root, path))
        return (full_path, os.stat(full_path)) if is_inside(full_path, root) else None

    def _star_root(self, directory: str) -> str:
        """Return the resolved name of a served directory: the last one found, while it is still that of the same."""
        root = self._star_roots.get(directory)
        if root is None or not _same_directory(root, directory):
            root = self._star_roots[directory] = os.path.realpath(directory)
        return root

    def _star_find(self, path: str, reads_ahead: bool) -> _Found:
        """Look up a file, or the index page of a directory; read it when it is small. Blocking."""
        full_path, found = self.lookup_path(path)
        is_index = False
        if found is not None and stat.S_ISDIR(found.st_mode) and self.html:
            full_path, found = self.lookup_path(os.path.join(path, "index.html"))
            is_index = found is not None and stat.S_ISREG(found.st_mode)
        if found is None or not stat.S_ISREG(found.st_mode):
            return _Found("", None, False, None)
        return _Found(full_path, found, is_index, read_small(full_path, found) if reads_ahead else None)

    def _star_reads_ahead(self, scope: Scope) -> bool:
        """Tell whether the whole file is sent if it is found, by the plain way."""
        return (
            scope["method"] == "GET"
            and type(self).file_response is _FILE_RESPONSE
            and not opening_is_replaced()
            and "http.response.pathsend" not in (scope.get("extensions") or ())
            and not _is_conditional(scope)
        )

    async def _star_missing(self) -> Response:
        """Return the page for what is missing; HTTPException when there is none."""
        if self.html:
            full_path, found = await self._star_run(self.lookup_path, "404.html")
            if found is not None and stat.S_ISREG(found.st_mode):
                return FileResponse(full_path, 404, stat_result=found)
        raise HTTPException(404)

    async def _star_run(self, look: Callable[..., Any], *args: Any) -> Any:
        """Call a blocking look-up in a worker thread, and raise HTTPException for a path that cannot be served."""
        try:
            return await run_sync(look, *args)
        except PermissionError:
            raise HTTPException(401) from None
        except ValueError:  # NUL, or characters that no file name has
            raise HTTPException(404) from None
        except OSError as exc:
            if exc.errno != errno.ENAMETOOLONG and exc.errno not in _LEADS_NOWHERE:
                raise
            raise HTTPException(404) from None


_FILE_RESPONSE: Final = StaticFiles.file_response
_IS_NOT_MODIFIED: Final = StaticFiles.is_not_modified


class _Found(NamedTuple):
    """What a path names: a file, as an index page of a directory or by itself, and its bytes where they were read."""

    path: str
    stat_result: os.stat_result | None
    is_index: bool
    content: bytes | None


def _is_conditional(scope: Scope) -> bool:
    for name, _ in scope.get("headers", ()):  # noqa: SIM110  # PERF: a generator takes twice as long
        if name in _CONDITIONS:
            return True
    return False


def _same_directory(root: str, directory: str) -> bool:
    try:
        return os.path.samestat(os.lstat(root), os.stat(directory))
    except OSError:
        return False


def _package_folder(package: str, folder: str) -> str:
    """Return the path of a folder inside of a package, which is located but not imported."""
    spec = importlib.util.find_spec(package)
    # COMPAT: raised and not asserted, so that it holds with `-O`; the doubled quotes are upstream's (staticfiles R5).
    if spec is None or spec.origin is None:
        raise AssertionError(f"Package {package!r} could not be found.")
    path = os.path.normpath(os.path.join(os.path.dirname(spec.origin), folder))
    if not os.path.isdir(path):
        raise AssertionError(f"Directory '{folder!r}' in package {package!r} could not be found.")
    return path
