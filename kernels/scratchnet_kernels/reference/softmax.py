"""Softmax along the middle axis, and its logarithm."""

from __future__ import annotations

from typing import Any

from ..op import op
from . import _math as m


@op(x="A C B", y="A C B", out=("y",))
def softmax(x: Any, y: Any) -> None:
    """y[a, c, b] = e^x[a, c, b] / Σ_c e^x[a, c, b]."""
    e = m.exp(x - m.amax(x, 1, keepdims=True))  # the quotient does not change, and exp cannot overflow
    y[...] = e / e.sum(axis=1, keepdims=True)


@op(y="A C B", dy="A C B", dx="A C B", out=("dx",))
def softmax_backward(y: Any, dy: Any, dx: Any) -> None:
    """dx = y·(dy - Σ_c dy·y), from ∂y_i/∂x_j = y_i([i = j] - y_j)."""
    dx[...] = y * (dy - (dy * y).sum(axis=1, keepdims=True))


@op(x="A C B", y="A C B", out=("y",))
def log_softmax(x: Any, y: Any) -> None:
    """y[a, c, b] = x[a, c, b] - ln Σ_c e^x[a, c, b], with the largest x taken out of the sum."""
    shifted = x - m.amax(x, 1, keepdims=True)
    y[...] = shifted - m.log(m.exp(shifted).sum(axis=1, keepdims=True))


@op(y="A C B", dy="A C B", dx="A C B", out=("dx",))
def log_softmax_backward(y: Any, dy: Any, dx: Any) -> None:
    """dx = dy - e^y·Σ_c dy, from ∂y_i/∂x_j = [i = j] - e^y_j."""
    dx[...] = dy - m.exp(y) * dy.sum(axis=1, keepdims=True)
