"""Mean, spread and norm of an array, in few passes."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from scratchnet.core.types import Array
from scratchnet.optim.clipping import norm
from scratchnet_kernels import OpTable

__all__ = ["Moments", "moments", "nonfinite", "norm", "quotient"]


class Moments(NamedTuple):
    """Of all numbers of an array: mean and standard deviation, their L2 norm, how many are not finite."""

    mean: float
    std: float
    norm: float
    nonfinite: int


def moments(k: OpTable, a: Array) -> Moments:
    """The moments of `a`. NaN or inf in, NaN or inf out: what is not finite is counted, never passed over."""
    with np.errstate(over="ignore", invalid="ignore"):
        length, mean = norm(k, [a]), float(a.mean())
        wrong = nonfinite(a, length)
        variance = length * length / a.size - mean * mean
        if not variance > 1e-4 * mean * mean and not wrong:  # too few digits are left: once more, slowly
            mean, variance = float(a.mean(dtype=np.float64)), float(a.var(dtype=np.float64))
    return Moments(mean, math.sqrt(variance) if variance >= 0 else variance, length, wrong)


def nonfinite(a: Array, length: float) -> int:
    """How many numbers of `a` are not finite; its norm `length` mostly tells that none is."""
    return 0 if math.isfinite(length) else int(a.size - np.count_nonzero(np.isfinite(a)))


def quotient(part: float, whole: float) -> float | None:
    """part/whole; inf where only the whole is 0, None where both are."""
    if whole == 0:
        return None if part == 0 else math.inf
    return part / whole
