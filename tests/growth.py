"""Tells linear from quadratic work by the growth of its time, never by seconds."""

from __future__ import annotations

import time
from collections.abc import Callable


def per_doubling(work: Callable[[int], object], size: int) -> float:
    """Return by how much the time of `work(n)` grows when n doubles, from `size` to four times that.

    Linear work gives 2, quadratic 4. Processor time is taken, the best of three runs stands for each size, and the
    lowest of up to four growths for the work: noise only ever adds.
    """
    lowest = float("inf")
    for _ in range(4):
        small, _middle, large = (min(_seconds(work, factor * size) for _ in range(3)) for factor in (1, 2, 4))
        # Tiny times are noise: work that is done in 50 us is not what a peer can slow us down with.
        lowest = min(lowest, (large / max(small, 5e-5)) ** 0.5)
        if lowest < 2.5:
            break
    return lowest


def _seconds(work: Callable[[int], object], size: int) -> float:
    start = time.thread_time()
    work(size)
    return time.thread_time() - start
