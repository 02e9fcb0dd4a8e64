"""The exceptions that stand for an answer, and the category of this package's deprecation warnings."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

# PERF: by plain integers, as the members of an enumeration compare ten times slower.
_PHRASES: Final = {int(status): status.phrase for status in HTTPStatus}


class HTTPException(Exception):
    """End the request with an HTTP error response.

    Args:
        status_code: The status to answer with.
        detail: What the default handler puts in the body; None stands for the standard phrase of the status.
        headers: Fields to add to the response: `{"WWW-Authenticate": "Basic"}`.
    """

    def __init__(self, status_code: int, detail: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        # COMPAT: `args` stay what the caller passed by position, so `super().__init__` is not called.
        self.status_code = status_code
        self.detail: Any = _PHRASES.get(status_code, "") if detail is None else detail
        self.headers = headers

    def __str__(self) -> str:
        return f"{self.status_code}: {self.detail}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(status_code={self.status_code!r}, detail={self.detail!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Keyword arguments are not in `args`; without this the copy would be made with too few.
        return _restore, (type(self), self.args, self.__dict__)


class WebSocketException(Exception):
    """Close the WebSocket with a code and a reason (RFC 6455 §7.4).

    Args:
        code: The close code, 1000 to 4999.
        reason: Text for the close frame; None means empty.
    """

    def __init__(self, code: int, reason: str | None = None) -> None:
        self.code = code
        self.reason = reason or ""

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(code={self.code!r}, reason={self.reason!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, self.__dict__)


class StarletteDeprecationWarning(UserWarning):
    """The category of all deprecations here; a `UserWarning`, so Python shows it by default."""


if TYPE_CHECKING:
    from starlette.middleware.exceptions import ExceptionMiddleware as ExceptionMiddleware
else:

    def __getattr__(name: str) -> Any:
        if name != "ExceptionMiddleware":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        # COMPAT: where the class stood in earlier releases.
        from starlette.middleware.exceptions import ExceptionMiddleware

        return ExceptionMiddleware

    def __dir__() -> list[str]:
        return sorted([*globals(), "ExceptionMiddleware"])


def _restore(kind: type[Exception], args: tuple[Any, ...], attributes: dict[str, Any]) -> Exception:
    """Rebuild an exception for pickle and copy without running its constructor."""
    exception = kind.__new__(kind, *args)
    exception.__dict__.update(attributes)
    return exception
