"""Products with a weight: transposes, averages, weights that are used twice."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.core.types import Array

from .species import Species, bug


def affine_forward(x: Array, w: Array, b: Array) -> tuple[Array, Any]:
    """out = x·w + b, x flattened to (N, D)."""
    return x.reshape(len(x), -1) @ w + b, (x, w, b)  # (N, ...) -> (N, D) -> (N, M)


def affine_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Any, ...]:
    """dx = dout·wᵀ, dw = xᵀ·dout, db = Σ dout over the batch."""
    x, w, b = cache
    flat = x.reshape(len(x), -1)
    if wrong == "dout averaged in place":
        dout /= len(x)
    if wrong == "mean for the cotangent":
        dout = np.broadcast_to(dout.mean(0), dout.shape)
    dw = flat.T @ dout
    if wrong == "w stepped before dx":
        w -= 0.1 * dw
    dx = dout @ w if wrong == "w for w.T in dx" else dout @ w.T
    if wrong == "dw transposed":
        dw = dout.T @ flat
    elif wrong == "dw averaged":
        dw = flat.T @ dout / len(x)
    elif wrong == "dw twice":
        dw = 2 * flat.T @ dout
    elif wrong == "dw negated":
        dw = -flat.T @ dout
    elif wrong == "dw not computed":
        dw = np.zeros_like(w)
    elif wrong == "dw is None":
        dw = None
    elif wrong == "dw of ones":
        dw = flat.T @ np.ones_like(dout)
    elif wrong == "weight decay added":
        dw = flat.T @ dout + 0.01 * w
    db = dout.sum(0)
    if wrong == "db averaged":
        db = dout.mean(0)
    elif wrong == "db of one row":
        db = dout[0].copy()
    elif wrong == "db keeps its axis":
        db = dout.sum(0, keepdims=True)
    elif wrong == "db counts rows":
        db = np.full_like(b, len(x))
    if wrong == "dout cleared after use":
        dout[...] = 0
    return dx if wrong == "dx not reshaped" else dx.reshape(x.shape), dw, db


def reuse_forward(x: Array, w: Array) -> tuple[Array, Any]:
    """out = tanh(x·w)·w: one weight in two layers."""
    h = np.tanh(x @ w)
    return h @ w, (x, w, h)


def reuse_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array, Array]:
    """dw has a part from each use."""
    x, w, h = cache
    dw = h.T @ dout
    dh = (dout @ w.T) * (1 - h**2)
    if wrong == "dw assigned":
        dw = x.T @ dh
    elif wrong == "first use forgotten":
        pass
    elif wrong == "dw averaged over its uses":
        dw = (dw + x.T @ dh) / 2
    else:
        dw = dw + x.T @ dh
    return dh @ w.T, dw


_b = affine_backward
SPECIES = (
    Species(
        "affine",
        affine_forward,
        affine_backward,
        lambda rng: {"x": rng.normal(size=(4, 2, 3)), "w": rng.normal(size=(6, 5)), "b": rng.normal(size=5)},
        (
            bug(_b, "db averaged", "b", "constant factor", "db is the mean over the batch, not the sum"),
            bug(_b, "dw averaged", "w", "constant factor", "dw is divided by N where the loss has no mean",
                "eriklindernoren/ML-From-Scratch issue #76 (asks for such a division in a dense layer)"),
            bug(_b, "dw twice", "w", "constant factor", "a factor of 2 in dw",
                "bighuang624/Andrew-Ng-Deep-Learning-notes issue #10 (planted in the gradient checking exercise)"),
            bug(_b, "dw negated", "w", "sign", "dw points uphill",
                "iamtrask/Grokking-Deep-Learning issue #37 (discusses the sign of the delta)"),
            bug(_b, "dw not computed", "w", "gradient missing", "dw is left at zero"),
            bug(_b, "dw is None", "w", "protocol, gradient missing", "dw is None",
                "harvard-edge/cs249r_book pull request #1504 (parameter gradients that are always None)"),
            bug(_b, "dw of ones", "w", "cotangent ignored", "dw is computed as if dout were 1"),
            bug(_b, "weight decay added", "w", "cotangent ignored, not linear, term missing", "λw is added to dw"),
            bug(_b, "db of one row", "b", "axis not summed", "db is the first row of dout"),
            bug(_b, "db counts rows", "b", "cotangent ignored", "db is N: dout is forgotten"),
            bug(_b, "db keeps its axis", "b", "protocol", "db has shape (1, M)"),
            bug(_b, "dx not reshaped", "x", "protocol", "dx is (N, D) where x is (N, 2, 3)"),
            bug(_b, "mean for the cotangent", "x, w", "rows mixed, axis not summed",
                "every row gets the mean of dout over the batch"),
            bug(_b, "dout averaged in place", "x, w, b", "mutation, constant factor", "dout /= N changes the caller's",
                "pytorch/pytorch issue #81417 (asks for a check of inputs mutated during backward)"),
            bug(_b, "dout cleared after use", "x, w, b", "mutation", "dout is zeroed when done with",
                "pytorch/pytorch issue #30454 (a custom backward that scales grad_output in place)"),
            bug(_b, "w stepped before dx", "x", "mutation, state left over",
                "w is updated before dx is computed with it",
                "kim-marcel/basic_neural_network issue #7; CodingTrain/Toy-Neural-Network-JS issue #72"),
        ),
    ),
    Species(
        "affine, square",
        affine_forward,
        affine_backward,
        lambda rng: {"x": rng.normal(size=(4, 6)), "w": rng.normal(size=(6, 6)), "b": rng.normal(size=6)},
        (
            bug(_b, "dw transposed", "w", "transpose", "dw is doutᵀ·x, which fits by shape where w is square"),
            bug(_b, "w for w.T in dx", "x", "transpose", "dx is dout·w, which fits by shape where w is square"),
        ),
    ),
    Species(
        "affine, one weight twice",
        reuse_forward,
        reuse_backward,
        lambda rng: {"x": rng.normal(size=(3, 4)), "w": rng.normal(size=(4, 4))},
        (
            bug(reuse_backward, "dw assigned", "w", "not added, term missing",
                "the second use overwrites the first's dw",
                "karpathy/nn-zero-to-hero issue #52 (= for += in the lecture's exp)"),
            bug(reuse_backward, "first use forgotten", "w", "not added, term missing",
                "only the last use has a gradient",
                "karpathy/micrograd issue #2 (values that are used again)"),
            bug(reuse_backward, "dw averaged over its uses", "w", "constant factor", "the mean over the uses of w"),
        ),
    ),
)  # fmt: skip
