"""`starlette.middleware.errors` and its debug page (exceptions section E, threats R04, T19)."""

from __future__ import annotations

import html
import inspect
import re
import sys
import threading
from typing import Any

import pytest

from starlette._asgi.signals import ResponseSent
from starlette._http import traceback_page
from starlette.background import BackgroundTask
from starlette.middleware import errors
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from tests.asgi import Record, Script, body, http_scope, websocket_scope


def failing(error: BaseException, *before: Message) -> ASGIApp:
    """Return an application that sends some messages and raises."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in before:
            await send(message)
        raise error

    return app


async def failed(
    app: ASGIApp, error: type[BaseException] = RuntimeError, **keys: Any
) -> tuple[Record, pytest.ExceptionInfo[BaseException]]:
    """Run an exchange that must end in `error`, and return what was sent."""
    sent = Record()
    with pytest.raises(error) as caught:
        await app(http_scope(**keys), body(), sent)
    return sent, caught


BOOM = "Something went wrong"


# --- the middleware


@pytest.mark.anyio
async def test_an_exception_is_a_500_and_raised() -> None:  # exceptions R36, threats T19, R04.1
    error = RuntimeError(BOOM)
    sent, caught = await failed(ServerErrorMiddleware(failing(error)))
    assert caught.value is error
    assert (sent.status, sent.body) == (500, b"Internal Server Error")
    assert sent.header("content-type") == "text/plain; charset=utf-8"


@pytest.mark.anyio
async def test_what_works_passes_untouched() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse((await receive())["body"])(scope, receive, send)

    sent = Record()
    await ServerErrorMiddleware(app)(http_scope(), body(b"hello"), sent)
    assert (sent.status, sent.body) == (200, b"hello")


@pytest.mark.anyio
@pytest.mark.parametrize("scope", [websocket_scope(), {"type": "lifespan"}], ids=["websocket", "lifespan"])
async def test_other_scopes_pass(scope: dict[str, Any]) -> None:  # exceptions R35
    calls: list[Any] = []

    async def app(*connection: Any) -> None:
        calls.append(connection)

    receive, send = Script(), Record()
    await ServerErrorMiddleware(app, debug=True)(scope, receive, send)
    assert [tuple(map(id, call)) for call in calls] == [(id(scope), id(receive), id(send))]
    with pytest.raises(RuntimeError):
        await ServerErrorMiddleware(failing(RuntimeError(BOOM)), debug=True)(scope, receive, send)
    assert send.messages == []


@pytest.mark.anyio
async def test_base_exceptions_pass() -> None:  # exceptions R36, threats R04.1
    sent, _ = await failed(ServerErrorMiddleware(failing(KeyboardInterrupt())), KeyboardInterrupt)
    assert sent.messages == []


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_a_handler_makes_the_response(kind: str) -> None:  # exceptions R36
    seen: list[Any] = []

    def sync(request: Request, exc: Exception) -> Response:
        seen.extend([request.url.path, exc, threading.current_thread() is threading.main_thread()])
        return PlainTextResponse("sorry", 500)

    async def async_(request: Request, exc: Exception) -> Response:
        return sync(request, exc)

    error = RuntimeError(BOOM)
    sent, _ = await failed(ServerErrorMiddleware(failing(error), handler=sync if kind == "sync" else async_))
    assert sent.body == b"sorry"
    assert seen == ["/", error, kind == "async"]


@pytest.mark.anyio
@pytest.mark.parametrize("debug", [True, False])
async def test_nothing_is_sent_after_a_start_but_the_response_is_made(debug: bool) -> None:  # exceptions R36, R37
    # threats R04.2
    made: list[str] = []

    class Noting(ServerErrorMiddleware):
        def debug_response(self, request: Request, exc: Exception) -> Response:
            made.append("debug")
            return super().debug_response(request, exc)

    def handler(request: Request, exc: Exception) -> Response:
        made.append("handler")
        return Response()

    start: Message = {"type": "http.response.start", "status": 200, "headers": []}
    app = Noting(failing(RuntimeError(BOOM), start), handler=handler, debug=debug)
    sent, _ = await failed(app)
    assert sent.messages == [start]
    assert made == ["debug" if debug else "handler"]  # exceptions R40


@pytest.mark.anyio
async def test_a_failing_background_task_calls_the_handler() -> None:  # exceptions R34, threats R05
    made: list[str] = []

    def fail() -> None:
        raise RuntimeError(BOOM)

    def handler(request: Request, exc: Exception) -> Response:
        made.append(str(exc))
        return Response(status_code=500)

    app = ServerErrorMiddleware(PlainTextResponse("fine", background=BackgroundTask(fail)), handler=handler)
    sent, _ = await failed(app)
    assert (sent.status, sent.body, made) == (200, b"fine", [BOOM])


@pytest.mark.anyio
async def test_the_body_cannot_be_read_in_a_handler() -> None:  # exceptions R38
    async def handler(request: Request, exc: Exception) -> Response:
        return Response(await request.body())

    _, caught = await failed(ServerErrorMiddleware(failing(KeyError("x")), handler=handler))
    assert str(caught.value) == "Receive channel has not been made available"


@pytest.mark.anyio
async def test_a_handler_must_return_a_response() -> None:  # exceptions R39
    def handler(request: Request, exc: Exception) -> Any:
        return None

    sent, caught = await failed(ServerErrorMiddleware(failing(KeyError("x")), handler=handler), TypeError)
    assert str(caught.value) == "'NoneType' object is not callable"
    assert sent.messages == []


@pytest.mark.anyio
async def test_an_exception_of_the_handler_keeps_the_first_as_context() -> None:  # exceptions R39, threats R04.1
    error = KeyError("x")

    async def handler(request: Request, exc: Exception) -> Response:
        raise RuntimeError(BOOM)

    _, caught = await failed(ServerErrorMiddleware(failing(error), handler=handler))
    assert caught.value.__context__ is error


@pytest.mark.anyio
async def test_attributes_are_read_while_serving() -> None:  # private_names: app, handler, debug
    def handler(request: Request, exc: Exception) -> Response:
        return PlainTextResponse("replaced", 500)

    middleware = ServerErrorMiddleware(failing(ValueError("first")))
    assert (middleware.handler, middleware.debug) == (None, False)
    middleware.app = failing(RuntimeError(BOOM))
    middleware.handler = handler
    assert (await failed(middleware))[0].body == b"replaced"
    middleware.debug = True
    assert BOOM in (await failed(middleware))[0].body.decode()


@pytest.mark.anyio
async def test_replaced_methods_are_used(monkeypatch: pytest.MonkeyPatch) -> None:  # private_names: patch point
    def error_response(self: Any, request: Request, exc: Exception) -> Response:
        return PlainTextResponse("patched", 500)

    middleware = ServerErrorMiddleware(failing(RuntimeError(BOOM)))
    monkeypatch.setattr(ServerErrorMiddleware, "error_response", error_response)
    assert (await failed(middleware))[0].body == b"patched"


@pytest.mark.anyio
@pytest.mark.parametrize("started", [True, False])
async def test_the_answer_can_be_asked_for_alone(started: bool) -> None:
    sent = Record()
    middleware = ServerErrorMiddleware(failing(RuntimeError(BOOM)))
    await middleware._asterism_answer(RuntimeError(BOOM), http_scope(), body(), sent, started)
    assert sent.types == ([] if started else ["http.response.start", "http.response.body"])


@pytest.mark.anyio
async def test_the_end_of_an_answered_exchange_is_no_error() -> None:  # body_limit D1
    def handler(request: Request, exc: Exception) -> Response:
        raise AssertionError("no error to handle")

    sent, _ = await failed(ServerErrorMiddleware(failing(ResponseSent()), handler=handler), ResponseSent)
    assert sent.messages == []


# --- the debug responses


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        pytest.param("text/html", "text/html; charset=utf-8", id="R42-html"),
        pytest.param("a/b, text/html;q=0.1", "text/html; charset=utf-8", id="R42-anywhere"),
        pytest.param("Text/HTML", "text/html; charset=utf-8", id="D7-any-case"),
        pytest.param("*/*", "text/plain; charset=utf-8", id="R42-anything-is-plain"),
        pytest.param(None, "text/plain; charset=utf-8", id="R42-no-accept"),
    ],
)
async def test_the_debug_response_follows_accept(accept: str | None, media_type: str) -> None:
    headers = [] if accept is None else [(b"accept", accept.encode())]
    sent, _ = await failed(ServerErrorMiddleware(failing(RuntimeError(BOOM)), debug=True), headers=headers)
    assert sent.status == 500
    assert sent.header("content-type") == media_type
    assert f"RuntimeError: {BOOM}" in sent.body.decode()


@pytest.mark.anyio
async def test_the_debug_response_is_made_in_a_worker_thread() -> None:  # exceptions R42, threats R13
    threads: list[threading.Thread] = []

    class Noting(ServerErrorMiddleware):
        def debug_response(self, request: Request, exc: Exception) -> Response:
            threads.append(threading.current_thread())
            return super().debug_response(request, exc)

    await failed(Noting(failing(RuntimeError(BOOM)), debug=True))
    assert threading.main_thread() not in threads
    assert threads


@pytest.mark.anyio
async def test_the_plain_text_is_the_traceback_with_its_causes() -> None:  # exceptions R43
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            raise KeyError("cause")
        except KeyError as exc:
            raise RuntimeError(BOOM) from exc

    sent, _ = await failed(ServerErrorMiddleware(app, debug=True))
    text = sent.body.decode()
    assert text.startswith("Traceback (most recent call last):\n")
    assert "KeyError: 'cause'" in text
    assert "direct cause" in text
    assert text.rstrip().endswith(f"RuntimeError: {BOOM}")


@pytest.mark.anyio
@pytest.mark.parametrize("accept", [b"text/html", b"*/*"])
async def test_what_utf_8_cannot_hold_is_escaped(accept: bytes) -> None:
    app = ServerErrorMiddleware(failing(RuntimeError("file \udc80")), debug=True)
    sent, _ = await failed(app, headers=[(b"accept", accept)])
    assert "file \\udc80" in sent.body.decode()


# --- the page


def caught(function: Any) -> Exception:
    """Return the exception that a call raises, with its traceback."""
    try:
        function()
    except Exception as exc:
        return exc
    raise AssertionError("nothing was raised")


def outer(secret: str = "no-value-is-shown") -> None:
    if secret:
        inner("<script>alert(1)</script>")  # & a comment


def inner(message: str) -> None:
    raise RuntimeError(message)


def page(exc: Exception, **keys: Any) -> str:
    async def nothing(scope: Scope, receive: Receive, send: Send) -> None: ...

    return ServerErrorMiddleware(nothing).generate_html(exc, **keys)


def blocks(text: str) -> list[str]:
    """Return the blocks of a page, one for each frame."""
    return re.findall(r"<section>.*?</section>", text, re.DOTALL)


def test_the_page_names_the_error() -> None:  # exceptions R44, R45, threats T19
    text = page(caught(outer))
    assert "<title>Starlette Debugger</title>" in text
    assert "500 Server Error</h1>" in text
    assert f"RuntimeError: {html.escape('<script>alert(1)</script>')}</h2>" in text
    assert "<script>alert" not in text
    assert text.count("<script>") == 1


def test_the_page_has_a_block_for_each_frame_innermost_first() -> None:  # exceptions R44
    found = blocks(page(caught(outer)))
    assert [re.search(r"in <code>(.*?)</code>", block)[1] for block in found] == ["inner", "outer", "caught"]  # type: ignore[index]  # pyright: ignore[reportOptionalSubscript]
    assert [" hidden" in block for block in found] == [False, True, True]
    assert all("<button" in block for block in found)
    assert html.escape(__file__) in found[0]


def test_the_page_shows_source_lines_with_the_failing_one_marked() -> None:  # exceptions R44, R45
    block = blocks(page(caught(outer)))[1]
    line = inspect.getsourcelines(outer)[1] + 2
    assert f'<li class="failed"><b>{line}</b>' in block
    assert html.escape('inner("<script>alert(1)</script>")  # & a comment') in block
    assert f"<b>{line - 1}</b>    if secret:</li>" in block
    assert len(re.findall("<li", block)) == 7


def test_the_page_shows_no_values() -> None:  # threats T19, exceptions D5
    block = blocks(page(caught(outer)))[0]
    assert "alert" not in block
    assert "no-value-is-shown" not in block


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_the_number_of_lines_can_be_chosen(limit: int) -> None:  # exceptions R44
    assert len(re.findall("<li", blocks(page(caught(outer), limit=limit))[0])) == limit


def test_frames_without_source_have_an_empty_listing() -> None:  # exceptions R44
    code = compile("def made():\n    raise ValueError('x')\nmade()", "<made>", "exec")
    block = blocks(page(caught(lambda: exec(code, {}))))[0]
    assert "&lt;made&gt;" in block
    assert "in <code>made</code>" in block
    assert "<li" not in block


def test_names_are_escaped() -> None:  # exceptions R45, T19
    code = compile("raise ValueError('x')", "<&file>", "exec").replace(co_name="<&name>")
    block = blocks(page(caught(lambda: exec(code, {}))))[0]
    assert "&lt;&amp;file&gt;" in block
    assert "&lt;&amp;name&gt;" in block


def test_an_exception_without_traceback_has_no_frames() -> None:  # exceptions R44
    text = page(ValueError("never raised"))
    assert "ValueError: never raised" in text
    assert blocks(text) == []


def test_only_the_final_exception_is_shown() -> None:  # exceptions R44
    def chained() -> None:
        try:
            raise KeyError("the first")
        except KeyError as exc:
            raise ValueError("the last") from exc

    assert "the first" not in re.sub(r"<ol.*?</ol>", "", page(caught(chained)), flags=re.DOTALL)


def test_deep_recursion_gives_a_page() -> None:
    def down(depth: int) -> None:
        if depth == 0:
            raise ValueError("deep")
        down(depth - 1)

    assert len(blocks(page(caught(lambda: down(200))))) == 203


class Unprintable(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


def test_an_exception_that_cannot_be_printed_is_named() -> None:
    assert "Unprintable: &lt;exception str() failed&gt;" in page(Unprintable())


def test_the_class_is_named_as_python_names_it() -> None:  # exceptions R44
    name = f"{__name__}.Unprintable" if sys.version_info >= (3, 13) else "Unprintable"
    assert traceback_page.describe(Unprintable()).startswith(f"{name}: ")


def test_an_instruction_without_a_line_counts_to_its_function() -> None:
    def here() -> int:
        frame = inspect.currentframe()
        assert frame is not None
        missing: Any = None
        return traceback_page._frame_info(frame, missing, 1).lineno

    assert here() == here.__code__.co_firstlineno


def test_a_file_that_was_cut_marks_no_line() -> None:
    def here() -> inspect.FrameInfo:
        frame = inspect.currentframe()
        assert frame is not None
        return traceback_page._frame_info(frame, 100_000, 3)

    info = here()
    assert info.code_context is not None
    assert len(info.code_context) == 3
    assert info.index is not None
    assert info.index > 2


def test_replaced_templates_are_used(monkeypatch: pytest.MonkeyPatch) -> None:  # exceptions R41
    for name, text in {
        "STYLES": "styles",
        "JS": "js",
        "TEMPLATE": "{styles}|{js}|{error}|{frames}",
        "FRAME_TEMPLATE": "[{function}:{lines}]",
        "LINE": "-",
        "CENTER_LINE": "+",
    }.items():
        assert isinstance(getattr(errors, name), str)
        monkeypatch.setattr(errors, name, text)
    text = page(caught(lambda: inner("x")), limit=3)
    assert re.fullmatch(r"styles\|js\|RuntimeError: x\|(\[\S+:[-+]{3}\]\s*)+", text)


def test_a_method_can_be_overridden() -> None:  # exceptions R41
    class Numbers(ServerErrorMiddleware):
        def format_line(self, index: int, line: str, frame_lineno: int, frame_index: int) -> str:
            return f"({frame_lineno - frame_index + index})"

    async def nothing(scope: Scope, receive: Receive, send: Send) -> None: ...

    text = Numbers(nothing).generate_html(caught(lambda: inner("x")), limit=1)
    assert f"({inspect.getsourcelines(inner)[1] + 1})" in text
