"""Names and forms of calls that earlier releases had."""

from __future__ import annotations

import functools
import inspect
import io
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import starlette.exceptions
from starlette import status
from starlette.applications import Starlette
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartParser
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, UJSONResponse
from starlette.routing import Router, iscoroutinefunction_or_partial
from starlette.testclient import TestClient


async def coroutine_function() -> None:
    raise NotImplementedError


def function() -> None:
    raise NotImplementedError


class AsyncCall:
    async def __call__(self) -> None:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        pytest.param(coroutine_function, True, id="coroutine-function"),
        pytest.param(functools.partial(functools.partial(coroutine_function)), True, id="partial-of-a-partial"),
        pytest.param(function, False, id="function"),
        pytest.param(functools.partial(function), False, id="partial-of-a-function"),
        pytest.param(AsyncCall(), False, id="object-with-an-async-call"),
    ],
)
def test_iscoroutinefunction_or_partial(obj: Any, expected: bool) -> None:
    # legacy R48
    assert iscoroutinefunction_or_partial(obj) is expected


def test_exception_middleware_is_found_where_it_was() -> None:
    # legacy R49
    from starlette.exceptions import ExceptionMiddleware as Earlier

    assert Earlier is ExceptionMiddleware
    assert "ExceptionMiddleware" in dir(starlette.exceptions)
    assert "HTTPException" in dir(starlette.exceptions)


def test_close_codes_by_their_earlier_names() -> None:
    # legacy R50
    assert (status.WS_1004_NO_STATUS_RCVD, status.WS_1005_ABNORMAL_CLOSURE) == (1004, 1005)


# A star import of what upstream deprecates must not warn, hence `-W error`.
NO_WARNING = """
from starlette.applications import *
from starlette.exceptions import *
from starlette.exceptions import ExceptionMiddleware
from starlette.routing import *
from starlette.status import *
from starlette.status import WS_1004_NO_STATUS_RCVD, WS_1005_ABNORMAL_CLOSURE
app = Starlette(on_startup=[print], on_shutdown=[print])
app.on_event("startup")(print)
app.route("/")(print)
app.websocket_route("/")(print)
app.middleware("http")(print)
app.exception_handler(404)(print)
Router(on_startup=[print]).route("/")(print)
"""


def test_nothing_warns() -> None:
    # legacy R7, R10, R15, R24
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", NO_WARNING], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_constructors_take_handlers_by_keyword_only() -> None:
    # legacy R17: the positions are those of today.
    for kind in (Starlette, Router):
        parameters = inspect.signature(kind).parameters
        assert parameters["on_startup"].kind is parameters["on_shutdown"].kind is inspect.Parameter.KEYWORD_ONLY


def test_wsgi_middleware_takes_a_number_of_workers() -> None:
    # legacy R51
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the module is deprecated
        from starlette.middleware.wsgi import WSGIMiddleware
    assert WSGIMiddleware(print, workers=3).app is print


def test_ujson_response() -> None:
    # legacy R26
    pytest.importorskip("ujson")
    response = UJSONResponse({"a": "é/b"})
    assert response.body == b'{"a":"\xc3\xa9\\/b"}'
    assert response.headers["content-type"] == "application/json"
    assert UJSONResponse().body == b"null"
    assert isinstance(response, JSONResponse)


def test_ujson_response_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    # legacy R27
    monkeypatch.setitem(sys.modules, "ujson", None)
    with pytest.raises(AssertionError) as caught:
        UJSONResponse({})
    assert str(caught.value) == "ujson must be installed to use UJSONResponse"


# -- uploads: legacy R52 -----------------------------------------------------------------------------------------------

CONTENT = io.BytesIO(b"content")


@pytest.mark.parametrize(
    ("make", "name", "kind", "file"),
    [
        pytest.param(lambda: UploadFile("a.txt"), "a.txt", None, None, id="name"),
        pytest.param(lambda: UploadFile("a.txt", None, "text/plain"), "a.txt", "text/plain", None, id="by-position"),
        pytest.param(lambda: UploadFile("a.txt", CONTENT, ""), "a.txt", None, CONTENT, id="with-a-file"),
        pytest.param(lambda: UploadFile("a.txt", file=CONTENT), "a.txt", None, CONTENT, id="file-by-keyword"),
        pytest.param(lambda: UploadFile(filename="a.txt"), "a.txt", None, None, id="name-by-keyword"),
        pytest.param(
            lambda: UploadFile(filename="a.txt", file=CONTENT, content_type="a/b"),
            "a.txt",
            "a/b",
            CONTENT,
            id="keywords",
        ),
        pytest.param(lambda: UploadFile(CONTENT), None, None, CONTENT, id="today"),
        pytest.param(lambda: UploadFile(file=CONTENT, filename="a.txt"), "a.txt", None, CONTENT, id="today-by-keyword"),
        pytest.param(
            lambda: UploadFile(CONTENT, headers=Headers({"content-type": "a/b"})),
            None,
            "a/b",
            CONTENT,
            id="today-headers",
        ),
    ],
)
@pytest.mark.anyio
async def test_uploads_by_name(
    make: Callable[[], UploadFile], name: str | None, kind: str | None, file: io.BytesIO | None
) -> None:
    upload = make()
    assert (upload.filename, upload.content_type) == (name, kind)
    if file is None:
        await upload.write(b"written")
        await upload.seek(0)
        assert await upload.read() == b"written"
        await upload.close()
    else:
        assert upload.file is file


def test_uploads_need_something() -> None:
    untyped: Any = UploadFile
    with pytest.raises(TypeError):
        untyped()
    with pytest.raises(TypeError):
        untyped("a.txt", CONTENT, "a/b", "more")
    assert list(inspect.signature(UploadFile).parameters) == ["file", "size", "filename", "headers"]


@pytest.mark.parametrize(("limit", "rolled"), [(None, False), (1024, True), (0, False)])
@pytest.mark.anyio
async def test_the_size_kept_in_memory_by_its_earlier_name(
    limit: int | None, rolled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # legacy, removal table
    monkeypatch.setattr(MultiPartParser, "max_file_size", limit)

    async def upload(request: Request) -> Response:
        async with request.form() as form:
            file = form["file"]
            assert isinstance(file, UploadFile)
            return JSONResponse(getattr(file.file, "_rolled", None))

    app = Starlette()
    app.add_route("/", upload, methods=["POST"])
    assert TestClient(app).post("/", files={"file": b"x" * 4096}).json() is rolled


# -- test client: legacy R56, R61 --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "options", "head", "post", "put", "patch", "delete"])
def test_allow_redirects(method: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        response = PlainTextResponse("there") if scope["path"] == "/there" else RedirectResponse("/there")
        await response(scope, receive, send)

    send = getattr(TestClient(app), method)
    assert send("/", allow_redirects=False).status_code == 307
    assert send("/", allow_redirects=True).status_code == 200
    assert send("/", allow_redirects=True, follow_redirects=False).status_code == 307
    assert TestClient(app).request(method.upper(), "/", allow_redirects=False).status_code == 307
    assert send.__name__ == method


@pytest.mark.parametrize("method", ["get", "options", "delete"])
def test_bodies_in_methods_that_seldom_have_one(method: str) -> None:
    app = Starlette()

    @app.route("/", methods=[method])
    async def echo(request: Request) -> Response:
        return JSONResponse(await request.json())

    assert getattr(TestClient(app), method)("/", json={"a": 1}).json() == {"a": 1}
