"""SiLU."""

from __future__ import annotations

from typing import Any

from numba import njit

from ..backend import kernel
from ..reference import silu as reference
from ..workspace import Workspace
from ._elementary import CONTRACT, sigmoid
from ._flat import is_fast
from ._loops import run_loop


@kernel("cpu")
def silu(x: Any, y: Any, *, workspace: Workspace) -> None:
    """y = x·σ(x)."""
    if not is_fast(x):
        return reference.silu(x, y)
    run_loop(_forward, (x,), y, workspace)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _forward(x: Any, y: Any) -> None:
    for i in range(x.size):
        y[i] = x[i] * sigmoid(x[i])


@kernel("cpu")
def silu_backward(x: Any, dy: Any, dx: Any, *, workspace: Workspace) -> None:
    """dx = dy·σ(1 + x(1 - σ))."""
    if not is_fast(x):
        return reference.silu_backward(x, dy, dx)
    run_loop(_backward, (x, dy), dx, workspace)


@njit(cache=True, error_model="numpy", fastmath=CONTRACT)
def _backward(x: Any, dy: Any, dx: Any) -> None:
    one = x.dtype.type(1)
    for i in range(x.size):
        s = sigmoid(x[i])
        dx[i] = dy[i] * s * (one + x[i] * (one - s))
