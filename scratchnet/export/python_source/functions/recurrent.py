"""Recurrent layers, step by step along a sequence. Gates and cells are kept by step, x and y by time."""

from __future__ import annotations

import numpy as np

from .array import Array
from .pointwise import sigmoid


def steps(T: int, reverse: bool) -> list[tuple[int, int, int | None]]:
    """(step, its time, the time of the step before or None) in the order in which a sequence is walked."""
    times = range(T)[::-1] if reverse else range(T)
    return [(s, t, times[s - 1] if s else None) for s, t in enumerate(times)]


def given_at(dy: Array, s: int, t: int, T: int) -> Array:
    """The cotangent of the state after step s; a dy of one time belongs to the last step."""
    return dy[:, t] if dy.shape[1] == T else dy[:, 0] * (s == T - 1)


def rnn(
    x: Array,
    W_ih: Array,
    W_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
    nonlinearity: str = "tanh",
    reverse: bool = False,
) -> Array:
    """h = tanh a, or max(a, 0), with a = x W_ihᵀ + h' W_hhᵀ + b_ih + b_hh: (N, T, D) -> (N, T, H)."""
    y = np.zeros((*x.shape[:2], W_hh.shape[1]), x.dtype)
    for _, t, before in steps(x.shape[1], reverse):
        a = x[:, t] @ W_ih.T  # (N, D) @ (D, H) -> (N, H)
        if before is not None:
            a = a + y[:, before] @ W_hh.T
        if b_ih is not None:
            a = a + b_ih + b_hh
        y[:, t] = np.tanh(a) if nonlinearity == "tanh" else np.maximum(a, 0)
    return y


def rnn_backward(
    x: Array,
    W_ih: Array,
    W_hh: Array,
    y: Array,
    dy: Array,
    nonlinearity: str = "tanh",
    reverse: bool = False,
) -> tuple[Array, Array, Array, Array, Array]:
    """Back through time: dx, dW_ih, dW_hh, db_ih, db_hh."""
    dx, dW_ih, dW_hh = np.zeros_like(x), np.zeros_like(W_ih), np.zeros_like(W_hh)
    db, dh = np.zeros_like(W_hh[:, 0]), np.zeros_like(y[:, 0])
    for s, t, before in reversed(steps(x.shape[1], reverse)):
        dh, h = dh + given_at(dy, s, t, x.shape[1]), y[:, t]
        # forward: h = tanh a, or max(a, 0)
        da = dh * (1 - h * h) if nonlinearity == "tanh" else np.where(h > 0, dh, 0)
        # forward: a = x W_ihᵀ + h' W_hhᵀ + b_ih + b_hh
        dW_ih += da.T @ x[:, t]
        dx[:, t] = da @ W_ih
        if before is not None:
            dW_hh += da.T @ y[:, before]
            dh = da @ W_hh
        db += da.sum(0)
    return dx, dW_ih, dW_hh, db, db.copy()


def lstm(
    x: Array,
    W_ih: Array,
    W_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
    reverse: bool = False,
) -> tuple[Array, Array, Array]:
    """c = f·c' + i·g and h = o·tanh c, with (i, f, o) = σ(a), g = tanh(a): (N, T, D) -> (N, T, H)."""
    (N, T, _), H = x.shape, W_hh.shape[1]
    y, gates, cells = np.zeros((N, T, H), x.dtype), np.zeros((T, N, 4 * H), x.dtype), np.zeros((T, N, H), x.dtype)
    for s, t, before in steps(T, reverse):
        a = x[:, t] @ W_ih.T  # (N, D) @ (D, 4H) -> (N, 4H)
        if before is not None:
            a = a + y[:, before] @ W_hh.T
        if b_ih is not None:
            a = a + b_ih + b_hh
        a_i, a_f, a_g, a_o = np.split(a, 4, axis=1)  # (N, 4H) -> 4 · (N, H)
        i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
        gates[s] = np.concatenate([i, f, g, o], axis=1)
        cells[s] = i * g + f * (cells[s - 1] if s else 0)
        y[:, t] = o * np.tanh(cells[s])
    return y, gates, cells


