"""Templates: which environment, what a context holds, what is sent."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates, _TemplateResponse
from starlette.testclient import TestClient
from tests.asgi import Record, body, call, http_scope

SCRIPT = "<script>alert('XSS')</script>"
ESCAPED = "&lt;script&gt;alert(&#39;XSS&#39;)&lt;/script&gt;"
DEBUGGED: dict[str, Any] = {"http.response.debug": {}}


def request(**keys: Any) -> Request:
    return Request(http_scope(**keys))


def loaded(**templates: str) -> Jinja2Templates:
    """Return templates from a dictionary, in which a name has `_` for `.`."""
    sources = {name.replace("_", "."): source for name, source in templates.items()}
    loader = jinja2.DictLoader(sources)
    return Jinja2Templates(env=jinja2.Environment(loader=loader, autoescape=jinja2.select_autoescape()))


def rendered(templates: Jinja2Templates, **context: Any) -> bytes:
    return bytes(templates.TemplateResponse(request(), "t.html", context).body)


# -- construction ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flags", [(), ("-O",)], ids=["plain", "O"])
def test_without_jinja2_the_import_says_what_to_install(flags: tuple[str, ...]) -> None:
    # templating R1, legacy R44, T27
    code = (
        "import sys; sys.modules['jinja2'] = None\n"
        "try: import starlette.templating\n"
        "except ImportError as exc: print(type(exc) is ImportError, exc, exc.__notes__, type(exc.__cause__).__name__)"
    )
    done = subprocess.run([sys.executable, *flags, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "True jinja2 must be installed to use Jinja2Templates "
        """['install the "full" extra: pip install "starlette[full]", or jinja2 alone'] ModuleNotFoundError\n"""
    )


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({}, id="neither"),
        pytest.param({"directory": "templates", "env": jinja2.Environment()}, id="both"),
        pytest.param({"directory": ""}, id="empty-directory"),
        pytest.param({"directory": []}, id="no-directories"),
    ],
)
def test_either_directory_or_environment(arguments: dict[str, Any]) -> None:
    # templating R2
    with pytest.raises(AssertionError, match=r"^either 'directory' or 'env' arguments must be passed$"):
        Jinja2Templates(**arguments)


@pytest.mark.parametrize(
    ("directory", "searched"),
    [
        pytest.param("a", ["a"], id="text"),
        pytest.param(Path("a"), ["a"], id="path"),
        pytest.param(["a", Path("b")], ["a", "b"], id="list"),
        pytest.param((Path("a"), "b"), ["a", "b"], id="tuple"),
    ],
)
def test_directories(directory: Any, searched: list[str]) -> None:
    # templating R4, legacy R38
    loader = Jinja2Templates(directory).env.loader
    assert isinstance(loader, jinja2.FileSystemLoader)
    assert loader.searchpath == searched


def test_directories_are_searched_in_order(tmp_path: Path) -> None:
    # templating R4
    for folder, names in (("a", "x"), ("b", "xy")):
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).write_text(folder + name)
    templates = Jinja2Templates([tmp_path / "a", tmp_path / "b"])
    assert [templates.get_template(name).render() for name in "xy"] == ["ax", "by"]


@pytest.mark.parametrize(
    ("name", "escaped"),
    [("a.html", True), ("a.HTM", True), ("a.xml", True), ("a.txt", False), ("a.j2", False), ("a", False)],
)
def test_values_are_escaped_by_the_name_of_the_template(tmp_path: Path, name: str, escaped: bool) -> None:
    # templating R5, legacy R43, T26
    (tmp_path / name).write_text("Hello, {{ name }}")
    response = Jinja2Templates(tmp_path).TemplateResponse(request(), name, {"name": SCRIPT})
    assert response.body == f"Hello, {ESCAPED if escaped else SCRIPT}".encode()


def test_values_are_escaped_in_templates_from_text() -> None:
    # templating R5
    assert Jinja2Templates("any").env.from_string("{{ name }}").render(name=SCRIPT) == ESCAPED


class FalsyEnvironment(jinja2.Environment):
    def __len__(self) -> int:
        return 0


@pytest.mark.parametrize("kind", [jinja2.Environment, pytest.param(FalsyEnvironment, id="D5-falsy")])
def test_an_environment_is_used_as_it_is(kind: type[jinja2.Environment]) -> None:
    # templating R6, D4, D5
    loader = jinja2.DictLoader({"t.html": "{{ name }}"})
    env = kind(loader=loader)
    templates = Jinja2Templates(env=env)
    assert templates.env is env
    assert (env.loader, env.autoescape) == (loader, False)
    assert rendered(templates, name=SCRIPT) == SCRIPT.encode()


@pytest.mark.parametrize("name", ["absent", "../outside", "/etc/passwd", "a/../../outside", "..\\outside", "\0"])
def test_names_do_not_leave_the_directory(tmp_path: Path, name: str) -> None:
    # templating R9, T26
    (tmp_path / "outside").write_text("secret")
    (tmp_path / "inside").mkdir()
    templates = Jinja2Templates(tmp_path / "inside")
    with pytest.raises((jinja2.TemplateNotFound, ValueError)):
        templates.get_template(name)


# -- url_for -----------------------------------------------------------------------------------------------------------


def test_url_for_in_templates(tmp_path: Path) -> None:
    # templating R8
    templates = loaded(
        t_html="{{ url_for('page') }} {{ url_for('static', path='/css/a.css') }} "
        "{{ url_for('named', name='x', request='y') }}"
    )

    async def page(request: Request) -> Response:
        return templates.TemplateResponse(request, "t.html")

    app = Starlette(
        routes=[
            Route("/", page, name="page"),
            Route("/{name}/{request}", page, name="named"),
            Mount("/static", StaticFiles(directory=tmp_path), name="static"),
        ]
    )
    found = TestClient(app).get("/").text
    assert found == "http://testserver/ http://testserver/static/css/a.css http://testserver/x/y"


def test_url_for_needs_the_request() -> None:
    # templating R8
    macro = "{% macro link() %}{{ url_for('page') }}{% endmacro %}"
    templates = loaded(macros_html=macro, t_html="{% import 'macros.html' as macros %}{{ macros.link() }}")
    with pytest.raises(KeyError, match=r"^'request'$"):
        rendered(templates)


def test_an_own_url_for_stays() -> None:
    # templating R8
    env = jinja2.Environment(loader=jinja2.DictLoader({"t.html": "{{ url_for('page') }}"}))
    env.globals["url_for"] = str.upper
    assert rendered(Jinja2Templates(env=env)) == b"PAGE"


def test_subclasses_may_set_up_the_environment() -> None:
    # templating R8
    class Shouting(Jinja2Templates):
        def _setup_env_defaults(self, env: jinja2.Environment) -> None:
            super()._setup_env_defaults(env)
            env.filters["shout"] = str.upper

    templates = Shouting(env=jinja2.Environment(loader=jinja2.DictLoader({"t.html": "{{ 'a' | shout }}"})))
    assert "url_for" in templates.env.globals
    assert rendered(templates) == b"A"


def test_the_environment_can_be_extended() -> None:
    # templating R7
    templates = loaded(t_html="{{ 'a' | twice }}")
    templates.env.filters["twice"] = lambda text: text * 2
    assert rendered(templates) == b"aa"


# -- the context -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("context", [None, {}])
def test_an_empty_context_is_made_anew(context: dict[str, Any] | None) -> None:
    # templating R11
    asked = request()
    response = loaded(t_html="").TemplateResponse(asked, "t.html", context)
    assert response.context == {"request": asked}
    assert response.context["request"] is asked
    assert not context


def test_the_callers_context_is_the_context() -> None:
    # templating R11, D1
    context = {"a": 1}
    response = loaded(t_html="").TemplateResponse(request(), "t.html", context)
    assert response.context is context
    assert context.keys() == {"a", "request"}


def test_a_request_in_the_context_stays() -> None:
    # templating R11, D2: it may be anything, and is sent as it is
    response = loaded(t_html="{{ request }}").TemplateResponse(request(), "t.html", {"request": "mine"})
    assert response.body == b"mine"


def test_context_processors_override_the_endpoint_and_one_another() -> None:
    # templating R7, R11
    asked: list[Request] = []

    def first(request: Request) -> dict[str, Any]:
        asked.append(request)
        return {"a": "first", "b": "first"}

    templates = loaded(t_html="{{ a }} {{ b }} {{ c }} {{ request }}")
    own: list[Callable[[Request], dict[str, Any]]] = []
    templates = Jinja2Templates(env=templates.env, context_processors=own)
    assert templates.context_processors is own
    own += [first, lambda request: {"b": "second", "request": "replaced"}]
    current = request()
    response = templates.TemplateResponse(current, "t.html", {"a": "endpoint", "c": "endpoint"})
    assert response.body == b"first second endpoint replaced"
    assert asked == [current]
    assert loaded().context_processors == []


def test_an_async_context_processor_is_refused() -> None:
    # templating R12
    async def processor(request: Request) -> dict[str, Any]:
        return {}  # pragma: no cover - never awaited

    processors: list[Any] = [processor]
    templates = Jinja2Templates(env=loaded(t_html="").env, context_processors=processors)
    with pytest.raises(TypeError, match=r"^'coroutine' object is not iterable: the context processor .*processor must"):
        templates.TemplateResponse(request(), "t.html")


# -- the response ------------------------------------------------------------------------------------------------------


def test_errors_of_a_template_are_raised_when_the_response_is_made() -> None:
    # templating R9, R13
    with pytest.raises(jinja2.UndefinedError, match="'user' is undefined"):
        rendered(loaded(t_html="{{ user.name }}"))
    with pytest.raises(jinja2.TemplateNotFound):
        rendered(loaded())


def test_arguments_of_a_response() -> None:
    # templating R10, R14
    task = BackgroundTask(print)
    templates = loaded(t_html="é")
    response = templates.TemplateResponse(
        request=request(), name="t.html", status_code=404, headers={"x-a": "1"}, background=task
    )
    assert isinstance(response, _TemplateResponse)
    assert isinstance(response, HTMLResponse)
    assert (response.template.name, response.status_code, response.background) == ("t.html", 404, task)
    assert response.body == "é".encode()
    assert dict(response.headers) == {"x-a": "1", "content-length": "2", "content-type": "text/html; charset=utf-8"}
    positional = templates.TemplateResponse(request(), "t.html", {}, 201, {"x-a": "1"}, "text/plain", task)
    assert (positional.status_code, positional.headers["x-a"], positional.background) == (201, "1", task)
    assert positional.headers["content-type"] == "text/plain; charset=utf-8"


def test_a_template_response_of_its_own() -> None:
    # templating R14
    template = jinja2.Template("{{ a }}")
    response = _TemplateResponse(template, {"a": 1}, 202, {"x-a": "1"}, "text/plain", None)
    assert (response.template, response.body, response.status_code) == (template, b"1", 202)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("in_context", "kinds"),
    [
        pytest.param(request(extensions=DEBUGGED), ["http.response.debug"], id="asked-for"),
        pytest.param(request(extensions={}), [], id="other-server"),
        pytest.param(Request({"type": "http"}), [], id="no-extensions"),
        pytest.param({"extensions": DEBUGGED}, ["http.response.debug"], id="a-scope"),
        pytest.param("text", [], id="D2-no-request"),
    ],
)
async def test_debugging_clients_are_told_of_template_and_context(in_context: Any, kinds: list[str]) -> None:
    # templating R15, legacy R45: the request in the context decides, not the scope of the call
    response = loaded(t_html="x").TemplateResponse(request(), "t.html", {"request": in_context})
    sent = await call(response, http_scope(extensions=DEBUGGED))
    assert sent.types == [*kinds, "http.response.start", "http.response.body"]
    if kinds:
        assert sent.messages[0]["info"] == {"template": response.template, "context": response.context}


class PassOn(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        return await call_next(request)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("middleware", [[], [Middleware(PassOn)]], ids=["alone", "behind-middleware"])
@pytest.mark.parametrize("is_async", [True, False], ids=["async", "sync"])
def test_the_test_client_shows_template_and_context(backend: Any, middleware: list[Middleware], is_async: bool) -> None:
    # templating R16
    templates = loaded(t_html="Hello, {{ name }}")

    def page(request: Request) -> Response:
        return templates.TemplateResponse(request, "t.html", {"name": "you"})

    async def async_page(request: Request) -> Response:
        return page(request)

    app = Starlette(routes=[Route("/", async_page if is_async else page)], middleware=middleware)
    response: Any = TestClient(app, backend=backend).get("/")
    assert response.text == "Hello, you"
    assert response.template.name == "t.html"
    assert set(response.context) == {"request", "name"}
    assert response.extensions["http.response.debug"]["template"] is response.template


@pytest.mark.anyio
async def test_a_response_is_sent_without_a_scope() -> None:
    # legacy: the form of ASGI 2, in which a response is called with `receive` and `send`
    response: Any = loaded(t_html="x").TemplateResponse(request(), "t.html")
    sent = Record()
    await response(body(), sent)
    assert (sent.status, sent.body) == (200, b"x")


# -- calls from before 1.0 ---------------------------------------------------------------------------------------------


def old(templates: Jinja2Templates) -> Any:
    """Return the method without its types, which are those of today."""
    return templates.TemplateResponse


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((404, {"x-a": "1"}, "text/plain", None), id="positions"),
        pytest.param((404,), id="some-positions"),
        pytest.param((), id="keywords"),
    ],
)
def test_old_order(arguments: tuple[Any, ...]) -> None:
    # legacy R39, R40
    names = ("status_code", "headers", "media_type", "background")
    values = {"status_code": 404, "headers": {"x-a": "1"}, "media_type": "text/plain", "background": None}
    keywords = {name: values[name] for name in names[len(arguments) :]}
    templates = Jinja2Templates(
        env=loaded(t_html="{{ a }}{{ b }}").env, context_processors=[lambda request: {"b": request.method}]
    )
    context = {"request": request(), "a": 1}
    response = old(templates)("t.html", context, *arguments, **keywords)
    assert (response.body, response.status_code, response.headers["x-a"]) == (b"1GET", 404, "1")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.context is context


def test_old_keywords() -> None:
    # legacy R40
    response = old(loaded(t_html="x"))(name="t.html", context={"request": request()}, status_code=404)
    assert (response.body, response.status_code) == (b"x", 404)


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        pytest.param(("t.html",), {}, id="no-context"),
        pytest.param(("t.html", {"a": 1}), {}, id="positions"),
        pytest.param(("t.html",), {"context": None}, id="none"),
        pytest.param((), {"name": "t.html", "context": {}}, id="keywords"),
        pytest.param((), {"name": "t.html"}, id="name-only"),
    ],
)
def test_an_old_call_needs_the_request_in_the_context(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    # legacy R39
    with pytest.raises(ValueError, match=r'^context must include a "request" key$'):
        old(loaded(t_html=""))(*args, **kwargs)


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        pytest.param(("t.html", {}), {"name": "t.html"}, id="twice"),
        pytest.param(("t.html", {}, 200, None, None, None, None), {}, id="too-many"),
    ],
)
def test_a_wrong_old_call_is_a_type_error(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    # templating D3
    with pytest.raises(TypeError, match="once, in this order"):
        old(loaded(t_html=""))(*args, **kwargs)


@pytest.mark.parametrize("kwargs", [{}, {"context": {}}, {"request": None}])
def test_a_call_without_a_name_is_a_type_error(kwargs: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="'name'"):
        old(loaded())(**kwargs)


def test_old_environment_options(tmp_path: Path) -> None:
    # templating R3, legacy R42, R43
    (tmp_path / "t.html").write_text("{{ name }}")
    options: Any = {"autoescape": False, "auto_reload": False}
    templates = Jinja2Templates(tmp_path, **options)
    assert (templates.env.autoescape, templates.env.auto_reload) == (False, False)
    assert rendered(templates, name=SCRIPT) == SCRIPT.encode()
    escaping = Jinja2Templates(tmp_path, auto_reload=False)
    assert rendered(escaping, name=SCRIPT) == ESCAPED.encode()


def test_options_beside_an_environment_are_refused() -> None:
    # templating R3: they would have no effect, and escaping is one of them
    with pytest.raises(TypeError, match="'autoescape'"):
        Jinja2Templates(env=jinja2.Environment(), autoescape=True)


# -- environments with `enable_async` ----------------------------------------------------------------------------------


def awaiting() -> Jinja2Templates:
    """Return templates that call async functions: one that is ready at once, and one that waits."""

    async def ready() -> str:
        return "ready"

    async def later() -> str:
        await asyncio.sleep(0)
        return "later"

    async def numbers() -> AsyncIterator[int]:
        for number in (1, 2):
            yield number

    loader = jinja2.DictLoader(
        {
            "ready.html": "{{ url_for('page') }} {{ ready() }} {% for x in numbers() %}{{ x }}{% endfor %}{{ text }}",
            "later.html": "{{ later() }}",
            "fails.html": "{{ nothing.at_all }}",
        }
    )
    env = jinja2.Environment(loader=loader, autoescape=True, enable_async=True)
    env.globals.update(ready=ready, later=later, numbers=numbers)
    return Jinja2Templates(env=env)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("is_async", [True, False], ids=["async", "sync"])
def test_templates_of_an_async_environment_are_rendered_at_once(backend: Any, is_async: bool) -> None:
    # templating R6, R13
    templates = awaiting()

    def page(request: Request) -> Response:
        return templates.TemplateResponse(request, "ready.html", {"text": "<"})

    async def async_page(request: Request) -> Response:
        return page(request)

    app = Starlette(routes=[Route("/", async_page if is_async else page, name="page")])
    response: Any = TestClient(app, backend=backend).get("/")
    assert response.text == "http://testserver/ ready 12&lt;"
    assert response.template.name == "ready.html"


def test_a_template_that_waits_is_rendered_where_it_may() -> None:
    templates = awaiting()
    templates.env.globals["url_for"] = None

    def page(request: Request) -> Response:
        return templates.TemplateResponse(request, "later.html")

    async def async_page(request: Request) -> Response:
        return page(request)

    async def by_hand(request: Request) -> Response:
        return HTMLResponse(await templates.get_template("later.html").render_async({"request": request}))

    app = Starlette(routes=[Route("/a", async_page), Route("/s", page), Route("/h", by_hand)])
    client = TestClient(app)
    with pytest.raises(RuntimeError, match=r"'later.html' waits for something"):
        client.get("/a")
    assert [client.get(path).text for path in ("/s", "/h")] == ["later", "later"]


def test_errors_of_an_async_environment_are_those_of_the_template() -> None:
    templates = awaiting()

    async def page(request: Request) -> Response:
        return templates.TemplateResponse(request, "fails.html")

    with pytest.raises(jinja2.UndefinedError, match="'nothing' is undefined"):
        TestClient(Starlette(routes=[Route("/", page)])).get("/")
