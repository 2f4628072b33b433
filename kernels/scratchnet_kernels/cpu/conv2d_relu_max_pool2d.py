"""Conv2d, ReLU and max pooling in one go: a few channels are computed, and pooled while they are in the cache."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from ..backend import kernel
from ..reference import conv2d_relu_max_pool2d as reference
from ..reference.conv2d import Pair
from ..workspace import Workspace
from ._border import border
from ._conv_layout import layout
from ._flat import ABSENT, flat, is_fast, put_back
from ._parts import parts
from ._pooled import run, run_parallel
from ._products import ROWS
from ._threads import share, threads
from .conv2d import products
from .max_pool2d import _inside, _largest
from .simd import register_lanes

HIDDEN_BYTES = 1 << 15  # outputs of the convolution that are computed before they are pooled: what the L1 cache holds


@kernel("cpu")
def conv2d_relu_max_pool2d(
    x: Any, W: Any, b: Any, y: Any, at: Any,
    stride: Pair, padding: tuple[Pair, Pair], dilation: Pair, groups: int,
    window: Pair, pool_stride: Pair, pool_padding: Pair, pool_dilation: Pair, *, workspace: Workspace,
) -> None:  # fmt: skip
    """y = the largest of each window of max(conv2d(x), 0), at = where it lies in it, kh·kw where y is not positive."""
    if not is_fast(x):
        return reference.conv2d_relu_max_pool2d(
            x, W, b, y, at, stride, padding, dilation, groups, window, pool_stride, pool_padding, pool_dilation
        )
    _, _, OH, OW = reference.hidden_shape(x.shape, W.shape, stride, padding, dilation)
    T = threads(2 * len(x) * OH * OW * W.size)
    out, won = flat(y, workspace), flat(at, workspace)
    inside = 2 * y.shape[2] <= OH and 2 * y.shape[3] <= OW and pool_padding == (0, 0)
    if inside and stride == pool_dilation == (1, 1) and window == pool_stride == (2, 2):
        _pooled(x, W, b, out, won, y.shape, T, (padding, dilation, groups), workspace)
    else:
        _any(x, W, b, out, won, y.shape, T, (stride, padding, dilation, groups),
             (*window, *pool_stride, *pool_padding, *pool_dilation), workspace)  # fmt: skip
    put_back(out, y)
    put_back(won, at)


def _pooled(x: Any, W: Any, b: Any, y: Any, at: Any, shape: Any, T: int, settings: Any, workspace: Workspace) -> None:
    """The usual pooling, 2 × 2 windows side by side."""
    g, begin = parts(x.shape, W.shape, shape, x.dtype, *settings)
    arguments = (
        flat(x, workspace),
        flat(W, workspace),
        ABSENT[x.dtype] if b is None else flat(b, workspace),
        y,
        at,
        workspace.take((T * (g.size + 4 * g.O * register_lanes(x.dtype)),), x.dtype),
        begin,
        len(x),
        g,
    )
    if T == 1:
        run(0, 1, *arguments)
    else:
        run_parallel(T, *arguments)


def _any(
    x: Any, W: Any, b: Any, y: Any, at: Any, shape: Any, T: int, settings: Any, pool: Any, workspace: Workspace
) -> None:
    """Windows of any kind: a few channels of the convolution are computed, and then pooled."""
    g, tables = layout(x.shape, W.shape, *settings, False, False)
    plane = g.OH * g.pitch
    channels = min(-(-g.O // ROWS), max(2, HIDDEN_BYTES // (ROWS * plane * x.itemsize))) * ROWS
    arguments = (
        flat(x, workspace),
        flat(W, workspace),
        ABSENT[x.dtype] if b is None else flat(b, workspace),
        y,
        at,
        workspace.take((T * (g.x_size + -(-channels * plane // 16) * 16),), x.dtype),
        tables.w_k,
        tables.x_k,
        len(x),
        channels,
        g,
        shape[2:],
        pool,
    )
    if T == 1:
        _forward(0, 1, *arguments)
    else:
        _forward_parallel(T, *arguments)


@njit(cache=True, error_model="numpy")
def _forward(t: Any, T: int, x: Any, W: Any, b: Any, y: Any, at: Any, scratch: Any, w_k: Any, x_k: Any, N: int,
             channels: int, g: Any, places: Any, pool: Any) -> None:  # fmt: skip
    """Thread t's part of y: some of the images, or some of the channels of an image where images are few."""
    splits = 1 if N >= T else -(-T // max(N, 1))
    first, last = share(t, T, N * splits, 1)
    xs = t * (len(scratch) // T)  # where this thread's bordered image begins in scratch, and its outputs
    ys = xs + g.x_size
    plane = g.OH * g.pitch
    PH, PW = places
    for item in range(first, last):
        n = item // splits
        o0, o1 = share(item % splits, splits, g.O, ROWS)
        if item == first or item % splits == 0:
            # (C, H, W) -> (C, phases, x_rows, pitch)
            border(x, n * g.C * g.H * g.W, g.C, g.H, g.W, g.top, g.left, g.sh, g.sw,
                   g.x_phases_h, g.x_phases_w, g.x_rows, g.pitch, scratch, xs)  # fmt: skip
        for o in range(o0, o1, channels):
            stop = min(o1, o + channels)
            products(W, b, scratch, xs, ys, o, stop, w_k, x_k, g)  # (C, ...) -> (stop - o, OH, pitch)
            for c in range(o, stop):
                a = ys + (c - o) * plane
                q = (n * g.O + c) * PH * PW
                _pool(scratch, a, g, y, at, q, PH, PW, pool)


@njit(cache=True, error_model="numpy")
def _pool(a: Any, begin: int, g: Any, y: Any, at: Any, q: int, PH: int, PW: int, pool: Any) -> None:
    """Windows of any kind. A NaN of the convolution wins as it does in max_pool2d."""
    kh, kw, sh, sw, ph, pw, dh, dw = pool
    zero = a.dtype.type(0)
    for i in range(PH):
        h = i * sh - ph
        u0, u1 = _inside(h, g.OH, kh, dh)
        for j in range(PW):
            w = j * sw - pw
            v0, v1 = _inside(w, g.OW, kw, dw)
            largest, place = _largest(a, begin + h * g.pitch + w, dh * g.pitch, dw, u0, u1, v0, v1, kw)
            y[q] = zero if largest <= zero else largest
            at[q] = place if largest > zero else kh * kw
            q += 1


@njit(cache=True, parallel=True)
def _forward_parallel(T: int, x: Any, W: Any, b: Any, y: Any, at: Any, scratch: Any, w_k: Any, x_k: Any, N: int,
                      channels: int, g: Any, places: Any, pool: Any) -> None:  # fmt: skip
    for t in prange(T):
        _forward(np.int64(t), T, x, W, b, y, at, scratch, w_k, x_k, N, channels, g, places, pool)
