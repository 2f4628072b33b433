"""Max pooling's usual case, 2 × 2 windows side by side: a register of windows at a time.

Rows 2i and 2i + 1 of the image are taken apart into even and odd columns: the four elements of each window.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import njit
from numba.core import types

from ._fetch import AHEAD, fetch
from ._pairs import store_pairs
from .simd import reven, rlanes, rload_n, rodd, rroute
from .simd._type import I32, address, call, first, intrinsic


@intrinsic
def _store_largest(
    typing: Any, y: Any, at: Any, index: Any, q0: Any, q1: Any, q2: Any, q3: Any, count: Any
) -> Any:  # fmt: skip
    """y[index : index + count] = the largest of q0, …, q3 and at[...] = its number: the first, or the last NaN."""
    element = ir.IntType(at.dtype.bitwidth)
    numbers = ir.VectorType(element, q0.lanes)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        out, places, start, *quarters, n = arguments
        largest, place = quarters[0], ir.Constant(numbers, [0] * q0.lanes)
        for number, value in enumerate(quarters[1:], start=1):
            larger = builder.fcmp_ordered(">", value, largest)
            wins = builder.or_(larger, builder.fcmp_unordered("uno", value, value))
            largest = builder.select(wins, value, largest)
            place = builder.select(wins, ir.Constant(numbers, [number] * q0.lanes), place)
        mask = first(builder, q0.lanes, n)
        pointer = address(context, builder, y, out, start, q0.llvm)
        align = ir.Constant(I32, q0.dtype.bitwidth // 8)
        call(builder, f"llvm.masked.store.{q0.suffix}.p0", ir.VoidType(), [largest, pointer, align, mask])
        pointer = address(context, builder, at, places, start, numbers)
        align = ir.Constant(I32, at.dtype.bitwidth // 8)
        name = f"llvm.masked.store.v{q0.lanes}i{at.dtype.bitwidth}.p0"
        call(builder, name, ir.VoidType(), [place, pointer, align, mask])
        return context.get_dummy_value()

    return types.void(y, at, types.intp, q0, q1, q2, q3, types.intp), generate


@njit(cache=True)
def largest_of_four(x: Any, p: int, H: int, W: int, y: Any, at: Any, OH: int, OW: int) -> None:
    """y and at of plane p, all three flat."""
    L = rlanes(x)
    for i in range(OH):
        a, o = (p * H + 2 * i) * W, (p * OH + i) * OW
        for j in range(0, OW, L):
            n = min(L, OW - j)
            low, high = min(L, 2 * n), max(0, 2 * n - L)
            fetch(x, a + 2 * j + AHEAD)
            fetch(x, a + W + 2 * j + AHEAD)
            u, v = rload_n(x, a + 2 * j, low), rload_n(x, a + 2 * j + L, high)
            s, t = rload_n(x, a + W + 2 * j, low), rload_n(x, a + W + 2 * j + L, high)
            _store_largest(y, at, o + j, reven(u, v), rodd(u, v), reven(s, t), rodd(s, t), n)


@njit(cache=True)
def to_one_of_four(at: Any, dy: Any, p: int, OH: int, OW: int, dx: Any, H: int, W: int) -> None:
    """dx of plane p, all three flat: forward, y = x[the winner], so dx[the winner] = dy, and 0 elsewhere."""
    L = rlanes(dx)
    if 2 * OH < H or 2 * OW < W:
        dx[p * H * W : (p + 1) * H * W] = 0
    for i in range(OH):
        a, o = (p * H + 2 * i) * W, (p * OH + i) * OW
        for j in range(0, OW, L):
            n = min(L, OW - j)
            fetch(dx, a + 2 * j + AHEAD)
            fetch(dx, a + W + 2 * j + AHEAD)
            g = rload_n(dy, o + j, n)
            store_pairs(dx, a + 2 * j, rroute(at, o + j, 0, g, n), rroute(at, o + j, 1, g, n), n)
            store_pairs(dx, a + W + 2 * j, rroute(at, o + j, 2, g, n), rroute(at, o + j, 3, g, n), n)
