"""Softmax, attention, and the loss of a classifier."""

from __future__ import annotations

import numpy as np

from .array import Array


def softmax(x: Array, axis: int = 1) -> Array:
    """y = eˣ / Σ eˣ along an axis."""
    e = np.exp(x - x.max(axis, keepdims=True))  # the quotient does not change, and exp cannot overflow
    return e / e.sum(axis=axis, keepdims=True)


def softmax_backward(y: Array, dy: Array) -> Array:
    """Of y = eˣ / Σ eˣ along axis 1: dx = y·(dy - Σ dy·y)."""
    return y * (dy - (dy * y).sum(axis=1, keepdims=True))


def log_softmax(x: Array) -> Array:
    """y = x - ln Σ eˣ along axis 1."""
    shifted = x - x.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def log_softmax_backward(y: Array, dy: Array) -> Array:
    """Of y = x - ln Σ eˣ along axis 1: dx = dy - e^y·Σ dy."""
    return dy - np.exp(y) * dy.sum(axis=1, keepdims=True)


def attention(q: Array, k: Array, v: Array, causal: bool = False) -> tuple[Array, Array]:
    """y = P v with P = softmax(q kᵀ/√D) over the keys; if causal, a query sees none after its own place."""
    scale = 1 / np.sqrt(q.dtype.type(q.shape[-1]))
    scores = q @ k.swapaxes(2, 3) * scale  # (N, H, T, D) @ (N, H, D, S) -> (N, H, T, S)
    if causal:
        scores = np.where(np.tri(*scores.shape[2:]) > 0, scores, -np.inf)
    P = softmax(scores, axis=3)
    return P @ v, P  # (N, H, T, S) @ (N, H, S, D) -> (N, H, T, D)


def attention_backward(q: Array, k: Array, v: Array, P: Array, dy: Array) -> tuple[Array, Array, Array]:
    """Of y = P v: dv = Pᵀ dy; with dP = dy vᵀ, dS = P·(dP - Σ dP·P): dq = dS k/√D, dk = dSᵀ q/√D."""
    scale = 1 / np.sqrt(q.dtype.type(q.shape[-1]))
    dP = dy @ v.swapaxes(2, 3)  # (N, H, T, D) @ (N, H, D, S) -> (N, H, T, S)
    dS = P * (dP - (dP * P).sum(3, keepdims=True))
    return dS @ k * scale, dS.swapaxes(2, 3) @ q * scale, P.swapaxes(2, 3) @ dy


def softmax_cross_entropy(z: Array, target: Array) -> tuple[float, Array]:
    """loss = -Σ ln softmax(z)[target] / N along the last axis, and dz = (softmax(z) - [c = target]) / N."""
    rows = z.reshape(-1, z.shape[-1])  # (..., C) -> (N, C)
    shifted = rows - rows.max(1, keepdims=True)
    e = np.exp(shifted)
    total = e.sum(axis=1, keepdims=True)
    at = np.arange(len(rows)), np.asarray(target).reshape(-1)
    loss = (np.log(total)[:, 0] - shifted[at]).sum() / len(rows)
    dz = e / total
    dz[at] -= 1
    return float(loss), (dz / len(rows)).reshape(z.shape)
