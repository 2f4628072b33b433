"""The sum of squares, in float64. The order of the sum is fixed when the kernel is compiled."""

from __future__ import annotations

from typing import Any

from numba import njit

from ..backend import kernel
from ..reference import sum_of_squares as reference
from ..workspace import Workspace
from ._flat import flat, is_fast


@kernel("cpu")
def sum_of_squares(a: Any, total: Any, scale: float, *, workspace: Workspace) -> None:
    """total = Σ (scale·a)²."""
    if not is_fast(a):
        return reference.sum_of_squares(a, total, scale)
    total[...] = _sum(flat(a, workspace), float(scale))


@njit(cache=True, fastmath={"reassoc", "contract"})
def _sum(a: Any, scale: float) -> float:
    s = 0.0
    for i in range(a.size):
        x = scale * a[i]
        s += x * x
    return s
