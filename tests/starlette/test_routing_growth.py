"""What routing costs: time linear in the path and flat in the table, memory linear in the table (threats T13, T14)."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Host, Mount, Route, Router
from tests.asgi import Record, call, http_scope
from tests.growth import per_doubling

pytestmark = pytest.mark.anyio


async def page(request: Request) -> Response:
    return PlainTextResponse("page")


def table(size: int) -> list[BaseRoute]:
    """A table such as an application of many resources has."""
    kinds: list[Callable[[int], BaseRoute]] = [
        lambda at: Route(f"/static{at}/list", page),
        lambda at: Route(f"/things{at}/{{id:int}}", page),
        lambda at: Route(f"/files{at}/{{name}}.json", page),
        lambda at: Mount(f"/mounted{at}", routes=[Route("/{rest:path}", page)]),
    ]
    return [kinds[at % len(kinds)](at) for at in range(size)]


def run(app: Any, path: str) -> None:
    coroutine = app(http_scope(path), None, Record())
    with pytest.raises(StopIteration):
        coroutine.send(None)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(lambda n: "/" * n, id="slashes"),
        pytest.param(lambda n: "/" + "a" * n, id="one-segment"),
        pytest.param(lambda n: "/a" * (n // 2), id="segments"),
        pytest.param(lambda n: "/a-" + "-" * n, id="dashes"),
        pytest.param(lambda n: "/deep" + "/x" * (n // 2) + "/", id="below-a-mount"),
        pytest.param(lambda n: "/n/" + "9" * n, id="digits"),
        pytest.param(lambda n: "/p/" + "\n" * n, id="line-breaks"),
        pytest.param(lambda n: "/p/" + "\udcff" * n, id="octets-that-are-no-text"),
    ],
)
def test_time_is_linear_in_the_path(path: Callable[[int], str]) -> None:  # T14
    routes = [
        Route("/{year}-{month}-{day}", page),
        Route("/n/{x:int}", page),
        Route("/p/{a:path}/x/{b:path}/y", page),
        Mount("/deep", routes=[Route("/x/{rest:path}", page), Route("/{a}/{b}/{c}", page)]),
    ]
    app = Starlette(routes=routes)
    run(app, "/")
    assert per_doubling(lambda n: run(app, path(n)), 20_000) < 3


@pytest.mark.parametrize("path", ["/static{}/list", "/things{}/5", "/files{}/a.json", "/mounted{}/a/b", "/none{}"])
async def test_a_look_up_asks_no_more_routes_in_a_larger_table(path: str) -> None:
    for size in (100, 1000):
        router = Router(table(size))
        for _ in range(2):
            await call(router, http_scope("/"))
        index = router.__dict__["_asterism_table"].index
        for at in range(0, size, 7):
            # One route at most is looked at, whatever the size of the table.
            assert len(index.candidates(path.format(at))) <= 1


def test_memory_is_linear_in_the_table() -> None:
    def memory(size: int) -> int:
        router = Router(table(size))
        tracemalloc.start()
        run(router, "/none")
        run(router, "/none")
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert router.__dict__["_asterism_table"].index is not None
        return taken

    memory(10)
    assert memory(2000) < 2.5 * memory(1000)


def test_nothing_is_kept_for_a_path_or_a_method() -> None:  # threats R09.3
    app = Starlette(routes=[*table(50), Host("{any}.org", Router(table(50)))])
    run(app, "/none")

    def serve(name: str) -> None:
        for at in range(500):
            run(app, f"/{name}{at}/{'x' * 100}")

    serve("first")
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    serve("second")
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 20_000


def test_a_route_of_very_many_segments_meets_no_recursion_limit() -> None:
    deep = "/" + "/".join(f"{{p{at}}}" for at in range(90)) + "/x" * 5000
    router = Router([Route(deep, page), Mount("/m" * 3000, routes=[Route("/", page)])])
    for _ in range(3):
        run(router, "/" + "/".join("a" * 1 for _ in range(90)) + "/x" * 5000)
        run(router, "/m" * 3000 + "/")
        run(router, "/x" * 20_000)
