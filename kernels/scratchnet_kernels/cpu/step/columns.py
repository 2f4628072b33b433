"""Large dense layers on single samples: W is kept turned, (I, O), so that only what meets a non-zero of x is read.

A row of W is bound by the memory it comes from, and a picture is mostly background: of 784 pixels some 150 are not 0.
Turned, the weights of one input lie together, and those of a 0 are neither read nor changed. It pays where many steps
are made in one call, for W is turned before the first and turned back after the last.

0·W is 0 only where W is finite, so a bound on |W| is carried along; behind it every input counts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ..simd import (
    lanes,
    vadd,
    vbroadcast,
    vfma,
    vload,
    vload_n,
    vmax,
    vmul,
    vpeak,
    vsplat,
    vstore,
    vstore_n,
    vsum,
    vzero,
)
from .rows import add_rows, dense_row

STEPS = 64  # in a call, from which on it pays to turn W
LARGE = 16384  # elements of W, likewise
BOUND, COUNT, LARGEST = 0, 1, 2  # what is known of W and x: float64 (3,)
SIDE = 16  # of the squares in which a matrix is turned


@njit(cache=True)
def turn(W: Any, turned: Any) -> None:
    """turned = Wᵀ: (O, I) -> (I, O)."""
    O, I = W.shape  # noqa: E741
    for o0 in range(0, O, SIDE):
        for i0 in range(0, I, SIDE):
            for o in range(o0, min(O, o0 + SIDE)):
                for i in range(i0, min(I, i0 + SIDE)):
                    turned[i, o] = W[o, i]


@njit(cache=True)
def magnitude(x: Any) -> Any:
    """The largest |x|, infinite where an element is infinite or NaN."""
    x = x.reshape(-1)
    L = lanes(x)
    lost = top = zero = vzero(x)
    minus = vsplat(x, x.dtype.type(-1))
    for i in range(0, x.size, L):
        v = vload_n(x, i, min(L, x.size - i))
        lost = vfma(v, zero, lost)
        top = vmax(vmax(v, vmul(v, minus)), top)
    return np.float64(vpeak(top)) if vsum(lost) == 0 else np.inf


@njit(cache=True)
def meet(x: Any, known: Any, found: Any) -> None:
    """Which inputs count: `found` begins with them, known[COUNT] says how many they are, known[LARGEST] the largest."""
    L, count = lanes(x), 0
    minus = vsplat(x, x.dtype.type(-1))
    lost = top = zero = vzero(x)
    for i in range(0, x.size, L):
        stop = min(x.size, i + L)
        v = vload(x, i) if stop == i + L else vload_n(x, i, stop - i)
        sizes = vmax(v, vmul(v, minus))
        lost = vfma(v, zero, lost)
        top = vmax(sizes, top)
        if vpeak(sizes) > 0:
            for n in range(i, stop):
                found[count] = n
                count += x[n] != 0
    known[LARGEST] = vpeak(top) if vsum(lost) == 0 else np.inf
    if not known[BOUND] < np.inf or not known[LARGEST] < np.inf:
        for n in range(x.size):
            found[n] = n
        count = x.size
    known[COUNT] = count


@njit(cache=True)
def dense_columns(x: Any, b: Any, y: Any, W: Any, known: Any, found: Any) -> None:
    """y = x W + b for x (1, I), W (I, O), y (1, O). known[BOUND] is no less than any |W|."""
    x, y, O = x.reshape(-1), y.reshape(-1), W.shape[1]  # noqa: E741
    meet(x, known, found)
    for o in range(O):
        y[o] = b[o] if b.size > 0 else 0
    add_rows(x, found, np.int64(known[COUNT]), W.reshape(-1), y)


@njit(cache=True)
def descend_columns(x: Any, b: Any, dy: Any, dx: Any, lr: Any, W: Any, known: Any, found: Any) -> None:
    """dx = dy Wᵀ, then W -= lr·xᵀ dy and b -= lr·dy, for x (1, I), dy (1, O), behind dense_columns on the same x.

    Each product is rounded as the layers round it.
    """
    I, O = W.shape  # noqa: E741
    if dx.size > 0:
        dense_row(dy, W, b[:0], dx, O, I)  # dx[i] = Σ dy[o] W[i, o], as in a layer of I units
    x, W, dy, L = x.reshape(-1), W.reshape(-1), dy.reshape(-1), lanes(x)
    steepest = magnitude(dy)
    known[BOUND] = _bound(known[BOUND] + np.float64(lr) * steepest * known[LARGEST])
    if known[BOUND] == np.inf:  # 0·dy may be no 0
        meet(x, known, found)
    count, zero, r, o = np.int64(known[COUNT]), vzero(x), vsplat(x, -lr), 0
    while o + 4 * L <= O:
        d0, d1, d2, d3 = vload(dy, o), vload(dy, o + L), vload(dy, o + 2 * L), vload(dy, o + 3 * L)
        for j in range(count):
            i = found[j]
            v, w = vbroadcast(x, i), i * O + o
            vstore(W, w, vadd(vload(W, w), vfma(r, vfma(v, d0, zero), zero)))
            vstore(W, w + L, vadd(vload(W, w + L), vfma(r, vfma(v, d1, zero), zero)))
            vstore(W, w + 2 * L, vadd(vload(W, w + 2 * L), vfma(r, vfma(v, d2, zero), zero)))
            vstore(W, w + 3 * L, vadd(vload(W, w + 3 * L), vfma(r, vfma(v, d3, zero), zero)))
        o += 4 * L
    while o < O:
        m = min(L, O - o)
        d = vload_n(dy, o, m)
        for j in range(count):
            i = found[j]
            w = i * O + o
            vstore_n(W, w, vadd(vload_n(W, w, m), vfma(r, vfma(vbroadcast(x, i), d, zero), zero)), m)
        o += m
    for o in range(b.size):
        b[o] -= lr * dy[o]


@njit(cache=True)
def _bound(bound: Any) -> Any:
    """A bound, with room for rounding; infinite where W may become infinite, or NaN."""
    return bound * (1 + 1e-6) if bound < 1e30 else np.inf
