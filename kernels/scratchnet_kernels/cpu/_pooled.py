"""Conv2d, ReLU and 2 × 2 pooling on registers whose lanes are neighbouring windows (`_parts`).

a[o, u, v, p] = b[o] + Σₖ W[o, k] part[k, u, v][p]       k = (c, kh, kw), p = i·pitch + j
y[o, i, j] = max(a[o, 0, 0], a[o, 0, 1], a[o, 1, 0], a[o, 1, 1], 0)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from ._parts import split
from ._threads import share
from .simd import (
    memory,
    rbroadcast,
    rlanes,
    rlargest,
    rload,
    rrelu,
    rstore_place,
    rstore_range,
    rzero,
    vadd,
    vfma,
    vstore,
)

BLOCK = 128  # k in one sweep, about: four parts of them, one register wide, stay in the L1 cache


@njit(cache=True)
def _sums(W: Any, w: int, w1: int, w2: int, w3: int, x: Any, xs: int, begin: Any, k0: int, k1: int,
          a: Any, s: int, s1: int, s2: int, s3: int) -> None:  # fmt: skip
    """a[four channels, the four places, a register of windows] += Σ W[channel, k] part[k, place] for k0 ≤ k < k1."""
    L = rlanes(x)
    if k0 > 0:
        a0, a1, a2, a3 = rload(a, s), rload(a, s + L), rload(a, s + 2 * L), rload(a, s + 3 * L)
        b0, b1, b2, b3 = rload(a, s1), rload(a, s1 + L), rload(a, s1 + 2 * L), rload(a, s1 + 3 * L)
        c0, c1, c2, c3 = rload(a, s2), rload(a, s2 + L), rload(a, s2 + 2 * L), rload(a, s2 + 3 * L)
        d0, d1, d2, d3 = rload(a, s3), rload(a, s3 + L), rload(a, s3 + 2 * L), rload(a, s3 + 3 * L)
    else:
        a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = c0 = c1 = c2 = c3 = d0 = d1 = d2 = d3 = rzero(x)
    for k in range(k0, k1):
        x0, x1 = rload(x, xs + begin[4 * k]), rload(x, xs + begin[4 * k + 1])
        x2, x3 = rload(x, xs + begin[4 * k + 2]), rload(x, xs + begin[4 * k + 3])
        v = rbroadcast(W, w + k)
        a0, a1, a2, a3 = vfma(v, x0, a0), vfma(v, x1, a1), vfma(v, x2, a2), vfma(v, x3, a3)
        v = rbroadcast(W, w1 + k)
        b0, b1, b2, b3 = vfma(v, x0, b0), vfma(v, x1, b1), vfma(v, x2, b2), vfma(v, x3, b3)
        v = rbroadcast(W, w2 + k)
        c0, c1, c2, c3 = vfma(v, x0, c0), vfma(v, x1, c1), vfma(v, x2, c2), vfma(v, x3, c3)
        v = rbroadcast(W, w3 + k)
        d0, d1, d2, d3 = vfma(v, x0, d0), vfma(v, x1, d1), vfma(v, x2, d2), vfma(v, x3, d3)
    vstore(a, s, a0)
    vstore(a, s + L, a1)
    vstore(a, s + 2 * L, a2)
    vstore(a, s + 3 * L, a3)
    vstore(a, s1, b0)
    vstore(a, s1 + L, b1)
    vstore(a, s1 + 2 * L, b2)
    vstore(a, s1 + 3 * L, b3)
    vstore(a, s2, c0)
    vstore(a, s2 + L, c1)
    vstore(a, s2 + 2 * L, c2)
    vstore(a, s2 + 3 * L, c3)
    vstore(a, s3, d0)
    vstore(a, s3 + L, d1)
    vstore(a, s3 + 2 * L, d2)
    vstore(a, s3 + 3 * L, d3)


@njit(cache=True)
def _pool(a: Any, s: int, b: Any, o: int, y: Any, at: Any, q: int, p: int, used: int, row: int, g: Any) -> None:
    """The windows from p to below p + used of one channel, b[o] added if there is one (o ≥ 0).

    `row`: that of window p, `q`: where the channel's y begins.
    """
    L = rlanes(a)
    q0, q1, q2, q3 = rload(a, s), rload(a, s + L), rload(a, s + 2 * L), rload(a, s + 3 * L)
    if o >= 0:
        bias = rbroadcast(b, o)
        q0, q1, q2, q3 = vadd(q0, bias), vadd(q1, bias), vadd(q2, bias), vadd(q3, bias)
    largest = rlargest(q0, q1, q2, q3)
    relu = rrelu(largest)
    low = 0
    while low < used and row < g.PH:  # a row of windows after the other
        j = p + low - row * g.pitch
        high = min(low + g.PW - j, used)
        rstore_range(y, q + row * g.PW + j - low, relu, low, high)
        rstore_place(at, q + row * g.PW + j - low, largest, q0, q1, q2, q3, low, high)
        low += g.pitch - j
        row += 1


@njit(cache=True, error_model="numpy")
def run(t: Any, T: int, x: Any, W: Any, b: Any, y: Any, at: Any, scratch: Any, begin: Any, N: int, g: Any) -> None:
    """Thread t's part of y: some of the images, or some of the channels of an image where images are few."""
    L = rlanes(x)
    weights, image, table = memory(W), memory(scratch), memory(begin)
    result, places, biases = memory(y), memory(at), memory(b)
    splits = 1 if N >= T else -(-T // max(N, 1))
    first, last = share(t, T, N * splits, 1)
    xs = t * (len(scratch) // T)  # where this thread's bordered image begins in scratch, and its sums
    a = xs + g.size
    windows = g.PH * g.pitch - g.pitch + g.PW  # with those between two rows
    by_rows = -(-windows // L) >= g.PH * (-(-g.PW // L))  # no more registers, and none of them holds two rows
    blocks = max(1, (g.K + BLOCK // 2) // BLOCK)
    Og, Cg = g.O // g.groups, g.C // g.groups
    for item in range(first, last):
        n = item // splits
        o0, o1 = share(item % splits, splits, g.O, 4)
        if item == first or item % splits == 0:
            split(x, n * g.C * g.H * g.W, scratch, xs, g)  # (C, H, W) -> (C, 2, 2, rows, pitch)
        p = 0
        while p < windows:
            row = p // g.pitch
            used = min(L, row * g.pitch + g.PW - p) if by_rows else L
            for block in range(blocks):
                k0, k1 = block * g.K // blocks, (block + 1) * g.K // blocks
                o = o0
                while o < o1:
                    group = o // Og
                    end = min(o1, group * Og + Og) - 1
                    o_1, o_2, o_3 = min(o + 1, end), min(o + 2, end), min(o + 3, end)
                    _sums(weights, o * g.K, o_1 * g.K, o_2 * g.K, o_3 * g.K, image, xs + group * Cg * g.plane + p,
                          table, k0, k1, image, a + (o - o0) * 4 * L, a + (o_1 - o0) * 4 * L,
                          a + (o_2 - o0) * 4 * L, a + (o_3 - o0) * 4 * L)  # fmt: skip
                    o = o_3 + 1
            for o in range(o0, o1):
                _pool(image, a + (o - o0) * 4 * L, biases, o if b.size > 0 else -1, result, places,
                      (n * g.O + o) * g.PH * g.PW, p, used, row, g)  # fmt: skip
            p += used
            if by_rows and p == row * g.pitch + g.PW:
                p = (row + 1) * g.pitch


@njit(cache=True, parallel=True)
def run_parallel(T: int, x: Any, W: Any, b: Any, y: Any, at: Any, scratch: Any, begin: Any, N: int, g: Any) -> None:
    for t in prange(T):
        run(np.int64(t), T, x, W, b, y, at, scratch, begin, N, g)
