"""Batch normalisation: each channel by its mean and variance, over the batch or as remembered."""

from __future__ import annotations

import math
from typing import Any

from ..op import Extents, op
from . import _math as m
from ._affine import check_affine


def _dims(d: Extents, given: dict[str, Any]) -> Extents:
    check_affine(given)
    return {}


def _over_channels(x: Any) -> tuple[int, ...]:
    """The axes of (N, C, ...) that statistics run over."""
    return (0, *range(2, x.ndim))


def _spread(v: Any, x: Any) -> Any:
    """(C,) -> (1, C, 1, ...)"""
    return v.reshape(1, -1, *[1] * (x.ndim - 2))


def _scaled(xhat: Any, gamma: Any) -> Any:
    return xhat if gamma is None else _spread(gamma, xhat) * xhat


def _affine(xhat: Any, gamma: Any, beta: Any) -> Any:
    return xhat if gamma is None else _scaled(xhat, gamma) + _spread(beta, xhat)


@op(
    x="N C ...",
    gamma="C",
    beta="C",
    running_mean="C",
    running_var="C",
    y="N C ...",
    mean="C:any",
    rstd="C:any",
    new_mean="C",
    new_var="C",
    out=("y", "mean", "rstd", "new_mean", "new_var"),
    optional=("gamma", "beta"),
    dims=_dims,
)
def batch_norm(
    x: Any, gamma: Any, beta: Any, running_mean: Any, running_var: Any,
    y: Any, mean: Any, rstd: Any, new_mean: Any, new_var: Any, eps: float, momentum: float,
) -> None:  # fmt: skip
    """y = gamma·(x - mean)·rstd + beta, with statistics over the M = N·∏... elements of each channel.

    mean = Σ x / M,  var = Σ (x - mean)² / M,  rstd = 1/√(var + eps).
    new_mean = (1 - momentum)·running_mean + momentum·mean, new_var likewise with the unbiased var·M/(M - 1).
    mean and rstd may be wider than x (float64 beside float32); all arithmetic is as wide as they are.
    """
    axes = _over_channels(x)
    count = math.prod(x.shape[a] for a in axes)
    wide = x.astype(mean.dtype)
    mu = m.mean(wide, axes, keepdims=True)  # (N, C, ...) -> (1, C, 1, ...)
    centred = wide - mu
    var = m.mean(centred * centred, axes)  # (N, C, ...) -> (C,)
    mean[...] = mu.reshape(-1)
    rstd[...] = m.const(1, wide) / m.sqrt(var + m.const(eps, wide))
    y[...] = _affine(centred * _spread(rstd, x), gamma, beta)
    part, rest = m.const(momentum, wide), m.const(1, wide) - m.const(momentum, wide)
    new_mean[...] = rest * running_mean + part * mean
    new_var[...] = rest * running_var + part * m.divide(var * count, count - 1)


@op(
    x="N C ...",
    gamma="C",
    mean="C:any",
    rstd="C:any",
    dy="N C ...",
    dgamma="C",
    dbeta="C",
    dx="N C ...",
    out=("dx",),
    adds=("dgamma", "dbeta"),
    optional=("gamma", "dgamma", "dbeta", "dx"),
    dims=_dims,
)
def batch_norm_backward(x: Any, gamma: Any, mean: Any, rstd: Any, dy: Any, dgamma: Any, dbeta: Any, dx: Any) -> None:
    """dgamma += Σ dy·xhat, dbeta += Σ dy, dx = gamma·rstd·(dy - Σ dy / M - xhat·Σ(dy·xhat) / M).

    Forward: y = gamma·xhat + beta with xhat = (x - mean)·rstd. Sums run over the M elements of a channel.
    ∂mean/∂xᵢ = 1/M, and as rstd = (var + eps)^(-1/2) with var = Σ (x - mean)² / M, where the part through mean
    vanishes because Σ (x - mean) = 0:  ∂rstd/∂xᵢ = -½·rstd³·2(xᵢ - mean)/M = -rstd²·xhatᵢ/M.
    So dxᵢ = gamma·Σⱼ dyⱼ·(rstd·([i = j] - 1/M) - (xⱼ - mean)·rstd²·xhatᵢ/M), and (xⱼ - mean)·rstd = xhatⱼ.
    """
    axes, dy = _over_channels(x), dy.astype(mean.dtype)
    xhat = (x - _spread(mean, x)) * _spread(rstd, x)
    if dgamma is not None:
        dgamma += (dy * xhat).sum(axis=axes)  # (N, C, ...) -> (C,)
        dbeta += dy.sum(axis=axes)
    if dx is not None:
        rest = dy - m.mean(dy, axes, keepdims=True) - xhat * m.mean(dy * xhat, axes, keepdims=True)
        dx[...] = _scaled(_spread(rstd, x) * rest, gamma)


@op(
    x="N C ...",
    gamma="C",
    beta="C",
    running_mean="C",
    running_var="C",
    y="N C ...",
    mean="C:any",
    rstd="C:any",
    out=("y", "mean", "rstd"),
    optional=("gamma", "beta"),
    dims=_dims,
)
def batch_norm_eval(
    x: Any, gamma: Any, beta: Any, running_mean: Any, running_var: Any, y: Any, mean: Any, rstd: Any, eps: float
) -> None:
    """y = gamma·(x - mean)·rstd + beta with mean = running_mean and rstd = 1/√(running_var + eps).

    mean and rstd are copies for the backward, which must not see running statistics that have moved on.
    """
    mean[...] = running_mean
    rstd[...] = m.const(1, mean) / m.sqrt(running_var.astype(mean.dtype) + m.const(eps, mean))
    y[...] = _affine((x - _spread(mean, x)) * _spread(rstd, x), gamma, beta)


@op(
    x="N C ...",
    gamma="C",
    mean="C:any",
    rstd="C:any",
    dy="N C ...",
    dgamma="C",
    dbeta="C",
    dx="N C ...",
    out=("dx",),
    adds=("dgamma", "dbeta"),
    optional=("gamma", "dgamma", "dbeta", "dx"),
    dims=_dims,
)
def batch_norm_eval_backward(
    x: Any, gamma: Any, mean: Any, rstd: Any, dy: Any, dgamma: Any, dbeta: Any, dx: Any
) -> None:
    """dgamma += Σ dy·xhat, dbeta += Σ dy, dx = gamma·rstd·dy.

    Forward: y = gamma·(x - mean)·rstd + beta, where mean and rstd are constants.
    """
    axes, dy = _over_channels(x), dy.astype(mean.dtype)
    if dgamma is not None:
        xhat = (x - _spread(mean, x)) * _spread(rstd, x)
        dgamma += (dy * xhat).sum(axis=axes)  # (N, C, ...) -> (C,)
        dbeta += dy.sum(axis=axes)
    if dx is not None:
        dx[...] = _scaled(_spread(rstd, x) * dy, gamma)
