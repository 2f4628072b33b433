"""Dense layers, tables of embeddings."""

from __future__ import annotations

import numpy as np

from .array import Array


def dense(x: Array, W: Array, b: Array | None = None) -> Array:
    """y = x Wᵀ + b."""
    y = x @ W.T  # (N, I) @ (I, O) -> (N, O)
    return y if b is None else y + b


def dense_backward(x: Array, W: Array, dy: Array) -> tuple[Array, Array, Array]:
    """Of y = x Wᵀ + b: dx = dy W, dW = dyᵀ x, db = Σₙ dy."""
    return dy @ W, dy.T @ x, dy.sum(0)  # (N, I), (O, I), (O,)


def embedding(x: Array, W: Array, padding: int | None = None) -> Array:
    """y = W[x], row by row, and 0 where x is `padding`."""
    if x.size and (x.min() < 0 or x.max() >= len(W)):
        raise IndexError(f"an index is out of range: expected 0..{len(W) - 1}, got {x.min()}..{x.max()}")
    y = W[x]  # (...), (V, D) -> (..., D)
    if padding is not None:
        y[x == padding] = 0
    return y


def embedding_backward(x: Array, dy: Array, dW_rows: int, padding: int | None = None) -> Array:
    """Of y = W[x]: dW[v] = Σ dy over the places where x = v."""
    dW = np.zeros((dW_rows, dy.shape[-1]), dy.dtype)
    kept = np.ones(x.shape, bool) if padding is None else x != padding
    np.add.at(dW, x[kept], dy[kept])  # dW[x] += dy would count an index that occurs twice only once
    return dW


def positional_embedding(x: Array, P: Array) -> Array:
    """y = x + P, a row of P for each place."""
    return x + P


def positional_embedding_backward(dy: Array) -> Array:
    """Of y = x + P: dP = Σₙ dy."""
    return dy.sum(0)  # (N, T, D) -> (T, D)
