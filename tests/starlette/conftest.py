"""Every test of the core fails where the core blocks asyncio's event loop: by files, sockets, locks or sleeping."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from blockbuster import BlockBuster

# What may block: it runs while a program is put together, or once: for a template that the environment keeps from then
# on, and for the types of files that the system knows.
CONSTRUCTION: Final = [
    ("mimetypes.py", {"init"}),
    ("starlette/staticfiles.py", {"__init__", "_package_folder"}),
    ("starlette/templating.py", {"get_template"}),
]


# These measure memory by tracemalloc, which PyPy does not have.
collect_ignore = (
    [] if sys.implementation.name == "cpython" else ["test_memory.py", "test_promises.py", "test_routing_growth.py"]
)


@pytest.fixture(scope="package")
def detector() -> Iterator[BlockBuster | None]:
    """Turn blocking calls into errors, if our code is anywhere among their callers. The test client may block.

    This holds from the first test of this folder to the last one: methods of built-in types are replaced for it, which
    is slow, and not what one does to an interpreter thousands of times. Only CPython lets anyone replace them.
    """
    if sys.implementation.name != "cpython":
        yield None
        return
    from blockbuster import blockbuster_ctx

    client = ["starlette._testing", "starlette.testclient"]
    with blockbuster_ctx(["starlette", "asterism"], excluded_modules=client) as detector:
        for file, functions in CONSTRUCTION:
            for function in detector.functions.values():
                function.can_block_in(file, functions)
        yield detector


@pytest.fixture(autouse=True)
def blocking_calls(request: pytest.FixtureRequest, detector: BlockBuster | None) -> Iterator[None]:
    """Let a test block that calls by hand what otherwise runs in a worker thread, and is marked `blocks`."""
    if detector is not None and request.node.get_closest_marker("blocks"):
        detector.deactivate()
        try:
            yield
        finally:
            detector.activate()
    else:
        yield
