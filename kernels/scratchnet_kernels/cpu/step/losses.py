"""Losses in a step. The upstream gradient of the loss is 1.

The loss of a step is a sum over samples, divided by a total that is known before the first of them is looked at; so
threads may share the samples.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from .. import mse as squares
from .. import softmax_cross_entropy as softmax
from .emit import Writer, emits
from .model import NotEmittedError, Operation
from .parts import PARTS

PARTS |= {"softmax_cross_entropy", "softmax_cross_entropy_backward", "mse", "mse_backward"}


@emits("softmax_cross_entropy")
def cross_entropy(writer: Writer, operation: Operation) -> None:
    """q = softmax(z); value = -Σ log q[t] / total."""
    if operation["w"] is not None:
        raise NotEmittedError("class weights cannot be compiled into a step yet", where=operation.layer)
    z, t, q = _names(writer, operation, "z", "t", "q")
    call, count = writer.use("step.losses", "softmax_cross_entropy"), writer.use("step.losses", "right")
    smoothing, ignore = (writer.number(operation[name]) for name in ("smoothing", "ignore_index"))
    given = [z, t, writer.absent(1), q, smoothing, ignore]
    writer.line(f"value = {call}({', '.join(given)})", "value = -Σ log softmax(z)[target]")
    writer.value, writer.hits = "value", f"{count}({z}, {t})"
    if operation["mean"]:
        writer.total = f"{writer.use('step.losses', 'counted')}(targets, index, {ignore})"


@emits("softmax_cross_entropy_backward")
def cross_entropy_backward(writer: Writer, operation: Operation) -> None:
    """dz = (q - onehot(t)) / total."""
    q, t, dz = _names(writer, operation, "q", "t", "dz")
    settings = [writer.number(operation[name]) for name in ("smoothing", "ignore_index")]
    call = writer.use("step.losses", "softmax_cross_entropy_backward")
    given = [q, t, writer.absent(1), "total", dz, *settings]
    writer.line(f"{call}({', '.join(given)})", "dz = (softmax(z) - onehot(target)) / total")


@emits("mse")
def mean_squared_error(writer: Writer, operation: Operation) -> None:
    """value = Σ (z - t)² / total, the number of elements for the mean."""
    z, t = _names(writer, operation, "z", "t")
    writer.line(f"value = {writer.use('step.losses', 'mse')}({z}, {t})", "value = Σ (z - target)²")
    writer.value = "value"
    writer.total = f"{float(operation['z'].size)!r}" if operation["mean"] else "1.0"


@emits("mse_backward")
def mean_squared_error_backward(writer: Writer, operation: Operation) -> None:
    """dz = 2 (z - t) / total."""
    z, t, dz = _names(writer, operation, "z", "t", "dz")
    call = writer.use("step.losses", "mse_backward")
    writer.line(f"{call}({z}, {t}, {dz}, total)", "dz = 2 (z - target) / total")


def _names(writer: Writer, operation: Operation, *roles: str) -> list[str]:
    return [writer.view(operation[role], "target" if role == "t" else role, "") for role in roles]


@njit(cache=True)
def counted(targets: Any, index: Any, ignore_index: Any) -> Any:
    """How many of the labels count."""
    count = 0.0
    for n in range(index.size):
        count += targets[index[n]] != ignore_index
    return count


@njit(cache=True, error_model="numpy")
def softmax_cross_entropy(z: Any, t: Any, w: Any, q: Any, smoothing: Any, ignore_index: Any) -> Any:
    """The sum of the losses of logits (N, C) and class indices (N,); q their softmax."""
    value, _ = softmax.sums(z.reshape(-1), t, w, q.reshape(-1), z.shape[1], smoothing, ignore_index)
    return value


@njit(cache=True, error_model="numpy")
def softmax_cross_entropy_backward(q: Any, t: Any, w: Any, total: Any, dz: Any, smoothing: Any, ignore: Any) -> None:
    """dz of the value."""
    scale = q.dtype.type(np.float64(1) / np.float64(q.dtype.type(total)))
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
def mse(z: Any, t: Any) -> Any:
    """The sum of the squares."""
    return squares.squares(z.reshape(-1), t.reshape(-1))


@njit(cache=True, error_model="numpy")
def mse_backward(z: Any, t: Any, dz: Any, total: Any) -> None:
    """dz of the value."""
    squares._backward(z.reshape(-1), t.reshape(-1), z.dtype.type(2 / total), dz.reshape(-1))
