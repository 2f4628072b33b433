"""Dense on register tiles: y = x Wᵀ + b as dot products of rows, its backward as sums of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from ..backend import kernel
from ..reference import dense as reference
from ..workspace import Workspace
from ._dots import dots
from ._flat import ABSENT, flat, is_fast, put_back
from ._passes import RELU_BACKWARD, _backward_relu, _forward_relu, run_pass
from ._products import ROWS, product, row_starts
from ._threads import share, threads
from .simd import lanes, vadd, vbroadcast, vfma, vload, vload_n, vstore, vstore_n, vsum, vzero

ZERO: Any = np.int64(0)
ONE: Any = np.int64(1)  # Numba would compile a function once more for a literal
AS_IT_IS: Any = np.bool_(False)  # not rectified


@kernel("cpu")
def dense(x: Any, W: Any, b: Any, y: Any, *, workspace: Workspace) -> None:
    """y[n, o] = Σᵢ x[n, i] W[o, i] + b[o]."""
    if not is_fast(x):
        return reference.dense(x, W, b, y)
    forward(x, W, b, y, False, workspace)


def forward(x: Any, W: Any, b: Any, y: Any, rectify: bool, workspace: Workspace) -> None:
    """y = x Wᵀ + b, or max(x Wᵀ + b, 0)."""
    (N, I), O = x.shape, len(W)  # noqa: E741
    T = threads(2 * N * I * O)
    bias = ABSENT[x.dtype] if b is None else flat(b, workspace)
    out = flat(y, workspace)
    sizes = (row_starts(O, I), N, I, O, rectify)
    if T == 1:
        _forward(0, 1, flat(x, workspace), flat(W, workspace), bias, out, *sizes)
    else:
        _forward_parallel(T, flat(x, workspace), flat(W, workspace), bias, out, *sizes)
    put_back(out, y)


@njit(cache=True)
def _forward(t: Any, T: int, x: Any, W: Any, b: Any, y: Any,
             W_row: Any, N: int, I: int, O: int, rectify: Any) -> None:  # noqa: E741  # fmt: skip
    """Thread t's part of y: some of its rows, or of its columns where rows are few."""
    n0, n1 = share(t, T, N, ROWS) if N >= T * ROWS else (0, N)
    o0, o1 = (0, O) if N >= T * ROWS else share(t, T, O, 2)
    for n in range(n0, n1):
        for o in range(o0, o1):
            y[n * O + o] = b[o] if b.size > 0 else 0
    # y += x Wᵀ:  (N, I), (O, I) -> (N, O)
    dots(x, n0 * I, ZERO, I, W, ZERO, ZERO, W_row[o0:], ONE, I, y, n0 * O + o0, O, n1 - n0, o1 - o0)
    if rectify:
        for n in range(n0, n1):
            row = y[n * O + o0 : n * O + o1]
            _forward_relu(row, row)


@njit(cache=True, parallel=True)
def _forward_parallel(T: int, x: Any, W: Any, b: Any, y: Any,
                      W_row: Any, N: int, I: int, O: int, rectify: Any) -> None:  # noqa: E741  # fmt: skip
    for t in prange(T):
        _forward(np.int64(t), T, x, W, b, y, W_row, N, I, O, rectify)


@kernel("cpu")
def dense_backward(x: Any, W: Any, dy: Any, dW: Any, db: Any, dx: Any, *, workspace: Workspace) -> None:
    """dW += dyᵀ x, db += Σₙ dy, dx = dy W."""
    if not is_fast(x):
        return reference.dense_backward(x, W, dy, dW, db, dx)
    backward(x, W, None, dy, dW, db, dx, workspace)


def backward(x: Any, W: Any, y: Any, dy: Any, dW: Any, db: Any, dx: Any, workspace: Workspace) -> None:
    """dW += daᵀ x, db += Σₙ da, dx = da W, where da is dy; or, if there is a y, what of it passes the ReLU."""
    (N, I), O = x.shape, len(W)  # noqa: E741
    T = threads((2 if dx is None else 4) * N * I * O)
    absent = ABSENT[x.dtype]
    above = da = flat(dy, workspace)
    mask = absent if y is None else flat(y, workspace)
    if y is not None:
        da = workspace.take((dy.size,), dy.dtype)
    results = [absent if array is None else flat(array, workspace) for array in (dW, db, dx)]
    arguments: Any = (
        flat(x, workspace),
        flat(W, workspace),
        da,
        *results,
        workspace.take((O,), x.dtype),
        row_starts(N, O),
        row_starts(N, I),
        row_starts(O, 1),
        row_starts(O, I),
        N,
        I,
        O,
    )
    if T == 1:
        _backward(mask, above, *arguments)
    else:
        if y is not None:
            run_pass(RELU_BACKWARD, mask, above, da, workspace)  # every thread needs all of it
        _backward_parallel(T, *arguments)
    for flattened, array in zip(results, (dW, db, dx), strict=True):
        if array is not None:
            put_back(flattened, array)


