"""Every test of the core fails where the core blocks asyncio's event loop: by files, sockets, locks or sleeping."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx

# What may block: it runs while a program is put together, or once: for a template that the environment keeps from then
# on, and for the types of files that the system knows.
CONSTRUCTION = [
    ("mimetypes.py", {"init"}),
    ("starlette/staticfiles.py", {"__init__", "_package_folder"}),
    ("starlette/templating.py", {"get_template"}),
]


@pytest.fixture(autouse=True)
def blocking_calls(request: pytest.FixtureRequest) -> Iterator[BlockBuster | None]:
    """Turn blocking calls into errors, if our code is anywhere among their callers. The test client may block.

    A test that calls by hand what otherwise runs in a worker thread is marked `blocks`.
    """
    if request.node.get_closest_marker("blocks"):
        yield None
        return
    client = ["starlette._testing", "starlette.testclient"]
    with blockbuster_ctx(["starlette", "asterism"], excluded_modules=client) as detector:
        for file, functions in CONSTRUCTION:
            for function in detector.functions.values():
                function.can_block_in(file, functions)
        yield detector
