"""RNN: the simple recurrent layer over a whole sequence."""

from __future__ import annotations

from typing import Any, Literal

from ..op import Extents, op
from . import _math as m
from ._steps import given_at, steps

Nonlinearity = Literal["tanh", "relu"]


def _flops(d: Extents) -> int:
    return int(2 * d["N"] * d["T"] * d["H"] * (d["D"] + d["H"]))


@op(
    x="N T D", W_ih="H D", W_hh="H H", b_ih="H", b_hh="H", y="N T H",
    out=("y",), optional=("b_ih", "b_hh"), flops=_flops,
)  # fmt: skip
def rnn(x: Any, W_ih: Any, W_hh: Any, b_ih: Any, b_hh: Any, y: Any, nonlinearity: Nonlinearity, reverse: bool) -> None:
    """h = tanh a, or max(a, 0), with a = x W_ihᵀ + b_ih + h' W_hhᵀ + b_hh; the first step has no h'."""
    for _, t, before in steps(x.shape[1], reverse):
        a = x[:, t] @ W_ih.T  # (N, D) @ (D, H) -> (N, H)
        if before is not None:
            a = a + y[:, before] @ W_hh.T  # (N, H) @ (H, H) -> (N, H)
        if b_ih is not None:
            a = a + b_ih + b_hh
        y[:, t] = m.tanh(a) if nonlinearity == "tanh" else m.where(m.positive(a) | m.is_nan(a), a, m.const(0, a))


@op(
    x="N T D", W_ih="H D", W_hh="H H", y="N T H", dy="N S H",
    dW_ih="H D", dW_hh="H H", db_ih="H", db_hh="H", dx="N T D",
    out=("dx",), adds=("dW_ih", "dW_hh", "db_ih", "db_hh"), optional=("db_ih", "db_hh", "dx"),
    dims=lambda d, _: {"S": 1 if d["S"] == 1 else d["T"]}, flops=lambda d: 2 * _flops(d),
)  # fmt: skip
def rnn_backward(
    x: Any, W_ih: Any, W_hh: Any, y: Any, dy: Any, dW_ih: Any, dW_hh: Any, db_ih: Any, db_hh: Any, dx: Any,
    nonlinearity: Nonlinearity, reverse: bool,
) -> None:  # fmt: skip
    """Back through time. dy has a row for every time, or (S = 1) one only, for the state after the last step."""
    dh = m.const(0, y)  # what the steps after this one say of h
    for s, t, before in reversed(steps(x.shape[1], reverse)):
        dh, h = dh + given_at(dy, s, t, x.shape[1]), y[:, t]
        # forward: h = tanh a, or max(a, 0)
        da = dh * (m.const(1, y) - h * h) if nonlinearity == "tanh" else m.where(m.positive(h), dh, m.const(0, y))
        # forward: a = x W_ihᵀ + h' W_hhᵀ + b_ih + b_hh
        dW_ih += da.T @ x[:, t]  # (H, N) @ (N, D) -> (H, D)
        if dx is not None:
            dx[:, t] = da @ W_ih  # (N, H) @ (H, D) -> (N, D)
        if before is not None:
            dW_hh += da.T @ y[:, before]  # (H, N) @ (N, H) -> (H, H)
            dh = da @ W_hh  # (N, H) @ (H, H) -> (N, H)
        if db_ih is not None:
            db_ih += da.sum(0)  # (N, H) -> (H,)
            db_hh += da.sum(0)
