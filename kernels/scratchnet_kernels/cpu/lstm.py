"""LSTM: a step's two products on register tiles, then its gates row by row while they are in the cache."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from ..backend import kernel
from ..reference import lstm as reference
from ..workspace import Workspace
from ._elementary import CONTRACT
from ._flat import ABSENT, flat, is_fast, put_back
from ._products import ROWS, product, row_starts
from ._recurrent import (
    ZERO,
    add_row,
    bias_sum,
    fill_rows,
    packed,
    sigmoid_row,
    tanh_row,
    time_of,
    weight_gradients,
    zeros,
)
from ._threads import share, threads


@kernel("cpu")
def lstm(
    x: Any, W_ih: Any, W_hh: Any, b_ih: Any, b_hh: Any, y: Any, gates: Any, cells: Any, reverse: bool,
    *, workspace: Workspace,
) -> None:  # fmt: skip
    """c = f·c' + i·g and h = o·tanh c."""
    if not is_fast(x):
        return reference.lstm(x, W_ih, W_hh, b_ih, b_hh, y, gates, cells, reverse)
    (N, T, D), H = x.shape, W_hh.shape[1]
    outs = [flat(array, workspace) for array in (y, gates, cells)]
    arguments: Any = (
        *(flat(x, workspace), packed(W_ih, workspace), packed(W_hh, workspace)),
        bias_sum(b_ih, b_hh, 4 * H, x.dtype, workspace),
        *outs,
        *(zeros(H, x.dtype, workspace), workspace.take((N * H,), x.dtype)),
        *(row_starts(max(D, H), 1), row_starts(max(D, H), 4 * H)),
        *(N, T, D, H, reverse),
    )
    parts = threads(8 * N * T * H * (D + H))
    if parts == 1:
        _forward(0, 1, *arguments)
    else:
        _forward_parallel(parts, *arguments)
    for out, array in zip(outs, (y, gates, cells), strict=True):
        put_back(out, array)


@njit(cache=True)
def _forward(part: Any, parts: int, x: Any, W_ih: Any, W_hh: Any, b: Any, y: Any, gates: Any, cells: Any, nothing: Any,
             scratch: Any, each: Any, W_k: Any, N: int, T: int, D: int, H: int, reverse: bool) -> None:  # fmt: skip
    """A thread's samples through all steps. W_ih and W_hh are packed."""
    n0, n1 = share(part, parts, N, ROWS)
    G, R = 4 * H, n1 - n0
    for s in range(T):
        t, before, first = time_of(s, T, reverse), time_of(s - 1, T, reverse), s * N + n0
        # a = x W_ihᵀ + h' W_hhᵀ + b:  (R, D) (D, 4H) -> (R, 4H), (R, H) (H, 4H) -> (R, 4H)
        fill_rows(gates, first * G, G, R, b)
        product(x, (n0 * T + t) * D, T * D, each, W_ih, ZERO, W_k, D, gates, first * G, G, R, G)
        if s > 0:
            product(y, (n0 * T + before) * H, T * H, each, W_hh, ZERO, W_k, H, gates, first * G, G, R, G)
        for n in range(n0, n1):
            now = (s * N + n) * H
            c_before = cells[now - N * H : now - N * H + H] if s > 0 else nothing
            c, h = cells[now : now + H], y[(n * T + t) * H : (n * T + t + 1) * H]
            _cell(gates[4 * now : 4 * (now + H)], c_before, c, h, scratch[n * H : (n + 1) * H])


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _cell(a: Any, c_before: Any, c: Any, h: Any, u: Any) -> None:
    """The gates in place of a, the cell and the state of one sample. Short loops, so that all are vectorised."""
    H = c.size
    i, f, g, o = a[:H], a[H : 2 * H], a[2 * H : 3 * H], a[3 * H :]
    sigmoid_row(a[: 2 * H])
    tanh_row(g)
    sigmoid_row(o)
    for j in range(H):
        c[j] = i[j] * g[j] + f[j] * c_before[j]
    u[:] = c
    tanh_row(u)
    for j in range(H):
        h[j] = o[j] * u[j]


@njit(cache=True, parallel=True)
def _forward_parallel(parts: int, *arguments: Any) -> None:
    for part in prange(parts):
        _forward(np.int64(part), parts, *arguments)


