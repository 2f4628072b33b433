"""The backward of batch normalisation, in training and in evaluation. Threads share the channels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from ..backend import kernel
from ..reference import batch_norm as reference
from ..workspace import Workspace
from ._flat import put_back
from ._moments import fast, or_absent, planes, product_with, projected, scaled, total
from ._planes import STRETCH, projected_plane, put, rows, sum_and_product
from ._threads import share, threads


@kernel("cpu")
def batch_norm_backward(
    x: Any, gamma: Any, mean: Any, rstd: Any, dy: Any, dgamma: Any, dbeta: Any, dx: Any, *, workspace: Workspace
) -> None:
    """dgamma += Σ dy·xhat, dbeta += Σ dy, dx = gamma·rstd·(dy - Σ dy / M - xhat·Σ(dy·xhat) / M)."""
    if not fast(x, mean, rstd):
        return reference.batch_norm_backward(x, gamma, mean, rstd, dy, dgamma, dbeta, dx)
    _run(True, x, gamma, mean, rstd, dy, dgamma, dbeta, dx, workspace)


@kernel("cpu")
def batch_norm_eval_backward(
    x: Any, gamma: Any, mean: Any, rstd: Any, dy: Any, dgamma: Any, dbeta: Any, dx: Any, *, workspace: Workspace
) -> None:
    """dgamma += Σ dy·xhat, dbeta += Σ dy, dx = gamma·rstd·dy."""
    if not fast(x, mean, rstd):
        return reference.batch_norm_eval_backward(x, gamma, mean, rstd, dy, dgamma, dbeta, dx)
    _run(False, x, gamma, mean, rstd, dy, dgamma, dbeta, dx, workspace)


def _run(of_batch: bool, x: Any, gamma: Any, mean: Any, rstd: Any, dy: Any, dgamma: Any, dbeta: Any, dx: Any,
         workspace: Workspace) -> None:  # fmt: skip
    out = planes(dx, x, workspace)
    given = planes(x, x, workspace), or_absent(gamma, x), mean, rstd, planes(dy, x, workspace)
    results = or_absent(dgamma, x), or_absent(dbeta, x), out
    T = max(1, min(threads(10 * x.size), x.shape[1]))
    if given[0].shape[2] == 1:
        _columns(of_batch, *given, *results, workspace.take((2, x.shape[1]), np.float64))
    elif T == 1:
        _backward(0, 1, of_batch, *given, *results, rows(T, x, workspace))
    else:
        _backward_parallel(T, of_batch, *given, *results, rows(T, x, workspace))
    if dx is not None:
        put_back(out, dx)


@njit(cache=True, error_model="numpy")
def _backward(t: Any, T: int, of_batch: bool, x: Any, gamma: Any, mean: Any, rstd: Any, dy: Any,
              dgamma: Any, dbeta: Any, dx: Any, spread: Any) -> None:  # fmt: skip
    """Thread t's channels."""
    N, C, P = x.shape
    c0, c1 = share(t, T, C, 1)
    values, given, out, spread = x.reshape(-1), dy.reshape(-1), dx.reshape(-1), spread[t]
    for c in range(c0, c1):
        # forward: y = gamma·xhat + beta with xhat = (x - mean)·rstd, so dgamma += Σ dy·xhat and dbeta += Σ dy
        put(spread, 0, -mean[c])
        rest = mean[c] + np.float64(spread[0])  # what rounding to the element type took from the mean
        s, s_xhat = 0.0, 0.0
        for n in range(N):
            for i in range(0, P, STRETCH):
                a = (n * C + c) * P + i
                s_here, product_here = sum_and_product(values, given, a, min(STRETCH, P - i), spread, C * P)
                s += s_here
                s_xhat += product_here
        s_xhat -= rest * s
        fits = np.isfinite(s) and np.isfinite(s_xhat)  # if not: no numbers, or too large ones for their own type
        if not fits:
            s, s_xhat = _wide_sums(x, c, mean[c], dy)
        s_xhat *= rstd[c]
        if dgamma.size > 0:
            dgamma[c] += s_xhat
            dbeta[c] += s
        if dx.size == 0:
            continue
        scale = rstd[c] * gamma[c] if gamma.size > 0 else rstd[c]
        # dx = gamma·rstd·(dy - Σ dy / M - xhat·Σ(dy·xhat) / M), or gamma·rstd·dy
        shift, slope = 0.0, 0.0
        if of_batch:
            shift, slope = scale * s / (N * P), scale * s_xhat / (N * P) * rstd[c]
        put(spread, 1, -slope)
        put(spread, 2, slope * rest - shift)
        put(spread, 3, scale)
        for n in range(N):
            if not of_batch:
                scaled(dy[n, c], 0.0, scale, 0.0, dx[n, c])
            elif fits:
                projected_plane(values, given, (n * C + c) * P, P, spread, out, C * P)
            else:
                projected(x[n, c], mean[c], dy[n, c], scale, shift, slope, dx[n, c])


@njit(cache=True)
def _wide_sums(x: Any, c: int, mean: float, dy: Any) -> tuple[float, float]:
    """(Σ dy, Σ dy·(x - mean)) of channel c, in float64 throughout."""
    s, product = 0.0, 0.0
    for n in range(len(x)):
        s += total(dy[n, c])
        product += product_with(x[n, c], mean, dy[n, c])
    return s, product


@njit(cache=True, parallel=True)
def _backward_parallel(T: int, of_batch: bool, x: Any, gamma: Any, mean: Any, rstd: Any, dy: Any,
                       dgamma: Any, dbeta: Any, dx: Any, spread: Any) -> None:  # fmt: skip
    for t in prange(T):
        _backward(np.int64(t), T, of_batch, x, gamma, mean, rstd, dy, dgamma, dbeta, dx, spread)


@njit(cache=True, error_model="numpy")
def _columns(of_batch: bool, x: Any, gamma: Any, mean: Any, rstd: Any, dy: Any, dgamma: Any, dbeta: Any, dx: Any,
             sums: Any) -> None:  # fmt: skip
    """Rows of one element: vectors run along the channels."""
    N, C, _ = x.shape
    s, s_xhat = sums[0], sums[1]
    sums[:] = 0
    for n in range(N):
        for c in range(C):
            s[c] += dy[n, c, 0]
            s_xhat[c] += dy[n, c, 0] * ((x[n, c, 0] - mean[c]) * rstd[c])
    for c in range(dgamma.size):
        dgamma[c] += s_xhat[c]
        dbeta[c] += s[c]
    if dx.size == 0:
        return
    for n in range(N):
        for c in range(C):
            t = np.float64(dy[n, c, 0])
            if of_batch:
                t -= s[c] / N + (x[n, c, 0] - mean[c]) * rstd[c] * (s_xhat[c] / N)
            dx[n, c, 0] = t * (rstd[c] * gamma[c] if gamma.size > 0 else rstd[c])
