"""The order in which modules may import one another, and the exceptions to it, each with its reason. Data only."""

from __future__ import annotations

from typing import Final

# A module imports only from entries before its own. An entry ending in ".*" stands for the modules of a package; those
# may import one another, unless the package is in `INDEPENDENT`. A module with an entry of its own is not in the ".*".
ORDER: Final[tuple[str, ...]] = (
    "starlette",  # the version
    "starlette.types",
    "starlette.exceptions",
    "starlette.status",
    "starlette.config",
    "starlette.convertors",
    "starlette._http.*",
    "starlette._routing.*",
    "starlette._threads",
    "starlette.concurrency",
    "starlette._utils",
    "starlette._legacy.uploads",
    "starlette._asgi.*",  # its races use the task group of `_utils`
    "starlette.background",
    "starlette.datastructures.*",
    "starlette.datastructures",
    "starlette.formparsers",
    "starlette.requests",
    "starlette._legacy.calls",
    "starlette.responses",
    "starlette.websockets",
    "starlette._exception_handler",
    "starlette.authentication",
    "starlette.endpoints",
    "starlette.staticfiles",
    "starlette._legacy.templating",
    "starlette.templating",
    "starlette.middleware",  # the `Middleware` class
    "starlette.middleware.*",
    "starlette._legacy.*",
    "starlette.routing",
    "starlette.middleware.opentelemetry",
    "starlette.applications",
    "starlette.schemas",
    "starlette._graphql.*",
    "starlette.graphql",
    "starlette._legacy.testclient",
    "starlette._testing.*",
    "starlette.testclient",
    "asterism.problems",
    "asterism.dependencies.*",
    "asterism.dependencies",
    "asterism.api.*",
    "asterism.api",
    "asterism.openapi.*",
    "asterism.openapi",
    "asterism.*",
)

# Packages whose modules never import one another.
INDEPENDENT: Final = frozenset({"starlette.middleware.*"})

# (importer, module): why a private file binds a whole public module further down: tools replace a name in it, so the
# name is looked up there at each call. Only the module may be imported so, never a name from it.
LOOKED_UP: Final[dict[tuple[str, str], str]] = {
    ("starlette.datastructures._uploads", "starlette.datastructures"): "`run_in_threadpool` is replaced there",
}

# (importer, imported): why a function imports against the order when it runs.
LATE: Final[dict[tuple[str, str], str]] = {
    ("starlette._legacy.uploads", "starlette.datastructures"): "the headers of an upload that is made by name",
    ("starlette.exceptions", "starlette.middleware.exceptions"): "the earlier home of `ExceptionMiddleware`",
}

# (importer, imported): why annotations need a name from further down (`if TYPE_CHECKING:`).
TYPES_ONLY: Final[dict[tuple[str, str], str]] = {
    ("starlette.exceptions", "starlette.middleware.exceptions"): "the earlier home of `ExceptionMiddleware`",
    ("starlette.requests", "starlette.applications"): "the type of `request.app`",
    ("starlette.requests", "starlette.routing"): "the type of what `url_for` asks",
    ("starlette.types", "starlette.requests"): "handler aliases name the classes their handlers are called with",
    ("starlette.types", "starlette.responses"): "handler aliases name the classes their handlers are called with",
    ("starlette.types", "starlette.websockets"): "handler aliases name the classes their handlers are called with",
}

# What any module may import from outside of the standard library when it is loaded, and what only some may.
DEPENDENCIES: Final = frozenset({"anyio", "typing_extensions"})
OPTIONAL: Final[dict[str, frozenset[str]]] = {
    "starlette.schemas": frozenset({"yaml"}),  # done without until something is asked for that needs it
    "starlette.templating": frozenset({"jinja2"}),  # nothing imports it but who has templates
    "starlette.middleware.opentelemetry": frozenset({"opentelemetry"}),  # nothing in it makes sense without
    "starlette.testclient": frozenset({"httpx", "httpx2"}),
    "starlette._testing.loops": frozenset({"sniffio"}),  # comes with trio; done without when it is absent
    "asterism.transactions._library": frozenset({"sqlalchemy"}),  # nothing in the package makes sense without
}
