"""Where a convolution's operands lie for `_routed`: images with their channels innermost, kernels row by row."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ..reference.conv2d import Pair
from .simd import lanes, memory, register_lanes, rlanes, turn, vfma, vload_n, vsum, vzero


class Patches(NamedTuple):
    """The integers that the kernels need. All lengths are in elements."""

    C: int
    depth: int  # channels of the bordered image: with dx, as many more as fill registers
    H: int
    W: int
    O: int  # noqa: E741
    KH: int
    KW: int
    PH: int
    PW: int
    top: int
    left: int
    pitch: int  # of a row of the bordered image: its columns times its depth
    rows: int  # of the bordered image
    size: int  # of the bordered image, and room behind it for the last register
    length: int  # of a kernel row in whole registers
    dead: int  # the place that is none


@lru_cache(maxsize=256)
def patches(
    x: tuple[int, ...], W: tuple[int, ...], y: tuple[int, ...], dtype: Any,
    stride: Pair, padding: tuple[Pair, Pair], window: Pair, pool_stride: Pair, pool_dilation: Pair,
    need_dx: bool,
) -> tuple[Patches, Any, Any]:  # fmt: skip
    """The sizes; where each pooling window's first place lies; how far behind it lies the place of a number in `at`.

    In the bordered image, in elements.

    Kept from call to call; nobody writes into them.
    """
    (_, C, H, Wd), (O, _, KH, KW) = x, W  # noqa: E741
    (top, bottom), (left, right) = padding
    whole = register_lanes(dtype)
    depth = -(-C // whole) * whole if need_dx else C
    pitch = (left + Wd + right) * depth
    length = -(-KW * depth // whole) * whole
    size = -(-((top + H + bottom) * pitch + length) // 16) * 16
    row, column = stride[0] * pitch, stride[1] * depth  # from one place of the convolution to the next
    dead = window[0] * window[1]
    place = np.zeros(256, np.int64)  # whatever a byte holds is an index
    rows, columns = np.arange(window[0]) * (pool_dilation[0] * row), np.arange(window[1]) * (pool_dilation[1] * column)
    place[:dead] = np.add.outer(rows, columns).reshape(-1)  # (kh,), (kw,) -> (kh·kw,)
    sizes = Patches(
        C, depth, H, Wd, O, KH, KW, y[2], y[3], top, left, pitch, top + H + bottom, size, length, dead,
    )  # fmt: skip
    windows = np.add.outer(np.arange(y[2]) * (pool_stride[0] * row), np.arange(y[3]) * (pool_stride[1] * column))
    return sizes, windows.reshape(-1), place  # (PH, PW) -> (PH·PW,)


@njit(cache=True)
def channels_inward(x: Any, start: int, out: Any, begin: int, g: Any) -> Any:
    """out[h + top, w + left, c] = x[c, h, w]; the border stays as it is. Returns Σ 0·x: zero, or NaN."""
    L = lanes(x)
    zero = vzero(x)
    check = zero
    size = g.C * g.H * g.W
    for i in range(0, size, L):
        check = vfma(vload_n(x, start + i, min(L, size - i)), zero, check)
    R = rlanes(x)
    for h in range(g.H):
        row = begin + (g.top + h) * g.pitch + g.left * g.depth
        for w in range(0, g.W, R):
            for c in range(0, g.C, R):  # (C, W) -> (W, C)
                turn(x, start + (c * g.H + h) * g.W + w, g.H * g.W, min(R, g.C - c), min(R, g.W - w),
                     out, row + w * g.depth + c, g.depth)  # fmt: skip
    return vsum(check)


@njit(cache=True)
def channels_outward(x: Any, start: int, out: Any, begin: int, g: Any) -> None:
    """out[c, h, w] = x[h + top, w + left, c]."""
    R = rlanes(x)
    for h in range(g.H):
        row = start + (g.top + h) * g.pitch + g.left * g.depth
        for w in range(0, g.W, R):
            for c in range(0, g.C, R):  # (W, C) -> (C, W)
                turn(x, row + w * g.depth + c, g.depth, min(R, g.W - w), min(R, g.C - c),
                     out, begin + (c * g.H + h) * g.W + w, g.H * g.W)  # fmt: skip


@njit(cache=True)
def pack(W: Any, out: Any, g: Any) -> None:
    """(O, C, KH, KW) -> (O, KH, length), with (KW, C) and zeros in a row."""
    out[:] = 0
    source, packed = memory(W), memory(out)
    i = 0
    for o in range(g.O):
        for c in range(g.C):
            for kh in range(g.KH):
                for kw in range(g.KW):
                    packed[(o * g.KH + kh) * g.length + kw * g.depth + c] = source[i]
                    i += 1
