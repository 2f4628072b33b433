"""The backward of a convolution under a pooling: sums over the positions that dy is routed to, and no others.

Of a 2 × 2 window one position carries a gradient, and none where the ReLU is dead, so the sparse sums have a fifth of
the terms of the dense ones. Each term is a scalar times a patch of x (for dW) or of W (for dx):

    dW[o, kh, ·] += g · x[row + kh, column : column + KW, all channels]
    dx[row + kh, column : column + KW, all channels] += g · W[o, kh, ·]

An image is laid out with its channels innermost, within its border, so that a row of a patch is one stretch of KW·C
elements. The last register of a stretch may reach into the next patch: W is padded there with zeros, and what such
lanes add to the sums of dW is never read. Where dx is wanted the channels are padded to whole registers, because a load
that overlaps two recent stores has to wait for them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from ._border import total
from ._patches import channels_inward, channels_outward
from ._routed_tiles import channel
from ._threads import share
from .simd import lanes, memory, vadd, vfma, vload_n, vstore_n, vsum, vzero


@njit(cache=True)
def _live(at: Any, dy: Any, q: int, count: int, windows: Any, place: Any, dead: int, where: Any, grad: Any,
          first: int) -> Any:  # fmt: skip
    """The positions that one channel's dy is routed to, and what goes there. Returns where they end."""
    last: Any = first
    for i in range(count):
        won = np.int64(at[q + i])
        where[last] = windows[i] + place[won]
        grad[last] = dy[q + i]
        last += won < dead
    return last


@njit(cache=True)
def run(t: Any, T: int, x: Any, W: Any, at: Any, dy: Any, dx: Any, windows: Any, place: Any,
        sums: Any, check: Any, scratch: Any, where: Any, grad: Any, N: int, g: Any) -> None:  # fmt: skip
    """Thread t's images: its own sums of dW and db, and their part of dx."""
    need_dx = dx.size > 0
    xs = t * (len(scratch) // T)  # where this thread's bordered image begins in scratch, and its dx
    dxs = xs + g.size
    s = t * (len(sums) // T)
    db = s + g.O * g.KH * g.length
    first = t * (len(where) // T)  # where its positions begin
    sums[s : s + len(sums) // T] = 0
    scratch[xs : xs + g.size] = 0
    finite = vsum(vzero(x))
    images, results, weights, routed, grads = memory(scratch), memory(sums), memory(W), memory(where), memory(grad)
    pictures, winners, gradients, origins, places = memory(x), memory(at), memory(dy), memory(windows), memory(place)
    n0, n1 = share(t, T, N, 1)
    for n in range(n0, n1):
        finite += channels_inward(pictures, n * g.C * g.H * g.W, images, xs, g)  # (C, H, W) -> (rows, columns, C)
        if need_dx:
            scratch[dxs : dxs + g.size] = 0
        for o in range(g.O):
            # forward: y[q] = a[the winner], a live one, so da[the winner] += dy[q]:  (PH, PW) -> (live,)
            q = (n * g.O + o) * windows.size
            last = _live(winners, gradients, q, windows.size, origins, places, g.dead, routed, grads, first)
            s_o = total(grads, first, last - first)
            sums[db + o] += s_o
            finite += s_o * 0
            k = o * g.KH * g.length
            channel(images, xs, dxs, weights, results, k, s + k, routed, grads, first, last, need_dx, g)
        if need_dx:
            channels_outward(images, dxs, memory(dx), n * g.C * g.H * g.W, g)  # (rows, columns, C) -> (C, H, W)
    check[t] = finite


@njit(cache=True, parallel=True)
def run_parallel(T: int, x: Any, W: Any, at: Any, dy: Any, dx: Any, windows: Any, place: Any,
                 sums: Any, check: Any, scratch: Any, where: Any, grad: Any, N: int, g: Any) -> None:  # fmt: skip
    for t in prange(T):
        run(np.int64(t), T, x, W, at, dy, dx, windows, place, sums, check, scratch, where, grad, N, g)


@njit(cache=True)
def add_up(T: int, sums: Any, check: Any, W: Any, dW: Any, db: Any, g: Any) -> bool:
    """dW and db += the threads' sums, in order. False, and nothing added, if x, W or a routed dy is not finite."""
    L = lanes(W)
    zero = vzero(W)
    finite = zero
    for i in range(0, len(W), L):
        finite = vfma(vload_n(W, i, min(L, len(W) - i)), zero, finite)
    if np.isnan(check.sum() + vsum(finite)):
        return False
    size = len(sums) // T
    for i in range(0, size, L):
        n = min(L, size - i)
        all_threads = vload_n(sums, i, n)
        for t in range(1, T):
            all_threads = vadd(all_threads, vload_n(sums, t * size + i, n))
        vstore_n(sums, i, all_threads, n)
    source, result = memory(sums), memory(dW)
    i = 0
    for o in range(g.O):
        for c in range(g.C):
            for kh in range(g.KH):
                for kw in range(g.KW):  # (O, KH, KW, C) -> (O, C, KH, KW)
                    result[i] += source[(o * g.KH + kh) * g.length + kw * g.depth + c]
                    i += 1
    for o in range(len(db)):
        db[o] += sums[g.O * g.KH * g.length + o]
    return True
