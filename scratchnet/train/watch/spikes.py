"""Loss spikes, against the median and the spread of recent losses."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

WINDOW = 100  # losses that are recent
LEAST = 20  # losses before anything can stand out
SPREADS = 6.0  # robust standard deviations above the median, of logarithms
FACTOR = 2.0  # and so many times the median
TINY = 1e-12  # losses below count as this
REFRESH = 25  # steps after which the bound is computed anew


class Spike(NamedTuple):
    """A loss that stands out: the median of those before it, and the bound that it exceeds."""

    value: float
    median: float
    bound: float

    def __str__(self) -> str:
        return f"the loss is {self.value:.4g}; the {WINDOW} before had a median of {self.median:.4g}"


class Spikes:
    """Takes one loss after the other.

    A spike lies 6 robust standard deviations (1.4826 · MAD) above the median of the last 100 losses, on a logarithmic
    scale, for losses of small batches differ by orders of magnitude and none of them is news; it is more than twice the
    median, and larger than all of them. Where losses are negative, there is no logarithm and no spike. What follows a
    spike is not told again until a window has gone by.
    """

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=WINDOW)
        self._bound, self._age, self._quiet = math.inf, 0, 0

    def add(self, value: float) -> Spike | None:
        """The spike that this loss is, or None. Losses that are not finite are no spikes."""
        spike = None
        if self._quiet:
            self._quiet -= 1
        elif self._bound < value < math.inf:
            median, bound = self._judge()  # the bound at hand may be old
            if value > bound:
                spike, self._quiet = Spike(value, median, bound), WINDOW
        if math.isfinite(value):
            self._recent.append(value)
        self._age += 1
        if self._age >= REFRESH and len(self._recent) >= LEAST:
            self._bound, self._age = self._judge()[1], 0
        return spike

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"recent": list(self._recent), "bound": self._bound, "age": self._age, "quiet": self._quiet}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another one stood."""
        self._recent = deque(state["recent"], maxlen=WINDOW)
        self._bound, self._age, self._quiet = state["bound"], state["age"], state["quiet"]

    def _judge(self) -> tuple[float, float]:
        """(median, bound) of the recent losses."""
        recent = np.array(self._recent)
        recent.sort()
        middle = len(recent) // 2
        if recent[0] < 0:
            return float(recent[middle]), math.inf
        logs = np.log(np.maximum(recent, TINY))
        median = float(logs[middle])
        spread = 1.4826 * float(np.sort(np.abs(logs - median))[middle])
        above = max(SPREADS * spread, math.log(FACTOR))
        # beyond exp's range nothing stands out
        return math.exp(median), max(math.exp(min(median + above, 700.0)), float(recent[-1]))
