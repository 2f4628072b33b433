"""Recurrent layers: gates, time steps, and what is carried between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.core.types import Array

from .species import Species, bug


def _s(a: Array) -> Array:
    return 0.5 * (1 + np.tanh(a / 2))


def rnn_forward(x: Array, w: Array, u: Array, b: Array) -> tuple[Array, Any]:
    """h_t = tanh(x_t·w + h_{t−1}·u + b), h_0 = 0. (N, T, D) -> (N, T, H)"""
    h = np.zeros((len(x), x.shape[1] + 1, len(u)))
    for t in range(x.shape[1]):
        h[:, t + 1] = np.tanh(x[:, t] @ w + h[:, t] @ u + b)
    return h[:, 1:].copy(), (x, w, u, b, h)


def rnn_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array, ...]:
    """Backwards through time; dh collects from the output and from the next step."""
    x, w, u, b, h = cache
    dx, dw, du, db = np.zeros_like(x), np.zeros_like(w), np.zeros_like(u), np.zeros_like(b)
    carried = np.zeros_like(h[:, 0])
    for t in reversed(range(x.shape[1])):
        dh = dout[:, t] + (0 if wrong == "carried state dropped" else carried)
        da = dh * (1 - h[:, t] ** 2 if wrong == "slope of the step before" else 1 - h[:, t + 1] ** 2)
        dx[:, t] = da @ w.T
        if wrong == "dw assigned":
            dw[...], du[...] = x[:, t].T @ da, h[:, t].T @ da
        else:
            dw += x[:, t].T @ da
            du += h[:, t + 1 if wrong == "new state in du" else t].T @ da
        db += da.sum(0) if wrong != "db averaged over time" else da.sum(0) / x.shape[1]
        carried = da @ u if wrong == "u for u.T" else da @ u.T
        if wrong == "carried over samples":
            carried = np.roll(carried, 1, 0)
    return dx[:, ::-1].copy() if wrong == "dx runs backwards" else dx, dw, du, db


def lstm_forward(x: Array, w: Array, u: Array, b: Array) -> tuple[Array, Any]:
    """Gates i, f, g, o in this order; c_t = f·c_{t−1} + i·g, h_t = o·tanh(c_t). (N, T, D) -> (N, T, H)"""
    H = len(u)
    h, c = np.zeros((2, x.shape[1] + 1, len(x), H))
    gates = np.zeros((x.shape[1], 4, len(x), H))
    for t in range(x.shape[1]):
        i, f, g, o = np.split(x[:, t] @ w + h[t] @ u + b, 4, axis=1)  # (N, 4H) -> 4 × (N, H)
        gates[t] = _s(i), _s(f), np.tanh(g), _s(o)
        c[t + 1] = gates[t, 1] * c[t] + gates[t, 0] * gates[t, 2]
        h[t + 1] = gates[t, 3] * np.tanh(c[t + 1])
    return h[1:].swapaxes(0, 1).copy(), (x, w, u, b, h, c, gates)  # (T, N, H) -> (N, T, H)


def lstm_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array, ...]:
    """Of c_t = f·c_{t−1} + i·g and h_t = o·tanh(c_t), from the last step to the first."""
    x, w, u, b, h, c, gates = cache
    dx, dw, du, db = np.zeros_like(x), np.zeros_like(w), np.zeros_like(u), np.zeros_like(b)
    dh_next, dc_next = np.zeros_like(h[0]), np.zeros_like(c[0])
    for t in reversed(range(x.shape[1])):
        i, f, g, o = gates[t]
        cell = np.tanh(c[t + 1])
        dh = dout[:, t] + (0 if wrong == "carried state dropped" else dh_next)
        dc = dh * o * (1 if wrong == "tanh of the cell forgotten" else 1 - cell**2)
        dc = dc + (0 if wrong == "carried cell dropped" else dc_next)
        do = dh * (c[t + 1] if wrong == "cell without its tanh" else cell)
        before = c[t + 1] if wrong == "cell of the wrong step" else c[t]
        di, df, dg = dc * g, dc * before, dc * i
        slopes = [i * (1 - i), f * (1 - f), 1 - g**2, o * (1 - o)]
        if wrong == "slope of f forgotten":
            slopes[1] = f
        elif wrong == "sigmoid's slope for g":
            slopes[2] = g * (1 - g)
        parts = [d * slope for d, slope in zip((di, df, dg, do), slopes, strict=True)]
        if wrong == "gates i and f swapped":
            parts[0], parts[1] = parts[1], parts[0]
        da = np.concatenate(parts, 1)  # 4 × (N, H) -> (N, 4H)
        dx[:, t] = da @ w.T
        dw += x[:, t].T @ da
        du += h[t].T @ da
        db += np.tile(parts[1].sum(0), 4) if wrong == "db of f for all gates" else da.sum(0)
        dh_next, dc_next = da @ u.T, dc if wrong == "carried cell not forgotten" else dc * f
    return dx, dw, du, db


def gru_forward(x: Array, w: Array, u: Array) -> tuple[Array, Any]:
    """Gates r, z, n; n = tanh(x·w_n + r·(h·u_n)), h' = (1 − z)·n + z·h. (N, T, D) -> (N, T, H)"""
    H = len(u)
    h = np.zeros((x.shape[1] + 1, len(x), H))
    gates = np.zeros((x.shape[1], 3, len(x), H))
    for t in range(x.shape[1]):
        (xr, xz, xn), (hr, hz, hn) = np.split(x[:, t] @ w, 3, axis=1), np.split(h[t] @ u, 3, axis=1)
        r, z = _s(xr + hr), _s(xz + hz)
        gates[t] = r, z, np.tanh(xn + r * hn)
        h[t + 1] = (1 - z) * gates[t, 2] + z * h[t]
    return h[1:].swapaxes(0, 1).copy(), (x, w, u, h, gates)  # (T, N, H) -> (N, T, H)