def lstm_backward(
    x: Array,
    W_ih: Array,
    W_hh: Array,
    y: Array,
    gates: Array,
    cells: Array,
    dy: Array,
    reverse: bool = False,
) -> tuple[Array, Array, Array, Array, Array]:
    """Back through time: dx, dW_ih, dW_hh, db_ih, db_hh."""
    dx, dW_ih, dW_hh = np.zeros_like(x), np.zeros_like(W_ih), np.zeros_like(W_hh)
    db, dh, dc = np.zeros_like(W_hh[:, 0]), np.zeros_like(y[:, 0]), np.zeros_like(y[:, 0])
    for s, t, before in reversed(steps(x.shape[1], reverse)):
        i, f, g, o = np.split(gates[s], 4, axis=1)  # (N, 4H) -> 4 · (N, H)
        # forward: h = o·tanh c
        dh = dh + given_at(dy, s, t, x.shape[1])
        u = np.tanh(cells[s])
        do = dh * u
        dc = dc + dh * o * (1 - u * u)
        # forward: c = f·c' + i·g
        di, dg, df = dc * g, dc * i, dc * (cells[s - 1] if s else 0)
        dc = dc * f
        # forward: i, f, o = σ(a_i), σ(a_f), σ(a_o); g = tanh(a_g)
        da = np.concatenate([di * i * (1 - i), df * f * (1 - f), dg * (1 - g * g), do * o * (1 - o)], axis=1)
        # forward: a = x W_ihᵀ + h' W_hhᵀ + b_ih + b_hh
        dW_ih += da.T @ x[:, t]
        dx[:, t] = da @ W_ih
        if before is not None:
            dW_hh += da.T @ y[:, before]
            dh = da @ W_hh
        db += da.sum(0)
    return dx, dW_ih, dW_hh, db, db.copy()


def gru(
    x: Array,
    W_ih: Array,
    W_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
    reverse: bool = False,
) -> tuple[Array, Array, Array]:
    """h = (1 - z)·n + z·h' with r, z = σ(a + b), n = tanh(a + r·q): (N, T, D) -> (N, T, H)."""
    (N, T, _), H = x.shape, W_hh.shape[1]
    y, gates, hidden = np.zeros((N, T, H), x.dtype), np.zeros((T, N, 3 * H), x.dtype), np.zeros((T, N, H), x.dtype)
    for s, t, before in steps(T, reverse):
        a = x[:, t] @ W_ih.T  # (N, D) @ (D, 3H) -> (N, 3H)
        b = np.zeros_like(a) if before is None else y[:, before] @ W_hh.T
        if b_ih is not None:
            a, b = a + b_ih, b + b_hh
        a_r, a_z, a_n = np.split(a, 3, axis=1)  # (N, 3H) -> 3 · (N, H)
        b_r, b_z, q = np.split(b, 3, axis=1)
        r, z = sigmoid(a_r + b_r), sigmoid(a_z + b_z)
        n = np.tanh(a_n + r * q)
        gates[s], hidden[s] = np.concatenate([r, z, n], axis=1), q
        y[:, t] = (1 - z) * n + z * (0 if before is None else y[:, before])
    return y, gates, hidden


def gru_backward(
    x: Array,
    W_ih: Array,
    W_hh: Array,
    y: Array,
    gates: Array,
    hidden: Array,
    dy: Array,
    reverse: bool = False,
) -> tuple[Array, Array, Array, Array, Array]:
    """Back through time: dx, dW_ih, dW_hh, db_ih, db_hh."""
    dx, dW_ih, dW_hh = np.zeros_like(x), np.zeros_like(W_ih), np.zeros_like(W_hh)
    db_ih, db_hh, dh = np.zeros_like(W_hh[:, 0]), np.zeros_like(W_hh[:, 0]), np.zeros_like(y[:, 0])
    for s, t, before in reversed(steps(x.shape[1], reverse)):
        r, z, n = np.split(gates[s], 3, axis=1)  # (N, 3H) -> 3 · (N, H)
        # forward: h = (1 - z)·n + z·h'
        dh = dh + given_at(dy, s, t, x.shape[1])
        dn, dz = dh * (1 - z), dh * ((0 if before is None else y[:, before]) - n)
        dh = dh * z
        # forward: n = tanh(a_n + r·q)
        dn = dn * (1 - n * n)
        dr, dq = dn * hidden[s], dn * r
        # forward: r, z = σ(a_r + b_r), σ(a_z + b_z)
        dr, dz = dr * r * (1 - r), dz * z * (1 - z)
        # forward: a = x W_ihᵀ + b_ih
        da = np.concatenate([dr, dz, dn], axis=1)  # 3 · (N, H) -> (N, 3H)
        dW_ih += da.T @ x[:, t]
        dx[:, t] = da @ W_ih
        # forward: b = h' W_hhᵀ + b_hh, of which q is the last third
        db = np.concatenate([dr, dz, dq], axis=1)
        if before is not None:
            dW_hh += db.T @ y[:, before]
            dh = dh + db @ W_hh
        db_ih, db_hh = db_ih + da.sum(0), db_hh + db.sum(0)
    return dx, dW_ih, dW_hh, db_ih, db_hh
