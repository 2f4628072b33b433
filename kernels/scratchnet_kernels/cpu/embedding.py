"""Embedding: a copy of rows, and a sum of rows. Every index is checked before it is used."""

from __future__ import annotations

from typing import Any

from numba import njit

from ..backend import kernel
from ..reference import embedding as reference
from ..reference.embedding import out_of_range
from ..workspace import Workspace
from ._flat import flat, indices, is_fast, put_back
from .simd import lanes, vload, vstore


@kernel("cpu")
def embedding(x: Any, W: Any, y: Any, padding: int | None, *, workspace: Workspace) -> None:
    """y[..., d] = W[x[...], d], and 0 where x is `padding`."""
    if not is_fast(W):
        return reference.embedding(x, W, y, padding)
    out = flat(y, workspace)
    V, D = W.shape
    bad = _forward(indices(x, workspace), flat(W, workspace), out, V, D, -1 if padding is None else padding)
    if bad >= 0:
        raise out_of_range(x, bad, len(W))
    put_back(out, y)


@njit(cache=True)
def _forward(x: Any, W: Any, y: Any, V: int, D: int, padding: int) -> int:
    """Return the position of the first index that is out of range, or -1."""
    L = lanes(W)
    whole = D // L * L
    for n in range(x.size):
        row = x[n]
        if row < 0 or row >= V:
            return n
        if row == padding:
            y[n * D : (n + 1) * D] = 0
        else:
            for d in range(0, whole, L):
                vstore(y, n * D + d, vload(W, row * D + d))
            for d in range(whole, D):
                y[n * D + d] = W[row * D + d]
    return -1


@kernel("cpu")
def embedding_backward(x: Any, dy: Any, dW: Any, padding: int | None, *, workspace: Workspace) -> None:
    """dW[v] += Σ dy over the positions where x = v != padding, in their order."""
    if not is_fast(dW):
        return reference.embedding_backward(x, dy, dW, padding)
    out = flat(dW, workspace)
    V, D = dW.shape
    bad = _backward(indices(x, workspace), flat(dy, workspace), out, V, D, -1 if padding is None else padding)
    if bad >= 0:
        raise out_of_range(x, bad, len(dW))
    put_back(out, dW)


@njit(cache=True)
def _backward(x: Any, dy: Any, dW: Any, V: int, D: int, padding: int) -> int:
    """Return the position of the first index that is out of range, or -1; then nothing has been added."""
    for n in range(x.size):
        if x[n] < 0 or x[n] >= V:
            return n
    # forward: y[n, d] = W[x[n], d], or 0 at the padding
    for n in range(x.size):
        row = x[n]
        if row != padding:
            for d in range(D):
                dW[row * D + d] += dy[n * D + d]
    return -1
