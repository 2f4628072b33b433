"""RNN, LSTM and GRU in ONNX's operators, whose gates come in another order. Parameters stay as they are in the file."""

from __future__ import annotations

from typing import Any

import numpy as np

from .writer import Writer


def rnn(
    w: Writer, x: str, W_ih: str, W_hh: str, b_ih: str | None, b_hh: str | None, nonlinearity: str, reverse: bool
) -> str:
    """h = tanh(x_t W_ihᵀ + b_ih + h' W_hhᵀ + b_hh), or of relu."""
    kind = {"tanh": "Tanh", "relu": "Relu"}[nonlinearity]
    return _walked(w, "RNN", (x, W_ih, W_hh, b_ih, b_hh), (0,), reverse, activations=[kind])


def lstm(w: Writer, x: str, W_ih: str, W_hh: str, b_ih: str | None, b_hh: str | None, reverse: bool) -> str:
    """c = f·c' + i·g, h = o·tanh c: rows i, f, g, o here, i, o, f, g in ONNX."""
    return _walked(w, "LSTM", (x, W_ih, W_hh, b_ih, b_hh), (0, 3, 1, 2), reverse)


def gru(w: Writer, x: str, W_ih: str, W_hh: str, b_ih: str | None, b_hh: str | None, reverse: bool) -> str:
    """h = (1 - z)·n + z·h': rows r, z, n here, z, r, n in ONNX; the reset gate after the hidden product."""
    return _walked(w, "GRU", (x, W_ih, W_hh, b_ih, b_hh), (1, 0, 2), reverse, linear_before_reset=1)


def _walked(
    w: Writer, operator: str, given: tuple[Any, ...], gates: tuple[int, ...], reverse: bool, **settings: Any
) -> str:
    """ONNX takes (T, N, D) and the weights of one direction, (1, gates·H, …), and puts out (T, 1, N, H)."""
    x, W_ih, W_hh, b_ih, b_hh = given
    H = w.node.given["W_hh"].shape[1]
    rows = w.constant(np.concatenate([np.arange(H) + gate * H for gate in gates]))

    def ordered(name: str) -> str:
        return name if len(gates) == 1 else w("Gather", name, rows, axis=0)

    first = w.constant([0])
    weights = [w("Unsqueeze", ordered(W), first) for W in (W_ih, W_hh)]
    if b_ih is not None:
        weights.append(w("Unsqueeze", w("Concat", ordered(b_ih), ordered(b_hh), axis=0), first))
    direction = "reverse" if reverse else "forward"
    times = w("Transpose", x, perm=[1, 0, 2])
    y = w(operator, times, *weights, hidden_size=H, direction=direction, **settings)
    return w("Transpose", w("Squeeze", y, w.constant([1])), perm=[1, 0, 2])