def gru_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array, ...]:
    """Of h' = (1 − z)·n + z·h, from the last step to the first."""
    x, w, u, h, gates = cache
    H, dx, dw, du = len(u), np.zeros_like(x), np.zeros_like(w), np.zeros_like(u)
    carried = np.zeros_like(h[0])
    for t in reversed(range(x.shape[1])):
        r, z, n = gates[t]
        dh = dout[:, t] + carried
        dn = dh * (z if wrong == "z for 1 - z" else 1 - z) * (1 - n**2)
        dz = dh * ((n - h[t]) if wrong == "dz negated" else (h[t] - n)) * z * (1 - z)
        dr = dn * (h[t] if wrong == "reset before the product" else h[t] @ u[:, 2 * H :]) * r * (1 - r)
        dx[:, t] = np.concatenate([dr, dz, dn], 1) @ w.T
        dw += x[:, t].T @ np.concatenate([dr, dz, dn], 1)
        dhu = np.concatenate([dr, dz, dn if wrong == "reset gate forgotten" else dn * r], 1)
        du += (r * h[t] if wrong == "reset before the product" else h[t]).T @ dhu
        carried = dhu @ u.T + (0 if wrong == "direct path dropped" else dh * z)
    return dx, dw, du


def _inputs(gates: int, bias: bool = True) -> Any:
    def draw(rng: np.random.Generator) -> dict[str, Any]:
        N, T, D, H = 2, 4, 5, 3
        weights = {"x": rng.normal(size=(N, T, D)), "w": 0.6 * rng.normal(size=(D, gates * H))}
        weights["u"] = 0.6 * rng.normal(size=(H, gates * H))
        return weights | ({"b": rng.normal(size=gates * H)} if bias else {})

    return draw


_r, _l, _g = rnn_backward, lstm_backward, gru_backward
SPECIES = (
    Species(
        "rnn", rnn_forward, rnn_backward, _inputs(1),
        (
            bug(_r, "carried state dropped", "x, w, u, b", "term missing, border",
                "dh does not come back from the next step"),
            bug(_r, "dw assigned", "w, u", "not added", "each step overwrites dw and du"),
            bug(_r, "new state in du", "u", "rows mixed, term missing", "h_t for h_{t−1}"),
            bug(_r, "slope of the step before", "x, w, u, b", "array factor, rows mixed", "1 − h_{t−1}²"),
            bug(_r, "u for u.T", "x, w, u, b", "transpose, term missing", "dh·u fits by shape, for u is square"),
            bug(_r, "db averaged over time", "b", "constant factor", "a mean over the steps"),
            bug(_r, "carried over samples", "x, w, u, b", "rows mixed, term missing",
                "the state goes back to another sample"),
            bug(_r, "dx runs backwards", "x", "flip", "dx is listed from the last step to the first"),
        ),
    ),
    Species(
        "lstm", lstm_forward, lstm_backward, _inputs(4),
        (
            bug(_l, "carried cell dropped", "x, w, u, b", "term missing, border", "dc = for dc +=",
                "apache/mxnet issue #4057 (dCt should be +=)"),
            bug(_l, "carried cell not forgotten", "x, w, u, b", "array factor, term missing",
                "dc goes back without the factor f"),
            bug(_l, "carried state dropped", "x, w, u, b", "term missing, border",
                "dh does not come back from the next step",
                "CaptainE/RNN-LSTM-in-numpy issue #1 (dh_next and dC_next are not updated)"),
            bug(_l, "cell of the wrong step", "x, w, u, b", "rows mixed, array factor, term missing",
                "c_t for c_{t−1} in df"),
            bug(_l, "gates i and f swapped", "x, w, u, b", "transpose, rows mixed",
                "the gates are joined in another order"),
            bug(_l, "db of f for all gates", "b", "rows mixed, array factor", "f's db is used for the other gates",
                "hanbt/learn_dl issue #53 (bi_grad and bo_grad read delta_f)"),
            bug(_l, "slope of f forgotten", "x, w, u, b", "array factor, term missing", "f for f·(1 − f)",
                "CaptainE/RNN-LSTM-in-numpy issue #1 (sigmoid without derivative=True)"),
            bug(_l, "sigmoid's slope for g", "x, w, u, b", "array factor, term missing", "g·(1 − g) for 1 − g²"),
            bug(_l, "tanh of the cell forgotten", "x, w, u, b", "array factor, term missing", "dc = dh·o"),
            bug(_l, "cell without its tanh", "x, w, u, b", "array factor, term missing", "do = dh·c"),
        ),
    ),
    Species(
        "gru", gru_forward, gru_backward, _inputs(3, bias=False),
        (
            bug(_g, "reset before the product", "x, w, u", "array factor, term missing",
                "the backward of (r·h)·u, not of r·(h·u)",
                "tensorflow/tensorflow issue #8311; facebookarchive/caffe2 pull request #1695 (the two orders)"),
            bug(_g, "reset gate forgotten", "x, w, u", "array factor, term missing", "h·u_n gets dn, not dn·r"),
            bug(_g, "z for 1 - z", "x, w, u", "array factor, term missing", "the update gate the wrong way round"),
            bug(_g, "dz negated", "x, w, u", "sign, term missing", "n − h for h − n"),
            bug(_g, "direct path dropped", "x, w, u", "term missing, border", "z·dh does not come back"),
        ),
    ),
)  # fmt: skip
