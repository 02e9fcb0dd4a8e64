"""Exceptions that only unwind the application; nothing is wrong, and no error layer is to act on them."""

from __future__ import annotations


class ResponseSent(Exception):
    """The complete response has been sent on behalf of the application, which has nothing left to do.

    Raised out of `send()` to end the application, and swallowed by the layer that answered.
    """


def is_only(exc: BaseException, kinds: tuple[type[Exception], ...]) -> bool:
    """Tell whether `exc` is of these kinds, or a group, however nested, of nothing else."""
    if isinstance(exc, BaseExceptionGroup):
        return all(is_only(inner, kinds) for inner in exc.exceptions)
    return isinstance(exc, kinds)
