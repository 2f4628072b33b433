"""Batch normalisation: a channel is a run of rows (n, c), or, where every row has one element, a column.

Sums take two passes over a stretch of a row, first the mean and then the squares about it, and are joined in float64:
exact however far the mean lies from zero. Threads share the channels.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, prange

from ..backend import kernel
from ..reference import batch_norm as reference
from ..workspace import Workspace
from ._flat import put_back
from ._moments import fast, or_absent, planes, scaled, squares, total
from ._planes import STRETCH, put, rows, scaled_plane, shifted_squares, shifted_sum
from ._threads import share, threads


@kernel("cpu")
def batch_norm(
    x: Any, gamma: Any, beta: Any, running_mean: Any, running_var: Any,
    y: Any, mean: Any, rstd: Any, new_mean: Any, new_var: Any, eps: float, momentum: float,
    *, workspace: Workspace,
) -> None:  # fmt: skip
    """y = gamma·(x - mean)·rstd + beta, and the running statistics moved on."""
    running = running_mean, running_var, new_mean, new_var
    if not fast(x, mean, rstd):
        return reference.batch_norm(
            x, gamma, beta, running_mean, running_var, y, mean, rstd, new_mean, new_var, eps, momentum
        )
    out = planes(y, x, workspace)
    given = planes(x, x, workspace), or_absent(gamma, x), or_absent(beta, x), *running, out, mean, rstd
    T = max(1, min(threads(10 * x.size), x.shape[1]))
    if out.shape[2] == 1:
        _forward_columns(*given, float(eps), float(momentum))
    elif T == 1:
        _forward(0, 1, *given, rows(T, x, workspace), float(eps), float(momentum))
    else:
        _forward_parallel(T, *given, rows(T, x, workspace), float(eps), float(momentum))
    put_back(out, y)


@njit(cache=True, error_model="numpy")
def _settle(c: int, count: int, running_mean: Any, running_var: Any, new_mean: Any, new_var: Any,
            mean: Any, rstd: Any, square: float, eps: float, momentum: float) -> None:  # fmt: skip
    """rstd of channel c from its sum of squares, and the running statistics from both."""
    rstd[c] = 1 / math.sqrt(square / count + eps)
    new_mean[c] = (1 - momentum) * running_mean[c] + momentum * mean[c]
    new_var[c] = (1 - momentum) * running_var[c] + momentum * square / (count - 1)


@njit(cache=True, error_model="numpy")
def _moments(x: Any, c: int, N: int, C: int, P: int, spread: Any) -> tuple[float, float]:
    """The mean of channel c and Σ (x - mean)², joined stretch by stretch (Chan, Golub & LeVeque 1983, eq. 2.1)."""
    count, mean, square = 0, 0.0, 0.0
    for n in range(N):
        for i in range(0, P, STRETCH):
            m, a = min(STRETCH, P - i), (n * C + c) * P + i
            put(spread, 0, -np.float64(x[a]))
            near = x[a] + np.float64(shifted_sum(x, a, m, spread, C * P)) / m  # the mean of the stretch
            put(spread, 0, -near)
            about = near + np.float64(spread[0])  # what rounding to the element type took from it
            here = shifted_squares(x, a, m, spread) - about * about * m
            away, whole = near - mean, count + m
            mean += away * m / whole
            square += here + away * away * count * m / whole
            count = whole
    return mean, square


@njit(cache=True, error_model="numpy")
def _forward(t: Any, T: int, x: Any, gamma: Any, beta: Any, running_mean: Any, running_var: Any, new_mean: Any,
             new_var: Any, y: Any, mean: Any, rstd: Any, spread: Any, eps: float, momentum: float) -> None:  # fmt: skip
    """Thread t's channels. A channel stays in the cache from pass to pass."""
    N, C, P = x.shape
    c0, c1 = share(t, T, C, 1)
    values, out, spread = x.reshape(-1), y.reshape(-1), spread[t]
    for c in range(c0, c1):
        mean[c], square = _moments(values, c, N, C, P, spread)
        fits = np.isfinite(square)  # if not: no number, or one too large to be squared in its own type
        if not fits:
            mean[c], square = _wide_moments(x, c)
        _settle(c, N * P, running_mean, running_var, new_mean, new_var, mean, rstd, square, eps, momentum)
        scale = rstd[c] * gamma[c] if gamma.size > 0 else rstd[c]
        shift = np.float64(beta[c]) if beta.size > 0 else 0.0
        put(spread, 0, -mean[c])
        put(spread, 1, scale)
        put(spread, 2, shift - (mean[c] + np.float64(spread[0])) * scale)
        for n in range(N):
            if fits:
                scaled_plane(values, (n * C + c) * P, P, spread, out, C * P)
            else:
                scaled(x[n, c], mean[c], scale, shift, y[n, c])


