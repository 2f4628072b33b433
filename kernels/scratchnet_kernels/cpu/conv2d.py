"""Conv2d on register tiles: every kernel size, stride, border, dilation and number of groups on the same two products.

`_conv_layout` says where the operands lie. A thread takes whole images; its sums of dW and db are its own and are
added up in the order of the threads, so that a result depends on their number but on nothing else.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from ..backend import kernel
from ..reference import conv2d as reference
from ..reference.conv2d import Pair
from ..workspace import Workspace
from ._border import ONE, fill, spread, within
from ._conv2d_backward import add_up, run, run_parallel
from ._conv_layout import layout
from ._conv_rows import columns, rows_product
from ._flat import ABSENT, flat, is_fast, put_back
from ._products import ROWS, product
from ._threads import share, threads
from .simd import register_lanes

BATCH_BYTES = 1 << 18  # bordered images of one thread whose dW is summed in one go: a part of the L2 cache
SUMS_BYTES = 1 << 27  # what the threads' own sums of dW may take together


@kernel("cpu")
def conv2d(
    x: Any, W: Any, b: Any, y: Any,
    stride: Pair, padding: tuple[Pair, Pair], dilation: Pair, groups: int, *, workspace: Workspace,
) -> None:  # fmt: skip
    """y[n, o, r, s] = b[o] + Σ W[o, c, kh, kw] xp[n, c, r·sh + kh·dh, s·sw + kw·dw]."""
    if not is_fast(x):
        return reference.conv2d(x, W, b, y, stride, padding, dilation, groups)
    g, tables = layout(x.shape, W.shape, stride, padding, dilation, groups, False, False)
    T = threads(2 * y.size * len(tables.x_k))
    out, lanes = flat(y, workspace), register_lanes(x.dtype)
    arguments = (
        flat(x, workspace),
        flat(W, workspace),
        ABSENT[x.dtype] if b is None else flat(b, workspace),
        out,
        workspace.take((T * (g.x_size + g.y_size) + lanes,), x.dtype),  # a register may reach beyond the last row
        tables.w_k,
        tables.x_k,
        columns(g.OH, g.OW, g.pitch, lanes),
        len(x),
        g,
    )
    if T == 1:
        _forward(0, 1, *arguments)
    else:
        _forward_parallel(T, *arguments)
    put_back(out, y)


@njit(cache=True)
def _forward(t: Any, T: int, x: Any, W: Any, b: Any, y: Any, scratch: Any, w_k: Any, x_k: Any, table: Any,
             N: int, g: Any) -> None:  # fmt: skip
    """Thread t's part of y: some of the images, or some of the channels of an image where images are few."""
    splits = 1 if N >= T else -(-T // max(N, 1))
    first, last = share(t, T, N * splits, 1)
    xs = t * (g.x_size + g.y_size)  # where this thread's bordered image begins in scratch, and its outputs
    ys = xs + g.x_size
    y_plane = g.OH * g.pitch
    scratch[xs:ys] = 0
    for item in range(first, last):
        n = item // splits
        o0, o1 = share(item % splits, splits, g.O, ROWS)
        if item == first or item % splits == 0:
            # (C, H, W) -> (C, phases, x_rows, pitch)
            within(x, n * g.C * g.H * g.W, g.C, g.H, g.W, g.top, g.left, g.sh, g.sw,
                   g.x_phases_h, g.x_phases_w, g.x_rows, g.pitch, scratch, xs)  # fmt: skip
        if table.size > 0:
            _products_in_place(W, b, scratch, xs, o0, o1, w_k, x_k, table, y, n * g.O * g.OH * g.OW, g)
            continue
        products(W, b, scratch, xs, ys + o0 * y_plane, o0, o1, w_k, x_k, g)  # (C, ...) -> (o1 - o0, OH, pitch)
        for o in range(o0, o1):
            # (OH, pitch) -> (OH, OW)
            spread(scratch, ys + o * y_plane, g.pitch, g.OH, g.OW, y, (n * g.O + o) * g.OH * g.OW, g.OW, ONE)


@njit(cache=True)
def _products_in_place(W: Any, b: Any, scratch: Any, x: int, o0: int, o1: int, w_k: Any, x_k: Any, table: Any,
                       y: Any, begin: int, g: Any) -> None:  # fmt: skip
    """The output channels [o0, o1) of one image, to their places in y. `x`: where the bordered image lies."""
    Og, Cg, K = g.O // g.groups, g.C // g.groups, len(x_k)
    x_plane = g.x_phases_h * g.x_phases_w * g.x_rows * g.pitch
    for group in range(g.groups):
        a, c = max(o0, group * Og), min(o1, (group + 1) * Og)
        # y = b + W x:  (c - a, Cg*KH*KW), (Cg*KH*KW, OH*pitch) -> (c - a, OH*OW)
        rows_product(W, a * K, K, w_k, scratch, x + group * Cg * x_plane, x_k, table,
                     y, begin + a * g.OH * g.OW, g.OH * g.OW, c - a, b, a)  # fmt: skip


@njit(cache=True)
def products(W: Any, b: Any, scratch: Any, x: int, y: int, o0: int, o1: int, w_k: Any, x_k: Any, g: Any) -> None:
    """The output channels [o0, o1) of one image, at a pitch. `x`: where the bordered image lies, `y`: channel o0."""
    Og, Cg, K = g.O // g.groups, g.C // g.groups, len(x_k)
    x_plane = g.x_phases_h * g.x_phases_w * g.x_rows * g.pitch
    y_plane = g.OH * g.pitch
    positions = y_plane - g.pitch + g.OW
    for o in range(o0, o1):
        fill(scratch, y + (o - o0) * y_plane, positions, b, o)
    for group in range(g.groups):
        a, c = max(o0, group * Og), min(o1, (group + 1) * Og)
        # y += W x:  (c - a, Cg*KH*KW), (Cg*KH*KW, OH*pitch) -> (c - a, OH*pitch)
        product(W, a * K, K, w_k, scratch, x + group * Cg * x_plane, x_k, K,
                scratch, y + (a - o0) * y_plane, y_plane, max(c - a, 0), positions)  # fmt: skip


@njit(cache=True, parallel=True)
def _forward_parallel(T: int, x: Any, W: Any, b: Any, y: Any, scratch: Any, w_k: Any, x_k: Any, table: Any,
                      N: int, g: Any) -> None:  # fmt: skip
    for t in prange(T):
        _forward(np.int64(t), T, x, W, b, y, scratch, w_k, x_k, table, N, g)


@kernel("cpu")
def conv2d_backward(
    x: Any, W: Any, dy: Any, dW: Any, db: Any, dx: Any,
    stride: Pair, padding: tuple[Pair, Pair], dilation: Pair, groups: int, *, workspace: Workspace,
) -> None:  # fmt: skip
    """dW += Σ dy xp, db += Σ dy, dx = Σ W dy: each sum over the places where the forward met the factor.

    The zeros around dy meet elements of x and W that the exact sums leave out. That changes nothing unless x or W
    holds an infinity or NaN (0·∞ is NaN); the reference takes over then.
    """
    if not is_fast(x):
        return reference.conv2d_backward(x, W, dy, dW, db, dx, stride, padding, dilation, groups)
    N, absent = len(x), ABSENT[x.dtype]
    g, tables = layout(x.shape, W.shape, stride, padding, dilation, groups, True, dx is not None)
    batch = max(1, min(N, BATCH_BYTES // ((g.x_size + g.dy_size) * x.itemsize)))
    T = threads((2 if dx is None else 4) * dy.size * len(tables.x_k))
    T = max(1, min(T, N, SUMS_BYTES // ((W.size + g.O) * x.itemsize)))
    results: Any = [absent if array is None else flat(array, workspace) for array in (dW, db, dx)]
    inputs = flat(x, workspace), flat(W, workspace), flat(dy, workspace)
    sums = workspace.take((T * (W.size + g.O),), x.dtype)
    check = workspace.take((T,), x.dtype)
    lanes = register_lanes(x.dtype)  # a register may reach beyond the last row
    scratch = workspace.take((T * (batch * (g.x_size + g.dy_size) + g.dx_size) + lanes,), x.dtype)
    in_place = columns(g.H, g.W, g.pitch, lanes) if stride == (1, 1) else columns(0, 0, 1, lanes)
    arguments = (*inputs, results[2], sums, check, scratch, *tables, in_place, N, batch, db is not None, g)
    if T == 1:
        run(0, 1, *arguments)
    else:
        run_parallel(T, *arguments)
    if not add_up(T, sums, check, inputs[1], results[0], results[1]):
        return reference.conv2d_backward(x, W, dy, dW, db, dx, stride, padding, dilation, groups)
    for flattened, array in zip(results, (dW, db, dx), strict=True):
        if array is not None:
            put_back(flattened, array)
