"""Normalising rows, each by its own statistics: what layer, group and RMS normalisation have in common.

x is R rows of M elements, a row being K channels of P elements. gamma and beta hold G·K channels, and row r has those
of group r mod G. Layer and RMS normalisation are the case G = 1, P = 1; RMS leaves out the centring. Sums are float64
and take two passes, first the mean and then the squares about it. Threads share the rows.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, prange

from ..workspace import Workspace
from ._channels import backward_rows, forward_rows
from ._flat import flat, put_back
from ._moments import or_absent, product_with, projected, scaled, squares, total
from ._threads import share, threads


def forward(
    x: Any, gamma: Any, beta: Any, y: Any, mean: Any, rstd: Any, groups: int, channels: int, eps: float,
    workspace: Workspace,
) -> None:  # fmt: skip
    """y = gamma·(x - mean)·rstd + beta, by `groups` of `channels`; without centring where mean is None."""
    out, R = flat(y, workspace), rstd.size
    M = x.size // max(R, 1)
    given = flat(x, workspace).reshape(R, M), or_absent(gamma, x), or_absent(beta, x), out.reshape(R, M)
    saved = or_absent(mean, rstd).reshape(-1), rstd.reshape(-1)
    T = min(threads(10 * x.size), R)
    if T <= 1:
        _forward(0, 1, *given, *saved, groups, channels, float(eps))
    else:
        _forward_parallel(T, *given, *saved, groups, channels, float(eps))
    put_back(out, y)


def backward(
    x: Any, gamma: Any, mean: Any, rstd: Any, dy: Any, dgamma: Any, dbeta: Any, dx: Any, groups: int, channels: int,
    workspace: Workspace,
) -> None:  # fmt: skip
    """The gradients of `forward`."""
    R = rstd.size
    M = x.size // max(R, 1)
    out = np.empty((0, 0), x.dtype) if dx is None else flat(dx, workspace).reshape(R, M)
    statistics = or_absent(mean, rstd).reshape(-1), rstd.reshape(-1)
    inputs = flat(x, workspace).reshape(R, M), or_absent(gamma, x), *statistics, flat(dy, workspace).reshape(R, M)
    T = max(1, min(threads(20 * x.size), R))
    partial = workspace.take((T, 2, groups * channels if dgamma is not None else 0), np.float64)
    sums = workspace.take((R if channels == M else 0, 2), np.float64)
    if T == 1:
        _backward(0, 1, *inputs, out, partial, sums, groups, channels)
    else:
        _backward_parallel(T, *inputs, out, partial, sums, groups, channels)
    if dgamma is not None:
        _merge(partial, dgamma, or_absent(dbeta, x))
    if dx is not None:
        put_back(out, dx)


@njit(cache=True, error_model="numpy")
def _forward(t: Any, T: int, x: Any, gamma: Any, beta: Any, y: Any, mean: Any, rstd: Any, G: int, K: int,
             eps: float) -> None:  # fmt: skip
    """Thread t's rows."""
    R, M = x.shape
    P = M // K
    r0, r1 = share(t, T, R, 1)
    if P == 1:
        forward_rows(r0, r1, x, gamma, beta, y, mean, rstd, G, eps)
        return
    for r in range(r0, r1):
        first = r % G * K
        row, out = x[r], y[r]
        centre = 0.0
        if mean.size > 0:
            centre = total(row) / M
            mean[r] = centre
        rstd[r] = 1 / math.sqrt(squares(row, centre) / M + eps)
        if gamma.size == 0:
            scaled(row, centre, rstd[r], 0.0, out)
        else:
            for k in range(K):
                shift = np.float64(beta[first + k]) if beta.size > 0 else 0.0
                part = slice(k * P, (k + 1) * P)
                scaled(row[part], centre, rstd[r] * gamma[first + k], shift, out[part])


@njit(cache=True, parallel=True)
def _forward_parallel(T: int, x: Any, gamma: Any, beta: Any, y: Any, mean: Any, rstd: Any, G: int, K: int,
                      eps: float) -> None:  # fmt: skip
    for t in prange(T):
        _forward(np.int64(t), T, x, gamma, beta, y, mean, rstd, G, K, eps)


@njit(cache=True, error_model="numpy")
def _backward(t: Any, T: int, x: Any, gamma: Any, mean: Any, rstd: Any, dy: Any, dx: Any, partial: Any, sums: Any,
              G: int, K: int) -> None:  # fmt: skip
    """Thread t's rows: their dx, and what they add to dgamma and dbeta."""
    R, M = x.shape
    P = M // K
    dgamma, dbeta = partial[t, 0], partial[t, 1]
    dgamma[:] = 0
    dbeta[:] = 0
    r0, r1 = share(t, T, R, 1)
    if P == 1:
        backward_rows(r0, r1, x, gamma, mean, rstd, dy, dgamma, dbeta, dx, sums, G)
        return
    for r in range(r0, r1):
        first = r % G * K
        row, given, centre, by = x[r], dy[r], 0.0, rstd[r]
        if mean.size > 0:
            centre = mean[r]
        # forward: y = gamma·xhat + beta with xhat = (x - mean)·rstd; s = Σ t and s_x = Σ t·(x - mean) of t = gamma·dy
        s, s_x = 0.0, 0.0
        parts = K if gamma.size + dgamma.size > 0 else 1
        for k in range(parts):
            part = slice(k * M // parts, (k + 1) * M // parts)
            a, b = total(given[part]), product_with(row[part], centre, given[part])
            if dgamma.size > 0:
                dgamma[first + k] += b * by
                dbeta[first + k] += a
            s += a * gamma[first + k] if gamma.size > 0 else a
            s_x += b * gamma[first + k] if gamma.size > 0 else b
        if dx.size > 0:
            # dx = rstd·(t - Σ t / M - xhat·Σ(t·xhat) / M), and Σ(t·xhat) = rstd·s_x; the second term comes of the mean
            shift = by * s / M if mean.size > 0 else 0.0
            slope = by * by * by * s_x / M
            if gamma.size == 0:
                projected(row, centre, given, by, shift, slope, dx[r])
            else:
                for k in range(K):
                    part = slice(k * P, (k + 1) * P)
                    projected(row[part], centre, given[part], by * gamma[first + k], shift, slope, dx[r, part])


@njit(cache=True, parallel=True)
def _backward_parallel(T: int, *arguments: Any) -> None:
    for t in prange(T):
        _backward(np.int64(t), T, *arguments)


@njit(cache=True)
def _merge(partial: Any, dgamma: Any, dbeta: Any) -> None:
    """dgamma and dbeta += what the threads found, in the order of the threads."""
    for c in range(dgamma.size):
        s = 0.0
        for t in range(partial.shape[0]):
            s += partial[t, 0, c]
        dgamma[c] += s
    for c in range(dbeta.size):
        s = 0.0
        for t in range(partial.shape[0]):
            s += partial[t, 1, c]
        dbeta[c] += s
