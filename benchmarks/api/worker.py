"""The measured process: `python -m benchmarks.api.worker typed`. Reads `NUMBER COUNT`, writes the seconds it took."""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import sys
import time
from typing import Any

from benchmarks.api.workload import EXCHANGES, Exchange


async def seconds(app: Any, exchange: Exchange, count: int) -> float:
    """Repeat an exchange and check the last answer."""
    template = exchange.scope()
    request = {"type": "http.request", "body": exchange.body, "more_body": False}
    sent: list[Any] = []

    async def receive() -> Any:
        return request

    async def send(message: Any) -> None:
        sent.append(message)

    began = time.perf_counter()
    for _ in range(count):
        sent.clear()
        scope = template.copy()
        scope["state"] = {}
        await app(scope, receive, send)
    took = time.perf_counter() - began
    answer = json.loads(b"".join(message.get("body", b"") for message in sent))
    if sent[0]["status"] != 200 or answer != exchange.answer:
        raise AssertionError(f"{exchange.name}: {sent[0]['status']} {answer}")
    return took


def main() -> None:
    """Measure what is asked until the input ends."""
    app = importlib.import_module(f"benchmarks.api.{sys.argv[1]}").app
    with asyncio.Runner() as runner:
        for line in sys.stdin:
            number, count = map(int, line.split())
            gc.collect()
            print(runner.run(seconds(app, EXCHANGES[number], count)), flush=True)


if __name__ == "__main__":
    main()
