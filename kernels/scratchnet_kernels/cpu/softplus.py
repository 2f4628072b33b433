"""Softplus."""

from __future__ import annotations

from typing import Any

from numba import njit

from ..backend import kernel
from ..reference import softplus as reference
from ..workspace import Workspace
from ._elementary import CONTRACT, exp, log1p, sigmoid
from ._flat import is_fast
from ._loops import run_loop


@kernel("cpu")
def softplus(x: Any, y: Any, beta: float, threshold: float, *, workspace: Workspace) -> None:
    """y = ln(1 + e^(βx)) / β, and x where βx > threshold."""
    if not is_fast(x):
        return reference.softplus(x, y, beta, threshold)
    run_loop(_forward, (x,), y, workspace, beta, threshold)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _forward(x: Any, y: Any, beta: Any, threshold: Any) -> None:
    zero = x.dtype.type(0)
    for i in range(x.size):
        t = beta * x[i]
        smooth = (t if t > 0 else zero) + log1p(exp(-abs(t)))
        y[i] = x[i] if t > threshold else smooth / beta


@kernel("cpu")
def softplus_backward(x: Any, dy: Any, dx: Any, beta: float, threshold: float, *, workspace: Workspace) -> None:
    """dx = dy·σ(βx), and dy where βx > threshold."""
    if not is_fast(x):
        return reference.softplus_backward(x, dy, dx, beta, threshold)
    run_loop(_backward, (x, dy), dx, workspace, beta, threshold)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _backward(x: Any, dy: Any, dx: Any, beta: Any, threshold: Any) -> None:
    for i in range(x.size):
        t = beta * x[i]
        dx[i] = dy[i] if t > threshold else dy[i] * sigmoid(t)
