"""RNN: a step's two products on register tiles, then its nonlinearity while its rows are in the cache."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from ..backend import kernel
from ..reference import rnn as reference
from ..workspace import Workspace
from ._flat import ABSENT, flat, is_fast, put_back
from ._products import ROWS, product, row_starts
from ._recurrent import ZERO, add_row, bias_sum, fill_rows, packed, tanh_row, time_of, weight_gradients, zeros
from ._threads import share, threads


@kernel("cpu")
def rnn(
    x: Any, W_ih: Any, W_hh: Any, b_ih: Any, b_hh: Any, y: Any, nonlinearity: reference.Nonlinearity, reverse: bool,
    *, workspace: Workspace,
) -> None:  # fmt: skip
    """h = tanh a, or max(a, 0), with a = x W_ihᵀ + b_ih + h' W_hhᵀ + b_hh."""
    if not is_fast(x):
        return reference.rnn(x, W_ih, W_hh, b_ih, b_hh, y, nonlinearity, reverse)
    (N, T, D), H = x.shape, W_hh.shape[1]
    out = flat(y, workspace)
    arguments: Any = (
        *(flat(x, workspace), packed(W_ih, workspace), packed(W_hh, workspace)),
        *(bias_sum(b_ih, b_hh, H, x.dtype, workspace), out),
        *(row_starts(max(D, H), 1), row_starts(max(D, H), H)),
        *(N, T, D, H, nonlinearity == "relu", reverse),
    )
    parts = threads(2 * N * T * H * (D + H))
    if parts == 1:
        _forward(0, 1, *arguments)
    else:
        _forward_parallel(parts, *arguments)
    put_back(out, y)


@njit(cache=True)
def _forward(part: Any, parts: int, x: Any, W_ih: Any, W_hh: Any, b: Any, y: Any, each: Any, W_k: Any,
             N: int, T: int, D: int, H: int, relu: bool, reverse: bool) -> None:  # fmt: skip
    """A thread's samples through all steps. W_ih and W_hh are packed; y holds a, then h in its place."""
    n0, n1 = share(part, parts, N, ROWS)
    R = n1 - n0
    for s in range(T):
        t, before = time_of(s, T, reverse), time_of(s - 1, T, reverse)
        a = (n0 * T + t) * H
        # a = x W_ihᵀ + h' W_hhᵀ + b:  (R, D) (D, H) -> (R, H), (R, H) (H, H) -> (R, H)
        fill_rows(y, a, T * H, R, b)
        product(x, (n0 * T + t) * D, T * D, each, W_ih, ZERO, W_k, D, y, a, T * H, R, H)
        if s > 0:
            product(y, (n0 * T + before) * H, T * H, each, W_hh, ZERO, W_k, H, y, a, T * H, R, H)
        for n in range(n0, n1):
            h = y[(n * T + t) * H : (n * T + t + 1) * H]
            if relu:
                for j in range(H):
                    h[j] = h[j] if h[j] > 0 or h[j] != h[j] else 0
            else:
                tanh_row(h)


@njit(cache=True, parallel=True)
def _forward_parallel(parts: int, *arguments: Any) -> None:
    for part in prange(parts):
        _forward(np.int64(part), parts, *arguments)


@kernel("cpu")
def rnn_backward(
    x: Any, W_ih: Any, W_hh: Any, y: Any, dy: Any, dW_ih: Any, dW_hh: Any, db_ih: Any, db_hh: Any, dx: Any,
    nonlinearity: reference.Nonlinearity, reverse: bool, *, workspace: Workspace,
) -> None:  # fmt: skip
    """Back through time, then the gradients of the weights over all steps at once."""
    if not is_fast(x):
        return reference.rnn_backward(
            x, W_ih, W_hh, y, dy, dW_ih, dW_hh, db_ih, db_hh, dx, nonlinearity, reverse
        )  # fmt: skip
    (N, T, D), H = x.shape, W_hh.shape[1]
    out, da = ABSENT[x.dtype] if dx is None else flat(dx, workspace), workspace.take((T * N * H,), x.dtype)
    arguments: Any = (
        *[flat(array, workspace) for array in (W_ih, W_hh, y, dy)],
        *(out, da, zeros(max(D, H), x.dtype, workspace), workspace.take((N * H,), x.dtype)),
        *(row_starts(H, 1), row_starts(H, D), row_starts(H, H)),
        *(N, T, dy.shape[1], D, H, nonlinearity == "relu", reverse),
    )
    parts = threads(2 * N * T * H * (D + H))
    if parts == 1:
        _backward(0, 1, *arguments)
    else:
        _backward_parallel(parts, *arguments)
    if dx is not None:
        put_back(out, dx)
    weight_gradients(x, y, da, da, dW_ih, dW_hh, db_ih, db_hh, reverse, workspace)


@njit(cache=True)
def _backward(part: Any, parts: int, W_ih: Any, W_hh: Any, y: Any, dy: Any, dx: Any, da: Any, nothing: Any, dh: Any,
              each: Any, W_ih_k: Any, W_hh_k: Any, N: int, T: int, S: int, D: int, H: int, relu: bool,
              reverse: bool) -> None:  # fmt: skip
    """A thread's samples back through all steps: da, and dx."""
    n0, n1 = share(part, parts, N, ROWS)
    R, zero, one = n1 - n0, y.dtype.type(0), y.dtype.type(1)
    fill_rows(dh, n0 * H, H, R, nothing[:H])
    for s in range(T - 1, -1, -1):
        t, first = time_of(s, T, reverse), (s * N + n0) * H
        for n in range(n0, n1):
            own, h = dh[n * H : (n + 1) * H], y[(n * T + t) * H : (n * T + t + 1) * H]
            target = da[(s * N + n) * H : (s * N + n + 1) * H]
            if S == T or s == T - 1:
                row = n * S + (t if S == T else 0)
                add_row(own, dy[row * H : (row + 1) * H])
            # forward: h = tanh a, or max(a, 0)
            if relu:
                for j in range(H):
                    target[j] = own[j] if h[j] > 0 else zero
            else:
                for j in range(H):
                    target[j] = own[j] * (one - h[j] * h[j])
        # forward: a = x W_ihᵀ + h' W_hhᵀ + b
        if dx.size > 0:
            at = (n0 * T + t) * D
            fill_rows(dx, at, T * D, R, nothing[:D])
            product(da, first, H, each, W_ih, ZERO, W_ih_k, H, dx, at, T * D, R, D)  # (R, H) (H, D) -> (R, D)
        if s > 0:
            fill_rows(dh, n0 * H, H, R, nothing[:H])
            product(da, first, H, each, W_hh, ZERO, W_hh_k, H, dh, n0 * H, H, R, H)  # (R, H) (H, H) -> (R, H)


@njit(cache=True, parallel=True)
def _backward_parallel(parts: int, *arguments: Any) -> None:
    for part in prange(parts):
        _backward(np.int64(part), parts, *arguments)
