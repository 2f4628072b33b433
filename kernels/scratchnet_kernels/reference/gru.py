"""GRU: gated recurrent units over a whole sequence, three gates a step, the reset gate after the hidden product."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import Extents, op
from . import _math as m
from ._steps import given_at, steps

# Gates lie side by side in rows of G = 3H: reset r, update z, candidate n. `gates` and `hidden` (the hidden product q,
# on which r acts) are numbered by step s, the order in which time is walked; x, y and dy by time t.


def _extents(d: Extents, _: Any) -> Extents:
    return {"G": 3 * d["H"]}


def _flops(d: Extents) -> int:
    return int(2 * d["N"] * d["T"] * d["G"] * (d["D"] + d["H"]))


@op(
    x="N T D", W_ih="G D", W_hh="G H", b_ih="G", b_hh="G", y="N T H", gates="T N G", hidden="T N H",
    out=("y", "gates", "hidden"), optional=("b_ih", "b_hh"), dims=_extents, flops=_flops,
)  # fmt: skip
def gru(x: Any, W_ih: Any, W_hh: Any, b_ih: Any, b_hh: Any, y: Any, gates: Any, hidden: Any, reverse: bool) -> None:
    """h = (1 - z)·n + z·h' with n = tanh(a_n + r·q); the first step has no hidden product and h' = 0."""
    for s, t, before in steps(x.shape[1], reverse):
        a = x[:, t] @ W_ih.T  # (N, D) @ (D, 3H) -> (N, 3H)
        b = np.zeros_like(a) if before is None else y[:, before] @ W_hh.T  # (N, H) @ (H, 3H) -> (N, 3H)
        if b_ih is not None:
            a, b = a + b_ih, b + b_hh
        a_r, a_z, a_n = np.split(a, 3, axis=1)  # (N, 3H) -> 3 · (N, H)
        b_r, b_z, q = np.split(b, 3, axis=1)
        r, z = m.sigmoid(a_r + b_r), m.sigmoid(a_z + b_z)
        n = m.tanh(a_n + r * q)
        gates[s], hidden[s] = np.concatenate([r, z, n], axis=1), q  # 3 · (N, H) -> (N, 3H)
        y[:, t] = (m.const(1, y) - z) * n + z * (0 if before is None else y[:, before])


@op(
    x="N T D", W_ih="G D", W_hh="G H", y="N T H", gates="T N G", hidden="T N H", dy="N S H",
    dW_ih="G D", dW_hh="G H", db_ih="G", db_hh="G", dx="N T D",
    out=("dx",), adds=("dW_ih", "dW_hh", "db_ih", "db_hh"), optional=("db_ih", "db_hh", "dx"),
    dims=lambda d, _: _extents(d, _) | {"S": 1 if d["S"] == 1 else d["T"]}, flops=lambda d: 2 * _flops(d),
)  # fmt: skip
def gru_backward(
    x: Any, W_ih: Any, W_hh: Any, y: Any, gates: Any, hidden: Any, dy: Any,
    dW_ih: Any, dW_hh: Any, db_ih: Any, db_hh: Any, dx: Any, reverse: bool,
) -> None:  # fmt: skip
    """Back through time. dy has a row for every time, or (S = 1) one only, for the state after the last step."""
    dh = m.const(0, y)  # what the steps after this one say of h
    for s, t, before in reversed(steps(x.shape[1], reverse)):
        r, z, n = np.split(gates[s], 3, axis=1)  # (N, 3H) -> 3 · (N, H)
        one = m.const(1, y)
        # forward: h = (1 - z)·n + z·h'
        dh = dh + given_at(dy, s, t, x.shape[1])
        dn, dz = dh * (one - z), dh * ((0 if before is None else y[:, before]) - n)
        dh = dh * z
        # forward: n = tanh(a_n + r·q)
        dn = dn * (one - n * n)
        dr, dq = dn * hidden[s], dn * r
        # forward: r, z = sigmoid(a_r + b_r), sigmoid(a_z + b_z)
        dr, dz = dr * r * (one - r), dz * z * (one - z)
        # forward: a = x W_ihᵀ + b_ih
        da = np.concatenate([dr, dz, dn], axis=1)  # 3 · (N, H) -> (N, 3H)
        dW_ih += da.T @ x[:, t]  # (3H, N) @ (N, D) -> (3H, D)
        if dx is not None:
            dx[:, t] = da @ W_ih  # (N, 3H) @ (3H, D) -> (N, D)
        # forward: b = h' W_hhᵀ + b_hh, of which q is the last third
        db = np.concatenate([dr, dz, dq], axis=1)  # 3 · (N, H) -> (N, 3H)
        if before is not None:
            dW_hh += db.T @ y[:, before]  # (3H, N) @ (N, H) -> (3H, H)
            dh = dh + db @ W_hh  # (N, 3H) @ (3H, H) -> (N, H)
        if db_ih is not None:
            db_ih += da.sum(0)  # (N, 3H) -> (3H,)
            db_hh += db.sum(0)
