"""Softmax cross-entropy, one pass a row: a batch of logits is small, and one thread is done before another wakes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ..backend import kernel
from ..reference import softmax_cross_entropy as reference
from ..workspace import Workspace
from ._elementary import CONTRACT, exp
from ._flat import ABSENT, flat, indices, is_fast, put_back


@kernel("cpu")
def softmax_cross_entropy(
    z: Any,
    t: Any,
    w: Any,
    value: Any,
    q: Any,
    total: Any,
    smoothing: float,
    ignore_index: int,
    mean: bool,
    *,
    workspace: Workspace,
) -> None:
    """value = Σₙ lossₙ / total; a label that names no class makes it NaN."""
    if not is_fast(z):
        return reference.softmax_cross_entropy(z, t, w, value, q, total, smoothing, ignore_index, mean)
    weights = ABSENT[z.dtype] if w is None else flat(w, workspace)
    out = flat(q, workspace)
    labels = indices(t, workspace)
    loss, weight = _forward(
        flat(z, workspace), labels, weights, out, z.shape[1], z.dtype.type(smoothing), ignore_index, mean
    )
    value[...], total[...] = loss, weight
    put_back(out, q)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def softmax_row(z: Any, q: Any, start: int, stop: int) -> Any:
    """q = softmax(z) on one row; return (max z, Σ exp(z - max)). A NaN reaches the sum, and so all of q."""
    top = z[start]
    for i in range(start + 1, stop):
        if z[i] > top:
            top = z[i]
    s = z.dtype.type(0)
    for i in range(start, stop):
        q[i] = exp(z[i] - top)
    for i in range(start, stop):
        s += q[i]
    inverse = 1 / s
    for i in range(start, stop):
        q[i] *= inverse
    return top, s


@njit(cache=True)
def term(a: float, log_q: float) -> float:
    """a·log q, where a = 0 means that the class counts for nothing, even at log q = -inf."""
    return 0.0 if a == 0 and log_q == log_q else a * log_q


@njit(cache=True, error_model="numpy")
def _forward(
    z: Any, t: Any, w: Any, q: Any, classes: int, smoothing: float, ignore_index: int, mean: bool
) -> tuple[Any, Any]:
    losses, weights = sums(z, t, w, q, classes, smoothing, ignore_index)
    total = weights if mean else 1.0
    return z.dtype.type(losses / total), z.dtype.type(total)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def sums(z: Any, t: Any, w: Any, q: Any, classes: int, smoothing: float, ignore_index: int) -> tuple[Any, Any]:
    """(Σₙ lossₙ, Σₙ weightₙ) in float64, and q = softmax(z)."""
    losses, weights = 0.0, 0.0
    for n in range(t.size):
        start, label = n * classes, t[n]
        top, s = softmax_row(z, q, start, start + classes)
        if label == ignore_index:
            continue
        if label < 0 or label >= classes:
            losses = np.nan
            continue
        log_s = np.log(s)
        weight = w[label] if w.size > 0 else 1.0
        losses -= term((1 - smoothing) * weight, (z[start + label] - top) - log_s)
        weights += weight
        if smoothing > 0:  # ε/C Σ_c w_c log q_c
            spread = 0.0
            for c in range(classes):
                spread += term(w[c] if w.size > 0 else 1.0, (z[start + c] - top) - log_s)
            losses -= smoothing / classes * spread
    return losses, weights


@kernel("cpu")
def softmax_cross_entropy_backward(
    q: Any,
    t: Any,
    w: Any,
    total: Any,
    dvalue: Any,
    dz: Any,
    smoothing: float,
    ignore_index: int,
    *,
    workspace: Workspace,
) -> None:
    """dz = dvalue/total · (q·Σ_c a - a); a label that names no class makes its row NaN."""
    if not is_fast(q):
        return reference.softmax_cross_entropy_backward(q, t, w, total, dvalue, dz, smoothing, ignore_index)
    weights = ABSENT[q.dtype] if w is None else flat(w, workspace)
    out = flat(dz, workspace)
    labels = indices(t, workspace)
    scale = q.dtype.type(np.float64(dvalue) / np.float64(total))
    _backward(flat(q, workspace), labels, weights, scale, out, q.shape[1], q.dtype.type(smoothing), ignore_index)
    put_back(out, dz)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _backward(q: Any, t: Any, w: Any, scale: float, dz: Any, classes: int, smoothing: float, ignore_index: int) -> None:
    # forward: loss = -Σ_c a[c] log q[c] with a[c] = w[c]·((1-ε)·[c = label] + ε/C), so dz = q·Σ_c a - a
    one, each = q.dtype.type(1), smoothing / q.dtype.type(classes)
    sum_w = q.dtype.type(classes)
    if w.size > 0:
        sum_w = q.dtype.type(0)
        for c in range(classes):
            sum_w += w[c]
    for n in range(t.size):
        start, label = n * classes, t[n]
        if label == ignore_index or label < 0 or label >= classes:
            for c in range(classes):
                dz[start + c] = 0 if label == ignore_index else np.nan
            continue
        at_label = (one - smoothing) * (w[label] if w.size > 0 else one)
        sum_a = (at_label + each * sum_w) * scale
        for c in range(classes):
            dz[start + c] = q[start + c] * sum_a
        if smoothing > 0:
            for c in range(classes):
                dz[start + c] -= each * scale * (w[c] if w.size > 0 else one)
        dz[start + label] -= at_label * scale