@kernel("cpu")
def lstm_backward(
    x: Any, W_ih: Any, W_hh: Any, y: Any, gates: Any, cells: Any, dy: Any,
    dW_ih: Any, dW_hh: Any, db_ih: Any, db_hh: Any, dx: Any, reverse: bool, *, workspace: Workspace,
) -> None:  # fmt: skip
    """Back through time, then the gradients of the weights over all steps at once."""
    if not is_fast(x):
        return reference.lstm_backward(x, W_ih, W_hh, y, gates, cells, dy, dW_ih, dW_hh, db_ih, db_hh, dx, reverse)
    (N, T, D), H = x.shape, W_hh.shape[1]
    out, da = ABSENT[x.dtype] if dx is None else flat(dx, workspace), workspace.take((T * N * 4 * H,), x.dtype)
    arguments: Any = (
        *[flat(array, workspace) for array in (W_ih, W_hh, gates, cells, dy)],
        *(out, da, zeros(max(D, H), x.dtype, workspace)),
        *[workspace.take((N * H,), x.dtype) for _ in range(3)],
        *(row_starts(4 * H, 1), row_starts(4 * H, D), row_starts(4 * H, H)),
        *(N, T, dy.shape[1], D, H, reverse),
    )
    parts = threads(8 * N * T * H * (D + H))
    if parts == 1:
        _backward(0, 1, *arguments)
    else:
        _backward_parallel(parts, *arguments)
    if dx is not None:
        put_back(out, dx)
    weight_gradients(x, y, da, da, dW_ih, dW_hh, db_ih, db_hh, reverse, workspace)


@njit(cache=True)
def _backward(part: Any, parts: int, W_ih: Any, W_hh: Any, gates: Any, cells: Any, dy: Any, dx: Any, da: Any,
              nothing: Any, dh: Any, dc: Any, scratch: Any, each: Any, W_ih_k: Any, W_hh_k: Any,
              N: int, T: int, S: int, D: int, H: int, reverse: bool) -> None:  # fmt: skip
    """A thread's samples back through all steps: da, and dx."""
    n0, n1 = share(part, parts, N, ROWS)
    G, R = 4 * H, n1 - n0
    fill_rows(dh, n0 * H, H, R, nothing[:H])
    fill_rows(dc, n0 * H, H, R, nothing[:H])
    for s in range(T - 1, -1, -1):
        t, first = time_of(s, T, reverse), (s * N + n0) * G
        for n in range(n0, n1):
            now, own = (s * N + n) * H, slice(n * H, (n + 1) * H)
            if S == T or s == T - 1:
                row = n * S + (t if S == T else 0)
                add_row(dh[own], dy[row * H : (row + 1) * H])
            c_before = cells[now - N * H : now - N * H + H] if s > 0 else nothing[:H]
            _cell_back(gates[4 * now : 4 * (now + H)], c_before, cells[now : now + H], dh[own], dc[own],
                       da[4 * now : 4 * (now + H)], scratch[own])  # fmt: skip
        # forward: a = x W_ihᵀ + h' W_hhᵀ + b
        if dx.size > 0:
            at = (n0 * T + t) * D
            fill_rows(dx, at, T * D, R, nothing[:D])
            product(da, first, G, each, W_ih, ZERO, W_ih_k, G, dx, at, T * D, R, D)  # (R, 4H) (4H, D) -> (R, D)
        if s > 0:
            fill_rows(dh, n0 * H, H, R, nothing[:H])
            product(da, first, G, each, W_hh, ZERO, W_hh_k, G, dh, n0 * H, H, R, H)  # (R, 4H) (4H, H) -> (R, H)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _cell_back(gates: Any, c_before: Any, c: Any, dh: Any, dc: Any, da: Any, u: Any) -> None:
    """da from dh and dc, and dc of the step before, for one sample. One short loop for each line of the forward."""
    H, one = c.size, c.dtype.type(1)
    i, f, g, o = gates[:H], gates[H : 2 * H], gates[2 * H : 3 * H], gates[3 * H :]
    da_i, da_f, da_g, da_o = da[:H], da[H : 2 * H], da[2 * H : 3 * H], da[3 * H :]
    # forward: o = sigmoid(a_o), h = o·tanh c
    u[:] = c
    tanh_row(u)
    for j in range(H):
        da_o[j] = dh[j] * u[j] * o[j] * (one - o[j])
    for j in range(H):
        dc[j] += dh[j] * o[j] * (one - u[j] * u[j])
    # forward: i, f = sigmoid(a_i), sigmoid(a_f), g = tanh(a_g), c = f·c' + i·g
    for j in range(H):
        da_i[j] = dc[j] * g[j] * i[j] * (one - i[j])
    for j in range(H):
        da_f[j] = dc[j] * c_before[j] * f[j] * (one - f[j])
    for j in range(H):
        da_g[j] = dc[j] * i[j] * (one - g[j] * g[j])
    for j in range(H):
        dc[j] *= f[j]


@njit(cache=True, parallel=True)
def _backward_parallel(parts: int, *arguments: Any) -> None:
    for part in prange(parts):
        _backward(np.int64(part), parts, *arguments)
