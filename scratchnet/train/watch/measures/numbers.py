"""Means, spreads and norms of arrays, in few passes, and of no array twice."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from scratchnet.core.types import Array
from scratchnet.optim.clipping import norm as careful_norm
from scratchnet_kernels import OpTable


class Moments(NamedTuple):
    """Of all numbers of an array: mean and standard deviation, how many are not finite."""

    mean: float
    std: float
    nonfinite: int


class Ruler:
    """Measures the arrays of one look. They stay as they are until `forget`, and many meet it twice.

    A Flatten puts out what it was given, and what a layer passes back is what comes back to the layer before it.
    """

    def __init__(self, k: OpTable) -> None:
        self._k, self._total = k, np.zeros(())
        self._norms: dict[tuple[int, int], float] = {}
        self._moments: dict[tuple[int, int], Moments] = {}

    def forget(self) -> None:
        """What was measured is going to change."""
        self._norms.clear()
        self._moments.clear()

    def norm(self, a: Array) -> float:
        """√Σ a², summed in float64; NaN or inf where `a` is not finite."""
        if not a.flags.c_contiguous:
            return careful_norm(self._k, [a])
        key = address(a), a.size
        found = self._norms.get(key)
        if found is None:
            self._k.sum_of_squares(a, self._total, 1.0)
            total = float(self._total)
            common = 1e-250 < total < math.inf or (total == 0 and a.itemsize < 8)
            found = self._norms[key] = math.sqrt(total) if common else careful_norm(self._k, [a])
        return found

    def nonfinite(self, a: Array) -> int:
        """How many numbers of `a` are not finite; its norm mostly tells that none is."""
        return 0 if math.isfinite(self.norm(a)) else int(a.size - np.count_nonzero(np.isfinite(a)))

    def moments(self, a: Array) -> Moments:
        """NaN or inf in, NaN or inf out: what is not finite is counted, never passed over."""
        if a.size == 0:
            return Moments(0.0, 0.0, 0)
        key = address(a), a.size
        found = self._moments.get(key) if a.flags.c_contiguous else None
        if found is None:
            length, wrong = self.norm(a), self.nonfinite(a)
            rows = a.reshape(len(a), -1) if a.ndim > 1 else a[None] if a.ndim else a.reshape(1, 1)
            mean = float(np.add.reduce(np.add.reduce(rows, 0))) / a.size  # by columns first: that is fast
            variance = length * length / a.size - mean * mean
            if not variance > 1e-4 * mean * mean and not wrong:  # too few digits are left: once more, slowly
                mean, variance = float(a.mean(dtype=np.float64)), float(a.var(dtype=np.float64))
            found = Moments(mean, math.sqrt(variance) if variance >= 0 else variance, wrong)
            if a.flags.c_contiguous:
                self._moments[key] = found
        return found


def address(a: Array) -> int:
    """Where the array begins."""
    return int(a.__array_interface__["data"][0])


def quotient(part: float, whole: float) -> float | None:
    """part/whole; inf where only the whole is 0, None where both are."""
    if whole == 0:
        return None if part == 0 else math.inf
    return part / whole
