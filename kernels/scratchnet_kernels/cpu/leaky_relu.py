"""Leaky ReLU: bound by memory."""

from __future__ import annotations

from typing import Any

from numba import njit

from ..backend import kernel
from ..reference import leaky_relu as reference
from ..workspace import Workspace
from ._flat import is_fast
from ._loops import run_loop


@kernel("cpu")
def leaky_relu(x: Any, y: Any, slope: float, *, workspace: Workspace) -> None:
    """y = x where x > 0, else slope·x."""
    if not is_fast(x):
        return reference.leaky_relu(x, y, slope)
    run_loop(_forward, (x,), y, workspace, slope)


@njit(cache=True, error_model="numpy")
def _forward(x: Any, y: Any, slope: Any) -> None:
    for i in range(x.size):
        y[i] = x[i] if x[i] > 0 else slope * x[i]


@kernel("cpu")
def leaky_relu_backward(x: Any, dy: Any, dx: Any, slope: float, *, workspace: Workspace) -> None:
    """dx = dy where x > 0, else slope·dy."""
    if not is_fast(x):
        return reference.leaky_relu_backward(x, dy, dx, slope)
    run_loop(_backward, (x, dy), dx, workspace, slope)


@njit(cache=True, error_model="numpy")
def _backward(x: Any, dy: Any, dx: Any, slope: Any) -> None:
    for i in range(x.size):
        dx[i] = dy[i] if x[i] > 0 else slope * dy[i]
