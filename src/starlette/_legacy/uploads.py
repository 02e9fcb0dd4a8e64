"""Uploaded files made by name, as earlier releases made them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

_SPOOL_SIZE: Final = 1024 * 1024  # bytes that stay in memory


def made_by_name(init: Callable[..., None]) -> Any:
    """Let a constructor `(file, *, filename, headers, ...)` be called as `(filename, file=None, content_type="")` too.

    A name that comes first, a `content_type`, or a missing file tell the earlier form.
    """

    @functools.wraps(init)
    def __init__(self: Any, *arguments: Any, **options: Any) -> None:
        first = arguments[0] if arguments else options.get("file")
        if type(first) is str or first is None or "content_type" in options:
            _init_by_name(init, self, *arguments, **options)
        else:
            init(self, *arguments, **options)

    return __init__


def _init_by_name(
    init: Callable[..., None], self: Any, /, filename: str, file: Any = None, content_type: str = ""
) -> None:
    from starlette.datastructures import Headers  # late: made of this

    if file is None:
        import tempfile

        file = tempfile.SpooledTemporaryFile(max_size=_SPOOL_SIZE)  # noqa: SIM115  # whoever has the upload closes it
    init(self, file, filename=filename, headers=Headers({"content-type": content_type} if content_type else None))
