"""Square: bound by memory."""

from __future__ import annotations

from typing import Any

from numba import njit

from ..backend import kernel
from ..reference import square as reference
from ..workspace import Workspace
from ._flat import is_fast
from ._loops import run_loop


@kernel("cpu")
def square(x: Any, y: Any, *, workspace: Workspace) -> None:
    """y = x²."""
    if not is_fast(x):
        return reference.square(x, y)
    run_loop(_forward, (x,), y, workspace)


@njit(cache=True, error_model="numpy")
def _forward(x: Any, y: Any) -> None:
    for i in range(x.size):
        y[i] = x[i] * x[i]


@kernel("cpu")
def square_backward(x: Any, dy: Any, dx: Any, *, workspace: Workspace) -> None:
    """dx = 2x·dy."""
    if not is_fast(x):
        return reference.square_backward(x, dy, dx)
    run_loop(_backward, (x, dy), dx, workspace)


@njit(cache=True, error_model="numpy")
def _backward(x: Any, dy: Any, dx: Any) -> None:
    for i in range(x.size):
        dx[i] = (x[i] + x[i]) * dy[i]
