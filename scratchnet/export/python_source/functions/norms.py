"""Normalisations. Their statistics are float64, whatever the type of x."""

from __future__ import annotations

import math

import numpy as np

from .array import Array


def spread(v: Array, x: Array) -> Array:
    """One number a channel, seen beside x: (C,) -> (1, C, 1, ...)."""
    return v.reshape(1, -1, *[1] * (x.ndim - 2))


def mean_of(x: Array, axes: tuple[int, ...] | int, keepdims: bool = True) -> Array:
    """Σ x / n."""
    total = x.sum(axis=axes, keepdims=keepdims)
    return total / (x.size // max(total.size, 1))


def channel_affine(xhat: Array, gamma: Array | None, beta: Array | None) -> Array:
    """gamma·xhat + beta, channel by channel."""
    return xhat if gamma is None or beta is None else spread(gamma, xhat) * xhat + spread(beta, xhat)


def batch_norm_eval(
    x: Array, gamma: Array | None, beta: Array | None, running_mean: Array, running_var: Array, eps: float
) -> tuple[Array, Array, Array]:
    """y = gamma·(x - mean)·rstd + beta with the remembered mean and rstd = 1/√(var + eps)."""
    mean = running_mean.astype(np.float64)
    rstd = 1 / np.sqrt(running_var.astype(np.float64) + eps)
    xhat = (x - spread(mean, x)) * spread(rstd, x)
    return channel_affine(xhat, gamma, beta).astype(x.dtype), mean, rstd


def batch_norm(
    x: Array,
    gamma: Array | None,
    beta: Array | None,
    running_mean: Array,
    running_var: Array,
    eps: float,
    momentum: float,
) -> tuple[Array, Array, Array, Array, Array]:
    """y = gamma·(x - mean)·rstd + beta with the batch's mean and variance; the remembered ones move towards them."""
    axes = (0, *range(2, x.ndim))
    wide = x.astype(np.float64)
    mu = mean_of(wide, axes)  # (N, C, ...) -> (1, C, 1, ...)
    centred = wide - mu
    var = mean_of(centred * centred, axes, keepdims=False)  # (N, C, ...) -> (C,)
    mean, rstd = mu.reshape(-1), 1 / np.sqrt(var + eps)
    y = channel_affine(centred * spread(rstd, x), gamma, beta).astype(x.dtype)
    count = x.size // len(mean)
    new_mean = (1 - momentum) * running_mean.astype(np.float64) + momentum * mean
    new_var = (1 - momentum) * running_var.astype(np.float64) + momentum * (var * count / (count - 1))
    return y, mean, rstd, new_mean.astype(x.dtype), new_var.astype(x.dtype)


def batch_norm_backward(
    x: Array, gamma: Array | None, mean: Array, rstd: Array, dy: Array
) -> tuple[Array, Array, Array]:
    """dx = gamma·rstd·(dy - Σ dy / M - xhat·Σ(dy·xhat) / M), dgamma = Σ dy·xhat, dbeta = Σ dy."""
    axes, wide = (0, *range(2, x.ndim)), dy.astype(np.float64)
    xhat = (x - spread(mean, x)) * spread(rstd, x)
    rest = spread(rstd, x) * (wide - mean_of(wide, axes) - xhat * mean_of(wide * xhat, axes))
    dx = rest if gamma is None else spread(gamma, x) * rest
    dgamma, dbeta = (wide * xhat).sum(axis=axes), wide.sum(axis=axes)
    return dx.astype(x.dtype), dgamma.astype(x.dtype), dbeta.astype(x.dtype)


def layer_norm(x: Array, gamma: Array | None, beta: Array | None, axes: int, eps: float) -> tuple[Array, Array, Array]:
    """y = gamma·(x - mean)·rstd + beta over the last `axes` axes, rstd = 1/√(var + eps)."""
    wide = x.reshape(-1, math.prod(x.shape[x.ndim - axes :])).astype(np.float64)  # (..., D...) -> (R, D)
    mu = mean_of(wide, 1)  # (R, D) -> (R, 1)
    centred = wide - mu
    rstd = 1 / np.sqrt(mean_of(centred * centred, 1, keepdims=False) + eps)  # (R, D) -> (R,)
    xhat = centred * rstd[:, None]
    y = xhat if gamma is None or beta is None else gamma * xhat + beta
    return y.reshape(x.shape).astype(x.dtype), mu[:, 0], rstd


def layer_norm_backward(
    x: Array, gamma: Array | None, mean: Array, rstd: Array, dy: Array, axes: int
) -> tuple[Array, Array, Array]:
    """dx = rstd·(t - Σ t / D - xhat·Σ(t·xhat) / D) with t = gamma·dy, dgamma = Σ dy·xhat, dbeta = Σ dy."""
    xhat = (x.reshape(len(mean), -1) - mean[:, None]) * rstd[:, None]  # (..., D...) -> (R, D)
    wide = dy.reshape(xhat.shape).astype(np.float64)
    t = wide if gamma is None else gamma * wide
    dx = rstd[:, None] * (t - mean_of(t, 1) - xhat * mean_of(t * xhat, 1))
    dgamma, dbeta = (wide * xhat).sum(0), wide.sum(0)
    return dx.reshape(x.shape).astype(x.dtype), dgamma.astype(x.dtype), dbeta.astype(x.dtype)


def by_group(v: Array, groups: int) -> Array:
    """One number a channel, seen beside groups: (C,) -> (G, C/G, 1)."""
    return v.reshape(groups, -1, 1)


def group_norm(
    x: Array, gamma: Array | None, beta: Array | None, groups: int, eps: float
) -> tuple[Array, Array, Array]:
    """y = gamma·(x - mean)·rstd + beta over each group of channels, rstd = 1/√(var + eps)."""
    wide = x.reshape(len(x), groups, x.shape[1] // groups, math.prod(x.shape[2:])).astype(np.float64)
    mu = mean_of(wide, (2, 3))  # (N, G, C/G, P) -> (N, G, 1, 1)
    centred = wide - mu
    rstd = 1 / np.sqrt(mean_of(centred * centred, (2, 3), keepdims=False) + eps)  # (N, G, C/G, P) -> (N, G)
    xhat = centred * rstd[:, :, None, None]
    y = xhat if gamma is None or beta is None else by_group(gamma, groups) * xhat + by_group(beta, groups)
    return y.reshape(x.shape).astype(x.dtype), mu[:, :, 0, 0], rstd


def group_norm_backward(
    x: Array, gamma: Array | None, mean: Array, rstd: Array, dy: Array, groups: int
) -> tuple[Array, Array, Array]:
    """dx = rstd·(t - Σ t / M - xhat·Σ(t·xhat) / M) with t = gamma·dy, dgamma = Σ dy·xhat, dbeta = Σ dy."""
    shape = len(x), groups, x.shape[1] // groups, math.prod(x.shape[2:])  # (N, G, C/G, P)
    xhat = (x.reshape(shape) - mean[:, :, None, None]) * rstd[:, :, None, None]
    wide = dy.reshape(shape).astype(np.float64)
    t = wide if gamma is None else by_group(gamma, groups) * wide
    dx = rstd[:, :, None, None] * (t - mean_of(t, (2, 3)) - xhat * mean_of(t * xhat, (2, 3)))
    dgamma, dbeta = (wide * xhat).sum(axis=(0, 3)).reshape(-1), wide.sum(axis=(0, 3)).reshape(-1)
    return dx.reshape(x.shape).astype(x.dtype), dgamma.astype(x.dtype), dbeta.astype(x.dtype)


def rms_norm(x: Array, gamma: Array | None, eps: float) -> tuple[Array, Array]:
    """y = gamma·x·rrms over the last axis, rrms = 1/√(Σ x² / D + eps)."""
    wide = x.astype(np.float64)
    rrms = 1 / np.sqrt(mean_of(wide * wide, -1, keepdims=False) + eps)  # (..., D) -> (...)
    xhat = wide * rrms[..., None]
    return (xhat if gamma is None else gamma * xhat).astype(x.dtype), rrms


def rms_norm_backward(x: Array, gamma: Array | None, rrms: Array, dy: Array) -> tuple[Array, Array]:
    """dx = rrms·(t - xhat·Σ(t·xhat) / D) with t = gamma·dy, dgamma = Σ dy·xhat."""
    wide, xhat = dy.astype(np.float64), x * rrms[..., None]
    t = wide if gamma is None else gamma * wide
    dx = rrms[..., None] * (t - xhat * mean_of(t * xhat, -1))
    return dx.astype(x.dtype), (wide * xhat).sum(axis=tuple(range(x.ndim - 1))).astype(x.dtype)
