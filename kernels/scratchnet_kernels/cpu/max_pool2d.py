"""Max pooling. Threads share the planes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit, prange

from ..backend import kernel
from ..reference import max_pool2d as reference
from ..workspace import Workspace
from ._flat import is_fast, put_back
from ._quarters import largest_of_four, to_one_of_four
from ._slide import images
from ._threads import share, threads


@kernel("cpu")
def max_pool2d(
    x: Any, y: Any, at: Any, window: Any, stride: Any, padding: Any, dilation: Any, *, workspace: Workspace
) -> None:
    """y = the largest of each window, at = where it lies in it."""
    if not is_fast(x):
        return reference.max_pool2d(x, y, at, window, stride, padding, dilation)
    out, won = images(y, workspace), images(at, workspace)
    T = min(threads(2 * y.size * window[0] * window[1]), len(out))
    if T <= 1:
        _forward(0, 1, images(x, workspace), out, won, *window, *stride, *padding, *dilation)
    else:
        _forward_parallel(T, images(x, workspace), out, won, *window, *stride, *padding, *dilation)
    put_back(out, y)
    put_back(won, at)


@njit(cache=True, error_model="numpy")
def _forward(t: Any, T: int, x: Any, y: Any, at: Any, kh: int, kw: int, sh: int, sw: int, ph: int, pw: int,
             dh: int, dw: int) -> None:  # fmt: skip
    """Thread t's planes."""
    H, W = x.shape[1:]
    OH, OW = y.shape[1:]
    p0, p1 = share(t, T, len(y), 1)
    if kh == kw == sh == sw == 2 and dh == dw == 1 and ph == pw == 0 and 2 * OH <= H and 2 * OW <= W:
        flat_x, flat_y, flat_at = x.reshape(-1), y.reshape(-1), at.reshape(-1)
        for p in range(p0, p1):
            largest_of_four(flat_x, p, H, W, flat_y, flat_at, OH, OW)
        return
    images = x.reshape(-1)
    for p in range(p0, p1):
        for i in range(OH):
            h = i * sh - ph
            u0, u1 = _inside(h, H, kh, dh)
            for j in range(OW):
                w = j * sw - pw
                v0, v1 = _inside(w, W, kw, dw)
                y[p, i, j], at[p, i, j] = _largest(images, (p * H + h) * W + w, dh * W, dw, u0, u1, v0, v1, kw)


@njit(cache=True, error_model="numpy")
def _inside(begin: int, extent: int, window: int, dilation: int) -> tuple[int, int]:
    """The elements [first, stop) of a window that lie inside the image."""
    first, stop = 0, window
    if begin < 0:
        first = -(begin // dilation)
    if begin + (window - 1) * dilation >= extent:
        stop = (extent - 1 - begin) // dilation + 1
    return first, stop


@njit(cache=True)
def _largest(x: Any, start: int, row: int, step: int, u0: int, u1: int, v0: int, v1: int, kw: int) -> tuple[Any, int]:
    """The largest x[start + u·row + v·step] and its u·kw + v; the first of the window if none exceeds -inf."""
    largest, place = x.dtype.type(-np.inf), u0 * kw + v0
    for u in range(u0, u1):
        for v in range(v0, v1):
            value = x[start + u * row + v * step]
            wins = (value > largest) | (value != value)
            largest, place = (value if wins else largest), (u * kw + v if wins else place)
    return largest, place


@njit(cache=True, parallel=True)
def _forward_parallel(T: int, x: Any, y: Any, at: Any, kh: int, kw: int, sh: int, sw: int, ph: int, pw: int,
                      dh: int, dw: int) -> None:  # fmt: skip
    for t in prange(T):
        _forward(np.int64(t), T, x, y, at, kh, kw, sh, sw, ph, pw, dh, dw)


@kernel("cpu")
def max_pool2d_backward(
    at: Any, dy: Any, dx: Any, window: Any, stride: Any, padding: Any, dilation: Any, *, workspace: Workspace
) -> None:
    """dx[the winner] += dy."""
    if not is_fast(dy):
        return reference.max_pool2d_backward(at, dy, dx, window, stride, padding, dilation)
    out, won, given = images(dx, workspace), images(at, workspace), images(dy, workspace)
    offset = _offsets(window, dilation, dx.shape[3])
    T = min(threads(dx.size + 4 * dy.size), len(out))
    if T <= 1:
        _backward(0, 1, won, given, out, offset, *stride, *padding)
    else:
        _backward_parallel(T, won, given, out, offset, *stride, *padding)
    put_back(out, dx)


@lru_cache(maxsize=256)
def _offsets(window: tuple[int, int], dilation: tuple[int, int], width: int) -> np.ndarray[Any, Any]:
    """How far each element of a window lies behind the first, in an image of that width. Nobody writes into it."""
    rows, columns = np.arange(window[0]) * (dilation[0] * width), np.arange(window[1]) * dilation[1]
    return np.add.outer(rows, columns).reshape(-1)  # (kh,), (kw,) -> (kh·kw,)


@njit(cache=True)
def _is_quarter(offset: Any, W: int) -> bool:
    """Whether the window is 2 × 2 without gaps, in an image W wide."""
    return bool(offset.size == 4 and offset[1] == 1 and offset[2] == W and offset[3] == W + 1)


@njit(cache=True)
def _backward(t: Any, T: int, at: Any, dy: Any, dx: Any, offset: Any, sh: int, sw: int, ph: int, pw: int) -> None:
    """Thread t's planes."""
    H, W = dx.shape[1:]
    OH, OW = dy.shape[1:]
    p0, p1 = share(t, T, len(dy), 1)
    if sh == sw == 2 and ph == pw == 0 and 2 * OH <= H and 2 * OW <= W and _is_quarter(offset, W):
        flat_at, flat_dy, flat_dx = at.reshape(-1), dy.reshape(-1), dx.reshape(-1)
        for p in range(p0, p1):
            to_one_of_four(flat_at, flat_dy, p, OH, OW, flat_dx, H, W)
        return
    for p in range(p0, p1):
        image = dx[p].reshape(-1)
        image[:] = 0
        for i in range(OH):
            first, won, given = (i * sh - ph) * W - pw, at[p, i], dy[p, i]
            for j in range(OW):
                # forward: y[i, j] = x[the winner], so dx[the winner] += dy[i, j]
                place = np.int64(won[j])
                if 0 <= place < offset.size:  # no memory outside the image, whatever `at` holds
                    position = first + j * sw + offset[place]
                    if 0 <= position < H * W:
                        image[position] += given[j]


@njit(cache=True, parallel=True)
def _backward_parallel(T: int, at: Any, dy: Any, dx: Any, offset: Any, sh: int, sw: int, ph: int, pw: int) -> None:
    for t in prange(T):
        _backward(np.int64(t), T, at, dy, dx, offset, sh, sw, ph, pw)
