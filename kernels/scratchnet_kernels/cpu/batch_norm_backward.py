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
    T = min(threads(10 * x.size), x.shape[1])
    if given[0].shape[2] == 1:
        _columns(of_batch, *given, *results, workspace.take((2, x.shape[1]), np.float64))
    elif T <= 1:
        _backward(0, 1, of_batch, *given, *results)
    else:
        _backward_parallel(T, of_batch, *given, *results)
    if dx is not None:
        put_back(out, dx)


@njit(cache=True, error_model="numpy")
def _backward(t: Any, T: int, of_batch: bool, x: Any, gamma: Any, mean: Any, rstd: Any, dy: Any,
              dgamma: Any, dbeta: Any, dx: Any) -> None:  # fmt: skip
    """Thread t's channels."""
    N, C, P = x.shape
    c0, c1 = share(t, T, C, 1)
    for c in range(c0, c1):
        # forward: y = gamma·xhat + beta with xhat = (x - mean)·rstd, so dgamma += Σ dy·xhat and dbeta += Σ dy
        s, s_xhat = 0.0, 0.0
        for n in range(N):
            s += total(dy[n, c])
            s_xhat += product_with(x[n, c], mean[c], dy[n, c])
        s_xhat *= rstd[c]
        if dgamma.size > 0:
            dgamma[c] += s_xhat
            dbeta[c] += s
        if dx.size > 0:
            scale = rstd[c] * gamma[c] if gamma.size > 0 else rstd[c]
            for n in range(N):
                if of_batch:  # dx = gamma·rstd·(dy - Σ dy / M - xhat·Σ(dy·xhat) / M)
                    shift, slope = scale * s / (N * P), scale * s_xhat / (N * P) * rstd[c]
                    projected(x[n, c], mean[c], dy[n, c], scale, shift, slope, dx[n, c])
                else:
                    scaled(dy[n, c], 0.0, scale, 0.0, dx[n, c])


@njit(cache=True, parallel=True)
def _backward_parallel(T: int, of_batch: bool, x: Any, gamma: Any, mean: Any, rstd: Any, dy: Any,
                       dgamma: Any, dbeta: Any, dx: Any) -> None:  # fmt: skip
    for t in prange(T):
        _backward(np.int64(t), T, of_batch, x, gamma, mean, rstd, dy, dgamma, dbeta, dx)


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
