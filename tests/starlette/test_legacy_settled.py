"""Where earlier releases and today's cannot both be had: what holds here, so that nobody changes it unawares."""

from __future__ import annotations

import importlib
import inspect
import warnings
from pathlib import Path
from typing import Any, get_origin

import jinja2
import pytest

import starlette.datastructures
import starlette.routing
import starlette.websockets
from starlette.applications import Starlette
from starlette.datastructures import URL
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.templating import Jinja2Templates
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect
from tests.asgi import call, http_scope


def test_a_middleware_has_three_parts_and_no_switch() -> None:
    # legacy R12: `options` and `enabled` were the second and third parameter in one release only.
    assert list(Middleware(GZipMiddleware, 100, compresslevel=5)) == [GZipMiddleware, (100,), {"compresslevel": 5}]
    untyped: Any = Middleware
    assert list(untyped(GZipMiddleware, enabled=False)) == [GZipMiddleware, (), {"enabled": False}]


def test_an_application_has_no_schema_of_its_own() -> None:
    # legacy R37: gone before the releases whose programs are to run.
    assert not hasattr(Starlette(), "schema")
    assert not hasattr(Starlette(), "schema_generator")


@pytest.mark.parametrize("by_name", [False, True], ids=["positions", "keywords"])
def test_the_earlier_order_of_a_template_response_does_not_warn(by_name: bool) -> None:
    # legacy R41: the texts are of releases that were about to remove it; here it stays.
    templates: Any = Jinja2Templates(env=jinja2.Environment(loader=jinja2.DictLoader({"a": "{{ b }}"})))
    context = {"request": Request(http_scope()), "b": "text"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if by_name:
            response = templates.TemplateResponse(name="a", context=context)
        else:
            response = templates.TemplateResponse("a", context)
        assert response.body == b"text"
        with pytest.raises(ValueError, match='context must include a "request" key'):
            templates.TemplateResponse(name="a", context={})


@pytest.mark.anyio
async def test_a_file_of_unknown_type_is_a_stream_of_octets(tmp_path: Path) -> None:
    # legacy R47
    path = tmp_path / "file.unknown"
    path.write_bytes(b"x" * 100_000)
    sent = await call(FileResponse(path))
    assert sent.header("content-type") == "application/octet-stream"
    assert FileResponse.chunk_size == 65_536
    assert len(sent.body) == 100_000


def test_the_url_of_a_route_is_a_url_that_equals_its_text() -> None:
    # legacy R53
    seen: list[Any] = []

    async def page(request: Request) -> Response:
        seen.append(request.url_for("page"))
        return PlainTextResponse(str(seen[0]))

    assert TestClient(Starlette(routes=[Route("/", page)])).get("/").text == "http://testserver/"
    assert isinstance(seen[0], URL)
    assert not isinstance(seen[0], str)
    assert seen[0] == "http://testserver/"


def test_the_lifespan_of_a_router_is_a_coroutine_method() -> None:
    # legacy R54: it was an object with handlers, and `Lifespan` a kind of route.
    assert inspect.iscoroutinefunction(Router().lifespan)
    assert get_origin(starlette.routing.Lifespan) is not None
    assert not isinstance(starlette.routing.Lifespan, type)


# -- the test client: it stood on another library ----------------------------------------------------------------------


class Recorder:
    """An application that keeps each scope and the first message of its body."""

    def __init__(self) -> None:
        self.seen: list[tuple[Scope, Any]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append((scope, await receive()))
        await PlainTextResponse("text")(scope, receive, send)


def test_the_first_parameters_of_a_client_are_where_they_were() -> None:
    # legacy R55
    app = Recorder()
    client = TestClient(app, "http://example.org", False, "/root")
    response = client.get("/path")
    ((scope, _),) = app.seen
    assert (scope["root_path"], scope["server"], client.app) == ("/root", ["example.org", 80], app)
    assert (response.is_success, str(response.url)) == (True, "http://example.org/path")
    assert b"".join(response.iter_bytes()) == b"text"


def test_the_path_of_the_base_url_stays() -> None:
    # legacy R57
    app = Recorder()
    TestClient(app, "http://testserver/api/v1/").get("/bar")
    assert app.seen[0][0]["path"] == "/api/v1/bar"


def test_a_body_of_chunks_is_one_message() -> None:
    # legacy R58
    app = Recorder()
    TestClient(app).post("/", content=iter([b"one", b"two"]))
    assert app.seen[0][1] == {"type": "http.request", "body": b"onetwo"}


def test_the_client_is_a_tuple_and_newer_keys_are_there() -> None:
    # legacy R59
    app = Recorder()
    with TestClient(Router(default=app)) as client:
        client.get("/a%20b")
    scope = app.seen[0][0]
    assert scope["client"] == ("testclient", 50000)
    assert (scope["raw_path"], scope["state"]) == (b"/a%20b", {})
    assert "http.response.trailers" in scope["extensions"]


async def echo_once(scope: Scope, receive: Receive, send: Send) -> None:
    websocket = starlette.websockets.WebSocket(scope, receive, send)
    await websocket.accept()
    await websocket.send_json(await websocket.receive_json())
    message = await websocket.receive()
    await websocket.close(message["code"])


def test_a_websocket_session_is_entered_and_closed_as_today() -> None:
    # legacy R60: it began without `with` in the oldest releases, where nothing ended it.
    session = TestClient(echo_once).websocket_connect("/")
    assert session.accepted_subprotocol is None
    with session:
        session.send_json({"a": 1}, "text")
        assert session.receive_json("text") == {"a": 1}
        session.close(1000)
        with pytest.raises(WebSocketDisconnect) as caught:
            session.receive_text()
    assert caught.value.code == 1000
    assert not hasattr(starlette.websockets, "Disconnect")


def test_databases_are_left_to_packages_for_them() -> None:
    # legacy R62: its import failed in the first release whose programs are to run.
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("starlette.middleware.database")
    assert not hasattr(starlette.datastructures, "DatabaseURL")
    assert not hasattr(Request, "database")
