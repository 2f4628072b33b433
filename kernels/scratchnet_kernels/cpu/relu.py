"""ReLU: bound by memory."""

from __future__ import annotations

from typing import Any

from numba import njit

from ..backend import kernel
from ..reference import relu as reference
from ..workspace import Workspace
from ._flat import is_fast
from ._loops import run_loop


@kernel("cpu")
def relu(x: Any, y: Any, *, workspace: Workspace) -> None:
    """y = x where x > 0, else 0. NaN stays NaN."""
    if not is_fast(x):
        return reference.relu(x, y)
    run_loop(_forward, (x,), y, workspace)


@njit(cache=True, error_model="numpy")
def _forward(x: Any, y: Any) -> None:
    zero = x.dtype.type(0)  # the literal 0 is wider than a float32
    for i in range(x.size):
        y[i] = zero if x[i] <= 0 else x[i]


@kernel("cpu")
def relu_backward(y: Any, dy: Any, dx: Any, *, workspace: Workspace) -> None:
    """dx = dy where y > 0, else 0."""
    if not is_fast(y):
        return reference.relu_backward(y, dy, dx)
    run_loop(_backward, (y, dy), dx, workspace)


@njit(cache=True, error_model="numpy")
def _backward(y: Any, dy: Any, dx: Any) -> None:
    zero = y.dtype.type(0)
    for i in range(y.size):
        dx[i] = dy[i] if y[i] > 0 else zero