@njit(cache=True, error_model="numpy")
def _wide_moments(x: Any, c: int) -> tuple[float, float]:
    """`_moments` in float64 throughout."""
    N, _, P = x.shape
    s = 0.0
    for n in range(N):
        s += total(x[n, c])
    mean = s / (N * P)
    s = 0.0
    for n in range(N):
        s += squares(x[n, c], mean)
    return mean, s


@njit(cache=True, parallel=True)
def _forward_parallel(T: int, x: Any, gamma: Any, beta: Any, running_mean: Any, running_var: Any, new_mean: Any,
                      new_var: Any, y: Any, mean: Any, rstd: Any, spread: Any,
                      eps: float, momentum: float) -> None:  # fmt: skip
    for t in prange(T):
        _forward(np.int64(t), T, x, gamma, beta, running_mean, running_var, new_mean, new_var, y, mean, rstd, spread,
                 eps, momentum)  # fmt: skip


@njit(cache=True, error_model="numpy")
def _forward_columns(x: Any, gamma: Any, beta: Any, running_mean: Any, running_var: Any, new_mean: Any, new_var: Any,
                     y: Any, mean: Any, rstd: Any, eps: float, momentum: float) -> None:  # fmt: skip
    """Rows of one element: vectors run along the channels."""
    N, C, _ = x.shape
    mean[:] = 0
    for n in range(N):
        for c in range(C):
            mean[c] += x[n, c, 0]
    for c in range(C):
        mean[c] /= N
    rstd[:] = 0  # holds the sums of squares until they are settled
    for n in range(N):
        for c in range(C):
            d = x[n, c, 0] - mean[c]
            rstd[c] += d * d
    for c in range(C):
        _settle(c, N, running_mean, running_var, new_mean, new_var, mean, rstd, rstd[c], eps, momentum)
    _scale_columns(x, gamma, beta, y, mean, rstd)


@njit(cache=True)
def _scale_columns(x: Any, gamma: Any, beta: Any, y: Any, mean: Any, rstd: Any) -> None:
    for n in range(x.shape[0]):
        if gamma.size > 0:
            for c in range(x.shape[1]):
                y[n, c, 0] = (x[n, c, 0] - mean[c]) * (rstd[c] * gamma[c]) + beta[c]
        else:
            for c in range(x.shape[1]):
                y[n, c, 0] = (x[n, c, 0] - mean[c]) * rstd[c]


@kernel("cpu")
def batch_norm_eval(
    x: Any, gamma: Any, beta: Any, running_mean: Any, running_var: Any, y: Any, mean: Any, rstd: Any, eps: float,
    *, workspace: Workspace,
) -> None:  # fmt: skip
    """y = gamma·(x - mean)·rstd + beta with the running statistics."""
    if not fast(x, mean, rstd):
        return reference.batch_norm_eval(x, gamma, beta, running_mean, running_var, y, mean, rstd, eps)
    out = planes(y, x, workspace)
    given = or_absent(gamma, x), or_absent(beta, x), running_mean, running_var
    _eval(planes(x, x, workspace), *given, out, mean, rstd, float(eps))
    put_back(out, y)


@njit(cache=True, error_model="numpy")
def _eval(x: Any, gamma: Any, beta: Any, running_mean: Any, running_var: Any, y: Any, mean: Any, rstd: Any,
          eps: float) -> None:  # fmt: skip
    N, C, P = x.shape
    for c in range(C):
        mean[c] = running_mean[c]
        rstd[c] = 1 / math.sqrt(running_var[c] + eps)
    if P == 1:
        _scale_columns(x, gamma, beta, y, mean, rstd)
        return
    for n in range(N):
        for c in range(C):
            scale = rstd[c] * gamma[c] if gamma.size > 0 else rstd[c]
            shift = np.float64(beta[c]) if beta.size > 0 else 0.0
            scaled(x[n, c], mean[c], scale, shift, y[n, c])
