"""Forms and the files in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, BinaryIO, overload

import anyio

from starlette import datastructures as public  # late on purpose: `run_in_threadpool` is replaced there by tools
from starlette._legacy.uploads import made_by_name
from starlette.datastructures._headers import Headers
from starlette.datastructures._multidicts import ImmutableMultiDict


class UploadFile:
    """A file of a form, in memory or on disk. What may block runs in a worker thread.

    Args:
        file: The file to read from, usually a `tempfile.SpooledTemporaryFile`.
        size: Its length in bytes; None if unknown, and then writing does not count.
        filename: The name that the client gave. It is data: never use it as a path.
        headers: The fields of its part of the form.

    The call of earlier releases begins with the name: `UploadFile("cat.png", file, "image/png")`. Without a file it
    makes a temporary one.
    """

    @overload
    def __init__(
        self,
        file: BinaryIO,
        *,
        size: int | None = None,
        filename: str | None = None,
        headers: Headers | None = None,
    ) -> None: ...

    @overload
    def __init__(self, filename: str, file: BinaryIO | None = None, content_type: str = "") -> None: ...

    @made_by_name
    def __init__(
        self,
        file: BinaryIO,
        *,
        size: int | None = None,
        filename: str | None = None,
        headers: Headers | None = None,
    ) -> None:
        self.file = file
        self.size = size
        self.filename = filename
        self.headers = headers or Headers()

    @property
    def content_type(self) -> str | None:
        """What the client says the file is, such as `"image/png"`; None if it says nothing."""
        return self.headers.get("content-type")

    async def write(self, data: bytes) -> None:
        """Write at the current position; `size` grows by the length of `data`, wherever that is."""
        length = len(data)
        if self.size is not None:
            self.size += length
        if self._stays_in_memory(length):
            self.file.write(data)
        else:
            await public.run_in_threadpool(self.file.write, data)

    async def read(self, size: int = -1) -> bytes:
        """Read `size` bytes from the current position; all that is left by default."""
        if self._stays_in_memory(0):
            return self.file.read(size)
        return await public.run_in_threadpool(self.file.read, size)

    async def seek(self, offset: int) -> None:
        """Go to a position, in bytes from the beginning."""
        if self._stays_in_memory(0):
            self.file.seek(offset)
        else:
            await public.run_in_threadpool(self.file.seek, offset)

    async def close(self) -> None:
        """Close the file, also when the task is being cancelled. It may be closed already."""
        if self._stays_in_memory(0):
            self.file.close()
        else:
            with anyio.CancelScope(shield=True):
                await public.run_in_threadpool(self.file.close)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(filename={self.filename!r}, size={self.size!r}, headers={self.headers!r})"

    def _stays_in_memory(self, growth: int) -> bool:
        """Tell whether this is a spooled file in memory that writing so many more bytes does not move to the disk."""
        file = self.file
        # tempfile has no public name for either. Of other files it is unknown whether they block.
        if getattr(file, "_rolled", True):
            return False
        limit: int = getattr(file, "_max_size", 0)
        return not growth or not limit or file.tell() + growth <= limit


class FormData(ImmutableMultiDict[str, UploadFile | str]):
    """The fields and files of a form, in order."""

    if TYPE_CHECKING:

        def __init__(
            self,
            *args: FormData | Mapping[str, str | UploadFile] | Iterable[tuple[str, str | UploadFile]] | None,
            **kwargs: str | UploadFile,
        ) -> None: ...

    async def close(self) -> None:
        """Close all files. Each is closed even if another cannot be; then the first error is raised."""
        error: Exception | None = None
        for _, value in self._list:
            if isinstance(value, UploadFile):
                try:
                    await value.close()
                except Exception as exc:
                    error = error or exc
        if error is not None:
            raise error