@njit(cache=True)
def _backward(y: Any, dy: Any, x: Any, W: Any, da: Any, dW: Any, db: Any, dx: Any, scratch: Any,
              da_n: Any, x_n: Any, da_o: Any, W_o: Any, N: int, I: int, O: int) -> None:  # noqa: E741  # fmt: skip
    """All of it; da first, where it is not dy itself."""
    if y.size > 0:
        _backward_relu(y, dy, da)
    _part(ZERO, ONE, x, W, da, dW, db, dx, scratch, da_n, x_n, da_o, W_o, N, I, O)


@njit(cache=True)
def _part(t: Any, T: int, x: Any, W: Any, dy: Any, dW: Any, db: Any, dx: Any, scratch: Any,
          dy_n: Any, x_n: Any, dy_o: Any, W_o: Any, N: int, I: int, O: int) -> None:  # noqa: E741  # fmt: skip
    """Thread t's parts of dW, db and dx."""
    parameters_part(t, T, x, dy, dW, db, scratch, dy_n, x_n, N, I, O)
    if dx.size > 0:
        input_part(t, T, W, dy, dx, dy_o, W_o, N, I, O)


@njit(cache=True)
def parameters_part(t: Any, T: int, x: Any, dy: Any, dW: Any, db: Any, scratch: Any,
                    dy_n: Any, x_n: Any, N: int, I: int, O: int) -> None:  # noqa: E741  # fmt: skip
    """Thread t's parts of dW and db."""
    # forward: y[n, o] = Σᵢ x[n, i] W[o, i] + b[o], so dW[o, i] += Σₙ dy[n, o] x[n, i]
    o0, o1 = share(t, T, O, ROWS) if O >= 2 * T * ROWS else (0, O)
    i0, i1 = (0, I) if O >= 2 * T * ROWS else share(t, T, I, ROWS * ROWS)
    if N == 1:
        _outer(dy, x, dW, o0, o1, i0, i1, I)
    else:
        product(dy, o0, ONE, dy_n, x, i0, x_n, N, dW, o0 * I + i0, I, o1 - o0, i1 - i0)  # (N, O)ᵀ (N, I) -> (O, I)
    # ... and db[o] += Σₙ dy[n, o], summed apart so that a large db costs the sum no digits
    if db.size > 0:
        o0, o1 = share(t, T, O, ROWS * ROWS)
        scratch[o0:o1] = 0
        for n in range(N):
            for o in range(o0, o1):
                scratch[o] += dy[n * O + o]
        for o in range(o0, o1):
            db[o] += scratch[o]


@njit(cache=True)
def finite(x: Any) -> bool:
    """Whether no element is infinite or NaN: 0·x is 0 then."""
    L = lanes(x)
    sums = zero = vzero(x)
    for i in range(0, x.size, L):
        sums = vfma(vload_n(x, i, min(L, x.size - i)), zero, sums)
    return bool(vsum(sums) == 0)


@njit(cache=True)
def _outer(dy: Any, x: Any, dW: Any, o0: int, o1: int, i0: int, i1: int, I: int) -> None:  # noqa: E741
    """dW[o, i] += dy[o] x[i] of one sample, to the same bits as by `product`.

    Rows whose dy is 0 (behind a ReLU half of them are) are not touched, unless 0·x is no 0.
    """
    L, zero, all_finite = lanes(x), vzero(x), finite(x[i0:i1])
    for o in range(o0, o1):
        if dy[o] == 0 and all_finite:
            continue
        d, row = vbroadcast(dy, o), o * I
        for i in range(i0, i1 - L + 1, L):
            vstore(dW, row + i, vadd(vload(dW, row + i), vfma(d, vload(x, i), zero)))
        n = (i1 - i0) % L
        if n > 0:
            i = i1 - n
            vstore_n(dW, row + i, vadd(vload_n(dW, row + i, n), vfma(d, vload_n(x, i, n), zero)), n)


@njit(cache=True)
def input_part(t: Any, T: int, W: Any, dy: Any, dx: Any,
               dy_o: Any, W_o: Any, N: int, I: int, O: int) -> None:  # noqa: E741  # fmt: skip
    """Thread t's part of dx."""
    # forward: y[n, o] = Σᵢ x[n, i] W[o, i] + b[o], so dx[n, i] = Σₒ dy[n, o] W[o, i]
    n0, n1 = share(t, T, N, ROWS) if N >= T * ROWS else (0, N)
    i0, i1 = (0, I) if N >= T * ROWS else share(t, T, I, ROWS * ROWS)
    for n in range(n0, n1):
        dx[n * I + i0 : n * I + i1] = 0
    product(dy, n0 * O, O, dy_o, W, i0, W_o, O, dx, n0 * I + i0, I, n1 - n0, i1 - i0)  # (N, O) (O, I) -> (N, I)


@njit(cache=True, parallel=True)
def _backward_parallel(T: int, x: Any, W: Any, dy: Any, dW: Any, db: Any, dx: Any, scratch: Any,
                       dy_n: Any, x_n: Any, dy_o: Any, W_o: Any, N: int, I: int, O: int) -> None:  # noqa: E741  # fmt: skip
    for t in prange(T):
        _part(np.int64(t), T, x, W, dy, dW, db, dx, scratch, dy_n, x_n, dy_o, W_o, N, I, O)
