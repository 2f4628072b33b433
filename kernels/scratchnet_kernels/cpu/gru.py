"""GRU: a step's products on register tiles, then its gates row by row while they are in the cache."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from ..backend import kernel
from ..reference import gru as reference
from ..workspace import Workspace
from ._elementary import CONTRACT
from ._flat import ABSENT, flat, is_fast, put_back
from ._products import ROWS, product, row_starts
from ._recurrent import ZERO, add_row, fill_rows, packed, sigmoid_row, tanh_row, time_of, weight_gradients, zeros
from ._threads import share, threads


@kernel("cpu")
def gru(
    x: Any, W_ih: Any, W_hh: Any, b_ih: Any, b_hh: Any, y: Any, gates: Any, hidden: Any, reverse: bool,
    *, workspace: Workspace,
) -> None:  # fmt: skip
    """h = (1 - z)·n + z·h' with n = tanh(a_n + r·q)."""
    if not is_fast(x):
        return reference.gru(x, W_ih, W_hh, b_ih, b_hh, y, gates, hidden, reverse)
    (N, T, D), H = x.shape, W_hh.shape[1]
    outs = [flat(array, workspace) for array in (y, gates, hidden)]
    b, b_q = zeros(3 * H, x.dtype, workspace), zeros(H, x.dtype, workspace)
    if b_ih is not None:  # r and z see the sum of both biases; n sees b_ih, and q sees b_hh
        b += b_ih
        b[: 2 * H] += b_hh[: 2 * H]
        b_q += b_hh[2 * H :]
    arguments: Any = (
        *(flat(x, workspace), packed(W_ih, workspace), packed(W_hh, workspace), b, b_q, *outs),
        *(zeros(H, x.dtype, workspace), row_starts(max(D, H), 1), row_starts(max(D, H), 3 * H)),
        *(N, T, D, H, reverse),
    )
    parts = threads(6 * N * T * H * (D + H))
    if parts == 1:
        _forward(0, 1, *arguments)
    else:
        _forward_parallel(parts, *arguments)
    for out, array in zip(outs, (y, gates, hidden), strict=True):
        put_back(out, array)


@njit(cache=True)
def _forward(part: Any, parts: int, x: Any, W_ih: Any, W_hh: Any, b: Any, b_q: Any, y: Any, gates: Any, hidden: Any,
             nothing: Any, each: Any, W_k: Any, N: int, T: int, D: int, H: int, reverse: bool) -> None:  # fmt: skip
    """A thread's samples through all steps. W_ih and W_hh are packed."""
    n0, n1 = share(part, parts, N, ROWS)
    G, R = 3 * H, n1 - n0
    for s in range(T):
        t, before, first = time_of(s, T, reverse), time_of(s - 1, T, reverse), s * N + n0
        # a = x W_ihᵀ + b:  (R, D) (D, 3H) -> (R, 3H)
        fill_rows(gates, first * G, G, R, b)
        product(x, (n0 * T + t) * D, T * D, each, W_ih, ZERO, W_k, D, gates, first * G, G, R, G)
        # (b_r, b_z, q) = h' W_hhᵀ + b, the first two added to a:  (R, H) (H, 2H) -> (R, 2H), (R, H) (H, H) -> (R, H)
        fill_rows(hidden, first * H, H, R, b_q)
        if s > 0:
            h = (n0 * T + before) * H
            product(y, h, T * H, each, W_hh, ZERO, W_k, H, gates, first * G, G, R, 2 * H)
            product(y, h, T * H, each, W_hh, 2 * H, W_k, H, hidden, first * H, H, R, H)
        for n in range(n0, n1):
            now, h, old = (s * N + n) * H, (n * T + t) * H, (n * T + before) * H
            h_before = y[old : old + H] if s > 0 else nothing
            _cell(gates[3 * now : 3 * (now + H)], hidden[now : now + H], h_before, y[h : h + H])


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _cell(a: Any, q: Any, h_before: Any, h: Any) -> None:
    """The gates in place of a, and the state of one sample. Short loops, so that all are vectorised."""
    H, one = q.size, q.dtype.type(1)
    r, z, n = a[:H], a[H : 2 * H], a[2 * H :]
    sigmoid_row(a[: 2 * H])
    for j in range(H):
        n[j] += r[j] * q[j]
    tanh_row(n)
    for j in range(H):
        h[j] = (one - z[j]) * n[j] + z[j] * h_before[j]


@njit(cache=True, parallel=True)
def _forward_parallel(parts: int, *arguments: Any) -> None:
    for part in prange(parts):
        _forward(np.int64(part), parts, *arguments)


