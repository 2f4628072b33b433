"""The backward of Conv2d: threads' own sums of dW and db, dx phase by phase, and the sums added up."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from ._border import ONE, spread, total, within
from ._conv_rows import rows_product
from ._dots import dots
from ._products import product
from ._threads import share
from .simd import lanes, vadd, vfma, vload_n, vstore_n, vsum, vzero


@njit(cache=True)
def run(t: Any, T: int, x: Any, W: Any, dy: Any, dx: Any, sums: Any, check: Any, scratch: Any,
              w_k: Any, x_k: Any, dx_phase: Any, dx_w_k: Any, dx_dy_k: Any, table: Any,
              N: int, batch: int, with_db: bool, g: Any) -> None:  # fmt: skip
    """Thread t's images: its own sums of dW and db, and their part of dx."""
    Og, Cg, K = g.O // g.groups, g.C // g.groups, len(x_k)
    xs = t * (
        batch * (g.x_size + g.dy_size) + g.dx_size
    )  # where this thread's bordered images begin in scratch, their dy, and one dx
    dys = xs + batch * g.x_size
    dxs = dys + batch * g.dy_size
    dW = t * (len(sums) // T)
    db = dW + g.O * K
    x_plane = g.x_phases_h * g.x_phases_w * g.x_rows * g.pitch
    dy_plane = g.dy_rows * g.pitch
    inside = g.dy_top * g.pitch + g.dy_left
    positions = (g.OH - 1) * g.pitch + g.OW
    sums[dW : db + g.O] = 0
    scratch[xs:dxs] = 0
    finite = vsum(vzero(x))
    n0, n1 = share(t, T, N, 1)
    for n in range(n0, n1, batch):
        count = min(batch, n1 - n)
        for j in range(count):
            # (C, H, W) -> (C, phases, x_rows, pitch);  (O, OH, OW) -> (O, dy_rows, pitch)
            finite += within(x, (n + j) * g.C * g.H * g.W, g.C, g.H, g.W, g.top, g.left, g.sh, g.sw,
                             g.x_phases_h, g.x_phases_w, g.x_rows, g.pitch, scratch, xs + j * g.x_size)  # fmt: skip
            within(dy, (n + j) * g.O * g.OH * g.OW, g.O, g.OH, g.OW, g.dy_top, g.dy_left, ONE, ONE,
                   ONE, ONE, g.dy_rows, g.pitch, scratch, dys + j * g.dy_size)  # fmt: skip
            for o in range(g.O if with_db else 0):
                sums[db + o] += total(dy, ((n + j) * g.O + o) * g.OH * g.OW, g.OH * g.OW)
        for group in range(g.groups):
            # forward: y += W x, so dW += dy xᵀ:  (n, Og, OH*pitch), (n, Cg*KH*KW, OH*pitch) -> (Og, Cg*KH*KW)
            dots(scratch, dys + group * Og * dy_plane + inside, g.dy_size, dy_plane,
                 scratch, xs + group * Cg * x_plane, g.x_size, x_k, count, positions,
                 sums, dW + group * Og * K, K, Og, K)  # fmt: skip
        if dx.size > 0:
            for j in range(count):
                begin = (n + j) * g.C * g.H * g.W
                if table.size == 0:
                    image_dx(W, scratch, dys + j * g.dy_size, dxs, dx, begin, dx_phase, dx_w_k, dx_dy_k, K, g)
                    continue
                for group in range(g.groups):
                    # forward: y += W x, so dx = Wᵀ dy:  (Cg, Og*KH*KW), (Og*KH*KW, OH*pitch) -> (Cg, H*W)
                    here = dys + j * g.dy_size + group * Og * dy_plane
                    rows_product(W, group * Og * K, g.taps, dx_w_k, scratch, here, dx_dy_k, table,
                                 dx, begin + group * Cg * g.H * g.W, g.H * g.W, Cg, sums[:0], 0)  # fmt: skip
    check[t] = finite


@njit(cache=True)
def image_dx(W: Any, scratch: Any, dy: int, work: int, dx: Any, begin: int,
             dx_phase: Any, dx_w_k: Any, dx_dy_k: Any, K: int, g: Any) -> None:  # fmt: skip
    """dx of one image, phase by phase of the stride. `dy` and `work` are places in scratch, `begin` one in dx.

    Also the forward of a transposed convolution.
    """
    Og, Cg = g.O // g.groups, g.C // g.groups
    plane = g.dx_rows * g.pitch
    positions = plane - g.pitch + g.dx_columns
    if g.sh * g.sw > 1:
        dx[begin : begin + g.C * g.H * g.W] = 0  # the phases that no kernel element sees
    for phase in range(g.sh * g.sw):
        k0, k1 = dx_phase[phase], dx_phase[phase + 1]
        if k0 == k1:
            continue
        scratch[work : work + g.C * plane] = 0
        for group in range(g.groups):
            # forward: y += W x, so dx = Wᵀ dy:  (Cg, k), (k, dx_rows*pitch) -> (Cg, dx_rows*pitch)
            product(W, group * Og * K, g.taps, dx_w_k[k0:k1], scratch, dy + group * Og * g.dy_rows * g.pitch,
                    dx_dy_k[k0:k1], k1 - k0, scratch, work + group * Cg * plane, plane, Cg, positions)  # fmt: skip
        # the first row and column of the phase that lie within x and not in its border
        h, w = phase // g.sw - g.top % g.sh, phase % g.sw - g.left % g.sw
        i, j = 1 if h < 0 else 0, 1 if w < 0 else 0
        h, w = h + i * g.sh, w + j * g.sw
        for c in range(g.C):
            spread(scratch, work + c * plane + i * g.pitch + j, g.pitch, -((h - g.H) // g.sh), -((w - g.W) // g.sw),
                   dx, begin + (c * g.H + h) * g.W + w, g.sh * g.W, g.sw)  # fmt: skip


@njit(cache=True, parallel=True)
def run_parallel(T: int, x: Any, W: Any, dy: Any, dx: Any, sums: Any, check: Any, scratch: Any,
                       w_k: Any, x_k: Any, dx_phase: Any, dx_w_k: Any, dx_dy_k: Any, table: Any,
                       N: int, batch: int, with_db: bool, g: Any) -> None:  # fmt: skip
    for t in prange(T):
        run(np.int64(t), T, x, W, dy, dx, sums, check, scratch, w_k, x_k, dx_phase, dx_w_k, dx_dy_k, table,
            N, batch, with_db, g)  # fmt: skip


@njit(cache=True)
def add_up(T: int, sums: Any, check: Any, W: Any, dW: Any, db: Any) -> bool:
    """dW and db += the threads' sums, in order. False, and nothing added, if x or W is not finite."""
    L = lanes(W)
    zero = vzero(W)
    finite = vzero(W)
    for i in range(0, len(W), L):
        finite = vfma(vload_n(W, i, min(L, len(W) - i)), zero, finite)
    if np.isnan(check.sum() + vsum(finite)):
        return False
    size = len(sums) // T
    for i in range(0, len(W), L):
        n = min(L, len(W) - i)
        s = zero
        for t in range(T):
            s = vadd(s, vload_n(sums, t * size + i, n))
        vstore_n(dW, i, vadd(vload_n(dW, i, n), s), n)
    for o in range(len(db)):
        s_o = vsum(zero)
        for t in range(T):
            s_o += sums[t * size + len(W) + o]
        db[o] += s_o
    return True
