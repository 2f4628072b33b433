"""Average pooling: for each element of the window, one pass along a row of windows. Threads share the planes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from ..backend import kernel
from ..reference import avg_pool2d as reference
from ..workspace import Workspace
from ._flat import is_fast, put_back
from ._slide import images, inside
from ._threads import share, threads


@kernel("cpu")
def avg_pool2d(
    x: Any, y: Any, window: Any, stride: Any, padding: Any, count_include_pad: bool, *, workspace: Workspace
) -> None:
    """y = Σ of each window / count."""
    if not is_fast(x):
        return reference.avg_pool2d(x, y, window, stride, padding, count_include_pad)
    out = images(y, workspace)
    T = min(threads(2 * y.size * window[0] * window[1]), len(out))
    given = images(x, workspace), out, *window, *stride, *padding, count_include_pad
    if T <= 1:
        _forward(0, 1, *given)
    else:
        _forward_parallel(T, *given)
    put_back(out, y)


@kernel("cpu")
def avg_pool2d_backward(
    dy: Any, dx: Any, window: Any, stride: Any, padding: Any, count_include_pad: bool, *, workspace: Workspace
) -> None:
    """dx = Σ dy / count, over the windows that see an element."""
    if not is_fast(dy):
        return reference.avg_pool2d_backward(dy, dx, window, stride, padding, count_include_pad)
    out = images(dx, workspace)
    T = max(1, min(threads(2 * dy.size * window[0] * window[1]), len(out)))
    rows = workspace.take((T, dy.shape[3]), dy.dtype)
    given = images(dy, workspace), out, rows, *window, *stride, *padding, count_include_pad
    if T == 1:
        _backward(0, 1, *given)
    else:
        _backward_parallel(T, *given)
    put_back(out, dx)


@njit(cache=True)
def _count(place: int, extent: int, window: int, step: int, before: int, padded: bool) -> int:
    """By how much a window's extent along one axis divides: what lies inside the image, or the padded image."""
    begin = place * step - before
    end = min(begin + window, extent + before)
    return end - begin if padded else min(end, extent) - max(begin, 0)


@njit(cache=True)
def _forward(t: Any, T: int, x: Any, y: Any, kh: int, kw: int, sh: int, sw: int, ph: int, pw: int,
             padded: bool) -> None:  # fmt: skip
    """Thread t's planes."""
    H, W = x.shape[1:]
    OH, OW = y.shape[1:]
    images, mean = x.reshape(-1), y.reshape(-1)
    p0, p1 = share(t, T, len(y), 1)
    for p in range(p0, p1):
        for i in range(OH):
            out = (p * OH + i) * OW
            for j in range(OW):
                mean[out + j] = 0
            for u in range(kh):
                h = i * sh - ph + u
                if 0 <= h < H:
                    for v in range(kw):
                        start, stop = inside(v - pw, W, OW, sw)
                        _add(images, (p * H + h) * W + v - pw + start * sw, sw, mean, out + start, 1, stop - start)
            height = _count(i, H, kh, sh, ph, padded)
            for j in range(OW):
                mean[out + j] /= height * _count(j, W, kw, sw, pw, padded)


@njit(cache=True)
def _add(x: Any, x_start: int, x_step: int, y: Any, y_start: int, y_step: int, count: int) -> None:
    """y[y_start + j·y_step] += x[x_start + j·x_step] for `count` elements.

    Offsets are unsigned, because a signed one might mean "from the end", and a loop with that doubt runs in no vectors.
    """
    a, b, sa, sb = np.uint64(x_start), np.uint64(y_start), np.uint64(x_step), np.uint64(y_step)
    if x_step == 1 and y_step == 1:
        for j in range(count):
            y[b + np.uint64(j)] += x[a + np.uint64(j)]
    else:
        for j in range(count):
            y[b + np.uint64(j) * sb] += x[a + np.uint64(j) * sa]


@njit(cache=True, parallel=True)
def _forward_parallel(T: int, x: Any, y: Any, kh: int, kw: int, sh: int, sw: int, ph: int, pw: int,
                      padded: bool) -> None:  # fmt: skip
    for t in prange(T):
        _forward(np.int64(t), T, x, y, kh, kw, sh, sw, ph, pw, padded)


@njit(cache=True)
def _backward(t: Any, T: int, dy: Any, dx: Any, rows: Any, kh: int, kw: int, sh: int, sw: int, ph: int, pw: int,
              padded: bool) -> None:  # fmt: skip
    """Thread t's planes."""
    H, W = dx.shape[1:]
    OH, OW = dy.shape[1:]
    images, each = dx.reshape(-1), rows[t]
    p0, p1 = share(t, T, len(dy), 1)
    images[p0 * H * W : p1 * H * W] = 0
    for p in range(p0, p1):
        for i in range(OH):
            # forward: y[i, j] = Σ x / count, so every element of the window gets dy[i, j] / count
            height = _count(i, H, kh, sh, ph, padded)
            for j in range(OW):
                each[j] = dy[p, i, j] / (height * _count(j, W, kw, sw, pw, padded))
            for u in range(kh):
                h = i * sh - ph + u
                if 0 <= h < H:
                    for v in range(kw):
                        start, stop = inside(v - pw, W, OW, sw)
                        _add(each, start, 1, images, (p * H + h) * W + v - pw + start * sw, sw, stop - start)


@njit(cache=True, parallel=True)
def _backward_parallel(T: int, dy: Any, dx: Any, rows: Any, kh: int, kw: int, sh: int, sw: int, ph: int, pw: int,
                       padded: bool) -> None:  # fmt: skip
    for t in prange(T):
        _backward(np.int64(t), T, dy, dx, rows, kh, kw, sh, sw, ph, pw, padded)
