"""Normalisation in ONNX's operators.

Layer, group and RMS norm are primitives: ONNX Runtime's own LayerNormalization takes the variance as E[x²] - E[x]²,
which cancels where the mean is large.
"""

from __future__ import annotations

import numpy as np

from .writer import Writer


def batch_norm_eval(
    w: Writer, x: str, gamma: str | None, beta: str | None, running_mean: str, running_var: str, eps: float
) -> str:
    """y = gamma·(x - mean)/√(var + eps) + beta with the running statistics."""
    channels = w.node.given["x"].shape[1]
    gamma = gamma or w.constant(np.ones(channels), np.float32)
    beta = beta or w.constant(np.zeros(channels), np.float32)
    return w("BatchNormalization", x, gamma, beta, running_mean, running_var, epsilon=eps)


def layer_norm(w: Writer, x: str, gamma: str | None, beta: str | None, axes: int, eps: float) -> str:
    """y = gamma·(x - mean)·rstd + beta over the last `axes` axes."""
    shape = w.node.given["x"].shape[-axes:]
    return _affine(w, _normal(w, x, list(range(-axes, 0)), eps), gamma, beta, shape)


def group_norm(w: Writer, x: str, gamma: str | None, beta: str | None, groups: int, eps: float) -> str:
    """y = gamma·(x - mean)·rstd + beta over each group of channels."""
    shape = w.node.given["x"].shape
    y = _normal(w, w("Reshape", x, w.constant([0, groups, -1])), [2], eps)
    y = w("Reshape", y, w.constant([-1, *shape[1:]]))
    return _affine(w, y, gamma, beta, (shape[1], *[1] * (len(shape) - 2)))


def rms_norm(w: Writer, x: str, gamma: str | None, eps: float) -> str:
    """y = gamma·x/√(Σ x²/D + eps) over the last axis."""
    y = w("Div", x, _root(w, x, [-1], eps))
    return y if gamma is None else w("Mul", y, gamma)


def _normal(w: Writer, x: str, axes: list[int], eps: float) -> str:
    centred = w("Sub", x, w("ReduceMean", x, axes=axes, keepdims=1))
    return w("Div", centred, _root(w, centred, axes, eps))


def _root(w: Writer, x: str, axes: list[int], eps: float) -> str:
    """√(Σ x²/D + eps)."""
    mean = w("ReduceMean", w("Mul", x, x), axes=axes, keepdims=1)
    return w("Sqrt", w("Add", mean, w.number(eps)))


def _affine(w: Writer, y: str, gamma: str | None, beta: str | None, shape: tuple[int, ...]) -> str:
    if gamma is None or beta is None:
        return y
    gamma, beta = (w.reshape(name, w.node.given[arg].shape, shape) for arg, name in (("gamma", gamma), ("beta", beta)))
    return w("Add", w("Mul", y, gamma), beta)
