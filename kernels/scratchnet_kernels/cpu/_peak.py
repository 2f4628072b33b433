"""The largest element of a row: what a softmax subtracts first."""

from __future__ import annotations

from typing import Any

from numba import njit

from .simd import lanes, vload, vload_or, vmax, vpeak, vsplat


@njit(cache=True)
def peak(x: Any, start: Any, count: Any) -> Any:
    """The largest of x[start : start + count], count > 0. A NaN may be passed over; it comes back in the sum.

    In vectors by hand: LLVM keeps the order of a loop of comparisons, for the sake of NaN.
    """
    L = lanes(x)
    first = vsplat(x, x[start])
    even = odd = first
    whole = count // L * L
    for i in range(start, start + whole - L, 2 * L):
        even = vmax(vload(x, i), even)
        odd = vmax(vload(x, i + L), odd)
    if whole // L % 2 == 1:
        even = vmax(vload(x, start + whole - L), even)
    if whole < count:
        odd = vmax(vload_or(x, start + whole, count - whole, first), odd)
    return vpeak(vmax(even, odd))
