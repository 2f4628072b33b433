"""Losses in a step. The upstream gradient of the loss is 1."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from .. import mse as squares
from .. import softmax_cross_entropy as softmax
from .emit import Writer, emits
from .model import NotEmittedError, Operation


@emits("softmax_cross_entropy")
def cross_entropy(writer: Writer, operation: Operation) -> None:
    """q = softmax(z); value = -Σ log q[t] / total."""
    if operation["w"] is not None:
        raise NotEmittedError("class weights cannot be compiled into a step yet", where=operation.layer)
    z, t, q = _names(writer, operation, "z", "t", "q")
    call, count = writer.use("step.losses", "softmax_cross_entropy"), writer.use("step.losses", "right")
    settings = [writer.number(operation[name]) for name in ("smoothing", "ignore_index", "mean")]
    given = [z, t, writer.absent(1), q, *settings]
    writer.line(f"value, total = {call}({', '.join(given)})", "value = -Σ log softmax(z)[t] / total")
    writer.value, writer.hits = "value", f"{count}({z}, {t})"


@emits("softmax_cross_entropy_backward")
def cross_entropy_backward(writer: Writer, operation: Operation) -> None:
    """dz = (q - onehot(t)) / total."""
    q, t, dz = _names(writer, operation, "q", "t", "dz")
    settings = [writer.number(operation[name]) for name in ("smoothing", "ignore_index")]
    call = writer.use("step.losses", "softmax_cross_entropy_backward")
    given = [q, t, writer.absent(1), "total", dz, *settings]
    writer.line(f"{call}({', '.join(given)})", "dz = (softmax(z) - onehot(t)) / total")


@emits("mse")
def mean_squared_error(writer: Writer, operation: Operation) -> None:
    """value = Σ (z - t)² / n."""
    z, t = _names(writer, operation, "z", "t")
    call = writer.use("step.losses", "mse")
    writer.line(f"value = {call}({z}, {t}, {writer.number(operation['mean'])})", "value = Σ (z - t)² / n")
    writer.value = "value"


@emits("mse_backward")
def mean_squared_error_backward(writer: Writer, operation: Operation) -> None:
    """dz = 2 (z - t) / n."""
    z, t, dz = _names(writer, operation, "z", "t", "dz")
    call = writer.use("step.losses", "mse_backward")
    writer.line(f"{call}({z}, {t}, {dz}, {writer.number(operation['mean'])})", "dz = 2 (z - t) / n")


def _names(writer: Writer, operation: Operation, *roles: str) -> list[str]:
    return [writer.view(operation[role], role, "") for role in roles]


@njit(cache=True, error_model="numpy")
def softmax_cross_entropy(z: Any, t: Any, w: Any, q: Any, smoothing: Any, ignore_index: Any, mean: Any) -> Any:
    """(value, total) of logits (N, C) and class indices (N,); q their softmax."""
    return softmax._forward(z.reshape(-1), t, w, q.reshape(-1), z.shape[1], smoothing, ignore_index, mean)


@njit(cache=True, error_model="numpy")
def softmax_cross_entropy_backward(q: Any, t: Any, w: Any, total: Any, dz: Any, smoothing: Any, ignore: Any) -> None:
    """dz of the value."""
    scale = q.dtype.type(np.float64(1) / np.float64(total))
    softmax._backward(q.reshape(-1), t, w, scale, dz.reshape(-1), q.shape[1], smoothing, ignore)


@njit(cache=True)
def right(z: Any, t: Any) -> Any:
    """How many rows of z are largest at their label; the first of equals counts."""
    count = 0
    for n in range(t.size):
        best = 0
        for c in range(1, z.shape[1]):
            if z[n, c] > z[n, best]:
                best = c
        count += best == t[n]
    return count


@njit(cache=True)
def mse(z: Any, t: Any, mean: Any) -> Any:
    """The value."""
    return squares._forward(z.reshape(-1), t.reshape(-1), mean)


@njit(cache=True)
def mse_backward(z: Any, t: Any, dz: Any, mean: Any) -> None:
    """dz of the value."""
    scale = 2 / z.size if mean else 2.0
    squares._backward(z.reshape(-1), t.reshape(-1), z.dtype.type(scale), dz.reshape(-1))
