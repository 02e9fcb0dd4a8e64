"""`TemplateResponse` as it was called before Starlette 1.0: the name first, the request in the context."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])

_NAMES: Final = ("name", "context", "status_code", "headers", "media_type", "background")


def older_calls_too(template_response: F) -> F:
    """Let a method `TemplateResponse(self, request, name, ...)` take the older calls as well.

    These begin with the name, or give `name` and `context` as keywords. Type checkers want today's form.
    """

    @functools.wraps(template_response)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if args:
            if not isinstance(args[0], str):
                return template_response(self, *args, **kwargs)
        elif "request" in kwargs or "name" not in kwargs:
            return template_response(self, **kwargs)
        given = dict(zip(_NAMES, args, strict=False))
        if given.keys() & kwargs.keys() or len(args) > len(_NAMES):
            raise TypeError(f"TemplateResponse() takes each of {', '.join(_NAMES)} once, in this order")
        given |= kwargs
        context = given.get("context") or {}
        if "request" not in context:
            raise ValueError('context must include a "request" key')
        return template_response(self, context["request"], **given)

    return cast(F, call)
