"""Group normalisation: each group of channels of each sample by its own mean and variance."""

from __future__ import annotations

import math
from typing import Any

from ..op import Extents, op
from . import _math as m
from ._affine import check_affine


def _dims(d: Extents, given: dict[str, Any]) -> Extents:
    check_affine(given)
    return {"G": given["groups"], "C": d["C"] // given["groups"] * given["groups"]}


def _grouped(x: Any, groups: int) -> Any:
    """(N, C, ...) -> (N, G, C/G, P)"""
    return x.reshape(len(x), groups, x.shape[1] // groups, math.prod(x.shape[2:]))


def _by_group(v: Any, groups: int) -> Any:
    """(C,) -> (G, C/G, 1)"""
    return v.reshape(groups, -1, 1)


@op(
    x="N C ...",
    gamma="C",
    beta="C",
    y="N C ...",
    mean="N G:any",
    rstd="N G:any",
    out=("y", "mean", "rstd"),
    optional=("gamma", "beta"),
    dims=_dims,
)
def group_norm(x: Any, gamma: Any, beta: Any, y: Any, mean: Any, rstd: Any, groups: int, eps: float) -> None:
    """y[n, c] = gamma[c]·(x[n, c] - mean[n, g])·rstd[n, g] + beta[c], where channel c belongs to group g.

    A group is C/groups neighbouring channels with all their M elements: mean = Σ x / M,
    rstd = 1/√(Σ (x - mean)² / M + eps). mean and rstd may be wider than x (float64 beside float32); all arithmetic is
    as wide as they are.
    """
    wide = _grouped(x, groups).astype(mean.dtype)
    mu = m.mean(wide, (2, 3), keepdims=True)  # (N, G, C/G, P) -> (N, G, 1, 1)
    centred = wide - mu
    var = m.mean(centred * centred, (2, 3))  # (N, G, C/G, P) -> (N, G)
    mean[...] = mu[:, :, 0, 0]
    rstd[...] = m.const(1, wide) / m.sqrt(var + m.const(eps, wide))
    xhat = centred * rstd[:, :, None, None]
    out = xhat if gamma is None else _by_group(gamma, groups) * xhat + _by_group(beta, groups)
    y[...] = out.reshape(y.shape)


@op(
    x="N C ...",
    gamma="C",
    mean="N G:any",
    rstd="N G:any",
    dy="N C ...",
    dgamma="C",
    dbeta="C",
    dx="N C ...",
    out=("dx",),
    adds=("dgamma", "dbeta"),
    optional=("gamma", "dgamma", "dbeta", "dx"),
    dims=_dims,
)
def group_norm_backward(
    x: Any, gamma: Any, mean: Any, rstd: Any, dy: Any, dgamma: Any, dbeta: Any, dx: Any, groups: int
) -> None:
    """dgamma += Σ dy·xhat, dbeta += Σ dy, dx = rstd·(t - Σ t / M - xhat·Σ(t·xhat) / M) with t = gamma·dy.

    The first two sums run over a channel in all samples, the last two over a group in one sample.
    Forward: y = gamma·xhat + beta with xhat = (x - mean)·rstd, so t is the gradient by xhat.
    ∂mean/∂xᵢ = 1/M and ∂rstd/∂xᵢ = -rstd²·xhatᵢ/M (derived in batch_norm.py), hence
    dxᵢ = Σⱼ tⱼ·(rstd·([i = j] - 1/M) - (xⱼ - mean)·rstd²·xhatᵢ/M), and (xⱼ - mean)·rstd = xhatⱼ.
    """
    xhat = (_grouped(x, groups) - mean[:, :, None, None]) * rstd[:, :, None, None]
    t = _grouped(dy, groups).astype(mean.dtype)
    if dgamma is not None:
        dgamma += (t * xhat).sum(axis=(0, 3)).reshape(-1)  # (N, G, C/G, P) -> (C,)
        dbeta += t.sum(axis=(0, 3)).reshape(-1)
    if dx is not None:
        t = t if gamma is None else _by_group(gamma, groups) * t
        rest = t - m.mean(t, (2, 3), keepdims=True) - xhat * m.mean(t * xhat, (2, 3), keepdims=True)
        dx[...] = (rstd[:, :, None, None] * rest).reshape(dx.shape)
