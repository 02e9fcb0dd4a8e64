"""`starlette.middleware.Middleware` (applications R37-R40)."""

from __future__ import annotations

import functools
from typing import Any

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send


class Custom:
    def __init__(self, app: ASGIApp, foo: str, *, bar: int) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


def test_a_descriptor_keeps_class_and_arguments() -> None:  # applications R37
    described: Any = Middleware(Custom, "foo", bar=123)
    assert (described.cls, described.args, described.kwargs) == (Custom, ("foo",), {"bar": 123})
    by_name: Any = Middleware(cls=Custom, foo="x", bar=1)
    assert (by_name.cls, by_name.args, by_name.kwargs) == (Custom, (), {"foo": "x", "bar": 1})


def test_a_descriptor_unpacks_into_three() -> None:  # applications R38
    cls, args, kwargs = Middleware(Custom, "foo", bar=123)
    assert (cls, args, kwargs) == (Custom, ("foo",), {"bar": 123})


def test_the_representation_reads_like_the_call() -> None:  # applications R39
    assert repr(Middleware(Custom, "foo", bar=123)) == "Middleware(Custom, 'foo', bar=123)"
    assert repr(Middleware(functools.partial(Custom), "a", bar=1)) == "Middleware(, 'a', bar=1)"

    class Ours(Middleware):
        pass

    def factory(app: ASGIApp) -> ASGIApp:
        return app

    assert repr(Ours(factory)) == "Ours(factory)"


def test_descriptors_compare_by_identity() -> None:  # applications R40
    one = Middleware(Custom, "foo", bar=1)
    assert one == one
    assert one != Middleware(Custom, "foo", bar=1)
    assert len({one, one}) == 1
