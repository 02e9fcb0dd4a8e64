"""Tells linear from quadratic work by the growth of its time, never by seconds."""

from __future__ import annotations

import time
from collections.abc import Callable


def per_doubling(work: Callable[[int], object], size: int) -> float:
    """Return by how much the time of `work(n)` grows when n doubles, from `size` to four times that.

    Linear work gives 2, quadratic 4. The best of five runs stands for each size; noise moves the result a little.
    """
    times = []
    for length in (size, 2 * size, 4 * size):
        runs = []
        for _ in range(5):
            start = time.perf_counter()
            work(length)
            runs.append(time.perf_counter() - start)
        times.append(min(runs))
    # Tiny times are noise: work that is done in 50 us is not what a peer can slow us down with.
    growth: float = (times[2] / max(times[0], 5e-5)) ** 0.5
    return growth
