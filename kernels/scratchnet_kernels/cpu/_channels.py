"""Rows of channels of one element each, normalised: layer and RMS normalisation, in vectors of float64 by hand.

Rows are often short, and then a row waits for its own mean, and for its own root. So a few rows go through the first
sum together, then through the second, then through the product: no row waits for itself while another could run.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from .simd import lanes, vadd, vfma, vmul, vsplat, vsum, vzero, wload, wload_or, wstore, wstore_n

TOGETHER = 4096  # elements of the rows that go through one after another: they stay in the L1 cache


@njit(cache=True, error_model="numpy")
def forward_rows(r0: int, r1: int, x: Any, gamma: Any, beta: Any, y: Any, mean: Any, rstd: Any, G: int,
                 eps: float) -> None:  # fmt: skip
    """y = gamma·(x - mean)·rstd + beta of the rows r0 ≤ r < r1, by group r mod G of gamma and beta."""
    M = x.shape[1]
    step = max(1, TOGETHER // M)
    for start in range(r0, r1, step):
        stop = min(start + step, r1)
        if mean.size > 0:
            _means(start, stop, x, mean)
        _deviations(start, stop, x, mean, rstd, eps)
        _scale(start, stop, x, gamma, beta, y, mean, rstd, G)


@njit(cache=True)
def _means(r0: int, r1: int, x: Any, mean: Any) -> None:
    L, M, zero = lanes(mean), x.shape[1], vzero(mean)
    rest = M % L
    for r in range(r0, r1):
        end = (r + 1) * M - rest
        s = zero
        for i in range(r * M, end, L):
            s = vadd(wload(x, i), s)
        if rest > 0:
            s = vadd(wload_or(x, end, rest, zero), s)
        mean[r] = vsum(s) / M


@njit(cache=True, error_model="numpy")
def _deviations(r0: int, r1: int, x: Any, mean: Any, rstd: Any, eps: float) -> None:
    """rstd = 1/√(Σ (x - mean)² / M + eps)."""
    L, M = lanes(rstd), x.shape[1]
    rest = M % L
    for r in range(r0, r1):
        end = (r + 1) * M - rest
        centre = mean[r] if mean.size > 0 else 0.0
        less, s = vsplat(rstd, -centre), vzero(rstd)
        for i in range(r * M, end, L):
            d = vadd(wload(x, i), less)
            s = vfma(d, d, s)
        if rest > 0:
            d = vadd(wload_or(x, end, rest, vsplat(rstd, centre)), less)
            s = vfma(d, d, s)
        rstd[r] = 1 / math.sqrt(vsum(s) / M + eps)


@njit(cache=True)
def _scale(r0: int, r1: int, x: Any, gamma: Any, beta: Any, y: Any, mean: Any, rstd: Any, G: int) -> None:
    """y = gamma·(x - mean)·rstd + beta."""
    L, M, zero = lanes(rstd), x.shape[1], vzero(rstd)
    rest = M % L
    end = M - rest
    for r in range(r0, r1):
        at, first = r * M, r % G * M
        by, less = vsplat(rstd, rstd[r]), vsplat(rstd, -mean[r] if mean.size > 0 else 0.0)
        for i in range(0, end, L):
            t = vmul(vadd(wload(x, at + i), less), by)
            t = vmul(t, wload(gamma, first + i)) if gamma.size > 0 else t
            t = vadd(t, wload(beta, first + i)) if beta.size > 0 else t
            wstore(y, at + i, t)
        if rest > 0:
            t = vmul(vadd(wload_or(x, at + end, rest, zero), less), by)
            t = vmul(t, wload_or(gamma, first + end, rest, zero)) if gamma.size > 0 else t
            t = vadd(t, wload_or(beta, first + end, rest, zero)) if beta.size > 0 else t
            wstore_n(y, at + end, t, rest)


@njit(cache=True, error_model="numpy")
def backward_rows(r0: int, r1: int, x: Any, gamma: Any, mean: Any, rstd: Any, dy: Any, dgamma: Any, dbeta: Any,
                  dx: Any, sums: Any, G: int) -> None:  # fmt: skip
    """dgamma += dy·xhat, dbeta += dy, dx = rstd·(t - Σ t / M - xhat·Σ(t·xhat) / M) with t = gamma·dy.

    sums is (R, 2) of room.
    """
    M = x.shape[1]
    step = max(1, TOGETHER // M)
    for start in range(r0, r1, step):
        stop = min(start + step, r1)
        if dgamma.size > 0:
            for r in range(start, min(start + G, stop)):  # one row of each group, and with it all of that group
                _add(r, stop, G, x, mean, rstd, dy, dgamma, dbeta, r % G * M)
        if dx.size > 0:
            _sums(start, stop, x, gamma, mean, rstd, dy, sums, G)
            _project(start, stop, x, gamma, mean, rstd, dy, dx, sums, G)


@njit(cache=True)
def _add(r0: int, r1: int, G: int, x: Any, mean: Any, rstd: Any, dy: Any, dgamma: Any, dbeta: Any, first: int) -> None:
    """dgamma += Σᵣ dy·(x - mean)·rstd and dbeta += Σᵣ dy over every G-th row from r0 on."""
    L, M, zero = lanes(rstd), x.shape[1], vzero(rstd)
    for i in range(0, M, L):
        s = s_x = zero
        n, c = min(L, M - i), first + i
        for r in range(r0, r1, G):
            at = r * M + i
            by, less = vsplat(rstd, rstd[r]), vsplat(rstd, -mean[r] if mean.size > 0 else 0.0)
            t, d = (wload(dy, at), wload(x, at)) if n == L else (wload_or(dy, at, n, zero), wload_or(x, at, n, zero))
            s = vadd(t, s)
            s_x = vfma(vmul(vadd(d, less), by), t, s_x)
        wstore_n(dgamma, c, vadd(wload_or(dgamma, c, n, zero), s_x), n)
        wstore_n(dbeta, c, vadd(wload_or(dbeta, c, n, zero), s), n)


@njit(cache=True)
def _sums(r0: int, r1: int, x: Any, gamma: Any, mean: Any, rstd: Any, dy: Any, sums: Any, G: int) -> None:
    """Σ t and Σ t·(x - mean) of each row."""
    L, M, zero = lanes(rstd), x.shape[1], vzero(rstd)
    rest = M % L
    end = M - rest
    for r in range(r0, r1):
        at, first, less = r * M, r % G * M, vsplat(rstd, -mean[r] if mean.size > 0 else 0.0)
        s = s_x = zero
        for i in range(0, end, L):
            t = wload(dy, at + i)
            t = vmul(t, wload(gamma, first + i)) if gamma.size > 0 else t
            s, s_x = vadd(t, s), vfma(vadd(wload(x, at + i), less), t, s_x)
        if rest > 0:
            t = wload_or(dy, at + end, rest, zero)
            t = vmul(t, wload_or(gamma, first + end, rest, zero)) if gamma.size > 0 else t
            s, s_x = vadd(t, s), vfma(vadd(wload_or(x, at + end, rest, zero), less), t, s_x)
        sums[r, 0], sums[r, 1] = vsum(s), vsum(s_x)


@njit(cache=True, error_model="numpy")
def _project(r0: int, r1: int, x: Any, gamma: Any, mean: Any, rstd: Any, dy: Any, dx: Any, sums: Any, G: int) -> None:
    """dx. Σ(t·xhat) is rstd·Σ t·(x - mean); Σ t comes of the mean."""
    L, M, zero = lanes(rstd), x.shape[1], vzero(rstd)
    rest = M % L
    end = M - rest
    for r in range(r0, r1):
        at, first, s = r * M, r % G * M, rstd[r]
        less, by = vsplat(rstd, -mean[r] if mean.size > 0 else 0.0), vsplat(rstd, s)
        shift = vsplat(rstd, -s * sums[r, 0] / M if mean.size > 0 else 0.0)
        slope = vsplat(rstd, -s * s * s * sums[r, 1] / M)
        for i in range(0, end, L):
            t = vmul(wload(dy, at + i), by)
            t = vmul(t, wload(gamma, first + i)) if gamma.size > 0 else t
            wstore(dx, at + i, vfma(vadd(wload(x, at + i), less), slope, vadd(t, shift)))
        if rest > 0:
            t = vmul(wload_or(dy, at + end, rest, zero), by)
            t = vmul(t, wload_or(gamma, first + end, rest, zero)) if gamma.size > 0 else t
            d = vadd(wload_or(x, at + end, rest, zero), less)
            wstore_n(dx, at + end, vfma(d, slope, vadd(t, shift)), rest)
