"""LSTM: long short-term memory over a whole sequence, four gates a step."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import Extents, op
from . import _math as m
from ._steps import given_at, steps

# Gates lie side by side in rows of G = 4H: input i, forget f, candidate g, output o. `gates` and `cells` are numbered
# by step s, the order in which time is walked; x, y and dy by time t.


def _extents(d: Extents, _: Any) -> Extents:
    return {"G": 4 * d["H"]}


def _flops(d: Extents) -> int:
    return int(2 * d["N"] * d["T"] * d["G"] * (d["D"] + d["H"]))


@op(
    x="N T D", W_ih="G D", W_hh="G H", b_ih="G", b_hh="G", y="N T H", gates="T N G", cells="T N H",
    out=("y", "gates", "cells"), optional=("b_ih", "b_hh"), dims=_extents, flops=_flops,
)  # fmt: skip
def lstm(x: Any, W_ih: Any, W_hh: Any, b_ih: Any, b_hh: Any, y: Any, gates: Any, cells: Any, reverse: bool) -> None:
    """c = f·c' + i·g and h = o·tanh c, with c' the cell before; the first step has no h' and c' = 0."""
    for s, t, before in steps(x.shape[1], reverse):
        a = x[:, t] @ W_ih.T  # (N, D) @ (D, 4H) -> (N, 4H)
        if before is not None:
            a = a + y[:, before] @ W_hh.T  # (N, H) @ (H, 4H) -> (N, 4H)
        if b_ih is not None:
            a = a + b_ih + b_hh
        a_i, a_f, a_g, a_o = np.split(a, 4, axis=1)  # (N, 4H) -> 4 · (N, H)
        i, f, g, o = m.sigmoid(a_i), m.sigmoid(a_f), m.tanh(a_g), m.sigmoid(a_o)
        gates[s] = np.concatenate([i, f, g, o], axis=1)  # 4 · (N, H) -> (N, 4H)
        cells[s] = i * g + f * (cells[s - 1] if s else 0)
        y[:, t] = o * m.tanh(cells[s])


@op(
    x="N T D", W_ih="G D", W_hh="G H", y="N T H", gates="T N G", cells="T N H", dy="N S H",
    dW_ih="G D", dW_hh="G H", db_ih="G", db_hh="G", dx="N T D",
    out=("dx",), adds=("dW_ih", "dW_hh", "db_ih", "db_hh"), optional=("db_ih", "db_hh", "dx"),
    dims=lambda d, _: _extents(d, _) | {"S": 1 if d["S"] == 1 else d["T"]}, flops=lambda d: 2 * _flops(d),
)  # fmt: skip
def lstm_backward(
    x: Any, W_ih: Any, W_hh: Any, y: Any, gates: Any, cells: Any, dy: Any,
    dW_ih: Any, dW_hh: Any, db_ih: Any, db_hh: Any, dx: Any, reverse: bool,
) -> None:  # fmt: skip
    """Back through time. dy has a row for every time, or (S = 1) one only, for the state after the last step."""
    dh = dc = m.const(0, y)  # what the steps after this one say of h and of c
    for s, t, before in reversed(steps(x.shape[1], reverse)):
        i, f, g, o = np.split(gates[s], 4, axis=1)  # (N, 4H) -> 4 · (N, H)
        one = m.const(1, y)
        # forward: h = o·tanh c
        dh = dh + given_at(dy, s, t, x.shape[1])
        u = m.tanh(cells[s])
        do = dh * u
        dc = dc + dh * o * (one - u * u)
        # forward: c = f·c' + i·g
        di, dg = dc * g, dc * i
        df = dc * (cells[s - 1] if s else 0)
        dc = dc * f
        # forward: i, f, o = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o); g = tanh(a_g)
        da = np.concatenate(  # 4 · (N, H) -> (N, 4H)
            [di * i * (one - i), df * f * (one - f), dg * (one - g * g), do * o * (one - o)], axis=1
        )
        # forward: a = x W_ihᵀ + h' W_hhᵀ + b_ih + b_hh
        dW_ih += da.T @ x[:, t]  # (4H, N) @ (N, D) -> (4H, D)
        if dx is not None:
            dx[:, t] = da @ W_ih  # (N, 4H) @ (4H, D) -> (N, D)
        if before is not None:
            dW_hh += da.T @ y[:, before]  # (4H, N) @ (N, H) -> (4H, H)
            dh = da @ W_hh  # (N, 4H) @ (4H, H) -> (N, H)
        if db_ih is not None:
            db_ih += da.sum(0)  # (N, 4H) -> (4H,)
            db_hh += da.sum(0)
