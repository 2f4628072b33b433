"""Softmax cross-entropy with probabilities as targets, one pass a row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ..backend import kernel
from ..reference import soft_cross_entropy as reference
from ..workspace import Workspace
from ._elementary import CONTRACT
from ._flat import ABSENT, flat, is_fast, put_back
from .softmax_cross_entropy import softmax_row, term


@kernel("cpu")
def soft_cross_entropy(
    z: Any, t: Any, w: Any, value: Any, q: Any, smoothing: float, mean: bool, *, workspace: Workspace
) -> None:
    """value = -Σₙ Σ_c a[n, c] log q[n, c], divided by N for the mean."""
    if not is_fast(z):
        return reference.soft_cross_entropy(z, t, w, value, q, smoothing, mean)
    weights = ABSENT[z.dtype] if w is None else flat(w, workspace)
    out, (N, C) = flat(q, workspace), z.shape
    value[...] = _forward(flat(z, workspace), flat(t, workspace), weights, out, N, C, z.dtype.type(smoothing), mean)
    put_back(out, q)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _forward(z: Any, t: Any, w: Any, q: Any, N: int, C: int, smoothing: float, mean: bool) -> Any:
    losses = 0.0
    for n in range(N):
        start = n * C
        top, s = softmax_row(z, q, start, start + C)
        log_s = np.log(s)
        for c in range(C):
            a = t[start + c] * (1 - smoothing) + smoothing / C
            if w.size > 0:
                a *= w[c]
            losses -= term(a, (z[start + c] - top) - log_s)
    return z.dtype.type(losses / N if mean else losses)


@kernel("cpu")
def soft_cross_entropy_backward(
    q: Any, t: Any, w: Any, dvalue: Any, dz: Any, smoothing: float, mean: bool, *, workspace: Workspace
) -> None:
    """dz = dvalue·(q·Σ_c a - a), divided by N for the mean."""
    if not is_fast(q):
        return reference.soft_cross_entropy_backward(q, t, w, dvalue, dz, smoothing, mean)
    weights = ABSENT[q.dtype] if w is None else flat(w, workspace)
    out, (N, C) = flat(dz, workspace), q.shape
    scale = q.dtype.type(float(dvalue) / max(N, 1) if mean else float(dvalue))
    _backward(flat(q, workspace), flat(t, workspace), weights, scale, out, N, C, q.dtype.type(smoothing))
    put_back(out, dz)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _backward(q: Any, t: Any, w: Any, scale: float, dz: Any, N: int, C: int, smoothing: float) -> None:
    # forward: loss = -Σ_c a[c] log q[c] with a[c] = w[c]·((1-ε)·t[c] + ε/C), so dz = q·Σ_c a - a
    keep, each = q.dtype.type(1) - smoothing, smoothing / q.dtype.type(C)
    for n in range(N):
        start = n * C
        sum_a = q.dtype.type(0)
        for c in range(C):
            a = t[start + c] * keep + each
            if w.size > 0:
                a *= w[c]
            dz[start + c] = a
            sum_a += a
        for c in range(C):
            dz[start + c] = (q[start + c] * sum_a - dz[start + c]) * scale
