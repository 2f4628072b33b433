"""The time of one call."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

WARM, LEAST = 3, 7


def median_seconds(run: Callable[[], Any], seconds: float) -> float:
    """Of a call: the median of as many as fit into `seconds`, 7 or more, after 3 that warm up."""
    for _ in range(WARM):
        run()
    taken: list[float] = []
    began = time.perf_counter()
    while len(taken) < LEAST or time.perf_counter() - began < seconds:
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)
