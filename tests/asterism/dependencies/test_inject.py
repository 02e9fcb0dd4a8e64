"""What plain endpoints get: values, once per request, from functions, classes and what these ask for."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from typing_extensions import TypeAliasType

from asterism.dependencies import DependencyError, Depends, inject
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket
from tests.asgi import body, call, http_scope

COUNTS: list[str] = []


def get(function: Callable[..., Any], path: str = "/") -> str:
    """Ask an injected endpoint and return its text."""
    app = Starlette(routes=[Route("/", inject(function))])
    response = TestClient(app).get(path)
    assert response.status_code == 200
    return response.text


async def number() -> int:
    COUNTS.append("number")
    return 7


def doubled(value: Annotated[int, Depends(number)]) -> int:
    return value * 2


async def search(request: Request) -> str:
    return request.query_params.get("q", "")


class Pager:
    """A class as a provider."""

    def __init__(self, connection: HTTPConnection, /, size: int = 20) -> None:
        self.text = f"{connection.query_params.get('page')} of {size}"


class Adder:
    """An object as a provider."""

    async def __call__(self, value: Annotated[int, Depends(number)]) -> int:
        return value + 1


def scaled(factor: int, value: Annotated[int, Depends(number)]) -> int:
    return factor * value


def test_values_come_from_functions_and_from_what_these_ask_for() -> None:
    async def show(
        request: Request, one: Annotated[int, Depends(number)], two: Annotated[int, Depends(doubled)]
    ) -> Response:
        return PlainTextResponse(f"{request.method} {one} {two}")

    COUNTS.clear()
    assert get(show) == "GET 7 14"
    assert COUNTS == ["number"], "one value a request"


def test_a_value_that_is_not_cached_is_made_for_each_who_asks() -> None:
    async def show(
        one: Annotated[int, Depends(number, cache=False)], two: Annotated[int, Depends(number, cache=False)]
    ) -> Response:
        return PlainTextResponse(str(one + two))

    COUNTS.clear()
    assert get(show) == "14"
    assert COUNTS == ["number", "number"]


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        pytest.param(search, "x", id="of-the-request"),
        pytest.param(Adder(), "8", id="an-object"),
        pytest.param(functools.partial(scaled, 3), "21", id="a-partial"),
        pytest.param(functools.partial(functools.partial(scaled, 3), value=4), "12", id="a-partial-of-it-with-all"),
        pytest.param(lambda: "lambda", "lambda", id="a-lambda"),
        pytest.param(dict, "{}", id="a-class-written-in-C"),
    ],
)
def test_providers_of_every_kind(provider: Any, expected: str) -> None:
    async def show(value: Annotated[Any, Depends(provider)]) -> Response:
        return PlainTextResponse(str(value))

    # Under `from __future__ import annotations` a local name cannot be found, so it is given here.
    show.__annotations__["value"] = Annotated[Any, Depends(provider)]
    show.__annotations__["return"] = Response
    assert get(show, "/?q=x") == expected


Alias = TypeAliasType("Alias", Annotated[int, Depends(number)])


def test_an_alias_stands_for_what_it_names() -> None:
    async def show(value: Alias) -> Response:
        return PlainTextResponse(str(value))

    assert get(show) == "7"


def test_mistakes_of_partials_name_the_function() -> None:
    def show(size: int, factor: int) -> None: ...

    with pytest.raises(DependencyError, match=r"size: int.* \(.*show\)"):
        inject(functools.partial(show, factor=1))


def test_the_annotated_class_is_its_own_provider() -> None:
    async def show(pager: Annotated[Pager, Depends()]) -> Response:
        return PlainTextResponse(pager.text)

    assert get(show, "/?page=3") == "3 of 20"


def test_the_mark_of_a_class_needs_no_parentheses() -> None:
    async def show(pager: Annotated[Pager, Depends]) -> Response:
        return PlainTextResponse(pager.text)

    assert get(show, "/?page=3") == "3 of 20"


def test_the_request_needs_no_annotation_as_in_plain_endpoints() -> None:
    async def show(request, value: Annotated[int, Depends(number)] = 0):  # type: ignore[no-untyped-def]
        return PlainTextResponse(f"{request.url.path} {value}")

    assert get(show) == "/ 7"


def test_blocking_code_runs_in_a_worker_thread_unless_told_otherwise() -> None:
    main = threading.get_ident

    async def show(
        here: Annotated[int, Depends(main, thread=False)],
        there: Annotated[int, Depends(threading.get_native_id)],
    ) -> Response:
        return PlainTextResponse(f"{here == threading.get_ident()} {there == threading.get_native_id()}")

    show.__annotations__["here"] = Annotated[int, Depends(main, thread=False)]
    assert get(show) == "True False"


def test_a_blocking_endpoint_runs_in_a_worker_thread() -> None:
    def show(request: Request, value: Annotated[int, Depends(number)]) -> Response:
        return PlainTextResponse(f"{value} {threading.current_thread() is threading.main_thread()}")

    assert get(show) == "7 False"


def test_an_endpoint_keeps_its_name_and_documentation() -> None:
    @inject
    async def show(request: Request) -> Response:
        """Show it."""
        return PlainTextResponse("")

    assert (show.__name__, show.__doc__, show.__module__) == ("show", "Show it.", __name__)
    assert Route("/", show).name == "show"


def test_optional_parameters_that_nothing_provides_keep_their_defaults() -> None:
    async def show(request: Request, title: str = "default", *args: int, **kwargs: int) -> Response:
        return PlainTextResponse(title)

    assert get(show) == "default"


def test_a_websocket_endpoint_gets_its_dependencies() -> None:
    async def page(connection: HTTPConnection) -> str:
        return connection.query_params["page"]

    page.__annotations__["connection"] = HTTPConnection[Any]

    async def talk(websocket: WebSocket, page: Any) -> None:
        await websocket.accept()
        await websocket.send_text(page)
        await websocket.close()

    talk.__annotations__["page"] = Annotated[str, Depends(page)]
    app = Starlette(routes=[WebSocketRoute("/", inject(talk))])
    with TestClient(app).websocket_connect("/?page=4") as session:
        assert session.receive_text() == "4"


@pytest.mark.anyio
async def test_concurrent_requests_have_values_of_their_own() -> None:
    import anyio

    async def show(request: Request, query: Annotated[str, Depends(search)]) -> Response:
        await anyio.lowlevel.checkpoint()
        return PlainTextResponse(query)

    app = Starlette(routes=[Route("/", inject(show))])
    found: dict[str, bytes] = {}

    async def ask(text: str) -> None:
        found[text] = (await call(app, http_scope(query_string=b"q=" + text.encode()), body())).body

    async with anyio.create_task_group() as group:
        for text in "abcdefgh":
            group.start_soon(ask, text)
    assert found == {text: text.encode() for text in "abcdefgh"}
