"""What the kernels of recurrent layers share: packed weights, rows, and the gradients of the weights.

What belongs to a step is numbered by step and then by sample, (T, N, ...), so that a step works on one piece of memory;
x, y and dy are (N, T, ...), so that the rows of a step lie apart. A thread walks its own samples through all steps. The
gradients of the weights, which sum over samples and steps, come last and are cut by rows of the weight.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from ..workspace import Workspace
from ._elementary import CONTRACT, sigmoid, tanh
from ._flat import ABSENT, flat, put_back
from ._products import ROWS, product
from ._threads import share, threads

ZERO: Any = np.int64(0)
ONE: Any = np.int64(1)  # Numba would compile a function once more for a literal


def packed(W: Any, workspace: Workspace) -> Any:
    """Wᵀ, flat: products run along gates, so the weights by which one input counts are to lie side by side."""
    copy = workspace.take(W.shape[::-1], W.dtype)  # (G, K) -> (K, G)
    copy[...] = W.T
    return copy.reshape(-1)


def zeros(size: int, dtype: Any, workspace: Workspace) -> Any:
    """Zeros in the workspace."""
    array = workspace.take((size,), dtype)
    array.fill(0)
    return array


def bias_sum(b_ih: Any, b_hh: Any, size: int, dtype: Any, workspace: Workspace) -> Any:
    """b_ih + b_hh, or zeros where there are none."""
    total = zeros(size, dtype, workspace)
    return total if b_ih is None else np.add(b_ih, b_hh, out=total)


@njit(cache=True)
def time_of(s: Any, T: Any, reverse: bool) -> Any:
    """The time that step s works on."""
    return T - 1 - s if reverse else s


@njit(cache=True)
def fill_rows(a: Any, start: int, stride: int, count: int, row: Any) -> None:
    """`row` into `count` rows of a."""
    for n in range(count):
        target = a[start + n * stride : start + n * stride + row.size]
        for j in range(row.size):
            target[j] = row[j]


@njit(cache=True)
def add_row(a: Any, b: Any) -> None:
    """a += b."""
    for j in range(a.size):
        a[j] += b[j]


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def sigmoid_row(a: Any) -> None:
    """a = sigmoid a. In place by name: of two arrays that might overlap LLVM makes no vector code."""
    for j in range(a.size):
        a[j] = sigmoid(a[j])


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def tanh_row(a: Any) -> None:
    """a = tanh a."""
    for j in range(a.size):
        a[j] = tanh(a[j])


def weight_gradients(
    x: Any, y: Any, da_ih: Any, da_hh: Any, dW_ih: Any, dW_hh: Any, db_ih: Any, db_hh: Any, reverse: bool,
    workspace: Workspace,
) -> None:  # fmt: skip
    """Of a = x W_ihᵀ + b_ih and b = h' W_hhᵀ + b_hh: what da and db, here da_ih and da_hh, add to the gradients."""
    (N, T, D), (G, H) = x.shape, dW_hh.shape
    outs = (dW_ih, dW_hh, db_ih, db_hh)
    flattened = [ABSENT[x.dtype] if array is None else flat(array, workspace) for array in outs]
    x_rows, y_rows, da_rows = (workspace.take((T * N,), np.int64) for _ in range(3))
    _place_rows(x_rows, y_rows, da_rows, N, T, D, H, G, reverse)
    arguments: Any = (
        *(flat(x, workspace), flat(y, workspace), da_ih, da_hh, *flattened, x_rows, y_rows, da_rows),
        *(workspace.take((2 * G,), np.float64), N, T, D, H, G, reverse),
    )
    parts = threads(2 * N * T * G * (D + H))
    if parts == 1:
        _weights(0, 1, *arguments)
    else:
        _weights_parallel(parts, *arguments)
    for one, array in zip(flattened, outs, strict=True):
        if array is not None:
            put_back(one, array)


@njit(cache=True)
def _place_rows(x_rows: Any, y_rows: Any, da_rows: Any, N: int, T: int, D: int, H: int, G: int, reverse: bool) -> None:
    """Where the row of step s and sample n begins in x, in y and in da, at s·N + n."""
    for s in range(T):
        for n in range(N):
            row, k = n * T + time_of(s, T, reverse), s * N + n
            x_rows[k] = row * D
            y_rows[k] = row * H
            da_rows[k] = k * G


@njit(cache=True)
def _weights(part: Any, parts: int, x: Any, y: Any, da_ih: Any, da_hh: Any, dW_ih: Any, dW_hh: Any, db_ih: Any,
             db_hh: Any, x_rows: Any, y_rows: Any, da_rows: Any, sums: Any, N: int, T: int, D: int, H: int, G: int,
             reverse: bool) -> None:  # fmt: skip
    """A thread's rows of dW_ih, dW_hh, db_ih and db_hh."""
    r0, r1 = share(part, parts, G, ROWS)
    # forward: a = x W_ihᵀ, so dW_ih[r, i] += Σₖ da[k, r] x[k, i] over samples and steps k:  (K, G)ᵀ (K, D) -> (G, D)
    product(da_ih, r0, ONE, da_rows, x, ZERO, x_rows, N * T, dW_ih, r0 * D, D, r1 - r0, D)
    # forward: b = h' W_hhᵀ with h' of the step before: row k of y goes with row k + N of db. The first step has none
    product(da_hh, N * G + r0, ONE, da_rows, y, ZERO, y_rows, (T - 1) * N, dW_hh, r0 * H, H, r1 - r0, H)
    if db_ih.size > 0:
        r0, r1 = share(part, parts, G, ROWS * ROWS)
        _add_sum(da_ih, r0, r1, G, N * T, db_ih, sums)
        _add_sum(da_hh, r0, r1, G, N * T, db_hh, sums[G:])


@njit(cache=True)
def _add_sum(da: Any, r0: int, r1: int, G: int, K: int, db: Any, sums: Any) -> None:
    """db[r] += Σₖ da[k, r], summed in float64, for K is large."""
    total, target = sums[r0:r1], db[r0:r1]
    total[:] = 0
    for k in range(K):
        add_row(total, da[k * G + r0 : k * G + r1])
    add_row(target, total)


@njit(cache=True, parallel=True)
def _weights_parallel(parts: int, *arguments: Any) -> None:
    for part in prange(parts):
        _weights(np.int64(part), parts, *arguments)
