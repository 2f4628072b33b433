"""Normalisations: statistics taken for constants, gammas, axes, modes."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchnet.core.types import Array

from .species import Species, bug

EPS = 1e-3


def norm_forward(x: Array, gamma: Array, beta: Array, axes: tuple[int, ...]) -> tuple[Array, Any]:
    """out = gamma·(x − mean)/std + beta, statistics over `axes`; gamma and beta broadcast against x."""
    mean = x.mean(axes, keepdims=True)
    istd = 1 / np.sqrt(((x - mean) ** 2).mean(axes, keepdims=True) + EPS)
    xhat = (x - mean) * istd
    return gamma * xhat + beta, (x, xhat, istd, gamma, axes)


def norm_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array, Array, Array]:
    """dx = (d − mean(d) − xhat·mean(d·xhat))·istd with d = gamma·dout."""
    x, xhat, istd, gamma, axes = cache
    if wrong == "statistics over the other axis":
        axes = tuple(axis for axis in range(x.ndim) if axis not in axes)
    elif wrong == "statistics over one axis":
        axes = axes[:1]
    elif wrong == "two axes assumed":
        axes = tuple(range(1, x.ndim))
    elif wrong == "eps forgotten":
        istd = 1 / x.std(axes, keepdims=True)
    elif wrong == "running statistics":
        istd = 1 / np.sqrt(0.9 + 0.1 / istd**2)
    d = dout if wrong in ("gamma forgotten", "gamma last") else gamma * dout
    if wrong == "gamma twice":
        d = gamma * d
    count: float = np.prod([x.shape[axis] for axis in axes])
    if wrong == "N-1 for N":
        count -= 1
    elif wrong == "batch for count":
        count = len(x)
    centre, spread = d.sum(axes, keepdims=True) / count, (d * xhat).sum(axes, keepdims=True) / count
    if wrong in ("statistics constant", "running statistics"):
        dx = d * istd
    elif wrong == "variance constant":
        dx = (d - centre) * istd
    elif wrong == "mean constant":
        dx = (d - xhat * spread) * istd
    elif wrong == "dx zero":
        dx = np.zeros_like(x)
    elif wrong == "half of the variance term":
        dx = (d - centre - xhat * spread / 2) * istd
    elif wrong == "istd forgotten":
        dx = d - centre - xhat * spread
    else:
        dx = (d - centre - xhat * spread) * istd * (gamma if wrong == "gamma last" else 1)
    dgamma, dbeta = _fold(dout * xhat, gamma), _fold(dout, gamma)
    if wrong == "dgamma missing":
        dgamma = np.zeros_like(gamma)
    elif wrong == "x for xhat in dgamma":
        dgamma = _fold(dout * x, gamma)
    elif wrong == "x in dbeta":
        dbeta = _fold(dout * x, gamma)
    elif wrong == "dgamma and dbeta swapped":
        dgamma, dbeta = dbeta, dgamma
    elif wrong == "dgamma of one row":
        dgamma = (dout * xhat)[(0,) * (x.ndim - 1)]
    return dx, dgamma, dbeta


def _fold(d: Array, like: Array) -> Array:
    """d summed over the axes along which `like` was broadcast. (N, ..., D) -> (D,), (N, C, H, W) -> (C, 1, 1)"""
    lead: Array = d.sum(tuple(range(d.ndim - like.ndim)))
    folded: Array = lead.sum(tuple(axis for axis, n in enumerate(like.shape) if n == 1), keepdims=True)
    return folded


def eval_forward(x: Array, gamma: Array, mean: float, var: float) -> tuple[Array, Any]:
    """Batch norm in evaluation: out = gamma·(x − mean)/√(var + eps) with stored statistics."""
    istd = 1 / np.sqrt(var + EPS)
    return gamma * (x - mean) * istd, (x, (x - mean) * istd, istd, gamma)


def eval_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array, Array]:
    """dx = gamma·dout·istd: the statistics are constants."""
    x, xhat, istd, gamma = cache
    if wrong == "training formula":
        _, saved = norm_forward(x, gamma, np.zeros_like(gamma), (0,))
        return norm_backward(dout, saved)[0], (dout * xhat).sum(0)
    if wrong == "statistics of the batch":
        istd = 1 / np.sqrt(x.var(0) + EPS)
    return dout * gamma * istd, (dout * xhat).sum(0)


def rms_forward(x: Array, gamma: Array) -> tuple[Array, Any]:
    """out = gamma·x/√(mean(x²) + eps) over the last axis."""
    ir = 1 / np.sqrt((x**2).mean(-1, keepdims=True) + EPS)
    return gamma * x * ir, (x, ir, gamma)


def rms_backward(dout: Array, cache: Any, wrong: str = "") -> tuple[Array, Array]:
    """dx = (d − xhat·mean(d·xhat))·ir with d = gamma·dout."""
    x, ir, gamma = cache
    xhat, d = x * ir, gamma * dout
    spread = (d * xhat).mean(-1, keepdims=True)
    if wrong == "mean for sum missing":
        spread = (d * xhat).sum(-1, keepdims=True)
    elif wrong == "root mean square constant":
        spread = 0.0
    centre = d.mean(-1, keepdims=True) if wrong == "layer norm's backward" else 0.0
    return (d - centre - xhat * spread) * ir, (dout * xhat).sum(tuple(range(x.ndim - 1)))


def _inputs(shape: tuple[int, ...], parameters: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    def draw(rng: np.random.Generator) -> dict[str, Any]:
        gamma, beta = rng.uniform(0.5, 2, parameters), rng.normal(size=parameters)
        return {"x": rng.normal(size=shape) + 0.5, "gamma": gamma, "beta": beta, "axes": axes}

    return draw


_b = norm_backward
SPECIES = (
    Species(
        "batch norm", norm_forward, norm_backward, _inputs((7, 4), (4,), (0,)),
        (
            bug(_b, "statistics constant", "x", "statistics constant", "dx = gamma·dout·istd in training",
                "facebookresearch/CrypTen pull request #143 (mean and variance not differentiated)"),
            bug(_b, "variance constant", "x", "statistics constant, term missing", "only the mean is differentiated"),
            bug(_b, "mean constant", "x", "statistics constant, term missing", "only the variance is differentiated"),
            bug(_b, "half of the variance term", "x", "term missing, statistics constant", "½ of d√v is applied twice"),
            bug(_b, "gamma forgotten", "x", "array factor", "d = dout",
                "denizyuret/Knet.jl issue #288 (passed its tests, for gamma was 1)"),
            bug(_b, "gamma twice", "x", "array factor", "d = gamma²·dout"),
            bug(_b, "istd forgotten", "x", "array factor", "dx is not divided by the standard deviation"),
            bug(_b, "N-1 for N", "x", "term missing, statistics constant", "means over N − 1 in the backward only"),
            bug(_b, "eps forgotten", "x", "array factor, statistics constant, term missing", "1/std without eps"),
            bug(_b, "running statistics", "x", "mode swapped, statistics constant",
                "evaluation's backward in training"),
            bug(_b, "statistics over the other axis", "x", "term missing, axis not summed, statistics constant",
                "means over the features"),
            bug(_b, "x for xhat in dgamma", "gamma", "array factor, term missing, statistics constant", "Σ dout·x"),
            bug(_b, "x in dbeta", "beta", "array factor", "Σ dout·x for Σ dout",
                "pytorch/pytorch issue #2330 (asks whether ∂y/∂b is x)"),
            bug(_b, "dgamma and dbeta swapped", "gamma, beta", "array factor, transpose",
                "the two are returned in the wrong order",
                "Oneflow-Inc/oneflow pull request #6149 (weight and bias gradients assigned the wrong way)"),
        ),
    ),
    Species(
        "batch norm, images", norm_forward, norm_backward, _inputs((2, 3, 4, 5), (3, 1, 1), (0, 2, 3)),
        (
            bug(_b, "statistics over one axis", "x", "axis not summed, term missing, statistics constant",
                "means over the batch, not over the pixels"),
            bug(_b, "batch for count", "x", "term missing, constant factor, statistics constant",
                "sums over N·H·W divided by N",
                "ROCm/MIOpen issue #1109 (wrong in spatial mode, right where H = W = 1)"),
        ),
    ),
    Species(
        "batch norm, evaluation", eval_forward, eval_backward,
        lambda rng: {"x": rng.normal(size=(6, 4)), "gamma": rng.uniform(0.5, 2, 4), "mean": 0.3, "var": 1.7},
        (
            bug(eval_backward, "training formula", "x", "mode swapped, statistics constant, term missing",
                "the batch's statistics are differentiated though the stored ones were used"),
            bug(eval_backward, "statistics of the batch", "x", "mode swapped, array factor",
                "the batch's deviation for the stored one"),
        ),
    ),
    Species(
        "layer norm", norm_forward, norm_backward, _inputs((5, 6), (6,), (1,)),
        (
            bug(_b, "statistics over the other axis", "x", "axis not summed, term missing, statistics constant",
                "means over the batch"),
            bug(_b, "gamma twice", "x", "array factor", "d = gamma²·dout"),
            bug(_b, "gamma last", "x", "array factor, term missing", "gamma is applied after the means, not before"),
            bug(_b, "dgamma missing", "gamma", "gradient missing", "dgamma is left at zero",
                "harvard-edge/cs249r_book pull request #1504 (LayerNorm never learns its scale)"),
            bug(_b, "dgamma of one row", "gamma", "axis not summed", "dgamma is not summed over the batch"),
            bug(_b, "variance constant", "x", "statistics constant, term missing", "only the mean is differentiated"),
        ),
    ),
    Species(
        "layer norm, sequences", norm_forward, norm_backward, _inputs((2, 3, 5), (5,), (2,)),
        (
            bug(_b, "two axes assumed", "x", "axis not summed, term missing, statistics constant",
                "everything but the batch is averaged over in the backward",
                "flagos-ai/FlagGems issue #5392 (layer_norm_backward assumes 2-D input)"),
        ),
    ),
    Species(
        "rms norm", rms_forward, rms_backward,
        lambda rng: {"x": rng.normal(size=(4, 6)), "gamma": rng.uniform(0.5, 2, 6)},
        (
            bug(rms_backward, "root mean square constant", "x", "statistics constant, term missing", "dx = d·ir"),
            bug(rms_backward, "layer norm's backward", "x", "term missing, statistics constant",
                "a mean is subtracted that the forward has not"),
            bug(rms_backward, "mean for sum missing", "x", "term missing, statistics constant, constant factor",
                "Σ d·xhat is not divided by D"),
        ),
    ),
)  # fmt: skip
