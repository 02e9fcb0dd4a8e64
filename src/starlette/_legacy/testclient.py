"""The methods of the test client that are named after HTTP's, as earlier releases had them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any


def _verb(method: str) -> Callable[..., Any]:
    def send(self: Any, url: Any, **options: Any) -> Any:
        return self.request(method, url, **options)

    send.__name__ = method.lower()
    send.__qualname__ = f"EarlierVerbs.{method.lower()}"
    send.__doc__ = f"Send a {method} request; the options are those of `request`."
    return send


class EarlierVerbs:
    """All of them take what `request` takes: a body also with GET and DELETE, and `allow_redirects`."""

    if TYPE_CHECKING:
        pass  # those of the HTTP library count
    else:
        get = _verb("GET")
        options = _verb("OPTIONS")
        head = _verb("HEAD")
        post = _verb("POST")
        put = _verb("PUT")
        patch = _verb("PATCH")
        delete = _verb("DELETE")
