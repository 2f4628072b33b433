"""LSTM: a step's two products on register tiles, then its gates row by row while they are in the cache."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from ..backend import kernel
from ..reference import lstm as reference
from ..workspace import Workspace
from ._elementary import CONTRACT, sigmoid, tanh
from ._flat import ABSENT, flat, is_fast, put_back
from ._products import ROWS, product, row_starts
from ._recurrent import (
    ZERO,
    add_row,
    bias_sum,
    fill_rows,
    packed,
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
def _forward(part: Any, parts: int, x: Any, W_ih: Any, W_hh: Any, b: Any, y: Any, gates: Any, cells: Any,
             each: Any, W_k: Any, N: int, T: int, D: int, H: int, reverse: bool) -> None:  # fmt: skip
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
        _cells(gates, cells, y, first * H, R, N * H if s > 0 else 0, (n0 * T + t) * H, T * H, H)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _cells(gates: Any, cells: Any, y: Any, first: int, R: int, step: int, h: int, stride: int, H: int) -> None:
    """The gates in place of a, the cells and the states of R samples. The cells of the step before lie `step` back.

    Short loops, so that all are vectorised, and unsigned places, for then no index can count from the end; a call for
    each sample would cost as much as its gates.
    """
    zero, to_f, to_g, to_o, width = gates.dtype.type(0), np.uint64(H), np.uint64(2 * H), np.uint64(3 * H), np.uint64(H)
    for n in range(R):
        i, c, out = np.uint64(4 * (first + n * H)), np.uint64(first + n * H), np.uint64(h + n * stride)
        f, g, o, old = i + to_f, i + to_g, i + to_o, np.uint64(first + n * H - step)
        for j in range(to_g):
            gates[i + j] = sigmoid(gates[i + j])
        for j in range(width):
            gates[g + j] = tanh(gates[g + j])
        for j in range(width):
            gates[o + j] = sigmoid(gates[o + j])
        if step > 0:
            for j in range(width):
                cells[c + j] = gates[i + j] * gates[g + j] + gates[f + j] * cells[old + j]
        else:
            for j in range(width):
                cells[c + j] = gates[i + j] * gates[g + j] + gates[f + j] * zero
        for j in range(width):
            y[out + j] = gates[o + j] * tanh(cells[c + j])


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
        if S == T or s == T - 1:
            for n in range(n0, n1):
                row = n * S + (t if S == T else 0)
                add_row(dh[n * H : (n + 1) * H], dy[row * H : (row + 1) * H])
        _cells_back(gates, cells, dh, dc, da, scratch, (s * N + n0) * H, n0 * H, R, N * H if s > 0 else 0, H)
        # forward: a = x W_ihᵀ + h' W_hhᵀ + b
        if dx.size > 0:
            at = (n0 * T + t) * D
            fill_rows(dx, at, T * D, R, nothing[:D])
            product(da, first, G, each, W_ih, ZERO, W_ih_k, G, dx, at, T * D, R, D)  # (R, 4H) (4H, D) -> (R, D)
        if s > 0:
            fill_rows(dh, n0 * H, H, R, nothing[:H])
            product(da, first, G, each, W_hh, ZERO, W_hh_k, G, dh, n0 * H, H, R, H)  # (R, 4H) (4H, H) -> (R, H)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _cells_back(gates: Any, cells: Any, dh: Any, dc: Any, da: Any, scratch: Any, first: int, own: int, R: int,
                step: int, H: int) -> None:  # fmt: skip
    """da from dh and dc, and dc of the step before, for R samples. One short loop for each line of the forward."""
    zero, one, width = dc.dtype.type(0), dc.dtype.type(1), np.uint64(H)
    to_f, to_g, to_o = np.uint64(H), np.uint64(2 * H), np.uint64(3 * H)
    for n in range(R):
        i, c, k = np.uint64(4 * (first + n * H)), np.uint64(first + n * H), np.uint64(own + n * H)
        f, g, o, old = i + to_f, i + to_g, i + to_o, np.uint64(first + n * H - step)
        # forward: o = sigmoid(a_o), h = o·tanh c
        for j in range(width):
            scratch[k + j] = tanh(cells[c + j])
        for j in range(width):
            da[o + j] = dh[k + j] * scratch[k + j] * gates[o + j] * (one - gates[o + j])
        for j in range(width):
            dc[k + j] += dh[k + j] * gates[o + j] * (one - scratch[k + j] * scratch[k + j])
        # forward: i, f = sigmoid(a_i), sigmoid(a_f), g = tanh(a_g), c = f·c' + i·g
        for j in range(width):
            da[i + j] = dc[k + j] * gates[g + j] * gates[i + j] * (one - gates[i + j])
        if step > 0:
            for j in range(width):
                da[f + j] = dc[k + j] * cells[old + j] * gates[f + j] * (one - gates[f + j])
        else:
            for j in range(width):
                da[f + j] = dc[k + j] * zero * gates[f + j] * (one - gates[f + j])
        for j in range(width):
            da[g + j] = dc[k + j] * gates[i + j] * (one - gates[g + j] * gates[g + j])
        for j in range(width):
            dc[k + j] *= gates[f + j]


@njit(cache=True, parallel=True)
def _backward_parallel(parts: int, *arguments: Any) -> None:
    for part in prange(parts):
        _backward(np.int64(part), parts, *arguments)
