"""HTML from Jinja2 templates. Needs jinja2; no other module imports this one."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Mapping, Sequence
from os import PathLike
from typing import Any, Final

try:
    import jinja2
    from jinja2 import pass_context as pass_context
except ImportError as exc:
    absent = ImportError("jinja2 must be installed to use Jinja2Templates")
    absent.add_note('install the "full" extra: pip install "starlette[full]", or jinja2 alone')
    raise absent from exc

from starlette._legacy.calls import add_scope, without_scope
from starlette._legacy.templating import older_calls_too
from starlette.background import BackgroundTask as BackgroundTask
from starlette.datastructures import URL as URL
from starlette.requests import Request as Request
from starlette.responses import HTMLResponse as HTMLResponse
from starlette.types import Receive as Receive
from starlette.types import Scope as Scope
from starlette.types import Send as Send

# ASGI extension of the test client: it takes a message of this type and shows its content beside the response.
_DEBUG: Final = "http.response.debug"


class _TemplateResponse(HTMLResponse):
    """A rendered template, as `Jinja2Templates.TemplateResponse` returns it.

    Attributes:
        template: The Jinja2 template.
        context: What it was rendered with, `request` and the values of context processors included.
    """

    def __init__(
        self,
        template: Any,
        context: dict[str, Any],
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
    ) -> None:
        self.template = template
        self.context = context
        super().__init__(_rendered(template, context), status_code, headers, media_type, background)

    @without_scope
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if send is None:  # COMPAT: called as `response(receive, send)`
            scope, receive, send = add_scope(scope, receive)
        if _is_debugged(self.context.get("request")):
            await send({"type": _DEBUG, "info": {"template": self.template, "context": self.context}})
        await super().__call__(scope, receive, send)


def _rendered(template: Any, context: dict[str, Any]) -> str:
    """Return the text of a template; one of an async environment is rendered at once, too."""
    is_async = getattr(getattr(template, "environment", None), "is_async", False)
    # Jinja renders such a template in an event loop of its own, which it cannot have inside of another.
    if not is_async or asyncio._get_running_loop() is None:
        text: str = template.render(context)
        return text
    rendering: Coroutine[Any, Any, str] = template.render_async(context)
    try:
        rendering.send(None)
    except StopIteration as done:
        rendered: str = done.value
        return rendered
    rendering.close()
    raise RuntimeError(
        f"the template {template.name!r} waits for something, which TemplateResponse cannot do on the event loop: "
        "use HTMLResponse(await template.render_async(context)), or an endpoint that is not async"
    )


def _is_debugged(request: object) -> bool:
    # A template may be given anything under the name `request`; only a connection or a scope can ask for more.
    return isinstance(request, Mapping) and _DEBUG in (request.get("extensions") or ())


class Jinja2Templates:
    """Templates in one or more directories, or in an environment of your own.

    Args:
        directory: Where the templates are: a path, or several to search in this order.
        context_processors: Functions of the request, each returning values for every context: `{"user": ...}`. They
            are plain functions, run in order; a later one wins over an earlier one, and all over the endpoint.
        env: A `jinja2.Environment` to use as it is. A plain one escapes nothing: pass it
            `autoescape=jinja2.select_autoescape()`.
        env_options: For programs written before Starlette 1.0: arguments of the `jinja2.Environment` that is made
            for `directory`. New programs make the environment themselves, and pass it as `env`.

    Attributes:
        env: The environment, to which filters, globals and extensions may be added.
        context_processors: The list, which may be changed.

    With `directory`, values are escaped in templates whose name ends in `.html`, `.htm` or `.xml`, and only there.

    Raises:
        AssertionError: Neither of `directory` and `env` was given, or both.
    """

    def __init__(
        self,
        directory: str | PathLike[str] | Sequence[str | PathLike[str]] | None = None,
        *,
        context_processors: list[Callable[[Request], dict[str, Any]]] | None = None,
        env: jinja2.Environment | None = None,
        **env_options: Any,
    ) -> None:
        if bool(directory) is (env is not None):
            raise AssertionError("either 'directory' or 'env' arguments must be passed")
        if env is not None and env_options:
            raise TypeError(f"set {', '.join(map(repr, env_options))} on the environment that is passed as 'env'")
        self.context_processors = [] if context_processors is None else context_processors
        self.env = _environment(directory or "", env_options) if env is None else env
        self._setup_env_defaults(self.env)

    def _setup_env_defaults(self, env: jinja2.Environment) -> None:
        """Add to the environment what every template may use; subclasses may override it."""
        env.globals.setdefault("url_for", url_for)

    def get_template(self, name: str) -> jinja2.Template:
        """Return a template; `jinja2.TemplateNotFound` if there is none, or its name leads out of the directory."""
        return self.env.get_template(name)

    @older_calls_too
    def TemplateResponse(  # a public name
        self,
        request: Request,
        name: str,
        context: dict[str, Any] | None = None,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: BackgroundTask | None = None,
    ) -> _TemplateResponse:
        """Render a template now, and return the response.

        Args:
            request: Available to the template as `request`, and needed by its `url_for`.
            name: Of the template: `"pages/index.html"`.
            context: Further values. This very dictionary gets `request` and what the context processors return.
            status_code: The status to answer with.
            headers: Fields to add.
            media_type: Instead of `text/html`.
            background: What to run when the response has been sent.

        Raises:
            jinja2.TemplateError: The template is missing, or cannot be rendered with these values.
            RuntimeError: The environment has `enable_async`, and the template awaits what is not ready, on asyncio.
        """
        values = context or {}
        values.setdefault("request", request)
        for processor in self.context_processors:
            values.update(_processed(processor, request))
        return _TemplateResponse(self.get_template(name), values, status_code, headers, media_type, background)


@pass_context
def url_for(context: jinja2.runtime.Context, name: str, /, **path_params: Any) -> URL:
    """Return the absolute URL of a route, for templates: `{{ url_for('user', id=1) }}`.

    Raises:
        KeyError: There is no `request` in the context, as in a macro that was imported without it.
    """
    request: Request = context["request"]
    return request.url_for(name, **path_params)


def _environment(
    directory: str | PathLike[str] | Sequence[str | PathLike[str]], options: dict[str, Any]
) -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(directory)
    return jinja2.Environment(**{"loader": loader, "autoescape": jinja2.select_autoescape(), **options})


def _processed(processor: Callable[[Request], dict[str, Any]], request: Request) -> dict[str, Any]:
    added = processor(request)
    if inspect.iscoroutine(added):
        added.close()
        shown = getattr(processor, "__qualname__", repr(processor))
        raise TypeError(f"'coroutine' object is not iterable: the context processor {shown} must be a plain function")
    return added
