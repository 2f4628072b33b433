"""Pooling: one number for each window."""

from __future__ import annotations

import numpy as np

from .array import Array, Pair


def along(u: int, extent: int, places: int, stride: int, before: int, dilation: int) -> tuple[slice, slice]:
    """The places at which element u of the window lies inside the image, and where it lies there."""
    offset = u * dilation - before
    first = max(0, -(offset // stride))
    stop = max(first, min(places, (extent - 1 - offset) // stride + 1))
    start = first * stride + offset
    return slice(first, stop), slice(start, max(0, start + (stop - first - 1) * stride + 1), stride)


def inside(
    u: int, v: int, x_size: Pair, y_size: Pair, stride: Pair, padding: Pair, dilation: Pair = (1, 1)
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """For element (u, v) of the window: what of y sees it inside the image, and what of x is seen there."""
    rows = along(u, x_size[0], y_size[0], stride[0], padding[0], dilation[0])
    columns = along(v, x_size[1], y_size[1], stride[1], padding[1], dilation[1])
    return (slice(None), slice(None), rows[0], columns[0]), (slice(None), slice(None), rows[1], columns[1])


def max_pool2d(
    x: Array, y_size: Pair, window: Pair, stride: Pair, padding: Pair = (0, 0), dilation: Pair = (1, 1)
) -> tuple[Array, Array]:
    """y = max of x over the window at each place; at = u·kw + v, the element (u, v) that won."""
    shape = *x.shape[:2], *y_size
    y, at, unseen = np.zeros(shape, x.dtype), np.zeros(shape, np.int64), np.ones(shape, bool)
    for u in range(window[0]):
        for v in range(window[1]):
            out, seen = inside(u, v, (x.shape[2], x.shape[3]), y_size, stride, padding, dilation)
            wins = unseen[out] | (x[seen] > y[out]) | np.isnan(x[seen])
            y[out] = np.where(wins, x[seen], y[out])
            at[out] = np.where(wins, u * window[1] + v, at[out])
            unseen[out] = False
    return y, at


def max_pool2d_backward(
    at: Array,
    dy: Array,
    dx_size: Pair,
    window: Pair,
    stride: Pair,
    padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
) -> Array:
    """dx = Σ dy over the windows that x won."""
    dx = np.zeros((*dy.shape[:2], *dx_size), dy.dtype)
    for u in range(window[0]):
        for v in range(window[1]):
            out, seen = inside(u, v, dx_size, (dy.shape[2], dy.shape[3]), stride, padding, dilation)
            dx[seen] += np.where(at[out] == u * window[1] + v, dy[out], 0)
    return dx


def counts(x_size: Pair, y_size: Pair, window: Pair, stride: Pair, padding: Pair, count_include_pad: bool) -> Array:
    """How many elements of each window count: (OH, OW)."""
    both = []
    for axis in (0, 1):
        begin = np.arange(y_size[axis]) * stride[axis] - padding[axis]
        end = np.minimum(begin + window[axis], x_size[axis] + padding[axis])
        if not count_include_pad:
            begin, end = np.maximum(begin, 0), np.minimum(end, x_size[axis])
        both.append(end - begin)
    return np.multiply.outer(both[0], both[1])


def avg_pool2d(
    x: Array, y_size: Pair, window: Pair, stride: Pair, padding: Pair = (0, 0), count_include_pad: bool = True
) -> Array:
    """y = Σ of x over the window at each place / how many elements count."""
    total, x_size = np.zeros((*x.shape[:2], *y_size), x.dtype), (x.shape[2], x.shape[3])
    for u in range(window[0]):
        for v in range(window[1]):
            out, seen = inside(u, v, x_size, y_size, stride, padding)
            total[out] += x[seen]
    return (total / counts(x_size, y_size, window, stride, padding, count_include_pad)).astype(x.dtype)


def avg_pool2d_backward(
    dy: Array,
    dx_size: Pair,
    window: Pair,
    stride: Pair,
    padding: Pair = (0, 0),
    count_include_pad: bool = True,
) -> Array:
    """dx = Σ of dy / count over the windows that see it."""
    y_size = (dy.shape[2], dy.shape[3])
    share = dy / counts(dx_size, y_size, window, stride, padding, count_include_pad)
    dx = np.zeros((*dy.shape[:2], *dx_size), dy.dtype)
    for u in range(window[0]):
        for v in range(window[1]):
            out, seen = inside(u, v, dx_size, y_size, stride, padding)
            dx[seen] += share[out]
    return dx


def global_avg_pool2d(x: Array) -> Array:
    """y = Σ x / (H·W): (N, C, H, W) -> (N, C)."""
    return x.sum(axis=(2, 3)) / (x.shape[2] * x.shape[3])


def global_avg_pool2d_backward(dy: Array, dx_size: Pair) -> Array:
    """Of y = Σ x / (H·W): dx = dy / (H·W), everywhere: (N, C) -> (N, C, H, W)."""
    dx = dy / (dx_size[0] * dx_size[1])
    return np.broadcast_to(dx[:, :, None, None], (*dy.shape, *dx_size))
