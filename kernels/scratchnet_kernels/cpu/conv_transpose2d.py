"""ConvTranspose2d on the tiles of Conv2d: the forward is that convolution's dx, the backward its forward and its dW."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from ..backend import kernel
from ..reference import conv_transpose2d as reference
from ..reference.conv2d import Pair
from ..workspace import Workspace
from ._border import ONE, border, total
from ._conv2d_backward import image_dx
from ._conv_layout import layout
from ._flat import ABSENT, flat, is_fast, put_back
from ._threads import share, threads
from .conv2d import conv2d, conv2d_backward


@kernel("cpu")
def conv_transpose2d(
    x: Any, W: Any, b: Any, y: Any,
    stride: Pair, padding: tuple[Pair, Pair], dilation: Pair, groups: int, *, workspace: Workspace,
) -> None:  # fmt: skip
    """y = b + Σ W x, every x going to the places that the convolution from y to x would sum it from.

    The zeros around x meet elements of W; where one of those is not finite (0·∞ is NaN), the reference takes over.
    """
    weights = flat(W, workspace) if is_fast(x) else W
    if not is_fast(x) or not _is_finite(weights):
        return reference.conv_transpose2d(x, W, b, y, stride, padding, dilation, groups)
    # g and the tables call x of the convolution what is y here, and dy what is x here
    g, tables = layout(y.shape, W.shape, stride, padding, dilation, groups, True, True)
    parts = max(1, min(len(x), threads(2 * x.size * W[0].size)))
    out = flat(y, workspace)
    arguments = (
        flat(x, workspace),
        weights,
        ABSENT[x.dtype] if b is None else flat(b, workspace),
        out,
        workspace.take((parts * (g.dy_size + g.dx_size),), x.dtype),
        *tables[2:],
        len(x),
        g,
    )
    if parts == 1:
        _forward(0, 1, *arguments)
    else:
        _forward_parallel(parts, *arguments)
    put_back(out, y)


@njit(cache=True)
def _forward(part: Any, parts: int, x: Any, W: Any, b: Any, y: Any, scratch: Any,
             dx_phase: Any, dx_w_k: Any, dx_dy_k: Any, N: int, g: Any) -> None:  # fmt: skip
    """One thread's images."""
    bordered = part * (g.dy_size + g.dx_size)  # where this thread's x within zeros begins in scratch, and a phase of y
    work = bordered + g.dy_size
    K = g.C // g.groups * g.taps  # elements of W[c]
    n0, n1 = share(part, parts, N, 1)
    for n in range(n0, n1):
        # (C, H, W) -> (C, rows, pitch)
        border(x, n * g.O * g.OH * g.OW, g.O, g.OH, g.OW, g.dy_top, g.dy_left, ONE, ONE,
               ONE, ONE, g.dy_rows, g.pitch, scratch, bordered)  # fmt: skip
        # (C, rows, pitch) -> (O, OH, OW)
        image_dx(W, scratch, bordered, work, y, n * g.C * g.H * g.W, dx_phase, dx_w_k, dx_dy_k, K, g)
        for o in range(b.size):
            start = (n * g.C + o) * g.H * g.W
            for i in range(start, start + g.H * g.W):
                y[i] += b[o]


@njit(cache=True, parallel=True)
def _forward_parallel(parts: int, x: Any, W: Any, b: Any, y: Any, scratch: Any,
                      dx_phase: Any, dx_w_k: Any, dx_dy_k: Any, N: int, g: Any) -> None:  # fmt: skip
    for part in prange(parts):
        _forward(np.int64(part), parts, x, W, b, y, scratch, dx_phase, dx_w_k, dx_dy_k, N, g)


@kernel("cpu")
def conv_transpose2d_backward(
    x: Any, W: Any, dy: Any, dW: Any, db: Any, dx: Any,
    stride: Pair, padding: tuple[Pair, Pair], dilation: Pair, groups: int, *, workspace: Workspace,
) -> None:  # fmt: skip
    """Of y = Aᵀx + b, with x = A y the convolution: dx = A dy, dW as A's for the input dy and the cotangent x."""
    if not is_fast(x):
        return reference.conv_transpose2d_backward(x, W, dy, dW, db, dx, stride, padding, dilation, groups)
    settings = stride, padding, dilation, groups
    conv2d_backward(dy, W, x, dW, None, None, *settings, workspace=workspace)
    if db is not None:
        out = flat(db, workspace)
        _add_db(flat(dy, workspace), out, len(dy), dy.shape[2] * dy.shape[3])
        put_back(out, db)
    if dx is not None:
        conv2d(dy, W, None, dx, *settings, workspace=workspace)  # (N, O, OH, OW) -> (N, C, H, W)


@njit(cache=True)
def _add_db(dy: Any, db: Any, N: int, P: int) -> None:
    """db[o] += Σ dy[n, o, p] over n and p, summed apart so that a large db costs the sum no digits."""
    for o in range(db.size):
        s = 0.0
        for n in range(N):
            s += total(dy, (n * db.size + o) * P, P)
        db[o] += s


@njit(cache=True, fastmath={"reassoc", "contract"})
def _is_finite(x: Any) -> bool:
    """Whether no element is infinite or NaN."""
    s = x.dtype.type(0)
    for i in range(x.size):
        s += x[i] * x.dtype.type(0)
    return not np.isnan(s)