@kernel("cpu")
def gru_backward(
    x: Any, W_ih: Any, W_hh: Any, y: Any, gates: Any, hidden: Any, dy: Any,
    dW_ih: Any, dW_hh: Any, db_ih: Any, db_hh: Any, dx: Any, reverse: bool, *, workspace: Workspace,
) -> None:  # fmt: skip
    """Back through time, then the gradients of the weights over all steps at once."""
    if not is_fast(x):
        return reference.gru_backward(x, W_ih, W_hh, y, gates, hidden, dy, dW_ih, dW_hh, db_ih, db_hh, dx, reverse)
    (N, T, D), H = x.shape, W_hh.shape[1]
    out = ABSENT[x.dtype] if dx is None else flat(dx, workspace)
    da, db = (workspace.take((T * N * 3 * H,), x.dtype) for _ in range(2))
    arguments: Any = (
        *[flat(array, workspace) for array in (W_ih, W_hh, y, gates, hidden, dy)],
        *(out, da, db, zeros(max(D, H), x.dtype, workspace), workspace.take((N * H,), x.dtype)),
        *(row_starts(3 * H, 1), row_starts(3 * H, D), row_starts(3 * H, H)),
        *(N, T, dy.shape[1], D, H, reverse),
    )
    parts = threads(6 * N * T * H * (D + H))
    if parts == 1:
        _backward(0, 1, *arguments)
    else:
        _backward_parallel(parts, *arguments)
    if dx is not None:
        put_back(out, dx)
    weight_gradients(x, y, da, db, dW_ih, dW_hh, db_ih, db_hh, reverse, workspace)


@njit(cache=True)
def _backward(part: Any, parts: int, W_ih: Any, W_hh: Any, y: Any, gates: Any, hidden: Any, dy: Any, dx: Any, da: Any,
              db: Any, nothing: Any, dh: Any, each: Any, W_ih_k: Any, W_hh_k: Any,
              N: int, T: int, S: int, D: int, H: int, reverse: bool) -> None:  # fmt: skip
    """A thread's samples back through all steps: da, db, and dx."""
    n0, n1 = share(part, parts, N, ROWS)
    G, R = 3 * H, n1 - n0
    fill_rows(dh, n0 * H, H, R, nothing[:H])
    for s in range(T - 1, -1, -1):
        t, before, first = time_of(s, T, reverse), time_of(s - 1, T, reverse), (s * N + n0) * G
        for n in range(n0, n1):
            now, own, old = (s * N + n) * H, dh[n * H : (n + 1) * H], (n * T + before) * H
            if S == T or s == T - 1:
                row = n * S + (t if S == T else 0)
                add_row(own, dy[row * H : (row + 1) * H])
            h_before = y[old : old + H] if s > 0 else nothing[:H]
            _cell_back(gates[3 * now : 3 * (now + H)], hidden[now : now + H], h_before, own,
                       da[3 * now : 3 * (now + H)], db[3 * now : 3 * (now + H)])  # fmt: skip
        # forward: a = x W_ihᵀ + b_ih
        if dx.size > 0:
            at = (n0 * T + t) * D
            fill_rows(dx, at, T * D, R, nothing[:D])
            product(da, first, G, each, W_ih, ZERO, W_ih_k, G, dx, at, T * D, R, D)  # (R, 3H) (3H, D) -> (R, D)
        # forward: b = h' W_hhᵀ + b_hh
        if s > 0:
            product(db, first, G, each, W_hh, ZERO, W_hh_k, G, dh, n0 * H, H, R, H)  # (R, 3H) (3H, H) -> (R, H)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _cell_back(gates: Any, q: Any, h_before: Any, dh: Any, da: Any, db: Any) -> None:
    """da and db from dh, and in place of dh what goes back through z, for one sample."""
    H, one = q.size, q.dtype.type(1)
    r, z, n = gates[:H], gates[H : 2 * H], gates[2 * H :]
    da_r, da_z, da_n = da[:H], da[H : 2 * H], da[2 * H :]
    # forward: n = tanh(a_n + r·q), h = (1 - z)·n + z·h'
    for j in range(H):
        da_n[j] = dh[j] * (one - z[j]) * (one - n[j] * n[j])
    # forward: z = sigmoid(a_z + b_z)
    for j in range(H):
        da_z[j] = dh[j] * (h_before[j] - n[j]) * z[j] * (one - z[j])
    for j in range(H):
        dh[j] *= z[j]
    # forward: r = sigmoid(a_r + b_r), in n as r·q
    for j in range(H):
        da_r[j] = da_n[j] * q[j] * r[j] * (one - r[j])
    # forward: b = (b_r, b_z, q)
    db[: 2 * H] = da[: 2 * H]
    dq = db[2 * H :]
    for j in range(H):
        dq[j] = da_n[j] * r[j]


@njit(cache=True, parallel=True)
def _backward_parallel(parts: int, *arguments: Any) -> None:
    for part in prange(parts):
        _backward(np.int64(part), parts, *arguments)
