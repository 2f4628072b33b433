"""Tanh."""

from __future__ import annotations

from typing import Any

from numba import njit

from ..backend import kernel
from ..reference import tanh as reference
from ..workspace import Workspace
from ._elementary import CONTRACT
from ._elementary import tanh as hyperbolic
from ._flat import is_fast
from ._loops import run_loop


@kernel("cpu")
def tanh(x: Any, y: Any, *, workspace: Workspace) -> None:
    """y = tanh x."""
    if not is_fast(x):
        return reference.tanh(x, y)
    run_loop(_forward, (x,), y, workspace)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _forward(x: Any, y: Any) -> None:
    for i in range(x.size):
        y[i] = hyperbolic(x[i])


@kernel("cpu")
def tanh_backward(y: Any, dy: Any, dx: Any, *, workspace: Workspace) -> None:
    """dx = dy·(1 - y²)."""
    if not is_fast(y):
        return reference.tanh_backward(y, dy, dx)
    run_loop(_backward, (y, dy), dx, workspace)


@njit(cache=True, error_model="numpy")
def _backward(y: Any, dy: Any, dx: Any) -> None:
    one = y.dtype.type(1)
    for i in range(y.size):
        dx[i] = dy[i] * (one - y[i] * y[i])
