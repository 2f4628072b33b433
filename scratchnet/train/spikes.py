"""Loss spikes, against the median and the spread of recent losses."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

import numpy as np

WINDOW = 100  # losses that are recent
LEAST = 20  # losses before anything can stand out
SPREADS = 10.0  # standard deviations above the median
REFRESH = 10  # steps after which the bound is computed anew


class Spike(NamedTuple):
    """A loss that stands out: the median of those before it, and their spread (1.4826 · MAD)."""

    value: float
    median: float
    spread: float

    def __str__(self) -> str:
        return f"the loss is {self.value:.4g}, after losses of {self.median:.4g} ± {self.spread:.2g} (median, robust σ)"


class Spikes:
    """Takes one loss after the other.

    A spike lies 10 robust standard deviations above the median of the last 100 losses, is more than twice that median
    away from zero, and exceeds all of them: small batches have losses that are far apart, and not one of them is news.
    What follows a spike is not told again until a window has gone by.
    """

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=WINDOW)
        self._bound, self._age, self._quiet = math.inf, 0, 0

    def add(self, value: float) -> Spike | None:
        """The spike that this loss is, or None. Losses that are not finite are no spikes."""
        spike = None
        if self._quiet:
            self._quiet -= 1
        elif value > self._bound and math.isfinite(value):
            spike = self._judge(value)  # the bound may be old
        if math.isfinite(value):
            self._recent.append(value)
        self._age += 1
        if self._age >= REFRESH and len(self._recent) >= LEAST:
            median, spread = self._middle()
            self._bound, self._age = _bound(median, spread, self._recent), 0
        if spike is not None:
            self._quiet = WINDOW
        return spike

    def _judge(self, value: float) -> Spike | None:
        median, spread = self._middle()
        return Spike(value, median, spread) if value > _bound(median, spread, self._recent) else None

    def _middle(self) -> tuple[float, float]:
        recent = np.array(self._recent)
        median = float(np.median(recent))
        return median, 1.4826 * float(np.median(np.abs(recent - median)))


def _bound(median: float, spread: float, recent: deque[float]) -> float:
    return max(median + SPREADS * spread, median + abs(median), *recent)
