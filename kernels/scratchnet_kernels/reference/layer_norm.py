"""Layer normalisation: each sample, or each position of it, by its own mean and variance."""

from __future__ import annotations

import math
from typing import Any

from ..op import Extents, op
from . import _math as m
from ._affine import check_affine


def _dims(d: Extents, given: dict[str, Any]) -> Extents:
    """x is seen as R rows of D elements: D runs over the last `axes` axes."""
    check_affine(given)
    split = len(d["..."]) - given["axes"]
    return {"R": math.prod(d["..."][:split]), "D": math.prod(d["..."][split:])}


def _rows(x: Any, mean: Any, axes: int) -> Any:
    """(..., D...) -> (R, D)"""
    return x.reshape(len(mean), math.prod(x.shape[x.ndim - axes :]))


@op(
    x="...",
    gamma="D",
    beta="D",
    y="...",
    mean="R:any",
    rstd="R:any",
    out=("y", "mean", "rstd"),
    optional=("gamma", "beta"),
    dims=_dims,
)
def layer_norm(x: Any, gamma: Any, beta: Any, y: Any, mean: Any, rstd: Any, axes: int, eps: float) -> None:
    """y[r, d] = gamma[d]·(x[r, d] - mean[r])·rstd[r] + beta[d], x seen as R rows of D elements.

    mean = Σ x / D,  rstd = 1/√(Σ (x - mean)² / D + eps). mean and rstd may be wider than x (float64 beside float32);
    all arithmetic is as wide as they are.
    """
    wide = _rows(x, mean, axes).astype(mean.dtype)
    mu = m.mean(wide, 1, keepdims=True)  # (R, D) -> (R, 1)
    centred = wide - mu
    var = m.mean(centred * centred, 1)  # (R, D) -> (R,)
    mean[...] = mu[:, 0]
    rstd[...] = m.const(1, wide) / m.sqrt(var + m.const(eps, wide))
    xhat = centred * rstd[:, None]
    y[...] = (xhat if gamma is None else gamma * xhat + beta).reshape(y.shape)


@op(
    x="...",
    gamma="D",
    mean="R:any",
    rstd="R:any",
    dy="...",
    dgamma="D",
    dbeta="D",
    dx="...",
    out=("dx",),
    adds=("dgamma", "dbeta"),
    optional=("gamma", "dgamma", "dbeta", "dx"),
    dims=_dims,
)
def layer_norm_backward(
    x: Any, gamma: Any, mean: Any, rstd: Any, dy: Any, dgamma: Any, dbeta: Any, dx: Any, axes: int
) -> None:
    """dgamma += Σᵣ dy·xhat, dbeta += Σᵣ dy, dx = rstd·(t - Σ_d t / D - xhat·Σ_d(t·xhat) / D) with t = gamma·dy.

    Forward: y[r, d] = gamma[d]·xhat[r, d] + beta[d] with xhat = (x - mean)·rstd, so t is the gradient by xhat.
    ∂mean/∂x_d = 1/D and ∂rstd/∂x_d = -rstd²·xhat_d/D (derived in batch_norm.py), hence
    dx_d = Σⱼ tⱼ·(rstd·([d = j] - 1/D) - (xⱼ - mean)·rstd²·xhat_d/D), and (xⱼ - mean)·rstd = xhatⱼ.
    """
    xhat = (_rows(x, mean, axes) - mean[:, None]) * rstd[:, None]
    t = _rows(dy, mean, axes).astype(mean.dtype)
    if dgamma is not None:
        dgamma += (t * xhat).sum(0)  # (R, D) -> (D,)
        dbeta += t.sum(0)
    if dx is not None:
        t = t if gamma is None else gamma * t
        rest = t - m.mean(t, 1, keepdims=True) - xhat * m.mean(t * xhat, 1, keepdims=True)
        dx[...] = (rstd[:, None] * rest).reshape(dx.shape)
