"""A process that starts: `python -m benchmarks.start import` or `"1,000 routes"`. Prints milliseconds and MiB after it.

`import` loads what a small application needs; `1,000 routes` builds them and answers the first request.
"""

from __future__ import annotations

import sys
import time


def main() -> None:
    """Do what the argument names."""
    began = time.perf_counter()
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    if sys.argv[1] != "import":
        import asyncio

        from benchmarks.case import answer, get

        async def endpoint(request: Request) -> PlainTextResponse:
            return PlainTextResponse("x")

        began = time.perf_counter()
        app = Starlette(routes=[Route(f"/section/{number}/{{name}}", endpoint) for number in range(1000)])
        work = get(app, "/section/999/x", answer(200, b"x"))
        asyncio.run(work.seconds(1))
    took = time.perf_counter() - began
    import os

    from benchmarks.idle import resident

    print(took * 1000, resident(os.getpid()) / 2**20)


if __name__ == "__main__":
    main()
