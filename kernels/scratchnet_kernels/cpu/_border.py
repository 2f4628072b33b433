"""Images into a border of zeros, one row after another at a pitch, and back out of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ._fetch import AHEAD, fetch, fetch_register
from ._pairs import store_every_second
from .simd import lanes, reven, rlanes, rload_n, rzero, vadd, vbroadcast, vfma, vload_n, vstore_n, vsum, vzero

ONE: Any = np.int64(1)  # for a stride of 1: Numba would compile a function once more for a literal


@njit(cache=True)
def border(x: Any, start: int, C: int, H: int, W: int, top: int, left: int, sh: int, sw: int,
           phases_h: int, phases_w: int, rows: int, pitch: int, out: Any, begin: int) -> Any:  # fmt: skip
    """One image within zeros, taken apart into the phases of the stride.

    out[c, ph, pw, q, v] = x[c, q·sh + ph − top, v·sw + pw − left], 0 where x has no such element. Returns Σ 0·x: zero,
    or NaN if an element is not finite.
    """
    out[begin : begin + C * phases_h * phases_w * rows * pitch] = 0
    return within(x, start, C, H, W, top, left, sh, sw, phases_h, phases_w, rows, pitch, out, begin)


@njit(cache=True)
def within(x: Any, start: int, C: int, H: int, W: int, top: int, left: int, sh: int, sw: int,
           phases_h: int, phases_w: int, rows: int, pitch: int, out: Any, begin: int) -> Any:  # fmt: skip
    """`border` where the zeros stand already, left by the image before. Writes the image alone."""
    L = rlanes(x)
    zero = rzero(x)
    check = rzero(x)
    rest = vsum(zero)
    for ph in range(phases_h):
        q0 = max(0, (top - ph + sh - 1) // sh)
        q1 = min(rows, (H - 1 + top - ph) // sh + 1)
        for pw in range(phases_w):
            v0 = max(0, (left - pw + sw - 1) // sw)
            count = max(0, (W - 1 + left - pw) // sw + 1 - v0)
            for c in range(C):
                for q in range(q0, q1):
                    a = start + (c * H + q * sh + ph - top) * W + v0 * sw + pw - left
                    o = begin + (((c * phases_h + ph) * phases_w + pw) * rows + q) * pitch + v0
                    if sw == 1:
                        for v in range(0, count, L):
                            n = min(L, count - v)
                            fetch_register(x, a + v + AHEAD)
                            values = rload_n(x, a + v, n)
                            check = vfma(values, zero, check)
                            vstore_n(out, o + v, values, n)
                    elif sw == 2:
                        for v in range(0, count, L):
                            n = min(L, count - v)
                            fetch(x, a + 2 * v + AHEAD)
                            left_over = 2 * n - 1  # elements of x from the first to the last
                            low, high = min(L, left_over), max(0, left_over - L)
                            values = reven(rload_n(x, a + 2 * v, low), rload_n(x, a + 2 * v + L, high))
                            check = vfma(values, zero, check)
                            vstore_n(out, o + v, values, n)
                    else:
                        for v in range(np.uint64(count)):
                            value = x[np.uint64(a) + v * np.uint64(sw)]
                            rest += value - value
                            out[np.uint64(o) + v] = value
    return vsum(check) + rest


@njit(cache=True)
def spread(source: Any, start: int, pitch: int, rows: int, columns: int,
           out: Any, begin: int, row_step: int, step: int) -> None:  # fmt: skip
    """out[begin + i·row_step + j·step] = source[start + i·pitch + j] for i < rows, j < columns."""
    L = rlanes(source)
    for i in range(rows):
        a = start + i * pitch
        c = begin + i * row_step
        if step == 1:
            for j in range(0, columns, L):
                n = min(L, columns - j)
                vstore_n(out, c + j, rload_n(source, a + j, n), n)
        elif step == 2:
            for j in range(0, columns, L):
                n = min(L, columns - j)
                store_every_second(out, c + 2 * j, rload_n(source, a + j, n), n)
        else:
            for j in range(np.uint64(columns)):  # unsigned: a signed index might mean "from the end"
                out[np.uint64(c) + j * np.uint64(step)] = source[np.uint64(a) + j]


@njit(cache=True)
def fill(out: Any, begin: int, size: int, value: Any, i: int) -> None:
    """out[begin : begin + size] = value[i], or 0 if `value` is absent."""
    L = lanes(out)
    x = vzero(out)
    if value.size > 0:
        x = vbroadcast(value, i)
    for p in range(0, size, L):
        vstore_n(out, begin + p, x, min(L, size - p))


@njit(cache=True)
def total(x: Any, start: int, size: int) -> Any:
    """Σ x[start : start + size]."""
    L = lanes(x)
    s = vzero(x)
    for p in range(0, size, L):
        s = vadd(s, vload_n(x, start + p, min(L, size - p)))
    return vsum(s)
