"""What is told of an error: to the client nothing, unless debugging; to the server's log everything (threats T19)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from starlette.applications import Starlette
from starlette.config import Config, Environ
from starlette.datastructures import URL, Secret
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message
from tests.asgi import Record, body, http_scope

SECRET = "hunter2-5b1f"


class Passing(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        return response


def in_the_exception(settings: Config, request: Request) -> None:
    raise RuntimeError(f"cannot log in with {settings('PASSWORD')}")


def in_the_cause(settings: Config, request: Request) -> None:
    try:
        int(settings("PASSWORD"))
    except ValueError as exc:
        raise RuntimeError("cannot log in") from exc


def in_a_group(settings: Config, request: Request) -> None:
    raise ExceptionGroup("several", [RuntimeError(settings("PASSWORD"))])


def in_a_note(settings: Config, request: Request) -> None:
    exc = RuntimeError("cannot log in")
    exc.add_note(settings("PASSWORD"))
    raise exc


def in_a_local_variable(settings: Config, request: Request) -> None:
    password = settings("PASSWORD")
    raise RuntimeError(f"cannot log in with {len(password)} characters")


def in_a_header(settings: Config, request: Request) -> None:
    raise RuntimeError(request.headers["authorization"])


def in_a_cast(settings: Config, request: Request) -> None:
    settings("PASSWORD", cast=int)


def in_the_session(settings: Config, request: Request) -> None:
    request.session["token"] = {settings("PASSWORD")}  # a set, which JSON cannot hold


FAILURES: list[Callable[[Config, Request], None]] = [
    in_the_exception,
    in_the_cause,
    in_a_group,
    in_a_note,
    in_a_local_variable,
    in_a_header,
    in_a_cast,
    in_the_session,
]


def application(failure: Callable[[Config, Request], None], **options: Any) -> Starlette:
    settings = Config(environ=Environ({"PASSWORD": SECRET}))

    async def endpoint(request: Request) -> Response:
        failure(settings, request)
        return PlainTextResponse("done")

    stack = [Middleware(Passing), Middleware(SessionMiddleware, secret_key=SECRET), Middleware(GZipMiddleware)]
    return Starlette(routes=[Route("/", endpoint)], middleware=stack, **options)


async def failing(app: Starlette, accept: bytes) -> list[Message]:
    """Return what is sent for a request that fails, which is raised to the server besides."""
    sent = Record()
    headers = [(b"accept", accept), (b"authorization", SECRET.encode()), (b"cookie", f"c={SECRET}".encode())]
    scope = http_scope(headers=headers, query_string=f"q={SECRET}".encode())
    with pytest.raises((Exception, ExceptionGroup)):
        await app(scope, body(), sent)
    return sent.messages


@pytest.mark.anyio
@pytest.mark.parametrize("accept", [b"text/html", b"application/json", b"*/*"])
@pytest.mark.parametrize("failure", FAILURES)
async def test_no_secret_reaches_a_500(  # T19
    failure: Callable[[Config, Request], None], accept: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD", SECRET)
    start, end = await failing(application(failure), accept)
    assert start == {
        "type": "http.response.start",
        "status": 500,
        "headers": [(b"content-length", b"21"), (b"content-type", b"text/plain; charset=utf-8")],
    }
    assert end["body"] == b"Internal Server Error"


@pytest.mark.anyio
@pytest.mark.parametrize("accept", [b"text/html", b"text/plain"])
async def test_the_debug_page_shows_source_and_message_but_no_values(accept: bytes) -> None:  # T19
    # What it shows: the exception's text, files, line numbers and source lines; as text, notes and causes as well.
    shown = (await failing(application(in_the_exception, debug=True), accept))[1]["body"].decode()
    assert "RuntimeError" in shown
    assert f"cannot log in with {SECRET}" in shown
    assert "raise RuntimeError(f" in shown
    # What it does not: values of variables, settings, headers, cookies, the query, the session, the environment.
    shown = (await failing(application(in_a_local_variable, debug=True), accept))[1]["body"].decode()
    assert "RuntimeError" in shown
    assert SECRET not in shown


@pytest.mark.anyio
async def test_a_secret_setting_stays_masked_on_the_debug_page() -> None:  # T19
    key = Secret(SECRET)
    database = URL(f"postgres://ada:{SECRET}@localhost/db")

    def told(settings: Config, request: Request) -> None:
        raise RuntimeError(f"cannot connect: {key!r} {database!r}")

    shown = (await failing(application(told, debug=True), b"text/html"))[1]["body"].decode()
    assert "cannot connect" in shown
    assert SECRET not in shown


@pytest.mark.anyio
@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    ("path", "method", "status"), [("/<b>absent</b>", "GET", 404), ("/%0d%0aabsent", "GET", 404), ("/", "<B>", 405)]
)
async def test_errors_are_plain_text_and_do_not_repeat_the_path(  # T19
    path: str, method: str, status: int, debug: bool
) -> None:
    sent = Record()
    await application(in_the_exception, debug=debug)(http_scope(path, method), body(), sent)
    assert sent.status == status
    assert sent.header("content-type") == "text/plain; charset=utf-8"
    assert sent.body in (b"Not Found", b"Method Not Allowed")


def test_a_file_of_settings_is_named_without_its_content(tmp_path: Path) -> None:  # T19
    (tmp_path / ".env").write_bytes(b"PASSWORD=\xff" + SECRET.encode())
    with pytest.raises(ValueError, match=r"\.env") as caught:
        Config(tmp_path / ".env", encoding="ascii")
    assert SECRET not in str(caught.value)
