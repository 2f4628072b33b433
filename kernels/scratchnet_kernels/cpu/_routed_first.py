"""dW and db of a 3 × 3 convolution of few channels under a 2 × 2 pooling, where dx is not wanted: a first layer.

With one channel a patch (`_routed`) fills a fifth of its registers, and finding the live positions costs more than
their sums. So lanes are neighbouring windows here. Of x, taken apart into its even and odd rows and columns, the
element under kernel place (kh, kw) and window place (u, v) is a stretch of one part:

    dW[o, c, kh, kw] += Σ_{u, v, i, j} r[u, v, i, j] · x[c, 2i + u + kh, 2j + v + kw]      r = dy where at is (u, v)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from ._parts import split
from ._threads import share
from .simd import memory, rlanes, rload, rload_n, rroute, rzero, vadd, vfma, vstore, vsum


@njit(cache=True)
def _kernel(x: Any, xs: int, row: int, part: int, at: Any, dy: Any, q: int, PH: int, PW: int, sums: Any, s: int) -> Any:
    """The nine sums of one input and one output channel. Returns Σ r, in lanes.

    `row`: the pitch of a part of x, `part`: from an even part to the odd one; the parts of odd rows follow at 2·part.
    """
    L = rlanes(x)
    s00, s01, s02 = rload(sums, s), rload(sums, s + L), rload(sums, s + 2 * L)
    s10, s11, s12 = rload(sums, s + 3 * L), rload(sums, s + 4 * L), rload(sums, s + 5 * L)
    s20, s21, s22 = rload(sums, s + 6 * L), rload(sums, s + 7 * L), rload(sums, s + 8 * L)
    total = rzero(x)
    for i in range(PH):
        for j in range(0, PW, L):
            n = min(L, PW - j)
            d = rload_n(dy, q + j, n)
            a = xs + i * row + j
            # x[c, 2i + h, 2j + w] for h, w in 0 … 3: part (h % 2, w % 2), row i + h // 2, column j + w // 2
            x00, x01, x02, x03 = rload(x, a), rload(x, a + part), rload(x, a + 1), rload(x, a + part + 1)
            a += 2 * part
            x10, x11, x12, x13 = rload(x, a), rload(x, a + part), rload(x, a + 1), rload(x, a + part + 1)
            a += row - 2 * part
            x20, x21, x22, x23 = rload(x, a), rload(x, a + part), rload(x, a + 1), rload(x, a + part + 1)
            a += 2 * part
            x30, x31, x32, x33 = rload(x, a), rload(x, a + part), rload(x, a + 1), rload(x, a + part + 1)
            r = rroute(at, q + j, 0, d, n)
            total = vadd(total, r)
            s00, s01, s02 = vfma(r, x00, s00), vfma(r, x01, s01), vfma(r, x02, s02)
            s10, s11, s12 = vfma(r, x10, s10), vfma(r, x11, s11), vfma(r, x12, s12)
            s20, s21, s22 = vfma(r, x20, s20), vfma(r, x21, s21), vfma(r, x22, s22)
            r = rroute(at, q + j, 1, d, n)
            total = vadd(total, r)
            s00, s01, s02 = vfma(r, x01, s00), vfma(r, x02, s01), vfma(r, x03, s02)
            s10, s11, s12 = vfma(r, x11, s10), vfma(r, x12, s11), vfma(r, x13, s12)
            s20, s21, s22 = vfma(r, x21, s20), vfma(r, x22, s21), vfma(r, x23, s22)
            r = rroute(at, q + j, 2, d, n)
            total = vadd(total, r)
            s00, s01, s02 = vfma(r, x10, s00), vfma(r, x11, s01), vfma(r, x12, s02)
            s10, s11, s12 = vfma(r, x20, s10), vfma(r, x21, s11), vfma(r, x22, s12)
            s20, s21, s22 = vfma(r, x30, s20), vfma(r, x31, s21), vfma(r, x32, s22)
            r = rroute(at, q + j, 3, d, n)
            total = vadd(total, r)
            s00, s01, s02 = vfma(r, x11, s00), vfma(r, x12, s01), vfma(r, x13, s02)
            s10, s11, s12 = vfma(r, x21, s10), vfma(r, x22, s11), vfma(r, x23, s12)
            s20, s21, s22 = vfma(r, x31, s20), vfma(r, x32, s21), vfma(r, x33, s22)
        q += PW
    vstore(sums, s, s00)
    vstore(sums, s + L, s01)
    vstore(sums, s + 2 * L, s02)
    vstore(sums, s + 3 * L, s10)
    vstore(sums, s + 4 * L, s11)
    vstore(sums, s + 5 * L, s12)
    vstore(sums, s + 6 * L, s20)
    vstore(sums, s + 7 * L, s21)
    vstore(sums, s + 8 * L, s22)
    return total


@njit(cache=True)
def run_first(t: Any, T: int, x: Any, at: Any, dy: Any, sums: Any, check: Any, scratch: Any, N: int, g: Any) -> None:
    """Thread t's images: its own sums of dW, nine registers a kernel, and of db, one register a channel."""
    L = rlanes(x)
    xs = t * (len(scratch) // T)
    s = t * (len(sums) // T)
    db = s + g.O * g.C * 9 * L
    part = g.rows * g.pitch
    image, results, winners, gradients = memory(scratch), memory(sums), memory(at), memory(dy)
    scratch[xs + g.C * g.plane : xs + g.size] = 0  # behind the last part: what is not finite there would be summed
    sums[s : s + len(sums) // T] = 0
    zero = finite = rzero(x)  # Σ 0·x and Σ 0·r: zero, or NaN
    n0, n1 = share(t, T, N, 1)
    for n in range(n0, n1):
        begin, size = n * g.C * g.H * g.W, g.C * g.H * g.W
        for i in range(0, size, L):
            finite = vfma(rload_n(x, begin + i, min(L, size - i)), zero, finite)
        split(x, begin, scratch, xs, g)  # (C, H, W) -> (C, 2, 2, rows, pitch)
        for o in range(g.O):
            q = (n * g.O + o) * g.PH * g.PW
            for c in range(g.C):
                total = _kernel(image, xs + c * g.plane, g.pitch, part, winners, gradients, q, g.PH, g.PW,
                                results, s + (o * g.C + c) * 9 * L)  # fmt: skip
                if c == 0:
                    vstore(results, db + o * L, vadd(rload(results, db + o * L), total))
                    finite = vfma(total, zero, finite)
    check[t] = vsum(finite)


@njit(cache=True, parallel=True)
def run_first_parallel(T: int, x: Any, at: Any, dy: Any, sums: Any, check: Any, scratch: Any, N: int, g: Any) -> None:
    for t in prange(T):
        run_first(np.int64(t), T, x, at, dy, sums, check, scratch, N, g)


@njit(cache=True)
def add_up_first(T: int, sums: Any, check: Any, W: Any, dW: Any, db: Any, g: Any) -> bool:
    """dW and db += the threads' sums, in order. False, and nothing added, if x, W or a routed dy is not finite."""
    L = rlanes(W)
    finite = check.sum()
    for i in range(len(W)):
        finite += W[i] * 0
    if np.isnan(finite):
        return False
    size = len(sums) // T
    for i in range(len(dW) + len(db)):
        total = rload(sums, i * L)
        for t in range(1, T):
            total = vadd(total, rload(sums, t * size + i * L))
        if i < len(dW):
            dW[i] += vsum(total)
        else:
            db[i - len(dW)] += vsum(total)
    return True
